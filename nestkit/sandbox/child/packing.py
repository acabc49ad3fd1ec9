"""Values of a program or tool in; words of JSON that say them, and the values again, out. *Pure*.

What JSON has no word for travels as `{"$": kind, "v": ...}`. Both sides read this file, as `wire.py`: the host imports
it, the child loads it by path, so it is standard library only. What comes back is checked: depth, exact types.
"""

from __future__ import annotations

import base64
import collections
import collections.abc
import datetime
import decimal
import enum
import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

DEEPEST = 100
_MOST_ALIKE = 100
"""Members of a set, or keys, that may share one hash: each new one is compared with all before it."""
_SCALARS = frozenset({type(None), bool, int, float, str})


class Broken(Exception):
    """What arrived is no frame of ours."""


class Record(dict[str, Any]):
    """A dict that can also be read as `r.name`."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"this record has no {name}; it has: {', '.join(map(str, self))}") from None


class Row(tuple[Any, ...]):
    """A named tuple that came over the wire: read it as `r[0]`, `r["x"]` or `r.x`."""

    _name: str
    _fields: tuple[str, ...]

    def __new__(cls, name: str, fields: Iterable[str], values: Iterable[Any]) -> Row:
        row = super().__new__(cls, values)
        row._name, row._fields = name, tuple(fields)
        return row

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self._name, self._fields, tuple(self)

    def __getitem__(self, key: Any) -> Any:
        return getattr(self, key) if isinstance(key, str) else super().__getitem__(key)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._fields:
            raise AttributeError(name)
        return self[self._fields.index(name)]

    def __repr__(self) -> str:
        return f"{self._name}({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"

    def _asdict(self) -> dict[str, Any]:
        return dict(zip(self._fields, self, strict=True))


class CommandText(str):
    """What a command printed, with its return code and what it said on the error stream."""

    returncode: int
    stderr: str

    def __new__(cls, text: str, returncode: int = 0, stderr: str = "") -> CommandText:
        made = super().__new__(cls, text)
        made.returncode, made.stderr = returncode, stderr
        return made

    def json(self) -> Any:
        """The text read as JSON."""
        return json.loads(self)


def pack(value: Any, depth: int = DEEPEST) -> Any:
    """The value in words of JSON; exact for plain data, the nearest plain data for the rest.

    Raises TypeError for what is no data (functions, modules, open files), ValueError for what is too deep.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value
    if depth == 0:
        raise ValueError(f"nested more than {DEEPEST} deep, or it contains itself")
    if kind is list:
        return value if _SCALARS.issuperset(map(type, value)) else [pack(item, depth - 1) for item in value]
    if kind is dict:
        return _pack_dict(value, depth)
    for known, packed in _KINDS:
        if isinstance(value, known):
            return packed(value, depth)
    return _pack_other(value, depth)


def unpack(value: Any, record: Callable[[dict[str, Any]], dict[str, Any]] = dict, depth: int = DEEPEST) -> Any:
    """The value that was packed; its dicts made by `record`. Raises Broken."""
    try:
        return _unpack(value, record, depth)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Broken(f"no value of ours: {type(error).__name__}") from None


def _tagged(kind: str, value: Any) -> dict[str, Any]:
    return {"$": kind, "v": value}


