"""What nest itself costs in an ask to a model: its own time a step, and the time from the command to the first request.

    python bench/agent.py [--runs 15] [--json]

A scripted server answers at once, on the example vault. Own time of a step is its wall time less the tools and less
what a bare exchange with the same server takes. Goals: 15 ms a step, 250 ms to the first request. The start is measured
once more with Ollama's own package loaded too, when it would be needed and in a thread from the first moment on. The
ratios to a bare start of Python, and to a bare exchange, and times of the processor hold on a busy machine; other
milliseconds do not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ask import ROOT, timed
from conversations import turn
from vs_smolagents import bare_exchange, own_seconds

from nestkit.testing import OllamaServer
from nestkit.testing.answer import Answer

ASK = "How many hours did I log on Weather station?"
PROGRAMS = (
    "rows = list_notes(folder='01_Notes/Projects')\nprint(len(rows), rows[0])",
    "hours = float(timelog.total(project='Weather station'))\nprint(hours)",
    "print(convert(68, 'fahrenheit', 'celsius'))",
    "final_answer(hours)",
)


_MAIN = "from nestkit.doors.cli import main; main()"
_LATE = """
import nestkit.hall.servers as servers
real = servers.open_chat
def open_chat(*words):
    import ollama
    return real(*words)
servers.open_chat = open_chat
"""
_EARLY = "import threading; threading.Thread(target=lambda: __import__('ollama'), daemon=True).start()\n"
STARTS = {
    "": _MAIN,
    ", with the package": _LATE + _MAIN,
    ", with the package in a thread": _EARLY + _LATE + _MAIN,
}
"""How the command is started: as it is, and as it would be with Ollama's own package."""


class TimedServer(OllamaServer):
    """A server that notes when the first chat request came, on the clock that all processes share, and what the
    process that sent it had used of the processor by then."""

    first = 0.0
    cpu = 0.0
    process = 0

    def _respond(self, call: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        if call == "POST /api/chat" and not self.first:
            self.first = time.monotonic()
            ticks = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()[11:13]
            self.cpu = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        return super()._respond(call, body, headers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="counted runs of each (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        vault = Path(shutil.copytree(ROOT / "vault", Path(folder) / "vault"))
        environment = {
            **os.environ,
            **{f"NEST_{name}_DIR": f"{folder}/{name}" for name in ("CACHE", "STATE", "CONFIG")},
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        figures = measure(vault, environment, chosen.runs)
    if chosen.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:<75} {value:8.1f}")


def measure(vault: Path, environment: dict[str, str], runs: int) -> dict[str, float]:
    """Medians, in milliseconds, and two ratios."""
    bare = statistics.median(timed([sys.executable, "-c", "pass"], vault, environment)[0] for _ in range(runs))
    exchange = bare_exchange(PROGRAMS)
    steps = [step for _ in range(runs) for step in play(vault)["steps"]]
    own = statistics.median(own_seconds(step, exchange) for step in steps)
    for code in STARTS.values():
        first_request(vault, environment, code)  # writes what Python caches of its modules, and the index
    starts = [{name: first_request(vault, environment, code) for name, code in STARTS.items()} for _ in range(runs)]
    walls = {name: statistics.median(each[name][0] for each in starts) for name in STARTS}
    cpus = {name: statistics.median(each[name][1] for each in starts) for name in STARTS}
    return {
        "own time a step, ms (goal 15)": 1000 * own,
        "bare exchange with the server, ms": 1000 * exchange,
        "own time a step beside a bare exchange": own / exchange,
        **{f"command to first request, warm, ms (goal 250){name}": 1000 * wall for name, wall in walls.items()},
        **{f"of the processor, ms{name}": 1000 * cpu for name, cpu in cpus.items()},
        "bare start of Python, ms": 1000 * bare,
        "command to first request beside a bare start": walls[""] / bare,
    }


def play(vault: Path) -> dict[str, Any]:
    """One ask of several steps, in a process of its own."""
    with OllamaServer([*map(turn, PROGRAMS)]) as server:
        wish = {"vault": str(vault), "url": server.url, "ask": ASK, "limits": {}}
        command = [sys.executable, str(Path(__file__).with_name("nest_job.py"))]
        done = subprocess.run(command, input=json.dumps(wish), capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if told["status"] != "ok":
        raise SystemExit(f"the conversation went wrong: {told}")
    return told


def first_request(vault: Path, environment: dict[str, str], code: str) -> tuple[float, float]:
    """Seconds from the start of the command until the server has the first request, and seconds of the processor."""
    with TimedServer([turn("final_answer(1)")]) as server:
        words = ["ask", ASK, "--model", "ollama/scripted", "--no-note", "--fresh"]
        begun = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-c", code, *words],
            cwd=vault,
            env={**environment, "OLLAMA_HOST": server.url},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            server.process = process.pid
        return server.first - begun, server.cpu


if __name__ == "__main__":
    main()
