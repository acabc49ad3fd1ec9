"""Sizes of toolboxes in; how well and how fast the needed tools are found among the others, out. *Disk*.

python bench/finding.py                  # among 10, 100, 1,000 and 2,000 others
python bench/finding.py --json
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from distractors import draft_distractors

from nestkit.nest import open_nest

TESTS = Path(__file__).resolve().parents[1] / "tests"
SETS = ("tool_asks", "tool_asks_unseen")
FIRST = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--others", type=int, nargs="+", default=[10, 100, 1000, 2000])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = [measure(others) for others in given.others]
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{'others':>7}  {'recall':>7}  {'unseen':>7}  {'make ready':>11}  {'one ask':>9}   (CPU ms)")
    for row in rows:
        recalls = "  ".join(f"{row[name]:>7.3f}" for name in SETS)
        print(f"{row['others']:>7}  {recalls}  {row['ready_ms']:>11.1f}  {row['ask_ms']:>9.2f}")


def measure(others: int) -> dict[str, Any]:
    """Recall among the first eight, what making the finder ready costs, and one ask."""
    asks = {name: _asks(name) for name in SETS}
    with tempfile.TemporaryDirectory() as folder:
        vault = Path(shutil.copytree(TESTS / "vaults/toolbox", Path(folder) / "vault"))
        (vault / "02_System/others").mkdir()
        for name, text in draft_distractors(others).items():
            (vault / "02_System/others" / name).write_text(text, "utf-8")
        environment = {f"NEST_{kind}_DIR": f"{folder}/{kind}" for kind in ("CACHE", "STATE", "CONFIG")}
        with open_nest(vault, environ=environment) as nest:
            nest.refresh()
            _ = nest.registry
            ready = _milliseconds(lambda: nest.finder)
            row: dict[str, Any] = {"others": others, "ready_ms": ready}
            for name, cases in asks.items():
                found = [{tool.name for tool in nest.find_tools(case["ask"], FIRST)} for case in cases]
                hits = sum(len(found[at] & set(case["tools"])) for at, case in enumerate(cases))
                row[name] = hits / sum(len(case["tools"]) for case in cases)
            each = [_milliseconds(lambda ask=case["ask"]: nest.find_tools(ask)) for case in asks["tool_asks"]]
            return {**row, "ask_ms": statistics.median(each)}


def _asks(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (TESTS / f"index/cases/{name}.jsonl").read_text("utf-8").splitlines()]


def _milliseconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return 1000 * (time.process_time() - begun)


if __name__ == "__main__":
    main()
