"""A child by itself, without a parent that forks it: a wish on stdin in, frames on stdout out. *Process*.

Run in a container or under Seatbelt, which have shut it in before it began; it attacks its walls all the same.
Interpreters of another make begin with its parts. It says nothing on the streams that it was started with but frames,
and ends when nest is gone. Standard library only.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from . import call, ceilings, landlock, program, prove, seccomp, syscalls, wire

_LOOK_SECONDS = 0.5
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


def main() -> None:
    """Hold the ceilings, attack the walls, and serve programs or the one call."""
    link, wish = open_link()
    mine = [*sys.version_info[:2], sys.platform]
    if wish.get("site") and mine != wish["python"]:
        named = ["{2} with Python {0}.{1}".format(*each) for each in (wish["python"], mine)]
        link.send({"holes": [], "lack": f"packages prepared on {named[0]} do not fit {named[1]}"})
        return
    is_tool = "root" in wish
    os.chdir((wish["scratch"] if wish["kind"] == "program" else wish["shown"]) if is_tool else "/")
    ceilings.hold(wish, file_bytes=wish["file_bytes"] if is_tool else 0, processes=None)
    if sys.platform.startswith("linux"):
        syscalls.syscall("prctl", 38, 1, 0, 0, 0)
        seccomp.restrict(seccomp.draft_filter(syscalls.machine(), files=is_tool, run=bool(wish.get("run"))))
    kept = wish["shown"] if is_tool and not wish["writable"] else ""
    end_with_nest()
    holes = prove.find_holes(wish["bait"], kept=kept, script=wish.get("script", ""), may_fork=bool(wish.get("run")))
    link.send({"holes": holes})
    if not holes:
        sys.argv = [""]
        (program if wish["kind"] == "program" else call).serve(link, wish)


class Pipes:
    """Two descriptors where a wire expects a socket."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write

    def recv(self, most: int) -> bytes:
        return os.read(self._read, most)

    def send(self, content: Any, flags: int = 0) -> int:
        return os.write(self._write, content)


def open_link() -> tuple[wire.Wire, dict[str, Any]]:
    """The wire and the wish on it; stdin and stdout lead nowhere from here on, whoever prints."""
    link = wire.Wire(Pipes(os.dup(0), os.dup(1)), wire.OPENING_BYTES)  # type: ignore[arg-type]
    nothing = os.open(os.devnull, os.O_RDWR)
    wish = link.receive()
    for stream in range(3):
        os.dup2(nothing, stream)
    os.environ.clear()
    sys.dont_write_bytecode = True
    link.most = wish["message_bytes"]
    return link, wish


def end_with_nest() -> None:
    """End as soon as nest has. Only once the walls stand: what holds a thread holds the threads that it begins."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def shut_in(read: Sequence[str], run: Sequence[str], write: Sequence[str] = (), **ceilings: int) -> None:
    """Give up, for good, all files but these and what Python is made of, and the network; where Landlock is to be had.

    A second wall behind an interpreter that is one itself: where there is none, that one stands alone. `ceilings` are
    what the kernel holds this process, and each below it, to, named as in getrlimit(2).
    """
    for name, most in {"CORE": 0, **ceilings}.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (most, most))
    version = landlock.find_version() if sys.platform.startswith("linux") and syscalls.machine() else 0
    if not version:
        return
    rules = landlock.open_rules(version)
    known = [path for path in sys.path if os.path.isdir(path)]
    powers = [(os.path.realpath(file), landlock.READ) for file in (*known, *_LIBRARIES, *read)]
    powers += [(os.path.realpath(file), landlock.READ | landlock.EXECUTE) for file in (*run, *_find_loaders())]
    powers += [(file, landlock.WRITE) for file in (*_DEVICES, *map(os.path.realpath, write))]
    landlock.allow(rules, version, powers)
    syscalls.syscall("prctl", 38, 1, 0, 0, 0)
    landlock.restrict(rules)
    os.close(rules)


def _find_loaders() -> list[str]:
    """What loads a program into memory: it must be executable, too."""
    places = [place for place in ("/lib", "/lib64", "/usr/lib", "/usr/lib64") if os.path.isdir(place)]
    inner = [entry.path for place in places for entry in os.scandir(place) if entry.is_dir()]
    found = [entry.path for place in (*places, *inner) for entry in os.scandir(place)]
    return [file for file in found if os.path.basename(file).startswith("ld-") and ".so" in file]


def _end_with(parent: int) -> None:
    """Wait until nest is gone, and end with all of this process' group: an interpreter below is in it."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    try:
        os.killpg(0, signal.SIGKILL)
    finally:
        os._exit(1)
