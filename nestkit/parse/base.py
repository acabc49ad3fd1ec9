"""Text of a base file in, what keeps Obsidian from showing it out, as problems. *Pure*.

A base holds no links, tags or text of the vault's: nothing else of it is a fact.

**Source**: obsidian-help, Bases syntax (filters, formulas, properties, views).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nestkit.note import Problem

_SHAPES: dict[str, tuple[tuple[type, ...], str]] = {
    "filters": ((str, dict), "a condition, or a map of `and`, `or`, `not`"),
    "formulas": ((dict,), "a map of names to formulas"),
    "properties": ((dict,), "a map of property names to settings"),
    "views": ((list,), "a list of views"),
}


def find_base_problems(path: str, text: str) -> list[Problem]:
    """What is wrong with a base; nothing with an empty one, which is what a new base starts from."""
    from nestkit.parse.yaml12 import YamlError, parse_yaml  # late: it loads PyYAML

    try:
        read = parse_yaml(text.removeprefix("\ufeff"))
    except YamlError as error:
        return [Problem(path, error.line, f"not a base: {error}")]
    if read.value is None:
        return []
    if not isinstance(read.value, dict):
        return [Problem(path, 1, "not a base: it should be a map with `filters`, `formulas`, `properties` or `views`")]
    return [Problem(path, read.lines.get(key, 1), what) for key, what in _misshapen(read.value)]


def _misshapen(base: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(dotted key, what is wrong)."""
    for name, (shapes, expected) in _SHAPES.items():
        if base.get(name) is not None and not isinstance(base[name], shapes):
            yield name, f"`{name}` should be {expected}"
    views = base.get("views")
    for number, view in enumerate(views if isinstance(views, list) else ()):
        if not isinstance(view, dict) or not isinstance(view.get("type"), str):
            yield f"views.{number}", "a view should be a map with a `type`, such as `table` or `cards`"
