"""Files as they are now, in; an index that knows them, out; the cost follows what changed. *Disk*."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from nestkit.change import digest
from nestkit.index import relink, rows
from nestkit.index.resolve import key_of
from nestkit.index.store import Index
from nestkit.note import Note, Problem
from nestkit.tool import Script

MAX_NOTE_BYTES = 2 << 20
"""Obsidian has not indexed larger notes since 1.6.0."""

_SETTLE_NS = 2_000_000_000
"""A file written this recently may change again within the same tick of a coarse clock: look again next time."""


class Entry(Protocol):
    """One file as the disk's walk reports it."""

    @property
    def path(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def mtime_ns(self) -> int: ...
    @property
    def ctime_ns(self) -> int: ...
    @property
    def inode(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Readers:
    """How files become words; handed in, so that the index knows neither the disk nor a parser."""

    read: Callable[[str], bytes]
    """Path to bytes; raises OSError or NestError."""
    note: Callable[[str, str], Note]
    canvas: Callable[[str, str], Note]
    script: Callable[[str, bytes], Script]
    system: str
    """Folder whose Python and shell files are scripts."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh found."""

    files: int
    changed: int
    removed: int
    seconds: float


class _Known(NamedTuple):
    id: int
    stat: tuple[int, int, int, int]
    settled: bool
    digest: str


def refresh(
    index: Index,
    entries: Iterable[Entry],
    readers: Readers,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Refreshed:
    """The index brought up to date with `entries`, whole or not at all.

    Looks without the writer's lock first: when nothing moved, nobody is kept waiting.
    """
    begun = time.perf_counter()
    now = list(entries)
    generation = rows.generation(index)
    changed, gone = _difference(_known(index), now)
    if not (changed or gone):
        return Refreshed(len(now), 0, 0, time.perf_counter() - begun)
    with index.writing():
        if rows.generation(index) != generation:  # another process has done some of the work meanwhile
            changed, gone = _difference(_known(index), now)
        written = _write(index, changed, gone, readers, progress)
    return Refreshed(len(now), written, len(gone), time.perf_counter() - begun)


def _known(index: Index) -> dict[str, _Known]:
    query = "SELECT path, id, size, mtime_ns, ctime_ns, inode, settled, digest FROM files"
    return {
        row[0]: _Known(row[1], (row[2], row[3], row[4], row[5]), bool(row[6]), row[7])
        for row in index.connection.execute(query)
    }


def _difference(
    known: Mapping[str, _Known], now: Sequence[Entry]
) -> tuple[list[tuple[Entry, _Known | None]], list[str]]:
    """Entries that are new, moved under us or not settled yet, and paths that are gone."""
    changed: list[tuple[Entry, _Known | None]] = []
    seen: set[str] = set()
    for entry in now:
        before = known.get(entry.path)
        seen.add(entry.path)
        if before is None or not before.settled or before.stat != _stat(entry):
            changed.append((entry, before))
    gone = [path for path in known if path not in seen] if len(seen) < len(known) + len(changed) else []
    return changed, gone


def _stat(entry: Entry) -> tuple[int, int, int, int]:
    return (entry.size, entry.mtime_ns, entry.ctime_ns, entry.inode)


def _write(
    index: Index,
    changed: Sequence[tuple[Entry, _Known | None]],
    gone: Sequence[str],
    readers: Readers,
    progress: Callable[[int, int], None],
) -> int:
    """How many files were new or had new bytes."""
    names: set[str] = set()
    relinked: list[int] = []
    for path in gone:
        rows.remove_file(index, path)
        names.add(key_of(path.rpartition("/")[2]))
    written = 0
    for done, (entry, before) in enumerate(changed):
        progress(done, len(changed))
        file_id = _write_file(index, entry, before, readers)
        if file_id is None:
            continue
        written += 1
        relinked.append(file_id)
        if before is None:
            names.add(key_of(entry.path.rpartition("/")[2]))
    progress(len(changed), len(changed))
    relink.relink(index, files=relinked, names=names)
    if written or gone:
        rows.next_generation(index)
    return written


def _write_file(index: Index, entry: Entry, before: _Known | None, readers: Readers) -> int | None:
    """Id of the file when it is new or its bytes are; None when only its times moved."""
    kind = rows.kind_of(entry.path, readers.system)
    settled = time.time_ns() - entry.mtime_ns > _SETTLE_NS
    if kind == "other":
        file_id = rows.write_file(index, entry, kind, "", settled=True)
        return file_id if before is None else None
    try:
        content = readers.read(entry.path)
    except Exception as error:  # any trouble with one file is that file's problem, and the rest goes on
        file_id = rows.write_file(index, entry, kind, "", settled=False)
        unreadable = _unreadable(entry.path, error)
        if kind == "script":
            rows.write_script(index, file_id, Script(entry.path, "", problems=unreadable.problems))
        else:
            rows.write_note(index, file_id, unreadable)
        return file_id
    seal = digest(content)
    file_id = rows.write_file(index, entry, kind, seal, settled=settled)
    if before is not None and before.digest == seal:
        return None
    if kind == "script":
        rows.write_script(index, file_id, readers.script(entry.path, content))
    else:
        rows.write_note(index, file_id, _parse(entry.path, kind, content, readers))
    return file_id


def _parse(path: str, kind: str, content: bytes, readers: Readers) -> Note:
    if len(content) > MAX_NOTE_BYTES:
        what = f"larger than {MAX_NOTE_BYTES >> 20} MB: Obsidian does not index it, nor does nest; split it"
        return Note(path, problems=(Problem(path, 0, what),))
    try:
        text = content.decode("utf-8")
        broken = None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = content.decode("utf-8", "replace")
        broken = Problem(path, line, "not UTF-8 here; unreadable characters are replaced while reading")
    try:
        note = (readers.canvas if kind == "canvas" else readers.note)(path, text)
    except Exception as error:  # a fault of ours must not keep every other note from being found
        note = Note(path, problems=(Problem(path, 0, f"nest failed to read it, please report: {error!r}"),))
    return note if broken is None else rows.with_problem(note, broken)


def _unreadable(path: str, error: Exception) -> Note:
    why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Note(path, problems=(Problem(path, 0, f"cannot be read: {why}"),))
