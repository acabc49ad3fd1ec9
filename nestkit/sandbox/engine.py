"""Where programs and tools run: open an engine, get its tier, hand it programs and jobs. *Process*.

with open_engine() as engine:
    with engine.program(broker, now=now, seed=seed) as execute:
        outcome = execute("final_answer(1 + 1)")
    value = engine.call(job, limits)

What isolates is a backend; `backends.py` has the table of them. The tier is chosen once, proven, and never lowered in
silence: where none holds, nothing runs. Where programs run in a backend that can run no scripts (another interpreter),
tools have the machine's own one beside it, or are refused.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from nestkit.errors import NoLayers, SandboxError
from nestkit.policy import Limits
from nestkit.run import Execute, Outcome
from nestkit.sandbox import worker
from nestkit.sandbox.backend import Backend, Child, End, Setup
from nestkit.sandbox.backends import find_rows, get_row
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.child.packing import Broken, unpack
from nestkit.sandbox.child.wire import Closed, Late, TooLarge
from nestkit.sandbox.dial import dialling
from nestkit.sandbox.job import Job, ToolFailed, World
from nestkit.sandbox.scratch import Overfull, Scratch
from nestkit.sandbox.temporary import remove_tree
from nestkit.sandbox.watch import Watch
from nestkit.sandbox.wish import draft_ceilings, draft_moment, wish_for_job, wish_for_program, wish_for_world

_SCRATCH = "/run/nest-scratch"
_SLACK_BYTES = 8 << 20
"""How much more than it may stage a script may write for a moment, as in a layer."""
_RUNTIME = ("RuntimeError",)
_PERMISSION = ("PermissionError", "OSError")
_ALONE = "without namespaces no program can be started, since its processes could not be ended as one"
_SCALARS = (str, int, float, bool, type(None))


class Engine:
    """One proven way of isolating, for as many programs and tools as there are."""

    def __init__(
        self, backend: Backend, weaker_because: str = "", beside: Backend | None = None, lack: str = ""
    ) -> None:
        self._backend = backend
        self._beside = backend if backend.runs_scripts else beside
        """Where scripts run; None where they cannot."""
        self._lack = lack
        self.tier = backend.tier
        self.landlock: int = getattr(backend, "landlock", 0)
        self.weaker_because = weaker_because
        """Why it is not the strongest tier; empty when it is."""

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every child."""
        for backend in {id(each): each for each in (self._backend, self._beside) if each}.values():
            backend.close()

    def is_at_rest(self) -> bool:
        """Whether none of its children is left, and it is worth keeping."""
        return all(backend.is_at_rest() for backend in (self._backend, self._beside) if backend)

    @property
    def layers(self) -> bool:
        """Whether it can lay folders over a vault: staged files, and what a script writes."""
        return self._beside is not None and self._beside.layers

    @property
    def keeps(self) -> bool:
        """Whether a child of it can keep a script's packages loaded, and fork for each call."""
        return getattr(self._beside, "keeps", False)

    @property
    def gives_files(self) -> bool:
        """Whether programs can be given a world."""
        return self._backend.runs_scripts

    @property
    def title(self) -> str:
        """What isolates, for people: programs, and scripts where that is another."""
        title = get_row(self.tier).title
        return (
            title
            if self._beside in (None, self._backend)
            else f"{title}, scripts in {get_row(self._scripts.tier).title}"
        )

    @property
    def _scripts(self) -> Backend:
        """Where scripts run. Raises SandboxError where they cannot."""
        if self._beside is None:
            raise SandboxError(f"{self.tier} runs programs only; scripts need a sandbox of their own, and {self._lack}")
        return self._beside

    @contextmanager
    def program(self, broker: Broker, *, now: datetime, seed: int, world: World | None = None) -> Iterator[Execute]:
        """Programs of one run, one after the other; what one leaves behind the next one finds.

        Without a world a program has no power but its broker (`brokered`); with one it may read a vault, import
        packages and write to a scratch folder, whose files come back in `Outcome.files` (`sandboxed`). A program that
        had to be stopped takes its variables and files with it; the next one starts afresh.
        """
        with ExitStack() as opened:
            child: Child | None = None
            scratch: Scratch | None = None
            folder = ""

            def execute(text: str) -> Outcome:
                nonlocal child, scratch, folder
                if child is None:
                    opened.close()
                    child, folder = self._spawn_program(broker, draft_moment(now, seed), world, opened)
                    scratch = Scratch(child.folder, *_room(broker.limits)) if world else None
                watch = Watch(scratch=folder, scratch_bytes=broker.limits.scratch_bytes) if folder else None
                with watch.over(child) if watch else nullcontext():
                    outcome, alive = worker.run_program(child, text, broker)
                if watch and watch.limit:
                    outcome = _overfull(outcome, f"it filled its scratch folder beyond {watch.scratch_bytes:,} bytes")
                if scratch is not None and alive:
                    outcome, alive = _with_files(outcome, scratch)
                if not alive:
                    child.kill()
                child = child if alive else None
                return outcome

            yield execute

    def call(
        self, job: Job, limits: Limits, seconds: float | None = None, collect: Callable[[Path], None] | None = None
    ) -> Any:
        """The value of one call of a script, in a child of its own. Raises ToolFailed.

        It may take the tool's seconds or what is left of the program that calls it, whichever is less. With `collect`
        the script may write over `root` without touching it (NoLayers where that cannot be had): when the call went
        well and the script is gone, `collect` gets the folder that holds what it wrote, with a character device for
        each file that went away.
        """
        backend = self._find_scripts(job)
        seconds = self.seconds_for(limits, seconds)
        _check_layers(backend, over=job.over, collects=collect is not None)
        with ExitStack() as opened:
            scratch = self._scratch(_scratch_for(job.shown or job.root), job.root, opened)
            wish = wish_for_job(job, limits, scratch) | {"collect": collect is not None}
            child = backend.spawn(wish, limits.message_bytes)
            opened.callback(child.close)
            watch = self._watch(job, limits, scratch)
            if child.dial is not None:
                opened.enter_context(dialling(child.dial, job.network))
            with watch.over(child) if watch else nullcontext():
                value = self._await(child, job, limits, seconds, watch)
            child.kill()
            if collect is not None:
                collect(Path(f"/proc/self/fd/{child.folder}"))
            return value

    def _find_scripts(self, job: Job) -> Backend:
        """The backend that can run this job. Raises ToolFailed."""
        try:
            backend = self._scripts
        except SandboxError as error:
            raise ToolFailed("PermissionError", f"{job.script} cannot run here: {error}", _PERMISSION) from None
        if job.run and not backend.layers:
            raise ToolFailed("PermissionError", f"{job.script} wants {', '.join(job.run)}: {_ALONE}", _PERMISSION)
        if job.network and not backend.dials:
            why = f"{job.script} wants the network, and nothing can be passed in to {backend.tier}"
            raise ToolFailed("PermissionError", why, _PERMISSION)
        return backend

    def seconds_for(self, limits: Limits, seconds: float | None) -> float:
        """How long a call may take: the tool's own seconds, or what is left of the program that calls it."""
        seconds = min(limits.tool_seconds, seconds or limits.tool_seconds)
        if (ending := worker.deadline.get()) is not None:
            seconds = min(seconds, max(0.0, ending() - time.monotonic()))
        return seconds

    def wish_for(self, job: Job, limits: Limits) -> dict[str, Any]:
        """What is asked of a child that does this job and collects nothing, in an engine that `layers`."""
        return wish_for_job(job, limits, _scratch_for(job.shown or job.root)) | {"collect": False}

    def spawn(self, wish: Mapping[str, Any], limits: Limits) -> Child:
        """A proven child for scripts, for whoever talks with it for longer than one call; theirs to close."""
        return self._scripts.spawn(wish, limits.message_bytes)

    def _await(self, child: Child, job: Job, limits: Limits, seconds: float, watch: Watch | None) -> Any:
        """What the child answers. Raises ToolFailed."""
        try:
            child.wire.deadline = time.monotonic() + seconds
            return read_answer(child.wire.receive())
        except Late:
            raise overdue(job, seconds) from None
        except Closed:
            raise explain(child.wait(), job, limits, watch.limit if watch else "") from None
        except (Broken, TooLarge) as error:
            raise unusable(job, error) from None

    def _watch(self, job: Job, limits: Limits, scratch: str) -> Watch | None:
        """Limits that the kernel's ceilings on one process do not hold."""
        if job.run:
            return Watch(limits.memory_bytes, limits.cpu_seconds)
        if self.layers:
            return None
        places = ("",) if job.writable is True else job.writable or ()
        written = tuple(f"{job.root}/{place}" for place in places)
        return Watch(
            scratch=scratch,
            scratch_bytes=limits.scratch_bytes,
            written=written,
            written_bytes=limits.staged_bytes + _SLACK_BYTES,
        )

    def _spawn_program(
        self, broker: Broker, moment: dict[str, Any], world: World | None, opened: ExitStack
    ) -> tuple[Child, str]:
        """A child for programs, and the folder on the disk whose size must be watched, if there is one."""
        wish = wish_for_program(broker) | moment
        scratch = ""
        if world is not None and not self._backend.runs_scripts:
            what = f"{self.tier} gives a program no files and no packages, which `sandboxed` promises"
            raise SandboxError(what, "use --contract brokered, or another --engine")
        if world is not None:
            _check_layers(self._backend, over=world.over)
            scratch = self._scratch(_SCRATCH, world.root, opened)
            wish |= wish_for_world(world, broker.limits, scratch)
        child = self._backend.spawn(wish, broker.limits.message_bytes)
        opened.callback(child.close)
        if world is None or child.folder >= 0:
            return child, ""
        child.folder = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        return child, scratch

    def _scratch(self, place: str, root: str, opened: ExitStack) -> str:
        """A folder for what is kept for a moment: in memory, or without namespaces on the disk."""
        if self.layers:
            return place
        import tempfile

        folder = tempfile.mkdtemp(prefix="scratch-", dir=self._scripts.folder)
        opened.callback(remove_tree, folder)
        if os.geteuid() == 0:
            owner = os.stat(root)
            os.chown(folder, owner.st_uid, owner.st_gid)
        return folder


