"""Where a run's programs and tools work: engine, broker and stage joined. Part of the hall. *Process, Disk*."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nestkit.change import Change
from nestkit.errors import NoLayers, SandboxError, VaultError
from nestkit.hall.composed import find_composed
from nestkit.hall.desk import Desk
from nestkit.hall.engines import Ahead
from nestkit.hall.gate import Gate, find_tools, script_digests
from nestkit.hall.packages import beside
from nestkit.hall.recording import Recording
from nestkit.note import Problem
from nestkit.policy import Refusal, effects_needing_leave, has_world
from nestkit.run import Ask, Execute, Outcome, Run, ToolCall
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.check import check_program
from nestkit.sandbox.command import command_line
from nestkit.sandbox.engine import Engine
from nestkit.sandbox.job import Job, Refused, ToolFailed, World
from nestkit.sandbox.loaded import Loaded
from nestkit.sandbox.paths import as_opened
from nestkit.sandbox.temporary import Held
from nestkit.scripts import vault as builtin
from nestkit.tool import Script, Tool
from nestkit.vault.files import find_spelling
from nestkit.vault.layer import Begin, Ground, collect_layer
from nestkit.vault.sight import Sight, find_folders, find_sight, is_within, lay_changes
from nestkit.vault.view import collect_changes, make_view

if TYPE_CHECKING:
    from nestkit.nest import Nest

_HIDDEN = (".nest", ".git", ".obsidian", ".trash", "nest.toml")
"""Places of other programs that no script is shown."""

_TEXTS = frozenset((("write_note", "text"), ("append_note", "text"), ("set_property", "value")))
"""(tool, parameter) of the built-in tools that take text of any length."""
_MOST_CHARS = 4_000
"""Of any other value: names and searches are looked up here, in nest itself, where no limit of a program's holds."""


