"""A vault and staged changes in; a private copy for a script, and what the script changed there, out. *Disk*.

The copy costs no space where the disk can share blocks. What comes back from it is hostile: a script may leave links,
pipes, sparse giants and folders it locked behind it, so each file is opened and looked at before a byte is believed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nestkit.change import Change
from nestkit.errors import VaultError
from nestkit.note import Problem
from nestkit.policy import PROTECTED, Limits
from nestkit.vault.beneath import hold_folder, open_file, read_all, told
from nestkit.vault.files import list_files
from nestkit.vault.names import ODD_NAME, check_writable, fold, matches_any, shown

_LIMITS = Limits()


class Stamp(NamedTuple):
    """What tells without reading whether a file was touched; no program can set its own ctime."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int


@dataclass(frozen=True, slots=True)
class View:
    """A private copy of a vault, and how it was when it was made."""

    folder: Path
    """Its root, absolute: the script's working folder."""
    root: Path
    """The vault it was made from."""
    files: Mapping[str, Stamp]
    """Path -> the copy, just made."""
    sources: Mapping[str, Stamp]
    """Path -> the file it was copied from; staged files have none."""
    hide: tuple[str, ...]


def make_view(root: Path, into: Path, changes: Iterable[Change] = (), hide: tuple[str, ...] = ()) -> View:
    """A copy of the vault in the empty folder `into`, as the run has left it so far.

    Left out: names with a leading dot, paths under `hide`, links that leave the vault or lead to something hidden, and
    what cannot be read. A link to a file of the vault becomes a file. Raises VaultError when there is no room for it.
    """
    folder = Path(os.path.realpath(into))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise VaultError("a view needs an empty folder")
    staged = {change.path: change.after for change in changes}
    files: dict[str, Stamp] = {}
    sources: dict[str, Stamp] = {}
    for entry in list_files(root):
        if not (entry.path in staged or matches_any(entry.path, hide) or matches_any(entry.target, hide)):
            with suppress(_Unreadable):
                sources[entry.path], files[entry.path] = _copy(root, entry.target or entry.path, folder / entry.path)
    for path, content in staged.items():
        if content is not None and not matches_any(path, hide):
            files[path] = _lay(folder / path, content)
    return View(folder, root, files, sources, hide)


def collect_changes(
    view: View,
    before: Callable[[str], bytes | None],
    protected: tuple[str, ...] = PROTECTED,
    max_files: int = _LIMITS.staged_files,
    max_bytes: int = _LIMITS.staged_bytes,
) -> tuple[tuple[Change, ...], tuple[Problem, ...]]:
    """What a script did in its view, sorted by path, and what of it does not count, with the reason.

    `before` gives the bytes a path has for this run, as `Stage.read` does. Only what looks touched is read. Raises
    VaultError when the script changed more than a run may.
    """
    odd: dict[str, str] = {}
    found = dict(_walk(view.folder, odd, most=2 * len(view.files) + 100 * max_files))
    touched = [path for path, stamp in found.items() if view.files.get(path) != stamp]
    # what lies in something odd: nobody knows if it is gone
    gone = [path for path in view.files if path not in found and not lies_below(path, odd)]
    odd |= find_twins(view.files, [path for path in touched if path not in view.files])
    changes: list[Change] = []
    for path in sorted({*touched, *gone} - odd.keys()):
        try:
            _require_ours(view, path, protected)
            after = read_back(view.folder, path, max_bytes) if path in found else None
        except VaultError as error:
            odd[path] = str(error).removeprefix(shown(path)).lstrip(": ")
            continue
        old = before(path)
        if old is not None and path not in view.files:
            odd[path] = "is in the vault already, where this script could not see it"
        elif after != old:
            changes.append(Change(path, old, after))
            check_room(changes, max_files, max_bytes)
    return tuple(changes), tuple(Problem(shown(path), 0, odd[path]) for path in sorted(odd))


def check_room(changes: list[Change], max_files: int, max_bytes: int) -> None:
    """Raises VaultError when these are more files, or bytes, than a run may change."""
    if len(changes) > max_files:
        raise VaultError(f"a run may change {max_files} files at the most", "do it in several runs")
    if sum(len(change.after or b"") for change in changes) > max_bytes:
        raise VaultError(f"a run may write {max_bytes:,} bytes at the most", "do it in several runs")


class _Unreadable(Exception):
    """A file of the vault that went away, became a link, or may not be read."""


