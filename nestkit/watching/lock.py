"""A folder in; the right to be the one daemon of a vault on this machine, or who has it, out. *Disk*."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nestkit.errors import NestError

_NAME = "watch.lock"


class Watched(NestError):
    """Another daemon works on this vault."""


@contextmanager
def hold_watch(folder: Path, told: Mapping[str, Any]) -> Iterator[None]:
    """Nobody else watches meanwhile; `told` is what others are told. Raises Watched. The system frees the lock when
    its holder dies, however it dies. **Source**: flock(2)."""
    import fcntl  # late: not on every system

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # questions are nobody else's business
    file = os.open(folder / _NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            who = _read(file)
            said = f"process {who['pid']} on {who['host']} since {who['since']}" if who else "another process"
            raise Watched(f"this vault is being watched already: {said}", "`nest status` says more") from None
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(told).encode(), 0)
        yield
        os.ftruncate(file, 0)
    finally:
        os.close(file)


def find_watcher(folder: Path) -> dict[str, Any] | None:
    """Who watches: `{pid, host, since}`; None when nobody does."""
    import fcntl

    try:
        file = os.open(folder / _NAME, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(file) or {"pid": 0, "host": "", "since": ""}
    else:
        return None
    finally:
        os.close(file)


def _read(file: int) -> dict[str, Any]:
    try:
        found = json.loads(os.pread(file, 1 << 12, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) and {"pid", "host", "since"} <= found.keys() else {}
