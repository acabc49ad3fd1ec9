"""How a child gives everything up: what it may still see and use in, a bare process out. *Process*.

The order matters. First the private root, while there are powers to mount with; then ceilings; then the person's own
id is shed where it is root's; then Landlock; last the system call filter, after which nothing here could be done again.
Runs in the child: standard library only.

**Source**: capabilities(7), user_namespaces(7), prctl(2).
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from . import ceilings, landlock, listing, mounts, seccomp, syscalls

LINK, TREE, RULES, LINE, DIAL = 3, 4, 5, 6, 7
"""Descriptors every child is born with: its socket, the programs' mount namespace, the programs' Landlock rules, the
line on which nest hears of it, and for a tool with hosts to reach the socket on which it asks for them."""

NOBODY = 65534
_FEW_FILES = 64
"""Open ones where scratch lies on the disk: what was removed and is still open takes room that nobody can measure."""
_PACKAGES = ("site-packages", "dist-packages")
_ZONES = "/usr/share/zoneinfo"
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_PROGRAMS = ("/bin", "/usr/bin", "/usr/local/bin", "/usr/share", "/etc/alternatives", "/etc/fonts")
_TRUST = ("/etc/ssl", "/usr/lib/ssl", "/usr/share/ca-certificates", "/etc/pki", "/etc/ca-certificates")
"""Where systems keep whom they trust, for TLS."""
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


class Box(NamedTuple):
    """What all children of one parent share."""

    full: bool
    """With namespaces; without them Landlock and the filter stand alone."""
    version: int
    """Of Landlock."""
    without: frozenset[str]
    """Layers left out, to measure what each of them stops; never for anybody's program."""
    folder: str
    """Where the private roots are mounted."""
    filters: dict[str, bytes]
    standard: tuple[str, ...]
    """Folders of the standard library."""
    as_nobody: bool
    """Programs can do without the owner's rights to files: the standard library is everybody's to read."""
    crowd: int
    """Processes that this machine already has, where those of one user are counted together with them."""
    parent: int


def prepare(full: bool, version: int, folder: str, without: frozenset[str]) -> Box:
    """Make what all children share, and put the programs' tree and rules where they will find them."""
    standard = tuple(dict.fromkeys(os.path.realpath(path) for path in sys.path if os.path.isdir(path)))
    tops = tuple(path for path in standard if not any(path.startswith(f"{other}/") for other in standard))
    if full:
        _open_tree(folder, tops)
    rules = landlock.open_rules(version)
    for top in tops:
        landlock.allow(rules, version, landlock.around(top, _PACKAGES))
    landlock.allow(rules, version, [(os.path.realpath(_ZONES), landlock.READ)])
    os.dup2(rules, RULES, inheritable=False)
    machine = syscalls.machine()
    filters = {
        "program": seccomp.draft_filter(machine, files=False),
        "tool": seccomp.draft_filter(machine, files=True, marks=full),
        "keep": seccomp.draft_filter(machine, files=True, marks=full, keep=True),
        "run": seccomp.draft_filter(machine, files=True, marks=full, run=True),
    }
    as_nobody = all(_is_open(top, alone=full) for top in tops)
    crowd = 0 if full else _count_processes()
    return Box(full, version, without, folder, filters, tops, as_nobody, crowd, os.getpid())


def isolate_program(box: Box, wish: dict[str, Any]) -> None:
    """Leave this process nothing but its socket, the standard library to read, and its ceilings. Raises OSError."""
    _die_with_parent(box)
    if box.full:
        syscalls.syscall("setns", TREE, mounts.NEWNS)
    os.chdir("/")
    _hold(box, wish, file_bytes=0)
    _shed(0 if not box.as_nobody else NOBODY, NOBODY)
    _die_with_parent(box)
    _shut(box, RULES, "program")
    os.close(TREE)


