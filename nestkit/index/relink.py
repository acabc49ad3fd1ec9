"""Links whose answer may have changed, in; where each leads now, out. *Disk*."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from nestkit.index.resolve import Candidate, Resolved, resolve
from nestkit.index.store import Index


def relink(index: Index, *, files: Sequence[int], names: Iterable[str]) -> None:
    """Resolve the links of these files, and every link that a file of one of these names could answer to."""
    touched = "SELECT l.file, l.position, f.path, l.target FROM links l JOIN files f ON f.id = l.file WHERE "
    found: dict[tuple[int, int], tuple[str, str]] = {}
    for file_id in files:
        for row in index.connection.execute(touched + "l.file = ?", (file_id,)):
            found[row[0], row[1]] = (row[2], row[3])
    for name in names:
        # A link "x" is kept under "x.md", and so is "x.png" under "x.png.md": both readings of the name are asked for.
        for row in index.connection.execute(touched + "l.name_key IN (?, ?)", (name, name + ".md")):
            found[row[0], row[1]] = (row[2], row[3])
    named = lru_cache(maxsize=4096)(lambda key: _named(index, key))
    index.connection.executemany(
        "UPDATE links SET dest = ?, ambiguous = ? WHERE file = ? AND position = ?",
        [
            (answer.dest.id if answer.dest else None, bool(answer.others), *place)
            for place, (source, target) in found.items()
            for answer in (resolve(source, target, named),)
        ],
    )


def find_link(index: Index, source: str, target: str) -> Resolved:
    """Where a link typed by hand would lead from this note."""
    return resolve(source, target, lambda key: _named(index, key))


def _named(index: Index, key: str) -> tuple[Candidate, ...]:
    rows = index.connection.execute("SELECT id, path, path_key FROM files WHERE name_key = ? ORDER BY path", (key,))
    return tuple(Candidate(*row) for row in rows)
