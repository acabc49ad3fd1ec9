"""Words in, rows for the index's tables out: tuples of plain values, which another process can hand over. *Pure*."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

from nestkit.index.name_rows import NameRow, name_row
from nestkit.index.property_rows import ValueRow, draft_values
from nestkit.index.resolve import name_key_of
from nestkit.index.text import plain, searchable
from nestkit.link import Link
from nestkit.note import Field, Note, Problem, Task, title_of
from nestkit.tool import Script

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode

Row = tuple[Any, ...]


class NoteRows(NamedTuple):
    """What the index keeps of one note or canvas, without the file's id and without where its links lead."""

    note: Row
    """properties, aliases, tags, fields, headings, body, body_line."""
    links: tuple[Row, ...]
    """target, heading, block, alias, embed, key, line, name_key."""
    tags: tuple[Row, ...]
    blocks: tuple[Row, ...]
    tasks: tuple[Row, ...]
    problems: tuple[Row, ...]
    search: Row
    """title, aliases, headings, body, as the word index sees them."""
    names: NameRow
    values: list[ValueRow]


class ScriptRows(NamedTuple):
    """What the index keeps of one script."""

    script: str
    problems: tuple[Row, ...]


def draft_note(note: Note) -> NoteRows:
    """The rows of a note."""
    body = plain(note.body)
    return NoteRows(
        (
            None if note.properties is None else to_json(dict(note.properties)),
            _list(note.aliases),
            _list(note.tags),
            _list([_field(field) for field in note.fields]),
            _list([{"level": h.level, "text": h.text, "line": h.line} for h in note.headings]),
            body,
            note.body_line,
        ),
        tuple(_link(link, note.path) for link in note.links),
        tuple((plain(tag.lower()), plain(tag)) for tag in note.tags),
        tuple((block.id, block.line) for block in note.blocks),
        tuple(map(_task, note.tasks)),
        _problems(note.problems),
        search_row(note.path, note.aliases, (heading.text for heading in note.headings), body),
        name_row(note.path, note.aliases),
        draft_values(note.properties),
    )


def draft_script(script: Script) -> ScriptRows:
    """The rows of a script."""
    return ScriptRows(to_json(asdict(script)), _problems(script.problems))


def search_row(path: str, aliases: Iterable[str], headings: Iterable[str], body: str) -> Row:
    """What the word index is told of a note; to make it forget, it has to be told the same again."""
    texts = (title_of(path), "\n".join(map(plain, aliases)), "\n".join(map(plain, headings)), body)
    return tuple(map(searchable, texts))


def to_json(value: Any) -> str:
    """Compact JSON; values YAML can make and JSON cannot become text."""
    return plain(_ENCODE(value))


def _list(values: Any) -> str:
    return to_json(values) if values else "[]"


def _field(field: Field) -> dict[str, Any]:
    return {"key": field.key, "canonical": field.canonical, "value": field.value, "line": field.line}


def _link(link: Link, source: str) -> Row:
    target = plain(link.target)
    heading = to_json(link.heading) if link.heading else None
    block, alias, key = (None if part is None else plain(part) for part in (link.block, link.alias, link.key))
    return (target, heading, block, alias, link.embed, key, link.line, name_key_of(target or source))


def _task(task: Task) -> Row:
    fields: dict[str, Any] = {}
    for field in task.fields:
        fields.setdefault(field.canonical, field.value)
    told = to_json(fields) if fields else "{}"
    return (task.line, plain(task.status), plain(task.text), task.parent_line, _list(task.tags), told)


def _problems(problems: Iterable[Problem]) -> tuple[Row, ...]:
    return tuple((problem.line, plain(problem.what)) for problem in problems)
