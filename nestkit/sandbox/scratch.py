"""The folder a program worked in, held open: its files' names and bytes out, within caps. *Disk*.

What lies there is hostile: links, pipes, giants, names that lie, folders without end. Nothing is followed; what is no
ordinary file of an ordinary name is left out and said. Names with a leading dot are the program's own affair.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\\:\ud800-\udfff\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_DEEPEST = 8
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Overfull(Exception):
    """More files, or more bytes, than may come back."""


class _Stamp(NamedTuple):
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(slots=True)
class Scratch:
    """One scratch folder, looked into after each program."""

    folder: int
    """Descriptor."""
    max_files: int
    max_bytes: int
    _known: dict[str, _Stamp] = field(default_factory=dict)

    def take(self) -> tuple[dict[str, bytes], list[str]]:
        """Path -> bytes of what is new or changed since this was last asked, and a remark on each thing left out.

        Raises Overfull.
        """
        files: dict[str, bytes] = {}
        remarks: list[str] = []
        room, count = self.max_bytes, 0
        for path, folder, name in _walk(self.folder, remarks, most=20 * self.max_files):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            stamp = _Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            count += 1
            if count > self.max_files:
                raise Overfull(f"it left more than {self.max_files} files in its scratch folder")
            if self._known.get(path) == stamp:
                continue
            content = _read(folder, name, room)
            if content is None:
                raise Overfull(f"it left more than {self.max_bytes:,} bytes in its scratch folder")
            room -= len(content)
            files[path], self._known[path] = content, stamp
        return files, remarks


def _walk(top: int, remarks: list[str], most: int) -> Iterator[tuple[str, int, str]]:
    """Path, open folder and name of every ordinary file, folder by folder and sorted."""
    todo = [""]
    while todo:
        prefix = todo.pop()
        folder = _open_folder(top, prefix)
        if folder < 0:
            continue
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
            for entry in entries:
                path, most = prefix + entry.name, most - 1
                if most < 0:
                    raise Overfull("it left more in its scratch folder than can be looked at")
                if entry.name.startswith("."):
                    continue
                if _ODD.search(entry.name) or len(entry.name.encode()) > 200:
                    remarks.append(f"{entry.name!r:.80} was left out: no name for a file")
                elif entry.is_dir(follow_symlinks=False) and path.count("/") < _DEEPEST:
                    todo.append(f"{path}/")
                elif entry.is_file(follow_symlinks=False):
                    yield path, folder, entry.name
                else:
                    remarks.append(f"{path} was left out: no ordinary file")
        finally:
            os.close(folder)


def _open_folder(top: int, prefix: str) -> int:
    """The folder below `top`, opened part by part; -1 when it is gone or no folder any more."""
    here = os.dup(top)
    for part in [".", *prefix.split("/")[:-1]]:
        above = here
        try:
            here = os.open(part, _FOLDER, dir_fd=above)
        except OSError:
            return -1
        finally:
            os.close(above)
    return here


def _read(folder: int, name: str, room: int) -> bytes | None:
    """The bytes of an ordinary file, or None when there are more than there is room for."""
    try:
        file = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return b""
        parts = []
        while part := os.read(file, min(1 << 20, room + 1)):
            room -= len(part)
            if room < 0:
                return None
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(file)
