"""Run by test_crash.py as a process of its own: changes applied to a vault on a disk that is really full at some point.

In namespaces of its own it mounts a small disk in memory, one page (or one file) larger each time, until all fits.
What it found is printed as JSON; nothing of it is to be seen from outside.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections import Counter
from pathlib import Path

from crashes import CHANGES, State, make, state

from nestkit.errors import NestError
from nestkit.vault.apply import apply_changes, recover

_NEWUSER, _NEWNS, _PRIVATE, _DETACH = 0x10000000, 0x00020000, 1 << 18 | 0x4000, 2
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LIBC = ctypes.CDLL(None, use_errno=True)


def call(name: str, *args: object) -> None:
    if getattr(_LIBC, name)(*args):
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")


def sweep(root: Path, option: str, first: int, step: int, wrong: list[str]) -> Counter[str]:
    """How often the vault was left in which state, with disks of each size up to one on which all fits."""
    found: Counter[str] = Counter()
    for size in range(first, first + 200 * step, step):
        call("mount", b"tmpfs", os.fsencode(root), b"tmpfs", 0, option.format(size).encode())
        try:
            found[once(root, option.format(size), wrong)] += 1
        finally:
            call("umount2", os.fsencode(root), _DETACH)
        if found["after"]:
            break
    return found


def once(root: Path, where: str, wrong: list[str]) -> str:
    try:
        make_in(root)
    except OSError:
        return "too small for the vault itself"
    before = state(root)
    try:
        applied = apply_changes(root, "R1", CHANGES)
        told = "" if all(done.applied for done in applied) else "conflict"
    except NestError as error:
        told = str(error)
    said, now = recover(root), state(root)
    if left := [str(file) for file in root.rglob(".nest-*")] + [str(file) for file in root.glob(".nest/open-*")]:
        wrong.append(f"{where}: left behind: {left}")
    if said:
        wrong.append(f"{where}: to be recovered: {said}")
    if now == before:
        if "the disk is full" not in told:
            wrong.append(f"{where}: as before, and told {told!r}")
        return "before"
    if told or not is_after(now):
        wrong.append(f"{where}: {told!r}: {now}")
        return "half"
    return "after"


def make_in(root: Path) -> None:
    """The vault, made in a folder that is there already."""
    make(root / "vault")
    for entry in (root / "vault").iterdir():
        entry.rename(root / entry.name)
    (root / "vault").rmdir()


def is_after(now: State) -> bool:
    return all((now[change.path][1] if change.path in now else None) == change.after for change in CHANGES)


def main(root: Path) -> None:
    user, group = os.geteuid(), os.getegid()
    try:
        call("unshare", _NEWNS if user == 0 else _NEWNS | _NEWUSER)
        if user:
            Path("/proc/self/setgroups").write_text("deny", "ascii")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1", "ascii")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1", "ascii")
        call("mount", None, b"/", None, _PRIVATE, None)
    except OSError as error:
        print(json.dumps({"skipped": str(error)}))
        return
    wrong: list[str] = []
    found = {
        "pages": sweep(root, "size={}", 4 * _PAGE, _PAGE, wrong),
        "files": sweep(root, "nr_inodes={}", 8, 1, wrong),
    }
    print(json.dumps({"found": found, "wrong": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
