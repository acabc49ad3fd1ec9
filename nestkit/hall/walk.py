"""One ask walked from question to note: choose, run, apply, write back. Part of the hall. *Disk, Process, Network*.

The walk decides nothing that a room could decide: it opens the rooms, hands each what it needs of the others as plain
functions, and keeps what comes back.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nestkit.change import Applied, Change, merge
from nestkit.errors import VaultError
from nestkit.hall.desk import Desk, open_desk
from nestkit.hall.gate import Gate
from nestkit.hall.recording import Recording
from nestkit.hall.servers import Line
from nestkit.hall.traces import open_ledger, reopen
from nestkit.hall.workshop import Workshop, spelling
from nestkit.hall.writers import Call, Rerun, Writer, again, choose_writer, kept_program
from nestkit.matter import Matter
from nestkit.policy import Refusal, Wants, check_call
from nestkit.run import Ask, End, Execute, Run, Status, Step
from nestkit.runs.name import draft_id
from nestkit.runs.retold import parse_run
from nestkit.tool import Tool
from nestkit.vault.names import check_writable
from nestkit.vault.stage import Stage

if TYPE_CHECKING:
    from nestkit.nest import Nest


@dataclass(frozen=True, slots=True)
class Mark:
    """How the asking note is to tell of the run, when it is more than a line at its end."""

    place: Callable[[], str | None]
    """Path of the note by now; None when it is gone."""
    draft: Callable[[Run, str, bytes], bytes | None]
    """Run, path and bytes as they are -> bytes as they should be; None to leave them."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who is there while the ask is walked: a person, a screen, or nobody."""

    say: Callable[[str], None] = lambda line: None
    """One line a person should know."""
    on_step: Callable[[Step], None] = lambda step: None
    on_text: Callable[[str], None] = lambda piece: None
    """Gets what a model writes, piece by piece."""
    person: Callable[[Tool, Mapping[str, Any], Wants], bool] | None = None
    """Whether this call may go ahead; None when there is nobody to ask."""
    review: Callable[[Matter], bool] | None = None
    """Whether this program may run, or these changes be applied."""
    mark: Mark | None = None


def walk(
    nest: Nest, ask: Ask, company: Company, *, call: Call | None, rerun: Rerun | None, keep: bool, apply: bool
) -> Run:
    """The whole story of an ask. With `keep` it becomes a note, with `apply` its changes reach the vault."""
    run = Run(draft_id(ask.now, _tick()), ask, End("error"), parent=rerun.parent if rerun else None)
    stage = _stage(nest, ask)
    recording = Recording(nest, run, stage, live=call is None, keep=keep and apply)
    gate = Gate(nest, run, company, _allow(nest, ask, company))

    def choose(line: Line) -> Writer:
        return choose_writer(nest, ask, line, call, rerun=rerun)

    with closing(recording):
        try:
            run = _walk(nest, run, Walk(choose, stage, gate, recording, company, apply))
        except Exception:
            recording.drop()
            raise
        if not keep or not _is_worth_a_note(run, call):
            recording.drop()
            return run
        return _written(nest, run, recording, company)


def walk_on(nest: Nest, run_id: str, company: Company, approved: str = "") -> Run:
    """The rest of a run that was parked or broken off: its programs run again over what is recorded.

    `approved` is the digest of what a person agreed to. Raises StateError when this machine has no such run.
    """
    growing, told = reopen(nest, run_id)
    run = replace(parse_run(told), matter=None)
    if told.end is not None:
        growing.close()
        open_ledger(nest).forget(run_id)
        return run
    stage = _stage(nest, run.ask)
    recording = Recording(nest, run, stage, live=True, keep=True)
    gate = Gate(nest, run, company, _allow(nest, run.ask, company), approved)
    recording.go_on(growing, told)

    def choose(line: Line) -> Writer:
        as_before = replace(run.ask, model=run.model or run.ask.model, fresh=True)
        return again(told) or choose_writer(nest, as_before, line, None, kept_program(told))

    with closing(recording):
        run = _walk(nest, replace(run, steps=()), Walk(choose, stage, gate, recording, company, True))
        if recording.diverged:
            run = replace(run, end=End("error", reason=f"it cannot go on: {recording.diverged}"))
        return _written(nest, run, recording, company)


