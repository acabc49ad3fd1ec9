"""One conversation of smolagents with a scripted server: a wish on stdin, one line of JSON out. *Process*.

    PYTHON bench/smolagents_job.py < {"script", "url", "ask", "steps", "seconds"}

Runs under a Python that has smolagents and openai, so it imports nothing of nestkit. Its tools are the functions of the
script, wrapped by smolagents' own `tool`; all else is as it comes.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import json
import sys
import time
from typing import Any


def main() -> None:
    wish = json.load(sys.stdin)
    from smolagents import CodeAgent, OpenAIServerModel, tool
    from smolagents.local_python_executor import LocalPythonExecutor
    from smolagents.memory import ActionStep

    spec = importlib.util.spec_from_file_location("shop", wish["script"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    functions = [value for name, value in vars(module).items() if inspect.isfunction(value) and name[0] != "_"]
    model = OpenAIServerModel("scripted", api_base=f"{wish['url']}/v1", api_key="none")
    executor = LocalPythonExecutor(additional_authorized_imports=[], timeout_seconds=wish["seconds"])
    tools = [tool(function) for function in functions]
    agent = CodeAgent(tools=tools, model=model, executor=executor, max_steps=wish["steps"], verbosity_level=0)
    begun = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        result = agent.run(wish["ask"], return_full_result=True)
    seconds = time.perf_counter() - begun
    steps = [_step(step) for step in agent.memory.steps if isinstance(step, ActionStep)]
    print(
        json.dumps({"status": result.state, "answer": result.output, "seconds": seconds, "steps": steps}, default=str)
    )


def _step(step: Any) -> dict[str, Any]:
    times = {"seconds": step.timing.duration, "model_seconds": 0.0, "tool_seconds": 0.0}
    return {**times, "error": str(step.error or ""), "final": bool(step.is_final_answer)}


if __name__ == "__main__":
    main()
