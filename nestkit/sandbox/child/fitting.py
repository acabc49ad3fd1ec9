"""Plain values in, what a function's annotations ask for out: dates, decimals, paths, enums, sets. *Pure*.

What crosses to a child is plain, and people write `day: date`. Whatever does not fit is left as it came, so that the
function itself says what is wrong. Runs in the child: standard library only.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import pathlib
import types
import typing
import uuid
from collections.abc import Callable, Mapping
from typing import Any

_FROM_TEXT: dict[Any, Callable[[str], Any]] = {
    datetime.date: datetime.date.fromisoformat,
    datetime.datetime: datetime.datetime.fromisoformat,
    datetime.time: datetime.time.fromisoformat,
    uuid.UUID: uuid.UUID,
}
_COLLECTIONS = (set, frozenset, tuple, list)


def fit_arguments(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, each as its parameter's annotation asks for."""
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # an annotation that names nothing says nothing
        return dict(arguments)
    return {name: fit(value, hints[name]) if name in hints else value for name, value in arguments.items()}


def fit(value: Any, kind: Any) -> Any:
    """The value as this kind when it plainly can be one; else the value itself."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _fit_any(value, typing.get_args(kind))
    if (origin or kind) in _COLLECTIONS and isinstance(value, list):
        inner = typing.get_args(kind)[:1]
        return (origin or kind)(fit(item, inner[0]) if inner else item for item in value)
    if not isinstance(kind, type):
        return value
    try:
        return _make(value, kind)
    except (ValueError, KeyError, TypeError, decimal.InvalidOperation):
        return value


def _fit_any(value: Any, kinds: tuple[Any, ...]) -> Any:
    if any(isinstance(kind, type) and type(value) is kind for kind in kinds):
        return value
    for kind in kinds:
        made = fit(value, kind)
        if made is not value:
            return made
    return value


def _make(value: Any, kind: type) -> Any:
    if issubclass(kind, enum.Enum) and not isinstance(value, kind):
        return kind[value] if isinstance(value, str) and value in kind.__members__ else kind(value)
    if kind is decimal.Decimal and isinstance(value, (str, int, float)):
        return decimal.Decimal(str(value))
    if isinstance(value, str) and kind in _FROM_TEXT:
        return _FROM_TEXT[kind](value)
    if isinstance(value, str) and issubclass(kind, pathlib.PurePath):
        return kind(value)
    return value
