"""A path, its new bytes and the digest they replace in; the file whole, or one error and no change, out. *Disk*.

A temporary file in the same folder (its leading dot hides it from Obsidian and sync tools) is written, flushed and put
in place in one step, so a reader or a crash sees the old file or the new one. There is no blind overwrite.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path

from nestkit.change import digest
from nestkit.errors import NoteChanged, NoteExists, NoteMissing
from nestkit.vault.beneath import drop_folders, find_digest, hold_folder, is_link, is_there, make_folders, told
from nestkit.vault.leftover import draft_temp
from nestkit.vault.names import shown

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What a file system without hard links answers (FAT, some network drives)."""


def write_file(root: Path, path: str, content: bytes, expected: str | None = None) -> str:
    """The digest of the file just written, in full, with the folders it needs.

    `expected` is the digest of the bytes it replaces; None or empty says that no such file may be there. Raises
    NoteChanged when the file is another by now, NoteExists, OutsideVault, and VaultError when the disk refuses.
    An existing file keeps its mode, owner and extended attributes.
    """
    made: tuple[str, ...] = ()
    try:
        with told(path):
            made = () if expected else make_folders(root, path)
            with hold_folder(root, path) as (folder, name):
                _write(folder, name, path, content, expected or "")
    except NoteMissing:
        raise _changed(path, "") from None
    except BaseException:
        drop_folders(root, made)
        raise
    return digest(content)


def delete_file(root: Path, path: str, expected: str) -> None:
    """Remove a file that still has the `expected` digest. Raises NoteMissing, NoteChanged and as `write_file`."""
    with told(path), hold_folder(root, path) as (folder, name):
        os.stat(name, dir_fd=folder, follow_symlinks=False)
        drop(folder, name, path, expected)
        os.fsync(folder)


def write_temp(folder: int, temp: str, content: bytes, like: str = "") -> None:
    """Write and flush a new file `temp`, with the mode, owner and attributes of `like` when there is such a file."""
    file = os.open(temp, _NEW, 0o666, dir_fd=folder)
    try:
        left = memoryview(content)
        while left:
            left = left[os.write(file, left) :]
        _dress(file, folder, like)
        os.fsync(file)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temp, dir_fd=folder)
        raise
    finally:
        os.close(file)


def put(folder: int, temp: str, name: str, path: str, expected: str) -> None:
    """Move a finished `temp` to its name. Raises NoteExists and NoteChanged; then everything is as it was.

    Between the last look at an old file and its replacement lie some microseconds that no system call can close.
    A new file has no such gap: linking fails when the name is taken.
    """
    if expected:
        check_digest(folder, name, path, expected)
        os.replace(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    try:
        try:
            os.link(temp, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            os.close(os.open(name, _NEW, 0o666, dir_fd=folder))  # claims the name, which fails when it is taken
            os.replace(temp, name, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            os.unlink(temp, dir_fd=folder)
    except FileExistsError:
        raise _exists(folder, name, path) from None


def drop(folder: int, name: str, path: str, expected: str) -> None:
    """Remove the file from its open folder if it still has this digest. Raises NoteChanged."""
    check_digest(folder, name, path, expected)
    os.unlink(name, dir_fd=folder)


def check_digest(folder: int, name: str, path: str, expected: str) -> None:
    """Raises NoteExists, NoteChanged or OutsideVault unless the file is the expected one; empty: none is there."""
    if expected:
        found = find_digest(folder, name, path)
        if found != expected:
            raise _changed(path, found)
    elif is_there(folder, name):
        raise _exists(folder, name, path)


def _write(folder: int, name: str, path: str, content: bytes, expected: str) -> None:
    check_digest(folder, name, path, expected)
    temp = draft_temp()
    write_temp(folder, temp, content, name)
    try:
        put(folder, temp, name, path, expected)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temp, dir_fd=folder)
    os.fsync(folder)


def _exists(folder: int, name: str, path: str) -> NoteExists:
    return NoteExists(f"{shown(path)} is already there{' as a link' * is_link(folder, name)}", "choose another name")


def _changed(path: str, found: str) -> NoteChanged:
    what = "was changed" if found else "was moved or deleted"
    return NoteChanged(f"{shown(path)} {what} since it was read", "read it again, then write")


def _dress(file: int, folder: int, like: str) -> None:
    """Give an open file the mode, owner and the user's attributes of its elder, if there is one."""
    try:
        elder = os.open(like, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError:
        return
    try:
        old, new = os.fstat(elder), os.fstat(file)
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
            with suppress(PermissionError):  # only root may give a file away; it stays the writer's
                os.fchown(file, old.st_uid, old.st_gid)
        os.fchmod(file, old.st_mode & 0o777)
        with suppress(OSError, AttributeError):  # not every disk keeps such attributes, not every Python knows them
            for name in os.listxattr(elder):
                if name.startswith("user."):
                    os.setxattr(file, name, os.getxattr(elder, name))
    finally:
        os.close(elder)
