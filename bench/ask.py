"""How long a warm `nest ask` takes on the example vault, phase by phase, beside a bare start of Python.

    python bench/ask.py [--runs 15]

Whole processes, medians; the ratio to the bare start holds when the machine is noisy, the milliseconds do not.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
NEST = Path(sys.executable).with_name("nest")
ASKS = {
    "planner, notes only": "Which projects are active?",
    "planner, one script": "How many hours did I log on Weather station?",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="counted runs of each (default: %(default)s)")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        vault = shutil.copytree(ROOT / "vault", Path(folder) / "vault")
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {f"NEST_{name}_DIR": f"{folder}/{name}" for name in ("CACHE", "STATE", "CONFIG")}
        bare = statistics.median(timed([sys.executable, "-c", "pass"], vault, environment)[0] for _ in range(runs))
        print(f"bare start of Python {1000 * bare:.0f} ms")
        for title, ask in ASKS.items():
            show(
                title,
                [str(NEST), "ask", ask, "--model", "builtin", "--no-note", "--verbose"],
                vault,
                environment,
                runs,
                bare,
            )
        show("nest --version", [str(NEST), "--version"], vault, environment, runs, bare)


def show(title: str, words: list[str], vault: Path, environment: dict[str, str], runs: int, bare: float) -> None:
    """One line: the whole process, its ratio to the bare start, the phases it tells of."""
    timed(words, vault, environment)
    walls, phases = [], []
    for _ in range(runs):
        wall, text = timed(words, vault, environment)
        walls.append(wall)
        phases.append(dict(re.findall(r"(\w+) (\d+) ms", text.partition("time: ")[2])))
    whole = statistics.median(walls)
    parts = {name: statistics.median(int(each[name]) for each in phases) for name in phases[0]}
    beside = parts.pop("isolation", None)
    rest = 1000 * whole - sum(parts.values())
    told = ", ".join(f"{name} {milliseconds:.0f}" for name, milliseconds in [*parts.items(), ("start and end", rest)])
    told += "" if beside is None else f"; beside: isolation {beside:.0f}"
    print(f"{title:<22} {1000 * whole:>5.0f} ms  {whole / bare:>4.1f}x bare  ({told})")


def timed(words: list[str], vault: Path, environment: dict[str, str]) -> tuple[float, str]:
    """Seconds that the whole process took, and what it said on stderr."""
    begun = time.perf_counter()
    done = subprocess.run(words, cwd=vault, env=environment, capture_output=True, text=True, check=True)
    return time.perf_counter() - begun, done.stderr


if __name__ == "__main__":
    main()
