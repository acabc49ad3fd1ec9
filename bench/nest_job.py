"""One conversation of nest with a scripted server: a wish on stdin, how it went as one line of JSON out. *Process*.

python bench/nest_job.py < {"vault", "url", "ask", "limits", "style"?}
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from nestkit.hall.walk import Company
from nestkit.nest import open_nest
from nestkit.policy import Limits
from nestkit.run import Ask, Step

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")


def main() -> None:
    wish = json.load(sys.stdin)
    os.environ["OLLAMA_HOST"] = wish["url"]
    with tempfile.TemporaryDirectory() as folder:
        places = {f"NEST_{name}_DIR": f"{folder}/{name}" for name in ("CACHE", "STATE", "CONFIG")}
        vault = Path(wish["vault"])
        with open_nest(vault, vault, environ=places, to_write=True) as nest:
            nest.refresh()
            limits = Limits(**wish["limits"])
            ask = Ask(wish["ask"], NOW, model="ollama/scripted", style=wish.get("style", "code"), limits=limits)
            begun = time.perf_counter()
            run = nest.answer(ask, Company(), keep=False)
            seconds = time.perf_counter() - begun
    told = {"status": run.status, "answer": run.end.answer, "reason": run.end.reason, "seconds": seconds}
    print(json.dumps({**told, "steps": [_step(step) for step in run.steps]}, default=str))


def _step(step: Step) -> dict[str, Any]:
    model = step.account.model_seconds if step.account else 0.0
    tools = sum(call.seconds for call in step.outcome.calls)
    calls = [{"tool": call.tool, "arguments": dict(call.arguments)} for call in step.outcome.calls if call.allowed]
    times = {"seconds": step.seconds, "model_seconds": model, "tool_seconds": tools}
    return {**times, "error": step.outcome.error, "final": step.outcome.final, "calls": calls}


if __name__ == "__main__":
    main()
