"""Where programs and tools run: open an engine, get its tier, hand it programs and jobs. *Process*.

with open_engine() as engine:
    with engine.program(broker, now=now, seed=seed) as execute:
        outcome = execute("final_answer(1 + 1)")
    value = engine.call(job, limits)

A second backend is one file beside `kernel.py` and one row in `BACKENDS`. The tier is chosen once, proven, and never
lowered in silence: where none holds, nothing runs.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from nestkit.errors import SandboxError
from nestkit.policy import Limits
from nestkit.run import Execute, Outcome
from nestkit.sandbox import worker
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.child.wire import Broken, Closed, Late, TooLarge, pack, unpack
from nestkit.sandbox.job import Job, ToolFailed
from nestkit.sandbox.kernel import End, Kernel, find_programs

BACKENDS: Mapping[str, str] = {"linux": "nestkit.sandbox.kernel"}
"""`sys.platform` -> the module that has `TIERS`, strongest first, and `Kernel(tier)`."""

_RUNTIME = ("RuntimeError",)
_SCALARS = (str, int, float, bool, type(None))


class Engine:
    """One proven way of isolating, for as many programs and tools as there are."""

    def __init__(self, kernel: Kernel, weaker_because: str = "") -> None:
        self._kernel = kernel
        self.tier = kernel.tier
        self.weaker_because = weaker_because
        """Why it is not the strongest tier; empty when it is."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every child."""
        self._kernel.close()

    @contextmanager
    def program(self, broker: Broker, *, now: datetime, seed: int) -> Iterator[Execute]:
        """Programs of one run, one after the other; what one leaves behind the next one finds.

        A program that had to be stopped takes the variables with it; the next one starts afresh.
        """
        wish = _program_wish(broker, now, seed)
        child = None

        def execute(text: str) -> Outcome:
            nonlocal child
            child = child or self._kernel.spawn(wish, broker.limits.message_bytes)
            outcome, alive = worker.run_program(child, text, broker)
            child = child if alive else None
            return outcome

        try:
            yield execute
        finally:
            if child is not None:
                child.kill()

    def call(self, job: Job, limits: Limits, seconds: float | None = None) -> Any:
        """The value of one call of a script, in a child of its own. Raises ToolFailed.

        It may take the tool's seconds or what is left of the program that calls it, whichever is less.
        """
        seconds = min(limits.tool_seconds, seconds or limits.tool_seconds)
        if (ending := worker.deadline.get()) is not None:
            seconds = min(seconds, max(0.0, ending() - time.monotonic()))
        with self._scratch(job) as scratch:
            child = self._kernel.spawn(_job_wish(job, limits, scratch), limits.message_bytes)
            try:
                child.wire.deadline = time.monotonic() + seconds
                return _read_answer(child.wire.receive())
            except Late:
                text = f"{job.script} took longer than {seconds:.3g} seconds and was stopped"
                raise ToolFailed("TimeoutError", text, ("TimeoutError", "OSError")) from None
            except Closed:
                raise _explain(child.wait(), job, limits) from None
            except (Broken, TooLarge) as error:
                raise ToolFailed("RuntimeError", f"{job.script} sent no usable answer: {error}", _RUNTIME) from None
            finally:
                child.kill()

    @contextmanager
    def _scratch(self, job: Job) -> Iterator[str]:
        """A folder for what a script keeps for a moment: in memory, or without namespaces on the disk."""
        if self.tier == "kernel-full":
            yield "/tmp"
            return
        import tempfile

        folder = tempfile.mkdtemp(prefix="scratch-", dir=self._kernel.folder)
        if os.geteuid() == 0:
            owner = os.stat(job.root)
            os.chown(folder, owner.st_uid, owner.st_gid)
        try:
            yield folder
        finally:
            remove_tree(folder)


def open_engine(tier: str = "auto", *, landlock: int = 6) -> Engine:
    """The strongest engine that this machine can prove, or the one named. Raises SandboxError when there is none.

    `landlock` caps the version of Landlock that is used: for tests of what older kernels have.
    """
    name = next((module for prefix, module in BACKENDS.items() if sys.platform.startswith(prefix)), "")
    if not name:
        raise SandboxError(f"nest cannot isolate anything on {sys.platform} yet", "run it on Linux, or in WSL 2")
    backend = importlib.import_module(name)
    if tier != "auto" and tier not in backend.TIERS:
        raise SandboxError(f"there is no tier {tier!r}", f"known: {', '.join(backend.TIERS)}")
    failures: list[str] = []
    for candidate in backend.TIERS if tier == "auto" else (tier,):
        try:
            return Engine(_proven(backend.Kernel(candidate, landlock)), "; ".join(failures))
        except SandboxError as error:
            failures.append(str(error))
    raise SandboxError("; ".join(failures), "programs need Linux 5.13 or newer with Landlock; see `nest doctor`")


