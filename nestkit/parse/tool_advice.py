"""A script's tools in; what its author could add, ready to paste, and where it waits for a person, out. *Pure*."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterator, Sequence
from textwrap import wrap

from nestkit.parse.docstring import words_of
from nestkit.parse.names import Names, identifier
from nestkit.parse.nodes import nodes_of
from nestkit.parse.source import Source, parse_source
from nestkit.tool import Effect, Parameter, Tool

_PROMPTS = frozenset(
    (
        *("input", "builtins.input", "getpass.getpass", "click.prompt", "click.confirm", "click.pause"),
        *("typer.prompt", "typer.confirm", "rich.prompt.Prompt.ask", "rich.prompt.Confirm.ask"),
    )
)
_MAY_ASK = re.compile(rb"input|getpass|prompt|confirm|pause|Prompt|Confirm")


def is_undocumented(tool: Tool) -> bool:
    """Whether nobody said what the tool does, so that its name had to speak."""
    return not tool.text and not tool.notes and tool.summary == words_of(tool.short)


def draft_docstring(tool: Tool) -> str:
    """A docstring for the tool, its parameters and types filled in; what only its author knows is marked `...`."""
    lines = [f'"""{words_of(tool.short)} ...: say in one sentence what comes out, and of what.']
    if tool.manner != "function":
        return f'{lines[0]}"""'
    if tool.parameters:
        lines += ["", "Args:", *(f"    {_parameter(parameter)}" for parameter in tool.parameters)]
    lines += ["", "Returns:", f"    {tool.returns or 'what'}: ..."]
    return "\n".join((*lines, '"""'))


def draft_permissions(tools: Sequence[Tool]) -> str:
    """The block that declares all that these tools of one script seem to do, as it stands in the module's docstring."""
    asked = [effect for tool in tools for effect in (*(tool.declared or ()), *tool.undeclared)]
    shown = ", ".join(f'"{text}"' for text in dict.fromkeys(map(str, _widest(asked))))
    return "\n".join(
        ("---", "nest:", *wrap(f"permissions: [{shown}]", 100, initial_indent="  ", subsequent_indent="    "), "---")
    )


def find_prompts(path: str, source: bytes) -> list[tuple[int, str]]:
    """(line, call) of everything in a Python script that waits for somebody at the keyboard."""
    if not _MAY_ASK.search(source):
        return []
    parsed = parse_source(path, source)
    return sorted(_prompts(parsed.tree, parsed.names)) if isinstance(parsed, Source) else []


def check_name(tool: Tool, others: Sequence[Tool]) -> str:
    """Why a program must write another name than one would expect; empty when it need not."""
    script, stem = tool.name.partition(".")[0], tool.script.rpartition("/")[2].partition(".")[0]
    if script == f"{identifier(stem).removesuffix('_')}_" and not stem.endswith("_"):
        return f"{stem} is a name of Python or of nest itself: a program must write {tool.name}; rename the file"
    if tool.short == tool.name:
        return ""
    if hasattr(builtins, tool.short):
        return f"{tool.short} is Python's own name: a program must write {tool.name}"
    if keyword.iskeyword(tool.short) or keyword.issoftkeyword(tool.short):
        return f"{tool.short} is a word of Python itself: a program must write {tool.name}"
    if tool.short in _KEPT:
        return f"{tool.short} is a function of every program: it must write {tool.name}"
    same = [other.name for other in others if other.short == tool.short and other.name != tool.name]
    return f"{', '.join(same[:3])} ends in the same name: a program must write {tool.name}" if same else ""


_KEPT = frozenset(("final_answer", "find_tools", "describe"))


def _parameter(parameter: Parameter) -> str:
    kind = "|".join(map(repr, parameter.choices)) or parameter.type or "type"
    default = f" By default {parameter.default}." if not parameter.required and parameter.default else ""
    return f"{parameter.name} ({kind}): ...{default}"


def _widest(effects: Sequence[Effect]) -> Iterator[Effect]:
    """The effects less those that a wider one of the same kind says anyway; an unknown variable cannot be declared."""
    anywhere = {effect.kind for effect in effects if not effect.scope}
    for effect in effects:
        if effect.kind == "env" and not effect.scope:
            continue
        if not effect.scope or effect.kind not in anywhere:
            yield effect


def _prompts(tree: ast.Module, names: Names) -> Iterator[tuple[int, str]]:
    for node in nodes_of(tree):
        if isinstance(node, ast.Call) and (origin := names.dotted(node.func)) in _PROMPTS:
            yield node.lineno, f"{origin}()"
