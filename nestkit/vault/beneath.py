"""A vault's root and a path in, folders and files held open beneath it out; no link is ever followed. *Disk*.

Every door to the disk goes through here. Folders are opened one part at a time relative to the one before, each
with O_NOFOLLOW, so that nothing swapped in meanwhile can lead out. **Source**: open(2), openat(2).
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nestkit.errors import NoteExists, NoteMissing, OutsideVault, VaultError
from nestkit.vault.names import require_path, shown

_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0)
_FILE = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # a fifo must not make us wait
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def hold_folder(root: Path, path: str) -> Iterator[tuple[int, str]]:
    """The open folder a path lies in, and the path's last part.

    Raises OutsideVault for a path that is none or passes a link, FileNotFoundError when the folder is not there.
    """
    parts = require_path(path).split("/")
    folder = open_folder(root, parts[:-1])
    try:
        yield folder, parts[-1]
    finally:
        os.close(folder)


def open_folder(root: Path, parts: list[str]) -> int:
    """A descriptor of the folder, for the caller to close; errors as in `hold_folder`."""
    if os.open not in os.supports_dir_fd:
        raise VaultError("this system cannot open files safely beneath a folder", "use Linux, macOS or WSL")
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    for count, part in enumerate(parts, start=1):
        above = folder
        try:
            folder = os.open(part, _FOLDER, dir_fd=above)
        except OSError as error:
            if is_link(above, part):
                raise OutsideVault(f"{shown('/'.join(parts[:count]))} is a link; nest does not follow it") from None
            if error.errno == errno.ENOTDIR:
                raise NotADirectoryError(errno.ENOTDIR, f"{shown('/'.join(parts[:count]))} is a file") from None
            raise
        finally:
            os.close(above)
    return folder


def open_file(folder: int, name: str, path: str) -> int:
    """A descriptor of the regular file `name`, for the caller to close; `path` is for errors only.

    Raises OutsideVault for links, devices, pipes and sockets, NoteMissing for a folder, FileNotFoundError.
    """
    try:
        file = os.open(name, _FILE, dir_fd=folder)
    except OSError as error:
        if is_link(folder, name):
            raise OutsideVault(f"{shown(path)} is a link; nest does not follow it") from None
        if error.errno == errno.ENXIO:
            raise OutsideVault(f"{shown(path)} is no ordinary file") from None
        raise
    try:
        return require_ordinary(file, path)
    except VaultError:
        os.close(file)
        raise


def require_ordinary(file: int, path: str) -> int:
    """The open file itself. Raises NoteMissing for a folder, OutsideVault for devices, pipes and sockets."""
    mode = os.fstat(file).st_mode
    if stat.S_ISDIR(mode):
        raise NoteMissing(f"{shown(path)} is a folder, not a file")
    if not stat.S_ISREG(mode):
        raise OutsideVault(f"{shown(path)} is no ordinary file")
    return file


def is_link(folder: int, name: str) -> bool:
    """Whether the name is a symbolic link in this folder."""
    with suppress(OSError):
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    return False


def is_there(folder: int, name: str) -> bool:
    """Whether anything has this name in this folder, a dangling link included."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def read_all(file: int, path: str, max_bytes: int) -> bytes:
    """The bytes of an open file. Raises VaultError when there are more than `max_bytes`, even if it grew meanwhile."""
    size = os.fstat(file).st_size
    chunks, left = [], max_bytes + 1
    while size <= max_bytes and left > 0 and (chunk := os.read(file, min(left, max(size + 1, 1 << 12)))):
        chunks.append(chunk)
        left -= len(chunk)
    if size > max_bytes or left <= 0:
        raise VaultError(f"{shown(path)} is larger than {max_bytes:,} bytes")
    return b"".join(chunks)


def find_digest(folder: int, name: str, path: str) -> str:
    """SHA-256 of the file as it is now, in hex; empty when there is none. Errors as in `open_file`."""
    try:
        file = open_file(folder, name, path)
    except FileNotFoundError:
        return ""
    try:
        found = hashlib.sha256()
        while chunk := os.read(file, 1 << 18):
            found.update(chunk)
        return found.hexdigest()
    finally:
        os.close(file)


def read_digest(root: Path, path: str) -> str:
    """SHA-256 of the file at this path; empty when it or its folder is not there. Errors as in `read_file`."""
    with told(path):
        try:
            with hold_folder(root, path) as (folder, name):
                return find_digest(folder, name, path)
        except FileNotFoundError:
            return ""


def make_folders(root: Path, path: str) -> tuple[str, ...]:
    """The folders that were made so that `path` can be written, outermost first; none is made through a link."""
    made: list[str] = []
    parts = require_path(path).split("/")[:-1]
    for count in range(len(parts)):
        folder = open_folder(root, parts[:count])
        try:
            os.mkdir(parts[count], dir_fd=folder)
            made.append("/".join(parts[: count + 1]))
            os.fsync(folder)
        except FileExistsError:
            pass
        except BaseException:
            drop_folders(root, tuple(made))
            raise
        finally:
            os.close(folder)
    return tuple(made)


def drop_folders(root: Path, made: tuple[str, ...]) -> None:
    """Remove these folders again, innermost first, as far as they are empty."""
    for path in reversed(made):
        with suppress(OSError, OutsideVault), hold_folder(root, path) as (folder, name):
            os.rmdir(name, dir_fd=folder)


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turn what the system says into one line about this path, without a host path."""
    try:
        yield
    except OSError as error:
        raise _trouble(shown(path), error) from None


def _trouble(path: str, error: OSError) -> VaultError:
    if isinstance(error, FileNotFoundError):
        return NoteMissing(f"{path} is not there")
    if isinstance(error, FileExistsError):
        return NoteExists(f"{path} is already there")
    if isinstance(error, NotADirectoryError):
        return VaultError(f"{path}: a file stands where a folder is needed")
    if error.errno in _FULL:
        return VaultError(f"{path}: the disk is full", "make room, then try again; nothing was changed")
    if error.errno in _DENIED:
        return VaultError(f"{path}: permission denied", "check who owns the folder and whether it may be written")
    return VaultError(f"{path}: {os.strerror(error.errno) if error.errno else 'the disk does not answer'}")
