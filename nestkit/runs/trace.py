"""Run to trace and back: one JSON line an event, all that a replay or a comparison needs. *Pure*.

The run note is for people and cuts what is long; the trace beside it in `.nest/runs/` keeps everything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any

from nestkit.change import digest
from nestkit.run import Run


def draft_trace(run: Run) -> str:
    """The whole trace of a run: its ask, each step with its calls, the end, what was applied."""
    return "".join(json.dumps(event, ensure_ascii=False, default=_plain) + "\n" for event in _events(run))


def parse_trace(text: str) -> list[dict[str, Any]]:
    """The events of a trace; a last line cut short by a crash is left out."""
    events = []
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            break
        events.append(event)
    return events


def _events(run: Run) -> Iterator[dict[str, Any]]:
    ask = asdict(run.ask)
    yield {"event": "ask", "id": run.id, "ask": ask, "model": run.model, "tier": run.tier, "reading": run.reading}
    for step in run.steps:
        files = {path: digest(content) for path, content in step.outcome.files.items()}
        said = asdict(replace(step, outcome=replace(step.outcome, files={})))
        yield {"event": "step", **said, "outcome": {**said["outcome"], "files": files}}
    changes = [
        {"path": change.path, "kind": change.kind, "before": digest(change.before), "after": digest(change.after)}
        for change in run.changes
    ]
    applied = [asdict(done) for done in run.applied]
    yield {"event": "end", "end": asdict(run.end), "changes": changes, "applied": applied, "seconds": run.seconds}


def _plain(value: Any) -> Any:
    """Values of programs that JSON has no form for, as text."""
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
