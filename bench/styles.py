"""Programs and single calls by JSON compared on the asks that need several tools: rounds, tokens, failures.

    python bench/styles.py [--json] [--asks N]

Each ask is walked over the small working vault by a scripted model that knows the way: once as the one program of the
reference, once as the calls which that program made, one a turn. So the model's skill is left out; what stays is what
the style itself costs. The calls are walked under limits that they fit in, and under those of an untouched vault.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nestkit.policy import Limits
from nestkit.testing import OllamaServer, count_prompt

ROOT = Path(__file__).parent.parent
WIDE = {"steps": 80, "tokens": 65_536, "run_tokens": 5_000_000}
"""Limits under which even the longest row of calls fits."""


class Walked(NamedTuple):
    """How one ask went in one style."""

    status: str
    answer: Any
    rounds: int
    tokens: int
    """Of all prompts, as the server counts."""
    steps: list[dict[str, Any]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--asks", type=int, help="only the first so many")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    cases = [json.loads(line) for line in (ROOT / "tests/cases/asks.jsonl").read_text("utf-8").splitlines()]
    composed = [case for case in cases if case["kind"] == "needs-composition-of-2+-tools" or case["id"] == "l016"]
    with tempfile.TemporaryDirectory() as folder:
        vault = Path(shutil.copytree(ROOT / "tests/vaults/ops", Path(folder) / "vault"))
        rows = [compare(vault, case) for case in composed[: chosen.asks]]
    print(json.dumps(rows) if chosen.json else draft(rows))


def compare(vault: Path, case: dict[str, Any]) -> dict[str, Any]:
    """One ask in both styles."""
    program = {"role": "assistant", "content": f"Thought: compose.\n```python\n{case['reference']}```"}
    code = walk(vault, case["ask"], [program], "code", WIDE)
    calls = [call for step in code.steps for call in step["calls"]]
    turns = [
        *(call_turn(call["tool"], call["arguments"]) for call in calls),
        call_turn("final_answer", {"value": code.answer}),
    ]
    single = walk(vault, case["ask"], turns, "json", WIDE)
    usual = walk(vault, case["ask"], turns, "json", {})
    return {
        "ask": case["ask"],
        "code": {"status": code.status, "rounds": code.rounds, "tokens": code.tokens},
        "json": {"status": single.status, "rounds": single.rounds, "tokens": single.tokens},
        "json within the usual limits": usual.status,
        "same answer": code.answer == single.answer,
    }


def call_turn(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    function = {"name": tool.replace(".", "__"), "arguments": arguments}
    return {"role": "assistant", "content": "", "tool_calls": [{"function": function}]}


def walk(vault: Path, ask: str, turns: Sequence[dict[str, Any]], style: str, limits: dict[str, Any]) -> Walked:
    """The ask in a process of its own."""
    Limits(**limits)  # a wrong name is better told here
    with OllamaServer(turns) as server:
        wish = {"vault": str(vault), "url": server.url, "ask": ask, "limits": limits, "style": style}
        command = [sys.executable, str(Path(__file__).with_name("nest_job.py"))]
        done = subprocess.run(command, input=json.dumps(wish), capture_output=True, text=True, check=True)
        tokens = sum(count_prompt(request["messages"], request.get("tools", ())) for request in server.requests)
        rounds = len(server.requests)
    told = json.loads(done.stdout.splitlines()[-1])
    return Walked(told["status"], told["answer"], rounds, tokens, told["steps"])


def draft(rows: Sequence[dict[str, Any]]) -> str:
    """The table and its last line."""
    lines = ["| ask | code: rounds, tokens | json: rounds, tokens | json within 8 steps |", "|---|---|---|---|"]
    for row in rows:
        cells = [f"{row[style]['rounds']}, {row[style]['tokens']:,}" for style in ("code", "json")]
        lines.append(f"| {row['ask']} | {' | '.join(cells)} | {row['json within the usual limits']} |")
    sums = {
        style: [sum(row[style][part] for row in rows) for part in ("rounds", "tokens")] for style in ("code", "json")
    }
    failed = {style: sum(row[style]["status"] != "ok" for row in rows) for style in ("code", "json")}
    unfinished = sum(row["json within the usual limits"] != "ok" for row in rows)
    lines.append(
        f"\n{len(rows)} asks: {sums['code'][0]} rounds and {sums['code'][1]:,} tokens with programs, "
        f"{sums['json'][0]} and {sums['json'][1]:,} with single calls "
        f"({sums['json'][1] / max(1, sums['code'][1]):.1f} times as many); "
        f"failed {failed['code']} and {failed['json']}, "
        f"{unfinished} unfinished within the usual limits; {sum(row['same answer'] for row in rows)} answers alike"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
