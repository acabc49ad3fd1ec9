"""A script and a note about it in; the script with what the note adds and narrows, and problems, out. *Pure*.

A note is no code and nobody's leave: it adds text, examples and ways to ask, and it may take powers away. It never
gives one, and it never makes a tool ask less often. Nor does it lead a
question to a tool that does more than read: ways to ask for such a tool are its author's to say.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nestkit.note import Problem
from nestkit.parse.docstring import clean
from nestkit.parse.metadata import Item, Wishes, read_wishes
from nestkit.parse.nodes import nodes_of
from nestkit.parse.placing import place_examples, place_utterances
from nestkit.parse.schema import expression
from nestkit.tool import Effect, Example, Script, Tool

_KEYS = ("permissions", "confirm", "utterances", "examples", "hidden", "timeout")
_STRICTER = ("never", "write", "always")
_MAX_TEXT = 4_000
_MAX_EXAMPLES = 20
_FENCE = re.compile(r"^(?P<mark>`{3,}|~{3,})[ \t]*(?:python|py)\b[^\n]*\n(?P<code>.*?)^(?P=mark)[ \t]*$", re.M | re.S)
_COMMENT = re.compile(r"%%.*?%%|<!--.*?-->", re.S)


@dataclass(frozen=True, slots=True)
class ToolNote:
    """A note that documents a script, or one function of it."""

    path: str
    properties: Mapping[str, Any]
    body: str
    tool: str = ""
    """Name of the one function it speaks of, from `[[script.py#function]]`; empty for all of the script."""


def add_note(script: Script, note: ToolNote, line_of: Callable[[str], int]) -> tuple[Script, list[Problem]]:
    """The script, documented; `line_of` tells on which line of the note a property stands."""
    named = [tool for tool in script.tools if note.tool in ("", tool.name, tool.short, tool.target)]
    if not named:
        here = ", ".join(tool.short for tool in script.tools[:5]) or "no tools"
        what = f"speaks of {note.tool or 'a tool'!r}, but {script.path} has {here}"
        return script, [Problem(note.path, line_of("tool"), what)]
    given = {key: note.properties[key] for key in _KEYS if note.properties.get(key) is not None}
    wishes, problems = read_wishes({key: _item(value, line_of(key)) for key, value in given.items()}, note.path)
    harmless = [tool for tool in named if not tool.effects]
    utterances, wrong = place_utterances(wishes.utterances or {} if harmless else {}, harmless)
    if wishes.utterances and not harmless:
        wrong = [f"{named[0].short} does more than read, so ways to ask for it count only in its script"]
    examples, misplaced = place_examples(wishes.examples or (), named)
    text, shown = _text(note.body), _examples(note.body, named)
    told = {
        tool.name: _told(tool, note, wishes, text, (*examples.get(tool.name, ()), *shown.get(tool.name, ())))
        for tool in named
    }
    told = {n: replace(tool, utterances=(*tool.utterances, *utterances.get(n, ()))) for n, tool in told.items()}
    problems += [Problem(note.path, line_of("utterances"), what) for what in wrong]
    problems += [Problem(note.path, line_of("examples"), what) for what in misplaced]
    problems += [Problem(note.path, line_of("permissions"), what) for what in _widened(named, wishes)]
    return replace(script, tools=tuple(told.get(tool.name, tool) for tool in script.tools)), problems


def _told(tool: Tool, note: ToolNote, wishes: Wishes, text: str, examples: Sequence[Example]) -> Tool:
    """One tool with what the note says."""
    allowed = wishes.declared
    declared, found = tool.declared, tool.found
    if allowed is not None:
        before = {effect.kind for effect in declared or ()}
        declared = None if declared is None else _all_narrowed(declared, allowed)
        lost = before - {effect.kind for effect in declared or ()}  # what was declared must not come back as seen
        found = _all_narrowed([effect for effect in found if effect.kind not in lost], allowed)
    times = [seconds for seconds in (tool.timeout, wishes.timeout) if seconds is not None]
    known = {example.call for example in tool.examples}
    return replace(
        tool,
        text="\n\n".join(part for part in (tool.text or tool.summary, text) if part),
        declared=declared,
        found=found,
        confirm=max(tool.confirm, wishes.confirm or "never", key=_STRICTER.index),
        examples=(*tool.examples, *(replace(each, note=note.path) for each in examples if each.call not in known)),
        hidden=tool.hidden or bool(wishes.hidden),
        timeout=min(times) if times else None,
        notes=(*tool.notes, note.path),
    )


def _all_narrowed(effects: Sequence[Effect], allowed: Sequence[Effect]) -> tuple[Effect, ...]:
    return tuple(left for effect in effects if (left := _narrowed(effect, allowed)) is not None)


def _narrowed(effect: Effect, allowed: Sequence[Effect]) -> Effect | None:
    """What is left of an effect where only these are allowed; None when nothing is. In doubt nothing is."""
    for limit in (each for each in allowed if each.kind == effect.kind):
        if limit.scope in ("", effect.scope) or _is_inside(effect.scope, limit.scope):
            return effect
        if not effect.scope or _is_inside(limit.scope, effect.scope):
            return replace(effect, scope=limit.scope)
    return None


def _is_inside(scope: str, outer: str) -> bool:
    """Whether everything that fits a scope fits the outer one: it lies in that folder."""
    folder = outer.removesuffix("**")
    return outer.endswith("/**") and not re.search(r"[*?\[]", folder) and scope.startswith(folder)


def _widened(tools: Sequence[Tool], wishes: Wishes) -> list[str]:
    """What the note would allow although no tool it speaks of asks for it."""
    asked = {effect.kind for tool in tools for effect in tool.effects} | {"read"}
    extra = [str(effect) for effect in wishes.declared or () if effect.kind not in asked]
    return [f"{', '.join(extra)} is not what the script asks for, and a note can only narrow"] if extra else []


def _text(body: str) -> str:
    """What the note says, without the comments that Obsidian shows nobody."""
    return clean(_COMMENT.sub("", body))[:_MAX_TEXT].rstrip()


def _examples(body: str, tools: Sequence[Tool]) -> dict[str, tuple[Example, ...]]:
    """Lines of the note's Python blocks that call one of the tools: `call` or `call -> result`."""
    found: dict[str, tuple[Example, ...]] = {}
    lines = [line for fence in _FENCE.finditer(body[:100_000]) for line in fence["code"].split("\n") if "(" in line]
    for line in lines[:_MAX_EXAMPLES]:
        call, _, result = (part.strip() for part in line.removeprefix(">>> ").partition(" -> "))
        name = _called(call, tools)
        if name:
            found[name] = (*found.get(name, ()), Example(call, result))
    return found


def _called(text: str, tools: Sequence[Tool]) -> str:
    """Name of the first tool that an expression calls; empty when it calls none, or is no expression."""
    tree = expression(text) if "(" in text else None
    for node in nodes_of(tree) if tree else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = ast.unparse(node.func)
            for tool in tools:
                if name in (tool.name, tool.short):
                    return tool.name
    return ""


def _item(value: Any, line: int) -> Item:
    if isinstance(value, list):
        return Item([_item(part, line) for part in value], line)
    if isinstance(value, dict):
        return Item({str(key): _item(part, line) for key, part in value.items()}, line)
    return Item(value, line)
