"""What a person is asked to agree to, in; its hash, and its text with nothing hidden in it, out. *Pure*."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nestkit.change import Change, digest
from nestkit.policy import Contract, has_world
from nestkit.visible import find_pretenders, reviewed

Gate = Literal["program", "call", "changes"]
"""Where a run waits: before a program runs, before a call that needs leave, before changes reach the vault."""

_WORLD = "the program itself: read the vault's files (not the private ones), import packages, save files of its own"
"""What is shown of a program that is given more than its broker."""

MOST_CHARS = 100_000
"""Longer matters are not put into a note whole: nobody can judge there what is cut."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing to agree to. Its digest is what an approval is given for, once."""

    run: str
    gate: Gate
    contract: Contract
    program: str = ""
    """The program that waits; for changes, all programs that made them."""
    call: str = ""
    """`tool(name=value, ...)`, for a call that waits."""
    effects: tuple[str, ...] = ()
    """One line for each tool that could do more than read: its name, and what it may do."""
    scripts: Mapping[str, str] = field(default_factory=dict)
    """Path -> digest: the versions of the scripts that this hangs on."""
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    """What a careful reader should look at twice, a sentence each, besides what the text itself shows."""

    @property
    def digest(self) -> str:
        """SHA-256 in hex over everything that was shown, and over the scripts' versions."""
        return hashlib.sha256(json.dumps(self._sealed(), sort_keys=True).encode()).hexdigest()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a careful reader should look at twice, a sentence each."""
        text = "\n".join([self.program, self.call, *(change.path for change in self.changes), _diff(self.changes)])
        return (*self.notes, *find_pretenders(text))

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """(title, text) of each part, in reading order; in the text nothing hides."""
        own = [_WORLD] if self.gate == "program" and has_world(self.contract) else []
        scripts = [f"{path} {seal[:12]}" for path, seal in sorted(self.scripts.items())]
        texts = {
            "Beware": "\n".join(self.warnings),
            "Call": self.call,
            "Program": self.program.strip("\n"),
            "May do": "\n".join([*own, *self.effects]),
            "Changes": _diff(self.changes),
            "Scripts": "\n".join(scripts),
        }
        return tuple((title, reviewed(text).rstrip("\n")) for title, text in texts.items() if text)

    @property
    def is_short(self) -> bool:
        """Whether a note can show all of it."""
        return sum(len(text) for _, text in self.parts) <= MOST_CHARS

    def _sealed(self) -> dict[str, Any]:
        changes = [(change.path, digest(change.before), digest(change.after)) for change in self.changes]
        parts = {"run": self.run, "gate": self.gate, "contract": self.contract, "program": self.program}
        return parts | {
            "call": self.call,
            "effects": list(self.effects),
            "scripts": dict(self.scripts),
            "changes": changes,
        }


def draft_matter(matter: Matter) -> Iterator[str]:
    """The matter as lines for a terminal."""
    for title, text in matter.parts:
        yield f"{title}:"
        yield from (f"  {line}" for line in text.split("\n"))


def draft_record(matter: Matter) -> dict[str, Any]:
    """The matter as JSON, bytes and all."""
    changes = [{"path": c.path, "before": draft_bytes(c.before), "after": draft_bytes(c.after)} for c in matter.changes]
    return {
        "run": matter.run,
        "gate": matter.gate,
        "contract": matter.contract,
        "program": matter.program,
        "call": matter.call,
        "effects": list(matter.effects),
        "scripts": dict(matter.scripts),
        "changes": changes,
        "notes": list(matter.notes),
    }


def parse_record(record: Mapping[str, Any]) -> Matter:
    """The matter that `draft_record` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    changes = tuple(Change(c["path"], parse_bytes(c["before"]), parse_bytes(c["after"])) for c in record["changes"])
    told = {**record, "effects": tuple(record["effects"]), "changes": changes, "notes": tuple(record["notes"])}
    return Matter(**told)


def draft_bytes(content: bytes | None) -> str | None:
    """Bytes as text for JSON: base64."""
    return None if content is None else base64.b64encode(content).decode("ascii")


def parse_bytes(text: str | None) -> bytes | None:
    """What `draft_bytes` wrote. Raises ValueError."""
    return None if text is None else base64.b64decode(text, validate=True)


def _diff(changes: tuple[Change, ...]) -> str:
    return "".join(change.diff for change in changes)
