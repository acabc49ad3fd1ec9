"""Names of the temporary files that nest writes beside notes; those of processes that were killed, removed. *Disk*.

A name says on which machine, and by which process, it was made: a vault may be synced, and what another machine is just
writing is not ours to remove, nor is what a process of this machine may still be at.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from nestkit.errors import VaultError
from nestkit.vault.beneath import hold_folder, told

_NAME = re.compile(r"\.nest-([0-9a-f]{8})-([0-9]{1,10})-[0-9a-f]{8}\.tmp")
_YOUNG_SECONDS = 60.0
"""A write takes milliseconds; what is younger may be of a process that this one cannot see."""


def host_mark() -> str:
    """What tells this machine from others, in names."""
    return hashlib.sha256(os.uname().nodename.encode()).hexdigest()[:8]


def draft_temp() -> str:
    """A free name for a file that is being written."""
    return f".nest-{host_mark()}-{os.getpid()}-{os.urandom(4).hex()}.tmp"


def is_temp(name: str) -> bool:
    """Whether a file of this name is a temporary one of some nest."""
    return name.startswith(".nest-") and name.endswith(".tmp")


def clear_temps(root: Path, paths: Iterable[str]) -> tuple[list[str], list[str]]:
    """Paths of those that were removed, and of those that were left: another machine's, still being written, or not
    to be told. The caller holds the vault's lock."""
    removed: list[str] = []
    left: list[str] = []
    for path in paths:
        (removed if _remove(root, path) else left).append(path)
    return removed, left


def _remove(root: Path, path: str) -> bool:
    match = _NAME.fullmatch(path.rpartition("/")[2])
    if match is None or match[1] != host_mark() or _is_alive(int(match[2])):
        return False
    with suppress(VaultError, OSError), told(path), hold_folder(root, path) as (folder, name):
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if is_ours and time.time() - found.st_mtime > _YOUNG_SECONDS:
            os.unlink(name, dir_fd=folder)
            return True
    return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True
