"""The one door: a call by name in, its answer or a refusal out, everything that passed written down. *Pure*.

A program has no power of its own. Each call it makes is looked at here: is there such a tool, do the arguments fit,
is there leave, is there budget. Only then does it run: a host tool by a function of nest, a script in a child of its
own. What the broker itself must know of the rest of nest is handed in as plain functions.
"""

from __future__ import annotations

import builtins
import keyword
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nestkit.errors import NestError, NoteExists, NoteMissing, OutsideVault
from nestkit.policy import Limits, Refusal
from nestkit.run import ToolCall
from nestkit.sandbox.arguments import BadArguments, bind
from nestkit.sandbox.child import failure
from nestkit.sandbox.job import Refused, Stopped, ToolFailed
from nestkit.sandbox.tape import Tape
from nestkit.tool import Tool

Arguments = Mapping[str, Any]
Host = Callable[[Tool, Arguments], tuple[Any, Sequence[str]]]
"""Runs a built-in tool: its value, and the notes it opened."""
Script = Callable[[Tool, Arguments], Any]
"""Runs a tool of a script; raises ToolFailed."""
Allow = Callable[[Tool, Arguments], Refusal | None]
"""Why this call may not be made; None when it may."""

_LIKE: Mapping[type[NestError], tuple[str, ...]] = {
    NoteMissing: ("FileNotFoundError", "OSError"),
    NoteExists: ("FileExistsError", "OSError"),
    OutsideVault: ("PermissionError", "OSError"),
}
"""What a program knows our errors as."""
_OUTWARD = ("network", "run")
"""Effects that reach beyond the vault: a call with one of them is never made twice unasked."""
_NOT_BARE = {*dir(builtins), "final_answer", "exit", "quit"}


