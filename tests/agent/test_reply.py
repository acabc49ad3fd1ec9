"""What local models really answer: parsed leniently, and only whole Python comes out."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.agent.reply import Action, Unusable, parse_call, parse_reply
from nestkit.model import Reply

CASES = [json.loads(line) for line in (Path(__file__).parent / "cases/replies.jsonl").read_text("utf-8").splitlines()]


def reply_of(fields: dict[str, Any]) -> Reply:
    calls = tuple((name, arguments) for name, arguments in fields.get("tool_calls", ()))
    return Reply(**{**fields, "tool_calls": calls})


@pytest.mark.parametrize("case", CASES, ids=[case["title"] for case in CASES])
def test_a_reply_is_a_program_or_says_what_is_wrong(case: dict[str, Any]) -> None:
    found = parse_reply(reply_of(case["reply"]))
    if "program" in case:
        assert isinstance(found, Action), found
        assert found.program == case["program"] + "\n"
    else:
        assert isinstance(found, Unusable), found
        assert case["unusable"] in found.reason


def test_the_thought_is_what_stands_before_the_program() -> None:
    found = parse_reply(Reply("I look first.\n\n```python\nx = 1\n```\nDone."))
    assert found == Action("x = 1\n", "I look first.")


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "fx__convert", "arguments": {"amount": 1}}',
        '<tool_call>{"name": "functions.fx__convert", "arguments": {"amount": 1}}</tool_call>',
        '[TOOL_CALLS]fx__convert[ARGS]{"amount": 1}',
        '<|channel|>commentary to=functions.fx__convert <|message|>{"amount": 1}<|call|>',
    ],
)
def test_a_call_that_came_as_text_is_known_by_the_name_its_model_was_told(text: str) -> None:
    assert parse_call(Reply(text)) == Action("print(fx.convert(amount=1))\n")


PIECES = (
    *("```", "```python\n", "\n", "print(1)", "<code>", "</code>", "<think>", "</think>", "{", '"code": "', "}", "'"),
    *("<tool_call>", "</tool_call>", "[TOOL_CALLS]", "[", "]", "<function=f>", "<parameter=p>", "</function>", ">>> "),
    *("<|channel|>", "analysis", "<|message|>", "<|end|>", "to=functions.f", "Action: f\n", "Action Input: "),
    *("Code:\n", "Observation:", "final_answer(1)", '{"name": "f", "arguments": {}}', "&lt;", "\ufeff", "<|im_end|>"),
)
pieces = st.sampled_from(PIECES)


@given(st.text() | st.lists(pieces | st.text(max_size=5)).map("".join), st.booleans())
def test_no_reply_is_an_error_and_what_comes_out_is_python(text: str, cut: bool) -> None:
    found = parse_reply(Reply(text, cut=cut))
    if isinstance(found, Action):
        ast.parse(found.program)
    else:
        assert found.reason


@given(st.lists(pieces | st.text(max_size=5)).map("".join), st.booleans())
def test_no_reply_of_the_json_style_is_an_error(text: str, cut: bool) -> None:
    found = parse_call(Reply(text, cut=cut))
    if isinstance(found, Action):
        (statement,) = ast.parse(found.program).body
        assert isinstance(statement, ast.Expr)
    else:
        assert found.reason


HEAVY = ("<think>", "</think><think>", "```\n", "```python\nx(\n", "\n", " ", "<tool_call>", "<|channel|>analysis", "{")
HEAVY += (
    "to=functions.f ",
    "Action: f\n",
    "<",
    "```py " + " " * 50,
    "`",
    "<code>",
    "</s>",
    ",",
    "<｜tool▁call▁begin｜>",
    "<|tool_call_begin|>f",
    '<invoke name="f">',
    "<|tool_call>call:f{",
    "to=python ",
    "to=python <|message|>",
    "<|im_start|>user",
    "```python\nx()\n```\nOutput: 1\n",
    "Output: 1\n",
    "[PYTHON]",
    "<code ",
    "- ```python\n",
    "x ```python\n",
    "<tool_call>f<arg_key>",
    '{"function":',
    "[",
    "'",
)


@pytest.mark.parametrize("piece", HEAVY)
def test_a_hostile_reply_is_read_in_time_that_follows_its_length(piece: str) -> None:
    for text in (piece * (60_000 // len(piece)), piece * 310_000):
        for reply in (Reply(text), Reply(f"{text} end"), Reply(f"x {text}", cut=True)):
            parse_reply(reply)
            parse_call(reply)


@given(st.text(min_size=1).filter(lambda text: "`" not in text and "<" not in text))
def test_prose_alone_is_never_run(text: str) -> None:
    found = parse_reply(Reply(f"Well, {text} is what I think."))
    assert isinstance(found, Unusable)
