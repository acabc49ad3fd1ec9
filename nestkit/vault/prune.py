"""A vault in; what nest keeps of old runs put away, out: what it takes to undo them, and their traces. *Disk*.

**Rule**: the newest `runs` are always kept. Of the others those younger than `days` are, as long as all together take
no more than `max_bytes`, the newest first. What was put away is listed in a file `gone` beside the rest, so that nest
can say so. A clock that jumps ahead costs old runs at the most, never the newest ones.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from nestkit.change import digest
from nestkit.errors import NoteMissing, VaultError
from nestkit.vault.beneath import hold_folder, open_folder, told
from nestkit.vault.files import read_file
from nestkit.vault.journal import drop_journal, is_run_id
from nestkit.vault.write import write_file

_GONE_BYTES = 1 << 20
_DAY = 86_400
_TRACE = ".jsonl"
_EVERY_SECONDS = 3600.0
"""A look at all traces costs milliseconds for thousands; once in an hour it costs nobody anything."""
_LARGE_BYTES = 4 << 20
"""After a trace of this size there is a look at once."""


class Rule(NamedTuple):
    """How much is kept of one kind."""

    days: int
    max_bytes: int
    runs: int = 10
    """The newest so many, whatever their age and size."""

    @property
    def text(self) -> str:
        """The rule in words."""
        return f"nest keeps {self.days} days or {self.max_bytes >> 20} MB of them, and always the newest {self.runs}"


UNDO = Rule(90, 512 << 20)


class _Kept(NamedTuple):
    """What is kept of one run."""

    time: float
    """When it was written, Unix time."""
    run_id: str
    size: int


def prune_undo(root: Path, now: float, spare: str = "") -> list[str]:
    """The runs that can be undone no more, `spare` never among them; the caller holds the vault's lock.

    Raises VaultError when the disk refuses; what was put away by then stays so.
    """
    gone = _choose(_list_kept(root), UNDO, now, lambda run_id: run_id == spare)
    _note_gone(root, ".nest/undo", gone)
    for run_id in gone:
        with told(".nest/undo"):
            drop_journal(root, run_id)
    return gone


def prune_traces(root: Path, rule: Rule, now: float, is_spared: Callable[[str], bool]) -> list[str]:
    """The runs whose traces were put away; as `prune_undo`. `is_spared` is asked only for those that would go."""
    gone = _choose(_list_traces(root), rule, now, is_spared)
    _note_gone(root, ".nest/runs", gone)
    for run_id in gone:
        path = f".nest/runs/{run_id}{_TRACE}"
        with told(path), suppress(FileNotFoundError), hold_folder(root, path) as (folder, name):
            os.unlink(name, dir_fd=folder)
    return gone


def is_due(stamp: Path, size: int) -> bool:
    """Whether it is time to look at all traces, as a file outside the vault tells; it is renewed then.

    `size` is that of the trace just written, in bytes. Raises OSError.
    """
    if size < _LARGE_BYTES and stamp.exists() and 0 <= time.time() - stamp.stat().st_mtime < _EVERY_SECONDS:
        return False
    stamp.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp.touch()
    return True


def is_pruned(root: Path, run_id: str, kind: str = "undo") -> bool:
    """Whether what was kept of this run has been put away; `kind` is `undo` or `runs`, for its trace."""
    return run_id in _read_gone(root, f".nest/{kind}").decode("utf-8", "replace").split("\n")


def _choose(kept: Iterable[_Kept], rule: Rule, now: float, is_spared: Callable[[str], bool]) -> list[str]:
    """The runs that the rule puts away, the newest first."""
    gone: list[str] = []
    room = rule.max_bytes
    for place, record in enumerate(sorted(kept, reverse=True)):
        room -= record.size
        is_old = now - record.time > rule.days * _DAY or room < 0
        if place >= rule.runs and is_old and not is_spared(record.run_id):
            gone.append(record.run_id)
    return gone


def _list_kept(root: Path) -> list[_Kept]:
    found: list[_Kept] = []
    try:
        folder = open_folder(root, [".nest", "undo"])
    except FileNotFoundError:
        return found
    try:
        with os.scandir(folder) as listing:
            names = [item.name for item in listing if item.is_dir(follow_symlinks=False) and is_run_id(item.name)]
    finally:
        os.close(folder)
    for name in names:
        with suppress(OSError, VaultError):
            found.append(_look(root, name))
    return found


def _look(root: Path, run_id: str) -> _Kept:
    folder = open_folder(root, [".nest", "undo", run_id])
    try:
        newest, size = 0.0, 0
        with os.scandir(folder) as listing:
            for item in listing:
                about = item.stat(follow_symlinks=False)
                if stat.S_ISREG(about.st_mode):
                    newest, size = max(newest, about.st_mtime), size + about.st_size
        return _Kept(newest, run_id, size)
    finally:
        os.close(folder)


def _list_traces(root: Path) -> list[_Kept]:
    found: list[_Kept] = []
    try:
        folder = open_folder(root, [".nest", "runs"])
    except FileNotFoundError:
        return found
    try:
        with os.scandir(folder) as listing:
            for item in listing:
                run_id = item.name.removesuffix(_TRACE)
                if run_id != item.name and is_run_id(run_id) and item.is_file(follow_symlinks=False):
                    about = item.stat(follow_symlinks=False)
                    found.append(_Kept(about.st_mtime, run_id, about.st_size))
    finally:
        os.close(folder)
    return found


def _note_gone(root: Path, folder: str, runs: list[str]) -> None:
    """Written before anything is put away: a crash in between tells of too much rather than of too little."""
    if not runs:
        return
    before = _read_gone(root, folder)
    lines = "".join(f"{run_id}\n" for run_id in runs).encode()
    content = (before + lines)[-_GONE_BYTES:]
    write_file(root, f"{folder}/gone", content, digest(before) if before else None)


def _read_gone(root: Path, folder: str) -> bytes:
    try:
        return read_file(root, f"{folder}/gone", 2 * _GONE_BYTES)
    except NoteMissing:
        return b""
