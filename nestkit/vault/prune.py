"""A vault in; what nest keeps for undoing old runs put away, out. *Disk*.

**Rule**: the newest `KEEP_RUNS` records are always kept. Of the others those younger than `KEEP_DAYS` are, as long as
all together take no more than `KEEP_BYTES`, the newest first. What was put away is listed in `.nest/undo/gone`, so that
`nest undo` can say so. A clock that jumps ahead costs old records at the most, never the newest ones.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from nestkit.change import digest
from nestkit.errors import NoteMissing, VaultError
from nestkit.vault.beneath import open_folder, told
from nestkit.vault.files import read_file
from nestkit.vault.journal import drop_journal, is_run_id
from nestkit.vault.write import write_file

KEEP_RUNS = 10
KEEP_DAYS = 90
KEEP_BYTES = 512 << 20
RULE = f"nest keeps {KEEP_DAYS} days or {KEEP_BYTES >> 20} MB of them, and always the newest {KEEP_RUNS}"

_GONE = ".nest/undo/gone"
_GONE_BYTES = 1 << 20
_DAY = 86_400


class _Kept(NamedTuple):
    """What is kept of one run."""

    time: float
    """When it was written, Unix time."""
    run_id: str
    size: int


def prune_undo(root: Path, now: float, spare: str = "") -> list[str]:
    """The runs whose records were put away by the rule, `spare` never among them; the caller holds the vault's lock.

    Raises VaultError when the disk refuses; what was put away by then stays so.
    """
    kept = sorted(_list_kept(root), reverse=True)
    gone: list[str] = []
    room = KEEP_BYTES
    for place, record in enumerate(kept):
        room -= record.size
        is_old = now - record.time > KEEP_DAYS * _DAY or room < 0
        if place >= KEEP_RUNS and is_old and record.run_id != spare:
            gone.append(record.run_id)
    if gone:
        _note_gone(root, gone)
    for run_id in gone:
        with told(".nest/undo"):
            drop_journal(root, run_id)
    return gone


def is_pruned(root: Path, run_id: str) -> bool:
    """Whether what was kept of this run has been put away."""
    return run_id in _read_gone(root).decode("utf-8", "replace").split("\n")


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


def _note_gone(root: Path, runs: list[str]) -> None:
    """Written before anything is put away: a crash in between tells of too much rather than of too little."""
    before = _read_gone(root)
    lines = "".join(f"{run_id}\n" for run_id in runs).encode()
    content = (before + lines)[-_GONE_BYTES:]
    write_file(root, _GONE, content, digest(before) if before else None)


def _read_gone(root: Path) -> bytes:
    try:
        return read_file(root, _GONE, 2 * _GONE_BYTES)
    except NoteMissing:
        return b""
