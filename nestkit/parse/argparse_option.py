"""One `add_argument` call in, the parameter it makes out. *Pure*.

**Source**: Python's documentation of argparse, "The add_argument() method".
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

from nestkit.parse.docstring import one_line
from nestkit.parse.names import UNKNOWN, Names, identifier, source_text
from nestkit.parse.schema import Schema, enum_of, enum_values, schema_of, type_text
from nestkit.tool import Parameter

_NARGS = {
    "argparse.OPTIONAL": "?",
    "argparse.ZERO_OR_MORE": "*",
    "argparse.ONE_OR_MORE": "+",
    "argparse.REMAINDER": "...",
}
_CONVERTERS: Mapping[str, tuple[str, Schema]] = {
    "date.fromisoformat": ("date", {"type": "string", "format": "date"}),
    "datetime.fromisoformat": ("datetime", {"type": "string", "format": "date-time"}),
    "json.loads": ("JSON", {}),
    "argparse.FileType": ("Path", {"type": "string", "format": "path"}),
}
"""End of a converter's origin -> (type, schema) of the text it takes."""


def read_argument(
    given: Sequence[str],
    keywords: Mapping[str, ast.expr],
    names: Names,
    local: Mapping[str, Any],
    level: int,
    prog: str,
) -> Parameter | None:
    """The parameter of one call; None for `--help` and `--version`."""
    action = _action(keywords.get("action"), names)
    if action in ("help", "version") or not given:
        return None
    flags = tuple(text for text in given if text.startswith("-"))
    kind, schema = _value_type(keywords.get("type"), names)
    schema = enum_of(_choices(keywords, names, local)) or schema
    nargs = _nargs(keywords.get("nargs"), action, names)
    required = _required(bool(flags), nargs, keywords, names)
    if nargs in ("flag", "off"):
        kind, schema = (
            ("int", {"type": "integer", "minimum": 0}) if action == "count" else ("bool", {"type": "boolean"})
        )
    return Parameter(
        name=identifier(_dest(given, keywords, names)),
        type=f"list[{kind}]" if _is_list(nargs) else kind,
        schema=_listed(schema, nargs, action == "append" and "nargs" in keywords),
        required=required,
        default="" if required else _default(keywords, nargs, action, names),
        text=_help(given, keywords, names, local, prog),
        flags=_with_off_switch(flags) if action == "BooleanOptionalAction" else flags,
        nargs=nargs,
        level=level,
    )


def fill_help(text: str, values: Mapping[str, str]) -> str:
    """A help text with `%(default)s` and its like filled in; never by `%` itself, whose widths can be endless."""
    filled = re.sub(r"%\((\w+)\)[sdrif]", lambda match: values.get(match[1], match[0]), text)
    return one_line(filled.replace("%%", "%"))


def _action(node: ast.expr | None, names: Names) -> str:
    text = names.literal(node)
    if isinstance(text, str):
        return text
    return names.dotted(node).rpartition(".")[2] if node is not None else "store"


def _dest(given: Sequence[str], keywords: Mapping[str, ast.expr], names: Names) -> str:
    dest = names.literal(keywords.get("dest"))
    if isinstance(dest, str):
        return dest
    long = next((text for text in given if text.startswith("--")), given[0])
    return long.lstrip("-")


def _value_type(node: ast.expr | None, names: Names) -> tuple[str, Schema]:
    """(type, schema) of what a converter takes; text where nobody can tell."""
    if node is None:
        return "str", {"type": "string"}
    called = node.func if isinstance(node, ast.Call) else node
    for ending, found in _CONVERTERS.items():
        if f".{names.dotted(called)}".endswith(f".{ending}"):
            return found
    if isinstance(called, ast.Name) and called.id in names.functions:
        returned = names.functions[called.id].returns
        schema = schema_of(returned, names)
        simple = schema.get("type") in ("integer", "number") or "format" in schema
        return (type_text(returned, names), schema) if simple else ("str", {"type": "string"})
    schema = schema_of(called, names) if isinstance(called, ast.Name | ast.Attribute) else {}
    return (type_text(called, names), schema) if schema else ("str", {"type": "string"})


def _choices(keywords: Mapping[str, ast.expr], names: Names, local: Mapping[str, Any]) -> list[Any]:
    node = keywords.get("choices")
    values = names.literal(node, local)
    if isinstance(values, dict | list | tuple):
        return list(values)
    return enum_values(node, names)


def _nargs(node: ast.expr | None, action: str, names: Names) -> str:
    if action in ("store_true", "store_const", "append_const", "count", "BooleanOptionalAction"):
        return "flag"
    if action == "store_false":
        return "off"
    if action == "append":
        return "many"
    value = names.literal(node)
    if isinstance(value, int | str):
        return str(value)
    return _NARGS.get(names.dotted(node), "") if node is not None else ""


def _is_list(nargs: str) -> bool:
    return nargs in ("many", "*", "+", "...") or nargs.isdigit()


def _listed(schema: Schema, nargs: str, nested: bool) -> Schema:
    if nargs == "?" and schema:
        return schema
    if not _is_list(nargs):
        return schema
    items = {"type": "array", "items": schema} if nested else schema
    limits = {"minItems": int(nargs), "maxItems": int(nargs)} if nargs.isdigit() else {}
    return {"type": "array", "items": items, **({"minItems": 1} if nargs == "+" else limits)}


def _required(is_option: bool, nargs: str, keywords: Mapping[str, ast.expr], names: Names) -> bool:
    if is_option:
        return names.literal(keywords.get("required")) is True
    return nargs not in ("?", "*", "...")


def _default(keywords: Mapping[str, ast.expr], nargs: str, action: str, names: Names) -> str:
    node = keywords.get("default")
    if node is not None:
        return "" if names.dotted(node) == "argparse.SUPPRESS" else names.default_text(node)
    if action == "count" or nargs not in ("flag", "off") or action == "BooleanOptionalAction":
        return "None"
    return "False" if nargs == "flag" else "True"


def _with_off_switch(flags: Sequence[str]) -> tuple[str, ...]:
    """`--x` of a BooleanOptionalAction as `--x/--no-x`, the way click writes such a pair."""
    return tuple(f"{flag}/--no-{flag[2:]}" if flag.startswith("--") else flag for flag in flags)


def _help(
    given: Sequence[str], keywords: Mapping[str, ast.expr], names: Names, local: Mapping[str, Any], prog: str
) -> str:
    text = names.literal(keywords.get("help"), local)
    if not isinstance(text, str):
        return ""
    default = names.literal(keywords.get("default"), local) if "default" in keywords else None
    shown = source_text(keywords["default"]) if default is UNKNOWN else str(default)
    choices = ", ".join(map(str, _choices(keywords, names, local)))
    values = {
        "default": shown,
        "choices": choices,
        "dest": _dest(given, keywords, names),
        "type": "value",
        "prog": prog,
    }
    return fill_help(text, values)
