"""A script in; its typer commands, whose options are function parameters, as tools out. *Pure*.

**Source**: typer's documentation, "CLI Options", "CLI Arguments", "SubCommands": a parameter without a default is an
argument, one with a default an option; names get dashes, truth values an off-switch.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nestkit.parse.click_option import NO_PROMPT
from nestkit.parse.click_program import started_names
from nestkit.parse.command_line import Command, never_started, read_command
from nestkit.parse.docstring import Doc, ParameterDoc, one_line
from nestkit.parse.functions import arguments_of, function_doc
from nestkit.parse.names import Function, Names, identifier, top_level
from nestkit.parse.nodes import nodes_of
from nestkit.parse.schema import Schema, last_part, nullable, schema_of, type_text
from nestkit.parse.source import Reading, Source
from nestkit.tool import Parameter


@dataclass(slots=True)
class _App:
    """A `typer.Typer()`."""

    line: int
    commands: list[tuple[str, Function]] = field(default_factory=list)
    apps: list[tuple[str, _App]] = field(default_factory=list)
    callback: Function | None = None
    is_inner: bool = False
    """It is part of another; of one only, so that the whole is a tree."""


def read_typer(source: Source) -> Reading:
    """The script's typer app as tools; empty when it has none."""
    if not any(origin.split(".")[0] == "typer" for origin in source.names.imports.values()):
        return Reading()
    apps = {
        name: _App(value.lineno)
        for name, value in source.names.assigned.items()
        if isinstance(value, ast.Call) and source.names.dotted(value.func) == "typer.Typer"
    }
    for statement in top_level(source.tree.body):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            _read_function(statement, apps, source.names)
    for node in nodes_of(source.tree):
        if isinstance(node, ast.Call):
            _read_call(node, apps, source.names)
    return _reading(apps, source)


def _reading(apps: Mapping[str, _App], source: Source) -> Reading:
    roots = {name: app for name, app in apps.items() if not app.is_inner and (app.commands or app.apps or app.callback)}
    if not roots:
        return Reading()
    claimed = {function.name for app in apps.values() for _, function in app.commands}
    claimed |= {app.callback.name for app in apps.values() if app.callback}
    started = [name for name in started_names(source) if name in roots]
    if not started and "" not in roots and source.guard is None:
        return never_started(source, next(iter(roots.values())).line, frozenset(claimed))
    root = roots[started[0]] if started else roots.get("") or next(iter(roots.values()))
    return read_command(_command(root, (), source), source, "click", frozenset(claimed))


def _read_function(function: Function, apps: Mapping[str, _App], names: Names) -> None:
    for decorator in function.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=app), attr="command")) if app in apps:
                given = [*decorator.args, *(k.value for k in decorator.keywords if k.arg == "name")]
                name = names.literal(given[0]) if given else None
                plain = function.name.lower().replace("_", "-")
                apps[app].commands.append((name if isinstance(name, str) else plain, function))
            case ast.Call(func=ast.Attribute(value=ast.Name(id=app), attr="callback")) if app in apps:
                apps[app].callback = function


