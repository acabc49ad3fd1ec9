"""Programs run in one child after the other, as tests of every engine run them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from nestkit.run import Outcome
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import Engine

Run = Callable[..., Outcome]


def run_in(engine: Engine, make_broker: Callable[..., Broker], now: datetime) -> Run:
    """A function that gives the outcome of the last of some programs that share a child, under the limits named."""

    def execute(*programs: str, **limits: Any) -> Outcome:
        with engine.program(make_broker(**limits), now=now, seed=7) as each:
            return [each(program) for program in programs][-1]

    return execute
