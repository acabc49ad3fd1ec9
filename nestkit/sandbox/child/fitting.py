"""Plain values in, what a function's annotations ask for out: dates, decimals, paths, enums, sets. *Pure*.

What crosses to a child is plain, and people write `day: date`. Whatever does not fit is left as it came, so that the
function itself says what is wrong. Runs in the child: standard library only.
"""

from __future__ import annotations

import collections.abc
import dataclasses
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
_COLLECTIONS = (set, frozenset, list)
_LISTS = (
    collections.abc.Sequence,
    collections.abc.MutableSequence,
    collections.abc.Iterable,
    collections.abc.Iterator,
    collections.abc.Collection,
)
_SETS = (collections.abc.Set, collections.abc.MutableSet)
_MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


def fit_arguments(function: Callable[..., Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, each as its parameter's annotation asks for."""
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # an annotation that names nothing says nothing
        return dict(arguments)
    return {name: fit(value, hints[name]) if name in hints else value for name, value in arguments.items()}


def fit(value: Any, kind: Any) -> Any:
    """The value as this kind when it plainly can be one; else the value itself."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _fit_any(value, inner)
    if (origin or kind) is typing.Annotated:
        return fit(value, inner[0])
    if isinstance(value, list) and (made := _fit_items(value, origin or kind, inner)) is not None:
        return made
    if type(value) is dict and origin in _MAPPINGS and len(inner) == 2:
        return {fit(key, inner[0]): fit(held, inner[1]) for key, held in value.items()}
    if not isinstance(kind, type):
        return value
    try:
        return _make(value, kind)
    except (ValueError, KeyError, TypeError, decimal.InvalidOperation):
        return value


def _fit_items(value: list[Any], kind: Any, inner: tuple[Any, ...]) -> Any:
    """The collection of this kind, each item as its place asks for; None when it is no collection."""
    if kind is tuple:
        each = inner[:1] * len(value) if len(inner) == 2 and inner[1] is Ellipsis else inner
        if each and len(each) != len(value):
            return None
        return tuple(map(fit, value, each)) if each else tuple(value)
    items = (fit(item, inner[0]) if inner else item for item in value)
    if kind in _COLLECTIONS:
        return kind(items)
    return list(items) if kind in _LISTS else set(items) if kind in _SETS else None


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
    if kind is bytes and isinstance(value, str):
        return value.encode()
    if type(value) is dict and (fields := _fields_of(kind)):
        return kind(**{name: fit(held, fields[name]) for name, held in value.items()})
    if type(value) is list and hasattr(kind, "_fields") and (fields := _fields_of(kind)):
        return kind(*map(fit, value, fields.values()))
    return value


def _fields_of(kind: type) -> dict[str, Any]:
    """Name -> hint of what a dataclass or named tuple is made of, in order; nothing for other classes."""
    if dataclasses.is_dataclass(kind):
        names = [field.name for field in dataclasses.fields(kind) if field.init]
    elif issubclass(kind, tuple):
        names = list(getattr(kind, "_fields", ()))
    else:
        return {}
    hints = typing.get_type_hints(kind)
    return {name: hints.get(name, Any) for name in names}
