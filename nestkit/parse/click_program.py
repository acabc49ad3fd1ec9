"""A script in; its click command, or each command of its click groups, as a tool out. *Pure*."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from nestkit.parse.click_option import MODULES, click_name, read_option
from nestkit.parse.command_line import MAX_PARAMETERS, Command, never_started, read_command
from nestkit.parse.functions import function_doc
from nestkit.parse.names import Function, Names, top_level
from nestkit.parse.nodes import nodes_of
from nestkit.parse.source import Reading, Source
from nestkit.tool import Parameter


@dataclass(slots=True)
class _Node:
    """A command or group with its place among the others."""

    name: str
    """What chooses it on the command line."""
    command: Command
    inner: list[_Node] = field(default_factory=list)
    is_inner: bool = False
    """It is part of a group; of one only, so that the whole is a tree."""


def read_click(source: Source) -> Reading:
    """The script's click commands as tools; empty when it has none."""
    if not any(origin.split(".")[0] in MODULES for origin in source.names.imports.values()):
        return Reading()
    nodes: dict[str, _Node] = {}
    for statement in top_level(source.tree.body):
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                _read_function(statement, nodes, source)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=func) as call):
                if click_name(func, source.names) == "Group":
                    nodes[name] = _Node(name, Command(line=call.lineno))
    for node in nodes_of(source.tree):
        if isinstance(node, ast.Call):
            _add_command(node, nodes, source.names)
    return _reading(nodes, source)


def command_name(function: str) -> str:
    """What click calls a command that has no name of its own.

    **Source**: click 8.2, `command`: underscores become dashes; the endings command, cmd, group and grp go.
    """
    name = function.lower().replace("_", "-")
    left, dash, ending = name.rpartition("-")
    return left if dash and ending in ("command", "cmd", "group", "grp") else name


def started_names(source: Source) -> list[str]:
    """Names called in this file, those called by its top level and `__main__` block first."""
    body = [s for s in source.tree.body if not isinstance(s, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
    names = []
    for statement in (*body, source.tree):
        for call in nodes_of(statement):
            match call:
                case (
                    ast.Call(func=ast.Name(id=name))
                    | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="main"))
                ):
                    names.append(name)
    return names


def _reading(nodes: Mapping[str, _Node], source: Source) -> Reading:
    roots = {name: node for name, node in nodes.items() if not node.is_inner}
    if not roots:
        return Reading(claimed=frozenset(nodes))
    started = [name for name in started_names(source) if name in roots]
    if not started and source.guard is None:
        return never_started(source, next(iter(roots.values())).command.line, frozenset(nodes))
    chosen = started[0] if started else max(roots, key=lambda name: len(roots[name].inner))
    reading = read_command(_settled(roots[chosen]), source, "click", frozenset(nodes))
    unstarted = tuple((name, "a command that nothing starts") for name in roots if name != chosen)
    return replace(reading, others=unstarted)


def _settled(node: _Node, words: tuple[str, ...] = ()) -> Command:
    """A command and all below it with their words, and its parameters in their place."""
    return replace(
        node.command,
        words=words,
        parameters=[replace(parameter, level=len(words)) for parameter in node.command.parameters],
        commands=[_settled(inner, (*words, inner.name)) for inner in node.inner],
    )


def _read_function(function: Function, nodes: dict[str, _Node], source: Source) -> None:
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        parent = called.value.id if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) else ""
        if parent in nodes and isinstance(called, ast.Attribute):
            kind = called.attr
        else:
            kind, parent = click_name(called, source.names), ""
        if kind in ("command", "group"):
            node = _node(function, decorator, source)
            nodes[function.name] = node
            if parent:
                node.is_inner = True
                nodes[parent].inner.append(node)
            return


def _node(function: Function, decorator: ast.expr, source: Source) -> _Node:
    keywords = {k.arg: k.value for k in decorator.keywords if k.arg} if isinstance(decorator, ast.Call) else {}
    if isinstance(decorator, ast.Call) and decorator.args:
        keywords.setdefault("name", decorator.args[0])
    says = {name: source.names.literal(value) for name, value in keywords.items()}
    doc, wishes, _ = function_doc(function, source)
    command = Command(
        line=function.lineno,
        help=says["short_help"] if isinstance(says.get("short_help"), str) else "",
        text=says["help"] if isinstance(says.get("help"), str) else doc.text,
        parameters=list(_parameters(function, source.names)),
        runs=(function.name,),
        wishes=wishes,
        runs_alone=says.get("invoke_without_command") is True,
    )
    name = says.get("name")
    return _Node(name if isinstance(name, str) and name else command_name(function.name), command)


def _parameters(function: Function, names: Names) -> Iterator[Parameter]:
    for decorator in function.decorator_list:
        for call in _option_calls(decorator, names):
            parameter = read_option(call, click_name(call.func, names), names)
            if parameter is not None:
                yield parameter


def _option_calls(node: ast.expr, names: Names) -> tuple[ast.Call, ...]:
    """The click options behind a decorator: itself, one kept under a name, or those a function of the file adds."""
    called = node.func if isinstance(node, ast.Call) else node
    if isinstance(node, ast.Call) and click_name(called, names):
        return (node,)
    if not isinstance(called, ast.Name):
        return ()
    kept = names.functions.get(called.id) or names.assigned.get(called.id)
    if kept is None:
        return ()
    inside = names.once("options", called.id, lambda: _calls_in(kept, names), ())
    return inside if isinstance(inside, tuple) else ()


def _calls_in(node: ast.AST, names: Names) -> tuple[ast.Call, ...]:
    calls = (inner for inner in nodes_of(node) if isinstance(inner, ast.Call) and click_name(inner.func, names))
    return tuple(sorted(calls, key=lambda call: (call.lineno, call.col_offset)))[:MAX_PARAMETERS]


def _add_command(call: ast.Call, nodes: Mapping[str, _Node], names: Names) -> None:
    """`group.add_command(command)`, with a name of its own or not."""
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=group), attr="add_command"), args=[ast.Name(id=inner), *more]
        ):
            if group in nodes and inner in nodes and not nodes[inner].is_inner:
                given = more or [keyword.value for keyword in call.keywords if keyword.arg == "name"]
                name = names.literal(given[0]) if given else None
                node = nodes[inner]
                node.is_inner = True
                node.name = name if isinstance(name, str) else node.name
                nodes[group].inner.append(node)
