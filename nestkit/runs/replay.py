"""What was recorded of a program, and what came of it now, in; where they first differ, out. *Pure*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from nestkit.runs.trace import draft_json

_PARTS: Mapping[str, str] = {
    "limit": "the limit that stopped it",
    "error": "its error",
    "output": "what it printed",
    "final": "whether it answered",
    "value": "its value",
    "files": "the files it left",
}
"""Part of an outcome -> its name for people, in the order in which they are compared."""
_BY_CLOCK = ("seconds", "cpu", "memory")
"""Limits of which the error names figures that no two runs share."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that did not come out as it was recorded."""

    step: int
    """Counted from 1."""
    what: str
    recorded: str
    now: str
    line: int = 0
    """Counted from 1, where a printed text differs; 0 for anything else."""


def find_difference(step: int, recorded: Mapping[str, Any], now: Mapping[str, Any]) -> Difference | None:
    """Where an outcome differs from the recorded one; None when both are the same, byte for byte."""
    recorded, now = ({**each, "files": dict(sorted((each.get("files") or {}).items()))} for each in (recorded, now))
    for part, what in _PARTS.items():
        old, new = (draft_json(outcome.get(part)) for outcome in (recorded, now))
        if old == new or (part == "error" and recorded.get("limit") in _BY_CLOCK):
            continue
        if part in ("output", "error"):
            return _differing_line(step, what, str(recorded.get(part)), str(now.get(part)))
        if part == "files":
            return _differing_file(step, recorded[part], now[part])
        return Difference(step, what, old, new)
    return None


def _differing_line(step: int, what: str, old: str, new: str) -> Difference | None:
    pairs = zip_longest(old.split("\n"), new.split("\n"), fillvalue="")
    for line, (before, after) in enumerate(pairs, start=1):
        if before != after:
            return Difference(step, what, before, after, line)
    return Difference(step, what, f"{len(old)} characters", f"{len(new)} characters")


def _differing_file(step: int, old: Mapping[str, str], new: Mapping[str, str]) -> Difference:
    path = next(path for path in sorted({*old, *new}) if old.get(path) != new.get(path))
    before, after = (f"{len(files[path])} characters of base64" if path in files else "none" for files in (old, new))
    return Difference(step, f"the file {path}", before, after if before != after else "other bytes")
