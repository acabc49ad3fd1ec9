"""What one run is about to change in; a record from which it can be taken back, flushed to `.nest/`, out. *Disk*.

```
.nest/.gitignore          `*`
.nest/lock                held while a vault is written to
.nest/open-HOST           the run now being put in place; there only between the first step and the last
.nest/undo/RUN/N.before   bytes of the Nth file as it was, and N.after as nest wrote it
.nest/undo/RUN/manifest.json   written last: once it is there, everything else is
.nest/undo/gone           runs that were put away by the rule of prune.py
```

The mark carries the machine's name, since a vault may be synced: what one machine has under way is not another's to
take back. A record may also come with a vault from a stranger, so each path in it is checked like any other.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nestkit.change import Change, digest
from nestkit.errors import NoteChanged, NoteMissing, VaultError
from nestkit.vault.beneath import hold_folder, is_there, make_folders, told
from nestkit.vault.files import read_file
from nestkit.vault.leftover import host_mark
from nestkit.vault.names import check_writable
from nestkit.vault.write import write_file, write_temp

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_DIGEST = re.compile(r"([0-9a-f]{64})?")
_MANIFEST = "manifest.json"
_MANIFEST_BYTES = 64 << 20
_IMAGE_BYTES = 1 << 40


@dataclass(frozen=True, slots=True)
class Record:
    """One file of a run, before and after, by digest; empty for no file."""

    path: str
    before: str
    after: str
    mode: int
    """Permission bits of the file before; 0 when there was none."""


@dataclass(frozen=True, slots=True)
class Journal:
    """Everything needed to take one run back."""

    run_id: str
    records: tuple[Record, ...]
    folders: tuple[str, ...]
    """Folders that the run makes, outermost first."""


def check_run_id(run_id: str) -> str:
    """The run's id, fit for a file name. Raises VaultError."""
    if not is_run_id(run_id):
        raise VaultError("a run's id is made of letters, digits and dashes")
    return run_id


def is_run_id(text: str) -> bool:
    """Whether this can be the id of a run."""
    return _RUN_ID.fullmatch(text) is not None


@contextmanager
def hold_lock(root: Path, seconds: float = 10.0) -> Iterator[None]:
    """Nobody else writes to this vault meanwhile; `.nest/` is there. Raises VaultError after `seconds`.

    The system frees the lock when its holder dies. **Source**: flock(2).
    """
    make_nest(root)
    import fcntl  # late: not on every system, and reading needs no lock

    with told(".nest/lock"), hold_folder(root, ".nest/lock") as (folder, name):
        lock = os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644, dir_fd=folder)
    try:
        until = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise VaultError("another nest is writing to this vault", "wait for it, or end it") from None
                time.sleep(0.02)
            except OSError as error:
                raise VaultError(f".nest/lock: this disk keeps no locks ({os.strerror(error.errno or 0)})") from None
        yield
    finally:
        os.close(lock)


def make_nest(root: Path) -> None:
    """`.nest/` is there, and git and sync tools are told to leave it out."""
    with told(".nest"):
        make_folders(root, ".nest/undo/x")
        with hold_folder(root, ".nest/x") as (folder, _):
            ready = is_there(folder, ".gitignore")
    if not ready:
        with suppress(VaultError):  # another nest was quicker
            write_file(root, ".nest/.gitignore", b"*\n")


def mark_open(root: Path, run_id: str) -> None:
    """Say, before anything else is touched, which run is being put in place."""
    with told(_mark()), hold_folder(root, _mark()) as (folder, name):
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        write_temp(folder, name, run_id.encode())
        os.fsync(folder)


def find_open(root: Path) -> str | None:
    """The run that this machine has begun to put in place and not ended; may be empty when it had only just begun."""
    try:
        return read_file(root, _mark(), 1 << 10).decode("ascii", "replace")
    except NoteMissing:
        return None


def mark_closed(root: Path) -> None:
    """The run is in place, or taken back."""
    with told(_mark()), hold_folder(root, _mark()) as (folder, name), suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
        os.fsync(folder)


