"""A command-line tool and its checked arguments in, the words of its command line out. *Pure*."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, time
from pathlib import PurePath
from typing import Any

from nestkit.sandbox.arguments import BadArguments
from nestkit.tool import Parameter, Tool

_GREEDY = frozenset(("*", "+", "?"))
"""Options that take whatever stands behind them, as long as it looks like a value."""


def command_line(tool: Tool, arguments: Mapping[str, Any]) -> list[str]:
    """The words after the program's name, from the arguments of `bind`.

    Each sub-command's word stands behind its parent's options; within one level options stand before values, behind a
    `--` where a value could be taken for an option.

    Raises BadArguments for a value that no command line can carry.
    """
    if tool.manner in ("program", "shell"):
        return [_text(value) for value in arguments.get("args", ())]
    if tool.manner == "argparse":
        _check_dashes(tool, arguments)
    words = tool.target.split() if tool.target else []
    line: list[str] = []
    for level in range(len(words) + 1):
        here = [parameter for parameter in tool.parameters if parameter.level == level]
        given = [parameter for parameter in here if parameter.flags and arguments.get(parameter.name) is not None]
        # what takes many values stands first, so that another option may end it
        written = sorted(given, key=lambda parameter: parameter.nargs not in _GREEDY)
        options = [(p, option) for p in written if (option := _option(tool, p, arguments[p.name]))]
        values = _values(tool, [parameter for parameter in here if not parameter.flags], arguments)
        line += [word for _, option in options for word in option]
        if values and (_ends_greedy(options) or _looks_like_option(values, here)):
            line.append("--")
        elif level < len(words) and _ends_greedy(options):
            name = options[-1][0].name
            raise BadArguments(f"{name!r} would take the sub-command {words[level]!r} for its own; give it one value")
        line += values + words[level : level + 1]
    return line


def _check_dashes(tool: Tool, arguments: Mapping[str, Any]) -> None:
    """argparse takes a value that is just `--` for a mark of its own, wherever it stands, and drops it."""
    for parameter in tool.parameters:
        value = arguments.get(parameter.name)
        values = value if isinstance(value, list | tuple) else [value]
        if "--" in values and parameter.nargs != "...":
            raise BadArguments(f"{tool.short}(): {parameter.name} cannot be '--', which argparse drops")


def _option(tool: Tool, parameter: Parameter, value: Any) -> list[str]:
    """One option with its value, `--opt=value`: a value that begins with a dash is none of the options so."""
    on, off = _switch(parameter)
    if parameter.nargs == "flag":
        if parameter.schema.get("type") == "integer":
            return [on] * int(value)
        return [on] if value else [off] if off else []
    if parameter.nargs == "off":
        return [] if value else [on]
    if parameter.nargs == "many":
        return [word for item in value for word in _one(tool, parameter, on, item)]
    return _one(tool, parameter, on, value)


def _one(tool: Tool, parameter: Parameter, flag: str, value: Any) -> list[str]:
    if isinstance(value, list | tuple):
        texts = [_text(item) for item in value]
        return [f"{flag}={texts[0]}"] if len(texts) == 1 and tool.manner == "argparse" else [flag, *texts]
    if value is True and parameter.nargs == "?":
        return [flag]
    text = _text(value)
    if isinstance(value, bool) and tool.manner == "argparse" and parameter.type == "bool":
        text = "True" if value else ""  # type=bool is bool(text), which any text makes true
    if flag.startswith("--") or tool.manner == "argparse":
        return [f"{flag}={text}"]
    return [flag, text]  # click takes what follows a short option, dash or not


def _switch(parameter: Parameter) -> tuple[str, str]:
    """(the long spelling that turns it on, the one that turns it off), `--x/--no-x` being both."""
    pairs = [flag.partition("/" if "/" in flag[1:] else ";") for flag in parameter.flags]
    ons, offs = [on for on, _, _ in pairs if on], [off for _, _, off in pairs if off]
    longest = [max(flags, key=lambda flag: flag.startswith("--"), default="") for flags in (ons, offs)]
    return longest[0], longest[1]


def _values(tool: Tool, parameters: Sequence[Parameter], arguments: Mapping[str, Any]) -> list[str]:
    texts: list[str] = []
    skipped = ""
    for parameter in parameters:
        value = arguments.get(parameter.name)
        if value is None:
            skipped = parameter.name
            continue
        if skipped and not parameter.required:
            what = f"{tool.short}() can only be given {parameter.name!r} together with {skipped!r}"
            raise BadArguments(f"{what}: {tool.signature}")
        texts += [_text(item) for item in value] if isinstance(value, list | tuple) else [_text(value)]
    return texts


def _ends_greedy(options: Sequence[tuple[Parameter, Sequence[str]]]) -> bool:
    """Whether the last option on the line would take what stands behind it for its own; `--x=1` would not."""
    if not options:
        return False
    parameter, words = options[-1]
    return parameter.nargs in _GREEDY and words[0] in parameter.flags


def _looks_like_option(values: Sequence[str], here: Sequence[Parameter]) -> bool:
    """Whether a value could be taken for an option. What takes all that is left takes options too, and `--` as well."""
    takes_rest = any(parameter.nargs == "..." for parameter in here)
    return not takes_rest and any(value.startswith("-") for value in values)


def _text(value: Any) -> str:
    match value:
        case str():
            text = value
        case bool():
            text = "true" if value else "false"
        case float():
            text = repr(value)
        case date() | time():
            text = value.isoformat()
        case PurePath():
            text = value.as_posix()
        case list() | dict() | tuple():
            text = json.dumps(value, default=str, ensure_ascii=False)
        case _:
            text = str(value)
    if "\0" in text:
        raise BadArguments("a value for a command line cannot hold a NUL character")
    return text
