"""Scripts as the index keeps them, in; the tools they offer, by name and by fitness, out. *Disk*, reading only."""

from __future__ import annotations

import contextlib
import json
import math
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from nestkit.errors import NoTool
from nestkit.index.rows import to_json
from nestkit.index.store import Index
from nestkit.note import Problem
from nestkit.tool import Effect, Example, Parameter, Script, Tool

_WORD = re.compile(r"[^\W_]+")


def list_scripts(index: Index) -> list[Script]:
    """Every script of the vault, by path."""
    rows = index.rows("SELECT s.script FROM scripts s JOIN files f ON f.id = s.file ORDER BY f.path")
    return [script_from(json.loads(str(row[0]))) for row in rows]


def read_kept(index: Index, digest: str, parse: Callable[[], Script]) -> Script:
    """A script that is no file of the vault, parsed once and kept in the index as long as its digest holds."""
    row = index.one("SELECT value FROM meta WHERE key = ?", f"script {digest}")
    if row is not None:
        return script_from(json.loads(str(row[0])))
    script = parse()
    with contextlib.suppress(sqlite3.OperationalError):  # another process is writing: it will be parsed again
        values = (f"script {digest}", to_json(asdict(script)))
        index.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", values)
    return script


def script_from(kept: Mapping[str, Any]) -> Script:
    """A Script out of the plain data that `asdict` makes of one."""
    return Script(
        path=kept["path"],
        digest=kept["digest"],
        tools=tuple(_tool_from(tool) for tool in kept["tools"]),
        others=tuple((name, why) for name, why in kept["others"]),
        summary=kept["summary"],
        dependencies=tuple(kept["dependencies"]),
        requires_python=kept["requires_python"],
        imports=tuple(kept["imports"]),
        problems=tuple(Problem(**problem) for problem in kept["problems"]),
    )


def _tool_from(kept: Mapping[str, Any]) -> Tool:
    declared = kept["declared"]
    lists = {
        "parameters": tuple(_parameter_from(parameter) for parameter in kept["parameters"]),
        "declared": None if declared is None else tuple(Effect(**effect) for effect in declared),
        "found": tuple(Effect(**effect) for effect in kept["found"]),
        "utterances": tuple(kept["utterances"]),
        "notes": tuple(kept["notes"]),
        "examples": tuple(Example(**example) for example in kept["examples"]),
    }
    return Tool(**{**kept, **lists})


def _parameter_from(kept: Mapping[str, Any]) -> Parameter:
    return Parameter(**{**kept, "flags": tuple(kept["flags"])})


def unique_tools(scripts: Sequence[Script]) -> tuple[list[Tool], list[Problem]]:
    """All tools, and a problem for each name that two scripts claim: neither gets it, both are said."""
    claims: dict[str, list[Tool]] = {}
    for script in scripts:
        for tool in script.tools:
            claims.setdefault(tool.name, []).append(tool)
    clashes = {name: tools for name, tools in claims.items() if len({tool.script for tool in tools}) > 1}
    problems = [
        Problem(
            tool.script,
            tool.line,
            f"{name} is also in {', '.join(t.script for t in tools if t is not tool)}; rename one",
        )
        for name, tools in clashes.items()
        for tool in tools
    ]
    return [tools[0] for name, tools in claims.items() if name not in clashes], problems


def get_tool(tools: Sequence[Tool], name: str) -> Tool:
    """The tool of this name, or of this short name when only one has it; raises NoTool with the nearest names."""
    exact = [tool for tool in tools if tool.name == name]
    short = exact or [tool for tool in tools if tool.short == name]
    if len(short) == 1:
        return short[0]
    if short:
        raise NoTool(f"{name!r} could be {', '.join(tool.name for tool in short)}", "write the full name")
    from difflib import get_close_matches  # late: only a wrong name pays for it

    near = get_close_matches(name, [each for tool in tools for each in (tool.name, tool.short)], n=3)
    raise NoTool(f"no tool called {name!r}", f"did you mean {', '.join(near)}?" if near else "`nest tools` lists them")


def find_tools(tools: Sequence[Tool], text: str, limit: int = 8) -> list[Tool]:
    """Tools that fit a description, best first; deterministic, hidden ones left out.

    Words are ranked by BM25 over names, summaries, parameters and utterances, so a rare word counts more.
    """
    shown = [tool for tool in tools if not tool.hidden]
    bags = [_bag(tool) for tool in shown]
    wanted = set(_stems(text))
    seen_in = Counter(word for bag in bags for word in bag if word in wanted)
    mean = sum(bag.total() for bag in bags) / max(1, len(bags))
    scores = [_bm25(bag, wanted, seen_in, len(bags), mean) for bag in bags]
    ranked = sorted(zip(scores, shown, strict=True), key=lambda pair: (-pair[0], pair[1].name))
    return [tool for score, tool in ranked[:limit] if score > 0]


def _bm25(bag: Counter[str], wanted: set[str], seen_in: Counter[str], size: int, mean: float) -> float:
    """Okapi BM25 with the usual k1 = 1.2 and b = 0.75."""
    length = 1.2 * (0.25 + 0.75 * bag.total() / max(1.0, mean))
    score = 0.0
    for word in wanted & bag.keys():
        rarity = math.log(1 + (size - seen_in[word] + 0.5) / (seen_in[word] + 0.5))
        score += rarity * bag[word] * 2.2 / (bag[word] + length)
    return score


def _bag(tool: Tool) -> Counter[str]:
    """The tool's words; its name and the ways people ask for it weigh three times."""
    loud = " ".join((tool.name.replace(".", " "), *tool.utterances))
    names = " ".join(f"{p.name} {p.text} {' '.join(map(str, p.choices))}" for p in tool.parameters)
    bag = Counter(_stems(f"{tool.summary} {tool.text} {names} {tool.returns_text}"))
    for word in _stems(loud):
        bag[word] += 3
    return bag


def _stems(text: str) -> list[str]:
    """Lower-case words less their plainest endings; `snake_case` and `CamelCase` fall apart."""
    parted = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    return [_stem(word) for word in _WORD.findall(parted.lower()) if len(word) > 1]


def _stem(word: str) -> str:
    for ending, kept in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", "e"), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)] + kept
    return word
