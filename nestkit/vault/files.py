"""A vault's root in; its files out, listed and read as the disk has them, no link followed. *Disk*."""

from __future__ import annotations

import hashlib
import marshal
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from nestkit.errors import OutsideVault, VaultError
from nestkit.note import Problem
from nestkit.vault.beneath import hold_folder, open_file, open_folder, read_all, require_ordinary, told
from nestkit.vault.leftover import is_temp
from nestkit.vault.names import ODD_NAME, PATH_CHARS, fold, require_path, shown

_LEFTOVERS = frozenset(("__pycache__", "node_modules", "site-packages"))
"""What Python and JavaScript leave beside scripts; of no use to anyone who reads the vault."""

Report = Callable[[Problem], None]


class Entry(NamedTuple):
    """One file as the disk's walk found it; a tuple, since every command makes one for each file of the vault."""

    path: str
    """Vault-relative, `/` between parts, spelled as stored (NFC or NFD)."""
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    target: str = ""
    """For a link: the path of the file it leads to, which is the one to read and to ask about privacy."""


@dataclass(slots=True)
class Folder:
    """The files of one folder as the disk's walk found them; entries are made when asked for, since most never are."""

    path: str
    """Vault-relative; empty for the root."""
    names: list[str] = field(default_factory=list)
    stats: list[os.stat_result] = field(default_factory=list)
    """Of each name."""
    links: list[Entry] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.names) + len(self.links)

    def entries(self) -> Iterator[Entry]:
        """Each file of the folder itself, links last."""
        prefix = self.path + "/" if self.path else ""
        for name, found in zip(self.names, self.stats, strict=True):
            yield Entry(prefix + name, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        yield from self.links

    def seal(self) -> bytes:
        """A digest of all names, sizes, times and inodes: equal as long as nothing in the folder moved."""
        numbers: list[int] = []
        for found in self.stats:
            numbers += (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        told = marshal.dumps((self.names, numbers, list(map(tuple, self.links))), 2)  # later forms depend on refcounts
        return hashlib.blake2b(told, digest_size=16).digest()


def list_files(root: Path, system: str = "02_System", report: Report = lambda problem: None) -> Iterator[Entry]:
    """Every ordinary file of the vault, in no order; see `list_folders`."""
    for folder in list_folders(root, system, report):
        yield from folder.entries()


def list_folders(
    root: Path,
    system: str = "02_System",
    report: Report = lambda problem: None,
    on_temp: Callable[[str], None] = lambda path: None,
) -> Iterator[Folder]:
    """Every folder of the vault with its ordinary files, in no order; what is left out for a reason goes to `report`.

    Left out in silence: names with a leading dot (for Obsidian they do not exist) and, below the `system` folder,
    caches and environments. Reported: names that are no valid text, links that leave the vault or lead to a folder,
    pipes and devices, folders that cannot be read. A link to a file of the vault is listed with its `target`.
    `on_temp` gets the paths of temporary files of ours that lie about.
    """
    base = os.path.realpath(root) + "/"
    todo = [""]
    while todo:
        prefix = todo.pop()
        try:
            yield _list_folder(base, prefix, system, todo, report, on_temp)
        except FileNotFoundError:
            pass  # gone since its parent was listed
        except OSError as error:
            report(Problem(shown(prefix.rstrip("/")), 0, f"cannot be listed: {os.strerror(error.errno or 0)}"))


def _list_folder(
    base: str, prefix: str, system: str, todo: list[str], report: Report, on_temp: Callable[[str], None]
) -> Folder:
    """The folder at `prefix`, which ends in `/` or is empty; folders in it are put on `todo`."""
    folder = Folder(prefix[:-1])
    with os.scandir(base + prefix) as listing:
        for item in listing:
            name = item.name
            if name[0] == ".":
                if is_temp(name):
                    on_temp(prefix + name)
                continue
            if ODD_NAME.search(name) or (not prefix and name[0] == "~") or len(prefix) + len(name) > PATH_CHARS:
                report(Problem(shown(prefix + name), 0, "nest cannot use this name; rename it to make it count"))
            elif item.is_dir(follow_symlinks=False):
                if not (prefix.startswith(system + "/") and _is_leftover(item)):
                    todo.append(prefix + name + "/")
            elif item.is_file(follow_symlinks=False):
                try:
                    found = item.stat(follow_symlinks=False)
                except OSError as error:
                    _report_lost(prefix + name, error, report)
                else:
                    folder.names.append(name)
                    folder.stats.append(found)
            elif item.is_symlink():
                folder.links += _linked_entry(base, prefix + name, report)
            else:
                report(Problem(shown(prefix + name), 0, "is a pipe, socket or device, no ordinary file"))
    return folder


def read_file(root: Path, path: str, max_bytes: int) -> bytes:
    """The bytes of one file, however hostile the path.

    Raises OutsideVault for what is no vault path, passes a link or is no ordinary file, NoteMissing, and VaultError
    for a file beyond `max_bytes` or one the system will not open. Errors name the vault path only.
    """
    with told(path), hold_folder(root, path) as (folder, name):
        file = open_file(folder, name, path)
        try:
            return read_all(file, path, max_bytes)
        finally:
            os.close(file)


def read_settings(file: Path, max_bytes: int = 4 << 20) -> str:
    """The text of a settings file, its byte order mark left out; links are followed, since people link their settings.

    Raises FileNotFoundError, OSError and UnicodeDecodeError; VaultError for a pipe, a device, or what is too large.
    """
    opened = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe must not make us wait
    try:
        return read_all(require_ordinary(opened, file.name), file.name, max_bytes).decode("utf-8-sig")
    finally:
        os.close(opened)


def read_files(root: Path, paths: Iterable[str], max_bytes: int) -> Iterator[bytes | VaultError]:
    """The bytes of each file, or why it cannot be read; a folder is opened once for all that follow one another.

    As careful as `read_file`: the folder is held open, so nothing swapped in meanwhile can lead out.
    """
    with ExitStack() as held:
        folder, inside = -1, None
        for path in paths:
            above, _, name = path.rpartition("/")
            try:
                with told(path):
                    if above != inside:
                        inside = None
                        held.close()
                        folder, inside = held.enter_context(hold_folder(root, path))[0], above
                    file = open_file(folder, name, path)
                    try:
                        yield read_all(file, path, max_bytes)
                    finally:
                        os.close(file)
            except VaultError as error:
                yield error


def find_spelling(root: Path, path: str) -> str:
    """The path as the disk spells it, when a file or its first folders are there up to case and Unicode form.

    An exact match wins over a folded one; parts that are not there stay as given.
    """
    spelled: list[str] = []
    for part in require_path(path).split("/"):
        names = _names(root, spelled)
        if part not in names:
            wanted = fold(part)
            part = next((name for name in sorted(names) if fold(name) == wanted), part)
        spelled.append(part)
    return "/".join(spelled)


def _names(root: Path, parts: list[str]) -> set[str]:
    try:
        folder = open_folder(root, parts)
    except (OSError, OutsideVault):
        return set()
    try:
        with os.scandir(folder) as listing:
            return {item.name for item in listing}
    finally:
        os.close(folder)


def _report_lost(path: str, error: OSError, report: Report) -> None:
    if not isinstance(error, FileNotFoundError):  # gone since it was listed
        report(Problem(shown(path), 0, f"cannot be looked at: {os.strerror(error.errno or 0)}"))


def _linked_entry(base: str, path: str, report: Report) -> list[Entry]:
    """The file a link stands for, if it leads to one that may be read."""
    file = Path(os.path.realpath(base + path))
    target = str(file).removeprefix(base)
    try:
        found = file.stat() if file.is_file() else None
    except OSError as error:
        _report_lost(path, error, report)
        return []
    if not str(file).startswith(base):
        why = "leads out of the vault"
    elif any(part.startswith(".") or ODD_NAME.search(part) for part in target.split("/")):
        why = "leads to a hidden place"
    elif found is None:
        why = "leads to no file"
    else:
        return [Entry(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, target)]
    report(Problem(shown(path), 0, f"is a link that {why}; nest does not follow it"))
    return []


def _is_leftover(item: os.DirEntry[str]) -> bool:
    return item.name in _LEFTOVERS or Path(item.path, "pyvenv.cfg").exists()
