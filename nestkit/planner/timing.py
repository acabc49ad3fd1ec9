"""Spans of days and how they are said, in; the condition on a property's days, out. *Pure*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nestkit.planner.dates import Span
from nestkit.planner.query import AnyOf, Between, Compares, Condition, Names, Sign

FLIPPED: Mapping[Sign, Sign] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


@dataclass(frozen=True, slots=True)
class When:
    """When something is, against one or two spans of days."""

    how: Literal["within", "before", "after", "since", "until", "range"]
    low: Span
    high: Span


def make_when(make: str, parts: Mapping[str, Any]) -> When | None:
    """When, from the parts of a form of days; "from" one single day could be its beginning or all of it."""
    if make == "range":
        low, high = parts["low"], parts["high"]
        return When("range", low, high) if low.size == high.size and low.first <= high.last else None
    span = parts.get("span") or parts["whole"]
    if "whole" in parts and span.size == 10 and span.first == span.last:
        return None
    return When(make, span, span)  # type: ignore[arg-type]  # grammar.toml names no other


def compare_days(names: Names, when: When) -> Compares | Between:
    """The condition on ISO text: years, months and days are compared as far as they were said."""
    low, high, size = when.low, when.high, when.low.size
    if when.how in ("within", "range"):
        if low.first == high.last:
            return Compares(names, "=", low.first, size)
        return Between(names, low.first, high.last, size)
    signs: Mapping[str, tuple[Sign, str]] = {
        "before": ("<", low.first),
        "since": (">=", low.first),
        "until": ("<=", low.last),
        "after": (">", low.last),
    }
    sign, value = signs[when.how]
    return Compares(names, sign, value, size)


def contrary(condition: Compares | Between) -> Condition:
    """Any other number or day; what has none at all stays out."""
    if isinstance(condition, Compares) and condition.sign != "=":
        return Compares(condition.names, FLIPPED[condition.sign], condition.value, condition.size)
    low, high = (condition.low, condition.high) if isinstance(condition, Between) else (condition.value,) * 2
    size = condition.size
    return AnyOf((Compares(condition.names, "<", low, size), Compares(condition.names, ">", high, size)))
