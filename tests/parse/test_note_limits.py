"""Notes nobody would write by hand: too large, too deep, made to hang a parser."""

from __future__ import annotations

import sys

import pytest

from nestkit.parse.note import MAX_BYTES, parse_note
from nestkit.parse.subpath import find_section

MANY = 3_000


REPEATED = (
    *("[", "![", "[[a ", "[[a|b ", "[a](", "[a](<b", "![a](", "*a _b ", "**x ", "$a #t ", "$$a\n", "%%\n", "<!-- #t "),
    *("> ", "- ", "1. ", "[^a]: ", "[^a]: x\n", "[a]: b\n", "# [[h]]\n", "(a:: [b:: ", "[a::", "a:: b\n", "\\", "==#a"),
    *("<a x='#t", "x ^a-b\n\n"),
)
HOSTILE = (
    *(part * MANY for part in REPEATED),
    *("- [ ] " + part * MANY for part in ("📅 2024-01-01 ", "#a ", "🔁 a ", "^a ")),
    *("---\n" + part * MANY + "\n---\n" for part in ("[", "{", "- ", "a: -\n", '"', "&a ", "*a ", "k: &a [*a, ")),
    "![a" * MANY + "](b)" * MANY,
    "| a " * MANY + "\n" + "|-" * MANY,
)


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:12]) for text in HOSTILE])
def test_a_hostile_note_is_read_in_the_end(text: str) -> None:
    assert parse_note("A.md", text).path == "A.md"


def test_nesting_is_read_down_to_a_limit_and_then_reported() -> None:
    lists = "".join(f"{'  ' * depth}- [[N{depth}]]\n" for depth in range(80))
    note = parse_note("A.md", lists)
    assert [link.target for link in note.links] == [f"N{depth}" for depth in range(49)]
    assert [(problem.line, "deep" in problem.what) for problem in note.problems] == [(50, True)]


def test_lists_as_deep_as_people_write_them_are_read() -> None:
    lists = "".join(f"{'  ' * depth}- [ ] t{depth}\n" for depth in range(30))
    note = parse_note("A.md", lists)
    assert [task.parent_line for task in note.tasks] == [None, *range(1, 30)]
    assert note.problems == ()


def test_quotes_too_deep_are_reported() -> None:
    assert [problem.line for problem in parse_note("A.md", "x\n\n" + ">" * 200 + " [[A]]").problems] == [3]


def test_a_note_can_be_read_from_deep_inside_a_program() -> None:
    def deeper(frames: int) -> int:
        return deeper(frames - 1) if frames else len(parse_note("A.md", "> " * 200 + "[" * 200 + "[[A]]").problems)

    assert deeper(sys.getrecursionlimit() // 5) == 1


def test_a_note_over_two_megabytes_is_not_indexed() -> None:
    text = "---\ntags: [a]\n---\n[[A]] #b\n"
    large = text + "ä" * (MAX_BYTES // 2)
    note = parse_note("A.md", large)
    assert (note.links, note.tags, note.properties, note.body_line) == ((), (), None, 4)
    assert [problem.line for problem in note.problems] == [0]
    small = parse_note("A.md", text + "x" * (MAX_BYTES - len(text)))
    assert [link.target for link in small.links] == ["A"]


def test_many_links_in_one_paragraph_keep_their_lines() -> None:
    note = parse_note("A.md", "a [[A]] b\n" * MANY)
    assert [link.line for link in note.links] == list(range(1, MANY + 1))


def test_a_section_of_an_indexed_note_without_its_body_is_still_found() -> None:
    note = parse_note("A.md", "# A\n\ntext ^b\n")
    bare = type(note)("A.md", headings=note.headings, blocks=note.blocks)
    assert find_section(bare, "#A") == {"type": "heading", "level": 1, "text": "A", "line": 1, "end_line": 1}
    assert find_section(bare, "#^b") == {"type": "block", "id": "b", "line": 3, "end_line": 3}