def open_engine(name: str = "auto", *, setup: Setup | None = None, **given: Any) -> Engine:
    """The strongest engine that this machine can prove, or the one named. Raises SandboxError when there is none.

    `given` are parts of a `Setup` by name, in place of those of `setup`.
    """
    setup = replace(setup or Setup(), **given)
    backend, why = _open_first(name, setup)
    beside, lack = None, ""
    if not backend.runs_scripts:
        try:
            beside, _ = _open_first("auto", setup, scripts=True)
        except SandboxError as error:
            lack = str(error)
        except BaseException:
            backend.close()
            raise
    return Engine(backend, why, beside, lack)


def _open_first(name: str, setup: Setup, *, scripts: bool = False) -> tuple[Backend, str]:
    """The first backend of this name that proves itself, and why it is not the strongest. Raises SandboxError."""
    failures: list[SandboxError] = []
    for row in find_rows(name):
        if scripts and row.elsewhere:
            continue  # another interpreter runs no scripts
        try:
            return _proven(row.open(setup)), "; ".join(map(str, failures))
        except SandboxError as error:
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    hint = "see `nest doctor` for what else there is: `--engine NAME` chooses it"
    raise SandboxError("; ".join(map(str, failures)) or "nest cannot isolate scripts on this system", hint)


def _proven(backend: Backend) -> Backend:
    """The backend, once a child of it has proven itself."""
    limits = Limits()
    try:
        backend.spawn({"kind": "program", **draft_ceilings(limits, cpu_seconds=1)}, limits.message_bytes).kill()
    except BaseException:
        backend.close()
        raise
    return backend


