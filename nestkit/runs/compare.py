"""Two runs in; what tells them apart, part by part, out. *Pure*."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nestkit.runs.trace import Recorded, draft_json

_RESULT_CHARS = 500
_LINE_CHARS = 200
"""What is longer together is shown as a diff."""
_MOST_LINES = 20_000
"""The time that a comparison takes grows with the square of the lines."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is compared of a run: from its trace or, with less in it, from its note."""

    id: str
    facts: Mapping[str, str]
    """What is one short text each: ask, contract, model, status, answer..."""
    programs: tuple[str, ...] = ()
    tools: Mapping[str, str] | None = None
    """Path of a script -> digest of the version that was called."""
    calls: tuple[str, ...] = ()
    """One line each, the result below it where it is known."""
    reads: tuple[str, ...] = ()
    changes: str = ""
    """Unified diff of all files."""
    figures: Mapping[str, float] | None = None
    """Tokens and seconds: two runs of one program share them by chance only."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing in which two runs differ."""

    what: str
    old: str = ""
    new: str = ""
    diff: str = ""
    """Unified diff, in place of `old` and `new`, for what has several lines."""


def compare(old: Summary, new: Summary) -> list[Part]:
    """Each part in which the runs differ, in reading order; figures are not among them.

    Both must tell the same facts.
    """
    found = [Part(name, old.facts[name], text) for name, text in new.facts.items() if old.facts[name] != text]
    parts = [_as_diff(part) if _is_long(part) else part for part in found]
    parts += _diff("program", _numbered(old.programs), _numbered(new.programs))
    parts += _tools(old.tools or {}, new.tools or {})
    parts += _diff("calls", _lines(old.calls), _lines(new.calls))
    parts += _diff("reads", sorted(old.reads), sorted(new.reads), context=0)
    parts += _diff("changes", old.changes.split("\n"), new.changes.split("\n"))
    return parts


def draft_calls(told: Recorded) -> tuple[str, ...]:
    """Each call of a trace with its answer below it, long answers cut."""
    return tuple(text for event in told.steps for text in _calls_of(told, event["ran"]))


def _calls_of(told: Recorded, program: int) -> Iterator[str]:
    for event in told.calls.get(program, []):
        call = event["call"]
        given = ", ".join(f"{name}={draft_json(value)}" for name, value in call["arguments"].items())
        reply = event.get("reply")
        result = "?" if reply is None else draft_json(reply.get("value", reply.get("error")))
        if len(result) > _RESULT_CHARS:
            result = f"{result[:_RESULT_CHARS]}… {len(result) - _RESULT_CHARS} characters more"
        yield f"{call['tool']}({given})\n  -> {result}"


def _tools(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Part]:
    for path in sorted({*old, *new}):
        before, after = (tools.get(path, "")[:16] for tools in (old, new))
        if before != after:
            yield Part(f"tool {path}", before or "not called", after or "not called")


def _is_long(part: Part) -> bool:
    return len(part.old) + len(part.new) > _LINE_CHARS or "\n" in part.old + part.new


def _as_diff(part: Part) -> Part:
    return Part(part.what, diff=_unified(part.old.split("\n"), part.new.split("\n"), 3))


def _diff(what: str, old: Sequence[str], new: Sequence[str], *, context: int = 3) -> Iterator[Part]:
    if list(old) == list(new):
        return
    if len(old) + len(new) > _MOST_LINES:
        yield Part(what, f"{len(old)} lines", f"{len(new)} lines, too many to be compared one by one")
    else:
        yield Part(what, diff=_unified(old, new, context))


def _unified(old: Sequence[str], new: Sequence[str], context: int) -> str:
    return "\n".join([*difflib.unified_diff(old, new, "old", "new", n=context, lineterm="")][2:])


def _numbered(programs: Sequence[str]) -> list[str]:
    """The lines of all programs; where there are several, each under its number."""
    if len(programs) == 1:
        return programs[0].rstrip("\n").split("\n")
    titled = (f"# step {number}\n{text}" for number, text in enumerate(programs, start=1))
    return _lines(text.rstrip("\n") for text in titled)


def _lines(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in text.split("\n")]