def _pack_dict(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    if all(type(key) is str for key in value) and "$" not in value:
        return {key: item if type(item) in _SCALARS else pack(item, depth - 1) for key, item in value.items()}
    return _tagged("map", [[pack(key, depth - 1), pack(item, depth - 1)] for key, item in value.items()])


def _pack_tuple(value: tuple[Any, ...], depth: int) -> dict[str, Any]:
    items = [pack(item, depth - 1) for item in value]
    fields = getattr(value, "_fields", None)
    if not fields:
        return _tagged("tuple", items)
    name = value._name if isinstance(value, Row) else type(value).__name__
    return _tagged("row", items) | {"name": name, "fields": [str(field) for field in fields]}


def _pack_set(value: Iterable[Any], depth: int) -> list[Any]:
    try:
        ordered = sorted(value)
    except TypeError:
        ordered = sorted(value, key=repr)
    return [pack(item, depth - 1) for item in ordered]


def _pack_enum(value: enum.Enum, depth: int) -> Any:
    try:
        return pack(value.value, depth - 1)
    except TypeError:
        return value.name


def _pack_text(value: str, _: int) -> Any:
    if isinstance(value, CommandText):
        return _tagged("text", str.__str__(value)) | {"code": value.returncode, "err": value.stderr}
    return str.__str__(value)


def _pack_list(value: Iterable[Any], depth: int) -> list[Any]:
    return [pack(item, depth - 1) for item in value]


def _pack_other(value: Any, depth: int) -> Any:
    """Dataclasses, iterators, and the arrays and tables of packages, known by what they can do."""
    if isinstance(value, type):
        raise TypeError(f"the class {value.__name__} is no plain data")
    if hasattr(value, "__dataclass_fields__"):
        return _pack_dict({name: getattr(value, name) for name in value.__dataclass_fields__}, depth)
    if hasattr(value, "__next__"):
        return _pack_list(value, depth)
    package = type(value).__module__.partition(".")[0]
    if package == "uuid":
        return str(value)
    if package == "fractions":
        return _tagged("fraction", [value.numerator, value.denominator])
    if package in ("numpy", "pandas"):
        for name in ("to_dict", "tolist", "item"):
            if hasattr(value, name):
                rows = ("records",) if name == "to_dict" and getattr(value, "ndim", 1) == 2 else ()
                return pack(getattr(value, name)(*rows), depth - 1)
    raise TypeError(f"a {type(value).__name__} is no plain data: numbers, text, dates, lists, dicts and records are")


_KINDS: tuple[tuple[Any, Callable[[Any, int], Any]], ...] = (
    (enum.Enum, _pack_enum),
    (str, _pack_text),
    (int, lambda value, _: int.__index__(value)),
    (float, lambda value, _: float.__float__(value)),
    (tuple, _pack_tuple),
    (collections.abc.Mapping, _pack_dict),
    (datetime.datetime, lambda value, _: _tagged("datetime", datetime.datetime.isoformat(value))),
    (datetime.date, lambda value, _: _tagged("date", datetime.date.isoformat(value))),
    (datetime.time, lambda value, _: _tagged("time", datetime.time.isoformat(value))),
    (datetime.timedelta, lambda value, _: _tagged("delta", [value.days, value.seconds, value.microseconds])),
    (decimal.Decimal, lambda value, _: _tagged("decimal", str(value))),
    (frozenset, lambda value, depth: _tagged("frozenset", _pack_set(value, depth))),
    (set, lambda value, depth: _tagged("set", _pack_set(value, depth))),
    ((bytes, bytearray, memoryview), lambda value, _: _tagged("bytes", base64.b64encode(value).decode("ascii"))),
    (os.PathLike, lambda value, _: os.fsdecode(value)),
    (
        (
            list,
            range,
            collections.deque,
            collections.abc.KeysView,
            collections.abc.ValuesView,
            collections.abc.ItemsView,
        ),
        _pack_list,
    ),
)
"""Kind -> how it is said, tried in this order: an enum of texts is an enum first, a datetime is no plain date."""

_Record = Callable[[dict[str, Any]], dict[str, Any]]


def _unpack(value: Any, record: _Record, depth: int) -> Any:
    kind = type(value)
    if kind in _SCALARS:
        return value
    if depth == 0:
        raise ValueError("too deep")
    if kind is list:
        return _unpack_list(value, record, depth)
    if "$" not in value:
        return record({key: _unpack(item, record, depth - 1) for key, item in value.items()})
    return _MADE[value["$"]](value, record, depth)


def _unpack_list(value: Any, record: _Record, depth: int) -> list[Any]:
    if type(value) is not list:
        raise TypeError("no list")
    if _SCALARS.issuperset(map(type, value)):
        return value
    return [_unpack(item, record, depth - 1) for item in value]


def _listed(make: Callable[[list[Any]], Any]) -> Callable[[Any, _Record, int], Any]:
    return lambda value, record, depth: make(_unpack_list(value["v"], record, depth))


def _hashed(make: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    """What a set or mapping is made of, if that takes no longer than it should: numbers can be chosen to collide."""

    def made(items: list[Any]) -> Any:
        hashes = [hash(item[0] if make is dict else item) for item in items]
        if len(hashes) - len(set(hashes)) > _MOST_ALIKE:
            raise ValueError("too many alike")
        return make(items)

    return made


def _spelled(make: Callable[[str], Any]) -> Callable[[Any, _Record, int], Any]:
    def made(value: Any, _record: _Record, _depth: int) -> Any:
        if type(value["v"]) is not str:
            raise TypeError("no text")
        return make(value["v"])

    return made


def _unpack_row(value: Any, record: _Record, depth: int) -> Row:
    fields, items = value["fields"], _unpack_list(value["v"], record, depth)
    if type(value["name"]) is not str or {*map(type, fields)} - {str} or len(fields) != len(items):
        raise ValueError("no row")
    return Row(value["name"], fields, items)


def _unpack_text(value: Any, _record: _Record, _depth: int) -> CommandText:
    if (type(value["v"]), type(value["code"]), type(value["err"])) != (str, int, str):
        raise TypeError("no text")
    return CommandText(value["v"], value["code"], value["err"])


def _fraction(parts: list[Any]) -> Any:
    from fractions import Fraction  # late: few programs have one

    over, under = parts
    if (type(over), type(under)) != (int, int):  # a text like `1e999999999` would be written out
        raise TypeError("no fraction")
    return Fraction(over, under)


_MADE: Mapping[str, Callable[[Any, _Record, int], Any]] = {
    "map": _listed(_hashed(dict)),
    "tuple": _listed(tuple),
    "set": _listed(_hashed(set)),
    "frozenset": _listed(_hashed(frozenset)),
    "delta": _listed(lambda parts: datetime.timedelta(*parts)),
    "fraction": _listed(_fraction),
    "date": _spelled(datetime.date.fromisoformat),
    "time": _spelled(datetime.time.fromisoformat),
    "datetime": _spelled(datetime.datetime.fromisoformat),
    "decimal": _spelled(decimal.Decimal),
    "bytes": _spelled(lambda text: base64.b64decode(text, validate=True)),
    "row": _unpack_row,
    "text": _unpack_text,
}
