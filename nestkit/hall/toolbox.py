"""A vault's tools in; a page on one, what is wrong with them, a new one, out. Part of the hall. *Disk, Process*."""

from __future__ import annotations

import ast
import json
import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nestkit.errors import ConfigError, NoteExists
from nestkit.hall.documented import group_of
from nestkit.index import facts
from nestkit.run import Outcome
from nestkit.tool import Effect, Example, Tool
from nestkit.vault.write import write_file

if TYPE_CHECKING:
    from nestkit.nest import Nest

Kind = Literal["script", "name", "effect", "example", "note", "docs", "prompt"]

TEMPLATES = {"function": ".py", "argparse": ".py", "click": ".py", "shell": ".sh"}
"""What a new script can be written as -> its ending."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a tool that its author should know."""

    path: str
    line: int
    kind: Kind
    what: str
    paste: str = ""
    """Text that would mend it, ready to be put into the script."""
    is_advice: bool = False
    """The tool works without it."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" if self.line else f"{self.path}: {self.what}"


def mentions_of(nest: Nest, tool: Tool) -> list[dict[str, Any]]:
    """`{path, line, context}` of the notes that link to the tool's script, private notes and run notes left out."""
    return [
        {"path": found["source"], "line": found["line"], "context": found["context"]}
        for found in facts.backlink_records(nest.index, tool.script)
        if not nest.is_private(found["source"]) and not nest.is_run(found["source"])
    ]


def runs_of(nest: Nest, tool: Tool, limit: int = 10) -> list[dict[str, Any]]:
    """`{path, ask, status, created}` of the runs that called the tool, the newest first."""
    linking = {found["source"] for found in facts.backlink_records(nest.index, tool.script)}
    found = []
    for run in nest.runs():
        if run["path"] in linking and f"{tool.name}(" in facts.get_note(nest.index, run["path"]).body:
            found.append({key: run[key] for key in ("path", "ask", "status", "created")})
    return found[:limit]


def effects_of(nest: Nest, tool: Tool) -> list[dict[str, Any]]:
    """`{effect, declared, granted, line, shows}`: what a call may do besides reading, and the code that shows it."""
    if not tool.effects:
        return []
    wants = nest.trust.wants(tool)
    shown = {line: text.strip() for path, line, text in wants.lines if path == tool.script}
    granted = nest.trust.holds(wants)
    records = []
    for effect in tool.effects:
        line = effect.line or next((seen.line for seen in tool.found if seen.kind == effect.kind), 0)
        declared = effect in (tool.declared or ())
        records.append(
            {
                "effect": str(effect),
                "declared": declared,
                "granted": granted,
                "line": line,
                "shows": shown.get(line, ""),
            }
        )
    return records


def groups_of(nest: Nest, tools: Iterable[Tool]) -> dict[str, list[Tool]]:
    """Group -> its tools: those of the scripts' folder itself first, then by name, the built-in ones last."""
    found: dict[str, list[Tool]] = {}
    for tool in tools:
        name = "built in" if tool.manner == "builtin" else _group(nest, tool)
        found.setdefault(name, []).append(tool)
    return dict(sorted(found.items(), key=lambda item: (item[0] == "built in", item[0])))


def _group(nest: Nest, tool: Tool) -> str:
    return group_of(tool.script, nest.registry.groups, nest.config.system)


def check(nest: Nest, scripts: Sequence[str] = (), *, run_examples: bool, now: datetime) -> list[Finding]:
    """All that is wrong with the tools, then what could be better; `scripts` are parts of paths or names."""
    tools = [tool for tool in nest.registry.tools if tool.manner != "builtin"]
    found = [*_problems(nest), *_undeclared(tools), *_names(tools), *_documentation(nest, tools), *_prompting(nest)]
    if run_examples:
        found += _failed_examples(
            nest, [tool for tool in tools if not scripts or _is_chosen(tool.script, scripts)], now
        )
    kept = [finding for finding in found if not scripts or _is_chosen(finding.path, scripts)]
    return sorted(dict.fromkeys(kept), key=lambda f: (f.is_advice, f.path, f.line, f.what))


def _is_chosen(path: str, scripts: Sequence[str]) -> bool:
    stem = path.rpartition("/")[2].rpartition(".")[0]
    return any(word in (path, path.rpartition("/")[2], stem) or word.partition(".")[0] == stem for word in scripts)


def _problems(nest: Nest) -> Iterator[Finding]:
    """Scripts that cannot be read, blocks with errors, names that clash, notes that document nothing."""
    for script in nest.registry.scripts:
        for problem in script.problems:
            yield Finding(problem.path, problem.line, "script", problem.what)
    for problem in nest.registry.problems:
        kind: Kind = "note" if problem.path.endswith(".md") else "name"
        yield Finding(problem.path, problem.line, kind, problem.what)


def _undeclared(tools: Sequence[Tool]) -> Iterator[Finding]:
    from nestkit.parse.tool_advice import draft_permissions

    by_script: dict[str, list[Tool]] = {}
    for tool in tools:
        if tool.undeclared:
            by_script.setdefault(tool.script, []).append(tool)
    for path, guilty in by_script.items():
        told: set[Effect] = set()
        for tool in guilty:
            for effect in (each for each in tool.undeclared if each not in told):
                told.add(effect)
                what = f"{tool.name} seems to {effect}, and does not declare it: it asks a person before it runs"
                whole = [each for each in tools if each.script == path]
                paste = draft_permissions(whole)
                if tool.manner == "shell":  # there the block stands in the comment at the head
                    paste = "\n".join(f"# {line}" for line in paste.splitlines())
                yield Finding(path, effect.line, "effect", what, paste)


