"""A block of properties in, its values with their lines out, many times faster than by `yaml12`; or None. *Pure*.

Read here is what properties mostly are: names with a plain or quoted value on the same line, and lists of these. At
the first line that is anything else the whole block is left to `yaml12`; tests hold both readings equal.
"""

from __future__ import annotations

import re
from typing import Any

from nestkit.parse.core_schema import core_value

_REST = r"[^\x00-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff\U0010fffd"
"""Begins a class of characters that need no second look, to which the signs of each place are added."""
_QUOTED = rf"\"(?P<double>{_REST}\"\\]*)\"|'(?P<single>{_REST}']*)'"
_PLAIN = rf"(?P<plain>[^\W_](?:{_REST}#:]|:(?=\S))*)"
_LINE = re.compile(rf"(?P<name>[^\W\d_][\w-]*(?: [\w-]+)*):(?: +(?:{_QUOTED}|{_PLAIN}|\[(?P<flow>{_REST}]*)\]))? *")
_ITEM = re.compile(rf"(?P<indent> *)- +(?:{_QUOTED}|{_PLAIN}) *")
_PART = re.compile(rf" *(?:{_QUOTED}|(?P<plain>[^\W_][\w ./+-]*)) *(?:,|$)")
MAX_ROW = 2_000
"""Characters of one line; in a longer one, blanks could be looked at too often."""
_SPECIAL = frozenset(("true", "false", "null"))
"""Words that are no text; YAML has each in three spellings."""


def scan_properties(yaml: str) -> tuple[dict[str, Any], dict[str, int]] | None:
    """Values, and dotted key (`up`, `rel.0`) -> line within the block from 1; None when `yaml12` has to read it."""
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    name, indent = "", ""
    for number, row in enumerate(yaml.replace("\r\n", "\n").split("\n"), start=1):
        if not row or row[0] == "#":
            continue
        if len(row) > MAX_ROW:
            return None
        if (found := _LINE.fullmatch(row)) is not None:
            name = found["name"]
            if name in values or name.lower() in _SPECIAL:
                return None
            lines[name] = number
            if (flow := found["flow"]) is None:
                values[name] = _value(found)
            elif (parts := _parts(flow)) is not None:
                values[name] = parts
                lines.update((f"{name}.{place}", number) for place in range(len(parts)))
            else:
                return None
            indent = "" if found.end("name") + 1 == len(row.rstrip(" ")) else "inline"
        elif name and indent != "inline" and (found := _ITEM.fullmatch(row)) is not None:
            items = values[name]
            if items is None:
                items = values[name] = []
                indent = found["indent"]
            elif indent != found["indent"]:
                return None
            lines[f"{name}.{len(items)}"] = number
            items.append(_value(found))
        else:
            return None
    return (values, lines) if values else None


def _parts(flow: str) -> list[Any] | None:
    """What stands between the brackets of `[a, "b"]`; None when it is more than that."""
    parts: list[Any] = []
    at = 0
    while at < len(flow):
        found = _PART.match(flow, at)
        if found is None:
            return None
        parts.append(_value(found))
        at = found.end()
    return None if flow.endswith((",", " ")) else parts


def _value(found: re.Match[str]) -> Any:
    plain = found["plain"]
    if plain is None:
        double = found["double"]
        return double if double is not None else found["single"]
    plain = plain.rstrip(" ")
    return plain if plain[0].isalpha() and plain.lower() not in _SPECIAL else core_value(plain)
