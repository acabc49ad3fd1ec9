"""A function for every kind of parameter; each answers with what reached it."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict


class Colour(enum.Enum):
    RED = "r"
    GREEN = "g"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(NamedTuple):
    x: int
    y: Decimal


@dataclasses.dataclass
class Item:
    name: str
    due: date
    tags: set[str] = dataclasses.field(default_factory=set)


class Row(TypedDict):
    a: int
    b: str


def day(value: date):
    return repr(value)


def moment(value: datetime):
    return repr(value)


def clock(value: time):
    return repr(value)


def span(value: timedelta):
    return repr(value)


def money(value: Decimal):
    return repr(value)


def whole(value: int):
    return repr(value)


def real(value: float):
    return repr(value)


def on(value: bool = False):
    return repr(value)


def off(value: bool = True):
    return repr(value)


def colour(value: Colour):
    return str(value)


def maybe_colour(value: Optional[Colour] = None):
    return str(value)


def level(value: Level):
    return repr(value)


def literal(value: Literal["a", "b", 3]):
    return repr(value)


def texts(value: list[str]):
    return repr(value)


def days(value: Sequence[date]):
    return repr(value)


def numbers(value: set[int]):
    return repr(value)


def pair(value: tuple[int, date]):
    return repr(value)


def many(value: tuple[Decimal, ...]):
    return repr(value)


def mapping(value: dict[str, int]):
    return repr(value)


def dated(value: Mapping[str, date]):
    return repr(value)


def maybe(value: Optional[int] = None):
    return repr(value)


def either(value: int | str):
    return repr(value)


def noted(value: Annotated[int, "of days"]):
    return repr(value)


def rest(*words: int):
    return repr(words)


def options(**value: int):
    return repr(value)


def opened(path: Path):
    return [str(path), path.exists()]


def several(paths: list[Path]):
    return [str(path) for path in paths]


def read_file(filename: str):
    return filename


def made(output: Path):
    return str(output)


def named(note: str):
    return note


def item(value: Item):
    return repr(value)


def items(value: list[Item]):
    return repr(value)


def row(value: Row):
    return repr(value)


def anything(value):
    return repr(value)


def raw(value: bytes):
    return repr(value)


def reserved(yes: str, json: int, verbose: bool = False):
    return [yes, json, verbose]


def keywords(from_: str, class_: int = 1):
    return [from_, class_]


def currency(convert_amount: float, source_currency: str, target: str = "EUR"):
    return convert_amount


async def later(value: int) -> int:
    """One more, after a while."""
    await asyncio.sleep(0)
    return value + 1


def counted():
    yield 1
    yield 2


def printed():
    print("hello")


def results() -> dict[str, Any]:
    return {
        "date": date(2026, 1, 2),
        "moment": datetime(2026, 1, 2, 3, 4),
        "time": time(1, 2),
        "span": timedelta(days=1),
        "decimal": Decimal("1.20"),
        "set": {2, 1},
        "frozen": frozenset({"b", "a"}),
        "bytes": b"\x00\xff",
        "item": Item("a", date(2026, 1, 1), {"x"}),
        "point": Point(1, Decimal("2.5")),
        "enum": Colour.RED,
        "tuple": (1, 2),
        "counter": Counter("aab"),
        "path": Path("Notes/Other.md"),
        "endless": float("inf"),
        "keys": {1: "a", (1, 2): "b", date(2026, 1, 1): 3},
    }
