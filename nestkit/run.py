"""Words for runs: what was asked, what was tried, how it ended. *Pure*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from nestkit.change import Applied, Change
from nestkit.matter import Matter
from nestkit.policy import Contract, Leave, Limits, Refusal

Status = Literal["ok", "refused", "waiting", "no_answer", "error", "cancelled"]

EXIT_CODES: Mapping[Status, int] = {"ok": 0, "error": 1, "refused": 3, "waiting": 4, "no_answer": 5, "cancelled": 130}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is wanted."""

    text: str
    now: datetime
    """Aware. The only clock a program and its tools see."""
    note: str | None = None
    """Path of the asking note."""
    marks: bool = True
    """Whether that note is to tell of the run, now or when a person has approved it later."""
    selection: str = ""
    fresh: bool = False
    """Ask the model even where the program of an earlier run is kept."""
    model: str = "auto"
    """`auto`, `builtin`, `ollama/NAME`, `openai/NAME`."""
    contract: Contract = "brokered"
    engine: str = "auto"
    """What is to isolate its programs: one of `ENGINES`."""
    style: Literal["code", "json"] = "code"
    limits: Limits = field(default_factory=Limits)
    leave: Leave = field(default_factory=Leave)
    trigger: Literal["cli", "watch", "obsidian", "mcp"] = "cli"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call that went through the broker, allowed or not."""

    tool: str
    """Full name, or what the program wrote when there is no such tool."""
    arguments: Mapping[str, Any]
    effects: tuple[str, ...] = ()
    """What it was allowed to do besides reading."""
    allowed: bool = True
    error: str = ""
    seconds: float = 0.0
    reads: tuple[str, ...] = ()
    """Notes it opened, as far as the broker saw."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of running one program."""

    output: str = ""
    """Printed text, cut at the limit."""
    value: Any = None
    """The answer when `final`, else the value of the last expression; plain data only."""
    final: bool = False
    """`final_answer` was called."""
    error: str = ""
    """Type and message with the program's own lines, no host paths; empty when it went well."""
    refusals: tuple[Refusal, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    seconds: float = 0.0
    limit: str = ""
    """Name of the limit that stopped it: seconds, cpu, memory, output, calls, message, processes, files, scratch."""
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """What it left in its scratch folder, by path there, when it is new or changed since the last program."""


Execute = Callable[[str], Outcome]
"""Program in, outcome out; state lives on from one call to the next. A second sandbox is one function of this type."""


@dataclass(frozen=True, slots=True)
class Account:
    """What one reply of a model cost, in tokens, and what it could have cost."""

    estimated: int
    """The conversation as counted before it was sent, the descriptions of tools included."""
    read: int
    """The same as the server counted; 0 when it did not say."""
    written: int
    window: int
    """All that fits, reply included."""
    shortened: int = 0
    """Old observations of which the middle was left out."""
    model_seconds: float = 0.0
    load_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One program and its outcome; with an empty program, a reply that held none."""

    number: int
    """Counted from 1."""
    program: str
    outcome: Outcome
    thought: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    """Model and program together."""
    account: Account | None = None
    """None when no model was asked."""


@dataclass(frozen=True, slots=True)
class End:
    """How the steps came to an end."""

    status: Status
    answer: Any = None
    """Plain data; meaningful only when the status is ok."""
    reason: str = ""
    """One sentence, empty when answered."""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """The story of one ask."""

    id: str
    """`YYYYMMDD-HHMMSS-xxxxxx`, sortable."""
    ask: Ask
    end: End
    steps: tuple[Step, ...] = ()
    model: str = ""
    """What wrote the programs: `builtin`, `ollama/NAME`; empty when nothing did."""
    tier: str = ""
    """How its programs were isolated, as proven: `kernel-full`, `monty, scripts in kernel-full`."""
    reading: str = ""
    """How the built-in planner understood the ask."""
    changes: tuple[Change, ...] = ()
    applied: tuple[Applied, ...] = ()
    tool_digests: Mapping[str, str] = field(default_factory=dict)
    """Script path -> digest, for each tool that was called."""
    prompt_digest: str = ""
    question: str = ""
    """What tells this question from others, so that its program may be kept; empty when it may not."""
    kept_from: str = ""
    """Path of the note of the earlier run whose program this is; empty when it was written anew."""
    seconds: float = 0.0
    path: str | None = None
    """Of its note, once written."""
    parent: str | None = None
    """Path of the note of the run that this one runs again; its id where it had none."""
    files: tuple[str, ...] = ()
    """Paths of the files its programs left, beside its note."""
    matter: Matter | None = None
    """What it waits for, when it is parked."""

    @property
    def status(self) -> Status:
        return self.end.status

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return tuple(call for step in self.steps for call in step.outcome.calls)

    @property
    def reads(self) -> tuple[str, ...]:
        """Notes opened, each once, in order; what the broker saw, not what a program claims."""
        return tuple(dict.fromkeys(path for call in self.calls for path in call.reads))

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        return tuple(refusal for step in self.steps for refusal in step.outcome.refusals)
