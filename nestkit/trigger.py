"""Words for triggers: what in a note starts an ask, and what nest writes beside it. *Pure*."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

TriggerKind = Literal["block", "task", "property", "inbox", "automation"]
TriggerState = Literal["todo", "running", "waiting", "done", "failed", "refused"]
EndState = Literal["waiting", "done", "failed", "refused"]

STATES: tuple[TriggerState, ...] = ("todo", "running", "waiting", "done", "failed", "refused")
BOXES: dict[str, TriggerState] = {
    " ": "todo",
    "/": "running",
    "?": "waiting",
    "x": "done",
    "X": "done",
    "!": "failed",
    "-": "refused",
}
"""What stands in the brackets of a task -> its state; of each state the first is the one that nest writes."""


@dataclass(frozen=True, slots=True)
class Section:
    """What nest wrote below a trigger: a mark, lines, a closing mark."""

    kind: str
    state: TriggerState
    id: str
    """Of the claim while it is running, of the run afterwards."""
    asked: str
    """Digest of the question it belongs to."""
    host: str
    """Who claimed it."""
    first: int
    """Line of the mark in the file."""
    last: int
    """Line of the closing mark."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """One thing in a note that asks."""

    kind: TriggerKind
    text: str
    line: int
    last: int
    """Line after which the answer goes; 0 for the end of the note."""
    options: str = ""
    """What follows `nest` on the first line of a block."""
    indent: str = ""
    """What every line of the answer begins with."""
    box: str = ""
    """What stands in the brackets of a task."""
    written: str = ""
    """The property `nest-state`, for triggers that concern the whole note."""
    section: Section | None = None

    @property
    def digest(self) -> str:
        """What is asked, in 16 hex digits: the rest of the note does not count."""
        return hashlib.sha256("\0".join((self.kind, self.options, self.text)).encode()).hexdigest()[:16]

    @property
    def state(self) -> TriggerState:
        """As the note says it. A question that was changed after its answer is to be asked; a claim always counts."""
        section = self.section
        if section is not None and section.state == "running":
            return "running"
        if self.kind == "task":
            return BOXES.get(self.box, "done")
        if self.kind in ("inbox", "automation"):
            return _as_state(self.written)
        if section is None:
            return _as_state(self.written)
        if section.asked != self.digest or "todo" in (section.state, self.written):
            return "todo"
        return section.state

    def key(self, path: str) -> str:
        """What is asked only once: this question in this note after that answer."""
        after = self.section.id if self.section else ""
        return hashlib.sha256("\0".join((path, self.digest, after)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that looks like a trigger and is none."""

    line: int
    """0 for the whole note."""
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Triggers:
    """All of a note."""

    found: tuple[Trigger, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    sections: tuple[Section, ...] = field(default=())
    """All answers, also those whose question is gone."""


Event = Literal["created", "changed", "moved", "tagged", "becomes"]
EVENTS: tuple[Event, ...] = ("created", "changed", "moved", "tagged", "becomes")


@dataclass(frozen=True, slots=True)
class Automation:
    """A note that asks whenever something happens to other notes."""

    path: str
    event: Event
    name: str = ""
    """The tag, or the property that becomes `value`."""
    value: str = ""
    folder: str = ""
    """Only notes in this folder, or below it."""
    tag: str = ""
    """Only notes that carry it."""
    where: tuple[tuple[str, str], ...] = ()
    """Only notes whose properties have these values."""
    ask: str = ""
    """What is asked; `{title}` and `{path}` stand for the note it happened to."""
    tool: str = ""
    """Or the tool that is called, with the note's path as its first parameter."""

    @property
    def digest(self) -> str:
        """What it does; where its note lies does not count."""
        parts = (self.event, self.name, self.value, self.folder, self.tag, repr(self.where), self.ask, self.tool)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _as_state(written: str) -> TriggerState:
    """A word that is no state is somebody's own, and nothing to act on."""
    if not written:
        return "todo"
    return next((state for state in STATES if state == written), "done")
