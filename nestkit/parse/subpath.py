"""A note and the part of a link from `#` on in, the heading or block it names out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nestkit.note import Block, Heading, Note
from nestkit.parse.link import split_link

_DROPPED = re.compile(r"[!\"#$%&()*+,.:;<=>?@^`{|}~/\[\]\\\s]+")


def normal_heading(text: str) -> str:
    """The form in which headings are compared: punctuation as blanks, blanks collapsed, lower case.

    **Source**: obsidian-api `stripHeading` ("special characters stripped, spaces collapsed").
    """
    return _DROPPED.sub(" ", text).strip().lower()


def find_section(note: Note, subpath: str) -> Mapping[str, Any] | None:
    """What `#Heading`, `#Heading#Deeper` or `#^id` names, or None.

    **Shape**: `{type: "heading", level, text, line, end_line}` up to the next heading that is not deeper, or
    `{type: "block", id, line, end_line}`; `end_line` is the last line, included.
    """
    _, heading, block = split_link("#" + subpath.removeprefix("#"))
    if block is not None:
        named = next((one for one in note.blocks if one.id.lower() == block.lower()), None)
        return None if named is None else _block_section(note, named)
    place = _find_heading(note, heading)
    return None if place is None else _heading_section(note, place)


def _find_heading(note: Note, path: tuple[str, ...]) -> int | None:
    """Place of the heading at the end of the path: each part is the first match below, and deeper than, the last.

    **Source**: obsidian-api `resolveSubpath`; obsidian-help, Internal links (link to a heading).
    """
    wanted = [normal_heading(part) for part in path]
    level = 0
    for place, heading in enumerate(note.headings):
        if wanted and heading.level > level and normal_heading(heading.text) == wanted[0]:
            level = heading.level
            wanted.pop(0)
            if not wanted:
                return place
    return None


def _heading_section(note: Note, place: int) -> Mapping[str, Any]:
    found: Heading = note.headings[place]
    after = next((one.line for one in note.headings[place + 1 :] if one.level <= found.level), None)
    end_line = _last_line(note) if after is None else after - 1
    return {"type": "heading", "level": found.level, "text": found.text, "line": found.line, "end_line": end_line}


def _block_section(note: Note, found: Block) -> Mapping[str, Any]:
    mark = re.compile(rf"(?:^|\s)\^{re.escape(found.id)}[ \t]*$")
    lines = note.body.split("\n")[found.line - note.body_line :]
    more = next((number for number, line in enumerate(lines) if mark.search(line)), 0)
    return {"type": "block", "id": found.id, "line": found.line, "end_line": found.line + more}


def _last_line(note: Note) -> int:
    return note.body_line + note.body.removesuffix("\n").count("\n")
