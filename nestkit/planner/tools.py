"""An ask and the vault's tools in; the one call it means out, or why there is none. *Pure*.

A tool's own utterances come first. Otherwise every word of the ask must be explained by what the tool says of itself,
every value must find its parameter, and every parameter that needs a value must get one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nestkit.planner.language import english
from nestkit.planner.mentions import Heard, Mention, hear, read_words
from nestkit.planner.setting import Setting
from nestkit.tool import Parameter, Tool


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool, complete."""

    tool: Tool = field(compare=False)
    arguments: tuple[tuple[str, Any], ...]
    """Name and value, in the order of the parameters."""


@dataclass(frozen=True, slots=True)
class Short:
    """A call that was meant but cannot be made."""

    tool: Tool = field(compare=False)
    missing: tuple[str, ...] = ()
    odd: str = ""
    """A value that is not offered ..."""
    parameter: str = ""
    """... by this parameter ..."""
    choices: tuple[Any, ...] = ()
    """... which takes one of these."""


def find_calls(tools: Sequence[Tool], setting: Setting) -> tuple[list[Call], list[Short]]:
    """The complete calls the ask can mean, each tool's best one, and those that fall short."""
    calls, shorts = [], []
    for tool in tools:
        found = best_call(tool, setting)
        if isinstance(found, Call):
            calls.append(found)
        elif found is not None:
            shorts.append(found)
    return calls, shorts


def best_call(tool: Tool, setting: Setting) -> Call | Short | None:
    """The one best way to take the ask as a call of this tool; None when there is none, or no single best."""
    ways: dict[Call | Short, int] = {}
    for heard in hear(tool, setting):
        if _is_meant(tool, heard):
            for found, score in assign(tool, heard.mentions, setting):
                ways[found] = max(score + len(heard.own_words), ways.get(found, -99))
    whole = {found: score for found, score in ways.items() if isinstance(found, Call)} or ways
    best = [found for found, score in whole.items() if score == max(whole.values())]
    return best[0] if len(best) == 1 else None


def _is_meant(tool: Tool, heard: Heard) -> bool:
    """Whether the ask speaks of this tool at all: by its words, or by two of its own values and a number."""
    sorts = [mention.sort for mention in heard.mentions]
    if "choice" in sorts and "number" in sorts and len(sorts) > 2:
        return True
    if sorts:
        return bool(heard.own_words)
    name = read_words(Tool(tool.name, tool.script, tool.manner)).own
    return bool(heard.own_words) and (name <= heard.own_words or len(heard.own_words) > 1)


# ── values to parameters ─────────────────────────────────────────────────────────────────────────────────────────────


def assign(tool: Tool, mentions: Sequence[Mention], setting: Setting) -> Iterator[tuple[Call | Short, int]]:
    """(call, how well the values sit) for every way to give each mention a parameter of its own."""
    takers = [parameter for parameter in tool.parameters if parameter.kind != "options"]
    for chosen, score in _ways(tool, takers, mentions, {}):
        yield complete(tool, chosen, setting), score


def _ways(
    tool: Tool, takers: Sequence[Parameter], mentions: Sequence[Mention], chosen: Mapping[str, Mention]
) -> Iterator[tuple[Mapping[str, Mention], int]]:
    if not mentions:
        yield chosen, 0
        return
    mention, rest = mentions[0], mentions[1:]
    for place, parameter in enumerate(takers):
        if parameter.name in chosen or not accepts(parameter, mention, tool):
            continue
        fit = _fit(parameter, mention, takers, tool)
        if fit is None:
            continue
        behind = sum(1 for other in takers[place + 1 :] if other.name in chosen)
        for more, score in _ways(tool, takers, rest, {**chosen, parameter.name: mention}):
            yield more, score + fit - behind


def _fit(parameter: Parameter, mention: Mention, takers: Sequence[Parameter], tool: Tool) -> int | None:
    """How well a value sits in a parameter by the word before it; None when that word forbids it."""
    tools = english().tools
    score = 2 if parameter.required else 0
    groups = [names for words, names in tools.leads.values() if mention.lead in words]
    points_here = any(parameter.name in names for names in groups)
    if points_here:
        return score + 3
    if parameter.name in tools.strict:
        return None
    if any(other.name in names for other in takers for names in groups):
        return None if mention.lead in tools.directions else score - 3
    if mention.lead in tools.directions and mention.lead not in _own_text(tool):
        return None
    return score