def remove_tree(folder: str) -> None:
    """Remove a folder that an enemy has filled: any depth, without ever following a link.

    Each folder inside is moved to the top before it is emptied, so nothing here grows with the depth.
    """
    number = 0
    os.chmod(folder, 0o700)
    while True:
        inner = []
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.path)
                else:
                    os.unlink(entry.path)
        if not inner:
            break
        for path in inner:
            os.chmod(path, 0o700)
            with os.scandir(path) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        os.chmod(entry.path, 0o700)
                        os.rename(entry.path, f"{folder}/{number}-nest")
                        number += 1
                    else:
                        os.unlink(entry.path)
            os.rmdir(path)
    os.rmdir(folder)


def _proven(kernel: Kernel) -> Kernel:
    """The kernel, once a child of it has proven itself."""
    limits = Limits()
    wish = {"kind": "program", "cpu_seconds": 1, "memory_bytes": limits.memory_bytes}
    try:
        kernel.spawn(wish, limits.message_bytes).kill()
    except BaseException:
        kernel.close()
        raise
    return kernel


def _moment(now: datetime, seed: int) -> dict[str, Any]:
    offset = now.utcoffset()
    if offset is None:
        raise ValueError("the run's clock must know its zone")
    return {"now": now.timestamp(), "offset": int(offset.total_seconds()), "seed": seed}


def _program_wish(broker: Broker, now: datetime, seed: int) -> dict[str, Any]:
    limits = broker.limits
    return {
        "kind": "program",
        "tools": broker.names,
        "cpu_seconds": limits.cpu_seconds,
        "memory_bytes": limits.memory_bytes,
        "output_bytes": limits.output_bytes,
        **_moment(now, seed),
    }


def _job_wish(job: Job, limits: Limits, scratch: str) -> dict[str, Any]:
    return {
        "kind": "call",
        "script": job.script,
        "root": job.root,
        "shown": job.shown or job.root,
        "system": job.system,
        "hide": list(job.hide),
        "writable": job.writable if isinstance(job.writable, bool) else list(job.writable),
        "site": [os.path.realpath(folder) for folder in job.site],
        "run": find_programs(job.run),
        "environment": dict(job.environment),
        "function": job.function,
        "arguments": pack(dict(job.arguments)),
        "argv": list(job.argv),
        "digest": job.digest,
        "modules": None if job.modules is None else dict(job.modules),
        "scratch": scratch,
        "cpu_seconds": limits.cpu_seconds,
        "memory_bytes": limits.memory_bytes,
        "file_bytes": limits.staged_bytes,
        **_moment(job.now, job.seed),
    }


def _read_answer(message: dict[str, Any]) -> Any:
    """The value a child sent; its error raised."""
    if "value" in message:
        return unpack(message["value"])
    error = message.get("error")
    if type(error) is not dict:
        raise Broken("neither value nor error")
    texts = {name: str(error.get(name, ""))[:4000] for name in ("type", "text", "place")}
    given, bases = (item if type(item := error.get(name)) is list else [] for name in ("args", "bases"))
    given = [item for item in given if isinstance(item, _SCALARS)]
    bases = [name for name in bases if isinstance(name, str)]
    raise ToolFailed(texts["type"] or "RuntimeError", texts["text"], tuple(bases), tuple(given), texts["place"])


def _explain(end: End, job: Job, limits: Limits) -> ToolFailed:
    if end.cpu_seconds >= limits.cpu_seconds - 0.5:
        text = f"{job.script} used all its {limits.cpu_seconds} seconds of processor time"
        return ToolFailed("TimeoutError", text, ("TimeoutError", "OSError"))
    if end.memory_bytes > 0.8 * limits.memory_bytes:
        return ToolFailed("MemoryError", f"{job.script} ran out of memory", ("MemoryError",))
    return ToolFailed("RuntimeError", f"{job.script} ended its own process (code {end.code})", _RUNTIME)