def _read_call(node: ast.Call, apps: dict[str, _App], names: Names) -> None:
    """`app.add_typer(other, name="x")` and `typer.run(function)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=app), attr="add_typer"), args=[ast.Name(id=inner), *_]):
            if app in apps and inner in apps and not apps[inner].is_inner:
                name = next((names.literal(k.value) for k in node.keywords if k.arg == "name"), None)
                apps[inner].is_inner = True
                apps[app].apps.append((name if isinstance(name, str) else inner, apps[inner]))
        case ast.Call(func=func, args=[ast.Name(id=name)]) if names.dotted(func) == "typer.run":
            if name in names.functions:
                apps[""] = _App(node.lineno, [(name, names.functions[name])])


def _command(app: _App, words: tuple[str, ...], source: Source) -> Command:
    """The app as a command; one that has a single command and no callback is that command."""
    if len(app.commands) == 1 and not app.callback and not app.apps and not words:
        return _leaf(app.commands[0][1], words, source)
    group = _leaf(app.callback, words, source) if app.callback else Command(words, app.line)
    leaves = [_leaf(function, (*words, name), source) for name, function in app.commands]
    groups = [_command(inner, (*words, name), source) for name, inner in app.apps]
    return replace(group, commands=leaves + groups)


def _leaf(function: Function, words: tuple[str, ...], source: Source) -> Command:
    doc, wishes, _ = function_doc(function, source)
    parameters = [
        _parameter(arg, default, source.names, doc, len(words))
        for arg, default, kind in arguments_of(function)
        if kind not in ("rest", "options") and not _is_context(arg.annotation, source.names)
    ]
    return Command(words, function.lineno, text=doc.text, parameters=parameters, runs=(function.name,), wishes=wishes)


def _is_context(hint: ast.expr | None, names: Names) -> bool:
    return hint is not None and last_part(hint, names) in ("Context", "CallbackParam")


def _parameter(arg: ast.arg, default: ast.expr | None, names: Names, doc: Doc, level: int) -> Parameter:
    hint, call = _declared(arg.annotation, default, names)
    value = _default(default, call, names)
    keywords = {k.arg: k.value for k in call.keywords if k.arg} if call else {}
    is_option = last_part(call.func, names) == "Option" if call else value is not None
    kind, schema = (type_text(hint, names), schema_of(hint, names)) if hint else ("str", {"type": "string"})
    said, given = names.literal(keywords.get("help")), _without_null(schema)
    is_prompted = names.literal(keywords.get("prompt", ast.Constant(False))) is not False
    text = one_line(said) if isinstance(said, str) else doc.parameters.get(arg.arg, ParameterDoc()).text
    flags = _flags(arg.arg, call, given, names) if is_option else ()
    nargs = _nargs(given, bool(is_option), value is None)
    none = isinstance(value, ast.Constant) and value.value is None
    return Parameter(
        name=identifier(arg.arg),
        type=kind,
        schema=nullable(schema) if none else _within(schema, keywords, names),
        required=value is None or is_prompted,
        default=names.default_text(value),
        text=f"{text} {NO_PROMPT if is_prompted else ''}".strip(),
        flags=flags,
        nargs=nargs,
        level=level,
    )


def _declared(hint: ast.expr | None, default: ast.expr | None, names: Names) -> tuple[ast.expr | None, ast.Call | None]:
    """(the hint itself, the `typer.Option(...)` or `typer.Argument(...)` beside it)."""
    if (
        isinstance(hint, ast.Subscript)
        and last_part(hint.value, names) == "Annotated"
        and isinstance(hint.slice, ast.Tuple)
    ):
        plain, *marks = hint.slice.elts
        return plain, next((mark for mark in marks if _is_mark(mark, names)), None)  # type: ignore[return-value]
    return hint, default if _is_mark(default, names) else None  # type: ignore[return-value]


def _is_mark(node: ast.expr | None, names: Names) -> bool:
    return isinstance(node, ast.Call) and names.dotted(node.func) in ("typer.Option", "typer.Argument")


def _default(default: ast.expr | None, call: ast.Call | None, names: Names) -> ast.expr | None:
    """The default's source; None when a value must be given. `typer.Option(...)` keeps its default inside."""
    if call is None or default is not call:
        return default
    inside = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "default"), None)
    return None if isinstance(inside, ast.Constant) and inside.value is ... else inside


def _flags(name: str, call: ast.Call | None, schema: Schema, names: Names) -> tuple[str, ...]:
    given: list[Any] = [names.literal(arg) for arg in call.args] if call else []
    flags = tuple(text for text in given if isinstance(text, str) and text.startswith("-"))
    plain = name.lower().replace("_", "-")
    if schema.get("type") == "boolean":
        return flags or (f"--{plain}/--no-{plain}",)
    return flags or (f"--{plain}",)


def _within(schema: Schema, keywords: Mapping[str, ast.expr], names: Names) -> Schema:
    """The schema of a number with its `min` and `max`; clamped values may be given beyond them."""
    if schema.get("type") not in ("integer", "number") or names.literal(keywords.get("clamp")) is True:
        return schema
    limits = {"minimum": names.literal(keywords.get("min")), "maximum": names.literal(keywords.get("max"))}
    return {**schema, **{name: limit for name, limit in limits.items() if isinstance(limit, int | float)}}


def _without_null(schema: Schema) -> Schema:
    """The schema of a value that is given: `Optional[list[str]]` on a command line is a list."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    return options[0] if len(options) == 1 else schema


def _nargs(schema: Schema, is_option: bool, required: bool) -> str:
    if schema.get("type") == "array":
        many = "many" if is_option else "+" if required else "*"
        return str(len(schema["prefixItems"])) if "prefixItems" in schema else many
    if is_option:
        return "flag" if schema.get("type") == "boolean" else ""
    return "" if required else "?"
