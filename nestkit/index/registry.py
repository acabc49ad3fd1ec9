"""Scripts as the index keeps them, in; the tools they offer, by name and by fitness, out. *Disk*, reading only."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from nestkit.errors import NoTool
from nestkit.index.drafts import to_json
from nestkit.index.store import Index
from nestkit.note import Problem
from nestkit.tool import Body, Effect, Example, Parameter, Script, Tool


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
        refused_packages=kept["refused_packages"],
        imports=tuple(kept["imports"]),
        bodies=tuple(_body_from(body) for body in kept["bodies"]),
        problems=tuple(Problem(**problem) for problem in kept["problems"]),
    )


def _tool_from(kept: Mapping[str, Any]) -> Tool:
    declared = kept["declared"]
    lists = {
        "parameters": tuple(_parameter_from(parameter) for parameter in kept["parameters"]),
        "declared": None if declared is None else tuple(Effect(**effect) for effect in declared),
        "found": tuple(Effect(**effect) for effect in kept["found"]),
        "utterances": tuple(kept["utterances"]),
        "calls": _calls_from(kept["calls"]),
        "notes": tuple(kept["notes"]),
        "examples": tuple(Example(**example) for example in kept["examples"]),
    }
    return Tool(**{**kept, **lists})


def _body_from(kept: Mapping[str, Any]) -> Body:
    return Body(kept["name"], tuple(Effect(**effect) for effect in kept["found"]), _calls_from(kept["calls"]))


def _calls_from(kept: Sequence[Sequence[Any]]) -> tuple[tuple[str, int], ...]:
    return tuple((str(origin), int(line)) for origin, line in kept)


def _parameter_from(kept: Mapping[str, Any]) -> Parameter:
    return Parameter(**{**kept, "flags": tuple(kept["flags"])})


def by_module(scripts: Iterable[Script]) -> dict[str, list[Script]]:
    """Dotted name -> the files that an import of it may load.

    A file counts when its path ends as an import is written, whatever folder it lies in: a script may extend its own
    import path, so too many rather than one too few.
    """
    found: dict[str, list[Script]] = {}
    for script in scripts:
        parts = script.path.removesuffix(".py").removesuffix("/__init__").split("/")
        for start in range(len(parts)):
            found.setdefault(".".join(parts[start:]), []).append(script)
    return found


def with_helpers(scripts: Sequence[Script]) -> list[Script]:
    """The scripts, each tool with the effects of what it calls in the others too, at the line of the call."""
    modules = by_module(scripts)
    bodies = {(script.path, body.name): body for script in scripts for body in script.bodies}

    def reached(origin: str) -> set[tuple[str, str]]:
        """(kind, scope) of all that a call of this origin may do."""
        found: set[tuple[str, str]] = set()
        seen: set[tuple[str, str]] = set()
        waiting = [origin]
        while waiting:
            module, _, name = waiting.pop().rpartition(".")
            for script in modules.get(module, ()):
                body = bodies.get((script.path, name))
                if body is not None and (script.path, name) not in seen:
                    seen.add((script.path, name))
                    found |= {(effect.kind, effect.scope) for effect in body.found}
                    waiting += [inner for inner, _ in body.calls]
        return found

    def finished(tool: Tool) -> Tool:
        more: dict[tuple[str, str], int] = {}
        for origin, line in tool.calls:
            for effect in reached(origin):
                more.setdefault(effect, line)
        known = {(effect.kind, effect.scope) for effect in tool.found}
        new = [Effect(kind, scope, line) for (kind, scope), line in more.items() if (kind, scope) not in known]  # type: ignore[arg-type]
        found = sorted((*tool.found, *new), key=lambda effect: (effect.line, effect.kind, effect.scope))
        return replace(tool, found=tuple(found)) if new else tool

    return [
        replace(script, tools=tuple(map(finished, script.tools))) if any(t.calls for t in script.tools) else script
        for script in scripts
    ]


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
