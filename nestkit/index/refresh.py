"""Folders as they are now, in; an index that knows their files, out; the cost follows what changed. *Disk*.

    folders ── compare seals ── nothing moved ───────────────────────────────── done
                    └── compare files ── read those that moved ── write ── relink

A folder's seal stands for all names, sizes and times in it, so that an unchanged folder costs one comparison. Without
an index the same is written into a new file (`build`).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from nestkit.index import rows
from nestkit.index.reading import Batch, Item, ReadAll, Readers, Reading, kind_of, read_batch
from nestkit.index.relink import Resolver, relink
from nestkit.index.resolve import key_of
from nestkit.index.store import Index, building

BATCH = 100
"""Files read and written in one go."""

Progress = Callable[[int, int], None]


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
    @property
    def target(self) -> str:
        """Of a link: the path of the file to read; else empty."""
        ...


class Folder(Protocol):
    """The files of one folder, without those of the folders in it."""

    @property
    def path(self) -> str: ...
    def __len__(self) -> int: ...
    def entries(self) -> Iterator[Entry]: ...
    def seal(self) -> bytes:
        """Equal as long as nothing in the folder moved."""
        ...


Walk = Callable[[], Iterable[Folder]]
"""Looks at the disk; called again when another process changed the index meanwhile."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh found."""

    files: int
    changed: int
    removed: int
    seconds: float


class _Moved(NamedTuple):
    """A folder in which something is not as the index knows it."""

    folder: Folder
    seal: bytes


@dataclass(slots=True)
class _Changes:
    """What is to be done after the files themselves are in the index."""

    items: list[Item] = field(default_factory=list)
    """Files to read."""
    names: set[str] = field(default_factory=set)
    """Keys of names that appeared or vanished: where links of these names lead may have changed."""
    changed: int = 0
    removed: int = 0


def refresh(
    index: Index,
    walk: Walk,
    readers: Readers,
    *,
    read_all: ReadAll | None = None,
    progress: Progress = lambda done, total: None,
) -> Refreshed:
    """The index brought up to date with what `walk` finds, whole or not at all.

    Looks without the writer's lock first: when nothing moved, nobody is kept waiting. `read_all` may read batches in
    other ways than one after the other.
    """
    begun = time.perf_counter()
    index.follow()
    reading = read_all or (lambda batches, total: (read_batch(batch, readers) for batch in batches))
    generation = rows.generation(index)
    known = bool(generation)
    files, moved, gone = _compare(index.connection, walk, readers.system) if known else (0, [], [])
    changes = _Changes()
    if moved or gone or not known:
        with index.writing() as connection:
            if (now := rows.generation(index)) and now != generation:  # somebody has done some of the work meanwhile
                files, moved, gone = _compare(connection, walk, readers.system)
            if now:
                changes = _register(connection, moved, gone, readers.system)
                _update(connection, changes, reading, progress)
            else:
                files = changes.changed = _build(index, walk, readers.system, reading, progress)
        index.follow()
    return Refreshed(files, changes.changed, changes.removed, time.perf_counter() - begun)


def _compare(connection: sqlite3.Connection, walk: Walk, system: str) -> tuple[int, list[_Moved], list[int]]:
    """How many files there are, the folders that moved, and the ids of those that are gone."""
    known = {path: (file, seal) for file, path, seal in connection.execute("SELECT id, path, seal FROM folders")}
    files = 0
    moved = []
    for folder in walk():
        files += len(folder)
        seal = _seal(folder, system)
        if known.pop(folder.path, (0, b""))[1] != seal:
            moved.append(_Moved(folder, seal))
    return files, moved, [folder for folder, _ in known.values()]


def _seal(folder: Folder, system: str) -> bytes:
    return folder.seal() + system.encode()  # which of its files are scripts depends on it


def _register(connection: sqlite3.Connection, moved: Sequence[_Moved], gone: Sequence[int], system: str) -> _Changes:
    """Put files that are new into the index and take those out that are gone."""
    changes = _Changes()
    for folder_id in gone:
        _remove(connection, _known(connection, folder_id).values(), changes)
        connection.execute("DELETE FROM folders WHERE id = ?", (folder_id,))
    for folder, seal in moved:
        connection.execute(
            "INSERT INTO folders (path, seal) VALUES (?, ?) ON CONFLICT (path) DO UPDATE SET seal = excluded.seal",
            (folder.path, seal),
        )
        folder_id = connection.execute("SELECT id FROM folders WHERE path = ?", (folder.path,)).fetchone()[0]
        known = _known(connection, folder_id)
        for entry in folder.entries():
            kind = kind_of(entry.path, system)
            _register_file(connection, folder_id, entry, known.pop(entry.path, None), kind, changes)
        _remove(connection, known.values(), changes)
    return changes


class _Known(NamedTuple):
    id: int
    path: str
    kind: str
    stat: tuple[int, ...]
    settled: bool
    digest: str


def _known(connection: sqlite3.Connection, folder_id: int) -> dict[str, _Known]:
    query = "SELECT id, path, kind, size, mtime_ns, ctime_ns, inode, settled, digest FROM files WHERE folder = ?"
    rows = connection.execute(query, (folder_id,))
    return {row[1]: _Known(row[0], row[1], row[2], row[3:7], bool(row[7]), row[8]) for row in rows}


