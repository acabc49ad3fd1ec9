"""A contract in; the isolation for one run, new or kept warm since the last one, out. Part of the hall. *Process*.

A command opens it and ends it. A daemon keeps what it opened: to start and prove a warm parent takes longer than most
questions, and the parent has run nothing but its own lines, so the next run's children are as clean as the first's.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock, Thread
from typing import Generic, TypeVar

from nestkit.errors import SandboxError
from nestkit.hall.packages import beside
from nestkit.hall.settings import read_own_config
from nestkit.policy import Contract, has_world
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.backends import BACKENDS, find_rows
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.temporary import clear_abandoned
from nestkit.vault.place import user_folders

IDLE_SECONDS = 600.0
"""How long a daemon keeps what nobody uses."""
_OLDEST_SECONDS = 6 * 3600.0
"""What is older is opened and proven anew: systems clear away old temporary files, and the bait is one."""
_SETTINGS = """
/proc/sys/user/max_user_namespaces /proc/sys/kernel/unprivileged_userns_clone
/proc/sys/kernel/apparmor_restrict_unprivileged_userns /sys/kernel/security/lsm
"""
"""What of the machine decides how programs can be isolated."""

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class _Opened:
    engine: Engine
    kind: tuple[object, ...]
    """Name of the engine that was asked for, and whether for tables."""
    ground: tuple[object, ...]
    """The machine's settings and packages at that time."""
    at: float
    used: float
    """When it was given back last; monotonic clock, as `at`."""


class Engines:
    """The engines of one open vault: never shared with another vault, nor by two runs at a time."""

    def __init__(self, image: str = "", cache: Path | None = None) -> None:
        self._setup = Setup(image=image, cache=cache)
        self._lock = Lock()
        self._keeps = False
        self._lent: list[_Opened] = []
        self._kept: list[_Opened] = []

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """While this is held, what a run gives back waits for the next one."""
        self._keeps = True
        try:
            yield
        finally:
            self._keeps = False
            self.close_idle(0.0)

    def borrow(self, contract: Contract, name: str = "auto") -> Engine:
        """An engine of this name for one run, to be given back. Raises SandboxError where it does not isolate."""
        for_tables = has_world(contract)
        kind = (name, for_tables)
        ground = _ground()
        with self._lock:
            now = time.monotonic()
            stale = [each for each in self._kept if each.ground != ground or now - each.at > _OLDEST_SECONDS]
            fit = [each for each in self._kept if each.kind == kind and each not in stale]
            self._kept = [each for each in self._kept if each not in stale and each not in fit[:1]]
            self._lent += fit[:1]
        for each in stale:
            each.engine.close()
        if fit:
            return fit[0].engine
        preload, site = (("numpy", "pandas"), beside()) if for_tables else ((), ())  # slow to import
        engine = open_engine(name=name, setup=replace(self._setup, preload=preload, site=site))
        clear_abandoned()  # what a nest that was killed left behind, copies of notes among it
        with self._lock:
            self._lent.append(_Opened(engine, kind, ground, time.monotonic(), 0.0))
        return engine

    def give_back(self, engine: Engine) -> None:
        """Keep it for the next run where that is wanted and nothing of this run is left in it; else end it."""
        with self._lock:
            (mine,) = (each for each in self._lent if each.engine is engine)
            self._lent.remove(mine)
            others = any(each.kind == mine.kind for each in self._kept)
            if self._keeps and not others and engine.is_at_rest():
                kept = _Opened(engine, mine.kind, mine.ground, mine.at, time.monotonic())
                self._kept.append(kept)
                return
        engine.close()

    def idle_seconds(self) -> float | None:
        """How long until something that is kept has been of no use for too long; None when nothing is kept."""
        with self._lock:
            ends = [each.used + IDLE_SECONDS - time.monotonic() for each in self._kept]
        return max(0.0, min(ends)) if ends else None

    def close_idle(self, most: float = IDLE_SECONDS) -> None:
        """End what nobody has used for so many seconds."""
        with self._lock:
            now = time.monotonic()
            over = [each for each in self._kept if now - each.used >= most]
            self._kept = [each for each in self._kept if each not in over]
        for each in over:
            each.engine.close()


@dataclass(frozen=True, slots=True)
class EngineState:
    """One way to isolate, as this machine has it."""

    name: str
    state: str
    """`proven`: its children found no way out just now, and neither did the battery of attacks where it was run on it.
    `unproven`: they did not, and no battery was run. `absent`: it is not here. `broken`: it is, and does not hold."""
    does: str
    why: str = ""
    """What is missing, and what to do."""
    unasked: bool = False
    """Whether it is what programs run in when nobody says otherwise."""


class Ahead(Generic[_Made]):
    """Something slow that is being made in the background until somebody wants it."""

    def __init__(self, make: Callable[[], _Made]) -> None:
        self.seconds = 0.0
        """What making it took."""
        self._made: _Made | None = None
        self._error: BaseException | None = None
        self._thread: Thread | None = Thread(target=self._work, args=(make,), daemon=True)
        self._thread.start()

    def _work(self, make: Callable[[], _Made]) -> None:
        begun = time.perf_counter()
        try:
            self._made = make()
        except BaseException as error:
            self._error = error
        self.seconds = time.perf_counter() - begun

    def get(self) -> _Made:
        """The thing, now the caller's to close; raises what making it raised."""
        if self._thread is not None:
            self._thread.join()
        self._thread = None
        if self._error is not None:
            raise self._error
        made, self._made = self._made, None
        assert made is not None, "it is handed out once"
        return made

    def drop(self, close: Callable[[_Made], None]) -> None:
        """Close the thing if nobody wanted it."""
        if self._thread is not None:
            self._thread.join()
        if self._made is not None:
            close(self._made)


def list_engines(setup: Setup) -> Iterator[EngineState]:
    """Every way to isolate, strongest first; each that is here is opened, and attacked from inside."""
    wanted = [row.name for row in find_rows()]
    for row in BACKENDS:
        if lack := row.find_lack(setup):
            yield EngineState(row.name, "absent", row.does, lack)
            continue
        try:
            with open_engine(row.name, setup=setup):
                is_first = row.name in wanted
                wanted = [] if is_first else wanted
                yield EngineState(row.name, "proven" if row.proven else "unproven", row.does, unasked=is_first)
        except SandboxError as error:
            yield EngineState(row.name, "broken", row.does, str(error))


def own_setup() -> Setup:
    """What engines are opened with outside of a run: the person's own image and cache folder. Raises ConfigError."""
    folders = user_folders()
    return Setup(image=read_own_config(folders).image, cache=folders.cache)


def prepare_engine(name: str, say: Callable[[str], None]) -> str:
    """Prepare what this engine needs once, and tell what was done; `say` hears what takes long. Raises SandboxError."""
    from nestkit.sandbox import wasm  # late: minutes of work, once

    setup = own_setup()
    if name != "wasm":
        raise SandboxError(f"{name} needs no preparation")
    if not wasm.find_lack(setup):
        return f"it is compiled already, in {wasm.find_cache(setup)}"
    wasm.compile_engine(setup, say)
    return f"compiled, in {wasm.find_cache(setup)}; `nest ask --engine wasm` uses it"


def _ground() -> tuple[object, ...]:
    """What a warm parent stands on: when it changes, that parent is of yesterday."""
    return (*map(_read, _SETTINGS.split()), *((folder, _changed(folder)) for folder in (*beside(), sys.executable)))


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError:
        return b""


def _changed(file: str) -> int:
    try:
        return Path(file).stat().st_mtime_ns
    except OSError:
        return 0
