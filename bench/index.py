"""Sizes of vaults in; how long the index takes over them, beside other tools and beside merely reading, out. *Process*.

    python bench/index.py --notes 1000,10000

Every figure comes from a process of its own (`jobs.py`, `peers.py`), so nothing one of them loads weighs on another.
It reports and never judges: times differ between machines, the ratios of one run hardly do.
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
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

_HERE = Path(__file__).parent
_MILLI, _MEGA = 1e3, 1e-6
_SLOW = 20.0
"""Seconds from which one run must do; else it is the median of three."""
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    notes: int
    what: str
    value: float
    unit: str
    """ms, s or MB; or of how many."""
    ratio: float | None = None
    beside: str = ""
    """What the ratio is to."""
    goal: str = ""
    """What we aim for; written beside the figure, never asserted."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What a person asked for, and where things lie."""

    scratch: Path
    chosen: argparse.Namespace

    def make(self, folder: Path, notes: int, *words: str) -> None:
        """Write a vault; elsewhere, for what this process holds would count as the jobs' memory too."""
        told = (folder, "--notes", notes, "--seed", self.chosen.seed, *words)
        command = list(map(str, (sys.executable, _HERE / "vaults.py", *told)))
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def job(self, name: str, folder: Path, *words: object, repeats: int | None = None) -> Figures:
        """The figures of one job of `jobs.py`."""
        _say(f"{folder.name}: {' '.join(map(str, (name, *words)))}")
        told = ("--repeats", repeats or self.chosen.repeats, "--settle", self.chosen.settle)
        return self._run([sys.executable, _HERE / "jobs.py", name, folder, *told, *words])

    def peer(self, name: str, python: str, folder: Path) -> Figures:
        """`seconds`, or `skipped` with the reason."""
        _say(f"{folder.name}: {name}")
        with tempfile.TemporaryDirectory(dir=self.scratch) as empty:
            try:
                return self._run([python, _HERE / "peers.py", name, folder, empty])
            except (OSError, subprocess.SubprocessError) as error:
                return {"skipped": _first_line(error)}

    def mddb(self, folder: Path) -> Figures:
        """The same of mddb (npm), which is a program for node; the start of node is part of its time."""
        program = Path(self.chosen.peers_node or "", "node_modules/mddb/dist/src/bin/index.js")
        if not self.chosen.peers_node or not program.is_file():
            return {"skipped": "not installed; see --peers-node"}
        _say(f"{folder.name}: mddb")
        with tempfile.TemporaryDirectory(dir=self.scratch) as empty:
            begun = time.perf_counter()
            try:
                subprocess.run(
                    ["node", program.resolve(), folder], cwd=empty, check=True, capture_output=True, text=True,
                    timeout=self.chosen.patience,
                )  # fmt: skip
            except (OSError, subprocess.SubprocessError) as error:
                return {"skipped": _first_line(error)}
            return {"seconds": time.perf_counter() - begun}

    def _run(self, words: list[Any]) -> Figures:
        own = {f"NEST_{kind}_DIR": str(self.scratch / kind.lower()) for kind in ("CACHE", "STATE", "CONFIG")}
        package = os.pathsep.join(filter(None, (str(_HERE.parent), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, **own, "PYTHONPATH": package}
        done = subprocess.run(
            list(map(str, words)), env=environment, check=True, capture_output=True, text=True,
            timeout=self.chosen.patience,
        )  # fmt: skip
        figures: Figures = json.loads(done.stdout.splitlines()[-1])
        return figures


def measure(bench: Bench, notes: int) -> Iterator[Row]:
    """All lines about a vault of this size. The changes come last, since they change the vault."""
    folder = bench.scratch / f"vault-{notes}"
    bench.make(folder, notes)
    read = bench.job("read", folder)
    reading = median(read["seconds"])
    yield Row(notes, "plain read of all bytes", _MILLI * reading, "ms")
    time.sleep(bench.chosen.settle)
    colds = [bench.job("cold", folder)]
    colds += [bench.job("cold", folder) for _ in range(0 if colds[0]["seconds"][0] > _SLOW else 2)]
    cold = median(run["seconds"][0] for run in colds)
    yield Row(notes, "cold index", cold, "s", cold / reading, "plain read", "10,000 notes: 6x or less")
    yield Row(notes, "cold index, a note", _MILLI * cold / notes, "ms")
    yield from _sizes(notes, read, colds)
    yield from _left_to_others(bench, folder, notes)
    yield from _refreshes(bench, folder, notes)
    yield from _lookups(bench, folder, notes)
    if not bench.chosen.no_peers:
        yield from _peers(bench, folder, notes, cold)
    yield from _changes(bench, folder, notes)


def _sizes(notes: int, read: Figures, colds: list[Figures]) -> Iterator[Row]:
    peak = max(run["peak"] for run in colds)
    size = colds[0]["index_bytes"]
    yield Row(
        notes, "peak memory of a cold index", _MEGA * peak, "MB", peak / read["peak"], "plain read", "under 200 MB"
    )
    yield Row(notes, "index on disk", _MEGA * size, "MB", size / read["bytes"], "bytes of the notes")


def _left_to_others(bench: Bench, folder: Path, notes: int) -> Iterator[Row]:
    """How much the quick readers cannot decide; the full ones take some ten times as long over it."""
    found = bench.job("parse", folder)
    for what, kind, number in (("notes", "full", "notes"), ("blocks of properties", "strange", "blocks")):
        yield Row(notes, f"{what} left to the full parser", found[kind], f"of {found[number]:,}")


def _refreshes(bench: Bench, folder: Path, notes: int) -> Iterator[Row]:
    found = bench.job("no_op", folder)
    walk, seconds = median(found["walk"]), median(found["seconds"])
    yield Row(notes, "scandir and stat walk", _MILLI * walk, "ms")
    yield Row(notes, "refresh, nothing changed", _MILLI * seconds, "ms", seconds / walk, "walk", "2x or less")


def _changes(bench: Bench, folder: Path, notes: int) -> Iterator[Row]:
    for count in (1, 100, 1000):
        if count > notes:
            continue
        found = bench.job("changed", folder, "--changes", count, repeats=None if count == 1 else 3)
        walk = median(found["walk"])
        above = median(found["seconds"]) - walk
        goal = "under 15 ms" if count == 1 else ""
        what = f"refresh, {count:,} changed, beyond the walk"
        yield Row(notes, what, _MILLI * above, "ms", median(found["seconds"]) / walk, "walk", goal)


def _lookups(bench: Bench, folder: Path, notes: int) -> Iterator[Row]:
    found = bench.job("lookups", folder)
    by_kind = {kind: median(times) for kind, times in found["find"].items()}
    every = [seconds for times in found["find"].values() for seconds in times]
    slowest = max(by_kind, key=lambda kind: by_kind[kind])
    yield Row(notes, "open the index", _MILLI * found["open"], "ms")
    yield Row(notes, f"find, median of {len(every)}", _MILLI * median(every), "ms", goal="under 10 ms")
    yield Row(notes, f"find, slowest kind ({slowest})", _MILLI * by_kind[slowest], "ms")
    yield Row(notes, "backlinks, median", _MILLI * median(found["backlinks"]), "ms", goal="under 10 ms")
    if found["backlinks of hubs"]:  # a vault of one note has none
        yield Row(notes, "backlinks of the most linked", _MILLI * max(found["backlinks of hubs"]), "ms")


def _peers(bench: Bench, folder: Path, notes: int, cold: float) -> Iterator[Row]:
    """What other tools take for the same vault; the ratio is how many times as long as nest's cold index."""
    theirs = bench.chosen.peers_python or sys.executable
    whole = folder.with_name(f"sound-{notes}")  # mddb ends at the first note with broken properties
    bench.make(whole, notes, "--sound")
    runs: list[tuple[str, int, str, Callable[[], Figures]]] = [
        ("frontmatter + markdown-it-py", 100_000, "5x or more",
         lambda: bench.peer("frontmatter + markdown-it-py", sys.executable, folder)),
        ("ovault", 100_000, "", lambda: bench.peer("ovault", theirs, folder)),
        ("mddb", bench.chosen.slow_peers, "", lambda: bench.mddb(whole)),
        ("obsidiantools", bench.chosen.slow_peers, "50x or more", lambda: bench.peer("obsidiantools", theirs, folder)),
    ]  # fmt: skip
    for name, most, goal, run in runs:
        told: Figures = run() if notes <= most else {"skipped": f"slow; only up to {most:,} notes, see --slow-peers"}
        if "skipped" in told:
            bench.chosen.skipped.append(f"{name} at {notes:,} notes: {told['skipped']}")
            continue
        again = 0 if told["seconds"] > _SLOW else 2
        seconds = median([told["seconds"], *(run().get("seconds", told["seconds"]) for _ in range(again))])
        yield Row(notes, name, seconds, "s", seconds / cold, "nest's cold index", goal)


def draft_table(rows: list[Row]) -> str:
    """The rows for a person's eyes, in Markdown."""
    lines = ["| notes | what | value | ratio | goal |", "|---:|---|---:|---|---|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}x {row.beside}"
        lines.append(f"| {row.notes:,} | {row.what} | {row.value:,.2f} {row.unit} | {ratio} | {row.goal} |")
    return "\n".join(lines)


def growth(rows: list[Row]) -> list[Row]:
    """Cost per note of each size beside that of the size before it."""
    costs = [row for row in rows if row.what == "cold index, a note"]
    return [
        Row(now.notes, "cold index, a note", now.value, "ms", now.value / before.value, f"{before.notes:,} notes",
            "100,000 beside 10,000: 1.3x or less")
        for before, now in pairwise(costs)
    ]  # fmt: skip


def _parse_words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How fast the index is, in absolutes and ratios. Nothing is asserted.")
    add = parser.add_argument
    add("--notes", default="1000,10000", metavar="N,N", help="sizes of the made-up vaults (1000,10000)")
    add("--seed", type=int, default=1, help="which made-up vaults (1)")
    add("--repeats", type=int, default=5, help="runs whose median counts, where they are cheap (5)")
    add("--settle", type=float, default=2.1, metavar="SECONDS", help="wait until a file written counts as old (2.1)")
    add("--patience", type=float, default=1800, metavar="SECONDS", help="when to give one measurement up (1800)")
    add("--no-peers", action="store_true", help="measure nest only")
    add("--peers-python", metavar="PYTHON", help="a Python that has obsidiantools and ovault; never nest's own")
    add("--peers-node", metavar="FOLDER", help="a folder where `npm install mddb` was run")
    add("--slow-peers", type=int, default=1000, metavar="N", help="largest vault for mddb and obsidiantools (1000)")
    add("--scratch", type=Path, metavar="FOLDER", help="where the vaults lie meanwhile (the system's place)")
    add("--json", action="store_true", help="print JSON instead of a table")
    chosen = parser.parse_args()
    try:
        chosen.notes = [int(word) for word in chosen.notes.split(",")]
    except ValueError:
        parser.error(f"--notes takes numbers with commas between them, not {chosen.notes!r}")
    if min(chosen.notes) < 1:
        parser.error("a vault has at least 1 note")
    chosen.skipped = []
    return chosen


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _first_line(error: Exception) -> str:
    told = str(getattr(error, "stderr", "") or error).strip().splitlines()
    return next((line.strip() for line in reversed(told) if "Error" in line or "Exception" in line), told[-1])


def main() -> None:
    chosen = _parse_words()
    before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="nest-bench-", dir=chosen.scratch) as scratch:
        bench = Bench(Path(scratch), chosen)
        rows = [row for notes in chosen.notes for row in measure(bench, notes)]
    rows += growth(rows)
    if chosen.json:
        print(json.dumps({"rows": [asdict(row) for row in rows], "skipped": chosen.skipped}, indent=2))
        return
    print(draft_table(rows))
    print(f"\nload of the machine before and after, {os.cpu_count()} cores: {before:.1f}, {os.getloadavg()[0]:.1f}")
    for line in chosen.skipped:
        print(f"\nskipped: {line}")


if __name__ == "__main__":
    main()