def isolate_tool(box: Box, wish: dict[str, Any]) -> int:
    """Leave this process its vault to read, a scratch folder, and what the wish grants besides. Raises OSError.

    Returns a descriptor of the folder that nest looks into when all is done, or -1.
    """
    _die_with_parent(box)
    os.close(TREE)
    os.close(RULES)
    owner = os.stat(wish["root"])
    kept = -1
    if box.full:
        kept = _build_tree(box, wish)
    elif wish["over"] or wish["collect"]:
        raise mounts.NoLayers("no folder can be laid over another without namespaces")
    elif wish["shown"] != wish["root"] or wish["run"]:
        raise OSError("without namespaces a vault cannot be shown elsewhere, nor a process tree be ended as a whole")
    if isinstance(wish["writable"], list):
        _make_folders(wish["shown"], wish["writable"], owner)
    rules = landlock.open_rules(box.version)
    noted: dict[str, list[str]] = {}
    landlock.allow(rules, box.version, _tool_powers(box, wish, noted))
    listing.install(noted)
    os.chdir(wish["scratch"] if wish["kind"] == "program" else wish["shown"])
    _hold(box, wish, file_bytes=wish["file_bytes"])
    _shed(owner.st_uid, owner.st_gid)
    _die_with_parent(box)
    _shut(box, rules, "run" if wish["run"] else "keep" if wish["kind"] == "keep" else "tool")
    return kept


def _hold(box: Box, wish: dict[str, Any], *, file_bytes: int) -> None:
    few = wish if box.full else {**wish, "open_files": min(wish["open_files"], _FEW_FILES)}
    ceilings.hold(few, file_bytes=file_bytes, processes=box.crowd + wish["processes"])


def _shut(box: Box, rules: int, profile: str) -> None:
    """The last two walls, for good: no privilege can be gained any more (prctl(2), PR_SET_NO_NEW_PRIVS)."""
    syscalls.syscall("prctl", 38, 1, 0, 0, 0)
    if "landlock" not in box.without:
        landlock.restrict(rules)
    os.close(rules)
    if "filter" not in box.without:
        seccomp.restrict(box.filters[profile])


def _open_tree(folder: str, tops: Sequence[str]) -> None:
    """Build the programs' root once, in a mount namespace of its own that every program then joins."""
    home, here = os.open("/proc/self/ns/mnt", os.O_RDONLY), os.open("/", os.O_PATH)
    syscalls.syscall("unshare", mounts.NEWNS)
    tree = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    mounts.open_root(folder)
    for top in (*tops, _ZONES):
        if os.path.isdir(top):
            mounts.show(folder, os.path.realpath(top), os.path.realpath(top))
            mounts.cover(folder, os.path.realpath(top), _PACKAGES)
    mounts.enter(folder)
    syscalls.syscall("setns", home, mounts.NEWNS)
    os.fchdir(here)
    os.dup2(tree, TREE, inheritable=False)
    for descriptor in (home, here, tree):
        os.close(descriptor)


