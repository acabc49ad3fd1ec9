"""Children that the Linux kernel shuts in: what one shall do in, a proven child or SandboxError out. *Process*.

Two tiers. `kernel-full`: user, mount, process, network, ipc, host-name and cgroup namespaces, a private root, Landlock,
a system call filter, ceilings. `kernel-lite`, where namespaces cannot be had: the same without them. Which one is
decided once, at the start, and each child proves it by attack before it runs a line that is not ours.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

from nestkit.errors import NoLayers, SandboxError
from nestkit.sandbox.backend import MESSAGES, End, Setup, check_holes
from nestkit.sandbox.bait import Bait
from nestkit.sandbox.child.packing import Broken
from nestkit.sandbox.child.wire import OPENING_BYTES, Closed, Late, TooLarge, Wire

_START = Path(__file__).parent / "child" / "start.py"
_START_SECONDS = 20.0
_DEAD = "its Python ended at once; does it start without environment variables?"
_NEWEST_LANDLOCK = 6


def open_backend(name: str, setup: Setup) -> Kernel:
    """The launcher of this tier. Raises SandboxError where it cannot be had."""
    return Kernel(name, setup.landlock, (), setup.preload, setup.site)


def find_lack(setup: Setup) -> str:
    """What keeps this machine from it; its children say the rest when they try."""
    return "" if sys.platform.startswith("linux") else "needs Linux 5.13 or newer, with Landlock"


class Child:
    """One isolated process, proven to be so."""

    def __init__(self, wire: Wire, line: socket.socket, handle: int) -> None:
        self.wire = wire
        self._line = line
        self._handle = handle
        self._end: End | None = None
        self._ending = Lock()
        """Whoever watches it may stop it while it is buried."""
        self.folder = -1
        """Descriptor of the folder in which it leaves files, if there is one; it stays open when the child is gone."""
        self.dial: socket.socket | None = None
        """On which it asks for connections, if it may have any."""

    def kill(self) -> End:
        """Kill it with all below it, and return how it ended; what had ended before stays as it was."""
        if self._end is None:
            with suppress(ProcessLookupError):  # it has ended, and its parent was quicker to bury it
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            self._end = self._find_end()
            for owned in (self._line, self.wire.link):
                owned.close()
            with self._ending:
                os.close(self._handle)
                self._handle = -1
        return self._end

    def stop(self) -> None:
        """Kill it and leave the rest to whoever talks with it."""
        with self._ending, suppress(OSError):
            if self._handle >= 0:  # else its number may by now be that of another child
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def close(self) -> None:
        """Kill it and let go of its files."""
        self.kill()
        if self.dial is not None:
            self.dial.close()
        if self.folder >= 0:
            os.close(self.folder)
            self.folder = -1

    @property
    def number(self) -> int:
        """Its process number as seen from here; 0 when it is gone."""
        with open(f"/proc/self/fdinfo/{self._handle}", encoding="ascii") as file:
            found = next((line.split()[1] for line in file if line.startswith("Pid:")), "0")
        return max(0, int(found))

    def take_folder(self) -> None:
        """Receive the folder that the child hands over as soon as it is shut in. Raises OSError, Closed."""
        message, handles, _, _ = socket.recv_fds(self._line, 100, 1)
        if message != b"folder" or not handles:
            raise Closed
        self.folder = handles[0]

    def wait(self, seconds: float = 0.3) -> End:
        """Return how it ended, killing it if it does not within this time."""
        if self._end is None:
            poll = select.poll()
            poll.register(self._handle, select.POLLIN)
            poll.poll(seconds * 1000)
        return self.kill()

    def _find_end(self) -> End:
        self._line.settimeout(_START_SECONDS)
        try:
            status, cpu, kilobytes = self._line.recv(100).split()
        except (OSError, ValueError):  # the parent is gone, and all children with it
            return End(-signal.SIGKILL, 0.0, 0)
        return End(os.waitstatus_to_exitcode(int(status)), float(cpu), int(kilobytes) * 1024)


class Kernel:
    """The parent of all children, of one tier for its whole life.

    `without` leaves layers out (`landlock`, `filter`, `everything`), to measure what each of them stops and costs:
    nothing else may use it.
    """

    def __init__(
        self,
        tier: str,
        landlock: int = _NEWEST_LANDLOCK,
        without: Sequence[str] = (),
        preload: Sequence[str] = (),
        site: Sequence[str] = (),
    ) -> None:
        self.tier = tier
        self.layers = self.keeps = tier == "kernel-full"
        self.runs_scripts = self.dials = True
        self._without, self._preload, self._site = list(without), list(preload), list(site)
        self.landlock = landlock
        """Version of Landlock in force."""
        self._bait = Bait()
        self.folder = self._bait.folder
        try:
            self._parent, self._control = self._start()
        except BaseException:
            self._bait.close()
            raise

    def spawn(self, wish: Mapping[str, Any], most: int) -> Child:
        """A child that has proven to be shut in. Raises SandboxError."""
        try:
            return self._spawn(wish, most)
        except (Closed, BrokenPipeError, ConnectionResetError):
            self._end_parent()  # somebody killed it: once more, of the same tier
        self._parent, self._control = self._start()
        try:
            return self._spawn(wish, most)
        except (Closed, OSError):
            raise SandboxError("the sandbox's children cannot be started", "see `nest doctor`") from None

    def is_at_rest(self) -> bool:
        """Whether the parent lives and has no child that could still do something."""
        try:
            (inner,) = _find_children(self._parent)
            return not any(map(_is_alive, _find_children(inner)))
        except (OSError, ValueError):
            return False

    def close(self) -> None:
        """End the parent and with it every child."""
        self._end_parent()
        self._bait.close()

    def _start(self) -> tuple[int, socket.socket]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            parent = _run_parent(theirs.fileno())
        line = Wire(ours, 1 << 20)
        line.deadline = time.monotonic() + _START_SECONDS
        full = self.tier == "kernel-full"
        try:
            line.send(
                {
                    "full": full,
                    "landlock": self.landlock,
                    "folder": f"{self.folder}/root",
                    "without": self._without,
                    "preload": self._preload,
                    "site": self._site,
                }
            )
            answer = line.receive()
            if "map" in answer:
                _say_who(parent)
                line.send({"mapped": True})
                answer = line.receive()
            if "ready" not in answer:
                raise SandboxError(f"{self.tier} cannot be had here: {answer.get('failed')}", "see `nest doctor`")
            self.landlock = answer["landlock"]
        except BaseException as error:
            _end_process(parent)
            ours.close()
            if isinstance(error, (Closed, Late, Broken, OSError, KeyError)):
                why = f"{self.tier} cannot be had here: {str(error) or _DEAD}"
                raise SandboxError(why, "see `nest doctor`") from None
            raise
        return parent, ours

    def _spawn(self, wish: Mapping[str, Any], most: int) -> Child:
        child = self._fork(dials=bool(wish.get("network")))
        child.wire.deadline = time.monotonic() + _START_SECONDS
        try:
            child.wire.send({**wish, "bait": self._bait.wish, "message_bytes": most})
            child.wire.most, child.wire.left = most, MESSAGES * most
            answer = child.wire.receive()
        except (Late, Broken, TooLarge) as error:
            child.kill()
            raise SandboxError(f"a child of {self.tier} did not start: {error}", "see `nest doctor`") from None
        except Closed:
            child.kill()
            raise
        if answer.get("holes") and answer.get("layers") is False:
            child.kill()
            raise NoLayers("; ".join(map(str, answer["holes"])))
        try:
            check_holes(answer, self.tier)
        except SandboxError:
            child.kill()
            raise
        if hands_over(wish, self.tier):
            child.take_folder()
        return child

    def _fork(self, *, dials: bool) -> Child:
        """A child just born, with nothing said yet. Raises Closed or OSError when its parent is gone."""
        pairs = [socket.socketpair(), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)]
        if dials:
            pairs.append(socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        line = ours[1]
        try:
            try:
                socket.send_fds(self._control, [b"s"], [link.fileno() for link in theirs])
            finally:
                for link in theirs:  # before we wait: else a parent that dies now would never be heard to end
                    link.close()
            line.settimeout(_START_SECONDS)
            message, handles, _, _ = socket.recv_fds(line, 100, 1)
            if not message or not handles:
                raise Closed
        except BaseException:
            for link in ours:
                link.close()
            raise
        child = Child(Wire(ours[0], OPENING_BYTES, mend=True), line, handles[0])
        child.dial = ours[2] if dials else None
        return child

    def _end_parent(self) -> None:
        with suppress(OSError):
            self._control.send(b"e")  # who hears nothing before the end takes us for dead
        self._control.close()
        _end_process(self._parent, seconds=1.0)


def hands_over(wish: Mapping[str, Any], tier: str) -> bool:
    """Whether a child with this wish gives us a folder: without namespaces we make it ourselves."""
    return tier == "kernel-full" and "root" in wish and (wish["collect"] or wish["kind"] == "program")


def _run_parent(control: int) -> int:
    """Start the parent with nothing of ours: no environment, no files but its socket, a session of its own."""
    python = getattr(sys, "_base_executable", "") or sys.executable
    streams = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in range(3)]
    return os.posix_spawn(
        python,
        [python, "-P", "-s", "-S", "-X", "utf8", str(_START)],
        {"PYTHONHASHSEED": "0"},
        file_actions=[*streams, (os.POSIX_SPAWN_DUP2, control, 3)],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGCHLD],
    )


def _end_process(number: int, seconds: float = 0.0) -> None:
    """Wait this long for a child process of ours to end, kill it if it does not, and bury it."""
    with suppress(ProcessLookupError, ChildProcessError):  # somebody else buried it
        handle = os.pidfd_open(number)
        try:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            if not poll.poll(seconds * 1000):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.waitpid(number, 0)
        finally:
            os.close(handle)


def _find_children(number: int) -> list[int]:
    """Children of a process that has one thread. Raises OSError when it is gone."""
    return [int(child) for child in Path(f"/proc/{number}/task/{number}/children").read_text("ascii").split()]


def _is_alive(number: int) -> bool:
    """Whether a process is there and not dead already, waiting to be buried."""
    try:
        return Path(f"/proc/{number}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _say_who(parent: int) -> None:
    """Write who the parent and its children are in their user namespace: the same as here.

    An ordinary person may map no id but their own; root maps all it has, so that a child can be made nobody.

    **Source**: user_namespaces(7), "Defining user and group ID mappings".
    """
    if os.geteuid() == 0:
        users, groups = (_same(Path(f"/proc/self/{kind}_map").read_text("ascii")) for kind in ("uid", "gid"))
    else:
        users, groups = (f"{number} {number} 1" for number in (os.geteuid(), os.getegid()))
        Path(f"/proc/{parent}/setgroups").write_text("deny", "ascii")
    Path(f"/proc/{parent}/uid_map").write_text(users, "ascii")
    Path(f"/proc/{parent}/gid_map").write_text(groups, "ascii")


def _same(table: str) -> str:
    rows = (line.split() for line in table.splitlines())
    return "".join(f"{first} {first} {count}\n" for first, _, count in rows)
