"""Words for leave: contracts, limits, and what a call needs a person for. *Pure*."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nestkit.tool import Effect, Tool

Contract = Literal["brokered", "sandboxed", "reviewed"]
CONTRACTS: tuple[Contract, ...] = ("brokered", "sandboxed", "reviewed")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An ask or a call turned down: never a crash, never a made-up answer."""

    reason: str
    """One sentence."""
    hint: str = ""
    """What would make it work."""
    tool: str = ""
    """The tool whose call was refused, if it was a call."""
    needs_person: bool = False
    """True when a person's yes is all that is missing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings of one run, each enforced from outside the process it binds."""

    steps: int = 8
    seconds: float = 120.0
    """Wall time of the whole ask, the time a person thinks left out."""
    step_seconds: float = 30.0
    """Wall time of one program."""
    tool_seconds: float = 30.0
    """Wall time of one tool call, unless the tool asks for less."""
    cpu_seconds: int = 30
    memory_bytes: int = 1 << 30
    output_bytes: int = 64 << 10
    """Printed text kept from one step; the rest is cut and said."""
    calls: int = 500
    """Tool calls in one run."""
    message_bytes: int = 8 << 20
    """One message between child and broker, either way."""
    staged_files: int = 200
    staged_bytes: int = 32 << 20
    tokens: int = 8192
    """Window asked of a model's server."""


@dataclass(frozen=True, slots=True)
class Leave:
    """What the person allowed for this run."""

    yes: bool = False
    """`--yes`: every effect that the tools declare, for this run only."""


PROTECTED = (".obsidian", ".git", ".nest", ".trash", "nest.toml")
"""First parts of paths that no program and no tool may write, compared without case; the runs folder and
`02_System` are added by the vault's settings."""


def effects_needing_leave(tool: Tool) -> tuple[Effect, ...]:
    """What a person must say yes to before this tool runs; empty when it only reads.

    `confirm: always` asks even where nothing but reading is declared.
    """
    if tool.confirm == "always":
        return tool.effects or (Effect("read"),)
    if tool.confirm == "never" and not tool.undeclared and tool.manner == "builtin":
        return ()
    return tool.effects
