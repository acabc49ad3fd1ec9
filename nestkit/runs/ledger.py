"""Runs that are under way or wait for a person, as this machine knows them: kept, found, claimed once. *Disk*.

One file a run in the user's state folder, never in a vault: what is not here waits for nobody, whatever a note says.
The file's ending is its state, so a change of state is one rename, which one process wins.

```
RUN.running   begun, and not ended
RUN.waiting   parked: a person may approve what `digest` names
RUN.taken     approved, and not ended; after a crash it may be approved again
RUN.marked    no state: how the note that asked was before nest wrote into it that the run waits
```
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from nestkit.errors import NestError, StateError

State = Literal["running", "waiting", "taken"]
_STATES: tuple[State, ...] = ("running", "waiting", "taken")
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_MOST_BYTES = 1 << 20
KEEP = timedelta(days=30)
"""How long a parked run may be approved; after that the question is asked anew."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One run in the ledger."""

    id: str
    ask: str
    since: str
    """ISO time at which it came into this state."""
    gate: str = ""
    """`program`, `call` or `changes`; empty for a run that is under way."""
    reason: str = ""
    digest: str = ""
    """Of what would be approved."""
    seal: str = ""
    """Of the last line of its trace."""
    path: str = ""
    """Of its note."""
    note_digest: str = ""
    """Of the note's bytes as nest wrote them."""
    tick: str = ""
    """The line of that note which a person ticks; empty where only a command approves."""
    state: State = "running"

    def is_late(self, now: datetime) -> bool:
        """Whether it has waited too long to be approved."""
        return now - datetime.fromisoformat(self.since) > KEEP


class Ledger:
    """The runs of one vault."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, entry: Entry) -> None:
        """Keep the entry in its state, and in no other. Raises StateError when it cannot be kept."""
        lasting = entry.state != "running"  # a run that a power cut ends before its first answer is no loss
        self._write(_name(entry.id, entry.state), json.dumps(asdict(entry)).encode(), lasting=lasting)
        for state in _STATES:
            if state != entry.state:
                self._drop(_name(entry.id, state))

    def find(self, run: str) -> Entry | None:
        """What is known of a run; None when this machine knows nothing of it."""
        if not _RUN_ID.fullmatch(run):
            return None
        return next((entry for state in reversed(_STATES) if (entry := self._read(run, state))), None)

    def entries(self) -> list[Entry]:
        """Every run that has not ended, the oldest first; a damaged entry is left out, and approves nothing."""
        try:
            names = sorted(file.name for file in self._folder.iterdir())
        except FileNotFoundError:
            return []
        ids = dict.fromkeys(name.rpartition(".")[0] for name in names if name.rpartition(".")[2] in _STATES)
        found = []
        for run in ids:
            with suppress(StateError):
                found.append(self.find(run))
        return [entry for entry in found if entry]

    def take(self, entry: Entry) -> bool:
        """Claim a run for the approval just given; False when somebody else was quicker.

        One that was claimed before a crash is claimed again: its trace's lock tells whether anybody is at it.
        """
        if entry.state == "taken":
            return True
        try:
            (self._folder / _name(entry.id, entry.state)).rename(self._folder / _name(entry.id, "taken"))
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _trouble(self._folder, error) from None
        return True

    def put_mark(self, run: str, marked: str, unmarked: str) -> None:
        """Keep the digests of a run's asking note: with the mark that the run waits, and before. Raises StateError."""
        self._write(_name(run, "marked"), f"{marked} {unmarked}".encode(), lasting=True)

    def find_mark(self, run: str) -> tuple[str, str]:
        """(digest with the mark, digest before), as last put; empty texts when there are none."""
        with suppress(FileNotFoundError):
            marked, _, unmarked = self._content(_name(run, "marked")).decode("ascii", "replace").partition(" ")
            return marked, unmarked
        return "", ""

    def forget(self, run: str) -> None:
        """The run has ended."""
        for state in (*_STATES, "marked"):
            self._drop(_name(run, state))

    def key(self) -> bytes:
        """The secret that seals this machine's traces, made when there is none. Raises StateError."""
        for _ in range(2):
            with suppress(FileNotFoundError):
                found = self._content("key")
                if len(found) == 32:
                    return found
                raise StateError(f"{self._folder / 'key'} is damaged", "remove it: older runs can then not be resumed")
            self._write("key", os.urandom(32), fresh=True)
        raise StateError(f"{self._folder / 'key'} cannot be kept", "check who owns that folder")

    def _read(self, run: str, state: State) -> Entry | None:
        try:
            return _parse(json.loads(self._content(_name(run, state))), run, state)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, RecursionError):
            raise StateError(f"{self._folder / _name(run, state)} is damaged", "remove it, and ask again") from None

    def _content(self, name: str) -> bytes:
        """A file's bytes; raises FileNotFoundError, and StateError for one that others could have written."""
        try:
            file = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _trouble(self._folder / name, error) from None
        try:
            found = os.fstat(file)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
                raise StateError(f"{self._folder / name} could have been written by others", "remove it")
            return os.read(file, _MOST_BYTES)
        finally:
            os.close(file)

    def _write(self, name: str, content: bytes, *, fresh: bool = False, lasting: bool = True) -> None:
        """The file whole, for this user only; with `fresh` one that is there already stays."""
        temp = self._folder / f".{name}-{os.getpid()}-{os.urandom(4).hex()}"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(temp, _NEW, 0o600)
            try:
                os.write(file, content)
                if lasting:
                    os.fsync(file)
            finally:
                os.close(file)
            if fresh:
                with suppress(FileExistsError):
                    os.link(temp, self._folder / name)
                temp.unlink()
            else:
                temp.rename(self._folder / name)
        except OSError as error:
            with suppress(OSError):
                temp.unlink()
            raise _trouble(self._folder / name, error) from None

    def _drop(self, name: str) -> None:
        with suppress(FileNotFoundError):
            (self._folder / name).unlink()


def _name(run: str, state: str) -> str:
    if not _RUN_ID.fullmatch(run):
        raise NestError("a run's id is made of letters, digits and dashes")
    return f"{run}.{state}"


def _parse(record: Mapping[str, Any], run: str, state: State) -> Entry:
    entry = Entry(**{**record, "state": state})
    if entry.id != run or not all(isinstance(value, str) for value in asdict(entry).values()):
        raise ValueError(run)
    datetime.fromisoformat(entry.since)
    return entry


def _trouble(file: Path, error: OSError) -> StateError:
    return StateError(f"{file}: {os.strerror(error.errno or 0)}", "nest keeps there which runs wait for you")
