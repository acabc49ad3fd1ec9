"""A vault folder in; an index that follows it, out: what the hall does, without its second process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from nestkit.index.reading import Readers
from nestkit.index.refresh import Refreshed, refresh
from nestkit.index.store import Index
from nestkit.note import Note
from nestkit.parse.canvas import parse_canvas
from nestkit.parse.note import parse_note
from nestkit.parse.script import parse_script
from nestkit.vault.files import list_folders


def readers_of(
    root: Path,
    read: Callable[[str], bytes] | None = None,
    note: Callable[[str, str], Note] = parse_note,
    ahead_seconds: int = 0,
) -> Readers:
    """Readers of a vault; `read` may stand in the way of the disk, and to a clock that is ahead files are old."""
    read_one = read or (lambda path: (root / path).read_bytes())

    def read_each(paths: Iterable[str]) -> Iterator[bytes | Exception]:
        for path in paths:
            try:
                yield read_one(path)
            except Exception as error:
                yield error

    def now_ns() -> int:
        return time.time_ns() + ahead_seconds * 10**9

    return Readers(read_each, note, parse_canvas, parse_script, "02_System", now_ns)


def refresh_vault(
    index: Index, root: Path, read: Callable[[str], bytes] | None = None, *, ahead_seconds: int = 0
) -> Refreshed:
    """The index brought up to date with the files as they lie there."""
    return refresh(index, lambda: list_folders(root), readers_of(root, read, ahead_seconds=ahead_seconds))
