"""Nothing quoted in a run note is alive."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.parse.note import parse_note
from nestkit.runs.quiet import draft_fence, draft_line, draft_prose, parse_fence
from nestkit.visible import visible

LIVE = [
    "[[Link]] and ![[Embed]]",
    "#tag #nest",
    "- [ ] a task",
    "  + [x] another",
    "1. [ ] numbered",
    "key:: value",
    "[key:: value] (other:: one)",
    "%% a comment %%",
    "<% tp.system.prompt() %>",
    "```nest\nask me\n```",
    "~~~dataview\nLIST\n~~~",
    "`= dv.pages()`",
    "# heading",
    "text\n===\nmore",
    "text\n---\nmore",
    "block ^id",
    "![remote](https://example.org/x.png)",
    "[text](Note.md)",
    "<img src=x onerror=alert(1)>",
    "$$x$$ and $y$",
    "---\nnest: run me\n---",
    "> [!warning] x",
    "| a | b |\n| - | - |\n| [[c]] | d |",
]


def alive(markdown: str) -> list[object]:
    """What Obsidian would index of this text, standing in the body of a note."""
    note = parse_note("A.md", f"body\n\n{markdown}\n")
    return [*note.links, *note.tags, *note.tasks, *note.headings, *note.blocks, *note.fields, *(note.properties or ())]


@pytest.mark.parametrize("text", LIVE)
def test_quoted_text_is_indexed_as_nothing(text: str) -> None:
    assert alive(draft_prose(text)) == []
    assert alive("\n".join(draft_fence(text, "text"))) == []
    assert alive(draft_line(text)) == []


@pytest.mark.parametrize("text", LIVE)
def test_quoted_text_holds_no_template_and_no_query(text: str) -> None:
    assert "<%" not in "\n".join(draft_fence(text, "text"))
    for quiet in (draft_prose(text), draft_line(text)):
        assert "<%" not in quiet
        assert not re.search(r"^\s*(```+|~~~+)\s*(nest|dataview)", quiet, re.M)


@given(st.text())
def test_no_text_at_all_is_alive_when_quoted(text: str) -> None:
    assert alive(draft_prose(text)) == []
    assert alive("\n".join(draft_fence(text, "text"))) == []


@given(st.text())
def test_a_fence_gives_back_what_was_put_in(text: str) -> None:
    lines = draft_fence(text, "python")
    assert parse_fence(lines[1:-1]) == visible(text).removesuffix("\n")
    assert all(not line.startswith(lines[-1]) for line in lines[1:-1])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟦U+202E⟧b"),
        ("a\u200bb", "a⟦U+200B⟧b"),
        ("x = 1  # harmless\rprint()", "x = 1  # harmless\nprint()"),
        ("\x1b[31mred", "⟦U+001B⟧[31mred"),
        ("zwölf 猫 🐈", "zwölf 猫 🐈"),
        ("tab\tstays", "tab\tstays"),
    ],
)
def test_what_hides_is_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown
