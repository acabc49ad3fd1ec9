"""A battery of attacks in; which of them got out, looked at from outside, out. *Process*.

The attacks lie beside this file, a table of short programs for each class. Each is aimed at bait of ours: a folder
with a secret, listeners, another process. An attack counts as out when the bait was touched or the secret seen,
or when it says that a call came back which none of our children may make. Whether an attack works at all is shown by
running it where nothing isolates (`bare`): what never worked anywhere was not held.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nestkit.policy import Limits
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import Engine
from nestkit.sandbox.job import World
from nestkit.sandbox.kernel import Kernel
from nestkit.tool import Parameter, Tool

LAYERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "all": ("kernel-full", ()),
    "no filter": ("kernel-full", ("filter",)),
    "no Landlock": ("kernel-full", ("landlock",)),
    "no namespaces": ("kernel-lite", ()),
    "namespaces alone": ("kernel-full", ("filter", "landlock")),
    "filter alone": ("kernel-lite", ("landlock",)),
    "Landlock alone": ("kernel-lite", ("filter",)),
    "ceilings alone": ("kernel-lite", ("filter", "landlock")),
}
"""What is measured: its name -> the tier, and the layers left out of it."""

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_TOOL = Tool("vault.read_note", "vault.py", "builtin", "read_note", (Parameter("note", "str"),))
_PRELUDE = """\
import os, sys
try:
    import ctypes, socket, struct
    libc = ctypes.CDLL(None, use_errno=True)
except Exception:
    pass
def call(x86, arm, *given):
    given = (ctypes.c_long(item) if isinstance(item, int) else item for item in given)
    return libc.syscall(x86 if os.uname().machine == "x86_64" else arm, *given)
"""
_BARE = """\
HOST_SECRET = os.environ["NEST_CANARY_ENV"]
def read_note(path):
    return open(os.path.join({vault!r}, path)).read()
final_answer = print
"""
_SAID = "ESCAPED"


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack."""

    name: str
    """`class/what it does`."""
    code: str
    machine: str = ""
    """The only kind of machine it is for; empty for any."""
    outlives: bool = False
    """It does no harm but to go on: held means stopped at its limit."""
    bare: bool = True
    """Whether it can be shown to work where nothing isolates."""
    needs: str = ""
    """What it needs to work at all, where not every machine has that."""

    @property
    def group(self) -> str:
        return self.name.partition("/")[0]


@dataclass(slots=True)
class Bait:
    """What an escape would reach, all of it ours."""

    folder: Path
    token: str = field(default_factory=lambda: f"NESTCANARY-{secrets.token_hex(8)}")
    hits: list[bytes] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)

    def lay(self) -> None:
        """Lay everything out as it was at the start."""
        for inner in ("outside", "vault"):
            shutil.rmtree(self.folder / inner, ignore_errors=True)
        for path, text in {
            "outside/canary.txt": self.token,
            "outside/open.txt": "open to all",
            "vault/ok.md": "fine",
            "vault/03_Notes/a.md": "a",
            "vault/02_System/daily_report.py": "def report(): ...\n",
        }.items():
            file = self.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        (self.folder / "outside").chmod(0o777)
        (self.folder / "outside/open.txt").chmod(0o666)
        self.hits.clear()

    def fill(self, code: str) -> str:
        """The attack with its places filled in, as Python texts."""
        return re.sub(r"@@([A-Z_]+)@@", lambda place: repr(self.places[place[1]]), code)

    def look(self) -> dict[str, object]:
        """Everything that may not change."""
        seen: dict[str, object] = {}
        for file in sorted((self.folder / "outside").rglob("*")) + sorted((self.folder / "vault").rglob("*")):
            found = file.lstat()
            content = file.read_bytes() if file.is_file() and not file.is_symlink() else b""
            seen[str(file)] = (found.st_mode, found.st_mtime_ns, content)
        return seen


