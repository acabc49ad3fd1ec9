"""A property's value in; how it is told apart, typed by people and compared, out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from nestkit.note import title_of

NUMBER = re.compile(r"[+-]?\d{1,300}(\.\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?", re.ASCII)


def value_of(properties: Mapping[str, Any], name: str) -> Any:
    """A property by name, whatever its case: Obsidian's property names ignore it."""
    if name in properties:
        return properties[name]
    return next((value for key, value in properties.items() if key.lower() == name.lower()), None)


def has_value(properties: Mapping[str, Any], name: str, wanted: Any) -> bool:
    """Whether a property is, or holds among its items, what a person typed: links without brackets, case ignored."""
    return _equals(value_of(properties, name), wanted)


def _equals(value: Any, wanted: Any) -> bool:
    if isinstance(value, list):
        return any(_equals(item, wanted) for item in value) or value == wanted
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted or text_of(value) == text_of(wanted)
    return bool(value == wanted) or text_of(value) == text_of(wanted)


def text_of(value: Any) -> str:
    """A value as people type it: no brackets round links, no case, numbers plain."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    if text.startswith("[[") and text.endswith("]]"):
        text = title_of(text[2:-2].partition("|")[0].partition("#")[0])
    return text.casefold()


def scalars_of(value: Any) -> Iterator[Any]:
    """The value, or each of its items however deep in lists."""
    if isinstance(value, list):
        for item in value:
            yield from scalars_of(item)
    else:
        yield value


def comparable(value: Any) -> float | str | None:
    """What `<` and `>` look at: a number, or the text of an ISO date with what follows it; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    if isinstance(value, int | float) or NUMBER.fullmatch(text):
        return float(text)
    return text if is_date(text[:10]) else None


def is_date(text: str) -> bool:
    """Whether this is a year, a month or a day that exists: `2026`, `2026-03`, `2026-03-14`."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat((text + "-01-01")[:10])
    except ValueError:
        return False
    return True
