"""Scripts in; the notes that speak of them, and the skills they belong to, out. *Disk*, reading only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from nestkit.index.store import Index


class Found(NamedTuple):
    """A note, and the script it documents."""

    note: str
    script: str
    """Empty for a skill, which speaks of all scripts below its folder."""
    tool: str
    """What stands behind the `#` of the link."""
    properties: Mapping[str, Any]
    body: str


def find_documenting(index: Index, system: str) -> list[Found]:
    """Notes whose property `tool` links to a script, and notes beside a script that bear its name; by path."""
    linked = index.rows(  # CROSS: scripts are few, links are many
        "SELECT s.path, d.path, l.heading, n.properties, n.body FROM scripts c CROSS JOIN files d ON d.id = c.file"
        " CROSS JOIN links l ON l.dest = d.id JOIN files s ON s.id = l.file JOIN notes n ON n.file = s.id"
        " WHERE lower(l.key) = 'tool' OR lower(l.key) LIKE 'tool.%' ORDER BY s.path, l.position"
    )
    found = {(str(row[0]), str(row[1])): _found(row) for row in linked}
    scripts = {path.rpartition(".")[0]: path for path in _paths(index, system, "script")}
    for note in _paths(index, system, "note"):
        script = scripts.get(note.rpartition(".")[0], "")
        if script and (note, script) not in found:
            row = index.one(
                "SELECT n.properties, n.body FROM notes n JOIN files f ON f.id = n.file WHERE f.path = ?", note
            )
            if row is not None:
                found[note, script] = _found((note, script, None, *row))
    return [found[key] for key in sorted(found)]


def find_skills(index: Index, system: str) -> list[Found]:
    """Every `SKILL.md` below the scripts' folder, by path."""
    rows = index.rows(
        "SELECT f.path, '', NULL, n.properties, n.body FROM files f JOIN notes n ON n.file = f.id"
        " WHERE f.name_key = 'skill.md' AND substr(f.path, 1, ?) = ? ORDER BY f.path",
        len(system) + 1,
        f"{system}/",
    )
    return [_found(row) for row in rows if str(row[0]).endswith("/SKILL.md")]


def _found(row: tuple[object, ...]) -> Found:
    heading = json.loads(str(row[2])) if row[2] else []
    return Found(
        str(row[0]), str(row[1]), str(heading[-1]) if heading else "", json.loads(str(row[3] or "{}")), str(row[4])
    )


def _paths(index: Index, system: str, kind: str) -> list[str]:
    rows = index.rows(
        "SELECT path FROM files WHERE kind = ? AND substr(path, 1, ?) = ?", kind, len(system) + 1, f"{system}/"
    )
    return [str(row[0]) for row in rows]