@contextmanager
def lay_bait() -> Iterator[Bait]:
    """Bait that can be reached by whoever is not shut in."""
    with ExitStack() as opened:
        folder = Path(
            opened.enter_context(tempfile.TemporaryDirectory(prefix="nest-bait-", ignore_cleanup_errors=True))
        )
        folder.chmod(0o777)
        bait = Bait(folder)
        bait.lay()
        victim = opened.enter_context(
            subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], env={}, stdin=subprocess.DEVNULL)
        )
        opened.callback(victim.kill)
        sockets = {
            "TCP_PORT": (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "UDP_PORT": (socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "ABSTRACT": (socket.AF_UNIX, socket.SOCK_STREAM, f"\0nest-{secrets.token_hex(8)}"),
            "SOCKET": (socket.AF_UNIX, socket.SOCK_STREAM, str(folder / "stream")),
            "DATAGRAM": (socket.AF_UNIX, socket.SOCK_DGRAM, str(folder / "datagram")),
        }
        for name, (family, kind, address) in sockets.items():
            bait.places[name] = _listen(opened, bait, family, kind, address)
        bait.places |= {
            "CANARY_FILE": str(folder / "outside/canary.txt"),
            "OPEN_FILE": str(folder / "outside/open.txt"),
            "FLAG": str(folder / "outside/flag"),
            "VAULT": str(folder / "vault"),
            "VICTIM": str(victim.pid),
        }
        yield bait


def read_attacks() -> tuple[Attack, ...]:
    """The whole battery, as far as it is for this kind of machine."""
    import tomllib

    found = []
    for file in sorted((Path(__file__).parent / "attacks").glob("*.toml")):
        table = tomllib.loads(file.read_text("utf-8"))
        found += [Attack(f"{file.stem}/{name}", **row) for name, row in table.items()]
    return tuple(attack for attack in found if attack.machine in ("", os.uname().machine))


def run_attack(engine: Engine, attack: Attack, bait: Bait, *, sandboxed: bool = False, seconds: float = 0.5) -> str:
    """How the attack got out of a program of this engine, or an empty text when it was held."""
    bait.lay()
    before = bait.look()
    limits = Limits(step_seconds=seconds if attack.outlives else 5.0, memory_bytes=512 << 20)
    broker = Broker((_TOOL,), host=_read_nothing, script=_refuse, allow=lambda *_: None, limits=limits)
    world = World(str(bait.folder / "vault")) if sandboxed else None
    with engine.program(broker, now=_NOW, seed=1, world=world) as execute:
        outcome = execute(_PRELUDE + bait.fill(attack.code))
    late = outcome.seconds - limits.step_seconds  # until it was dead; to start is no part of it
    if attack.outlives and late > 1.0:
        return f"it outlived its limit by {late:.1f} s"
    return _find_harm(bait, before, f"{outcome.output}{outcome.value!r}")


def run_bare(attack: Attack, bait: Bait) -> bool:
    """Whether the attack works where nothing isolates."""
    bait.lay()
    before = bait.look()
    code = _PRELUDE + _BARE.format(vault=bait.places["VAULT"]) + bait.fill(attack.code)
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={"NEST_CANARY_ENV": bait.token, "HOME": str(bait.folder)},
        cwd=bait.places["VAULT"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=0.6 if attack.outlives else 15.0)
        stayed = False
    except subprocess.TimeoutExpired:
        stayed, said = True, b""
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    if attack.outlives:
        return stayed
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if "print(" not in line]
    return bool(_find_harm(bait, before, "\n".join(lines)))


def open_layers(name: str) -> Engine:
    """An engine with some of its layers left out, for measuring only. Raises SandboxError."""
    tier, without = LAYERS[name]
    return Engine(Kernel(tier, without=without))


def _find_harm(bait: Bait, before: Mapping[str, object], said: str) -> str:
    time.sleep(0.01 if not bait.hits else 0)  # what was sent is on its way
    if bait.token in said:
        return "it saw the secret"
    if _SAID in said:
        return "it made a call that it may not make"
    if bait.hits:
        return "it reached a listener"
    return "it changed what lies outside" if bait.look() != before else ""


def _listen(opened: ExitStack, bait: Bait, family: int, kind: int, address: Any) -> str:
    """Listen at an address for as long as the bait lies there; how an attack would spell it."""
    link = opened.enter_context(socket.socket(family, kind))
    link.bind(address)
    if family == socket.AF_UNIX and not address.startswith("\0"):
        Path(address).chmod(0o777)
    if kind == socket.SOCK_STREAM:
        link.listen()
    thread = threading.Thread(target=_hear, args=(link, kind, bait.hits), daemon=True)
    thread.start()
    opened.callback(link.shutdown, socket.SHUT_RDWR) if kind == socket.SOCK_STREAM else None
    return str(link.getsockname()[1]) if family == socket.AF_INET else str(address).lstrip("\0")


def _hear(link: socket.socket, kind: int, hits: list[bytes]) -> None:
    while True:
        try:
            if kind == socket.SOCK_STREAM:
                link.accept()[0].close()
            else:
                link.recv(100)
        except OSError:
            return
        hits.append(b"hit")


def _read_nothing(tool: Tool, arguments: Mapping[str, Any]) -> tuple[Any, Sequence[str]]:
    return "nothing", ()


_refuse: Callable[..., Any] = lambda *_: None  # noqa: E731
