"""Programs tried over a vault, in the isolation, with nothing kept of what they change. Part of the hall. *Process*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nestkit.desk import Desk
from nestkit.gate import Gate
from nestkit.policy import Leave, Refusal, check_call, effects_needing_leave
from nestkit.recording import Recording
from nestkit.run import Ask, End, Outcome, Run
from nestkit.runs.name import draft_id
from nestkit.tool import Tool
from nestkit.vault.stage import Stage
from nestkit.walk import Company
from nestkit.workshop import Workshop, spelling

if TYPE_CHECKING:
    from nestkit.nest import Nest


class Trial:
    """A workshop whose changes are thrown away; a tool gets the leave that was given for it, and no other."""

    def __init__(self, nest: Nest, now: datetime) -> None:
        self._nest = nest
        limits = nest.config.limits
        run = Run(draft_id(now, "trial"), Ask("try the examples of the tools", now, limits=limits), End("error"))
        stage = Stage(nest.find_bytes, nest.protected, limits.staged_files, limits.staged_bytes, spelling(nest.root))
        known = nest.registry
        desk = Desk(
            nest.index,
            stage,
            nest.parse_note,
            known.tools,
            known.scripts,
            nest.is_private,
            lambda: nest.finder,
            nest.is_run,
        )
        gate = Gate(nest, run, Company(), self._allow)
        self._workshop = Workshop(nest, run, desk, gate, Recording(nest, run, stage, live=False, keep=False))

    def __enter__(self) -> Trial:
        self._workshop.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._workshop.__exit__(*error)

    def run(self, program: str) -> Outcome:
        """What came of a program. Raises SandboxError where nothing isolates."""
        return self._workshop.execute(program)

    def _allow(self, tool: Tool, arguments: Mapping[str, Any]) -> Refusal | None:
        needed = effects_needing_leave(tool)
        granted = bool(needed) and tool.confirm != "always" and self._nest.trust.holds(self._nest.trust.wants(tool))
        return check_call(tool, replace(Leave(), yes=granted))
