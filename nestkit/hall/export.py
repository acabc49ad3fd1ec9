"""A run in; the conversation that it was, as one record of a file, out. Part of the hall. *Pure*."""

from __future__ import annotations

from typing import Any

from nestkit.agent.prompt import draft_observation
from nestkit.errors import StateError
from nestkit.hall.replay import Earlier
from nestkit.runs import export

FORMS = tuple(export.FORMS)


def export_run(earlier: Earlier, form: str) -> dict[str, Any]:
    """The run as one record. Raises StateError for one without a program."""
    run = earlier.run
    if not any(step.program for step in run.steps):
        raise StateError(f"run {run.id} ran no program", "only conversations can be exported")
    return export.draft_record(run, export.draft_turns(run, draft_observation), form)
