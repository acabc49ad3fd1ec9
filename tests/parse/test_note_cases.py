"""One note, one page of facts: the cases in `cases/*.md`, each with where its rule comes from.

A case is its title, its source in parentheses, then note and facts between lines that hold a single dot. In the note
→ is a tab, ␣ a blank at an edge, ⍽ a no-break space, ␍ a carriage return, ⏎ a line separator (U+2028), ␌ a form
feed, ␀ NUL and ⟦BOM⟧ the byte order mark. A fact is
`name: JSON`; of a record only the keys given are compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nestkit.link import Link
from nestkit.note import Field, Note
from nestkit.parse.kind import property_kind
from nestkit.parse.note import parse_note
from nestkit.parse.subpath import find_section

SIGNS = {"→": "\t", "␣": " ", "␍": "\r", "␌": "\f", "␀": "\0", "⍽": "\u00a0", "⏎": "\u2028", "⟦BOM⟧": "\ufeff"}


class Case(NamedTuple):
    title: str
    source: str
    text: str
    facts: list[tuple[str, Any]]


def read_cases(file: Path) -> Iterator[Case]:
    parts = re.split(r"(?m)^\.\n", file.read_text("utf-8"))
    for head, text, facts in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        title, source = head.strip().split("\n")
        for sign, meant in SIGNS.items():
            text = text.replace(sign, meant)
        pairs = (line.split(": ", 1) for line in facts.strip().split("\n"))
        yield Case(title, source, text, [(name, json.loads(value)) for name, value in pairs])


CASES = [case for file in sorted((Path(__file__).parent / "cases").glob("*.md")) for case in read_cases(file)]


def link_record(link: Link) -> dict[str, Any]:
    place = {"target": link.target, "heading": list(link.heading) or None, "block": link.block, "alias": link.alias}
    return {**place, "embed": link.embed, "line": link.line, "key": link.key}


def by_name(fields: tuple[Field, ...]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for field in fields:
        found.setdefault(field.canonical, []).append(field.value)
    return found


def task_records(note: Note) -> list[dict[str, Any]]:
    return [
        {
            **{name: getattr(task, name) for name in ("status", "done", "complete", "text", "line", "parent_line")},
            "tags": list(task.tags),
            "fields": {name: values[0] for name, values in by_name(task.fields).items()},
        }
        for task in note.tasks
    ]


FACTS: dict[str, Callable[[Note], Any]] = {
    "links": lambda note: [link_record(link) for link in note.links if not link.embed],
    "embeds": lambda note: [link_record(link) for link in note.links if link.embed],
    "targets": lambda note: [link.target for link in note.links],
    "lines": lambda note: [link.line for link in note.links],
    "tags": lambda note: list(note.tags),
    "aliases": lambda note: list(note.aliases),
    "properties": lambda note: note.properties,
    "problems": lambda note: [problem.line for problem in note.problems],
    "headings": lambda note: [[heading.level, heading.text, heading.line] for heading in note.headings],
    "blocks": lambda note: [[block.id, block.line] for block in note.blocks],
    "tasks": task_records,
    "fields": lambda note: by_name(note.fields),
}


def find_fact(note: Note, name: str) -> Any:
    word, _, rest = name.partition(" ")
    if word == "section":
        return find_section(note, rest)
    if word == "kind":
        return property_kind(rest, (note.properties or {})[rest])
    return FACTS[name](note)


def agrees(found: Any, expected: Any) -> bool:
    if isinstance(expected, dict) and isinstance(found, dict) and expected:
        return all(name in found and found[name] == value for name, value in expected.items())
    if isinstance(expected, list) and expected and isinstance(expected[0], dict):
        return len(found) == len(expected) and all(map(agrees, found, expected))
    return bool(found == expected)


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_a_note_says_what_its_case_says(case: Case) -> None:
    note = parse_note("A.md", case.text)
    for name, expected in case.facts:
        found = find_fact(note, name)
        whole = name in ("properties", "fields")
        assert (found == expected) if whole else agrees(found, expected), f"{name}: {found!r} is not {expected!r}"


def test_every_case_names_its_source() -> None:
    assert [case.title for case in CASES if not re.fullmatch(r"\(.{3,}\)", case.source)] == []


def test_titles_are_told_apart() -> None:
    assert len({case.title for case in CASES}) == len(CASES)
