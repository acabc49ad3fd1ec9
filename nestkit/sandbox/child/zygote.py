"""The parent of all children: requests over a socket in, isolated children out. *Process*.

A process of its own, begun with an empty environment, so that a fork carries none of nest's memory. It has one thread,
loads what programs commonly import, and does nothing but fork. Two processes in truth: the outer one stands in
the machine's own process namespace and watches nest, the inner one is the first of the children's namespace, so
that the kernel ends every child with it. Runs in the child: standard library only.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

from . import call, isolate, keeper, landlock, mounts, program, prove, syscalls, wire

CONTROL = 3
HELD = "nest-held-"
"""How the names begin of all folders that may be cleared away here."""
_ORPHANED = 3
"""Exit code of an inner process whose nest went without a word."""
_BURIAL_MS = 10_000
_CLOSED = {
    errno.ENOSPC: "user namespaces are switched off here (sysctl user.max_user_namespaces)",
    errno.EPERM: "user namespaces are not for everybody here (AppArmor, or sysctl kernel.unprivileged_userns_clone)",
}
_COMMON = """
json re datetime collections dataclasses math statistics itertools functools decimal fractions textwrap string random
csv io enum typing calendar operator heapq bisect contextlib copy ast traceback _strptime pathlib zlib bz2 lzma sqlite3
argparse shutil tempfile runpy unicodedata html hashlib difflib pprint uuid
""".split()
"""Loaded ahead, some for what they link to: programs cannot see the system's libraries."""


def main() -> None:
    """Set up as the first message wishes, say so, then fork a child for each request until nest is gone."""
    for place in (isolate.TREE, isolate.RULES, isolate.LINE, isolate.DIAL):
        os.dup2(0, place, inheritable=False)  # kept free until they are filled
    sys.dont_write_bytecode = True
    control = socket.socket(fileno=CONTROL)
    line = wire.Wire(control, 1 << 20)
    nest = os.pidfd_open(os.getppid())
    try:
        wish = line.receive()
        if wish["full"]:
            _leave(line)
        if inner := os.fork():
            control.close()
            _watch(nest, os.pidfd_open(inner), wish["folder"])
        os.close(nest)
        syscalls.syscall("prctl", 1, signal.SIGKILL, 0, 0, 0)
        box = _settle(wish)
    except Exception as error:
        line.send({"failed": f"{type(error).__name__}: {error}"})
        os._exit(1)
    line.send({"ready": os.getpid(), "landlock": box.version})
    os.environ.update(dict.fromkeys(keeper.POOLS if wish["preload"] else (), "1"))
    _serve(box, control, wish["preload"], wish["site"])


def _leave(line: wire.Wire) -> None:
    """Go into namespaces of our own; nest itself writes who we are in them."""
    kinds = mounts.NEWUSER | mounts.NEWNS | mounts.NEWPID | mounts.NEWNET
    try:
        syscalls.syscall("unshare", kinds | mounts.NEWIPC | mounts.NEWUTS | mounts.NEWCGROUP)
    except OSError as error:
        raise OSError(_CLOSED.get(error.errno or 0, str(error))) from None
    line.send({"map": True})
    if "mapped" not in line.receive():
        raise OSError("nobody said who we are in here")


def _settle(wish: dict[str, Any]) -> isolate.Box:
    os.umask(0o022)
    if not syscalls.machine():
        raise OSError(f"no system call table for this machine: {os.uname().machine}")
    version = landlock.find_version(wish["landlock"])
    if not version:
        raise OSError("this kernel has no Landlock")
    if wish["full"]:
        mounts.keep_to_ourselves()
    syscalls.spare_threads()
    box = isolate.prepare(wish["full"], version, wish["folder"], frozenset(wish["without"]))
    syscalls.syscall("prctl", 4, 0, 0, 0, 0)
    return box


def _watch(nest: int, inner: int, folder: str) -> NoReturn:
    """Wait until nest or the inner process ends, and end; the inner one, and all below it, follow.

    When nest was killed, what it could not clear away any more is cleared away here.
    """
    poll = select.poll()
    poll.register(nest, select.POLLIN)
    poll.register(inner, select.POLLIN)
    try:
        ended = dict(poll.poll())
        if nest not in ended and os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]) == _ORPHANED:
            poll.unregister(inner)  # it heard of nest's end before we did: a process' files go before itself
            ended = dict(poll.poll(_BURIAL_MS))
        held = os.path.dirname(folder)
        if nest in ended and os.path.basename(held).startswith(HELD):  # whatever else it were, it would not be ours
            import shutil

            shutil.rmtree(held, ignore_errors=True)
    finally:
        os._exit(0)


