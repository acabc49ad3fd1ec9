"""What benches of the isolation share: work in, its seconds, a line of the table with the ratio to something, out.
*Process*.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from statistics import median
from typing import Any

from nestkit.policy import Limits
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import Engine
from nestkit.sandbox.job import World
from nestkit.tool import Tool

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MILLI = 1e3
_TOOL = Tool("t.nothing", "t.py", "builtin", "nothing")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    what: str
    value: float
    unit: str
    ratio: float | None = None
    beside: str = ""
    """What the ratio is to."""
    goal: str = ""
    """What we aim for; written beside the figure, never asserted."""


def print_rows(rows: list[Row], *, as_json: bool = False) -> None:
    """The table, or all of it as JSON."""
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        beside = f"{row.ratio:8.2f}x {row.beside}" if row.ratio is not None else ""
        print(f"{row.what:<62}{row.value:>12,.3f} {row.unit:<6}{beside:<36}{row.goal and f'goal {row.goal}'}")
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")


def measure(repeats: int, act: Callable[[], object]) -> list[float]:
    """Seconds of each time, the first one left out."""
    act()
    found = []
    for _ in range(repeats):
        begun = time.perf_counter()
        act()
        found.append(time.perf_counter() - begun)
    return found


def draft_row(
    what: str,
    found: list[float],
    scale: float,
    unit: str,
    beside: list[float] | None = None,
    named: str = "",
    goal: str = "",
) -> Row:
    """The median, and its ratio to the median of something else."""
    ratio = median(found) / median(beside) if beside else None
    return Row(what, median(found) * scale, unit, ratio, named, goal)


@contextmanager
def programs(engine: Engine, world: World | None = None) -> Iterator[Callable[[str], Any]]:
    """Programs of one run, with a tool `nothing` that does nothing."""
    limits = replace(Limits(), calls=10**7, step_seconds=60)
    broker = Broker((_TOOL,), host=lambda *_: (None, ()), script=lambda *_: None, allow=lambda *_: None, limits=limits)
    with engine.program(broker, now=NOW, seed=1, world=world) as execute:
        yield execute


def run_one(engine: Engine, world: World | None = None, program: str = "1") -> None:
    """A new child for one program, and that program done."""
    with programs(engine, world) as execute:
        outcome = execute(program)
        assert not outcome.error, outcome.error
