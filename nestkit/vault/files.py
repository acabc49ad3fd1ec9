"""A vault's root in; its files out, listed and read as the disk has them, no link followed. *Disk*."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from nestkit.errors import OutsideVault
from nestkit.note import Problem
from nestkit.vault.beneath import hold_folder, open_file, open_folder, read_all, told
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


def list_files(root: Path, system: str = "02_System", report: Report = lambda problem: None) -> Iterator[Entry]:
    """Every ordinary file of the vault, in no order; what is left out for a reason goes to `report`.

    Left out in silence: names with a leading dot (for Obsidian they do not exist) and, below the `system` folder,
    caches and environments. Reported: names that are no valid text, links that leave the vault or lead to a folder,
    pipes and devices, folders that cannot be read. A link to a file of the vault is listed with its `target`.
    """
    base = os.path.realpath(root) + "/"
    todo = [""]
    while todo:
        prefix = todo.pop()
        try:
            with os.scandir(base + prefix) as listing:
                for item in listing:
                    name = item.name
                    if name[0] == ".":
                        continue
                    path = prefix + name
                    if ODD_NAME.search(name) or path[0] == "~" or len(path) > PATH_CHARS:
                        report(Problem(shown(path), 0, "nest cannot use this name; rename it to make it count"))
                    elif item.is_dir(follow_symlinks=False):
                        if not (path.startswith(system + "/") and _is_leftover(item)):
                            todo.append(path + "/")
                    elif (entry := _entry(base, path, item, report)) is not None:
                        yield entry
        except FileNotFoundError:
            pass  # gone since its parent was listed
        except OSError as error:
            report(Problem(shown(prefix.rstrip("/")), 0, f"cannot be listed: {os.strerror(error.errno or 0)}"))


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


def _entry(base: str, path: str, item: os.DirEntry[str], report: Report) -> Entry | None:
    try:
        if item.is_symlink():
            return _linked_entry(base, path, report)
        found = item.stat(follow_symlinks=False)
    except OSError as error:
        if not isinstance(error, FileNotFoundError):  # gone since it was listed
            report(Problem(shown(path), 0, f"cannot be looked at: {os.strerror(error.errno or 0)}"))
        return None
    if stat.S_ISREG(found.st_mode):
        return Entry(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    report(Problem(shown(path), 0, "is a pipe, socket or device, no ordinary file"))
    return None


def _linked_entry(base: str, path: str, report: Report) -> Entry | None:
    file = Path(os.path.realpath(base + path))
    target = str(file).removeprefix(base)
    if not str(file).startswith(base):
        why = "leads out of the vault"
    elif any(part.startswith(".") or ODD_NAME.search(part) for part in target.split("/")):
        why = "leads to a hidden place"
    elif not file.is_file():
        why = "leads to no file"
    else:
        found = file.stat()
        return Entry(path, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, target)
    report(Problem(shown(path), 0, f"is a link that {why}; nest does not follow it"))
    return None


def _is_leftover(item: os.DirEntry[str]) -> bool:
    return item.name in _LEFTOVERS or Path(item.path, "pyvenv.cfg").exists()