def _check_layers(backend: Backend, *, over: str, collects: bool = False) -> None:
    """Raises NoLayers when one folder would have to be laid over another and cannot be."""
    if (over or collects) and not backend.layers:
        raise NoLayers(f"{backend.tier} lays no folder over another")


def _with_files(outcome: Outcome, scratch: Scratch) -> tuple[Outcome, bool]:
    """The outcome with what the program left in its folder, and whether another one may run there."""
    try:
        files, remarks = scratch.take()
    except Overfull as error:
        return _overfull(outcome, str(error)), False
    said = "".join(f"[{remark}]\n" for remark in remarks[:10])
    return replace(outcome, files=files, output=outcome.output + said), True


def _overfull(outcome: Outcome, why: str) -> Outcome:
    error = f"Stopped: {why}. Its variables are gone."
    return replace(outcome, final=False, value=None, error=error, limit="scratch")


def _scratch_for(shown: str) -> str:
    """Where a script looks for one, unless the vault lies in there: who may write to a folder may write below it."""
    return _SCRATCH if f"{shown}/".startswith("/tmp/") else "/tmp"


def _room(limits: Limits) -> tuple[int, int]:
    return limits.scratch_files, limits.scratch_bytes


def read_answer(message: dict[str, Any]) -> Any:
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


def overdue(job: Job, seconds: float) -> ToolFailed:
    """A script's child has not answered in time."""
    text = f"{job.script} took longer than {seconds:.3g} seconds and was stopped"
    return ToolFailed("TimeoutError", text, ("TimeoutError", "OSError"))


def unusable(job: Job, error: Exception) -> ToolFailed:
    """A script's child has sent something else than an answer."""
    return ToolFailed("RuntimeError", f"{job.script} sent no usable answer: {error}", _RUNTIME)


def explain(end: End, job: Job, limits: Limits, limit: str) -> ToolFailed:
    """Why a script's child ended without an answer."""
    if limit == "scratch":
        text = f"{job.script} filled its scratch folder beyond {limits.scratch_bytes:,} bytes"
        return ToolFailed("OSError", text, ("OSError",))
    if limit == "staged":
        text = f"{job.script} wrote more than {limits.staged_bytes:,} bytes into the vault"
        return ToolFailed("OSError", text, ("OSError",))
    if limit == "cpu" or end.cpu_seconds >= limits.cpu_seconds - 0.5:
        text = f"{job.script} used all its {limits.cpu_seconds} seconds of processor time"
        return ToolFailed("TimeoutError", text, ("TimeoutError", "OSError"))
    if limit == "memory" or end.memory_bytes > 0.8 * limits.memory_bytes:
        return ToolFailed("MemoryError", f"{job.script} ran out of memory", ("MemoryError",))
    return ToolFailed("RuntimeError", f"{job.script} ended its own process (code {end.code})", _RUNTIME)
