"""Words for leave: contracts, limits, and what a call needs a person for. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from nestkit.change import Change
from nestkit.tool import Effect, Tool

Contract = Literal["brokered", "sandboxed", "reviewed", "reviewed:sandboxed"]
CONTRACTS: tuple[Contract, ...] = ("brokered", "sandboxed", "reviewed", "reviewed:sandboxed")
ENGINES = ("auto", "kernel-full", "kernel-lite", "seatbelt", "wasm", "monty", "container")
"""Ways to isolate, as a person asks for them; `auto` is the strongest of this system that proves itself."""


def is_reviewed(contract: Contract) -> bool:
    """Whether a person must have approved a program before it runs."""
    return contract.startswith("reviewed")


def has_world(contract: Contract) -> bool:
    """Whether a program is given more than its broker: the vault to read, packages, a folder of its own."""
    return contract.endswith("sandboxed")


def narrow(mine: Contract, theirs: Contract) -> Contract:
    """The contract under both: reviewed where either says so, with a world where both do."""
    world = has_world(mine) and has_world(theirs)
    if is_reviewed(mine) or is_reviewed(theirs):
        return "reviewed:sandboxed" if world else "reviewed"
    return "sandboxed" if world else "brokered"


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
    seconds: float = 300.0
    """Wall time of the whole ask, loading a model included, the time a person thinks left out."""
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
    processes: int = 128
    """Threads and processes at a time of one program or tool."""
    open_files: int = 256
    scratch_files: int = 200
    """Files that a program of the contract `sandboxed` may leave behind."""
    scratch_bytes: int = 64 << 20
    """Room for what a program or a tool keeps for a moment."""
    staged_files: int = 200
    staged_bytes: int = 32 << 20
    tokens: int = 16_384
    """Longest window that a conversation may have; a model's server is asked for as much of it as is needed."""
    run_tokens: int = 200_000
    """Tokens read and written by the model in one run."""


@dataclass(frozen=True, slots=True)
class Leave:
    """What the person allowed for this run."""

    yes: bool = False
    """`--yes`: every effect that the tools declare, for this run only."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A person's leave for one tool, as it was when they gave it."""

    tool: str
    script: str
    """Vault path."""
    digest: str
    """SHA-256 over the script and all of the vault that it may load, in hex (`Wants.digest`)."""
    effects: tuple[str, ...]
    given: str
    """ISO time."""

    def covers(self, wants: Wants) -> bool:
        """Whether it is leave for this tool as it is now: same bytes, no effect that was not granted."""
        same = (self.tool, self.script, self.digest) == (wants.tool, wants.script, wants.digest)
        return same and set(map(str, wants.effects)) <= set(self.effects)


@dataclass(frozen=True, slots=True)
class Wants:
    """What a tool needs a person's leave for, and why: all that a grant is tied to."""

    tool: str
    script: str
    effects: tuple[Effect, ...]
    digest: str
    """SHA-256 over `files`, in hex."""
    files: Mapping[str, str]
    """Path -> digest of the script and of every file of the vault that it may load."""
    lines: tuple[tuple[str, int, str], ...] = ()
    """(path, line, text) of the code that shows an effect."""
    dependencies: tuple[str, ...] = ()
    """Packages from outside that run with the same powers."""
    fetch: str = ""
    """Where they would have to be fetched from; empty when they are there."""


PROTECTED = (".obsidian", ".git", ".nest", ".trash", "nest.toml")
"""First parts of paths that no program and no tool may write, compared without case; the runs folder and
`02_System` are added by the vault's settings."""


