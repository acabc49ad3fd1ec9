"""One `@click.option` or `@click.argument` in, the parameter it makes out. *Pure*.

**Source**: click's documentation, "Options", "Arguments" and "Parameter Types" (8.x).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from nestkit.parse.docstring import one_line
from nestkit.parse.names import UNKNOWN, Names, identifier, source_text
from nestkit.parse.schema import Schema, enum_of, schema_of, schema_of_default
from nestkit.tool import Parameter

MODULES = ("click", "rich_click", "asyncclick")
"""Modules that speak click: a wrapper hands on click's own names."""

_TYPES: Mapping[str, tuple[str, Schema]] = {
    "STRING": ("str", {"type": "string"}),
    "UNPROCESSED": ("str", {"type": "string"}),
    "INT": ("int", {"type": "integer"}),
    "FLOAT": ("float", {"type": "number"}),
    "BOOL": ("bool", {"type": "boolean"}),
    "UUID": ("UUID", {"type": "string", "format": "uuid"}),
    "Path": ("Path", {"type": "string", "format": "path"}),
    "File": ("Path", {"type": "string", "format": "path"}),
    "DateTime": ("datetime", {"type": "string", "format": "date-time"}),
    "IntRange": ("int", {"type": "integer"}),
    "FloatRange": ("float", {"type": "number"}),
    "IntParamType": ("int", {"type": "integer"}),
}
NO_PROMPT = "It must be given: there is nobody to answer its prompt."


def click_name(node: ast.AST, names: Names) -> str:
    """The name that click itself gives to this, `click.option` -> `option`; empty for what is not click's."""
    module, _, name = names.dotted(node).rpartition(".")
    return name if module.split(".")[0] in MODULES else ""


def read_option(node: ast.Call, kind: str, names: Names) -> Parameter | None:
    """The parameter of one decorator; None for `--version`, `--help` and hidden ones."""
    keywords = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
    given = [text for arg in node.args if isinstance(text := names.literal(arg), str)]
    if kind == "argument":
        return _argument(given, keywords, names) if given else None
    if kind == "password_option":
        given, keywords = given or ["--password"], {**keywords, "prompt": ast.Constant(True)}
    elif kind == "confirmation_option":
        extra = {"is_flag": ast.Constant(True), "prompt": ast.Constant(True)}
        given, keywords = given or ["--yes"], {**keywords, **extra}
    elif kind != "option" or not given:
        return None
    return _option(given, keywords, names)


def _argument(given: Sequence[str], keywords: Mapping[str, ast.expr], names: Names) -> Parameter:
    nargs = names.literal(keywords.get("nargs"))
    said = names.literal(keywords.get("required"))
    required = said if isinstance(said, bool) else "default" not in keywords and nargs != -1
    kind, schema, tuple_size = _value_type(keywords, names)
    counted = ("+" if required else "*") if nargs == -1 else str(nargs) if isinstance(nargs, int) else tuple_size
    counted = "" if counted == "1" else counted
    return Parameter(
        name=identifier(given[0].replace("-", "_").lower()),
        type=f"list[{kind}]" if counted else kind,
        schema=_listed(schema, counted),
        required=required,
        default="" if required else names.default_text(keywords.get("default")) or "None",
        text=_text(keywords, names),
        nargs=counted or ("" if required else "?"),
    )


def _option(given: Sequence[str], keywords: Mapping[str, ast.expr], names: Names) -> Parameter | None:
    flags = tuple(text.replace(" ", "") for text in given if not text.isidentifier())
    says = {name: names.literal(value) for name, value in keywords.items()}
    prompted = says.get("prompt", False) is not False and says.get("prompt_required") is not False
    required = prompted or (says.get("required") is True and "default" not in keywords)
    if says.get("hidden") is True and not required:
        return None
    nargs = _nargs(flags, keywords, names)
    kind, schema, tuple_size = _value_type(keywords, names)
    if nargs == "flag":
        kind, schema = (
            ("int", {"type": "integer", "minimum": 0}) if says.get("count") else ("bool", {"type": "boolean"})
        )
    size = tuple_size or (nargs if nargs.isdigit() else "")
    if nargs == "many" and size:
        schema = _listed(schema, size)
    elif size:
        nargs = size
    default = names.default_text(keywords.get("default")) or ("False" if nargs == "flag" and kind == "bool" else "None")
    return Parameter(
        name=identifier(_dest(given, says.get("flag_value"))),
        type=f"list[{kind}]" if nargs == "many" or nargs.isdigit() else kind,
        schema=_listed(schema, nargs),
        required=required,
        default="" if required else default,
        text=f"{_text(keywords, names)} {NO_PROMPT if prompted else ''}".strip(),
        flags=flags,
        nargs=nargs,
    )


