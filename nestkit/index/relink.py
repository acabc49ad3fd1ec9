"""Links in; where each leads, by what the index knows of the vault's files, out. *Disk*."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from functools import lru_cache

from nestkit.index.resolve import Candidate, Named, Resolved, key_of, resolve
from nestkit.index.store import Index

_KEPT_NAMES = 1 << 15
"""Names whose files are kept at hand; the rest are asked for again, so memory does not follow the vault."""


class Resolver:
    """Where links lead, as long as no file comes or goes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._named: Named = lru_cache(maxsize=_KEPT_NAMES)(lambda key: find_named(connection, key))

    def find(self, source: str, target: str, name_key: str) -> tuple[int | None, bool]:
        """Id of the file a link in `source` leads to, and whether others answer to the same words."""
        if "." not in target and target[:1] not in ("", "/"):
            named = tuple(self._named(name_key))
            if len(named) == 1 and f"/{named[0].path_key}".endswith(f"/{key_of(target + '.md')}"):
                return named[0].id, False  # the plain case: a note's name that only one file bears
        answer = resolve(source, target, self._named)
        return (answer.dest.id if answer.dest else None), bool(answer.others)


def relink(connection: sqlite3.Connection, names: Iterable[str]) -> None:
    """Resolve anew every link that a file of one of these names could answer to."""
    find = Resolver(connection).find
    query = (
        "SELECT l.file, l.position, f.path, l.target, l.name_key, l.dest, l.ambiguous FROM links l"
        " JOIN files f ON f.id = l.file WHERE l.name_key IN (?, ?)"
    )
    for name in names:
        # A link "x" is kept under "x.md", and so is "x.png" under "x.png.md": both readings of the name are asked for.
        rows = connection.execute(query, (name, name + ".md")).fetchall()
        moved = [
            (*now, file, position)
            for file, position, source, target, name_key, dest, ambiguous in rows
            for now in (find(source, target, name_key),)
            if now != (dest, bool(ambiguous))
        ]
        connection.executemany("UPDATE links SET dest = ?, ambiguous = ? WHERE file = ? AND position = ?", moved)


def find_link(index: Index, source: str, target: str) -> Resolved:
    """Where a link typed by hand would lead from this note."""
    return resolve(source, target, lambda key: find_named(index.connection, key))


def find_named(connection: sqlite3.Connection, key: str) -> tuple[Candidate, ...]:
    """The files whose last part has this key, sorted by path."""
    rows = connection.execute("SELECT id, path, path_key FROM files WHERE name_key = ? ORDER BY path", (key,))
    return tuple(Candidate(*row) for row in rows)
