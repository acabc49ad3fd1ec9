"""The index file: opened, made new when it is old or damaged, one writer at a time. *Disk*."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA_VERSION = 5

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE files (                    -- every file of the vault: what a link may lead to
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,          -- as stored on disk
    path_key TEXT NOT NULL,             -- NFC, lower case: how paths are compared
    name_key TEXT NOT NULL,             -- its last part
    kind TEXT NOT NULL,                 -- note, canvas, other
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    settled INTEGER NOT NULL,           -- 0: written so recently that size and time prove nothing yet
    digest TEXT NOT NULL                -- of the bytes; empty for files that are only link targets
);
CREATE INDEX files_path_key ON files (path_key);
CREATE INDEX files_name_key ON files (name_key);

CREATE TABLE notes (                    -- what one note says; lists and maps as JSON
    file INTEGER PRIMARY KEY REFERENCES files ON DELETE CASCADE,
    properties TEXT, aliases TEXT NOT NULL, tags TEXT NOT NULL, fields TEXT NOT NULL,
    headings TEXT NOT NULL, body TEXT NOT NULL, body_line INTEGER NOT NULL
);
CREATE TABLE links (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    position INTEGER NOT NULL,          -- order in the note, property links last
    target TEXT NOT NULL, heading TEXT, block TEXT, alias TEXT, embed INTEGER NOT NULL, key TEXT, line INTEGER NOT NULL,
    name_key TEXT NOT NULL,             -- last part of the target as a note's name: which files could answer to it
    dest INTEGER,                       -- files.id, or NULL
    ambiguous INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (file, position)
) WITHOUT ROWID;
CREATE INDEX links_name_key ON links (name_key);
CREATE INDEX links_dest ON links (dest);

CREATE TABLE tags (tag_key TEXT NOT NULL, file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, tag TEXT NOT NULL,
    PRIMARY KEY (tag_key, file)) WITHOUT ROWID;
CREATE INDEX tags_file ON tags (file);
CREATE TABLE blocks (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, id TEXT NOT NULL, line INTEGER NOT NULL
);
CREATE INDEX blocks_file ON blocks (file);
CREATE TABLE tasks (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, line INTEGER NOT NULL,
    status TEXT NOT NULL, text TEXT NOT NULL, parent_line INTEGER, tags TEXT NOT NULL, fields TEXT NOT NULL,
    PRIMARY KEY (file, line)
) WITHOUT ROWID;
CREATE TABLE problems (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, line INTEGER NOT NULL, what TEXT NOT NULL
);
CREATE INDEX problems_file ON problems (file);

CREATE TABLE scripts (file INTEGER PRIMARY KEY REFERENCES files ON DELETE CASCADE, script TEXT NOT NULL);
CREATE VIRTUAL TABLE search USING fts5 (title, aliases, headings, body, content='',
    tokenize="unicode61 remove_diacritics 2");
"""


class Index:
    """One open index. Reading never waits for a writer; `writing()` is the only way to change it."""

    def __init__(self, connection: sqlite3.Connection, *, rebuilt: str = "") -> None:
        self.connection = connection
        self.rebuilt = rebuilt
        """Why the file was made anew; empty when it was there and sound."""

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
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()


def open_index(file: Path, *, say: Callable[[str], None] = lambda line: None) -> Index:
    """The index in this file; a file of another schema, or a damaged one, is replaced and `say` is told why."""
    file.parent.mkdir(parents=True, exist_ok=True)
    known = file.exists()
    try:
        index = _open(file)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            raise
        why = str(error)
    else:
        if index is not None:
            return index
        why = "made by another version of nest"
    if known:
        say(f"index rebuilt: {why}")
    discard(file)
    made = _open(file, create=True)
    if made is None:
        raise sqlite3.DatabaseError(f"{file} cannot be made")
    made.rebuilt = why if known else ""
    return made


def discard(file: Path) -> None:
    """Remove an index with its side files; nothing is lost, it is rebuilt from the vault."""
    for suffix in ("", "-wal", "-shm"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _open(file: Path, *, create: bool = False) -> Index | None:
    """A sound index of this schema, or None; raises sqlite3.DatabaseError on a damaged file."""
    if not create and not file.exists():
        create = True
    # Autocommit, so that every transaction is spelled out; 30 s is longer than any refresh holds the lock.
    connection = sqlite3.connect(file, timeout=30, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        if create:
            connection.execute("PRAGMA page_size = 8192")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if create:
            _make_schema(connection)
        if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
            connection.close()
            return None
        connection.execute("SELECT count(*) FROM meta").fetchone()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return Index(connection)


def _make_schema(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:  # else another process was quicker
        for statement in _statements():
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _statements() -> Iterator[str]:
    """The schema's statements one by one, so that they share a transaction (`executescript` commits first)."""
    bare = "\n".join(line.partition("--")[0] for line in _SCHEMA.splitlines())
    for statement in bare.split(";"):
        if statement.strip():
            yield statement
