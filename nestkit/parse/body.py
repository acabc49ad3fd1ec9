"""The text under a note's properties in, its links, tags, headings, blocks, tasks and fields out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from nestkit.link import Link
from nestkit.note import Block, Field, Heading, Problem, Task
from nestkit.parse.field import find_fields
from nestkit.parse.pieces import Item, Piece, Pieces, parse_pieces
from nestkit.parse.scan import scan_pieces
from nestkit.parse.tag import first_spellings
from nestkit.parse.task import find_marks

_CHECKBOX = re.compile(r"\[(.)\](?=[ \t]|$)", re.MULTILINE)
_BLOCK_ID = re.compile(r"(?:^|\s)\^([A-Za-z0-9-]+)$")


@dataclass(frozen=True, slots=True)
class Body:
    """All that a body says."""

    links: tuple[Link, ...]
    tags: tuple[str, ...]
    """Repeats included."""
    headings: tuple[Heading, ...]
    blocks: tuple[Block, ...]
    tasks: tuple[Task, ...]
    fields: tuple[Field, ...]
    problems: tuple[Problem, ...]


def parse_body(path: str, text: str, first_line: int) -> Body:
    """The facts of a body whose lines end in `\\n` and which begins on that line of its file."""
    return body_of(path, text, first_line, scan_pieces(text, first_line) or parse_pieces(text, first_line))


def body_of(path: str, text: str, first_line: int, found: Pieces) -> Body:
    """The facts of a body that was taken to pieces."""
    boxes = {item: box for item in found.items if (box := _checkbox(item, found.lines[item.line - first_line]))}
    deep = found.too_deep
    return Body(
        links=tuple(link for piece in found.pieces for link in piece.links),
        tags=tuple(tag for piece in found.pieces for tag in piece.tags),
        headings=tuple(
            Heading(piece.level, piece.text.replace("\n", " "), piece.line)
            for piece in found.pieces
            if piece.kind == "heading"
        ),
        blocks=tuple(_blocks(found.pieces)),
        tasks=tuple(_task(item, box) for item, box in boxes.items()),
        fields=_own_fields(found, boxes, first_line) if "::" in text else (),
        problems=() if deep is None else (Problem(path, deep, "lists or quotes nested too deep to be read"),),
    )


def _own_fields(found: Pieces, boxes: Collection[Item], first_line: int) -> tuple[Field, ...]:
    """Fields of the note itself, by line: those of a task are the task's."""
    fields = [
        field
        for place, line in enumerate(found.lines)
        if "::" in line and place not in found.passed
        for field in find_fields([(first_line + place, line)])
    ]
    fields += [field for item in found.items if item not in boxes for field in find_fields(_own_lines(item))]
    return tuple(sorted(fields, key=lambda field: field.line))


def _blocks(pieces: list[Piece]) -> Iterator[Block]:
    """Ids of Latin letters, digits and dashes at the end of a block, after a blank.

    **Source**: obsidian-help, Internal links; Obsidian release notes 0.9.5, 0.9.6.
    """
    for piece in pieces:
        if "^" in piece.text and piece.kind in ("paragraph", "heading") and (found := _BLOCK_ID.search(piece.text)):
            yield Block(found[1], piece.block_line)


def _checkbox(item: Item, line: str) -> re.Match[str] | None:
    """The `[ ]` of a task: first after the list mark on the item's line, with a blank behind it.

    **Source**: obsidian-api, `ListItemCache.task`; obsidian-tasks, recorded `list_styles.json`.
    """
    first = item.pieces[0] if item.pieces else None
    if first is None or first.text[:1] != "[" or first.kind != "paragraph" or first.line != item.line:
        return None
    box = _CHECKBOX.match(first.text)
    nothing_more = box is not None and box.end() == len(first.text.partition("\n")[0])
    return None if nothing_more and line[-1:] not in (" ", "\t") else box


def _task(item: Item, box: re.Match[str]) -> Task:
    text = item.pieces[0].text.partition("\n")[0][box.end() :].strip()
    fields = find_fields(_own_lines(item), whole_line=False) + find_marks(text, item.line)
    tags = first_spellings(tag for piece in item.pieces for tag in piece.tags)
    return Task(box[1], text, item.line, item.parent_line, tags, tuple(fields))


def _own_lines(item: Item) -> list[tuple[int, str]]:
    return [(piece.line + more, line) for piece in item.pieces for more, line in enumerate(piece.text.split("\n"))]
