"""START HERE: the hall. A folder in; a vault opened, its index refreshed, its asks answered, out. *Disk, Process*.

nest = open_nest(Path.cwd())      # find the vault, read the settings, open the index
nest.refresh()                    # look at every file, read those that changed
nest.links("Home.md")             # facts: see lookups.py
nest.answer(ask)                  # a question walked to its note: see walk.py
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nestkit.change import digest
from nestkit.config import Config
from nestkit.errors import NestError, NoteMissing, NoVault
from nestkit.hall.crew import crew, make_readers, parse_note
from nestkit.hall.lookups import Lookups
from nestkit.hall.reading import read_script
from nestkit.hall.settings import read_config
from nestkit.index import facts, registry
from nestkit.index.reading import MAX_NOTE_BYTES
from nestkit.index.refresh import Refreshed, refresh
from nestkit.index.store import Index, discard, open_index
from nestkit.note import Problem, Vocabulary
from nestkit.policy import PROTECTED
from nestkit.scripts.vault import WRITERS
from nestkit.tool import Effect, Group, Script, Tool
from nestkit.vault.files import Folder, list_folders, read_file
from nestkit.vault.names import matches_any
from nestkit.vault.place import Folders, find_vault, user_folders, vault_key

if TYPE_CHECKING:
    from nestkit.change import Applied
    from nestkit.hall.engines import Engines
    from nestkit.hall.packages import Packages
    from nestkit.hall.trust import Trust
    from nestkit.hall.walk import Company
    from nestkit.hall.writers import Call, Rerun
    from nestkit.index.finder import Finder
    from nestkit.run import Ask, Run
    from nestkit.runs.note import RunNote

BUILTIN = Path(__file__).parent / "scripts/vault.py"
"""The script of the built-in tools; read by the same reader as the user's."""

_MENTIONS = 20
"""Notes that speak of a script that count when tools are looked for."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Registry:
    """All tools of a vault, the built-in ones among them."""

    tools: tuple[Tool, ...]
    scripts: tuple[Script, ...]
    problems: tuple[Problem, ...]
    """Names that two scripts claim, and notes that document tools wrongly; a script's own problems are with it."""
    groups: tuple[Group, ...] = ()


@dataclass(slots=True)
class Phases:
    """Where the time of a command went, in seconds."""

    spent: dict[str, float] = field(default_factory=dict)
    beside: dict[str, float] = field(default_factory=dict)
    """What went on at the same time, in a process of its own."""

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] = self.spent.get(name, 0.0) + time.perf_counter() - begun

    def draft(self) -> str:
        """One line: each phase in milliseconds, in the order of first use."""
        spent, beside = (
            ", ".join(f"{name} {1000 * seconds:.0f} ms" for name, seconds in each.items())
            for each in (self.spent, self.beside)
        )
        return f"time: {spent}" + (f" (beside: {beside})" if beside else "")


