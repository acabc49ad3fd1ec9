"""Globs in; the paths of a vault that they open and that they hide, as few as will do, out. *Disk*.

What isolates a script knows no globs: it is told folders and files. A folder that is open or hidden as a whole is one
path, so that the usual vault takes a handful; only what a pattern picks out file by file is named file by file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from nestkit.change import Change
from nestkit.vault.names import matches_any


class Sight(NamedTuple):
    """What of a vault is to be seen."""

    read: tuple[str, ...] | None
    """The only paths that can be opened, each a file or a whole folder; None for all but `hide`."""
    hide: tuple[str, ...]
    """Paths that are to be gone."""


def find_sight(root: Path, read: tuple[str, ...], hide: tuple[str, ...], always: tuple[str, ...] = ()) -> Sight:
    """What the globs `read` open (nothing given opens all) and `hide` takes away again; hiding wins over both.

    A glob of `read` is anchored: without `/` it names something at the root. `always` are paths open whatever `read`
    says. As the vault is now: a file that comes later is neither opened nor, but below a hidden folder, hidden.
    """
    if not read and not hide:
        return Sight(None, ())
    opened: list[str] = []
    hidden: list[str] = []
    _look(root, "", read, hide, always, opened, hidden)
    return Sight(tuple(opened) if read else None, tuple(hidden))


def is_within(path: str, globs: Iterable[str]) -> bool:
    """Whether a path is one that an anchored glob names, or lies in it; an empty glob names everything."""
    first = path.partition("/")[0]
    return any(not glob or matches_any(path if "/" in glob.strip("/") else first, (glob,)) for glob in globs)


def find_folders(root: Path, globs: Iterable[str]) -> tuple[str, ...] | bool:
    """The folders in which files that anchored globs name can lie, as few as will do; True for the whole vault."""
    found: set[str] = set()
    for glob in globs:
        fixed = _fixed_part(glob.strip("/"))
        if fixed == glob.strip("/") and not (glob.endswith("/") or (root / fixed).is_dir()):
            fixed = fixed.rpartition("/")[0]  # a file, or nothing yet: its folder, so that it can be made
        if not fixed or ".." in fixed.split("/"):
            return True
        found.add(fixed)
    return tuple(sorted(path for path in found if not any(path.startswith(f"{other}/") for other in found)))


def lay_changes(folder: Path, changes: Iterable[Change], like: Path) -> tuple[str, ...]:
    """Write the files of these changes below an empty folder, owned as the folder `like` is; the paths that go away."""
    gone = []
    owner = like.stat()
    for change in changes:
        if change.after is None:
            gone.append(change.path)
            continue
        file = folder / change.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(change.after)
    if os.geteuid() == 0:
        for place, _, names in os.walk(folder):
            for name in (place, *(f"{place}/{name}" for name in names)):
                os.chown(name, owner.st_uid, owner.st_gid)
    return tuple(gone)


def _look(
    root: Path,
    prefix: str,
    read: tuple[str, ...],
    hide: tuple[str, ...],
    always: tuple[str, ...],
    opened: list[str],
    hidden: list[str],
) -> None:
    """Sort what lies in one folder into opened and hidden, going into folders that are neither as a whole."""
    for path, is_folder in _entries(root, prefix):
        whole = f"{path}/" if is_folder else path  # `Diary/**` hides the folder too
        if matches_any(path, hide) or matches_any(whole, hide):
            hidden.append(path)
        elif path in always or (read and (is_within(path, read) or is_within(whole, read))):
            opened.append(path)
            if is_folder and hide:
                _look(root, f"{path}/", (), hide, always, opened, hidden)
        elif is_folder:
            mine: list[str] = []
            _look(root, f"{path}/", read, hide, always, mine, hidden)
            opened += mine
            if read and not mine:
                hidden.append(path)
        elif read:
            hidden.append(path)


def _entries(root: Path, prefix: str) -> Iterator[tuple[str, bool]]:
    """Path and whether it is a folder, of what lies in a folder; names with a leading dot too."""
    try:
        with os.scandir(root / prefix) as listing:
            entries = [(prefix + entry.name, entry.is_dir(follow_symlinks=False)) for entry in listing]
    except OSError:
        return
    yield from sorted(entries)


def _fixed_part(glob: str) -> str:
    """What stands before the first part with a wildcard."""
    parts = glob.split("/")
    wild = next((place for place, part in enumerate(parts) if set(part) & set("*?")), len(parts))
    return "/".join(parts[:wild])