class Workshop:
    """The isolation of one run; leaving it ends every child.

    The engine, unless one is kept warm, opens in the background from the start, while nest still thinks about the
    program: starting a proven child takes longer than anything else in a short run, and needs nothing of ours.
    """

    def __init__(self, nest: Nest, run: Run, desk: Desk, gate: Gate, recording: Recording) -> None:
        self._nest, self._run, self._desk, self._gate, self._recording = nest, run, desk, gate, recording
        recording.redo = self._redo
        self._seed = seed_of(run.ask)
        self._broker = Broker(
            nest.registry.tools,
            host=self._host,
            script=self._script,
            allow=gate.call,
            limits=run.ask.limits,
            folders=(str(nest.root), str(Path.home())),
            tape=recording,
        )
        self._begun = time.monotonic()
        self._open = ExitStack()
        self._engine: Engine | None = None
        self._loaded: Loaded | None = None
        self._execute: Execute | None = None
        self._ahead = Ahead(lambda: nest.engines.borrow(run.ask.contract, run.ask.engine))
        self._unprepared: dict[str, str] = {}
        """Path of a script -> why its packages could not be built."""
        self.digests: dict[str, str] = {}
        """Path -> digest of each script that was called."""

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()
        self._ahead.drop(self._nest.engines.give_back)

    @property
    def tier(self) -> str:
        """How programs are isolated, as proven; empty when none was run."""
        return self._engine.title if self._engine else ""

    def left(self) -> float:
        """Seconds that are left of the ask; the time in which a person was asked does not count."""
        return self._run.ask.limits.seconds - (time.monotonic() - self._begun - self._broker.waited)

    def execute(self, program: str) -> Outcome:
        """What came of a program; one that hides something, or waits for a person, is not run.

        Raises SandboxError where nothing isolates.
        """
        recording = self._recording
        recording.begin()
        composed = find_composed(self._nest, program)
        before = "\n\n".join(source for _, source in composed)
        if wrong := [*check_program(before), *check_program(program)]:
            return Outcome(error=f"not run: {'; '.join(wrong)}")
        whole = f"{before}\n\n{program}" if before else program
        leave = self._ask_leave(whole, [tool for tool, _ in composed])
        if isinstance(leave, Refusal):
            return Outcome(error=f"PermissionError: {leave.reason}", refusals=(leave,))
        recording.program(program, leave, before)
        execute = self._execute or self._start()
        self._prepare(whole)
        limits = self._run.ask.limits
        seconds = max(0.01, min(limits.step_seconds, self.left()))
        self._broker.limits = replace(limits, step_seconds=round(seconds, 3))
        made = execute(before) if before else None
        return made if made and made.error else execute(program)

    def _ask_leave(self, whole: str, composed: Sequence[Tool]) -> Refusal | str:
        """As `Gate.program`, for a program with all that is run as part of it; the time it takes is nobody's."""
        asked, told = time.monotonic(), self._recording.told.programs.get(self._recording.number, {})
        leave = self._gate.program(whole, told.get("approval", ""))
        for tool in composed:
            self.digests[tool.script] = script_digests(self._nest)[tool.script]
            leave = leave if isinstance(leave, Refusal) else self._gate.call(tool, {}) or leave
        self._broker.waited += time.monotonic() - asked
        return leave

    def _start(self) -> Execute:
        """Where the programs of this run work, from the first of them on."""
        run = self._run
        engine = self._engine = self._opened()
        self._open.callback(self._nest.engines.give_back, engine)
        self._loaded = self._open.enter_context(Loaded(engine))
        self._nest.phases.beside["isolation"] = self._ahead.seconds
        self._execute = self._open.enter_context(
            engine.program(
                self._broker, now=run.ask.now, seed=self._seed, world=find_world(self._nest, run.ask, engine)
            )
        )
        return self._execute

    def _opened(self) -> Engine:
        try:
            return self._ahead.get()
        except OSError as error:
            hint = "is there room in the folder for temporary files?"
            raise SandboxError(f"the isolation could not be opened: {error.strerror or error}", hint) from None

    def _prepare(self, program: str) -> None:
        """Build the packages of the scripts that a program names, where there is leave; no program ever does."""
        packages, begun = self._nest.packages, time.monotonic()
        scripts = {s.path: s for s in self._nest.registry.scripts if s.dependencies and packages.find(s) is None}
        tools = (
            find_tools(program, tuple(t for t in self._nest.registry.tools if t.script in scripts))[0]
            if scripts
            else ()
        )
        for tool in tools:
            script = scripts.pop(tool.script, None)
            if script is None or packages.refuse(script) or not self._gate.fetch(tool):
                continue
            try:
                packages.prepare(script, self._gate.say)
            except SandboxError as error:
                self._unprepared[script.path] = f"{error}; {error.hint}"
        self._broker.waited += time.monotonic() - begun

    def _lacking(self, tool: Tool, script: Script) -> ToolFailed | Refused:
        """Why a tool cannot have the packages it needs."""
        why = self._nest.packages.refuse(script) or self._unprepared.get(script.path, "")
        if why:
            return ToolFailed("ModuleNotFoundError", f"{tool.script}: {why}", ("ModuleNotFoundError", "ImportError"))
        needs = ", ".join(script.dependencies)
        hint = f"run `nest trust {tool.name}`, or use --yes"
        return Refused(Refusal(f"{tool.name} needs packages that are not there: {needs}", hint, tool.name, True))

    def _site(self, tool: Tool) -> tuple[str, ...]:
        script = next(script for script in self._nest.registry.scripts if script.path == tool.script)
        return self._nest.packages.find(script) or ()

    def _wants_packages(self, tool: Tool) -> bool:
        """Whether its script says that it needs any: these may be slow to load."""
        return any(script.path == tool.script and script.dependencies for script in self._nest.registry.scripts)

    def _redo(self, call: ToolCall) -> None:
        """Know of a call that an earlier part of this run made."""
        self._desk.reads.update(dict.fromkeys(call.reads))
        scripts = {script.path: script.digest for script in self._nest.registry.scripts}
        for tool in self._nest.registry.tools:
            if tool.name == call.tool and tool.manner != "builtin":
                self.digests[tool.script] = scripts[tool.script]

    def _host(self, tool: Tool, arguments: Mapping[str, Any]) -> tuple[Any, Sequence[str]]:
        """The value of a built-in tool, and the notes it opened."""
        for name, value in arguments.items():
            if (tool.target, name) not in _TEXTS and _count_chars(value) > _MOST_CHARS:
                raise ValueError(f"{tool.short}(): {name} is longer than {_MOST_CHARS:,} characters")
        before = set(self._desk.reads)
        value = getattr(builtin, tool.target)(**arguments, _vault=self._desk)
        return value, [path for path in self._desk.reads if path not in before]

    def _script(self, tool: Tool, arguments: Mapping[str, Any]) -> Any:
        """The value of a script's tool, run on the vault; on a private copy where it may write or must not see all."""
        arguments = as_opened(tool, arguments, self._desk.find_path, self._is_there)
        if tool.manner == "composed":
            text = f"{tool.name} is part of a program: call it by its name, as {tool.signature}"
            raise ToolFailed("TypeError", text, ("TypeError",))
        script = next(script for script in self._nest.registry.scripts if script.path == tool.script)
        self.digests[script.path] = script.digest
        if self._nest.packages.find(script) is None:
            raise self._lacking(tool, script)
        writes = _scopes(tool, "write", "delete")
        staged = self._desk.stage.changes()
        layers = self._engine is not None and self._engine.layers
        if not (writes or staged) and (layers or not self._nest.config.private):
            return self._call(tool, arguments, script.digest, self._sight(tool, ()))
        with Held() as folder:
            try:
                return self._call_over(tool, arguments, script.digest, Path(folder) / "staged", writes)
            except NoLayers:
                return self._call_on_copy(tool, arguments, script.digest, Path(folder) / "vault", writes)

    def _call_over(
        self, tool: Tool, arguments: Mapping[str, Any], digest: str, folder: Path, writes: tuple[str, ...]
    ) -> Any:
        """The value of a tool that sees what the run has staged, and may write: in a layer over the vault."""
        root, staged = self._nest.root, self._desk.stage.changes()
        folder.mkdir()
        gone = lay_changes(folder, staged, like=root)
        sight = self._sight(tool, gone)
        paths = tuple(change.path for change in staged)
        hidden = (*_HIDDEN, *sight.hide)
        ground = Ground(root, self._desk.stage.read, Begin(), tuple(set(hidden) - set(gone)), paths)

        def collect(layer: Path) -> None:
            limits = self._run.ask.limits
            with _told():
                found = collect_layer(layer, ground, self._nest.protected, limits.staged_files, limits.staged_bytes)
                self._stage(tool, *found, writes)

        over = str(folder) if staged else ""
        return self._call(tool, arguments, digest, sight, over=over, writes=writes, collect=collect if writes else None)

    def _call_on_copy(
        self, tool: Tool, arguments: Mapping[str, Any], digest: str, folder: Path, writes: tuple[str, ...]
    ) -> Any:
        """The same on a private copy of all files, where no folder can be laid over another."""
        limits = self._run.ask.limits
        hide = (*self._nest.config.private, *_HIDDEN)
        view = make_view(self._nest.root, folder, self._desk.stage.changes(), hide)
        sight = Sight(self._sight(tool, ()).read, ())  # what is hidden is not there
        value = self._call(tool, arguments, digest, sight, root=view.folder, writes=writes)
        if writes:
            with _told():
                before, protected = self._desk.stage.read, self._nest.protected
                found = collect_changes(view, before, protected, limits.staged_files, limits.staged_bytes)
                self._stage(tool, *found, writes)
        return value

    def _sight(self, tool: Tool, gone: tuple[str, ...]) -> Sight:
        """What of the vault a tool may see: what it declares to read and its own folder, less what is private."""
        read = [effect.scope for effect in tool.declared or () if effect.kind == "read"]
        globs = tuple(read) if all(read) else ()
        system = self._nest.config.system
        sight = find_sight(self._nest.root, globs, self._nest.config.private, always=(system,))
        if sight.read is None:
            return Sight(None, (*sight.hide, *gone))
        staged = [path for path in self._desk.stage.paths() if path not in gone and is_within(path, globs)]
        return Sight((*sight.read, *staged), (*sight.hide, *gone))

    def _call(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        digest: str,
        sight: Sight,
        *,
        root: Path | None = None,
        over: str = "",
        writes: tuple[str, ...] = (),
        collect: Callable[[Path], None] | None = None,
    ) -> Any:
        assert self._engine is not None, "tools are called by programs, and programs open the engine"
        assert self._loaded is not None
        is_function = tool.manner == "function"
        root = root or self._nest.root
        job = Job(
            script=tool.script,
            root=str(root),
            now=self._run.ask.now,
            seed=self._seed,
            function=tool.target if is_function else "",
            arguments=arguments if is_function else {},
            argv=() if is_function else tuple(command_line(tool, arguments)),
            shown=str(self._nest.root) if self._engine.layers else "",
            system=self._nest.config.system,
            hide=(*_HIDDEN, *sight.hide) if root == self._nest.root else (),
            read=sight.read,
            over=over,
            writable=find_folders(root, writes) if writes else False,
            environment=_environment(tool),
            network=_scopes(tool, "network"),
            run=(*_scopes(tool, "run"), *([tool.target] if tool.manner == "shell" else [])),
            shell=tool.target if tool.manner == "shell" else "",
            site=self._site(tool),
            digest=digest,
            modules=self._modules(tool),
        )
        call = self._loaded.call if self._wants_packages(tool) else self._engine.call
        return call(job, self._run.ask.limits, tool.timeout, collect)

    def _is_there(self, path: str) -> bool:
        return path in self._desk.stage.paths() or os.path.exists(f"{self._nest.root}/{path}")  # noqa: PTH110 - any text

    def _modules(self, tool: Tool) -> dict[str, str] | None:
        """What a tool that may do more than read may load of the vault: what its leave covers."""
        return dict(self._nest.trust.wants(tool).files) if effects_needing_leave(tool) else None

    def _stage(self, tool: Tool, found: tuple[Change, ...], odd: tuple[Problem, ...], scopes: tuple[str, ...]) -> None:
        """Stage what a script did; whatever it may not do fails the call, and none of it counts."""
        stage = self._desk.stage
        outside = [
            f"{change.path} is outside what it declares" for change in found if not is_within(change.path, scopes)
        ]
        if refused := [str(problem) for problem in odd] + outside:
            text = f"{tool.name} may not write there: {'; '.join(refused[:5])}"
            raise ToolFailed("PermissionError", text, ("PermissionError", "OSError"))
        for change in found:
            if change.after is None:
                stage.delete(change.path)
            else:
                stage.write(change.path, change.after)