class Broker:
    """The door of one run."""

    def __init__(
        self,
        tools: Sequence[Tool],
        *,
        host: Host,
        script: Script,
        allow: Allow,
        limits: Limits,
        folders: Sequence[str] = (),
        tape: Tape | None = None,
    ) -> None:
        self.limits = limits
        self.waited = 0.0
        """Seconds in which a person was asked: no program's time."""
        self._tools = {tool.name: tool for tool in tools}
        self._shorts = Counter(tool.short for tool in tools)
        self._host, self._script, self._allow = host, script, allow
        self._folders = folders
        """Absolute folders that no error text may show."""
        self._tape = tape
        self._count = 0
        self._calls: list[ToolCall] = []
        self._refusals: list[Refusal] = []
        self._kept: dict[str, Any] = {}

    @property
    def names(self) -> list[list[str]]:
        """Pairs of a tool's full name and the bare name a program may use for it, or an empty text.

        A bare name that several tools claim stands for itself: calling it says which they are.
        """
        pairs = [[name, self._bare(tool)] for name, tool in self._tools.items()]
        clashes = [short for short, count in self._shorts.items() if count > 1 and _is_bare(short)]
        return pairs + [[short, short] for short in clashes if short not in self._tools]

    def call(self, name: str, args: Sequence[Any], kwargs: Arguments) -> Any:
        """What the tool answers.

        Raises ToolFailed for what the tool or its arguments are to blame for, Refused when the call may not be made,
        Stopped when the run has used up its calls.
        """
        begun = time.perf_counter()
        known = self._tools.get(name)
        arguments: Arguments = dict(kwargs)
        effects = tuple(map(str, known.effects)) if known else ()
        reads: Sequence[str] = ()
        allowed, error = False, ""
        try:
            self._count += 1
            if self._count > self.limits.calls:
                raise Stopped("calls", f"the run has made all the {self.limits.calls} tool calls it may make")
            tool = self._get_tool(name)
            arguments = _bind(tool, args, kwargs)
            self._ask_leave(tool, arguments)
            allowed = True
            if self._tape and any(effect.kind in _OUTWARD for effect in tool.effects):
                self._tape.open(tool.name)
            value, reads = self._run(tool, arguments)
            return value
        except (ToolFailed, Refused, Stopped) as trouble:
            error = str(trouble)
            if isinstance(trouble, Refused):
                self._refusals.append(trouble.refusal)
            raise
        finally:
            seconds = time.perf_counter() - begun
            self._calls.append(ToolCall(name, arguments, effects, allowed, error, seconds, tuple(reads)))

    def recall(self, asked: str) -> Mapping[str, Any] | None:
        """The message that answered this call in an earlier run of the program; None when it is to be made.

        Raises Stopped when the program is not the one that was recorded.
        """
        taped = self._tape.recall(asked) if self._tape else None
        if taped is None:
            return None
        self._count += 1
        self._calls.append(taped.call)
        if not taped.call.allowed and taped.call.error:
            self._refusals.append(Refusal(taped.call.error, tool=taped.call.tool))
        return taped.reply

    def keep(self, asked: str, body: bytes) -> None:
        """The call just made was answered with this message."""
        if self._tape and self._calls:
            self._tape.keep(asked, self._calls[-1], body)

    def take(self) -> tuple[tuple[ToolCall, ...], tuple[Refusal, ...]]:
        """The calls and refusals since this was last asked."""
        calls, refusals = tuple(self._calls), tuple(self._refusals)
        self._calls.clear()
        self._refusals.clear()
        return calls, refusals

    def _get_tool(self, name: str) -> Tool:
        if tool := self._tools.get(name):
            return tool
        fitting = [tool for tool in self._tools.values() if tool.short == name]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            both = " and ".join(tool.name for tool in fitting)
            raise ToolFailed("NameError", f"name {name!r} is claimed by {both}: write one of these", ("NameError",))
        raise ToolFailed("NameError", f"there is no tool {name!r}{self._nearest(name)}", ("NameError",))

    def _nearest(self, name: str) -> str:
        import difflib  # late: only for a wrong name

        shorts = {tool.short: tool.name for tool in self._tools.values()}
        near = difflib.get_close_matches(name, [*self._tools, *shorts], 3, 0.6)
        named = dict.fromkeys(shorts.get(found, found) for found in near)
        return f"; did you mean {' or '.join(named)}?" if named else ""

    def _ask_leave(self, tool: Tool, arguments: Arguments) -> None:
        """Raise Refused when the call may not be made; the time a person takes to say so is nobody's."""
        begun = time.monotonic()
        try:
            refusal = self._allow(tool, arguments)
        finally:
            self.waited += time.monotonic() - begun
        if refusal is not None:
            raise Refused(refusal)

    def _run(self, tool: Tool, arguments: Arguments) -> tuple[Any, Sequence[str]]:
        if tool.manner == "builtin":
            return self._run_host(tool, arguments)
        if not tool.cache:
            return self._script(tool, arguments), ()
        key = f"{tool.name} {arguments!r}"
        if key not in self._kept:
            self._kept[key] = self._script(tool, arguments)
        return self._kept[key], ()

    def _run_host(self, tool: Tool, arguments: Arguments) -> tuple[Any, Sequence[str]]:
        try:
            return self._host(tool, arguments)
        except NestError as error:
            text = f"{error}; {error.hint}" if error.hint else str(error)
            like = next((names for kind, names in _LIKE.items() if isinstance(error, kind)), ("RuntimeError",))
            kind = type(error).__name__
            raise ToolFailed(kind, failure.hide_folders(text, self._folders), like) from None
        except Exception as error:
            said = failure.draft(error, self._folders)
            raise ToolFailed(said["type"], said["text"], tuple(said["bases"]), tuple(said["args"])) from error

    def _bare(self, tool: Tool) -> str:
        return tool.short if self._shorts[tool.short] == 1 and _is_bare(tool.short) else ""


def _is_bare(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name) and name not in _NOT_BARE


def _bind(tool: Tool, args: Sequence[Any], kwargs: Arguments) -> Arguments:
    try:
        return bind(tool, args, kwargs)
    except BadArguments as error:
        raise ToolFailed("TypeError", str(error), ("TypeError",), (str(error),)) from None
