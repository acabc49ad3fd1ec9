"""Requests as Ollama knows them: what is in order, and what it would ignore in silence."""

from __future__ import annotations

from typing import Any

import pytest

from nestkit.testing.request import check_request

GOOD = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
CALL = {"function": {"name": "convert", "arguments": {"amount": 1}}}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"messages": []},
        {"stream": False, "think": "high", "keep_alive": "5m", "format": {"type": "object"}, "tools": []},
        {"think": False, "keep_alive": -1, "format": "json", "truncate": True, "shift": False, "logprobs": True},
        {"think": None, "options": None, "top_logprobs": 3},
        {"options": {"num_ctx": 8192, "temperature": 0, "seed": 1, "stop": ["</code>"], "use_mmap": True}},
        {"messages": [{"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [CALL]}]},
        {"messages": [{"role": "tool", "content": "294.12", "tool_name": "convert"}]},
        {"messages": [{"role": "system", "content": "rules"}, {"role": "user", "content": "look", "images": []}]},
    ],
)
def test_a_request_in_order_has_nothing_wrong(fields: dict[str, Any]) -> None:
    assert check_request({**GOOD, **fields}) == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"temperature": 0}, "unknown field 'temperature'"),
        ({"tool_choice": "auto"}, "unknown field 'tool_choice'"),
        ({"stream": "no"}, "field 'stream' should be bool, not 'no'"),
        ({"model": ""}, "no model"),
        ({"think": "a lot"}, "think is 'a lot', known levels: low, medium, high, max"),
        ({"format": "yaml"}, "format is 'yaml', known: 'json' or a schema"),
        ({"options": {"num_context": 1}}, "unknown option 'num_context'"),
        ({"options": {"max_tokens": 1}}, "unknown option 'max_tokens'"),
        ({"options": {"num_ctx": "8k"}}, "option 'num_ctx' should be int, not '8k'"),
        ({"options": {"seed": True}}, "option 'seed' should be int, not True"),
        ({"options": {"stop": [1]}}, "option 'stop' should be a list of texts"),
        ({"messages": "hi"}, "field 'messages' should be list, not 'hi'"),
        ({"messages": ["hi"]}, "message 1: should be an object, not 'hi'"),
        (
            {"messages": [*GOOD["messages"], {"role": "ai", "content": "x"}]},
            "message 2: unknown role 'ai', known: system, user, assistant, tool",
        ),
        ({"messages": [{"role": "user", "content": "x", "name": "Ann"}]}, "message 1: unknown field 'name'"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "message 1: field 'content' should be str, not ['x']"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}]},
            "message 1: arguments of the tool call 'f' should be an object, not text",
        ),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"name": "f"}]}]},
            "message 1: a tool call needs function.name: {'name': 'f'}",
        ),
    ],
)
def test_what_ollama_would_ignore_or_turn_down_is_said(fields: dict[str, Any], wrong: str) -> None:
    assert check_request({**GOOD, **fields}) == [wrong]
