"""A canvas: cards in, links out."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nestkit.link import Link
from nestkit.note import Note
from nestkit.parse.canvas import parse_canvas


def canvas(*nodes: Any) -> Note:
    return parse_canvas("M.canvas", json.dumps({"nodes": nodes, "edges": [{"label": "[[Edge]]"}]}))


def test_cards_give_links_in_their_order() -> None:
    note = canvas(
        {"type": "text", "text": "go [[Bee|b]]\r\nand ![[p.png]] [c](C%20D.md)"},
        {"type": "file", "file": "x/Cat.md", "subpath": "#Tail#Tip"},
        {"type": "file", "file": "Dog.md", "subpath": "#^k"},
        {"type": "link", "url": "https://e.org/[[x]]"},
        {"type": "group", "label": "[[Group]]"},
    )
    assert note.links == (
        Link("Bee", 1, alias="b"),
        Link("p.png", 1, embed=True),
        Link("C D.md", 1, alias="c"),
        Link("x/Cat.md", 1, heading=("Tail", "Tip")),
        Link("Dog.md", 1, block="k"),
    )


def test_cards_give_no_tags_tasks_or_headings() -> None:
    note = canvas({"type": "text", "text": "# H #tag\n- [ ] t\nk:: v ^id"})
    assert (note.tags, note.tasks, note.headings, note.fields, note.blocks) == ((), (), (), (), ())


def test_the_text_of_cards_can_be_searched() -> None:
    assert (
        canvas({"type": "text", "text": "one"}, {"type": "file", "file": "F.md"}, {"type": "text", "text": "two"}).body
        == "one\n\ntwo"
    )


def test_code_in_a_card_is_code() -> None:
    assert canvas({"type": "text", "text": "`[[Bee]]`"}).links == ()


@pytest.mark.parametrize("text", ["", "  \n", "\ufeff", "{}", '{"nodes": []}', '{"edges": []}'])
def test_a_new_canvas_says_nothing(text: str) -> None:
    assert parse_canvas("M.canvas", text) == Note("M.canvas")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", 1),
        ('{\n"nodes": [,]}', 2),
        ("[]", 1),
        ('{"nodes": 1}', 1),
        ("null", 1),
        ("[" * 100_000, 0),
        ("1" * 5_000, 0),
    ],
)
def test_a_broken_canvas_is_a_problem(text: str, line: int) -> None:
    note = parse_canvas("M.canvas", text)
    assert note.links == ()
    assert [problem.line for problem in note.problems] == [line]


@pytest.mark.parametrize(
    "node", [None, 1, "x", {}, {"type": "file"}, {"type": "file", "file": 1}, {"type": "text", "text": None}]
)
def test_odd_cards_are_passed_over(node: Any) -> None:
    note = canvas(node, {"type": "file", "file": "Bee.md", "subpath": 7})
    assert note.links == (Link("Bee.md", 1),)
    assert note.problems == ()
