"""nest and smolagents on the same scripted conversations, side by side in one run.

    python -m venv /tmp/smol && /tmp/smol/bin/pip install smolagents openai
    python bench/vs_smolagents.py --smolagents-python /tmp/smol/bin/python [--repeats 5] [--limit 2] [--json]

One server plays the same turns for both, each agent runs in a process of its own with the same two tools. Own time is
a step's wall time less what a bare exchange with the server takes and less the tools. Only ratios of one run hold.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from conversations import CLOSING, CONVERSATIONS, ENDLESS, LOOKS, PROGRAMS, SCRIPT, turn

from nestkit.testing import OllamaServer, count_prompt

_HERE = Path(__file__).parent
_STEPS = 6


class Played(NamedTuple):
    """How one conversation went."""

    told: dict[str, Any]
    rounds: int
    tokens: int
    """Of all prompts, as the server counts."""
    seconds: float
    """Of the whole process."""


class Agent:
    """One of the two."""

    def __init__(self, name: str, python: str, job: str, vault: Path, limit: float) -> None:
        self.name, self._python, self._job, self._vault, self._limit = name, python, job, vault, limit

    def play(self, ask: str, turns: Sequence[dict[str, Any]]) -> Played:
        """The conversation walked; what the process said, and what the server saw."""
        with OllamaServer(turns) as server:
            wish = {
                "vault": str(self._vault),
                "script": str(self._vault / "02_System/shop.py"),
                "url": server.url,
                "ask": ask,
                "steps": _STEPS,
                "seconds": self._limit,
                "limits": {"steps": _STEPS, "step_seconds": self._limit, "tokens": 16_384},
            }
            command = [self._python, str(_HERE / self._job)]
            begun = time.perf_counter()
            done = subprocess.run(command, input=json.dumps(wish), capture_output=True, text=True, timeout=300)
            seconds = time.perf_counter() - begun
            rounds = len(server.requests)
            tokens = sum(count_prompt(request["messages"], request.get("tools", ())) for request in server.requests)
        if done.returncode:
            return Played(
                {"status": "crashed", "answer": None, "steps": [], "error": done.stderr[-300:]}, rounds, tokens, seconds
            )
        return Played(json.loads(done.stdout.splitlines()[-1]), rounds, tokens, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smolagents-python", metavar="PYTHON", help="a Python that has smolagents and openai")
    parser.add_argument("--repeats", type=int, default=5, help="of each conversation (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=2, help="seconds a program may take (default: %(default)s)")
    parser.add_argument(
        "--programs", type=int, default=len(PROGRAMS), help="of the odd programs, only the first so many"
    )
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        vault = Path(folder) / "vault"
        (vault / "02_System").mkdir(parents=True)
        (vault / "02_System/shop.py").write_text(SCRIPT)
        (vault / "nest.toml").write_text("")
        agents = [Agent("nest", sys.executable, "nest_job.py", vault, chosen.limit)]
        if chosen.smolagents_python:
            agents.append(Agent("smolagents", chosen.smolagents_python, "smolagents_job.py", vault, chosen.limit))
        rows = [row for agent in agents for row in measure(agent, chosen.repeats, chosen.programs)]
    if chosen.json:
        print(json.dumps(rows))
        return
    names = list(dict.fromkeys(row["what"] for row in rows))
    print(f"| | {' | '.join(agent.name for agent in agents)} |\n|---|{'---|' * len(agents)}")
    for name in names:
        cells = [
            next((row["shown"] for row in rows if (row["agent"], row["what"]) == (a.name, name)), "") for a in agents
        ]
        print(f"| {name} | {' | '.join(cells)} |")


def measure(agent: Agent, repeats: int, programs: int) -> list[dict[str, Any]]:
    """Every row of one agent."""
    rows = []

    def row(what: str, shown: str, **figures: Any) -> None:
        rows.append({"agent": agent.name, "what": what, "shown": shown, **figures})

    own: list[float] = []
    for talk in CONVERSATIONS:
        played = [agent.play(talk.ask, [*map(turn, talk.programs)]) for _ in range(repeats)]
        exchange = bare_exchange(talk.programs)
        own += [own_seconds(step, exchange) for each in played for step in each.told["steps"]]
        right = all(each.told["answer"] == talk.answer for each in played)
        shown = f"{'right' if right else 'WRONG'}, {played[0].rounds} rounds, {played[0].tokens:,} prompt tokens"
        row(talk.name, shown, right=right, rounds=played[0].rounds, tokens=played[0].tokens)
    middle = statistics.median(own) if own else 0.0
    row("own time a step, median", f"{1000 * middle:.1f} ms", milliseconds=1000 * middle)
    some = dict(list(PROGRAMS.items())[:programs])
    wrong = [name for name, (program, answer) in some.items() if not runs(agent, program, answer)]
    told = f"{len(some) - len(wrong)} of {len(some)}" + (f"; not: {', '.join(wrong)}" if wrong else "")
    row("odd programs of plain Python that it runs rightly", told, right=len(some) - len(wrong), wrong=wrong)
    stuck = agent.play("What is it?", [*map(turn, LOOKS[:_STEPS]), {"role": "assistant", "content": CLOSING}])
    answer = stuck.told["answer"]
    row(
        f"after {_STEPS} steps without an answer",
        f"{stuck.told['status']}, {stuck.rounds} requests, answer: {answer!r}",
        status=stuck.told["status"],
        requests=stuck.rounds,
        invented=answer is not None,
    )
    for what, program in ENDLESS.items():
        endless = agent.play("Loop", [turn(program), turn("final_answer(1)")])
        first = endless.told["steps"][0] if endless.told["steps"] else {"seconds": endless.seconds}
        row(f"gives up {what} after", f"{first['seconds']:.1f} s", seconds=first["seconds"])
    return rows


def runs(agent: Agent, program: str, answer: Any) -> bool:
    """Whether the program comes to its answer in one step."""
    played = agent.play("Run it", [turn(program)])
    return bool(played.told["answer"] == answer and len(played.told["steps"]) == 1)


def own_seconds(step: dict[str, Any], exchange: float) -> float:
    return float(step["seconds"]) - float(step["tool_seconds"]) - exchange


def bare_exchange(programs: Sequence[str]) -> float:
    """Seconds of one request and its streamed reply, by nothing but http.client: what is the server's."""
    body = json.dumps({"model": "scripted", "messages": [{"role": "user", "content": "hi"}], "stream": True})
    taken = []
    with OllamaServer([turn(programs[-1])] * 5) as server:
        for _ in range(5):
            connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
            begun = time.perf_counter()
            connection.request("POST", "/api/chat", body)
            connection.getresponse().read()
            taken.append(time.perf_counter() - begun)
            connection.close()
    return statistics.median(taken)


if __name__ == "__main__":
    main()
