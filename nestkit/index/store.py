"""The index file: opened, made new when it is old or damaged, one writer at a time. *Disk*.

A new index is empty until the first refresh, which fills a file of its own and puts it in place of this one. Until then
it has no side files (its journal is SQLite's oldest kind), so nothing of it can be taken for a part of its successor.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nestkit.index.schema import FILE_INDEXES, INDEXES, TABLES, VERSION

WAIT_SECONDS = 600.0
"""For another process that writes: longer than the first index of the largest vault takes."""
_TRIES = 5
"""To open a file that other processes replace at the same time."""
_BUSY_SECONDS = 0.5
"""SQLite itself waits no longer, so that Ctrl-C is heard."""

_BUILD_TUNING = {"automerge": 0, "crisismerge": 64, "hashsize": 24 << 20}
"""Words are gathered in memory and written in few large pieces, which are not merged while more come."""
_USUAL_TUNING = {"automerge": 4, "crisismerge": 16, "hashsize": 1 << 20}


class Index:
    """One open index. Reading never waits for a writer; `writing()` is the only way to change it."""

    def __init__(self, file: Path, connection: sqlite3.Connection, *, rebuilt: str = "") -> None:
        self.file = file
        self.connection = connection
        self.rebuilt = rebuilt
        """Why the file was made anew; empty when it was there and sound."""
        self._inode = _inode(file)

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """All rows of a query."""
        return self.connection.execute(query, values).fetchall()

    def one(self, query: str, *values: object) -> tuple[object, ...] | None:
        """The first row of a query, or None."""
        row: tuple[object, ...] | None = self.connection.execute(query, values).fetchone()
        return row

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the writer's lock: all of it is kept, or on any error nothing."""
        self._begin()
        while _inode(self.file) != self._inode:  # replaced by a writer we waited for
            self.connection.execute("ROLLBACK")
            self.follow()
            self._begin()
        connection = self.connection
        try:
            yield connection
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _begin(self) -> None:
        until = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self.connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise

    def follow(self) -> None:
        """Open the file anew if another one stands in its place by now."""
        if _inode(self.file) != self._inode:
            self.close()
            opened = open_index(self.file)
            self.connection, self._inode = opened.connection, opened._inode

    def close(self) -> None:
        self.connection.close()


def open_index(file: Path, *, say: Callable[[str], None] = lambda line: None) -> Index:
    """The index in this file; a file of another schema, or a damaged one, is replaced and `say` is told why."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rebuilt = ""
    for _ in range(_TRIES):
        if not (inode := _inode(file)):
            _create(file)
            continue
        try:
            return Index(file, _open(file), rebuilt=rebuilt)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
                raise
            rebuilt = str(error)
        if _inode(file) == inode:  # else another process has replaced it meanwhile
            say(f"index rebuilt: {rebuilt}")
            discard(file)
    raise sqlite3.DatabaseError(f"{file} cannot be made: {rebuilt}")


def discard(file: Path) -> None:
    """Remove an index with its side files; nothing is lost, it is rebuilt from the vault."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


@contextmanager
def building(index: Index) -> Iterator[sqlite3.Connection]:
    """An empty index without its `INDEXES` to be filled, which takes the place of this one if all goes well.

    It is written without any care for crashes, which is several times faster; a crash leaves the old file in place.
    Call it within `index.writing()`, so that nobody else does the same, and `follow()` afterwards.

    **Source**: sqlite.org, "PRAGMA journal_mode" (OFF), "Atomic Commit".
    """
    new = index.file.with_name(index.file.name + ".new")
    discard(new)
    connection = sqlite3.connect(new, isolation_level=None)
    try:
        for pragma in ("page_size = 8192", "journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        _execute(connection, TABLES + FILE_INDEXES)
        _tune_search(connection, _BUILD_TUNING)
        yield connection
        _tune_search(connection, _USUAL_TUNING)
        _execute(connection, INDEXES)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
        connection.execute("PRAGMA locking_mode = NORMAL")
        connection.execute("PRAGMA journal_mode = WAL")  # is kept in the file
        connection.close()
        _sync(new)
        new.replace(index.file)
    except BaseException:
        connection.close()
        with contextlib.suppress(OSError):
            discard(new)
        raise


def _open(file: Path) -> sqlite3.Connection:
    """A connection to an index of this version; raises sqlite3.DatabaseError."""
    # Autocommit, so that every transaction is spelled out.
    connection = sqlite3.connect(file, timeout=_BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
            raise sqlite3.DatabaseError("made by another version of nest")
        connection.execute("SELECT count(*) FROM meta").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection


def _create(file: Path) -> None:
    """An empty index where none is; it appears whole, so that nobody takes one that is being made for a damaged one."""
    new = file.with_name(f"{file.name}.{os.getpid()}-{os.urandom(4).hex()}")
    connection = sqlite3.connect(new, isolation_level=None)
    try:
        connection.execute("PRAGMA page_size = 8192")
        connection.execute("BEGIN")
        _execute(connection, TABLES + FILE_INDEXES + INDEXES)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
        connection.close()
        with contextlib.suppress(FileExistsError):  # another process was quicker
            os.link(new, file)
    finally:
        connection.close()
        discard(new)


def _execute(connection: sqlite3.Connection, schema: str) -> None:
    """Statements one by one, so that they share a transaction (`executescript` commits first)."""
    bare = "\n".join(line.partition("--")[0] for line in schema.splitlines())
    for statement in bare.split(";"):
        if statement.strip():
            connection.execute(statement)


def _tune_search(connection: sqlite3.Connection, tuning: dict[str, int]) -> None:
    """**Source**: sqlite.org, "SQLite FTS5 Extension", 6 (automerge, crisismerge); fts5_config.c (hashsize)."""
    for option, value in tuning.items():
        connection.execute("INSERT INTO search (search, rank) VALUES (?, ?)", (option, value))


def _inode(file: Path) -> int:
    try:
        return file.stat().st_ino
    except FileNotFoundError:
        return 0


def _sync(file: Path) -> None:
    handle = os.open(file, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
