"""A child that may start others, or fill a disk, in; limits held over the whole of it, from outside. *Process*.

The kernel's own ceilings bind one process each. Where a tool may have several, or its scratch folder is a real one,
the whole is measured many times a second, and killed as one when it is too much.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from nestkit.sandbox.backend import Child

_SECONDS = 0.05
_UNSEEN = 1 << 60
_TICKS = os.sysconf("SC_CLK_TCK")
_FORKED = 0x40
"""PF_FORKNOEXEC: it has not become another program. **Source**: proc_pid_stat(5), `include/linux/sched.h`."""


@dataclass(slots=True)
class Watch:
    """What a child and all below it may use together; 0 for as much as it likes."""

    memory_bytes: int = 0
    cpu_seconds: float = 0.0
    scratch: str = ""
    """Absolute folder on the disk whose size is watched."""
    scratch_bytes: int = 0
    written: tuple[str, ...] = ()
    """Absolute folders on the disk that it may write to besides, and by how much they may grow."""
    written_bytes: int = 0
    limit: str = ""
    """Name of the limit that was reached, once it was."""
    _before: int = 0
    _next_look: float = 0.0

    def __post_init__(self) -> None:
        self._before = sum(map(measure_folder, self.written))

    @contextmanager
    def over(self, child: Child) -> Iterator[None]:
        """While this is held, the child is killed with all below it as soon as it uses too much."""
        done = threading.Event()
        thread = threading.Thread(target=self._look, args=(child, child.number, done), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _look(self, child: Child, number: int, done: threading.Event) -> None:
        inherited = measure_tree(number)[0]
        while not done.wait(_SECONDS):
            if limit := self._find_limit(number, inherited):
                self.limit = limit
                child.stop()
                return

    def _find_limit(self, number: int, inherited: int) -> str:
        memory, seconds = measure_tree(number, inherited)
        if self.memory_bytes and memory > self.memory_bytes:
            return "memory"
        if self.cpu_seconds and seconds > self.cpu_seconds:
            return "cpu"
        if self.scratch and measure_folder(self.scratch) > self.scratch_bytes:
            return "scratch"
        return "staged" if self.written and self._is_overwritten() else ""

    def _is_overwritten(self) -> bool:
        """Whether what it may write to has grown too much; a copy of a large vault is not looked at all the time."""
        begun = time.monotonic()
        if begun < self._next_look:
            return False
        grown = sum(map(measure_folder, self.written)) - self._before
        self._next_look = begun + 10 * (time.monotonic() - begun)
        return grown > self.written_bytes


def measure_tree(number: int, inherited: int = 0) -> tuple[int, float]:
    """Bytes of memory and seconds of processor time of a process and all below it, those buried included.

    `inherited` bytes of each fork are not counted: it shares them with its parent, until it writes to them. What it
    then has of its own beyond that cannot be told from outside: only root may read the kernel's account of shared pages
    (`smaps_rollup`), and for a tree of many processes that takes longer than one may look away.
    """
    memory, ticks, todo = 0, 0, [number]
    while todo:
        process = todo.pop()
        try:
            with open(f"/proc/{process}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
            is_fork = int(fields[6]) & _FORKED
            memory += max(0, _private_bytes(process) - (inherited if is_fork else 0))
            ticks += sum(map(int, fields[11:15]))
            for task in os.listdir(f"/proc/{process}/task"):
                with open(f"/proc/{process}/task/{task}/children", "rb") as file:
                    todo += map(int, file.read().split())
        except (OSError, ValueError):
            continue  # it has ended meanwhile
    return memory, ticks / _TICKS


def measure_folder(folder: str) -> int:
    """Bytes of disk that a folder and all below it take; no link is followed.

    What is locked, or too deep to be looked into, was made so by whom we watch: it counts as more than any limit.
    """
    total, todo = 0, [folder]
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError as error:
            if error.errno in (errno.ENAMETOOLONG, errno.EACCES):
                return _UNSEEN
    return total


def _private_bytes(process: int) -> int:
    """What a process holds in memory that is no file: its own, and what it shares with others by intent."""
    with open(f"/proc/{process}/status", "rb") as file:
        rows = (line.split() for line in file if line.startswith((b"RssAnon:", b"RssShmem:")))
        return sum(int(row[1]) * 1024 for row in rows)