@contextmanager
def _told() -> Iterator[None]:
    """What cannot be staged is the tool's failure, told to the program."""
    try:
        yield
    except VaultError as error:
        raise ToolFailed("PermissionError", str(error), ("PermissionError", "OSError")) from None


def seed_of(ask: Ask) -> int:
    """What chance begins with in this ask's programs and tools: the same for the same words."""
    return int.from_bytes(hashlib.sha256(ask.text.encode()).digest()[:4], "big")


def find_world(nest: Nest, ask: Ask, engine: Engine) -> World | None:
    """What the programs of this ask are given besides their broker: nothing, or the vault to read and packages."""
    if not has_world(ask.contract):
        return None
    root, config = nest.root, nest.config
    hide = (*_HIDDEN, *find_sight(root, (), config.private, always=(config.system,)).hide)
    return World(str(root), shown=str(root) if engine.layers else "", hide=hide, site=beside())


def spelling(root: Path) -> Callable[[str], str]:
    """How the disk spells a path, for stages."""
    return lambda path: find_spelling(root, path)


def _count_chars(value: Any) -> int:
    """How much there is to look up in a value."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_count_chars(key) + _count_chars(held) for key, held in value.items())
    return sum(map(_count_chars, value)) if isinstance(value, (list, tuple, set, frozenset)) else 1


def _scopes(tool: Tool, *kinds: str) -> tuple[str, ...]:
    """Globs, hosts, variables or programs of the effects of these kinds."""
    return tuple(effect.scope for effect in tool.effects if effect.kind in kinds)


def _environment(tool: Tool) -> dict[str, str]:
    """Values of the variables the tool was allowed."""
    return {name: os.environ[name] for name in _scopes(tool, "env") if name in os.environ}
