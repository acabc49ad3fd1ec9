"""A run of earlier in; the same once more, out: over what is recorded, on today's vault, or asked anew. Part of the
hall. *Disk, Process, Network*.

A trace is data. Only one that this machine has sealed is run again, and nothing in it gives leave: contract, limits and
grants are today's, and a yes that was given then was used up then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nestkit.errors import NestError, NoteMissing, StateError
from nestkit.hall.gate import script_digests
from nestkit.hall.recording import draft_outcome
from nestkit.hall.traces import is_recorded, read_recorded
from nestkit.hall.workshop import find_world, seed_of
from nestkit.hall.writers import Rerun
from nestkit.policy import Contract, Refusal, has_world, is_reviewed, narrow
from nestkit.run import Ask, Execute, Outcome, Run, ToolCall
from nestkit.runs.replay import Difference, find_difference
from nestkit.runs.retold import parse_call, parse_run
from nestkit.runs.trace import Recorded, draft_json
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.check import check_program
from nestkit.sandbox.job import Stopped
from nestkit.sandbox.tape import Taped
from nestkit.tool import Tool
from nestkit.vault.journal import is_run_id

if TYPE_CHECKING:
    from nestkit.hall.walk import Company
    from nestkit.nest import Nest


@dataclass(frozen=True, slots=True)
class Earlier:
    """A run that has ended, as this machine recorded it."""

    run: Run
    told: Recorded


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of running the programs of a run over what is recorded."""

    programs: int
    """How many were run."""
    calls: int
    """How many answers they were given out of the record."""
    difference: Difference | None
    """None when all came out byte for byte."""
    remarks: tuple[str, ...] = ()
    """What is another by now, a sentence each."""


def get_earlier(nest: Nest, run: str) -> Earlier:
    """A run by id or the first part of it, name or path of its note, or `last`.

    Raises NoteMissing when there is none, StateError when its trace is gone, was not sealed by this machine, or is not
    at its end.
    """
    run_id = find_run_id(nest, run)
    told = read_recorded(nest, run_id)
    if told.end is None:
        waits = told.park is not None
        what = "waits for a person" if waits else "was broken off, or is under way"
        raise StateError(f"run {run_id} {what}", f"`nest review {'show' if waits else 'resume'} {run_id}`")
    return Earlier(parse_run(told), told)


def find_run_id(nest: Nest, run: str) -> str:
    """The id of a run; one whose note is gone is known by its whole id. Raises NoteMissing."""
    try:
        path = nest.run_path(run)
    except NoteMissing:
        if is_recorded(nest, run):
            return run
        raise
    run_id = nest.run_note(path).id
    if not is_run_id(run_id):  # anybody may have written that note
        raise NoteMissing(f"{path} names no run", "`nest runs` lists them")
    return run_id


def replay_exact(nest: Nest, earlier: Earlier) -> Replayed:
    """The run's programs run over the answers that they were given then: nothing is called, nothing is written.

    Raises StateError where an answer was not kept, and where a program of a kind that takes a yes never had one.
    """
    run, told = earlier.run, earlier.told
    _require_approval(nest, earlier)
    played = _Played(told)
    broker = Broker(
        _tools_then(nest, told), host=_never, script=_never, allow=played.refuse, limits=run.ask.limits, tape=played
    )
    engine = nest.engines.borrow(run.ask.contract, run.ask.engine)
    try:
        world = find_world(nest, run.ask, engine)
        with engine.program(broker, now=run.ask.now, seed=seed_of(run.ask), world=world) as execute:
            programs, difference = _run_all(told, played, execute)
    finally:
        nest.engines.give_back(engine)
    return Replayed(programs, played.count, difference, find_remarks(nest, run))


def draft_again(nest: Nest, earlier: Earlier, rules: Ask, contract: Contract | None) -> Ask | Refusal:
    """The ask of a run once more, its clock, limits and leave those of `rules`; or why not.

    The contract is the one that a person names now, else the run's own, unless that is looser than today's.
    """
    old = earlier.run.ask
    if contract is None and narrow(rules.contract, old.contract) != old.contract:
        reason = f"run {earlier.run.id} was {old.contract}, and your settings say {rules.contract}"
        return Refusal(reason, f"say which with --contract {rules.contract}, or --contract {old.contract}")
    note = old.note if old.note and nest.find_bytes(old.note) is not None else None
    model = rules.model if rules.model != "auto" else earlier.run.model or old.model
    return replace(
        rules,
        text=old.text,
        note=note,
        marks=False,
        selection=old.selection,
        style=old.style,
        model=model,
        contract=contract or old.contract,
    )


def replay_program(nest: Nest, earlier: Earlier, ask: Ask, company: Company, *, keep: bool, apply: bool) -> Run:
    """A new run of the same programs on the vault as it is, with tools truly called.

    Raises StateError for a run without programs, NestError where a script that they called is gone.
    """
    run = earlier.run
    programs = tuple(step.program for step in run.steps if step.program)
    if not programs:
        raise StateError(f"run {run.id} ran no program", f"`nest replay {run.id} --fresh` asks again")
    if gone := [path for path in run.tool_digests if path not in script_digests(nest)]:
        raise NestError(f"run {run.id} called {', '.join(gone)}, which is not there any more", "bring it back")
    for remark in find_remarks(nest, run):
        company.say(remark)
    rerun = Rerun(_place(nest, run), run.model, run.reading, programs)
    return nest.answer(ask, company, rerun=rerun, keep=keep, apply=apply)