@dataclass(frozen=True, slots=True)
class Walk:
    """What one run is walked with."""

    choose: Callable[[Line], Writer]
    stage: Stage
    gate: Gate
    recording: Recording
    company: Company
    apply: bool


def _walk(nest: Nest, run: Run, walk: Walk) -> Run:
    """The run answered and settled, or cancelled by the person."""
    begun = time.perf_counter()
    desk = open_desk(nest, walk.stage)
    try:
        run = _answer(nest, run, desk, walk)
        run = _settle(nest, run, walk.stage.changes(), walk)
    except KeyboardInterrupt:
        run = replace(run, end=End("cancelled", reason="stopped by the person before it was done"))
    matter = walk.gate.matter if run.status == "waiting" else None
    return replace(run, seconds=run.seconds + time.perf_counter() - begun, matter=matter)


def _stage(nest: Nest, ask: Ask) -> Stage:
    limits = ask.limits
    return Stage(nest.find_bytes, nest.protected, limits.staged_files, limits.staged_bytes, spelling(nest.root))


def _written(nest: Nest, run: Run, recording: Recording, company: Company) -> Run:
    """The run with its note and, where a model found the way, with its program kept."""
    with nest.phases("note"):
        from nestkit.hall.write_back import write_back  # late: a look needs no pen

        run = write_back(nest, run, recording, company.say, company.mark)
        if run.question and run.status == "ok" and not run.kept_from:
            from nestkit.hall.kept import keep_program  # late: only a model's programs are kept

            keep_program(nest, run)
    return run


def _tick() -> str:
    """Six hex digits: the real clock's milliseconds, so that runs of one second (or one `--now`) sort, and chance."""
    return f"{time.time_ns() // 10**6 % 16**5:05x}{os.urandom(1)[0] % 16:x}"


def _is_worth_a_note(run: Run, call: Call | None) -> bool:
    """A call that only looked leaves no note, nor does an ask that failed before anything was tried."""
    if call is not None:
        return bool(run.changes or run.matter)
    return bool(run.steps) or run.status in ("ok", "refused", "waiting", "cancelled")


def _answer(nest: Nest, run: Run, desk: Desk, walk: Walk) -> Run:
    """The run with its steps and its end; changes are staged, none is made."""
    recording = walk.recording
    with Workshop(nest, run, desk, walk.gate, recording) as workshop:
        with nest.phases("choose"):
            line = Line(workshop.left, walk.company.say, walk.company.on_text, recording.chat)
            writer = walk.choose(line)
        run = replace(run, model=writer.model, reading=writer.reading)
        run = replace(run, prompt_digest=writer.prompt_digest, question=writer.question)
        if writer.refusal is not None:
            return replace(run, end=_refused(writer.refusal))
        recording.writer(writer)
        with nest.phases("program"):
            taken, end = _take(writer, workshop.execute, walk)
        if walk.gate.declined:
            end = End("refused", reason="you did not approve the program")
        kept_from = writer.kept_from if len(taken) == 1 else ""  # more steps mean that it failed
        run = replace(run, steps=taken, end=end, tier=workshop.tier)
        return replace(run, tool_digests=workshop.digests, kept_from=kept_from)


def _take(writer: Writer, execute: Execute, walk: Walk) -> tuple[tuple[Step, ...], End]:
    """Every step the writer takes, and how it ended."""
    taken: list[Step] = []
    written: Generator[Step, None, End] = writer.steps(execute)
    while True:
        try:
            step = next(written)
        except StopIteration as stop:
            end: End = stop.value
            return tuple(taken), end
        except KeyboardInterrupt:
            return tuple(taken), End("cancelled", reason="stopped by the person before it was done")
        taken.append(step)
        if not any(refusal.needs_person for refusal in step.outcome.refusals):
            walk.recording.step(step)  # one that waits is not over
        walk.company.on_step(step)