_ACTIVE = re.compile(
    r"^[ \t\ufeff]*(?:(?:>|[-*+]|\d{1,9}[.)])[ \t]*)*(?:`{3,}|~{3,})[ \t]*\{?[ \t]*"
    r"(?:nest|dataviewjs?|datacore\w*|js-engine|query|base|button|meta-bind-\S+|jsx:\S*|run-\w+)\b"
    r"|<%|`\$=|^[ \t]*nest[ \t]*:|#nest\b",
    re.M | re.I,
)
"""What Obsidian, its plugins or nest itself would execute when they find it in a note."""
_OUTSIDE = re.compile(r"\]\([ \t]*\n?[^)\]\n]{0,2000}?(?::|//|&#?\w+;|\\)")
"""A target that is no plain path of the vault: an address, or what an entity or a backslash could make one of."""
_LOADED = re.compile(
    r"<[ \t]*(?:img|image|i?frame|object|embed|video|audio|source|track|script|link|style|svg|meta|base|form|input)\b"
    r"|\burl[ \t]*\(",
    re.I,
)
"""Elements that fetch something as soon as a note is looked at, or could."""


def check_call(tool: Tool, leave: Leave) -> Refusal | None:
    """Why this call may not go ahead; `needs_person` when a yes is all that is missing.

    Undeclared effects count like declared ones: a tool that seems to write asks before it does.
    """
    needed = effects_needing_leave(tool)
    if needed and not leave.yes:
        wants = ", ".join(map(str, needed))
        every = tool.confirm == "always"  # no grant would spare the question
        hint = "ask again at a terminal, or with --yes" if every else f"run `nest trust {tool.name}`, or use --yes"
        asks = "calls other tools in your name" if tool.manner == "composed" else f"wants {wants}"
        return Refusal(f"{tool.name} {asks}: that takes a person's yes", hint, tool.name, needs_person=True)
    if tool.manner != "builtin" and any(effect.kind == "run" and not effect.scope for effect in tool.effects):
        reason = f"{tool.name} wants to run programs and does not say which"
        return Refusal(reason, "its script may declare each as `run:PROGRAM`", tool=tool.name)
    return None


def check_changes(changes: Sequence[Change], contract: Contract = "brokered") -> Refusal | None:
    """Why a person must see these changes before they reach the vault; None for plain new notes.

    A new note loses nobody a line; everything else might, and a note that would run something is code. Under
    `sandboxed` a program wrote them with its own hands: every change is looked at.
    """
    for change in changes:
        if has_world(contract) and change.kind == "add":
            return Refusal(f"it would add {change.path}", REVIEW, needs_person=True)
        if change.kind != "add":
            verb = "change" if change.kind == "modify" else "delete"
            return Refusal(f"it would {verb} {change.path}", REVIEW, needs_person=True)
        if not change.path.endswith(".md"):
            return Refusal(f"it would add {change.path}, which is no note", REVIEW, needs_person=True)
        text = (change.after or b"").decode("utf-8", "replace").replace("\r", "\n")
        if _ACTIVE.search(text):
            return Refusal(f"{change.path} would hold text that Obsidian or nest executes", REVIEW, needs_person=True)
        if loads(text):
            reason = f"{change.path} would fetch something from the network as soon as it is opened"
            return Refusal(reason, REVIEW, needs_person=True)
    return None


def loads(text: str) -> bool:
    """Whether a note would fetch something from elsewhere when it is looked at: so words could leave the vault.

    An outside picture, or an element of HTML that loads. In doubt it would.
    """
    pictures = [paragraph for paragraph in re.split(r"\n[ \t]*\n", text) if re.search(r"!\[(?!\[)", paragraph)]
    named = pictures and re.search(r"^[ \t]{0,3}\[[^\]\n]{1,999}\]:", text, re.M)
    return bool(named or _LOADED.search(text) or any(_OUTSIDE.search(paragraph) for paragraph in pictures))


REVIEW = "look at the changes in the run note, then ask again at a terminal, or with --yes"


def effects_needing_leave(tool: Tool) -> tuple[Effect, ...]:
    """What a person must say yes to before this tool runs; empty when it only reads.

    `confirm: always` asks even where nothing but reading is declared, and so does a function over other tools: with it
    a script that came from anywhere would use what a person granted to others. Built-in writers stage: their changes
    are looked at as changes (`check_changes`), not call by call.
    """
    if tool.manner == "builtin":
        return ()
    if tool.confirm == "always" or tool.manner == "composed":
        return tool.effects or (Effect("read"),)
    return tool.effects
