"""A script in, its public functions as tools out, called with Python values. *Pure*."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from nestkit.note import Problem
from nestkit.parse.docstring import Doc, ParameterDoc, comment_above, parse_doc
from nestkit.parse.metadata import Wishes, parse_nest_block
from nestkit.parse.names import Function, Names, top_level
from nestkit.parse.records import describe_records
from nestkit.parse.schema import (
    Schema,
    expression,
    last_part,
    nullable,
    schema_of,
    schema_of_default,
    schema_of_words,
    type_text,
)
from nestkit.parse.source import Draft, Reading, Source
from nestkit.tool import Parameter, Tool

_ENTRY_NAMES = frozenset(("main", "build_parser", "cli", "parse_args"))
_NO_TOOL_MARKS: Mapping[str, str] = {
    "overload": "a second spelling of a function's types",
    "fixture": "a test fixture",
    "contextmanager": "a context manager, for `with` in other code",
    "asynccontextmanager": "a context manager, for `with` in other code",
}


def read_functions(source: Source, program: Reading) -> Reading:
    """Each public function as `script.function`; beside a command line only those that are annotated and documented."""
    drafts: dict[str, Draft] = {}
    others: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for statement in top_level(source.tree.body):
        match statement:
            case ast.ClassDef(name=name):
                others.append((name, "a class; a function that uses it can be a tool"))
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if not name.startswith("_"):
                others += [(name, why)] if (why := _why_no_def(value, source.names)) else []
        if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if source.names.functions[statement.name] is not statement:  # defined again further down
            continue
        why = _why_no_tool(statement, source, program)
        if why:
            others.append((statement.name, why))
            continue
        drafts[statement.name], found = _draft(statement, source)
        problems += found
    return Reading(tuple(drafts.values()), tuple(dict(others).items()), tuple(problems))


def function_doc(function: Function, source: Source) -> tuple[Doc, Wishes, list[Problem]]:
    """What is said of a function: its docstring less a `nest:` block, else the comment above it."""
    docstring = ast.get_docstring(function, clean=False)
    if docstring is None:
        first = min((decorator.lineno for decorator in function.decorator_list), default=function.lineno)
        return parse_doc(comment_above(source.lines, first)), Wishes(), []
    text, wishes, problems = parse_nest_block(docstring, source.path, function.body[0].lineno)
    return parse_doc(text), wishes, problems


def parameters_of(function: Function, names: Names, doc: Doc) -> tuple[Parameter, ...]:
    """A function's parameters, without those that begin with `_` and fill themselves."""
    return tuple(
        _parameter(arg, default, kind, names, doc.parameters.get(arg.arg, ParameterDoc()))
        for arg, default, kind in arguments_of(function)
        if not (arg.arg.startswith("_") and (default is not None or kind in ("rest", "options")))
    )


def arguments_of(function: Function) -> Iterator[tuple[ast.arg, ast.expr | None, str]]:
    """(argument, default, kind) in the order of the source."""
    args = function.args
    plain = [*args.posonlyargs, *args.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(args.defaults)) + list(args.defaults)
    for number, (arg, default) in enumerate(zip(plain, defaults, strict=True)):
        yield arg, default, "positional" if number < len(args.posonlyargs) else "either"
    if args.vararg:
        yield args.vararg, None, "rest"
    for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
        yield arg, default, "keyword"
    if args.kwarg:
        yield args.kwarg, None, "options"


def _draft(function: Function, source: Source) -> tuple[Draft, list[Problem]]:
    doc, wishes, problems = function_doc(function, source)
    records = describe_records(function.returns or expression(doc.returns), source.names)
    tool = Tool(
        name=f"{source.name}.{function.name}",
        script=source.path,
        manner="function",
        target=function.name,
        parameters=parameters_of(function, source.names, doc),
        returns=type_text(function.returns, source.names) or doc.returns,
        summary=doc.summary,
        text=doc.text,
        returns_text="\n".join(part for part in (doc.returns_text, records) if part),
        is_async=isinstance(function, ast.AsyncFunctionDef),
        line=function.lineno,
    )
    return Draft(tool, (function.name,), wishes), problems


def _parameter(arg: ast.arg, default: ast.expr | None, kind: str, names: Names, doc: ParameterDoc) -> Parameter:
    """One parameter; its type from the hint, else the docstring, else the default."""
    kind_text, schema = type_text(arg.annotation, names), schema_of(arg.annotation, names)
    if not kind_text and doc.type:
        kind_text, schema = doc.type, schema_of_words(doc.type, names)
    if not kind_text:
        kind_text, schema = schema_of_default(default)
    if isinstance(default, ast.Constant) and default.value is None:
        schema = nullable(schema)
    return Parameter(
        name=arg.arg,
        type=kind_text,
        schema=_collected(schema, kind),
        required=default is None and kind not in ("rest", "options"),
        default=names.default_text(default),
        kind=kind,  # type: ignore[arg-type]  # one of arguments_of's words
        text=doc.text,
    )


def _collected(schema: Schema, kind: str) -> Schema:
    """`*rest` collects a list of its type, `**options` an object of them."""
    if kind == "rest":
        return {"type": "array", **({"items": schema} if schema else {})}
    if kind == "options":
        return {"type": "object", **({"additionalProperties": schema} if schema else {})}
    return schema


def _why_no_def(value: ast.expr, names: Names) -> str:
    """Why something callable that is kept under a name is no tool."""
    if isinstance(value, ast.Lambda):
        return "a lambda, which has no types and no text; write it as a def to make it a tool"
    if isinstance(value, ast.Call) and names.dotted(value.func) in ("functools.partial", "functools.partialmethod"):
        return "made by functools.partial; a def that calls the function can be a tool"
    return ""


def _why_no_tool(function: Function, source: Source, program: Reading) -> str:
    """The reason, or nothing for a tool."""
    if function.name.startswith("_"):
        return "private: its name begins with _"
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        mark = last_part(called, source.names) or (called.attr if isinstance(called, ast.Attribute) else "")
        if mark in _NO_TOOL_MARKS:
            return _NO_TOOL_MARKS[mark]
    if function.name in program.claimed or (program.is_program and function.name in _ENTRY_NAMES):
        return "part of the script's command line"
    if not program.is_program:
        return ""
    if not _is_annotated(function) or ast.get_docstring(function, clean=False) is None:
        return "a helper of a command-line program; with type hints and a docstring it becomes a tool"
    return ""


def _is_annotated(function: Function) -> bool:
    hints = [arg.annotation for arg, _, _ in arguments_of(function) if not arg.arg.startswith("_")]
    return all(hints) if hints else function.returns is not None