def _copy(root: Path, path: str, target: Path) -> tuple[Stamp, Stamp]:
    """The stamps of a file and of its copy, which has its bytes, times and mode."""
    try:
        with told(path), hold_folder(root, path) as (folder, name):
            source = open_file(folder, name, path)
    except VaultError:
        raise _Unreadable(path) from None
    try:
        found = os.fstat(source)
        with _made(target) as copy:
            _pour(source, copy)
            os.fchmod(copy, found.st_mode & 0o777 | 0o600)
            os.utime(copy, ns=(found.st_atime_ns, found.st_mtime_ns))
            return _stamp(found), _stamp(os.fstat(copy))
    finally:
        os.close(source)


def _lay(target: Path, content: bytes) -> Stamp:
    with _made(target) as copy:
        left = memoryview(content)
        while left:
            left = left[os.write(copy, left) :]
        return _stamp(os.fstat(copy))


@contextmanager
def _made(target: Path) -> Iterator[int]:
    with told(target.name):
        try:
            copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileNotFoundError:
            target.parent.mkdir(parents=True)
            copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            yield copy
        finally:
            os.close(copy)


def _pour(source: int, copy: int) -> None:
    """Every byte, shared with the source where the disk can. **Source**: copy_file_range(2)."""
    with suppress(OSError, AttributeError):  # another file system, an old kernel, macOS
        while os.copy_file_range(source, copy, 1 << 30):
            pass
        return
    os.ftruncate(copy, 0)
    os.lseek(copy, 0, os.SEEK_SET)
    os.lseek(source, 0, os.SEEK_SET)
    while chunk := os.read(source, 1 << 20):
        left = memoryview(chunk)
        while left:
            left = left[os.write(copy, left) :]


def _walk(folder: Path, odd: dict[str, str], most: int) -> Iterator[tuple[str, Stamp]]:
    """Every ordinary file of a view; path -> reason goes into `odd` for all else that a script may have left."""
    base, todo = f"{folder}/", [""]
    while todo:
        prefix = todo.pop()
        try:
            with os.scandir(base + prefix) as listing:
                for item in listing:
                    most -= 1
                    if most < 0:
                        raise VaultError("the script left more files behind than can be looked at")
                    path = prefix + item.name
                    if item.name[0] == "." or ODD_NAME.search(item.name):
                        odd[path] = "a name that no script may use"
                    elif item.is_dir(follow_symlinks=False):
                        todo.append(path + "/")
                    elif item.is_file(follow_symlinks=False):
                        yield path, _stamp(item.stat(follow_symlinks=False))
                    else:
                        odd[path] = "is a link, pipe or device, no ordinary file"
        except OSError:
            odd[prefix.rstrip("/")] = "cannot be looked into after the script"


def _require_ours(view: View, path: str, protected: tuple[str, ...]) -> None:
    """Raises VaultError when the script had no business with this path, or somebody else had meanwhile."""
    if (refusal := check_writable(path, protected)) is not None:
        raise VaultError(refusal.reason)
    if matches_any(path, view.hide):
        raise VaultError("this place is hidden from scripts")
    if path in view.sources:
        try:
            now = _stamp(os.lstat(view.root / path))
        except OSError:
            raise VaultError("was moved or deleted in the vault while the script ran") from None
        was = view.sources[path]
        if (now.size, now.mtime_ns, now.inode) != (was.size, was.mtime_ns, was.inode):
            raise VaultError("was changed in the vault while the script ran")


def read_back(folder: Path, path: str, max_bytes: int) -> bytes:
    """The bytes of a file that a script wrote. Raises VaultError for what is no ordinary file of one name."""
    with told(path), hold_folder(folder, path) as (parent, name):
        file = open_file(parent, name, path)
        try:
            if os.fstat(file).st_nlink > 1:
                raise VaultError("has a second name (a hard link)")
            return read_all(file, path, max_bytes)
        finally:
            os.close(file)


def find_twins(files: Iterable[str], new: list[str]) -> dict[str, str]:
    """Path -> reason, for new names and the old ones that would be the same file on a disk that ignores case."""
    first = {fold(path): path for path in files} if new else {}
    found: dict[str, str] = {}
    for path in sorted(new):
        if (other := first.setdefault(fold(path), path)) != path:
            found[path] = f"is {shown(other)} but for letter case or accents' form"
            found[other] = f"is {shown(path)} but for letter case or accents' form"
    return found


def lies_below(path: str, places: Container[str]) -> bool:
    """Whether a path is one of these places, or lies in one."""
    parts = path.split("/")
    return any("/".join(parts[:count]) in places for count in range(len(parts) + 1))


def _stamp(found: os.stat_result) -> Stamp:
    return Stamp(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
