"""A run as events, one sealed JSON line each: written as it goes, read back to resume, show or compare. *Pure*.

```
ask      what was asked, by whom, under which limits
writer   who writes the programs, and how the planner read the ask
reply    what a model said
program  a program that is about to run, numbered from 1, and the approval it runs under
open     a call that may act outside the vault is about to be made
call     one call of that program that was answered, the answer with it, and what it staged
value    the answer of an earlier call, written down because the run is about to wait
step     how a program ended
park     what waits for a person, all of it
resume   the run goes on
applied  its changes are in the vault
note     where its note is about to be written
end      how it ended: nothing is left to do
```

The run note is for people and cuts what is long; the trace beside it in `.nest/runs/` keeps everything. A trace lies in
the vault, where anything may have written it: each line carries a seal over itself and all lines before it, made with
a key that never leaves this machine. Only what is sealed is ever run again.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Event = Mapping[str, Any]

_SEALED = re.compile(rb'^(\{.*),"seal":"([0-9a-f]{32})"\}$', re.DOTALL)


@dataclass(slots=True)
class Sealer:
    """Draws up the lines of one trace, each sealed to those before it."""

    key: bytes
    last: str = ""
    """Seal of the last line."""

    def draft(self, event: Event, more: bytes = b"") -> bytes:
        """One line; `more` is JSON text, `"name":value`, that is put in as it stands."""
        body = _encode(event).encode("utf-8", "replace")
        body = body[:-1] + (b"," + more if more else b"")
        self.last = _seal(self.key, self.last, body)
        return body + b',"seal":"' + self.last.encode() + b'"}\n'


@dataclass(slots=True)
class Recorded:
    """What a sealed trace tells, sorted for running it again."""

    ask: dict[str, Any] = field(default_factory=dict)
    writer: dict[str, Any] = field(default_factory=dict)
    replies: list[dict[str, Any]] = field(default_factory=list)
    programs: dict[int, dict[str, Any]] = field(default_factory=dict)
    calls: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """Number of the program -> its calls in order."""
    steps: list[dict[str, Any]] = field(default_factory=list)
    park: dict[str, Any] | None = None
    """What it waits for; None when it does not wait."""
    end: dict[str, Any] | None = None
    notes: list[dict[str, Any]] = field(default_factory=list)
    """`path` and `digest` of the note each time nest meant to write it."""
    opened: set[tuple[int, int]] = field(default_factory=set)
    """(program, number) of calls that may act outside and had begun."""
    applied: list[dict[str, Any]] = field(default_factory=list)
    """What became of its changes, once they were in the vault."""
    size: int = 0
    """Bytes that are whole and sealed; what follows them was cut short."""
    last: str = ""
    """Seal of the last line."""


def parse_sealed(content: bytes, key: bytes) -> Recorded:
    """What this machine wrote into a trace, up to the first line that is cut short or not sealed by this key."""
    told = Recorded()
    for line in content.split(b"\n")[:-1]:
        match = _SEALED.match(line)
        if match is None or not hmac.compare_digest(_seal(key, told.last, match[1]), match[2].decode()):
            break
        told.last = match[2].decode()
        told.size += len(line) + 1
        _sort_in(told, json.loads(match[1] + b"}"))
    return told


def _sort_in(told: Recorded, event: dict[str, Any]) -> None:
    kind = event.pop("event")
    if kind == "ask":
        told.ask = event
    elif kind == "writer":
        told.writer = event
    elif kind == "reply":
        told.replies.append(event)
    elif kind == "program":
        told.programs[event["number"]] = event
    elif kind == "call":
        told.calls.setdefault(event["program"], []).append(event)
    elif kind == "value":
        told.calls[event["program"]][event["number"]]["reply"] = event["reply"]
    elif kind == "step":
        told.steps.append(event)
    elif kind in ("park", "resume"):
        told.park = event if kind == "park" else None
    elif kind == "note":
        told.notes.append(event)
    elif kind == "open":
        told.opened.add((event["program"], event["number"]))
    elif kind == "applied":
        told.applied = event["applied"]
    elif kind == "end":
        told.end = event


def _seal(key: bytes, last: str, body: bytes) -> str:
    return hmac.digest(key, last.encode() + b"\n" + body, "sha256").hex()[:32]


def draft_json(value: Any) -> str:
    """The value as it stands in a trace."""
    return _encode(value).encode("utf-8", "replace").decode()


_encode = json.JSONEncoder(ensure_ascii=False, default=lambda value: _plain(value), separators=(",", ":")).encode


def _plain(value: Any) -> Any:
    """Values of programs that JSON has no form for, as text."""
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
