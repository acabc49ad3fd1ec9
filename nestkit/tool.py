"""Words for tools: what a script offers, as read from its source. *Pure*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from nestkit.note import Problem

Manner = Literal["function", "argparse", "click", "program", "shell", "builtin", "composed"]
"""How a tool is called: a Python function; a command line of one of three makes; a shell script; a host function; a
function over other tools, run as part of the program that calls it."""

SCRIPT_SUFFIXES = (".py", ".sh", ".bash", ".zsh")
"""Endings, in lower case, of the files that are read as scripts."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One power: `read`, `write:Notes/**`, `delete:...`, `network:host`, `env:NAME`, `run:git`."""

    kind: Literal["read", "write", "delete", "network", "env", "run"]
    scope: str = ""
    """Glob, host, variable or program; empty means any."""
    line: int = 0
    """Line of the script that shows it, for effects found by reading the code; 0 for declared ones."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.scope}" if self.scope else self.kind


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value a tool takes."""

    name: str
    """What a program writes: the argument's name, an option's dest."""
    type: str = ""
    """Source text of the type (`float`, `list[str]`); empty when nobody said."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """The same as JSON schema, for checks and for models; empty means anything."""
    required: bool = True
    default: str = ""
    """Source text of the default; empty when there is none."""
    kind: Literal["positional", "keyword", "either", "rest", "options"] = "either"
    """How Python takes it: positional-only, keyword-only, both, `*rest`, `**options`."""
    text: str = ""
    """What its author says of it."""
    flags: tuple[str, ...] = ()
    """Option strings of a command line (`--today`); empty for a positional argument."""
    nargs: str = ""
    """Of a command line: `flag` (no value), `off` (a switch that turns off), `many` (the option repeats), `*`,
    `+`, `?`, a number, `...` (all that is left)."""
    level: int = 0
    """Of a command line: how many words of the sub-command stand before it; less than all for a parent's option."""

    @property
    def choices(self) -> tuple[Any, ...]:
        """The only values allowed, or nothing."""
        return tuple(self.schema.get("enum", ()))


@dataclass(frozen=True, slots=True)
class Example:
    """A call as its author wrote it, and what should come back."""

    call: str
    result: str = ""
    note: str = ""
    """Path of the note it comes from; empty for the script's own."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One callable thing in a script."""

    name: str
    """`script.func`, `script.sub`, or `script` for a program without sub-commands."""
    script: str
    """Vault-relative path of the script."""
    manner: Manner
    target: str = ""
    """The function's name in the source, the words of the sub-command, or the shell that runs the script."""
    parameters: tuple[Parameter, ...] = ()
    returns: str = ""
    """Source text of the return type."""
    summary: str = ""
    """One line."""
    text: str = ""
    """All its author says, without the parts that became parameters."""
    returns_text: str = ""
    declared: tuple[Effect, ...] | None = None
    """Effects the script asks for; None when it says nothing."""
    found: tuple[Effect, ...] = ()
    """Effects seen in the code: advice, never a boundary."""
    confirm: Literal["never", "write", "always"] = "write"
    utterances: tuple[str, ...] = ()
    """Ways a person asks for it, with `{parameter}` slots."""
    examples: tuple[Example, ...] = ()
    hidden: bool = False
    timeout: float | None = None
    """Seconds."""
    is_async: bool = False
    line: int = 1
    cache: bool = False
    """Its author says that equal arguments give equal results, so a run may call it once."""
    notes: tuple[str, ...] = ()
    """Paths of the notes that document it."""
    calls: tuple[tuple[str, int], ...] = ()
    """(dotted origin, line) of what it calls in modules that are not Python's own."""
    words: str = ""
    """Words of its code that tell what it is about; for finding it, never shown."""

    @property
    def short(self) -> str:
        """The last part of the name: what a program may write when no other tool has it."""
        return self.name.rpartition(".")[2]

    @property
    def signature(self) -> str:
        """The call as one line of Python: `fx.convert(amount: float, source: 'EUR'|'USD' = 'EUR') -> float`."""
        shown = ", ".join(_shown(parameter) for parameter in self.parameters)
        return f"{self.name}({shown})" + (f" -> {self.returns}" if self.returns else "")

    @property
    def undeclared(self) -> tuple[Effect, ...]:
        """Effects seen in the code that the script does not ask for; reading is always allowed."""
        asked = {effect.kind for effect in self.declared or ()}
        return tuple(effect for effect in self.found if effect.kind not in asked | {"read"})

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What a call may do besides reading: the declared effects and the undeclared ones."""
        return tuple(effect for effect in self.declared or () if effect.kind != "read") + self.undeclared


def _shown(parameter: Parameter) -> str:
    stars = {"rest": "*", "options": "**"}.get(parameter.kind, "")
    kind = "|".join(repr(choice) for choice in parameter.choices) or parameter.type
    text = f"{stars}{parameter.name}" + (f": {kind}" if kind else "")
    if parameter.required or stars:
        return text
    return f"{text} = {parameter.default or 'None'}"


@dataclass(frozen=True, slots=True)
class Body:
    """A function or class of a script that has effects, or calls what may have some."""

    name: str
    found: tuple[Effect, ...] = ()
    calls: tuple[tuple[str, int], ...] = ()
    """As of a tool."""


@dataclass(frozen=True, slots=True)
class Script:
    """One file of `02_System`, read and never run."""

    path: str
    digest: str
    """SHA-256 of its bytes, in hex: what a grant is tied to."""
    tools: tuple[Tool, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    """(name, why it is no tool), for everything public that did not become one."""
    summary: str = ""
    dependencies: tuple[str, ...] = ()
    """PEP 723 requirements."""
    requires_python: str = ""
    refused_packages: str = ""
    """Why its packages are never prepared: what its block asks for that only the person may decide."""
    imports: tuple[str, ...] = ()
    """Dotted names of the modules it could load; those in the scripts' folder run with its powers."""
    bodies: tuple[Body, ...] = ()
    """What its functions and classes do by themselves, for the scripts that call them."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Tools that belong together: the scripts below a folder with a `SKILL.md`."""

    name: str
    folder: str
    path: str
    """Of the `SKILL.md`."""
    summary: str = ""
    text: str = ""
    """Its body: how the tools are used together, told on demand."""
