"""Rows in, written into the index's tables; what a file said before, taken out. *Disk*."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence

from nestkit.index.drafts import NoteRows, Row, ScriptRows, search_row
from nestkit.index.name_rows import name_row
from nestkit.index.reading import Reading
from nestkit.index.store import Index

DestOf = Callable[[str, str, str], tuple[int | None, bool]]
"""Path of the source, target and its name key to where the link leads, and whether it could lead elsewhere too."""

_OF_A_FILE = ("notes", "links", "tags", "blocks", "tasks", "problems", "scripts", "property_values")
_SEARCH = "(rowid, title, aliases, headings, body) VALUES (?, ?, ?, ?, ?)"
_NAMES = "(rowid, path, name, near) VALUES (?, ?, ?, ?)"


def write_readings(connection: sqlite3.Connection, readings: Sequence[Reading], dest_of: DestOf) -> None:
    """Put into the index what these files say; nothing of them may be in it any more. Sorted by id, for the search."""
    connection.executemany(
        "UPDATE files SET settled = ?, digest = ? WHERE id = ?", [(r.settled, r.digest, r.id) for r in readings]
    )
    notes = [(r.id, r.rows) for r in readings if isinstance(r.rows, NoteRows)]
    links = [(r.id, r.path, r.rows.links) for r in readings if isinstance(r.rows, NoteRows)]
    scripts = [(r.id, r.rows) for r in readings if isinstance(r.rows, ScriptRows)]
    put = connection.executemany
    put("INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [(file, *rows.note) for file, rows in notes])
    put(
        "INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (file, position, *link, *dest_of(path, link[0], link[7]))
            for file, path, of_it in links
            for position, link in enumerate(of_it)
        ],
    )
    put("INSERT OR IGNORE INTO tags VALUES (?, ?, ?)", [(t[0], file, t[1]) for file, rows in notes for t in rows.tags])
    put("INSERT INTO blocks VALUES (?, ?, ?)", _each(notes, "blocks"))
    put("INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?)", _each(notes, "tasks"))
    put("INSERT INTO problems VALUES (?, ?, ?)", _each([*notes, *scripts], "problems"))
    put("INSERT INTO scripts VALUES (?, ?)", [(file, rows.script) for file, rows in scripts])
    put("INSERT INTO property_values VALUES (?, ?, ?, ?, ?)", _each(notes, "values"))
    put(f"INSERT INTO names {_NAMES}", [(file, *rows.names) for file, rows in notes])
    put(f"INSERT INTO search {_SEARCH}", [(file, *rows.search) for file, rows in notes])


def _each(files: Iterable[tuple[int, NoteRows | ScriptRows]], name: str) -> list[Row]:
    return [(file, *row) for file, rows in files for row in getattr(rows, name)]


def forget(connection: sqlite3.Connection, files: Iterable[int]) -> None:
    """Take out all that these files said; they themselves stay, as places a link may lead to."""
    for file in files:
        _forget_search(connection, file)
        for table in _OF_A_FILE:
            connection.execute(f"DELETE FROM {table} WHERE file = ?", (file,))


def _forget_search(connection: sqlite3.Connection, file: int) -> None:
    """Contentless tables forget only when shown again what they were told (SQLite FTS5, section 4.4.2)."""
    query = "SELECT f.path, n.aliases, n.headings, n.body FROM notes n JOIN files f ON f.id = n.file WHERE n.file = ?"
    row = connection.execute(query, (file,)).fetchone()
    if row is not None:
        path, aliases, headings, body = row
        told = search_row(path, json.loads(aliases), [heading["text"] for heading in json.loads(headings)], body)
        connection.execute(
            "INSERT INTO search (search, rowid, title, aliases, headings, body) VALUES ('delete', ?, ?, ?, ?, ?)",
            (file, *told),
        )
        connection.execute(
            "INSERT INTO names (names, rowid, path, name, near) VALUES ('delete', ?, ?, ?, ?)",
            (file, *name_row(path, json.loads(aliases))),
        )


def next_generation(connection: sqlite3.Connection) -> None:
    """Mark the index as changed, so that what was counted before is counted anew."""
    connection.execute(
        "INSERT INTO meta VALUES ('generation', 1) ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + 1"
    )


def generation(index: Index) -> int:
    """How many refreshes have changed the index."""
    row = index.one("SELECT value FROM meta WHERE key = 'generation'")
    return int(str(row[0])) if row else 0
