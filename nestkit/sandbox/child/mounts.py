"""The private root of a child: what it shall see in, a file tree with nothing else in it out. *Process*.

All of this happens in a mount namespace of our own: the machine's own tree is never changed. Runs in the child:
standard library only.

**Source**: mount_namespaces(7), mount_setattr(2), move_mount(2), pivot_root(2); overlayfs (whiteouts) in the kernel's
`Documentation/filesystems/overlayfs.rst`.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Iterable

from . import syscalls

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000

_HERE, _RECURSIVE, _EMPTY = -100, 0x8000, 0x1000
_READONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_PRIVATE, _DETACH = 1 << 18, 2


def keep_to_ourselves() -> None:
    """From here on no mount leaves this namespace or comes into it."""
    syscalls.syscall("mount", None, b"/", None, _PRIVATE | 0x4000, None)


def open_root(folder: str) -> None:
    """Mount an empty tree at this folder, to be filled and entered."""
    _tmpfs(folder, max_bytes=1 << 20, max_files=20_000)


def show(root: str, source: str, target: str, *, writable: bool = False, runs: bool = True) -> None:
    """Make a file or folder, with what is mounted below it, appear in the tree; read-only unless said otherwise.

    With `runs`, machine code in it may be loaded.
    """
    place = root + target
    if not os.path.lexists(place):
        _make_place(place, folder=os.path.isdir(source))
    device = stat.S_ISCHR(os.stat(source).st_mode)
    clone = syscalls.syscall("open_tree", _HERE, os.fsencode(source), 1 | os.O_CLOEXEC | _RECURSIVE)
    try:
        flags = _NOSUID | (0 if device else _NODEV) | (0 if writable else _READONLY) | (0 if runs else _NOEXEC)
        _set_flags(clone, b"", flags, _EMPTY | _RECURSIVE)
        syscalls.syscall("move_mount", clone, b"", _HERE, os.fsencode(place), 4)
    finally:
        os.close(clone)


def show_link(root: str, target: str, leads_to: str) -> None:
    """Make a symbolic link appear in the tree."""
    if not os.path.lexists(root + target):
        os.makedirs(os.path.dirname(root + target), exist_ok=True)
        os.symlink(leads_to, root + target)


def show_scratch(root: str, target: str, max_bytes: int) -> None:
    """Make an empty folder appear that anyone may write to, in memory and gone with the tree."""
    os.makedirs(root + target, exist_ok=True)
    _tmpfs(root + target, max_bytes=max_bytes, max_files=10_000, mode="1777")


class NoLayers(OSError):
    """This kernel, or this file system, cannot lay one folder over another."""


def lay(root: str, target: str, *, hidden: Iterable[str] = (), over: str = "", max_bytes: int = 0) -> int:
    """Change what a shown folder shows: `hidden` paths vanish, the files of the folder `over` lie on top.

    With `max_bytes` it may be written to: what is written lies in memory, and the descriptor returned is the folder
    that holds it, with a whiteout for each file that went away; else -1. Raises NoLayers.
    """
    place, mask = root + target, f"{root}/.mask"
    os.mkdir(mask)
    _tmpfs(mask, max_bytes=max_bytes + (8 << 20), max_files=100_000)
    upper, whiteouts = f"{mask}/upper", f"{mask}/whiteouts"
    layers = []
    try:
        for folder in (upper, f"{mask}/work", whiteouts):
            _make_like(folder, place)
        for path in hidden:
            _make_whiteout(whiteouts, place, path)
        if max_bytes:
            os.setxattr(upper, "user.nest", b"")  # where a folder replaces another, the kernel writes so down
        lower = [whiteouts, *([over] if over else []), place]
        layers = [os.open(layer, os.O_PATH | os.O_CLOEXEC) for layer in [*lower, upper, f"{mask}/work"]]
        names = [f"/proc/self/fd/{layer}" for layer in layers]
        options = f"userxattr,lowerdir={':'.join(names[: len(lower)])}"
        if max_bytes:
            options += f",upperdir={names[-2]},workdir={names[-1]}"
        flags = _NOSUID | _NODEV | _NOEXEC | (0 if max_bytes else _READONLY)
        syscalls.syscall("mount", b"overlay", os.fsencode(place), b"overlay", flags, options.encode())
        return os.open(upper, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if max_bytes else -1
    except OSError as error:
        raise NoLayers(error.errno, f"no overlay here: {error.strerror}") from None
    finally:
        for layer in layers:
            os.close(layer)
        syscalls.syscall("umount2", os.fsencode(mask), _DETACH)
        os.rmdir(mask)


def hide(root: str, target: str, paths: Iterable[str]) -> None:
    """Make paths below a shown folder vanish; on kernels without overlays, be empty.

    A read-only overlay with a whiteout for each leaves no trace of them, however many they are.
    """
    present = [path for path in paths if os.path.lexists(f"{root}{target}/{path}")]
    if not present:
        return
    try:
        lay(root, target, hidden=present)
    except NoLayers:
        cover(root, target, present)


def cover(root: str, target: str, paths: Iterable[str]) -> None:
    """Make paths below a shown folder empty: a bare folder or file is mounted over each."""
    for path in paths:
        place = f"{root}{target}/{path}"
        if os.path.islink(place) or not os.path.lexists(place):
            continue
        if os.path.isdir(place):
            _tmpfs(place, max_bytes=4096, max_files=1)
            _set_flags(_HERE, os.fsencode(place), _READONLY, 0)
        else:
            show(root, "/dev/null", place.removeprefix(root))


def enter(root: str) -> None:
    """Make the tree the root of this process and let go of the machine's own; the tree's top becomes read-only."""
    _set_flags(_HERE, os.fsencode(root), _READONLY, 0)
    os.chdir(root)
    syscalls.syscall("pivot_root", b".", b".")
    syscalls.syscall("umount2", b".", _DETACH)
    os.chdir("/")


def _make_like(folder: str, other: str) -> None:
    """A folder with the owner and mode of another: of two that are laid over each other, the upper one's count."""
    found = os.stat(other)
    os.mkdir(folder)
    os.chmod(folder, found.st_mode & 0o777)
    if (found.st_uid, found.st_gid) != (os.geteuid(), os.getegid()):
        os.chown(folder, found.st_uid, found.st_gid)


