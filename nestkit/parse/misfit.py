"""A note's text and the kinds set in its vault in; the properties that do not fit them, as problems, out. *Pure*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nestkit.note import Problem
from nestkit.parse.frontmatter import parse_properties, split_frontmatter
from nestkit.parse.kind import fits_kind, property_kind, value_kind


def misfits(properties: Mapping[str, Any], kinds: Mapping[str, str]) -> list[str]:
    """Names of the properties whose value is not of the kind set for them; the app marks it as a type mismatch."""
    return [name for name, value in properties.items() if not fits_kind(value, property_kind(name, value, kinds))]


def find_misfits(path: str, text: str, kinds: Mapping[str, str]) -> list[Problem]:
    """The misfits of a note, each with the line of its key."""
    found = parse_properties(path, split_frontmatter(text).yaml)
    values = found.values or {}
    return [
        Problem(
            path,
            found.lines[name],
            f"`{name}` is of kind {property_kind(name, values[name], kinds)} in this vault,"
            f" but holds {value_kind(values[name])}",
        )
        for name in misfits(values, kinds)
    ]
