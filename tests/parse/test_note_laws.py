"""What holds for every note, whatever stands in it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from nestkit.note import Note
from nestkit.parse.canvas import parse_canvas
from nestkit.parse.note import parse_note
from nestkit.parse.subpath import find_section

PARTS = (
    *(
        "[[A]]",
        "[[A|b]]",
        "![[p.png]]",
        "[[",
        "]]",
        "[",
        "](",
        "](x.md)",
        "![",
        "|",
        "[^1]: ",
        "[r]: u",
        "| a | b |",
        "|-|-|",
    ),
    *(
        "#",
        "#tag",
        "##",
        "# H",
        "^id",
        " ^a-1",
        "- ",
        "- [ ] ",
        "* [x] ",
        "1. ",
        "> ",
        "> [!note] ",
        "---",
        "===",
        "====",
    ),
    *("```", "~~~", "`", "$", "$$", "%%", "<!--", "-->", "<div>", "<b>", "\\", "\\[", "**", "==", "~~"),
    *("a: 1", "tags: [a]", 'up: "[[B]]"', "k:: v", "[k:: v]", "(k::", "::", "📅 2024-01-01", "⏫"),
    *("word", "é", "🎉", " ", "    ", "\t", "\n", "\n\n", "\u2028", "\0", "\ud800", "\ufeff"),
)
NOTES = st.lists(st.sampled_from(PARTS), max_size=60).map("".join)
ANY = NOTES | st.text()


def count_lines(text: str) -> int:
    return 1 + len(re.findall(r"\r\n?|\n", text))


def lines_of(note: Note) -> list[int]:
    facts = (note.links, note.headings, note.blocks, note.tasks, note.fields, note.problems)
    lines = [fact.line for group in facts for fact in group]
    lines += [field.line for task in note.tasks for field in task.fields]
    return [*lines, note.body_line, *(task.parent_line for task in note.tasks if task.parent_line)]


@given(ANY)
def test_any_text_is_a_note(text: str) -> None:
    note = parse_note("A.md", text)
    assert all(1 <= line <= count_lines(text) for line in lines_of(note))


@given(ANY)
def test_the_same_text_says_the_same(text: str) -> None:
    assert parse_note("A.md", text) == parse_note("A.md", text)


@given(NOTES)
def test_line_ends_make_no_difference(text: str) -> None:
    assert parse_note("A.md", text.replace("\n", "\r\n")) == parse_note("A.md", text)


@given(NOTES)
def test_every_wikilink_stands_in_the_text(text: str) -> None:
    for link in parse_note("A.md", text).links:
        line = text.split("\n")[link.line - 1] if link.key is None else text
        assert link.target in line
        assert link.alias is None or link.alias in text


@given(NOTES)
def test_facts_are_in_the_order_of_their_lines(text: str) -> None:
    note = parse_note("A.md", text)
    for facts in (note.headings, note.tasks, note.fields, [link for link in note.links if link.key is None]):
        lines = [fact.line for fact in facts]
        assert lines == sorted(lines)


@given(NOTES)
def test_text_in_a_fence_says_nothing(text: str) -> None:
    note = parse_note("A.md", "x\n\n~~~~~~~~\n" + text.replace("~", "") + "\n~~~~~~~~\n")
    assert replace(note, body="") == Note("A.md", body="")


@given(NOTES, NOTES)
def test_what_stands_above_moves_lines_and_nothing_else(above: str, text: str) -> None:
    quiet = re.sub(r"[^a-z ]", "", above)
    alone = parse_note("A.md", "\n" + text)
    below = parse_note("A.md", f"\n{quiet.strip()}\n\n" + "\n" + text)
    assert [link.target for link in below.links] == [link.target for link in alone.links]
    assert [(task.text, task.line - 3) for task in below.tasks] == [(task.text, task.line) for task in alone.tasks]


@given(NOTES)
def test_every_heading_and_block_can_be_reached(text: str) -> None:
    note = parse_note("A.md", text)
    for block in note.blocks:
        found = find_section(note, f"#^{block.id.upper()}")
        assert found is not None
        assert found["id"].lower() == block.id.lower()
        assert found["line"] <= found["end_line"] <= count_lines(text)


@given(st.text() | NOTES.map(lambda text: json.dumps({"nodes": [{"type": "text", "text": text}]})))
def test_any_text_is_a_canvas(text: str) -> None:
    assert all(line == 1 for line in (link.line for link in parse_canvas("M.canvas", text).links))


@settings(max_examples=30)
@given(st.sampled_from(PARTS), st.sampled_from(PARTS), st.integers(1, 400))
def test_repetition_is_survived(one: str, other: str, times: int) -> None:
    parse_note("A.md", (one + other) * times)
