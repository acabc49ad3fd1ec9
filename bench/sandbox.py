"""This machine in; what isolation costs beside a bare fork, plain Python and another tool, out. *Process*.

    python bench/sandbox.py [--repeats N] [--json] [--peers-python PYTHON]

Every figure is a median of one run; only the ratios mean something elsewhere. It reports and never judges.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from nestkit.errors import SandboxError
from nestkit.policy import Limits
from nestkit.sandbox.battery import lay_bait, read_attacks, run_attack
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import Job, World
from nestkit.sandbox.kernel import Kernel
from nestkit.tool import Tool

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_TOOL = Tool("t.nothing", "t.py", "builtin", "nothing")
_MILLI, _MICRO = 1e3, 1e6
_CALLS = 3000
_WORK = """
import json, time
begun = time.perf_counter()
words = [f"word{n * 7919 % 10007}" for n in range(60_000)]
counts = {}
for word in words:
    counts[word] = counts.get(word, 0) + 1
text = json.dumps(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
total = sum(len(item[0]) * item[1] for item in json.loads(text))
seconds = time.perf_counter() - begun
"""
_MANY = f"""
import time
begun = time.perf_counter()
for _ in range({_CALLS}):
    nothing()
final_answer((time.perf_counter() - begun) / {_CALLS})
"""
_FIRST = "import time\nbegun = time.perf_counter()\nnothing()\nfinal_answer(time.perf_counter() - begun)"
_SCRIPT = "def nothing():\n    return None\n"


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peers-python", default=sys.executable, help="a Python that has smolagents")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nest-bench-") as folder:
        rows = [*_measure(Path(folder), chosen.repeats), *_peer(chosen.peers_python)]
    if chosen.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        beside = f"{row.ratio:8.2f}x {row.beside}" if row.ratio is not None else ""
        print(f"{row.what:<58}{row.value:>12,.3f} {row.unit:<6}{beside:<36}{row.goal and f'goal {row.goal}'}")
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores, Python {sys.version.split()[0]}")


def _measure(folder: Path, repeats: int) -> Iterator[Row]:
    folder.chmod(0o755)
    vault = folder / "vault"
    (vault / "02_System").mkdir(parents=True)
    (vault / "02_System/t.py").write_text(_SCRIPT)
    file = folder / "work.py"
    file.write_text(_WORK + "print(seconds)")
    plain = _times(repeats, lambda: _run_python("-c", "pass"))
    yield _row("plain subprocess: start of Python", plain, _MILLI, "ms")
    yield _row("the same with -I -S", _times(repeats, lambda: _run_python("-I", "-S", "-c", "pass")), _MILLI, "ms")
    with Engine(Kernel("kernel-lite", without=("everything",))) as engine:
        bare = _times(repeats, lambda: _start(engine))
    yield _row("bare fork of the warm parent, first program done", bare, _MILLI, "ms")
    work = median(float(_run_python(str(file))) for _ in range(max(5, repeats // 3)))
    yield Row("work in plain Python", work * _MILLI, "ms")
    for tier in ("kernel-full", "kernel-lite"):
        try:
            opened = open_engine(tier)
        except SandboxError as error:
            print(f"skipped: {error}", file=sys.stderr)
            continue
        with opened as engine:
            yield from _measure_tier(engine, vault, repeats, bare, plain, work)


def _measure_tier(
    engine: Engine, vault: Path, repeats: int, bare: list[float], plain: list[float], work: float
) -> Iterator[Row]:
    tier = engine.tier
    world = World(str(vault))
    start = _times(repeats, lambda: _start(engine))
    yield _row(f"{tier}: warm start, first program done", start, _MILLI, "ms", bare, "a bare fork", "3x, 15 ms")
    yield Row(f"{tier}: the same, 95th of a hundred", quantiles(start, n=20)[-1] * _MILLI, "ms", goal="40 ms")
    boxed = _times(repeats, lambda: _start(engine, world))
    yield _row(f"{tier}: the same, sandboxed", boxed, _MILLI, "ms", bare, "a bare fork", "3x, 15 ms")
    job = Job("02_System/t.py", str(vault), _NOW, function="nothing")
    called = _times(repeats, lambda: engine.call(job, Limits()))
    yield _row(f"{tier}: an empty script called, in a child of its own", called, _MILLI, "ms", plain, "a subprocess")
    opened = _times(max(5, repeats // 5), lambda: open_engine(tier).close())
    yield _row(f"{tier}: parent started and proven, and ended", opened, _MILLI, "ms", plain, "a subprocess")
    many = median(_answer(engine, _MANY) for _ in range(5))
    yield Row(f"{tier}: brokered call, warm", many * _MICRO, "us", goal="150 us")
    yield Row(f"{tier}: brokered calls in a second", 1 / many, "/s", goal="5,000")
    first = median(_answer(engine, _FIRST) for _ in range(repeats))
    yield Row(f"{tier}: brokered call, the first of a program", first * _MICRO, "us")
    inside = median(_answer(engine, f"{_WORK}\nfinal_answer(seconds)") for _ in range(max(5, repeats // 3)))
    yield Row(f"{tier}: the same work in a program", inside * _MILLI, "ms", inside / work, "plain Python", "1x")
    yield from _measure_overrun(engine)


def _measure_overrun(engine: Engine) -> Iterator[Row]:
    """How long a program goes on after its limit, over every way of hanging; and what is left two seconds later."""
    hangs = [attack for attack in read_attacks() if attack.outlives]
    limit, late = 0.3, []
    before = _below(os.getpid())
    with lay_bait() as bait:
        baits = _below(os.getpid()) - before
        for attack in hangs:
            begun = time.perf_counter()
            run_attack(engine, attack, bait, seconds=limit)
            late.append(time.perf_counter() - begun - limit)
        begun = time.perf_counter()
        while (left := _below(os.getpid()) - before - baits) and time.perf_counter() - begun < 2:
            time.sleep(0.02)
    yield Row(f"{engine.tier}: overrun of the wall limit, worst of {len(hangs)} hangs", max(late), "s", goal="0.5 s")
    yield Row(f"{engine.tier}: processes left two seconds later", len(left), "", goal="0")


def _peer(python: str) -> Iterator[Row]:
    """smolagents' local executor, under the Python that has it."""
    code = Path(__file__).with_name("sandbox_peer.py")
    done = subprocess.run([python, str(code), _WORK], capture_output=True, text=True, check=False)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        print(f"skipped: smolagents is not installed for {python}", file=sys.stderr)
        return
    name = f"smolagents {found['version']}"
    yield Row(f"{name}, local executor: a new one, first program done", found["start"] * _MILLI, "ms")
    yield Row(f"{name}: call of an empty tool, in its own process", found["call"] * _MICRO, "us")
    yield Row(f"{name}: the same work", found["work"] * _MILLI, "ms", found["work"] / found["plain"], "plain Python")
    yield Row(f"{name}: overrun of its limit of 1 s, sum(range(4 * 10**8))", found["overrun"], "s")


@contextmanager
def _program(engine: Engine, world: World | None = None) -> Iterator[Callable[[str], Any]]:
    limits = replace(Limits(), calls=10**7, step_seconds=60)
    broker = Broker((_TOOL,), host=lambda *_: (None, ()), script=lambda *_: None, allow=lambda *_: None, limits=limits)
    with engine.program(broker, now=_NOW, seed=1, world=world) as execute:
        yield execute


def _start(engine: Engine, world: World | None = None) -> None:
    with _program(engine, world) as execute:
        assert execute("1").value == 1


def _answer(engine: Engine, program: str) -> float:
    with _program(engine) as execute:
        outcome = execute(program)
    assert outcome.final, outcome.error
    return float(outcome.value)


def _run_python(*words: str) -> str:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True).stdout


def _times(repeats: int, act: Callable[[], object]) -> list[float]:
    act()
    found = []
    for _ in range(repeats):
        begun = time.perf_counter()
        act()
        found.append(time.perf_counter() - begun)
    return found


def _row(
    what: str,
    found: list[float],
    scale: float,
    unit: str,
    beside: list[float] | None = None,
    named: str = "",
    goal: str = "",
) -> Row:
    ratio = median(found) / median(beside) if beside else None
    return Row(what, median(found) * scale, unit, ratio, named, goal)


def _below(number: int) -> set[int]:
    """Processes below this one."""
    found: set[int] = set()
    todo = [number]
    while todo:
        for task in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            new = {int(child) for child in task.read_text().split()} - found
            found |= new
            todo += new
    return found


if __name__ == "__main__":
    main()
