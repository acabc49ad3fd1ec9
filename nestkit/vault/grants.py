"""The file of a person's grants for one vault in, grants out, and whole again to the disk. *Disk*.

It lies in the user's state folder, never in the vault, so that a vault received from somebody else carries none. Only
its owner may read or write it; a file that others could have written says nothing.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nestkit.errors import VaultError
from nestkit.policy import Grant

_VERSION = 1
_MAX_BYTES = 16 << 20
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def read_grants(file: Path) -> tuple[Grant, ...]:
    """The grants in this file; none when there is no file.

    Raises VaultError for a file that is damaged, somebody else's, or open for others to write: it grants nothing.
    """
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise _unusable(file, os.strerror(error.errno or 0)) from None
    with os.fdopen(handle, "rb") as opened:
        found = os.fstat(opened.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise _unusable(file, "it is no plain file")
        if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_WRITE:
            raise _unusable(file, "others could have written it")
        text = opened.read(_MAX_BYTES)
    try:
        return tuple(_grant(kept) for kept in _version_1(json.loads(text))["grants"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unusable(file, "it is damaged") from None


def change_grants(file: Path, change: Callable[[tuple[Grant, ...]], Iterable[Grant]]) -> tuple[Grant, ...]:
    """The grants as they are after `change`, in the file whole or not at all; one writer at a time.

    A file that grants nothing (see `read_grants`) is kept aside, as `grants.json.bad`.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _lock(file.with_name(f"{file.name}.lock")):
        try:
            before = read_grants(file)
        except VaultError:
            before = ()
            file.replace(file.with_name(f"{file.name}.bad"))
        after = tuple(sorted(change(before), key=lambda grant: (grant.script, grant.tool)))
        if after != before:
            _write(file, json.dumps({"version": _VERSION, "grants": [asdict(grant) for grant in after]}, indent=1))
    return after


def _version_1(kept: Any) -> dict[str, Any]:
    if type(kept) is not dict or kept.get("version") != _VERSION:
        raise ValueError("not the grants of this nest")
    return kept


def _grant(kept: Any) -> Grant:
    texts = {name: kept[name] for name in ("tool", "script", "digest", "given")}
    effects = kept["effects"]
    if set(map(type, texts.values())) != {str} or type(effects) is not list or not set(map(type, effects)) <= {str}:
        raise ValueError("not a grant")
    return Grant(**texts, effects=tuple(effects))


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    """Nobody else changes the grants meanwhile; the system frees the lock when its holder dies."""
    import fcntl  # late: not on every system, and reading needs no lock

    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _write(file: Path, text: str) -> None:
    """Put the text in place in one step, readable by its owner alone."""
    temp = file.with_name(f".{file.name}-{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        temp.replace(file)
    finally:
        temp.unlink(missing_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _unusable(file: Path, why: str) -> VaultError:
    return VaultError(f"{file}: {why}, so it grants nothing", "grant again with `nest trust NAME`")