def _allow(nest: Nest, ask: Ask, company: Company) -> Callable[[Tool, Mapping[str, Any]], Refusal | None]:
    """What the broker asks before each call: policy, then what was granted, then the person who can grant it."""

    def allow(tool: Tool, arguments: Mapping[str, Any]) -> Refusal | None:
        refusal = check_call(tool, ask.leave)
        if refusal is None or not refusal.needs_person:
            return refusal
        wants, with_leave = nest.trust.wants(tool), check_call(tool, replace(ask.leave, yes=True))
        if tool.confirm != "always" and nest.trust.holds(wants):
            return with_leave
        if company.person is None:
            return replace(refusal, hint=nest.trust.trouble or refusal.hint)
        if with_leave is None and not company.person(tool, arguments, wants):
            return Refusal(f"you did not allow {tool.name}", tool=tool.name)
        if with_leave is None and tool.confirm != "always":
            nest.trust.keep(wants, ask.now, company.say)
        return with_leave

    return allow


def _settle(nest: Nest, run: Run, changes: tuple[Change, ...], walk: Walk) -> Run:
    """The run with its changes applied, or kept waiting for a person; only a successful run changes anything."""
    if run.status != "ok" or not changes:
        return run
    run = replace(run, changes=changes)
    if not walk.apply:
        return run
    if run.applied:
        return settled(run)  # by an earlier part of this run
    refusal = walk.gate.changes(run, changes)
    if refusal is not None:
        status: Status = "waiting" if refusal.needs_person else "refused"
        return replace(run, end=End(status, run.end.answer, refusal.reason, refusal.hint))
    return apply_run(nest, run, walk.recording)


def apply_run(nest: Nest, run: Run, recording: Recording) -> Run:
    """The run with its changes in the vault, or with the reason why none is."""
    for change in run.changes:
        if (refusal := check_writable(change.path, nest.protected)) is not None:  # protected since it was staged
            return replace(run, end=End("refused", reason=refusal.reason, hint=refusal.hint))
    recording.write_held()
    changes = _with_mark(run, recording, nest.find_bytes(run.ask.note) if run.ask.note else None)
    with nest.phases("apply"):
        from nestkit.vault.apply import apply_changes  # late: most runs change nothing

        try:
            applied = apply_changes(nest.root, run.id, changes)
        except VaultError as error:
            return replace(run, end=End("error", reason=f"nothing was changed: {error}", hint=error.hint))
    run = replace(run, applied=applied)
    recording.applied(run)
    return settled(run)


def _with_mark(run: Run, recording: Recording, now: bytes | None) -> tuple[Change, ...]:
    """The changes of a run as they are to be made where its asking note bears, by now, the mark that it waits."""
    mine = next((change for change in run.changes if change.path == run.ask.note), None)
    if mine is None or now is None or mine.before is None or not recording.is_marked(mine.before, now):
        return run.changes
    after = None if mine.after is None else merge(mine.before, mine.after, now)
    if after is None and mine.after is not None and now.startswith(mine.before):  # its last line had no end
        after = mine.after + now[len(mine.before) :].removeprefix(b"\n" if mine.after.endswith(b"\n") else b"")
    if after is None and mine.after is not None:
        return run.changes  # both are at the same lines: then it is a conflict
    others = (
        replace(change, after=now) if mine.after is None and change.after == mine.before else change
        for change in run.changes
        if change is not mine
    )
    return (Change(mine.path, now, after), *others)


def settled(run: Run) -> Run:
    """The run with its end, as what became of its changes makes it."""
    return run if all(done.applied for done in run.applied) else replace(run, end=_conflict(run.applied))


def _conflict(applied: tuple[Applied, ...]) -> End:
    kept = [done for done in applied if not done.applied and done.proposal]
    reason = "; ".join(f"{done.path}: {done.why}" for done in applied if done.why) or "the vault changed meanwhile"
    hint = f"nest's version lies in {', '.join(done.proposal for done in kept)}" if kept else "ask again"
    return End("error", reason=f"nothing was changed: {reason}", hint=hint)


def _refused(refusal: Refusal) -> End:
    return End("waiting" if refusal.needs_person else "refused", reason=refusal.reason, hint=refusal.hint)
