"""What was seen in a vault and what was asked, kept in SQLite outside it: each question once, whatever dies. *Disk*."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from nestkit.errors import NestError

SCHEMA_VERSION = 1
_OWN_KEPT = 20_000
_ASKS_KEPT = 50_000

AskState = Literal["queued", "claiming", "running", "done", "waiting", "failed", "refused", "interrupted"]
OPEN: tuple[AskState, ...] = ("queued", "claiming", "running")

_SCHEMA = """
CREATE TABLE seen (                     -- files as they were when they were last looked at
    path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL,
    inode INTEGER NOT NULL, digest TEXT NOT NULL, said TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX seen_digest ON seen (digest);
CREATE TABLE asks (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, path TEXT NOT NULL, kind TEXT NOT NULL, line INTEGER NOT NULL,
    text TEXT NOT NULL, source TEXT NOT NULL DEFAULT '', state TEXT NOT NULL, claim TEXT NOT NULL DEFAULT '',
    run TEXT NOT NULL DEFAULT '', run_path TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '',
    queued REAL NOT NULL, claimed REAL NOT NULL DEFAULT 0, finished REAL NOT NULL DEFAULT 0
);
CREATE INDEX asks_state ON asks (state, number);
CREATE INDEX asks_path ON asks (path);
CREATE INDEX asks_claim ON asks (claim);
CREATE INDEX asks_claimed ON asks (claimed);
CREATE TABLE seal (seal TEXT NOT NULL); -- the settings by which all of it was read
CREATE TABLE own (digest TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that was found, and what became of it; times are seconds since the epoch, 0 for not yet."""

    number: int
    key: str
    path: str
    kind: str
    line: int
    text: str
    source: str
    """Note of the automation that asks, if it was one."""
    state: AskState
    claim: str
    run: str
    run_path: str
    reason: str
    queued: float
    claimed: float
    finished: float

    @property
    def place(self) -> str:
        """Where it stands, for people: an automation asks about the whole note."""
        return f"{self.path}:{self.line}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Seen:
    """A file as it was."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    digest: str
    said: str = ""
    """Tags and properties as JSON, where automations look at them."""


_ASKED = ", ".join(item.name for item in fields(Asked))
_SEEN = ", ".join(item.name for item in fields(Seen))


class Ledger:
    """One open ledger; one process writes, others may read."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All of it or nothing; may be nested, the outermost counts."""
        if self._connection.in_transaction:
            yield
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def seen(self, path: str) -> Seen | None:
        """The file as it was last looked at."""
        row = self._connection.execute(f"SELECT {_SEEN} FROM seen WHERE path = ?", (path,)).fetchone()
        return Seen(*row) if row else None

    def paths_of(self, digest: str) -> list[str]:
        """Files that had this content when they were looked at."""
        return [
            row[0] for row in self._connection.execute("SELECT path FROM seen WHERE digest = ? LIMIT 20", (digest,))
        ]

    def is_new(self) -> bool:
        """Whether nothing was ever looked at."""
        return self._connection.execute("SELECT 1 FROM seen LIMIT 1").fetchone() is None

    def look_anew(self, seal: str) -> None:
        """When the settings are others than those of `seal`, every file is to be looked at again."""
        with self.writing():
            row = self._connection.execute("SELECT seal FROM seal").fetchone()
            if row is None or row[0] != seal:
                self._connection.execute("UPDATE seen SET size = -1, digest = ''")
                self._connection.execute("DELETE FROM seal")
                self._connection.execute("INSERT INTO seal VALUES (?)", (seal,))

    def stamps(self) -> dict[str, tuple[int, int, int, int]]:
        """Path -> size, times and inode of every file that was looked at."""
        rows = self._connection.execute("SELECT path, size, mtime_ns, ctime_ns, inode FROM seen")
        return {row[0]: row[1:] for row in rows}

    def note_seen(self, seen: Seen) -> None:
        values = [getattr(seen, item.name) for item in fields(Seen)]
        self._connection.execute(f"REPLACE INTO seen ({_SEEN}) VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def forget(self, path: str) -> None:
        """The file is gone; what it still asked is not asked any more."""
        with self.writing():
            self._connection.execute("DELETE FROM seen WHERE path = ?", (path,))
            self._connection.execute("DELETE FROM asks WHERE path = ? AND state = 'queued'", (path,))

    def enqueue(self, key: str, path: str, kind: str, line: int, text: str, now: float, source: str = "") -> bool:
        """Whether this question is new; one that was found before is never taken up again."""
        done = self._connection.execute(
            "INSERT INTO asks (key, path, kind, line, text, source, state, queued)"
            " VALUES (?, ?, ?, ?, ?, ?, 'queued', ?) ON CONFLICT (key) DO NOTHING",
            (key, path, kind, line, text, source, now),
        )
        return done.rowcount > 0

    def keep_queued(self, path: str, keys: Iterable[str]) -> None:
        """Of this note's questions that wait, only these stand in it still; the others are taken back."""
        kept = set(keys)
        for (key,) in self._connection.execute(
            "SELECT key FROM asks WHERE path = ? AND state = 'queued' AND kind != 'automation'", (path,)
        ).fetchall():
            if key not in kept:
                self.drop(key)

    def drop(self, key: str) -> None:
        """A question that was never run is not known any more."""
        self._connection.execute("DELETE FROM asks WHERE key = ? AND state IN ('queued', 'claiming')", (key,))

    def queue(self, after: int = 0, limit: int = 50) -> list[Asked]:
        """Questions that wait, oldest first, beyond that number."""
        return self._asks("state = 'queued' AND number > ? ORDER BY number LIMIT ?", after, limit)

    def set_state(self, key: str, state: AskState, **values: Any) -> None:
        """Another state, with what is known by now."""
        names = ", ".join(f"{name} = ?" for name in ("state", *values))
        self._connection.execute(f"UPDATE asks SET {names} WHERE key = ?", (state, *values.values(), key))

    def find(self, key: str) -> Asked | None:
        return next(iter(self._asks("key = ?", key)), None)

    def find_claim(self, claim: str) -> Asked | None:
        """The question of this claim, or of the run that came of it."""
        return next(iter(self._asks("claim = ? OR run = ? ORDER BY number DESC LIMIT 1", claim, claim)), None)

    def begun(self) -> list[Asked]:
        """Questions whose claim was never finished."""
        return self._asks("state IN ('claiming', 'running') ORDER BY number")

    def of_note(self, path: str, limit: int = 20) -> list[Asked]:
        """Questions of a note, the newest first."""
        return self._asks("path = ? ORDER BY number DESC LIMIT ?", path, limit)

    def last(self, limit: int = 10) -> list[Asked]:
        """Questions that came to an end, the newest first."""
        return self._asks("finished > 0 ORDER BY finished DESC LIMIT ?", limit)

    def moved(self, asked: Asked, path: str) -> None:
        """The note of a question has another path now."""
        self._connection.execute("UPDATE asks SET path = ? WHERE key = ?", (path, asked.key))

    def claims_since(self, time: float, path: str | None = None) -> list[float]:
        """Times of claims since then, of one note or of all, the oldest first."""
        where = "claimed >= ?" + (" AND path = ?" if path is not None else "")
        values: Sequence[object] = (time,) if path is None else (time, path)
        rows = self._connection.execute(f"SELECT claimed FROM asks WHERE {where} ORDER BY claimed", values)
        return [row[0] for row in rows]

    def counts(self) -> dict[str, int]:
        """State -> number of questions."""
        return dict(self._connection.execute("SELECT state, count(*) FROM asks GROUP BY state").fetchall())

    def note_own(self, digest: str) -> None:
        """Bytes that nest is about to write."""
        with self.writing():
            last = self._connection.execute("SELECT coalesce(max(number), 0) FROM own").fetchone()[0]
            self._connection.execute("REPLACE INTO own (digest, number) VALUES (?, ?)", (digest, last + 1))

    def is_own(self, digest: str) -> bool:
        """Whether nest wrote these bytes."""
        return self._connection.execute("SELECT 1 FROM own WHERE digest = ?", (digest,)).fetchone() is not None

    def prune(self) -> None:
        """What is too old to matter goes: bytes of long ago, questions whose note no longer exists."""
        with self.writing():
            self._connection.execute("DELETE FROM own WHERE number <= (SELECT max(number) FROM own) - ?", (_OWN_KEPT,))
            self._connection.execute(
                "DELETE FROM asks WHERE finished > 0 AND number <= (SELECT max(number) FROM asks) - ?"
                " AND path NOT IN (SELECT path FROM seen)",
                (_ASKS_KEPT,),
            )

    def _asks(self, where: str, *values: object) -> list[Asked]:
        rows = self._connection.execute(f"SELECT {_ASKED} FROM asks WHERE {where}", values)
        return [Asked(*row) for row in rows]


def open_ledger(file: Path) -> Ledger:
    """The ledger in this file, made if need be.

    Raises NestError for one that is damaged or of another version: what was asked is not known then, and must not be
    asked again unseen.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(file, timeout=30, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            bare = "\n".join(line.partition("--")[0] for line in _SCHEMA.splitlines())
            for statement in filter(str.strip, bare.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
        if version not in (0, SCHEMA_VERSION):
            raise sqlite3.DatabaseError(f"version {version}")
        connection.execute("SELECT count(*) FROM asks").fetchone()
    except sqlite3.DatabaseError as error:
        connection.close()
        raise NestError(
            f"the ledger {file} cannot be used: {error}",
            "move it away to begin a new one; questions without an answer below them are then asked",
        ) from None
    return Ledger(connection)
