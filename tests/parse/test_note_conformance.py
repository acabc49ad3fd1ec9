"""The conformance cases that one file alone can answer, without an index: everything but where links lead."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from nestkit.note import Note
from nestkit.parse.canvas import parse_canvas
from nestkit.parse.kind import property_kind
from nestkit.parse.note import parse_note
from nestkit.parse.subpath import find_section

Query = dict[str, Any]


def links(note: Note, *, embed: bool) -> list[dict[str, Any]]:
    return [{**asdict(one), "heading": list(one.heading) or None} for one in note.links if one.embed is embed]


def fields(note: Note) -> dict[str, list[Any]]:
    names = dict.fromkeys(field.canonical for field in note.fields)
    return {name: [field.value for field in note.fields if field.canonical == name] for name in names}


def kind(note: Note, query: Query) -> str | None:
    properties = note.properties or {}
    return property_kind(query["name"], properties[query["name"]]) if query["name"] in properties else None


ANSWERS: dict[str, Callable[[Note, Query], Any]] = {
    "links": lambda note, _: links(note, embed=False),
    "embeds": lambda note, _: links(note, embed=True),
    "tags": lambda note, _: list(note.tags),
    "frontmatter": lambda note, _: note.properties,
    "property_kind": kind,
    "headings": lambda note, _: [asdict(heading) for heading in note.headings],
    "subpath": lambda note, query: find_section(note, query["subpath"]),
    "blocks": lambda note, _: [block.id for block in note.blocks],
    "aliases": lambda note, _: list(note.aliases),
    "tasks": lambda note, _: [{**asdict(task), "done": task.done} for task in note.tasks],
    "inline_fields": lambda note, _: fields(note),
}
FILE = Path(__file__).parents[1] / "cases/obsidian.jsonl"
CASES = [case for case in map(json.loads, FILE.read_text("utf-8").splitlines()) if case["query"]["op"] in ANSWERS]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_file_says_what_obsidian_reads_in_it(case: dict[str, Any]) -> None:
    query = case["query"]
    parse = parse_canvas if query["path"].endswith(".canvas") else parse_note
    found = ANSWERS[query["op"]](parse(query["path"], case["vault"][query["path"]]), query)
    assert agree(case["compare"], found, case["expected"]), f"found {found!r}, expected {case['expected']!r}"


def test_most_cases_need_no_index() -> None:
    assert len(CASES) > 100


def agree(compare: str, found: Any, expected: Any) -> bool:
    if compare == "subset_list":
        return len(found) == len(expected) and all(map(inside, expected, found))
    if compare == "subset":
        return inside(expected, found)
    if compare == "set":
        return set(found) == set(expected)
    if compare == "set_ci":
        return {name.casefold() for name in found} == {name.casefold() for name in expected}
    return bool(found == expected)


def inside(expected: Any, found: Any) -> bool:
    """Only the keys named count; where a link leads is the index's to say."""
    if not isinstance(expected, dict) or found is None:
        return bool(found == expected)
    return all(found[name] == value for name, value in expected.items() if name != "resolved")
