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
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from figures import MILLI, NOW, Row, draft_row, measure, print_rows, programs, run_one

from nestkit.errors import SandboxError
from nestkit.policy import Limits
from nestkit.sandbox.battery import lay_bait, read_attacks, run_attack
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import Job, World
from nestkit.sandbox.kernel import Kernel
from nestkit.vault.place import user_folders

_MICRO = 1e6
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--peers-python", default=sys.executable, help="a Python that has smolagents")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nest-bench-") as folder:
        rows = [*_measure(Path(folder), chosen.repeats), *_peer(chosen.peers_python)]
    print_rows(rows, as_json=chosen.json)


def _measure(folder: Path, repeats: int) -> Iterator[Row]:
    folder.chmod(0o755)
    vault = folder / "vault"
    (vault / "02_System").mkdir(parents=True)
    (vault / "02_System/t.py").write_text(_SCRIPT)
    file = folder / "work.py"
    file.write_text(_WORK + "print(seconds)")
    plain = measure(repeats, lambda: _run_python("-c", "pass"))
    yield draft_row("plain subprocess: start of Python", plain, MILLI, "ms")
    yield draft_row("the same with -I -S", measure(repeats, lambda: _run_python("-I", "-S", "-c", "pass")), MILLI, "ms")
    with Engine(Kernel("kernel-lite", without=("everything",))) as engine:
        bare = measure(repeats, lambda: run_one(engine))
    yield draft_row("bare fork of the warm parent, first program done", bare, MILLI, "ms")
    work = median(float(_run_python(str(file))) for _ in range(max(5, repeats // 3)))
    yield Row("work in plain Python", work * MILLI, "ms")
    for name in ("monty", "wasm"):
        try:
            interpreter = open_engine(name, cache=user_folders().cache)
        except SandboxError as error:
            print(f"skipped: {error}", file=sys.stderr)
            continue
        with interpreter as engine:
            yield from _measure_interpreter(engine, bare, work, repeats)
    for tier in ("kernel-full", "kernel-lite"):
        try:
            opened = open_engine(tier)
        except SandboxError as error:
            print(f"skipped: {error}", file=sys.stderr)
            continue
        with opened as engine:
            yield from _measure_tier(engine, vault, repeats, bare, plain, work)


def _measure_interpreter(engine: Engine, bare: list[float], work: float, repeats: int) -> Iterator[Row]:
    """Another interpreter, by the clock outside: the one inside stands still."""
    start = measure(max(5, repeats // 5), lambda: run_one(engine))
    yield draft_row(f"{engine.tier}: start, first program done", start, MILLI, "ms", bare, "a bare fork")
    with programs(engine) as execute:
        execute("1")
        many = median(execute(f"for _ in range({_CALLS}):\n    nothing()").seconds for _ in range(5)) / _CALLS
        inside = median(execute(_WORK).seconds for _ in range(5))
    yield Row(f"{engine.tier}: brokered call, warm", many * _MICRO, "us")
    yield Row(f"{engine.tier}: the same work in a program", inside * MILLI, "ms", inside / work, "plain Python")


def _measure_tier(
    engine: Engine, vault: Path, repeats: int, bare: list[float], plain: list[float], work: float
) -> Iterator[Row]:
    tier = engine.tier
    world = World(str(vault))
    start = measure(repeats, lambda: run_one(engine))
    yield draft_row(f"{tier}: warm start, first program done", start, MILLI, "ms", bare, "a bare fork", "3x, 15 ms")
    yield Row(f"{tier}: the same, 95th of a hundred", quantiles(start, n=20)[-1] * MILLI, "ms", goal="40 ms")
    boxed = measure(repeats, lambda: run_one(engine, world))
    yield draft_row(f"{tier}: the same, sandboxed", boxed, MILLI, "ms", bare, "a bare fork", "3x, 15 ms")
    job = Job("02_System/t.py", str(vault), NOW, function="nothing")
    called = measure(repeats, lambda: engine.call(job, Limits()))
    yield draft_row(f"{tier}: an empty script called, in its own child", called, MILLI, "ms", plain, "a subprocess")
    opened = measure(max(5, repeats // 5), lambda: open_engine(tier).close())
    yield draft_row(f"{tier}: parent started and proven, and ended", opened, MILLI, "ms", plain, "a subprocess")
    many = median(_answer(engine, _MANY) for _ in range(5))
    yield Row(f"{tier}: brokered call, warm", many * _MICRO, "us", goal="150 us")
    yield Row(f"{tier}: brokered calls in a second", 1 / many, "/s", goal="5,000")
    first = median(_answer(engine, _FIRST) for _ in range(repeats))
    yield Row(f"{tier}: brokered call, the first of a program", first * _MICRO, "us")
    inside = median(_answer(engine, f"{_WORK}\nfinal_answer(seconds)") for _ in range(max(5, repeats // 3)))
    yield Row(f"{tier}: the same work in a program", inside * MILLI, "ms", inside / work, "plain Python", "1x")
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
    yield Row(f"{name}, local executor: a new one, first program done", found["start"] * MILLI, "ms")
    yield Row(f"{name}: call of an empty tool, in its own process", found["call"] * _MICRO, "us")
    yield Row(f"{name}: the same work", found["work"] * MILLI, "ms", found["work"] / found["plain"], "plain Python")
    yield Row(f"{name}: overrun of its limit of 1 s, sum(range(4 * 10**8))", found["overrun"], "s")


def _answer(engine: Engine, program: str) -> float:
    with programs(engine) as execute:
        outcome = execute(program)
    assert outcome.final, outcome.error
    return float(outcome.value)


def _run_python(*words: str) -> str:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=True).stdout


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
