"""Utterances and examples of a script in; which of its tools each speaks of, and problems, out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nestkit.tool import Example, Tool

Utterances = Mapping[str, tuple[str, ...]]


def utterances_of(tool: Tool, given: Utterances, tools: Sequence[Tool]) -> tuple[str, ...]:
    """Those written under the tool's name, and of those for the whole script the ones that only this tool can mean."""
    own = [text for name, texts in given.items() if _is_name_of(name, tool) for text in texts]
    return tuple(dict.fromkeys((*own, *(text for text in given.get("", ()) if fitting(text, tools) == [tool.name]))))


def examples_of(tool: Tool, given: Sequence[Example], tools: Sequence[Tool]) -> tuple[Example, ...]:
    """The examples that call this tool."""
    return tuple(example for example in given if len(tools) == 1 or _is_name_of(_called(example.call), tool))


def fitting(utterance: str, tools: Sequence[Tool]) -> list[str]:
    """Names of the tools that take every `{slot}` of an utterance; one without slots means a script's one tool."""
    slots = set(re.findall(r"\{(\w+)\}", utterance))
    takers = [tool.name for tool in tools if slots <= {parameter.name for parameter in tool.parameters}]
    return takers if slots or len(tools) == 1 else []


def check_placing(given: Utterances, examples: Sequence[Example], tools: Sequence[Tool]) -> list[str]:
    """What is wrong with a script's utterances and examples, one sentence each."""
    wrong = []
    for name, texts in given.items():
        named = [tool for tool in tools if not name or _is_name_of(name, tool)]
        if not named:
            wrong.append(f"utterances for {name!r}, but there is no such tool here")
        for text in texts if named else ():
            takers = fitting(text, named) if not name or "{" in text else [name]
            if not takers:
                wrong.append(f"no tool here takes the slots of the utterance {text!r}; slots are names of parameters")
            elif len(takers) > 1:
                wrong.append(f"the utterance {text!r} fits {' and '.join(takers)}; write it under one tool's name")
    for example in examples:
        if len(tools) > 1 and not any(_is_name_of(_called(example.call), tool) for tool in tools):
            wrong.append(f"the example {example.call!r} calls no tool of this script")
    return wrong


def _is_name_of(name: str, tool: Tool) -> bool:
    return name in (tool.name, tool.short, tool.target)


def _called(call: str) -> str:
    return call.partition("(")[0].removeprefix("await ").strip()