def _own_text(tool: Tool) -> str:
    return f"{tool.summary} {' '.join(tool.utterances)} {tool.name.replace('_', ' ')}".lower()


_DAY = re.compile(r"\bISO\b|YYYY-MM-DD|\b(?:first|last) day\b|\bdate\b|\bday\b(?!s)", re.I)


def accepts(parameter: Parameter, mention: Mention, tool: Tool) -> bool:
    """Whether the parameter can hold such a value."""
    if parameter.choices:
        return mention.sort == "odd" or (mention.sort == "choice" and mention.value in parameter.choices)
    if mention.sort in ("choice", "odd"):
        return False
    if parameter.kind == "rest":
        return _accepts_rest(mention, tool)
    types = schema_types(parameter)
    if mention.sort == "number":
        whole = mention.value.lstrip("-").isdigit()
        return "number" in types or ("integer" in types and whole) or not types
    if types and "string" not in types:
        return False
    if parameter.name in english().tools.place_names:
        return mention.sort == "quoted"
    return _accepts_text(parameter, mention)


def _accepts_text(parameter: Parameter, mention: Mention) -> bool:
    text = f"{parameter.name.replace('_', ' ')}: {parameter.text}"
    if re.search(r"e-?mail|address", text, re.I):
        return mention.sort in ("mail", "quoted")
    is_day = is_day_parameter(parameter)
    if mention.sort == "day":
        return is_day
    if mention.sort == "week":
        return "week" in text.lower()
    return mention.sort in ("title", "quoted") and not is_day


def is_day_parameter(parameter: Parameter) -> bool:
    """Whether it wants a day, by its type, its name or what its author says."""
    if parameter.schema.get("format") == "date":
        return True
    return parameter.name.lower() in english().tools.day_names or bool(_DAY.search(parameter.text))


def _accepts_rest(mention: Mention, tool: Tool) -> bool:
    """Words of a plain program: a day where its text speaks of days, else a name or a text."""
    if mention.sort == "day":
        return bool(_DAY.search(tool.text))
    return mention.sort in ("title", "quoted", "number") and not _DAY.search(tool.text)


def schema_types(parameter: Parameter) -> set[str]:
    """JSON types it takes, null left out; empty when nobody said."""
    options = parameter.schema.get("anyOf", [parameter.schema])
    return {str(option["type"]) for option in options if "type" in option} - {"null"}


# ── the call ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def complete(tool: Tool, chosen: Mapping[str, Mention], setting: Setting) -> Call | Short:
    """The call with these values, today filled in from the clock; what it lacks where it cannot be made."""
    for parameter in tool.parameters:
        mention = chosen.get(parameter.name)
        if mention is not None and mention.sort == "odd":
            return Short(tool, odd=mention.value, parameter=parameter.name, choices=parameter.choices)
    given: list[tuple[str, Any]] = []
    missing = []
    for parameter in tool.parameters:
        if parameter.name in chosen:
            given.append((parameter.name, as_value(parameter, chosen[parameter.name])))
        elif parameter.name == "today":
            given.append((parameter.name, setting.today.isoformat()))
        elif (parameter.required and parameter.kind not in ("rest", "options")) or _has_twin(parameter, tool, chosen):
            missing.append(parameter.name)
    return Short(tool, tuple(missing)) if missing else Call(tool, tuple(given))


def _has_twin(parameter: Parameter, tool: Tool, chosen: Mapping[str, Mention]) -> bool:
    """Of two parameters with the same choices one was said: the default of the other is not what was asked for."""
    twins = (other for other in tool.parameters if other.name != parameter.name and other.choices == parameter.choices)
    return bool(parameter.choices) and any(other.name in chosen for other in twins)


def as_value(parameter: Parameter, mention: Mention) -> Any:
    """The mention as the plain value the parameter takes."""
    if mention.sort != "number":
        return mention.value
    number = float(mention.value)
    return int(number) if number.is_integer() else number


def draft_call(call: Call) -> tuple[str, str]:
    """(reading, program) of one call."""
    kinds = {parameter.name: parameter.kind for parameter in call.tool.parameters}
    words = []
    for name, value in call.arguments:
        words.append(repr(value) if kinds[name] in ("positional", "rest") else f"{name}={value!r}")
    strip = "" if call.tool.manner in ("function", "composed") else ".strip()"
    said = ", ".join(f"{name} = {value}" for name, value in call.arguments)
    reading = f"{call.tool.name}" + (f" with {said}" if said else "")
    return reading, f"final_answer({call.tool.name}({', '.join(words)}){strip})\n"
