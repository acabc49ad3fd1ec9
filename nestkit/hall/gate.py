"""A program, a call, or changes that want to go ahead, in; leave, or a refusal and what waits, out. Part of the hall.
*Pure*.

The one place where a run waits for a person. Somebody at a terminal is asked at once; elsewhere the refusal names what
is missing, `matter` holds what a person has to judge, and the run is parked with it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nestkit.change import Change
from nestkit.errors import VaultError
from nestkit.matter import Gate as GateName
from nestkit.matter import Matter
from nestkit.policy import REVIEW, Refusal, check_call, check_changes, effects_needing_leave, is_reviewed
from nestkit.run import Run
from nestkit.tool import Tool

if TYPE_CHECKING:
    from nestkit.hall.walk import Company
    from nestkit.nest import Nest

Allow = Callable[[Tool, Mapping[str, Any]], Refusal | None]

_COMPUTED = frozenset(("eval", "exec", "compile", "getattr", "globals", "locals", "vars", "__import__", "__builtins__"))
"""Names by which a program reaches what its text does not name."""
_HINT = "ask at a terminal, or let it leave a run note to approve"


class Gate:
    """Who says yes in one run, and to what."""

    def __init__(self, nest: Nest, run: Run, company: Company, allow: Allow, approved: str = "") -> None:
        """`approved` is the digest of the one matter that a person has agreed to beforehand."""
        self._nest, self._run, self._company, self._allow = nest, run, company, allow
        self._approved = approved
        self._program = ""
        self._covered: frozenset[str] = frozenset()
        self.matter: Matter | None = None
        """What the run waits for."""
        self.declined = False
        """The person at the terminal said no to a program."""

    def program(self, text: str, approval: str) -> Refusal | str:
        """The digest under which this program may run, empty where none is needed; or why it may not.

        `approval` is the digest under which the same program ran before, in an earlier part of this run.
        """
        self._program, self._covered = text, frozenset()
        if not is_reviewed(self._run.ask.contract):
            return ""
        tools, is_computed = find_tools(text, self._nest.registry.tools)
        notes = ("It computes names: what it calls cannot be told in advance. What needs leave asks again.",)
        matter = self._matter("program", tools, program=text, notes=notes if is_computed else ())
        covered = frozenset(tool.name for tool in tools if effects_needing_leave(tool) and tool.confirm != "always")
        if self._is_approved(matter) or approval == matter.digest:
            self._covered = covered
            return matter.digest
        if self._company.review is None:
            self.matter = matter
            return Refusal("the program waits for a person who has read it", _HINT, needs_person=True)
        if self._company.review(matter):
            self._covered = covered
            return matter.digest
        self.declined = True
        return Refusal("you did not approve the program", needs_person=True)

    def call(self, tool: Tool, arguments: Mapping[str, Any]) -> Refusal | None:
        """Why this call may not be made; None when it may."""
        refusal = self._allow(tool, arguments)
        if refusal is None or not refusal.needs_person:
            return refusal
        with_leave = check_call(tool, replace(self._run.ask.leave, yes=True))
        if with_leave is not None:
            return refusal  # no yes would be enough: nothing to wait for
        if tool.name in self._covered:
            return None
        shown = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        matter = self._matter("call", [tool], program=self._program, call=f"{tool.name}({shown})")
        if self._is_approved(matter):
            if tool.confirm != "always":
                self._covered |= {tool.name}
            return None
        self.matter = matter
        return refusal

    def fetch(self, tool: Tool) -> bool:
        """Whether the packages of this tool's script may be fetched: by a setting, a grant, or the person."""
        trust, wants = self._nest.trust, self._nest.trust.wants(tool)
        if self._nest.config.fetch == "always" or self._run.ask.leave.yes or trust.holds(wants):
            return True
        if self._nest.config.fetch == "never" or self._company.person is None:
            return False
        if not self._company.person(tool, {}, wants):
            return False
        if tool.confirm != "always":
            trust.keep(wants, self._run.ask.now, self.say)
        return True

    def say(self, line: str) -> None:
        """One line a person should know."""
        self._company.say(line)

    def changes(self, run: Run, changes: tuple[Change, ...]) -> Refusal | None:
        """Why these changes may not reach the vault; None when they may."""
        refusal = None if run.ask.leave.yes else check_changes(changes, run.ask.contract) or self._find_asking(changes)
        if refusal is None:
            return None
        programs = "\n\n".join(step.program for step in run.steps if step.program)
        matter = replace(self._matter("changes", [], program=programs, changes=changes), scripts=dict(run.tool_digests))
        if self._is_approved(matter):
            return None
        if self._company.review is None:
            self.matter = matter
            return refusal
        return None if self._company.review(matter) else Refusal("you did not apply the changes")

    def _find_asking(self, changes: tuple[Change, ...]) -> Refusal | None:
        """Why a person must see a new note in which a question stands: `nest watch` would ask it."""
        from nestkit.hall.answers import read_triggers  # late: most runs change nothing

        for change in changes:
            with suppress(VaultError):  # no text: nothing in it asks
                found = read_triggers(self._nest, change.path, change.after or b"").found
                if any(trigger.kind != "inbox" for trigger in found):
                    return Refusal(f"{change.path} would ask nest something", REVIEW, needs_person=True)
        return None

    def _matter(self, gate: GateName, tools: list[Tool], **parts: Any) -> Matter:
        effects = tuple(f"{tool.name}: {', '.join(map(str, tool.effects))}" for tool in tools if tool.effects)
        scripts: dict[str, str] = {}
        for tool in tools:
            if tool.manner != "builtin":
                scripts |= self._nest.trust.wants(tool).files
        return Matter(self._run.id, gate, self._run.ask.contract, effects=effects, scripts=scripts, **parts)

    def _is_approved(self, matter: Matter) -> bool:
        """Whether a person has agreed to exactly this; that is then used up."""
        if not self._approved or matter.digest != self._approved:
            return False
        self._approved = ""
        return True


def script_digests(nest: Nest) -> dict[str, str]:
    """Path -> digest of every script of the vault as it is now."""
    return {script.path: script.digest for script in nest.registry.scripts}


def find_tools(program: str, tools: tuple[Tool, ...]) -> tuple[list[Tool], bool]:
    """The tools that a program names, sorted by name, and whether it reaches for names that it computes."""
    named: set[str] = set()
    try:
        for node in ast.walk(ast.parse(program)):
            if isinstance(node, ast.Name):
                named.add(node.id)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                named.add(ast.unparse(node))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return list(tools), True
    found = [tool for tool in tools if tool.name in named or tool.short in named]
    return sorted(found, key=lambda tool: tool.name), not named.isdisjoint(_COMPUTED)
