"""A child that a command line starts: the command in, a process to talk with over its stdin and stdout out. *Process*.

For backends that shut in by a program of their own (Seatbelt, a container) or by being another interpreter. The
process gets nothing of ours but one socket, and a session of its own; it is ended by its process group.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata, util
from pathlib import Path
from typing import Any

from nestkit.errors import SandboxError
from nestkit.sandbox.backend import MESSAGES, End, check_holes
from nestkit.sandbox.bait import Bait
from nestkit.sandbox.child.packing import Broken
from nestkit.sandbox.child.wire import OPENING_BYTES, Closed, Late, TooLarge, Wire

CHILDREN = Path(__file__).parent / "child"
BARE = {"PYTHONHASHSEED": "0"}
"""All that is in a child's environment."""
_COMPLAINT_CHARS = 300
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""**Source**: getrusage(2): bytes on macOS, kilobytes on Linux."""


class ColdBackend:
    """What backends have in common whose children are started one by one by a command line: bait, and nothing warm."""

    tier = ""
    layers = False
    runs_scripts = False
    dials = False
    start_seconds = 20.0
    """How long a child may take until it has proven itself."""

    def __init__(self) -> None:
        self._bait = Bait()
        self.folder = self._bait.folder

    def is_at_rest(self) -> bool:
        """Never: nothing of it is warm."""
        return False

    def close(self) -> None:
        """Nothing but its bait outlives a child."""
        self._bait.close()

    def start(
        self,
        argv: Sequence[str],
        wish: Mapping[str, Any],
        most: int,
        environment: Mapping[str, str] = BARE,
        ending: Callable[[], None] = lambda: None,
    ) -> ProcessChild:
        """A child that has found no way out of itself. Raises SandboxError."""
        child = ProcessChild(argv, environment, ending)
        version = [*sys.version_info[:2], sys.platform]
        open_talk(child, {**wish, "bait": self._bait.wish, "python": version}, most, self.tier, self.start_seconds)
        return child


def start_command(python: str, module: str) -> list[str]:
    """The words that start a file of the child's by its name, shut off from everything of the person's."""
    return [python, "-P", "-s", "-S", "-X", "utf8", str(CHILDREN / "start.py"), module]


def find_package(name: str, distribution: str, version: str, hint: str) -> str:
    """Folder that a package lies in, of a release that begins so; nothing of it is loaded. Raises SandboxError."""
    spec = util.find_spec(name)
    if spec is None or spec.origin is None:
        raise SandboxError(f"the package {distribution} is not installed", hint)
    found = metadata.version(distribution)
    if not found.startswith(version):
        raise SandboxError(f"{distribution} {found} is installed, and this nest knows {version}x", hint)
    return str(Path(spec.origin).parent.parent)


class ProcessChild:
    """A process of ours and all of its group."""

    folder = -1
    dial = None

    def __init__(
        self, argv: Sequence[str], environment: Mapping[str, str], ending: Callable[[], None] = lambda: None
    ) -> None:
        """Start it; `ending` is called before it is killed. Raises OSError."""
        self._ending = ending
        self._end: End | None = None
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when the child is killed
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    argv,
                    stdin=theirs.fileno(),
                    stdout=theirs.fileno(),
                    stderr=self._said.fileno(),
                    env=environment,
                    cwd="/",
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                self._said.close()
                raise
        self.wire = Wire(ours, OPENING_BYTES, mend=True)

    @property
    def number(self) -> int:
        return self._process.pid if self._end is None else 0

    @property
    def complaint(self) -> str:
        """The last line on its stderr, of what was written before it was shut in."""
        with contextlib.suppress(OSError, ValueError):
            self._said.seek(0)
            lines = self._said.read(1 << 16).decode("utf-8", "replace").strip().splitlines()
            return lines[-1][:_COMPLAINT_CHARS] if lines else ""
        return ""

    def kill(self) -> End:
        """Kill it with all below it, and return how it ended; what had ended before stays as it was."""
        if self._end is None:
            self._end = self._find_end()
            self.wire.link.close()
            self._said.close()
        return self._end

    def stop(self) -> None:
        """Kill it and leave the rest to whoever talks with it."""
        self._ending()
        self._signal()

    def wait(self, seconds: float = 0.3) -> End:
        """Return how it ended, killing it if it does not within this time."""
        ending = time.monotonic() + seconds
        while self._end is None and not self._is_over() and time.monotonic() < ending:
            time.sleep(0.005)
        return self.kill()

    def close(self) -> None:
        """Kill it and let go of its files."""
        self.kill()
        if self.folder >= 0:
            os.close(self.folder)
            self.folder = -1

    def _signal(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _is_over(self) -> bool:
        """Whether it has ended; where the system can, it is not buried, so that its number stays its own."""
        try:
            if hasattr(os, "waitid"):
                return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
            return self._process.poll() is not None
        except ChildProcessError:
            return True

    def _find_end(self) -> End:
        self._ending()
        self._signal()
        try:
            _, status, used = os.wait4(self._process.pid, 0)
        except ChildProcessError:  # it is buried already
            self._process.returncode = -signal.SIGKILL if (code := self._process.returncode) is None else code
            return End(self._process.returncode, 0.0, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return End(self._process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss * _RSS_UNIT)


def open_talk(child: ProcessChild, wish: Mapping[str, Any], most: int, tier: str, seconds: float) -> None:
    """Tell a child just started what it shall be, and hear whether it is shut in; else it is killed.

    Raises SandboxError.
    """
    child.wire.deadline = time.monotonic() + seconds
    try:
        child.wire.send({**wish, "message_bytes": most})
        child.wire.most, child.wire.left = most, MESSAGES * most
        check_holes(child.wire.receive(), tier)
    except (Closed, Late, Broken, TooLarge) as error:
        late = "it took too long" if isinstance(error, Late) else ""
        why = child.complaint or late or str(error) or "it ended at once"
        child.kill()
        raise SandboxError(f"a child of {tier} did not start: {why}", "see `nest doctor`") from None
    except BaseException:
        child.kill()
        raise