def write_journal(root: Path, run_id: str, changes: Sequence[Change]) -> Journal:
    """The record of these changes, all of it flushed when this returns; no note has been touched."""
    modes, missing = [_mode(root, change.path) for change in changes], _missing_folders(root, changes)
    records = [
        Record(change.path, digest(change.before), digest(change.after), mode)
        for change, mode in zip(changes, modes, strict=True)
    ]
    journal = Journal(run_id, tuple(records), missing)
    manifest = _file(run_id, _MANIFEST)
    with told(manifest):
        make_folders(root, manifest)
        with hold_folder(root, manifest) as (folder, name):
            os.fchmod(folder, 0o700)  # it holds copies of notes that others may not be allowed to read
            for number, change in enumerate(changes):
                for kind, content in (("before", change.before), ("after", change.after)):
                    if content is not None:
                        write_temp(folder, f"{number}.{kind}", content)
            write_temp(folder, f"{name}.new", json.dumps(asdict(journal)).encode())
            os.rename(f"{name}.new", name, src_dir_fd=folder, dst_dir_fd=folder)
            os.fsync(folder)
    return journal


def find_journal(root: Path, run_id: str) -> Journal | None:
    """The record of a run, or None. Raises VaultError for one that cannot be what nest wrote."""
    try:
        manifest = json.loads(read_file(root, _file(check_run_id(run_id), _MANIFEST), _MANIFEST_BYTES))
        return _parse_journal(manifest, run_id)
    except NoteMissing:
        return None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise VaultError(
            f"the record of run {run_id} is damaged", f"what it kept lies in .nest/undo/{run_id}"
        ) from None


def read_image(root: Path, journal: Journal, number: int) -> bytes:
    """The bytes of the Nth file as it was before the run. Raises NoteChanged when they are not the recorded ones."""
    path = _file(journal.run_id, f"{number}.before")
    content = read_file(root, path, _IMAGE_BYTES)
    if digest(content) != journal.records[number].before:
        raise NoteChanged(f"{path} is not what was kept there")
    return content


def drop_journal(root: Path, run_id: str) -> None:
    """Forget a run: nothing is left to take back."""
    with suppress(FileNotFoundError), hold_folder(root, _file(run_id, _MANIFEST)) as (folder, manifest):
        for name in sorted(_names(folder), key=lambda name: name != manifest):  # without manifest, nothing counts
            os.unlink(name, dir_fd=folder)
    with suppress(FileNotFoundError), hold_folder(root, f".nest/undo/{run_id}") as (folder, name):
        os.rmdir(name, dir_fd=folder)


def _file(run_id: str, name: str) -> str:
    return f".nest/undo/{run_id}/{name}"


def _mark() -> str:
    return f".nest/open-{host_mark()}"


def _mode(root: Path, path: str) -> int:
    with told(path), suppress(FileNotFoundError), hold_folder(root, path) as (folder, name):
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode & 0o777
    return 0


def _missing_folders(root: Path, changes: Sequence[Change]) -> tuple[str, ...]:
    wanted: set[str] = set()
    for change in changes:
        parts = change.path.split("/") if change.after is not None else []
        wanted.update("/".join(parts[:count]) for count in range(1, len(parts)))
    return tuple(path for path in sorted(wanted) if not os.path.lexists(root / path))


def _parse_journal(manifest: Any, run_id: str) -> Journal:
    records = tuple(Record(**record) for record in manifest["records"])
    for record in records:
        good = _DIGEST.fullmatch(record.before) and _DIGEST.fullmatch(record.after) and 0 <= record.mode <= 0o777
        if not good or check_writable(record.path) is not None:
            raise ValueError(record.path)
    folders = tuple(manifest["folders"])
    if manifest["run_id"] != run_id or any(check_writable(path) is not None for path in folders):
        raise ValueError(run_id)
    return Journal(run_id, records, folders)


def _names(folder: int) -> list[str]:
    with os.scandir(folder) as listing:
        return [item.name for item in listing]