def _make_whiteout(layer: str, place: str, path: str) -> None:
    """Note that a path is not to be seen in the layers below; what is not there needs none."""
    if not os.path.lexists(f"{place}/{path}"):
        return
    parts = path.split("/")
    for count in range(1, len(parts)):
        above = "/".join(parts[:count])
        if not os.path.lexists(f"{layer}/{above}"):
            _make_like(f"{layer}/{above}", f"{place}/{above}")
        elif not os.path.isdir(f"{layer}/{above}"):
            return  # the folder it lies in is hidden already
    if not os.path.lexists(f"{layer}/{path}"):
        os.mknod(f"{layer}/{path}", stat.S_IFCHR, os.makedev(0, 0))


def _tmpfs(folder: str, *, max_bytes: int, max_files: int, mode: str = "755") -> None:
    options = f"size={max_bytes},nr_inodes={max_files},mode={mode}".encode()
    syscalls.syscall("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", _NOSUID | _NODEV | _NOEXEC, options)


def _make_place(place: str, *, folder: bool) -> None:
    os.makedirs(place if folder else os.path.dirname(place), exist_ok=True)
    if not folder:
        os.close(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o444))


def _set_flags(place: int, name: bytes, flags: int, how: int) -> None:
    attributes = struct.pack("QQQQ", flags, 0, 0, 0)
    syscalls.syscall("mount_setattr", place, name, how, attributes, len(attributes))