def replay_fresh(nest: Nest, earlier: Earlier, ask: Ask, company: Company, *, keep: bool, apply: bool) -> Run:
    """A new run of the same question, its program written anew. Raises StateError for what was no question."""
    run = earlier.run
    if run.model == "person":
        raise StateError(f"run {run.id} was a call, not a question", f"`nest replay {run.id} --program` makes it again")
    return nest.answer(ask, company, rerun=Rerun(_place(nest, run)), keep=keep, apply=apply)


def find_remarks(nest: Nest, run: Run) -> tuple[str, ...]:
    """What a run hung on and is another by now, a sentence each."""
    now = script_digests(nest)
    found = [
        f"{path} {'has changed since' if path in now else 'is not there any more'}"
        for path, seal in run.tool_digests.items()
        if now.get(path) != seal
    ]
    if has_world(run.ask.contract):
        found.append("its programs also read the vault's files themselves, which are today's")
    return tuple(found)


def _place(nest: Nest, run: Run) -> str:
    """Path of a run's note, wherever it was moved; where it was, when it is gone."""
    try:
        return nest.run_path(run.id)
    except NoteMissing:
        return run.path or run.id


class _Played:
    """The answers of a run's calls, handed out again in order. A tape, and the leave that is never given."""

    def __init__(self, told: Recorded) -> None:
        self._told = told
        self._program = self._call = 0
        self._step = 0
        self.count = 0
        """Answers handed out."""
        self.difference: Difference | None = None
        self.missing = ""
        """Which answer was not kept."""

    def begin(self, step: int, program: int) -> None:
        """The next program comes."""
        self._step, self._program, self._call = step, program, 0

    def recall(self, asked: str) -> Taped | None:
        """See `Tape`. A call beyond the record gets no answer: then the broker asks for leave."""
        self._call += 1
        answered = self._told.calls.get(self._program, [])
        if self._call > len(answered):
            return None
        event = answered[self._call - 1]
        if event["asked"] != asked:
            raise self._differs(_spell(event["asked"]), _spell(asked))
        if "reply" not in event:
            self.missing = f"the answer of call {self._call} of step {self._step}, {_spell(asked)}, was not kept"
            raise Stopped("replay", self.missing)
        self.count += 1
        return Taped(parse_call(event), event["reply"])

    def refuse(self, tool: Tool, arguments: Mapping[str, Any]) -> Refusal | None:
        """Nothing is called: one call more than there were is where the run differs."""
        shown = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        raise self._differs("no such call", f"{tool.name}({shown})")

    def open(self, tool: str) -> None:
        """See `Tape`: it never comes to that."""

    def keep(self, asked: str, call: ToolCall, body: bytes) -> None:
        """See `Tape`: a call that failed before it took leave, where none was."""
        self._differs("no such call", _spell(asked))

    def find_left(self) -> Difference | None:
        """The first call of the record that the program did not make."""
        answered = self._told.calls.get(self._program, [])
        if self._call >= len(answered):
            return None
        return Difference(self._step, f"call {self._call + 1}", _spell(answered[self._call]["asked"]), "no such call")

    def _differs(self, recorded: str, now: str) -> Stopped:
        self.difference = self.difference or Difference(self._step, f"call {self._call}", recorded, now)
        return Stopped("replay", f"call {self._call} is not the one that was made then")


def _run_all(told: Recorded, played: _Played, execute: Execute) -> tuple[int, Difference | None]:
    """How many programs were run, and where the first of them that differs does."""
    count = 0
    for event in told.steps:
        if not event["program"]:
            continue
        count += 1
        played.begin(event["number"], event["ran"])
        if before := told.programs.get(event["ran"], {}).get("before"):
            execute(before)
        wrong = check_program(event["program"]) if event["ran"] not in told.programs else []
        outcome = Outcome(error=f"not run: {'; '.join(wrong)}") if wrong else execute(event["program"])
        if played.missing:
            raise StateError(played.missing, "it was too large, or an older nest made the trace; --program calls anew")
        now = json.loads(draft_json(draft_outcome(outcome)))
        found = played.difference or find_difference(event["number"], event["outcome"], now) or played.find_left()
        if found:
            return count, found
    return count, None


def _require_approval(nest: Nest, earlier: Earlier) -> None:
    """Raise StateError for a program that is to be read by a person first, and was not."""
    if not (is_reviewed(earlier.run.ask.contract) or is_reviewed(nest.config.contract)):
        return
    ran = [earlier.told.programs.get(event["ran"], {}) for event in earlier.told.steps if event["program"]]
    if not all(program.get("approval") for program in ran):
        hint = f"`nest replay {earlier.run.id} --program` lets you read it first"
        raise StateError(f"run {earlier.run.id} holds a program that nobody has approved", hint)


def _tools_then(nest: Nest, told: Recorded) -> list[Tool]:
    """The tools that were called, gone or not, and before them no other claims their short names."""
    called = [json.loads(event["asked"])[0] for calls in told.calls.values() for event in calls]
    known = {tool.name: tool for tool in nest.registry.tools}
    then = {name: known.get(name) or Tool(name, "", "function") for name in called}
    shorts = {tool.short for tool in then.values()}
    return [*then.values(), *(tool for tool in known.values() if tool.name not in then and tool.short not in shorts)]


def _never(tool: Tool, arguments: Mapping[str, Any]) -> Any:
    raise AssertionError("no call gets leave")


def _spell(asked: str) -> str:
    """A call as it travelled, for people."""
    name, args, named = json.loads(asked)
    parts = [draft_json(value) for value in args or ()]
    parts += [f"{key}={draft_json(value)}" for key, value in (named or {}).items()]
    text = f"{name}({', '.join(parts)})"
    return text if len(text) <= 300 else f"{text[:299]}…"