def _register_file(
    connection: sqlite3.Connection, folder_id: int, entry: Entry, known: _Known | None, kind: str, changes: _Changes
) -> None:
    stat = _stat(entry)
    if known is not None and known.settled and (known.stat, known.kind) == (stat, kind):
        return
    if known is None:
        made = connection.execute(_INSERT, _file_row(None, folder_id, entry, kind))
        changes.names.add(_name_key(entry.path))
        changes.changed += kind == "other"
        file_id = int(made.lastrowid or 0)
    else:
        file_id = known.id
        values = (kind, *stat, kind == "other", file_id)
        connection.execute(
            "UPDATE files SET kind = ?, size = ?, mtime_ns = ?, ctime_ns = ?, inode = ?, settled = ? WHERE id = ?",
            values,
        )
        if known.kind != kind:
            rows.forget(connection, (file_id,))
    if kind != "other":
        seal = known.digest if known is not None and known.kind == kind else ""
        newest = max(entry.mtime_ns, entry.ctime_ns)
        changes.items.append(Item(file_id, entry.path, entry.target or entry.path, kind, seal, newest))


def _remove(connection: sqlite3.Connection, files: Iterable[_Known], changes: _Changes) -> None:
    for file in files:
        rows.forget(connection, (file.id,))
        connection.execute("DELETE FROM files WHERE id = ?", (file.id,))
        changes.names.add(_name_key(file.path))
        changes.removed += 1


def _update(connection: sqlite3.Connection, changes: _Changes, read_all: ReadAll, progress: Progress) -> None:
    """Read what moved, write what it says, and resolve the links that may lead elsewhere now."""
    items = changes.items
    batches = (items[begin : begin + BATCH] for begin in range(0, len(items), BATCH))
    find = Resolver(connection).find
    for readings in _counted(read_all(batches, len(items)), len(items), progress):
        new = [reading for reading in readings if reading.rows is not None]
        rows.forget(connection, [reading.id for reading in new])
        rows.write_readings(connection, readings, find)
        changes.changed += len(new)
    relink(connection, changes.names)
    _open_seals(connection)
    if changes.changed or changes.removed:
        rows.next_generation(connection)


def _build(index: Index, walk: Walk, system: str, read_all: ReadAll, progress: Progress) -> int:
    """How many files the new index knows that now stands in place of the empty one."""
    with building(index) as connection:
        files, targets = _register_all(connection, walk, system)
        total = connection.execute("SELECT count(*) FROM files WHERE kind != 'other'").fetchone()[0]
        find = Resolver(connection).find
        for readings in _counted(read_all(_pending(connection, targets), total), total, progress):
            rows.write_readings(connection, readings, find)
        _open_seals(connection)
        rows.next_generation(connection)
    return files


def _register_all(connection: sqlite3.Connection, walk: Walk, system: str) -> tuple[int, dict[int, str]]:
    """How many files there are, and of links the paths to read, by id."""
    files, targets = 0, {}
    for folder_id, folder in enumerate(walk(), start=1):
        connection.execute("INSERT INTO folders VALUES (?, ?, ?)", (folder_id, folder.path, _seal(folder, system)))
        found = []
        for entry in folder.entries():
            files += 1
            found.append(_file_row(files, folder_id, entry, kind_of(entry.path, system)))
            if entry.target:
                targets[files] = entry.target
        connection.executemany(_INSERT, found)
    return files, targets


def _pending(connection: sqlite3.Connection, targets: dict[int, str]) -> Iterator[Batch]:
    query = "SELECT id, path, kind, max(mtime_ns, ctime_ns) FROM files WHERE id > ? AND kind != 'other'"
    last = 0
    while found := connection.execute(f"{query} ORDER BY id LIMIT {BATCH}", (last,)).fetchall():
        yield [Item(id, path, targets.get(id, path), kind, "", newest) for id, path, kind, newest in found]
        last = found[-1][0]


def _counted(batches: Iterable[Sequence[Reading]], total: int, progress: Progress) -> Iterator[Sequence[Reading]]:
    done = 0
    progress(done, total)
    for batch in batches:
        yield batch
        done += len(batch)
        progress(done, total)


def _open_seals(connection: sqlite3.Connection) -> None:
    """A folder with a file whose time proves nothing yet has to be looked at again."""
    connection.execute(
        "UPDATE folders SET seal = x'' WHERE seal != x'' AND id IN (SELECT folder FROM files WHERE NOT settled)"
    )


_INSERT = (
    "INSERT INTO files (id, folder, path, path_key, name_key, kind, size, mtime_ns, ctime_ns, inode, settled, digest)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')"
)


def _file_row(file_id: int | None, folder_id: int, entry: Entry, kind: str) -> tuple[object, ...]:
    key = key_of(entry.path)
    return (file_id, folder_id, entry.path, key, key.rpartition("/")[2], kind, *_stat(entry), kind == "other")


def _stat(entry: Entry) -> tuple[int, ...]:
    return (entry.size, entry.mtime_ns, entry.ctime_ns, entry.inode)


def _name_key(path: str) -> str:
    return key_of(path.rpartition("/")[2])
