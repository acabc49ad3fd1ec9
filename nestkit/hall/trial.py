"""Programs tried over a vault, in the isolation, with nothing kept of what they change. Part of the hall. *Process*."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from nestkit.hall.desk import open_desk
from nestkit.hall.gate import Gate
from nestkit.hall.recording import Recording
from nestkit.hall.walk import Company
from nestkit.hall.workshop import Workshop, spelling
from nestkit.policy import Leave, Refusal, check_call
from nestkit.run import Ask, End, Outcome, Run
from nestkit.runs.name import draft_id
from nestkit.tool import Tool
from nestkit.vault.stage import Stage

if TYPE_CHECKING:
    from nestkit.nest import Nest


class Trial:
    """A workshop whose changes are thrown away, for programs that no person saw: examples out of scripts and notes.

    No leave counts here, not even what was granted: a grant is leave for what a person asks, and an example may be a
    stranger's text.
    """

    def __init__(self, nest: Nest, now: datetime) -> None:
        limits = nest.config.limits
        ask = Ask("try the examples of the tools", now, engine=nest.config.engine, limits=limits)
        run = Run(draft_id(now, "trial"), ask, End("error"))
        stage = Stage(nest.find_bytes, nest.protected, limits.staged_files, limits.staged_bytes, spelling(nest.root))
        desk = open_desk(nest, stage)
        gate = Gate(nest, run, Company(), lambda tool, arguments: _allow(tool))
        self._workshop = Workshop(nest, run, desk, gate, Recording(nest, run, stage, live=False, keep=False))

    def __enter__(self) -> Trial:
        self._workshop.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._workshop.__exit__(*error)

    def run(self, program: str) -> Outcome:
        """What came of a program. Raises SandboxError where nothing isolates."""
        return self._workshop.execute(program)


def _allow(tool: Tool) -> Refusal | None:
    refusal = check_call(tool, Leave())
    return refusal and replace(refusal, hint=f"call it yourself: nest call {tool.name}")
