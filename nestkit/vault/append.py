"""A file that only grows, of one writer: lines in, each on disk before the next is asked for. *Disk*."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from nestkit.errors import VaultError
from nestkit.vault.beneath import hold_folder, make_folders, read_all, told

_GROWING = os.O_RDWR | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)


class Growing:
    """An open file of lines, locked for its one writer."""

    def __init__(self, root: Path, path: str, *, is_new: bool) -> None:
        """A file that is not there yet, or one that is. Raises VaultError when somebody else is writing it, and as
        everything beneath a vault does."""
        self._path = path
        with told(path):
            if is_new:
                make_folders(root, path)
            with hold_folder(root, path) as (folder, name):
                flags = _GROWING | (os.O_CREAT | os.O_EXCL if is_new else 0)
                self._file = os.open(name, flags, 0o600, dir_fd=folder)
                self._lock()

    def read(self, max_bytes: int) -> bytes:
        """All of it. Raises VaultError when it is no ordinary file, or larger."""
        with told(self._path):
            if not stat.S_ISREG(os.fstat(self._file).st_mode):
                raise VaultError(f"{self._path} is no ordinary file")
            os.lseek(self._file, 0, os.SEEK_SET)
            return read_all(self._file, self._path, max_bytes)

    def cut(self, size: int) -> None:
        """Forget what stands after so many bytes."""
        with told(self._path):
            os.ftruncate(self._file, size)

    def append(self, line: bytes) -> None:
        """One more line. Raises VaultError when the disk refuses; the file then ends as it did before."""
        with told(self._path):
            size, left = os.fstat(self._file).st_size, memoryview(line)
            try:
                while left:
                    left = left[os.write(self._file, left) :]
            except OSError:
                os.ftruncate(self._file, size)
                raise

    def flush(self) -> None:
        """Nothing of it is lost when the power goes now."""
        with told(self._path):
            os.fsync(self._file)

    def close(self) -> None:
        """Free it for the next writer."""
        os.close(self._file)

    def _lock(self) -> None:
        import fcntl  # late: not on every system

        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._file)
            raise VaultError(f"{self._path}: another nest is at this run", "wait for it, or end it") from None
