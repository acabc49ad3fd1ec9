"""Programs looked at before they run: what hides is named, what does not parse is told with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.sandbox.check import MAX_CHARS, check_program

GOOD = [
    "final_answer(1)",
    "x = 1\r\ny = 2\r\nfinal_answer(x + y)\r\n",
    'name = "Zoë 中文 Ω"\nprint(f"{name!r:>20}")',
    "family = '👨\u200d👩\u200d👧'\nword = 'می\u200cخواهم'",
    "# -*- coding: utf-8 -*-\nx = 1",
    "pattern = '\\d+'  # a warning is no error",
    "if True:\n\tx = 1",
    "",
]


@pytest.mark.parametrize("text", GOOD)
def test_nothing_is_said_of_an_honest_program(text: str) -> None:
    assert check_program(text) == []


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1\nif access != 'none\u202e\u2066# check\u2069\u2066':\n    pass", 2, "U+202E"),
        ("x = 1\ny\u200b = 2", 2, "U+200B"),
        ("pass\u200dword = 1", 1, "U+200D"),
        ("x = '\x1b[2J'", 1, "U+001B"),
        ("x = '\x00'", 1, "U+0000"),
        ("x = 1  # harmless\rprint(open('secret').read())\ny = 2", 1, "return"),
        ("# coding: utf-7\nx = 1", 1, "utf-7"),
        ("#!/usr/bin/python\n# vim: set fileencoding=rot13 :\nx = 1", 2, "rot13"),
        ("x = 'a\ud800b'", 1, "U+D800"),
        ("\ufeffx = 1", 1, "U+FEFF"),
        ("x = '\U000e0041'", 1, "U+E0041"),
        ("for x in range(3)\n    pass", 1, "':'"),
        ("x = 1\ntotal = (1,\n", 2, "never closed"),
        ("def f():\nreturn 1", 2, "indented"),
        ("x = 'open", 1, "unterminated"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, said: str) -> None:
    first = check_program(text)[0]
    assert first.startswith(f"line {line}: ")
    assert said in first


def test_text_that_hides_is_not_parsed_as_well() -> None:
    assert len(check_program("x = '\u202e' +\n")) == 1


@pytest.mark.parametrize("text", ["(" * 5000, "x = " + "[" * 90_000, "-" * 100_000 + "1", "x" + ".a" * 50_000 + "("])
def test_a_program_made_to_break_the_parser_is_turned_down(text: str) -> None:
    assert len(check_program(text)) == 1


def test_a_program_of_unreasonable_length_is_turned_down_unread() -> None:
    assert "characters" in check_program("x" * (MAX_CHARS + 1))[0]


@given(st.text())
def test_no_text_is_more_than_wrong(text: str) -> None:
    assert all(isinstance(problem, str) and problem for problem in check_program(text))