def _names(tools: Sequence[Tool]) -> Iterator[Finding]:
    from nestkit.parse.tool_advice import check_name

    by_short: dict[str, list[Tool]] = {}
    for tool in tools:
        by_short.setdefault(tool.short, []).append(tool)
    for tool in tools:
        if what := check_name(tool, by_short[tool.short]):
            yield Finding(tool.script, tool.line, "name", what, is_advice=True)


def _documentation(nest: Nest, tools: Sequence[Tool]) -> Iterator[Finding]:
    from nestkit.parse.tool_advice import draft_docstring, is_undocumented

    for tool in tools:
        if is_undocumented(tool) and not tool.hidden:
            what = f"nothing says what {tool.name} does, so it is hard to find"
            paste = "" if tool.manner == "shell" else draft_docstring(tool)
            yield Finding(tool.script, tool.line, "docs", what, paste, is_advice=True)


def _prompting(nest: Nest) -> Iterator[Finding]:
    from nestkit.parse.tool_advice import find_prompts

    for script in nest.registry.scripts:
        if script.tools and script.path.endswith(".py") and script.tools[0].manner != "builtin":
            for line, call in find_prompts(script.path, nest.find_bytes(script.path) or b""):
                what = f"{call} waits at a keyboard where nobody is, and fails; take the value as a parameter"
                yield Finding(script.path, line, "prompt", what, is_advice=True)


def _failed_examples(nest: Nest, tools: Sequence[Tool], now: datetime) -> Iterator[Finding]:
    """Examples that do not give what they say, each run in the isolation, its changes thrown away."""
    waiting = [(tool, example) for tool in tools for example in tool.examples]
    if not waiting:
        return
    from nestkit.hall.trial import Trial  # late: looking needs no sandbox

    with Trial(nest, now) as trial:
        for tool, example in waiting:
            outcome = trial.run(f"final_answer({example.call})")
            if what := _failure(example, outcome):
                what, refused = f"the example {example.call}: {what}", bool(outcome.refusals)
                yield Finding(tool.script, tool.line, "example", what, is_advice=refused)


def _failure(example: Example, outcome: Outcome) -> str:
    """What is wrong with what an example gave; empty when it is as its author says."""
    if outcome.refusals:
        refusal = outcome.refusals[0]
        return f"not run: {refusal.reason}" + (f" ({refusal.hint})" if refusal.hint else "")
    if not outcome.final:
        return (outcome.error.strip().splitlines() or [outcome.limit or "it gave no value"])[-1]
    if not example.result or is_result(outcome.value, example.result):
        return ""
    return f"gave {outcome.value!r}, not {example.result}"


def is_result(value: Any, expected: str) -> bool:
    """Whether a value is what its author wrote: as Python or JSON writes it, or as text; `...` is anything."""
    texts = {str(value).strip(), repr(value)}
    if expected.strip() in texts or expected.strip() == "...":
        return True
    for read in (ast.literal_eval, json.loads):
        try:
            return _is_same(value, read(expected))
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return False


def _is_same(value: Any, wanted: Any) -> bool:
    """Equality, but for numbers that differ in the last place, and kinds of lists and records."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, (int, float)) and isinstance(wanted, (int, float)):
        return math.isclose(value, wanted, rel_tol=1e-9)
    if isinstance(value, Mapping) and isinstance(wanted, Mapping):
        return value.keys() == wanted.keys() and all(_is_same(value[key], wanted[key]) for key in wanted)
    if isinstance(value, (list, tuple)) and isinstance(wanted, (list, tuple)):
        return len(value) == len(wanted) and all(map(_is_same, value, wanted))
    return bool(value == wanted) or (isinstance(wanted, str) and str(value).strip() == wanted.strip())


def new_script(nest: Nest, name: str, manner: str = "function") -> str:
    """The path of a new script, `name` or `name.function`, that is a working tool. Raises NoteExists, ConfigError."""
    from string import Template

    from nestkit.parse.names import identifier

    stem, _, function = name.partition(".")
    check_new_name(stem, function, name)
    plain = identifier(stem.replace("-", "_"))
    if (f"{plain}.{function}" if function else plain) in {tool.name for tool in nest.registry.tools}:
        raise NoteExists(f"there is a tool called {name} already", "`nest tools show` tells of it; choose another name")
    path = f"{nest.config.system}/{plain}{TEMPLATES[manner]}"
    template = (Path(__file__).parents[1] / f"scripts/new/{manner}{TEMPLATES[manner]}.txt").read_text("utf-8")
    words = plain.replace("_", " ").strip()
    text = Template(template).substitute(
        name=plain, function=function or plain, words=words, title=words.capitalize(), file=path.rpartition("/")[2]
    )
    write_file(nest.root, path, text.encode())
    return path


def check_new_name(stem: str, function: str, name: str) -> None:
    """Raises ConfigError for a name that would hide something or could not be called."""
    plain = stem.replace("-", "_")
    hint = "letters, digits and _, like `nest tools new reading_list` or `nest tools new reports.weekly`"
    if not plain.isidentifier() or (function and not function.isidentifier()) or plain.startswith(("_", "test_")):
        raise ConfigError(f"{name!r} is no name for a tool", hint)
    if plain in sys.stdlib_module_names or plain in ("vault", "conftest", "nestkit"):
        raise ConfigError(f"a script {plain}.py would hide a module of that name from your other scripts", hint)
    import builtins
    import keyword

    if any(keyword.iskeyword(word) or hasattr(builtins, word) for word in (plain, function) if word):
        raise ConfigError(f"{name!r} is a word of Python itself", hint)