class Nest(Lookups):
    """One open vault."""

    def __init__(self, root: Path, config: Config, folders: Folders, index: Index, index_file: Path) -> None:
        self.root = root
        self.config = config
        self.folders = folders
        self.index = index
        self.index_file = str(index_file)
        self.phases = Phases()
        self._targets: dict[str, str] = {}
        self._left_out: list[Problem] = []
        self.temps: list[str] = []
        """Paths of temporary files that some nest did not come to remove, as of the last refresh."""

    def __enter__(self) -> Nest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.index.close()

    def refresh(self, *, progress: Progress = lambda done, total: None) -> Refreshed:
        """The index brought up to date with the vault's files."""
        with self.phases("refresh"):
            readers = make_readers(self.root, self.config.system)
            with crew(self.root, readers) as read_all:
                done = refresh(self.index, self._walk, readers, read_all=read_all, progress=progress)
            if done.changed or done.removed:
                self.__dict__.pop("registry", None)
                self.__dict__.pop("finder", None)
        return done

    def _walk(self) -> Iterator[Folder]:
        self._left_out.clear()
        self.temps.clear()
        self._targets.clear()
        for folder in list_folders(self.root, self.config.system, self._left_out.append, self.temps.append):
            self._targets.update((entry.path, entry.target) for entry in folder.links)
            yield folder

    @cached_property
    def registry(self) -> Registry:
        """The tools as of the last refresh."""
        from nestkit.hall.documented import documented  # late: facts need no tools

        scripts, groups, wrong = documented(
            self, (self._builtin(), *registry.with_helpers(registry.list_scripts(self.index)))
        )
        tools, problems = registry.unique_tools(scripts)
        return Registry(tuple(tools), tuple(scripts), (*problems, *wrong), tuple(groups))

    @cached_property
    def finder(self) -> Finder:
        """The tools as of the last refresh, ready to be asked for: the one place where tools are chosen."""
        from nestkit.index.finder import Finder  # late: not every command looks for tools

        said = {
            script: [f"{_stem(path)} {text}" for path, text in mentions[:_MENTIONS] if not self.is_private(path)]
            for script, mentions in facts.mentions_of_scripts(self.index, self.config.runs).items()
        }
        return Finder(self.registry.tools, said)

    @cached_property
    def engines(self) -> Engines:
        """The isolation that runs work in."""
        from nestkit.hall.engines import Engines  # late: facts run nothing

        return Engines(self.config.image, self.folders.cache)

    @cached_property
    def packages(self) -> Packages:
        """The packages that scripts ask for."""
        from nestkit.hall.packages import Packages  # late: most scripts need none

        return Packages(self)

    @cached_property
    def trust(self) -> Trust:
        """What a person granted to this vault's tools."""
        from nestkit.hall.trust import Trust  # late: only what does more than read asks for it

        return Trust(self)

    def vocabulary(self) -> Vocabulary:
        """What the vault can be asked about, without private notes and run notes."""
        from nestkit.index.vocabulary import read_vocabulary
        from nestkit.parse.kind import property_kind

        kinds = self.kinds()
        seal = f"{self.config.private} {self.config.runs} {sorted(kinds.items())}"

        def kind_of(name: str, value: Any) -> str:
            return property_kind(name, value, kinds)

        return read_vocabulary(self.index, kind_of, self.is_private, self.config.runs, seal)

    def is_private(self, path: str) -> bool:
        """Whether the settings hide this path from programs, tools and models."""
        return matches_any(path, self.config.private) or matches_any(self._targets.get(path, path), self.config.private)

    def is_run(self, path: str) -> bool:
        """Whether this path lies in the runs' folder."""
        return path.startswith(self.config.runs + "/")

    @property
    def protected(self) -> tuple[str, ...]:
        """Globs that no program or tool may write."""
        return (*PROTECTED, self.config.system, self.config.runs, *self.config.protected)

    def read_bytes(self, path: str) -> bytes:
        """A file's bytes through the safe door; a link that stays inside the vault is followed."""
        return read_file(self.root, self._targets.get(path, path), MAX_NOTE_BYTES)

    def read_text(self, path: str) -> str:
        """A note's text; bytes that are no UTF-8 are replaced."""
        return self.read_bytes(path).decode("utf-8", "replace")

    parse_note = staticmethod(parse_note)

    def find_bytes(self, path: str) -> bytes | None:
        """The same, or None when there is no such file."""
        try:
            return self.read_bytes(path)
        except NoteMissing:
            return None

    def problems(self, path: str = "") -> list[dict[str, Any]]:
        """As in `Lookups`, with properties that do not fit, bases that are broken, files that could not be listed."""
        left_out = [problem for problem in self._left_out if path in ("", problem.path)]
        more = [*self._misfits(path), *self._base_problems(path), *left_out]
        return super().problems(path) + [{**asdict(problem), "text": str(problem)} for problem in more]

    def _misfits(self, path: str) -> list[Problem]:
        """Looked for when asked: the kinds may change at any time, and no note has to be read again for it."""
        from nestkit.parse.kind import ALWAYS_LISTS
        from nestkit.parse.misfit import find_misfits, misfits

        kinds = self.kinds()
        holders = facts.list_holders(self.index, {*kinds, *ALWAYS_LISTS}, path)
        wrong = [holder for holder, properties in holders if misfits(properties, kinds)]
        return [problem for holder in wrong for problem in find_misfits(holder, self._text_if_there(holder), kinds)]

    def _base_problems(self, path: str) -> list[Problem]:
        """Read when asked: a vault has few bases, and nothing else of them is a fact."""
        from nestkit.parse.base import find_base_problems

        bases = facts.list_files_ending(self.index, ".base", path)
        return [problem for base in bases for problem in find_base_problems(base, self._text_if_there(base))]

    def _text_if_there(self, path: str) -> str:
        """A file's text; empty when it is gone since the last refresh, or too large to be read."""
        try:
            return self.read_text(path)
        except (NestError, OSError):
            return ""

    def get_tool(self, name: str) -> Tool:
        """The tool of this name; raises NoTool with the nearest names."""
        return registry.get_tool(self.registry.tools, name)

    def find_tools(self, text: str, limit: int = 8) -> list[Tool]:
        """Tools that fit a description, best first."""
        return self.finder.find(text, limit)

    def describe_tool(self, name: str, effects: Sequence[str] | None = None) -> str:
        """Everything known of a tool, as text; `effects` in place of what the code alone tells of them.

        For a group it is the text of its `SKILL.md` and its tools in one line each.
        """
        from nestkit.hall.documented import group_text
        from nestkit.parse.tool_text import draft_tool

        if text := group_text(self, name):
            return text
        tool = self.get_tool(name)
        script = next(script for script in self.registry.scripts if script.path == tool.script)
        return draft_tool(tool, script, effects)

    def check_tools(self) -> list[Problem]:
        """What is wrong with the scripts, by path and line."""
        found = [problem for script in self.registry.scripts for problem in script.problems]
        found += self.registry.problems
        for tool in self.registry.tools:
            found += [
                Problem(tool.script, effect.line, f"{tool.name} seems to {effect}, and does not declare it")
                for effect in tool.undeclared
            ]
        return sorted(set(found), key=lambda problem: (problem.path, problem.line, problem.what))

    def answer(
        self,
        ask: Ask,
        company: Company,
        *,
        call: Call | None = None,
        rerun: Rerun | None = None,
        keep: bool = True,
        apply: bool = True,
    ) -> Run:
        """The story of an ask, walked to its note. With `call` the program is that one call, with `rerun`
        those of an earlier run."""
        from nestkit.hall.walk import walk  # late: looking things up needs no sandbox and no planner

        return walk(self, ask, company, call=call, rerun=rerun, keep=keep, apply=apply)

    def note_text(self, run: Run) -> str:
        """The note of a run, as text."""
        from nestkit.hall.write_back import note_text

        return note_text(self, run)

    def runs(self) -> list[dict[str, Any]]:
        """`{id, status, ask, created, model, path}` of every run note, the newest first."""
        found = []
        for record in facts.list_records(self.index, folder=self.config.runs):
            properties = record["properties"]
            if "nest-id" in properties:
                told = {
                    name: properties.get(f"nest-{name}", "") for name in ("id", "status", "ask", "created", "model")
                }
                found.append({**told, "path": record["path"]})
        return sorted(found, key=lambda run: (str(run["created"]), str(run["id"])), reverse=True)

    def run_path(self, run: str) -> str:
        """The path of a run's note, by id or the first part of it, name, path, or `last`; raises NoteMissing."""
        runs = self.runs()
        if run == "last" and runs:
            return str(runs[0]["path"])
        matching = [
            r["path"] for r in runs if run and (str(r["id"]).startswith(run) or run in (r["path"], _stem(r["path"])))
        ]
        if len(matching) == 1:
            return str(matching[0])
        if matching:
            raise NoteMissing(f"{run!r} fits {len(matching)} runs", "write more of the id; `nest runs` lists them")
        raise NoteMissing(f"no run {run!r}", "`nest runs` lists them")

    def run_note(self, path: str) -> RunNote:
        """The run that a note tells of; raises NoteMissing when it tells of none."""
        from nestkit.runs.note import parse_note

        note = parse_note(self.read_text(path), facts.get_note(self.index, path).properties or {})
        if note is None:
            raise NoteMissing(f"{path} is not the note of a run", "`nest runs` lists them")
        return note

    def _builtin(self) -> Script:
        """The script of the built-in tools: read like any other, its functions called by the host, not by a child."""
        source = BUILTIN.read_bytes()
        script = registry.read_kept(self.index, digest(source), lambda: read_script(BUILTIN.name, source))
        return replace(script, tools=tuple(_as_builtin(tool) for tool in script.tools))

    def undo(self, run: str) -> tuple[Applied, ...]:
        """What became of each file of a run that was taken back; see `undo_run`."""
        from nestkit.hall.undo import undo_run  # late: hardly any command takes anything back

        return undo_run(self, run)


def open_nest(
    start: Path,
    named: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    say: Callable[[str], None] = lambda line: None,
    to_write: bool = False,
    rebuild: bool = False,
) -> Nest:
    """The vault somebody means, open. `say` gets what a person should know; raises NoVault and ConfigError.

    With `to_write` the folder must be marked as a vault or named outright, and a write that a crash cut short is
    brought to its end first.
    """
    place = find_vault(start, named)
    if to_write and not (place.marked or named):
        raise NoVault(
            f"{place.root} holds notes but is no nest yet", "run `nest init` there, or name it with --vault DIR"
        )
    folders = user_folders(environ)
    config = read_config(place.root, folders)
    if to_write:
        from nestkit.vault.apply import recover  # late: to look needs no journal

        for line in recover(place.root):
            say(line)
    file = folders.cache / vault_key(place.root) / "index.sqlite"
    if rebuild:
        discard(file)
    return Nest(place.root, config, folders, open_index(file, say=say), file)


def _as_builtin(tool: Tool) -> Tool:
    declared = (Effect("write"),) if tool.target in WRITERS else ()
    return replace(tool, manner="builtin", declared=declared, confirm="never")


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".md")
