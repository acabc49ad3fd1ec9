"""Which files a child may touch: folders with their powers in, a Landlock domain out. *Process*.

Runs in the child: standard library only.

**Source**: landlock(7), Linux `include/uapi/linux/landlock.h`.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable, Iterator

from . import syscalls

EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE, _IOCTL = 1 << 14, 1 << 15
_OF_FILES = EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
LIST = _READ_DIR
READ = _READ_FILE | _READ_DIR
WRITE = READ | _WRITE_FILE | _TRUNCATE | 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 13
"""Remove, make folders and plain files, move. Never links, pipes, sockets or devices."""
LINK = 1 << 12
"""Make symbolic links: for a helper of nest's own, which keeps its cache by them."""
_KNOWN = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""Version -> how many file rights it knows."""
_BEST = 6


def find_version(most: int = _BEST) -> int:
    """The newest version of Landlock, up to `most`, that this kernel really takes; 0 when it has none.

    Tried by use: some kernels report a version without all that belongs to it.
    """
    try:
        most = min(most, syscalls.syscall("landlock_create_ruleset", None, 0, 1))
    except OSError:
        return 0
    for version in range(most, 0, -1):
        try:
            os.close(open_rules(version))
        except OSError:
            continue
        return version
    return 0


def open_rules(version: int) -> int:
    """The descriptor of a new, empty set of rules: all files, all of TCP and all other processes refused."""
    files = (1 << _KNOWN[min(version, 5)]) - 1
    given = struct.pack("QQQ", files, 3, 3)[: 8 if version < 4 else 16 if version < 6 else 24]
    return syscalls.syscall("landlock_create_ruleset", given, len(given), 0)


def allow(rules: int, version: int, powers: Iterable[tuple[str, int]]) -> None:
    """Add powers, each over a folder and all below it or over one file; links and what is not there are left out."""
    known = (1 << _KNOWN[min(version, 5)]) - 1
    for file, power in powers:
        try:
            place = os.open(file, os.O_PATH | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue
        try:
            mode = os.stat(place).st_mode
            if not stat.S_ISLNK(mode):
                power &= known if stat.S_ISDIR(mode) else known & _OF_FILES
                if power:
                    syscalls.syscall("landlock_add_rule", rules, 1, struct.pack("=Qi", power, place), 0)
        finally:
            os.close(place)


def allow_ports(rules: int, ports: Iterable[int]) -> None:
    """Let TCP connections be made to these ports, of any host; from version 4 on."""
    for port in ports:
        syscalls.syscall("landlock_add_rule", rules, 2, struct.pack("=QQ", 2, port), 0)


def restrict(rules: int) -> None:
    """Bind this process, for good, to these rules; it must have given up new privileges before. Raises OSError."""
    syscalls.syscall("landlock_restrict_self", rules, 0)


def around(
    root: str, hidden: Iterable[str], power: int = READ, noted: dict[str, list[str]] | None = None
) -> Iterator[tuple[str, int]]:
    """Powers over all below a folder but the hidden paths (relative to it).

    Landlock only ever adds, and to all below: so each thing in the folders on the way to what is hidden is named.
    These folders may be listed, and what is hidden with them, unless `noted` is given: then they may not, and the names
    that may be seen in them are put there.
    """
    branches: dict[str, set[str]] = {}
    for path in hidden:
        first, _, rest = path.strip("/").partition("/")
        if first and os.path.lexists(f"{root}/{first}"):
            branches.setdefault(first, set()).add(rest)
    if not branches:
        yield root, power
        return
    entries = os.listdir(root)
    if noted is None:
        yield root, LIST
    else:
        noted[os.path.realpath(root)] = [entry for entry in entries if "" not in branches.get(entry, ())]
    for entry in entries:
        if entry not in branches:
            yield f"{root}/{entry}", power
        elif "" not in branches[entry] and not os.path.islink(f"{root}/{entry}") and os.path.isdir(f"{root}/{entry}"):
            yield from around(f"{root}/{entry}", branches[entry], power, noted)
