"""Forms of turns: which are known, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

from nestkit.testing import OllamaServer
from nestkit.testing.turn import parse_turn


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({}, "unknown role ''"),
        ({"role": "user", "content": "x"}, "unknown role 'user'"),
        ({"role": "assistant", "contents": "x"}, "no 'contents'"),
        ({"role": "assistant", "content": 5}, "'content' should be str"),
        ({"role": "assistant", "tool_calls": [{"name": "f"}]}, "'tool_calls' should be"),
        ({"role": "error", "status": 500}, "needs body"),
        ({"role": "error", "status": 200, "body": {}}, "from 400 to 599"),
        ({"role": "error", "status": True, "body": {}}, "'status' should be int"),
        ({"role": "error-line", "after": ["x"]}, "needs error"),
        ({"role": "error-line", "after": [1], "error": "x"}, "'after' should be a list of texts"),
        ({"role": "stream", "chunks": ["x"]}, "needs then"),
        ({"role": "stream", "chunks": ["x"], "then": "explode"}, "'then' should be"),
        ({"role": "assistant", "content": "x", "delay_seconds": "1"}, "'delay_seconds' should be"),
    ],
)
def test_a_form_that_is_no_turn_is_said_with_its_number(form: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        parse_turn(form)
    with pytest.raises(ValueError, match=r"^turn 2: "):
        OllamaServer([{"role": "assistant", "content": "fine"}, form])


def test_fields_that_are_null_count_as_absent() -> None:
    assert parse_turn({"role": "assistant", "content": "x", "thinking": None, "tool_calls": None}).thinking == ""
