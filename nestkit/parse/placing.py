"""Utterances and examples of a script in; which of its tools each speaks of, and what speaks of none, out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from nestkit.tool import Example, Tool


def place_utterances(
    given: Mapping[str, Sequence[str]], tools: Sequence[Tool]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """(tool's name -> its utterances, what is wrong). Of those for a whole script each goes to the one tool it fits."""
    placed: dict[str, dict[str, None]] = {tool.name: {} for tool in tools}
    wrong = []
    for name, texts in given.items():
        named = [tool for tool in tools if not name or _is_name_of(name, tool)]
        if not named:
            wrong.append(f"utterances for {name!r}, but there is no such tool here")
            continue
        for text in texts:
            takers = _takers(text, named)
            if len(takers) == 1:
                placed[takers[0]][text] = None
            elif takers:
                wrong.append(f"the utterance {text!r} fits {_listed(takers)}; write it under one tool's name")
            else:
                wrong.append(f"no tool here takes the slots of the utterance {text!r}; slots are names of parameters")
    return {name: tuple(texts) for name, texts in placed.items()}, wrong


def place_examples(given: Sequence[Example], tools: Sequence[Tool]) -> tuple[dict[str, tuple[Example, ...]], list[str]]:
    """(tool's name -> the examples that call it, what is wrong)."""
    placed: dict[str, tuple[Example, ...]] = {}
    wrong = []
    for example in given:
        called = example.call.partition("(")[0].removeprefix("await ").strip()
        tool = next((tool for tool in tools if len(tools) == 1 or _is_name_of(called, tool)), None)
        if tool is None:
            wrong.append(f"the example {example.call!r} calls no tool of this script")
        else:
            placed[tool.name] = (*placed.get(tool.name, ()), example)
    return placed, wrong


def _takers(utterance: str, tools: Sequence[Tool]) -> list[str]:
    """Names of the tools that take every `{slot}` of an utterance."""
    slots = set(re.findall(r"\{(\w+)\}", utterance))
    return [tool.name for tool in tools if slots <= {parameter.name for parameter in tool.parameters}]


def _is_name_of(name: str, tool: Tool) -> bool:
    return name in (tool.name, tool.short, tool.target)


def _listed(names: Sequence[str]) -> str:
    return f"{' and '.join(names[:2])}{' and others' if len(names) > 2 else ''}"
