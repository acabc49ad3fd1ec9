"""Numbers of scripts in; how long reading them takes, and how much a prompt tells of them, out. *Process*.

    python bench/tools.py                    # 10, 100 and 1,000 scripts
    python bench/tools.py --scripts 1000 --json

Seconds of processor time, our own and our children's; only the ratios of one run mean something elsewhere.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts import draft_script, draft_scripts

ASKS = (
    "how many hours did I spend on the garden project",
    "convert 250 pounds to euros and add it to the expense report",
    "list the books by this author, sorted by rating, and count the pages",
    "collect the receipts of last month",
    "tidy the inbox",
)
CHANGED = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--scripts", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = [measure(number) for number in given.scripts]
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    heads = ("scripts", "tools", "KB", "parse", "cold index", "nothing", f"{CHANGED} changed", "tools told")
    units = ("", "", "", "s", "s (x parse)", "ms", "ms (x parse)", "tokens")
    for words in (heads, units):
        print("{:>7} {:>6} {:>6} {:>7} {:>16} {:>8} {:>18} {:>11}".format(*words))
    for row in rows:
        print(
            f"{row['scripts']:>7} {row['tools']:>6} {row['bytes'] >> 10:>6} {row['parse']:>7.3f}"
            f" {row['cold']:>7.3f} ({row['cold'] / row['parse']:>5.2f}x) {1000 * row['nothing']:>8.1f}"
            f" {1000 * row['changed']:>9.1f} ({row['changed'] / row['parse_changed']:>5.2f}x)"
            f" {row['told']:>11}"
        )
    load = " ".join(f"{part:.1f}" for part in os.getloadavg())
    print(f"goals: 1,000 scripts cold under 5 s; tools told under 1,200 tokens at any number. load {load}")


def measure(number: int) -> dict[str, Any]:
    """All figures for one vault with so many scripts."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "vault"
        for path, text in draft_scripts(number):
            file = root / "02_System" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8")
        (root / "Home.md").write_text("# Home\n", "utf-8")
        for name in ("CACHE", "STATE", "CONFIG"):
            os.environ[f"NEST_{name}_DIR"] = f"{folder}/{name}"
        texts = [file.read_bytes() for file in sorted(root.rglob("*.py"))]
        parse = min(spent(lambda: parsed(texts)) for _ in range(3))
        return {
            "scripts": number,
            "bytes": sum(map(len, texts)),
            "parse": parse,
            **indexed(root, number),
            "told": told(root),
        }


def indexed(root: Path, number: int) -> dict[str, Any]:
    """What the index costs: made new, looked at, and after some scripts changed."""
    from nestkit.nest import open_nest

    def cold() -> None:
        with open_nest(root, root, rebuild=True) as nest:
            nest.refresh()

    colds = [spent(cold) for _ in range(3)]
    with open_nest(root, root) as nest:
        nest.refresh()
        tools = len(nest.registry.tools)
        nothing = statistics.median(spent(nest.refresh) for _ in range(9))
        changes, bare = [], []
        for version in range(1, 6):
            few = [draft_script(place, version=version) for place in range(0, number, max(1, number // CHANGED))][
                :CHANGED
            ]
            for path, text in few:
                (root / "02_System" / path).write_text(text, "utf-8")
            changes.append(spent(nest.refresh))
            bare.append(spent(lambda few=few: parsed([text.encode() for path, text in few if path.endswith(".py")])))
    return {
        "tools": tools,
        "cold": min(colds),
        "nothing": nothing,
        "changed": max(0.0, statistics.median(changes) - nothing),
        "parse_changed": statistics.median(bare),
    }


def told(root: Path) -> int:
    """The most tokens that tools take in the prompt of an ask: those that fit it, and those always told."""
    from nestkit.agent.budget import count_tokens
    from nestkit.hall.opening import PROMPT_TOOLS
    from nestkit.nest import open_nest
    from nestkit.parse.tool_text import draft_tool_line

    with open_nest(root, root) as nest:
        nest.refresh()
        always = [nest.get_tool(f"vault.{name}") for name in ("list_notes", "read_note", "search")]
        found = [[*nest.find_tools(text, PROMPT_TOOLS), *always] for text in ASKS]
    return max(count_tokens("\n".join(map(draft_tool_line, tools))) for tools in found)


def parsed(texts: list[bytes]) -> None:
    """The least that any reader must do: Python's own parser over every file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text in texts:
            ast.parse(text)


def spent(work: Callable[[], object]) -> float:
    """Seconds of processor time, our own and our children's."""
    before = os.times()
    begun = time.process_time()
    work()
    after = os.times()
    return (
        time.process_time()
        - begun
        + after.children_user
        - before.children_user
        + after.children_system
        - before.children_system
    )


if __name__ == "__main__":
    main()
