"""A sealed trace in; the run it tells of, as far as it had come, out. *Pure*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from nestkit.change import Applied, Change
from nestkit.errors import StateError
from nestkit.matter import Matter, parse_bytes, parse_record
from nestkit.model import Reply
from nestkit.policy import Leave, Limits
from nestkit.run import Account, Ask, End, Outcome, Run, Step, ToolCall
from nestkit.runs.trace import Recorded

_Word = TypeVar("_Word")


def parse_run(told: Recorded) -> Run:
    """The run with its steps, and its end or what it waits for. Raises StateError for a trace of another make."""
    try:
        park, end = told.park or {}, told.end or {}
        steps = tuple(_step(event, told.calls.get(event["ran"], [])) for event in told.steps)
        return Run(
            id=str(told.ask["id"]),
            ask=parse_ask(told.ask["ask"]),
            end=_word(End, end.get("end") or park.get("end") or {"status": "error", "reason": "it was broken off"}),
            steps=steps,
            model=str(told.writer.get("model", "")),
            reading=str(told.writer.get("reading", "")),
            prompt_digest=str(told.writer.get("prompt_digest", "")),
            tier=str((end or park).get("tier", "")),
            tool_digests=dict((end or park).get("tool_digests", {})),
            applied=tuple(_word(Applied, done) for done in told.applied),
            seconds=float((end or park).get("seconds", 0.0)),
            path=told.notes[-1]["path"] if told.notes else None,
            parent=told.ask.get("parent"),
            matter=parse_matter(told) if park else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"the trace is not one of this nest's make: {error!r}", "ask again") from None


def find_changes(told: Recorded) -> tuple[Change, ...]:
    """What the calls of a run staged, sorted by path, whether it was applied or not. Raises StateError as above."""
    first: dict[str, str | None] = {}
    last: dict[str, str | None] = {}
    try:
        for staged in (each for calls in told.calls.values() for event in calls for each in event.get("staged", ())):
            first.setdefault(staged["path"], staged["before"])
            last[staged["path"]] = staged["after"]
        changes = [Change(path, parse_bytes(first[path]), parse_bytes(last[path])) for path in sorted(last)]
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"the trace is not one of this nest's make: {error!r}", "ask again") from None
    return tuple(change for change in changes if change.before != change.after)


def parse_matter(told: Recorded) -> Matter:
    """What a parked run waits for. Raises StateError for a trace of another make."""
    try:
        return parse_record((told.park or {})["matter"])
    except (KeyError, TypeError, ValueError) as error:
        raise StateError(f"the trace is not one of this nest's make: {error!r}", "ask again") from None


def parse_ask(record: Mapping[str, Any]) -> Ask:
    """The ask with its clock, limits and leave."""
    parts = {**record, "now": datetime.fromisoformat(record["now"]), "limits": _word(Limits, record["limits"])}
    return _word(Ask, {**parts, "leave": _word(Leave, record["leave"])})


def parse_reply(event: Mapping[str, Any]) -> Reply:
    """What a model said, as it was recorded."""
    calls = tuple((name, arguments) for name, arguments in event["tool_calls"])
    return _word(Reply, {**event, "tool_calls": calls})


def parse_call(event: Mapping[str, Any]) -> ToolCall:
    """One call, as it was recorded."""
    call = event["call"]
    return _word(ToolCall, {**call, "effects": tuple(call["effects"]), "reads": tuple(call["reads"])})


def _step(event: Mapping[str, Any], calls: list[dict[str, Any]]) -> Step:
    outcome = {**event["outcome"], "refusals": (), "calls": tuple(map(parse_call, calls))}
    outcome["files"] = {path: parse_bytes(content) for path, content in outcome.get("files", {}).items()}
    account = _word(Account, event["account"]) if event.get("account") else None
    return _word(Step, {**event, "account": account, "outcome": _word(Outcome, outcome)})


def _word(kind: type[_Word], record: Mapping[str, Any]) -> _Word:
    """The dataclass made of those of its fields that were recorded."""
    return kind(**{item.name: record[item.name] for item in fields(kind) if item.name in record})  # type: ignore[arg-type]
