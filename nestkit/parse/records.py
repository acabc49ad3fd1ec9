"""A function's return hint in, the record and enum classes it names described field by field out. *Pure*."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from nestkit.parse.names import Names
from nestkit.parse.nodes import nodes_of
from nestkit.parse.schema import expression, fields_of, is_enum, last_part, members_of, type_text

_MAX_CLASSES = 8
_MAX_NAMES = 100


def describe_records(hint: ast.expr | None, names: Names) -> str:
    """One line for each class of the file that the hint names, and for those in its fields.

    `Score has value (float), level (Level).` and `Level is one of 'low', 'high'.`
    """
    lines: list[str] = []
    for name in _named_in(hint, names):
        line = names.once("record", name, lambda name=name: _described(name, names), "")  # type: ignore[misc]
        lines += [str(line)] if line else []
        if len(lines) == _MAX_CLASSES:
            break
    return "\n".join(lines)


def _described(name: str, names: Names) -> str:
    class_def = names.classes.get(name)
    if class_def is None:
        return _record_line(name, _functional_fields(names.assigned.get(name), names))
    if is_enum(class_def, names):
        return f"{name} is one of {', '.join(map(repr, members_of(class_def, names)))}."
    return _record_line(name, [(field, type_text(kind, names)) for field, kind, _ in fields_of(class_def, names)])


def _record_line(name: str, fields: Sequence[tuple[str, str]]) -> str:
    shown = ", ".join(f"{field} ({kind})" if kind else field for field, kind in fields[:40])
    return f"{name} has {shown}." if shown else ""


def _functional_fields(node: ast.expr | None, names: Names) -> list[tuple[str, str]]:
    """Fields of `namedtuple("P", "x y")`, `NamedTuple("P", [("x", int)])` and `TypedDict("P", {"x": int})`."""
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return []
    fields = node.args[1]
    match last_part(node.func, names), fields:
        case "namedtuple", _:
            given = names.literal(fields)
            words = given.replace(",", " ").split() if isinstance(given, str) else given
            return [(str(word), "") for word in words] if isinstance(words, list | tuple) else []
        case "NamedTuple", ast.List(elts=pairs) | ast.Tuple(elts=pairs):
            parts = [pair.elts for pair in pairs if isinstance(pair, ast.Tuple) and len(pair.elts) == 2]
            return [(str(names.literal(name)), type_text(kind, names)) for name, kind in parts]
        case "TypedDict", ast.Dict(keys=keys, values=kinds):
            return [(str(names.literal(key)), type_text(kind, names)) for key, kind in zip(keys, kinds, strict=True)]
    return []


def _named_in(hint: ast.expr | None, names: Names) -> Iterator[str]:
    """Names in a hint, in order, those inside quoted hints and aliases of the file too."""
    seen: dict[str, None] = {}
    waiting = list(_plain_names(hint))
    while waiting and len(seen) < _MAX_NAMES:
        name = waiting.pop(0)
        alias = names.assigned.get(name)
        if name not in seen and isinstance(alias, ast.Subscript | ast.BinOp):
            inside = names.once("names", name, lambda alias=alias: tuple(_plain_names(alias)), ())  # type: ignore[misc]
            waiting += inside if isinstance(inside, tuple) else ()
        elif name not in seen and name in names.classes:
            held = fields_of(names.classes[name], names)
            waiting += [inner for _, kind, _ in held for inner in _plain_names(kind) if inner in names.classes]
        seen[name] = None
    yield from seen


def _plain_names(hint: ast.expr | None) -> Iterator[str]:
    """The first names an expression holds, each once."""
    seen: set[str] = set()
    waiting = [hint] if hint is not None else []
    while waiting and len(seen) < _MAX_NAMES:
        for node in nodes_of(waiting.pop(0)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                waiting += [inner] if (inner := expression(node.value)) else []
            elif isinstance(node, ast.Name) and node.id not in seen:
                seen.add(node.id)
                yield node.id