def _build_tree(box: Box, wish: dict[str, Any]) -> int:
    """Build the private root of one tool and enter it; the folder that is collected afterwards, open, or -1."""
    syscalls.syscall("unshare", mounts.NEWNS)
    root, shown = box.folder, wish["shown"]
    mounts.open_root(root)
    mounts.show_scratch(root, wish["scratch"], wish["scratch_bytes"])
    _show_machine(box, wish)
    mounts.show(root, wish["root"], shown, writable=bool(wish["writable"]) and not wish["collect"], runs=False)
    kept = -1
    if wish["over"] or wish["collect"]:
        most = wish["scratch_bytes"] if wish["collect"] else 0
        kept = mounts.lay(root, shown, hidden=wish["hide"], over=wish["over"], max_bytes=most)
    elif wish["writable"]:
        mounts.cover(root, shown, wish["hide"])
    else:
        mounts.hide(root, shown, wish["hide"])
    mounts.enter(root)
    return os.open(wish["scratch"], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if wish["kind"] == "program" else kept


def _show_machine(box: Box, wish: dict[str, Any]) -> None:
    """What of the machine a tool is shown: devices that do nothing, libraries, packages, its programs."""
    root = box.folder
    for file in _DEVICES:
        mounts.show(root, file, file, writable=True, runs=False)
    for file in _places(wish):
        if os.path.islink(file):
            mounts.show_link(root, file, os.readlink(file))
        elif os.path.exists(file):
            mounts.show(root, file, file)
    for file in sorted({*box.standard, _ZONES, *wish["site"]}):
        if os.path.isdir(file) and not os.path.isdir(root + file):
            mounts.show(root, file, file)


def _tool_powers(box: Box, wish: dict[str, Any], noted: dict[str, list[str]]) -> Iterator[tuple[str, int]]:
    for file in (*box.standard, *_places(wish), _ZONES, *wish["site"]):
        yield os.path.realpath(file), landlock.READ
    for file in _DEVICES:
        yield file, landlock.WRITE
    yield wish["scratch"], landlock.WRITE
    yield from _vault_powers(box, wish, noted)
    for file in wish["run"]:
        yield file, landlock.EXECUTE | landlock.READ


def _places(wish: dict[str, Any]) -> tuple[str, ...]:
    """Places of the machine that hold nobody's secrets, as far as this child needs them."""
    return (*_LIBRARIES, *(_PROGRAMS if wish["run"] else ()), *(_TRUST if wish["network"] else ()))


def _vault_powers(box: Box, wish: dict[str, Any], noted: dict[str, list[str]]) -> Iterator[tuple[str, int]]:
    shown, hidden = wish["shown"], () if box.full else wish["hide"]
    vault = landlock.WRITE if wish["writable"] is True else landlock.READ
    if wish["read"] is None:
        yield from landlock.around(shown, hidden, vault, noted)
    else:
        yield from landlock.around(shown, hidden, landlock.LIST, noted)
        for path in wish["read"]:
            inside = [other[len(path) + 1 :] for other in hidden if other.startswith(f"{path}/")]
            yield from landlock.around(f"{shown}/{path}", inside, vault, noted)
    if isinstance(wish["writable"], list):
        for path in wish["writable"]:
            yield f"{shown}/{path}".rstrip("/"), landlock.WRITE


def _make_folders(shown: str, paths: Sequence[str], owner: os.stat_result) -> None:
    """The folders a tool may write to, where they are not there yet; in a private view, so the vault gains nothing."""
    for path in paths:
        place = shown
        for part in filter(None, path.split("/")):
            place = f"{place}/{part}"
            if os.path.islink(place):
                raise OSError(f"{path} passes a link")
            if not os.path.isdir(place):
                os.mkdir(place)
                if os.geteuid() == 0:
                    os.chown(place, owner.st_uid, owner.st_gid)


def _shed(user: int, group: int) -> None:
    """Give up root's name where we have it, every capability, and the right to be looked into.

    Root becomes `user` for what files allow, and nobody for everything else: with the real id of nobody the ceiling
    on processes counts, which the kernel does not hold against root. A root that may not change its id keeps it, but
    none of its powers. An ordinary person's id stays: it has no powers to shed.
    """
    with contextlib.suppress(OSError):  # a right only some have, and the capabilities go anyhow
        syscalls.syscall("prctl", 28, 3, 0, 0, 0)
    if os.geteuid() == 0:
        with contextlib.suppress(OSError):
            os.setgroups([])
            os.setresgid(NOBODY, group, group)
            os.setresuid(NOBODY, user, user)
    syscalls.syscall("capset", struct.pack("Ii", 0x20080522, 0), bytes(24))
    syscalls.syscall("prctl", 4, 0, 0, 0, 0)


def _die_with_parent(box: Box) -> None:
    """Ask to be killed when the parent ends; changing one's id undoes it, so it is asked again after that."""
    syscalls.syscall("prctl", 1, 9, 0, 0, 0)
    if os.getppid() not in (0, box.parent):
        os._exit(1)


def _is_open(folder: str, *, alone: bool) -> bool:
    """Whether everybody may read this folder; `alone` when the folders above it will not be in the way."""
    above = [] if alone else [folder[:place] for place, letter in enumerate(folder) if letter == "/" and place]
    return os.stat(folder).st_mode & 0o005 == 0o005 and all(os.stat(path).st_mode & 0o001 for path in above)


def _count_processes() -> int:
    """Threads on this machine now (proc_loadavg(5)); those of one user are fewer."""
    with open("/proc/loadavg", encoding="ascii") as file:
        return int(file.read().split()[3].partition("/")[2])
