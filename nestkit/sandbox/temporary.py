"""Folders that live as long as one process: made, held, and those of processes that were killed cleared away. *Disk*.

A folder is held by a lock on itself, which the system frees when its holder dies: neither a process number that is used
twice nor a process in another container can be taken for its holder. **Source**: flock(2). Only folders of this user
whose name no other program gives are touched; where folders keep no locks, nothing is proven and all of them stay.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
from contextlib import suppress

_PREFIX = "nest-held-"
_NAME = re.compile(rf"{_PREFIX}[A-Za-z0-9_]{{6,16}}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES = 50


class Held:
    """One folder of this process, for this user only unless another mode is asked for."""

    def __init__(self, mode: int = 0o700) -> None:
        """Raises OSError where there is no room for it."""
        import tempfile  # late: it is slow to load, and most commands isolate nothing

        for _ in range(_TRIES):
            self.folder = tempfile.mkdtemp(prefix=_PREFIX)
            try:  # somebody who clears away may take it for abandoned before it is locked
                self._file = os.open(self.folder, _FOLDER)
            except FileNotFoundError:
                continue
            if _is_ours(self._file, self.folder):
                os.fchmod(self._file, mode)
                return
            os.close(self._file)
        raise FileExistsError(f"no folder of our own in {os.path.dirname(self.folder)}")

    def __enter__(self) -> str:
        return self.folder

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove it with all that is in it, as far as the system lets us."""
        with suppress(OSError):
            _empty(self._file)
            os.rmdir(self.folder)
        os.close(self._file)


def clear_abandoned() -> tuple[int, int]:
    """How many folders of processes that are gone were removed, and how many could not be."""
    import tempfile  # late, as above

    removed = left = 0
    try:
        above = os.open(tempfile.gettempdir(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return 0, 0
    try:
        with os.scandir(above) as listing:
            names = [item.name for item in listing if _NAME.fullmatch(item.name)]
        for name in names:
            gone = _clear(above, name)
            removed, left = removed + (gone is True), left + (gone is False)
    except OSError:
        pass  # a folder that cannot be listed hides nothing of ours that we could remove
    finally:
        os.close(above)
    return removed, left


def remove_tree(folder: str) -> None:
    """Remove a folder that an enemy has filled: any depth, without ever following a link. Raises OSError."""
    file = os.open(folder, _FOLDER)
    try:
        _empty(file)
    finally:
        os.close(file)
    os.rmdir(folder)


def _clear(above: int, name: str) -> bool | None:
    """Whether this folder is gone now; None when it is somebody's."""
    try:
        file = os.open(name, _FOLDER, dir_fd=above)
    except OSError:
        return None  # gone, or no folder
    try:
        if os.fstat(file).st_uid != os.geteuid() or not _lock(file):
            return None
        _empty(file)
        os.rmdir(name, dir_fd=above)
    except OSError:
        return False
    finally:
        os.close(file)
    return True


def _is_ours(file: int, folder: str) -> bool:
    """Whether this process holds the open folder, and it still has its name."""
    with suppress(FileNotFoundError):
        return _lock(file, unsure=True) and os.path.samestat(os.fstat(file), os.stat(folder))
    return False


def _lock(file: int, *, unsure: bool = False) -> bool:
    """Whether the open folder is locked by us now; `unsure` where folders keep no locks."""
    try:
        import fcntl  # late: not on every system

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return unsure
    return True


def _empty(top: int) -> None:
    """Remove all that is in an open folder.

    Each folder inside is moved to the top before it is emptied, so nothing here grows with the depth; each is opened
    relative to the one above, so nothing that is swapped in meanwhile can lead out.
    """
    os.fchmod(top, 0o700)
    mark, number = secrets.token_hex(8), 0
    while inner := _unlink_files(top):
        for name in inner:
            _open_up(top, name)
            file = os.open(name, _FOLDER, dir_fd=top)
            try:
                for below in _unlink_files(file):
                    _open_up(file, below)
                    os.rename(below, f"{mark}-{number}", src_dir_fd=file, dst_dir_fd=top)
                    number += 1
            finally:
                os.close(file)
            os.rmdir(name, dir_fd=top)


def _unlink_files(folder: int) -> list[str]:
    """The folders in an open folder, when everything else in it is gone."""
    with os.scandir(folder) as listing:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in listing]
    for name, is_folder in entries:
        if not is_folder:
            os.unlink(name, dir_fd=folder)
    return [name for name, is_folder in entries if is_folder]


def _open_up(above: int, name: str) -> None:
    """Let us into a folder whose mode shuts us out; a link in its place is left as it is."""
    mode = os.stat(name, dir_fd=above, follow_symlinks=False).st_mode
    if mode & 0o700 == 0o700 or not stat.S_ISDIR(mode):
        return
    if os.chmod in os.supports_follow_symlinks:
        os.chmod(name, 0o700, dir_fd=above, follow_symlinks=False)
        return
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    try:
        os.chmod(f"/proc/self/fd/{handle}", 0o700)
    finally:
        os.close(handle)
