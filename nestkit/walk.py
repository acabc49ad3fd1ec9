"""One ask walked from question to note: choose, run, apply, write back. Part of the hall. *Disk, Process, Network*.

The walk decides nothing that a room could decide: it opens the rooms, hands each what it needs of the others as plain
functions, and keeps what comes back.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nestkit.change import Applied, Change
from nestkit.desk import Desk
from nestkit.errors import VaultError
from nestkit.policy import Refusal, Wants, check_call, check_changes, check_contract
from nestkit.run import Ask, End, Execute, Run, Step
from nestkit.runs.name import draft_id
from nestkit.servers import Line
from nestkit.tool import Tool
from nestkit.vault.stage import Stage
from nestkit.workshop import Workshop, spelling
from nestkit.writers import Call, Writer, choose_writer

if TYPE_CHECKING:
    from nestkit.nest import Nest


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
    review: Callable[[tuple[Change, ...]], bool] | None = None
    """Whether these changes may be applied."""


def walk(nest: Nest, ask: Ask, company: Company, *, call: Call | None, keep: bool, apply: bool) -> Run:
    """The whole story of an ask. With `keep` it becomes a note, with `apply` its changes reach the vault."""
    begun = time.perf_counter()
    run = Run(draft_id(ask.now, _tick()), ask, End("error"))
    limits = ask.limits
    stage = Stage(nest.find_bytes, nest.protected, limits.staged_files, limits.staged_bytes, spelling(nest.root))
    registry = nest.registry
    desk = Desk(nest.index, stage, nest.parse_note, registry.tools, registry.scripts, nest.is_private, nest.is_run)
    try:
        run = _answer(nest, run, desk, company, call)
        run = _settle(nest, run, stage.changes(), company, apply)
    except KeyboardInterrupt:
        run = replace(run, end=End("cancelled", reason="stopped by the person before it was done"))
    run = replace(run, seconds=time.perf_counter() - begun)
    if not keep or not _is_worth_a_note(run, call):
        return run
    with nest.phases("note"):
        from nestkit.write_back import write_back  # late: a look needs no pen

        return write_back(nest, run, company.say)


def _tick() -> str:
    """Six hex digits: the real clock's milliseconds, so that runs of one second (or one `--now`) sort, and chance."""
    return f"{time.time_ns() // 10**6 % 16**5:05x}{os.urandom(1)[0] % 16:x}"


def _is_worth_a_note(run: Run, call: Call | None) -> bool:
    """A call that only looked leaves no note, nor does an ask that failed before anything was tried."""
    if call is not None:
        return bool(run.changes)
    return bool(run.steps) or run.status in ("ok", "refused", "waiting", "cancelled")


def _answer(nest: Nest, run: Run, desk: Desk, company: Company, call: Call | None) -> Run:
    """The run with its steps and its end; changes are staged, none is made."""
    refusal = check_contract(run.ask.contract)
    if refusal is not None:
        return replace(run, end=_refused(refusal))
    with Workshop(nest, run, desk, _allow(nest, run.ask, company)) as workshop:
        with nest.phases("choose"):
            line = Line(workshop.left, company.say, company.on_text)
            writer = choose_writer(nest, run.ask, desk, line, call)
        run = replace(run, model=writer.model, reading=writer.reading, prompt_digest=writer.prompt_digest)
        if writer.refusal is not None:
            return replace(run, end=_refused(writer.refusal))
        with nest.phases("program"):
            taken, end = _take(writer, workshop.execute, company.on_step)
        return replace(run, steps=taken, end=end, tier=workshop.tier, tool_digests=workshop.digests)


def _take(writer: Writer, execute: Execute, on_step: Callable[[Step], None]) -> tuple[tuple[Step, ...], End]:
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
        on_step(step)


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
            try:
                nest.trust.give([wants], ask.now)
            except VaultError as error:  # the yes holds for this call, and will be asked for again
                company.say(f"{error}; {error.hint}")
        return with_leave

    return allow


def _settle(nest: Nest, run: Run, changes: tuple[Change, ...], company: Company, apply: bool) -> Run:
    """The run with its changes applied, or kept waiting for a person; only a successful run changes anything."""
    if run.status != "ok" or not changes:
        return run
    run = replace(run, changes=changes)
    refusal = None if run.ask.leave.yes or not apply else check_changes(changes)
    if refusal is not None and company.review is None:
        return replace(run, end=End("waiting", run.end.answer, refusal.reason, refusal.hint))
    if refusal is not None and company.review is not None and not company.review(changes):
        return replace(run, end=End("refused", reason="you did not apply the changes"))
    if not apply:
        return run
    with nest.phases("apply"):
        from nestkit.vault.apply import apply_changes  # late: most runs change nothing

        applied = apply_changes(nest.root, run.id, changes)
    run = replace(run, applied=applied)
    return run if all(done.applied for done in applied) else replace(run, end=_conflict(applied))


def _conflict(applied: tuple[Applied, ...]) -> End:
    kept = [done for done in applied if not done.applied and done.proposal]
    reason = "; ".join(f"{done.path}: {done.why}" for done in applied if done.why) or "the vault changed meanwhile"
    hint = f"nest's version lies in {', '.join(done.proposal for done in kept)}" if kept else "ask again"
    return End("error", reason=f"nothing was changed: {reason}", hint=hint)


def _refused(refusal: Refusal) -> End:
    return End("waiting" if refusal.needs_person else "refused", reason=refusal.reason, hint=refusal.hint)