def _dest(given: Sequence[str], flag_value: object) -> str:
    """The name click hands the value on by; of several options that set one variable each has its own here."""
    named = next((text for text in given if text.isidentifier()), None)
    if named and (flag_value is None or isinstance(flag_value, bool)):
        return named
    firsts = [re.split(r"[/;]", text)[0].strip() for text in given if not text.isidentifier()]
    firsts = [text for text in firsts if text] or [re.split(r"[/;]", given[0])[-1].strip()]
    longest = max(firsts, key=lambda text: len(text) - len(text.lstrip("-+")))
    return longest.lstrip("-+").replace("-", "_").lower()


def _nargs(flags: Sequence[str], keywords: Mapping[str, ast.expr], names: Names) -> str:
    says = {
        name: names.literal(keywords[name]) for name in ("is_flag", "count", "multiple", "nargs") if name in keywords
    }
    if says.get("count"):
        return "flag"
    if says.get("is_flag") is False:
        return "?" if "flag_value" in keywords else ""
    if says.get("is_flag") or "flag_value" in keywords or any("/" in flag.lstrip("/") for flag in flags):
        return "flag"
    if says.get("multiple"):
        return "many"
    count = says.get("nargs")
    return str(count) if isinstance(count, int) and count > 1 else ""


def _value_type(keywords: Mapping[str, ast.expr], names: Names) -> tuple[str, Schema, str]:
    """(type, schema, how many values a tuple type takes) of one value."""
    node = keywords.get("type")
    if node is None:
        return (*_type_of_default(keywords, names), "")
    parts = _tuple_parts(node, names)
    if parts:
        inner = [_plain_type(part, names) for part in parts]
        alike = inner[0][1] if all(schema == inner[0][1] for _, schema in inner) else {}
        return inner[0][0] if alike else "Any", alike, str(len(parts))
    return (*_plain_type(node, names), "")


def _plain_type(node: ast.expr, names: Names) -> tuple[str, Schema]:
    called = node.func if isinstance(node, ast.Call) else node
    kind = click_name(called, names)
    arguments = [*node.args, *(k.value for k in node.keywords)] if isinstance(node, ast.Call) else []
    if kind == "Choice" and arguments:
        values = names.literal(arguments[0])
        return "str", enum_of(list(values) if isinstance(values, dict) else values) or {"type": "string"}
    if kind == "DateTime" and arguments:  # formats of its own
        return "str", {"type": "string"}
    if kind in ("IntRange", "FloatRange") and isinstance(node, ast.Call):
        return _TYPES[kind][0], {**_TYPES[kind][1], **_bounds(node, names)}
    if kind in _TYPES:
        return _TYPES[kind]
    schema = schema_of(node, names)
    return (source_text(node), schema) if schema else ("str", {"type": "string"})


def _tuple_parts(node: ast.expr, names: Names) -> list[ast.expr]:
    if isinstance(node, ast.Call) and click_name(node.func, names) == "Tuple" and node.args:
        node = node.args[0]
    return node.elts if isinstance(node, ast.Tuple | ast.List) else []


def _bounds(node: ast.Call, names: Names) -> dict[str, float]:
    given = dict(zip(("min", "max"), node.args, strict=False)) | {k.arg: k.value for k in node.keywords if k.arg}
    says = {name: names.literal(value) for name, value in given.items()}
    if says.get("clamp"):
        return {}
    limits = {"minimum": says.get("min"), "maximum": says.get("max")}
    return {name: limit for name, limit in limits.items() if isinstance(limit, int | float)}


def _type_of_default(keywords: Mapping[str, ast.expr], names: Names) -> tuple[str, Schema]:
    """click takes a default's type; of a list of defaults that of its first."""
    node = keywords.get("default")
    value = names.literal(node)
    if isinstance(value, list | tuple):
        value = value[0] if value else ""
    if node is None or value is UNKNOWN or value is None:
        return "str", {"type": "string"}
    kind, schema = schema_of_default(ast.Constant(value))
    if kind == "int":
        schema = {"type": "integer"}
    return (kind, schema) if kind in ("int", "float", "bool") else ("str", {"type": "string"})


def _listed(schema: Schema, nargs: str) -> Schema:
    if nargs.isdigit():
        return {"type": "array", "items": schema, "minItems": int(nargs), "maxItems": int(nargs)}
    if nargs in ("many", "*", "+"):
        return {"type": "array", "items": schema, **({"minItems": 1} if nargs == "+" else {})}
    return schema


def _text(keywords: Mapping[str, ast.expr], names: Names) -> str:
    text = names.literal(keywords.get("help"))
    return one_line(text) if isinstance(text, str) else ""
