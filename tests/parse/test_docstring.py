"""Docstrings in every common form, and in none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.parse.docstring import Doc, ParameterDoc, comment_above, header_comment, parse_doc, summary_of, words_of

GOOGLE = """Days between
    two dates.

    Weekends count.

    Args:
        start (str): First day,
            included.
        *rest: More days.
        zone (str, optional): Where. Defaults to UTC.

    Returns:
        int: whole days

    Raises:
        ValueError: If it is no date.

    That is all.
    """
NUMPY = """
    Days between two dates.

    Parameters
    ----------
    start, end : str
        The days.
    zone : str, optional
        Where.

    Returns
    -------
    int
        Whole days.

    Notes
    -----
    Weekends count.
    """
REST = """
    Days between two dates.

    :param start: First day,
        included.
    :type start: str
    :param int end: Last day.
    :returns: whole days
    :rtype: int
    :raises ValueError: If it is no date.
    """
EPYTEXT = """
    Days between two dates.

    @param start: First day.
    @type start: str
    @return: whole days
    """


@pytest.mark.parametrize(
    ("text", "doc"),
    [
        (
            GOOGLE,
            Doc(
                "Days between two dates.",
                "Days between\ntwo dates.\n\nWeekends count.\n\n"
                "Raises:\n    ValueError: If it is no date.\n\nThat is all.",
                {
                    "start": ParameterDoc("str", "First day, included."),
                    "rest": ParameterDoc("", "More days."),
                    "zone": ParameterDoc("str", "Where. Defaults to UTC."),
                },
                "int",
                "whole days",
            ),
        ),
        (
            NUMPY,
            Doc(
                "Days between two dates.",
                "Days between two dates.\n\nNotes\n-----\nWeekends count.",
                {
                    "start": ParameterDoc("str", "The days."),
                    "end": ParameterDoc("str", "The days."),
                    "zone": ParameterDoc("str", "Where."),
                },
                "int",
                "Whole days.",
            ),
        ),
        (
            REST,
            Doc(
                "Days between two dates.",
                "Days between two dates.\n\n:raises ValueError: If it is no date.",
                {"start": ParameterDoc("str", "First day, included."), "end": ParameterDoc("int", "Last day.")},
                "int",
                "whole days",
            ),
        ),
        (
            EPYTEXT,
            Doc(
                "Days between two dates.",
                "Days between two dates.",
                {"start": ParameterDoc("str", "First day.")},
                "",
                "whole days",
            ),
        ),
        ("Just text.\n\nusage: x [y]", Doc("Just text.", "Just text.\n\nusage: x [y]")),
        ("Title\n---\nwords", Doc("Title --- words", "Title\n---\nwords")),
        ("Does it.\n\nReturns: the result.", Doc("Does it.", "Does it.\n\nReturns: the result.")),
        ("Does it.\n\n    Args:\n        no colon here\n", Doc("Does it.", "Does it.\n\nArgs:\n    no colon here")),
        ("", Doc()),
    ],
)
def test_a_docstring_falls_into_its_parts(text: str, doc: Doc) -> None:
    assert parse_doc(text) == doc


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("One line.", "One line."),
        ("First\nparagraph.\n\nSecond.", "First paragraph."),
        ("Title\n- item", "Title"),
        ("Call it.\n>>> f()", "Call it."),
        ("A sentence of some length. " + "word " * 60, "A sentence of some length."),
        ("word " * 60, "word " * 31 + "..."),
    ],
)
def test_the_summary_is_one_short_line(text: str, summary: str) -> None:
    assert summary_of(text).replace(" ...", "...") == summary.replace(" ...", "...")


def test_a_comment_right_above_counts_and_one_further_up_does_not() -> None:
    lines = ["# far", "", "# near", "#   and wide", "# noqa: E501", "# -----", "def f(): pass"]
    assert comment_above(lines, 7) == "near\n  and wide"
    assert comment_above(lines, 2) == "far"
    assert comment_above(lines, 1) == ""


def test_the_first_comment_of_a_file_is_its_header() -> None:
    assert header_comment(["#!/bin/python", "", "# One", "# two", "", "# three"]) == "One\ntwo"
    assert header_comment(["import x", "# One"]) == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [("days_left", "Days left"), ("daysLeft", "Days left"), ("my-tool", "My tool"), ("x2", "X2")],
)
def test_a_name_falls_into_words(name: str, words: str) -> None:
    assert words_of(name) == words


PIECES = st.sampled_from(
    ["Args:\n", "Returns:\n", "    x: y\n", "Parameters\n----\n", ":param x:", "@param x", "(", ":", "\n\n"]
)


@given(st.lists(PIECES | st.text(max_size=10), max_size=20).map("".join))
def test_no_docstring_breaks_the_reader(text: str) -> None:
    doc = parse_doc(text)
    assert "\n" not in doc.summary
    assert len(doc.summary) <= 160


@pytest.mark.parametrize("piece", ["(", " ", "a ", " : ", "]:", ". Defaults to a", "defaults to ", "a : b, optional"])
@pytest.mark.parametrize("title", ["Args:\n    x: ", "Parameters\n----------\n", ":param x: ", "Returns:\n    "])
def test_an_endless_docstring_is_cut_and_read_in_no_time(title: str, piece: str) -> None:
    assert len(parse_doc(title + piece * 100_000).text) <= 20_000
