"""The clock and the dice of a run: its start and its seed in, every later look at them the same. *Process*.

A run is run again to be resumed or compared, so a program must not see the time pass. The types stay CPython's own:
only what they answer is changed, in their own dictionaries, so that arithmetic, `isinstance` and pickling are
untouched. Clocks that measure (`monotonic`, `perf_counter`) go on. Runs in the child: standard library only.
"""

from __future__ import annotations

import ctypes
import datetime
import gc
import os
import random
import time
from collections.abc import Callable
from typing import Any


def stop(seconds: float, offset: int) -> None:
    """Fix every clock at this moment (Unix time), in a zone this many seconds east of Greenwich."""
    os.environ["TZ"] = _zone(offset)
    shift = 0.0
    if hasattr(time, "tzset"):
        time.tzset()
    else:  # a system without zones: what is local is counted here
        shift = float(offset)
    _stop_dates(seconds, shift)
    _stop_time(seconds, shift)


def load(seed: int) -> None:
    """Seed all that is random: `random`, and what asks the system (`os.urandom`, `secrets`, `uuid4`)."""
    dice = random.Random(seed ^ 0x6E657374)
    fresh = random.Random.seed

    def reseed(self: random.Random, a: Any = None, version: int = 2) -> None:
        fresh(self, dice.getrandbits(64) if a is None else a, version)

    random.Random.seed = reseed  # type: ignore[method-assign]
    random.seed = random._inst.seed
    random.seed(seed)
    os.urandom = dice.randbytes
    random._urandom = dice.randbytes  # type: ignore[attr-defined]


def _zone(offset: int) -> str:
    """A POSIX zone of this fixed offset, counted west as POSIX does (tzset(3))."""
    hours, rest = divmod(abs(offset), 3600)
    minutes, seconds = divmod(rest, 60)
    east, west = ("+", "-") if offset >= 0 else ("-", "+")
    shown = f"{hours:02}{minutes:02}" if minutes else f"{hours:02}"
    return f"<{east}{shown}>{west}{hours:02}:{minutes:02}:{seconds:02}" if offset else "UTC0"


def _stop_dates(seconds: float, shift: float) -> None:
    def today(kind: Any) -> Any:
        return kind.fromtimestamp(seconds + shift)

    def now(kind: Any, tz: datetime.tzinfo | None = None) -> Any:
        return kind.fromtimestamp(seconds, tz) if tz else kind.fromtimestamp(seconds + shift)

    def utcnow(kind: Any) -> Any:
        return kind.fromtimestamp(seconds, datetime.UTC).replace(tzinfo=None)

    _replace(datetime.date, today=today)
    _replace(datetime.datetime, today=today, now=now, utcnow=utcnow)


def _replace(kind: type, **answers: Callable[..., Any]) -> None:
    """Give a built-in type other class methods: its dictionary is read-only to Python, not to the collector."""
    (inside,) = gc.get_referents(kind.__dict__)
    for name, answer in answers.items():
        answer.__qualname__ = f"{kind.__name__}.{name}"
        inside[name] = classmethod(answer)
    if hasattr(ctypes, "pythonapi"):  # elsewhere nothing has looked these up before
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


def _stop_time(seconds: float, shift: float) -> None:
    nanoseconds = int(seconds * 1_000_000_000)
    names = ("localtime", "gmtime", "ctime", "asctime", "strftime", "clock_gettime", "clock_gettime_ns")
    real = {name: getattr(time, name) for name in names}

    def localtime(secs: float | None = None, /) -> Any:
        return real["localtime"]((seconds if secs is None else secs) + shift)

    def gmtime(secs: float | None = None, /) -> Any:
        return real["gmtime"](seconds if secs is None else secs)

    def ctime(secs: float | None = None, /) -> str:
        return str(real["ctime"]((seconds if secs is None else secs) + shift))

    def asctime(moment: Any = None, /) -> str:
        return str(real["asctime"](localtime() if moment is None else moment))

    def strftime(form: str, moment: Any = None, /) -> str:
        return str(real["strftime"](form, localtime() if moment is None else moment))

    def clock_gettime(clock: int, /) -> float:
        return seconds if clock == time.CLOCK_REALTIME else float(real["clock_gettime"](clock))

    def clock_gettime_ns(clock: int, /) -> int:
        return nanoseconds if clock == time.CLOCK_REALTIME else int(real["clock_gettime_ns"](clock))

    time.time = lambda: seconds
    time.time_ns = lambda: nanoseconds
    time.asctime, time.strftime = asctime, strftime
    time.clock_gettime, time.clock_gettime_ns = clock_gettime, clock_gettime_ns
    for answer in (localtime, gmtime, ctime):
        setattr(time, answer.__name__, answer)
