"""What local models really answer: parsed leniently, and only whole Python comes out."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.agent.reply import Action, Unusable, parse_reply
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


pieces = st.sampled_from(
    ["```", "```python\n", "\n", "print(1)", "<code>", "</code>", "<think>", "</think>", "{", '"code": "', "}", "'"]
)


@given(st.text() | st.lists(pieces | st.text(max_size=5)).map("".join), st.booleans())
def test_no_reply_is_an_error_and_what_comes_out_is_python(text: str, cut: bool) -> None:
    found = parse_reply(Reply(text, cut=cut))
    if isinstance(found, Action):
        ast.parse(found.program)
    else:
        assert found.reason


@given(st.text(min_size=1).filter(lambda text: "`" not in text and "<" not in text))
def test_prose_alone_is_never_run(text: str) -> None:
    found = parse_reply(Reply(f"Well, {text} is what I think."))
    assert isinstance(found, Unusable)
