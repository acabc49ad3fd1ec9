"""The names of two runs in; what tells them apart, out: from their traces, or from their notes where those are gone.
Part of the hall. *Disk*, reading only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nestkit.errors import StateError
from nestkit.hall.replay import find_run_id
from nestkit.hall.traces import read_recorded
from nestkit.run import Run
from nestkit.runs.compare import Part, Summary, compare, draft_calls
from nestkit.runs.note import RunNote
from nestkit.runs.retold import find_changes, parse_run
from nestkit.runs.trace import Recorded, draft_json

if TYPE_CHECKING:
    from nestkit.nest import Nest


@dataclass(frozen=True, slots=True)
class Compared:
    """Two runs side by side."""

    old: Summary
    new: Summary
    parts: tuple[Part, ...]
    """In which they differ; none when they differ in figures only."""
    remarks: tuple[str, ...] = ()
    """What could not be compared, a sentence each."""


def compare_runs(nest: Nest, old: str, new: str) -> Compared:
    """What tells two runs apart. Raises NoteMissing for one that is not there."""
    ids = [find_run_id(nest, name) for name in (old, new)]
    try:
        traces = [read_recorded(nest, run_id) for run_id in ids]
    except StateError as error:
        first, second = (_from_note(nest.run_note(nest.run_path(run_id))) for run_id in ids)
        remark = f"{error}: both are compared by their notes, which do not hold what tools answered"
        return Compared(first, second, tuple(compare(first, second)), (remark,))
    first, second = (_from_trace(parse_run(told), told) for told in traces)
    return Compared(first, second, tuple(compare(first, second)))


def _from_trace(run: Run, told: Recorded) -> Summary:
    return Summary(
        run.id,
        {
            "ask": run.ask.text,
            "contract": run.ask.contract,
            "model": run.model,
            "isolation": run.tier,
            "reading": run.reading,
            "status": run.status,
            "reason": run.end.reason,
            "answer": draft_json(run.end.answer) if run.status == "ok" else "",
        },
        tuple(step.program for step in run.steps if step.program),
        {path: seal[:16] for path, seal in run.tool_digests.items()},
        draft_calls(told),
        run.reads,
        "".join(change.diff for change in find_changes(told)),
        {
            "steps": len(run.steps),
            "tokens_in": sum(step.tokens_in for step in run.steps),
            "tokens_out": sum(step.tokens_out for step in run.steps),
            "seconds": round(run.seconds, 2),
        },
    )


def _from_note(note: RunNote) -> Summary:
    return Summary(
        note.id,
        {
            "ask": note.ask,
            "contract": note.contract,
            "model": note.model,
            "isolation": note.tier,
            "reading": note.reading,
            "status": note.status,
            "reason": note.reason,
            "answer": note.answer,
        },
        tuple(step.program for step in note.story if step.program),
        dict(each.rpartition("=")[::2] for each in note.tool_hashes),
        tuple(call for step in note.story for call in step.calls),
        note.reads,
        note.diff,
        {
            "steps": note.steps,
            "tokens_in": note.tokens_in,
            "tokens_out": note.tokens_out,
            "seconds": note.seconds,
        },
    )
