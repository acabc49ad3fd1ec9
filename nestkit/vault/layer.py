"""The layer that a script wrote over the vault in; what it changed, and what of it does not count, out. *Disk*.

The layer holds only what the script touched, so the cost follows that and not the vault. As with a private copy
(`view`), everything in it is hostile until it has been looked at.

**Source**: overlayfs ("whiteouts and opaque directories") in the kernel's `Documentation/filesystems/overlayfs.rst`.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nestkit.change import Change
from nestkit.errors import VaultError
from nestkit.note import Problem
from nestkit.policy import PROTECTED, Limits
from nestkit.vault.files import list_files
from nestkit.vault.names import ODD_NAME, check_writable, shown
from nestkit.vault.view import check_room, find_twins, lies_below, read_back

_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Begin:
    """When a script began, by both clocks: the wall clock may be set while it runs."""

    wall_ns: int = field(default_factory=time.time_ns)
    steady_ns: int = field(default_factory=time.monotonic_ns)

    @property
    def earliest_ns(self) -> int:
        """The beginning by the wall clock as it goes now, or as it went then, whichever is earlier."""
        return min(self.wall_ns, time.time_ns() - (time.monotonic_ns() - self.steady_ns))


@dataclass(frozen=True, slots=True)
class Ground:
    """What the layer was laid over."""

    root: Path
    """The vault."""
    before: Callable[[str], bytes | None]
    """The bytes a path has for this run."""
    begin: Begin
    hidden: tuple[str, ...] = ()
    """Paths that the script could not see."""
    staged: tuple[str, ...] = ()
    """Paths that the run had changed before."""


def collect_layer(
    layer: Path,
    ground: Ground,
    protected: tuple[str, ...] = PROTECTED,
    max_files: int = _LIMITS.staged_files,
    max_bytes: int = _LIMITS.staged_bytes,
) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """What a script did, sorted by path, and what of it does not count, with the reason.

    Raises VaultError when the script changed more than a run may.
    """
    odd: dict[str, str] = {}
    touched, gone = _look(layer, ground, odd, most=100 * max_files)
    new = [path for path in touched if not (os.path.lexists(ground.root / path) or path in ground.staged)]
    if new:
        odd |= find_twins([entry.path for entry in list_files(ground.root)], new)
    changes: list[Change] = []
    for path in sorted({*touched, *gone} - odd.keys()):
        try:
            _require_ours(path, ground, protected)
            after = read_back(layer, path, max_bytes) if path in touched else None
        except VaultError as error:
            odd[path] = str(error).removeprefix(shown(path)).lstrip(": ")
            continue
        old = ground.before(path)
        if after != old:
            changes.append(Change(path, old, after))
            check_room(changes, max_files, max_bytes)
    return tuple(changes), tuple(Problem(shown(path), 0, odd[path]) for path in sorted(odd))


def _look(layer: Path, ground: Ground, odd: dict[str, str], most: int) -> tuple[set[str], set[str]]:
    """Paths of the files that were written and of those that went away; path -> reason for all else into `odd`."""
    touched: set[str] = set()
    gone: set[str] = set()
    for path, found in _walk(layer, odd, most):
        if stat.S_ISCHR(found.st_mode):
            gone |= set(_files_at(path, ground))
        elif stat.S_ISDIR(found.st_mode):
            if _replaces_folder(layer / path):
                gone |= set(_files_at(path, ground))
            elif not _is_folder(ground.root / path) and ground.before(path) is not None:
                gone.add(path)
        else:
            touched.add(path)
            if _is_folder(ground.root / path):
                gone |= set(_files_at(path, ground))
    return touched, gone - touched


def _walk(layer: Path, odd: dict[str, str], most: int) -> Iterator[tuple[str, os.stat_result]]:
    """Every file, folder and whiteout of a layer."""
    todo = [""]
    while todo:
        prefix = todo.pop()
        try:
            with os.scandir(layer / prefix) as listing:
                for item in listing:
                    most -= 1
                    if most < 0:
                        raise VaultError("the script left more files behind than can be looked at")
                    path, found = prefix + item.name, item.stat(follow_symlinks=False)
                    is_whiteout = stat.S_ISCHR(found.st_mode) and found.st_rdev == 0
                    if item.name[0] == "." or ODD_NAME.search(item.name):
                        if not is_whiteout:  # made and removed again
                            odd[path] = "a name that no script may use"
                    elif not (is_whiteout or stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
                        odd[path] = "is a link, pipe or device, no ordinary file"
                    else:
                        yield path, found
                        if stat.S_ISDIR(found.st_mode):
                            todo.append(path + "/")
        except OSError:
            odd[prefix.rstrip("/")] = "cannot be looked into after the script"


def _files_at(path: str, ground: Ground) -> Iterator[str]:
    """The files that were at or below a path, as the script saw the vault."""
    if ground.before(path) is not None:
        candidates = [path]
    else:
        below = [entry.path for entry in list_files(ground.root) if entry.path.startswith(f"{path}/")]
        candidates = [*below, *(other for other in ground.staged if other.startswith(f"{path}/"))]
    for other in candidates:
        if not lies_below(other, ground.hidden) and ground.before(other) is not None:
            yield other


def _replaces_folder(folder: Path) -> bool:
    """Whether a folder of the layer stands in the place of what was below it."""
    try:
        return os.getxattr(folder, "user.overlay.opaque", follow_symlinks=False) == b"y"
    except OSError:
        return False


def _is_folder(file: Path) -> bool:
    return file.is_dir() and not file.is_symlink()


def _require_ours(path: str, ground: Ground, protected: tuple[str, ...]) -> None:
    """Raises VaultError when the script had no business with this path, or somebody else had meanwhile."""
    if (refusal := check_writable(path, protected)) is not None:
        raise VaultError(refusal.reason)
    if lies_below(path, ground.hidden):
        raise VaultError("this place is hidden from the script")
    if path not in ground.staged and _touched_since(ground.root / path, ground.begin.earliest_ns):
        raise VaultError("was changed in the vault while the script ran")


def _touched_since(file: Path, moment_ns: int) -> bool:
    """Whether a file was written, or went away, after this moment; no program can set a ctime."""
    while True:
        try:
            return os.lstat(file).st_ctime_ns > moment_ns
        except OSError:
            file = file.parent  # what is not there may just have been deleted: its folder would tell