def _serve(box: isolate.Box, control: socket.socket, preload: list[str], site: list[str]) -> NoReturn:
    poll = select.poll()
    poll.register(control, select.POLLIN)
    children: dict[int, tuple[int, socket.socket]] = {}
    loading: Iterator[str] | None = iter([*_COMMON, *preload])
    home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC) if box.full else -1
    while True:
        events = poll.poll(0 if loading else None)
        if not events and loading and not _load_next(loading, site):
            loading = None
        for descriptor, _ in events:
            if descriptor in children:
                poll.unregister(descriptor)
                _bury(descriptor, *children.pop(descriptor))
            elif (born := _answer(box, control, home)) is not None:
                children[born[0]] = born[1:]
                poll.register(born[0], select.POLLIN)


def _load_next(names: Iterator[str], site: list[str]) -> bool:
    """Import one more module; after the last, move all there is out of the collector's sight."""
    name = next(names, "")
    if name:
        known = [*sys.path]
        sys.path += site
        try:
            __import__(name)
        except Exception:
            pass  # not here, or unwilling: whoever needs it will be told
        sys.path[:] = known
        return True
    gc.collect()
    gc.freeze()
    return False


def _answer(box: isolate.Box, control: socket.socket, home: int) -> tuple[int, int, socket.socket] | None:
    """Take one request (a socket for the child, a line for us) and fork; nest gone is the end."""
    message, descriptors, _, _ = socket.recv_fds(control, 1, 3)
    if not message or message == b"e":
        os._exit(0 if message else _ORPHANED)
    if len(descriptors) < 2:
        return None
    link, dial, line = descriptors[0], descriptors[2:], socket.socket(fileno=descriptors[1])
    if box.full:
        syscalls.syscall("unshare", mounts.NEWPID)
    child = os.fork()
    if child == 0:
        control.detach()
        os.dup2(link, isolate.LINK, inheritable=False)
        os.dup2(line.detach(), isolate.LINE, inheritable=False)
        os.dup2(dial[0] if dial else os.open(os.devnull, os.O_RDONLY), isolate.DIAL, inheritable=False)
        _be_child(box)
    if box.full:
        syscalls.syscall("setns", home, mounts.NEWPID)
    for descriptor in (link, *dial):
        os.close(descriptor)
    handle = os.pidfd_open(child)
    _tell(line, b"born", [handle])
    return handle, child, line


def _bury(handle: int, child: int, line: socket.socket) -> None:
    """Reap a child and tell how it ended: its status, processor seconds and most kilobytes of memory."""
    os.close(handle)
    _, status, used = os.wait4(child, 0)
    _tell(line, f"{status} {used.ru_utime + used.ru_stime:.3f} {used.ru_maxrss}".encode(), [])
    line.close()


def _tell(line: socket.socket, text: bytes, descriptors: list[int]) -> None:
    try:
        socket.send_fds(line, [text], descriptors)
    except OSError:
        pass  # nest no longer wants to know


def _be_child(box: isolate.Box) -> NoReturn:
    """Isolate, prove it, serve; whatever happens, never return into the parent's loop."""
    status = 1
    try:
        os.closerange(isolate.DIAL + 1, 1 << 20)
        status = _live(box, wire.Wire(socket.socket(fileno=isolate.LINK), wire.OPENING_BYTES))
    finally:
        os._exit(status)


def _live(box: isolate.Box, link: wire.Wire) -> int:
    try:
        wish = link.receive()
        link.most = wish["message_bytes"]
        if "everything" in box.without:
            pass
        elif "root" in wish:
            _hand_over(isolate.isolate_tool(box, wish))
        else:
            isolate.isolate_program(box, wish)
        holes = [] if box.without else _prove(wish)
    except OSError as error:
        layers = not isinstance(error, mounts.NoLayers)
        link.send({"holes": [f"could not be shut in: {error}"], "layers": layers})
        return 1
    link.send({"holes": holes})
    if holes:
        return 1
    os.close(isolate.LINE)
    if not wish.get("network"):
        os.close(isolate.DIAL)
    sys.argv = [""]
    if wish["kind"] == "keep":
        keeper.serve(link, wish, box.filters["tool"])
    else:
        (program if wish["kind"] == "program" else call).serve(link, wish)
    return 0


def _hand_over(folder: int) -> None:
    """Give nest the folder that it looks into when all is done."""
    if folder >= 0:
        with socket.socket(fileno=os.dup(isolate.LINE)) as line:
            socket.send_fds(line, [b"folder"], [folder])
        os.close(folder)


def _prove(wish: dict[str, Any]) -> list[str]:
    kept = "" if "root" not in wish or wish["writable"] else wish["shown"]
    may_fork = wish["kind"] == "keep" or bool(wish.get("run"))
    return prove.find_holes(wish["bait"], kept=kept, script=wish.get("script", ""), may_fork=may_fork)
