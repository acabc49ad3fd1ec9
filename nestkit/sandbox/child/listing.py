"""Folders whose names the kernel keeps to itself in; what may be seen of them for whoever lists them in Python, out.
*Process*.

Landlock's leave to list a folder is leave to list all below it. Where something in a folder is hidden and no namespace
can take it out of sight, that leave is not given; what may be seen was noted before, and is what `os.listdir` and
`os.scandir` (and with them `os.walk`, `glob`, `pathlib`, imports) answer. The kernel is the wall, this is a courtesy.
Runs in the child: standard library only.
"""

from __future__ import annotations

import os
import posix
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


class Entry:
    """What `os.DirEntry` is, for a name that was noted."""

    __slots__ = ("name", "path")

    def __init__(self, folder: Any, name: Any) -> None:
        self.name = name
        self.path = os.path.join(folder, name)

    def __fspath__(self) -> Any:
        return self.path

    def __repr__(self) -> str:
        return f"<DirEntry {self.name!r}>"

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return os.stat(self.path, follow_symlinks=follow_symlinks)

    def inode(self) -> int:
        return self.stat(follow_symlinks=False).st_ino

    def is_symlink(self) -> bool:
        return os.path.islink(self.path)

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        return os.path.isdir(self.path) and (follow_symlinks or not self.is_symlink())

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        return os.path.isfile(self.path) and (follow_symlinks or not self.is_symlink())


class Entries:
    """What `os.scandir` returns, over noted names."""

    def __init__(self, entries: Iterator[Entry]) -> None:
        self._entries = entries

    def __iter__(self) -> Entries:
        return self

    def __next__(self) -> Entry:
        return next(self._entries)

    def __enter__(self) -> Entries:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._entries = iter(())


def install(noted: Mapping[str, Sequence[str]]) -> None:
    """Let these folders (by real path) be listed by the names noted of them."""
    if not noted:
        return
    listed, scanned = os.listdir, os.scandir

    def find(path: Any) -> tuple[Any, list[Any]] | None:
        folder = "." if path is None else path if isinstance(path, int) else os.fspath(path)
        names = None if isinstance(folder, int) else noted.get(os.path.realpath(os.fsdecode(folder)))
        if names is None:
            return None
        return folder, [os.fsencode(name) for name in names] if isinstance(folder, bytes) else list(names)

    def listdir(path: Any = None) -> Any:
        return _try(listed, path, lambda folder, names: names)

    def scandir(path: Any = None) -> Any:
        return _try(scanned, path, lambda folder, names: Entries(Entry(folder, name) for name in names))

    def _try(real: Callable[[Any], Any], path: Any, make: Callable[[Any, list[Any]], Any]) -> Any:
        try:
            return real(path)
        except PermissionError:
            found = find(path)
            if found is None:
                raise
            return make(*found)

    for module in (os, posix):
        vars(module).update(listdir=listdir, scandir=scandir)
