"""smolagents' local executor on a piece of work; its seconds as one line of JSON. *Process*.

    PYTHON bench/sandbox_peer.py WORK

Runs under any Python that has smolagents, so it imports nothing of nestkit.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from statistics import median
from typing import Any

import smolagents
from smolagents.local_python_executor import LocalPythonExecutor


def nothing() -> None:
    """The empty tool."""


def make(**settings: Any) -> LocalPythonExecutor:
    executor = LocalPythonExecutor(["json", "time"], **settings)
    executor.send_tools({"nothing": nothing})
    return executor


def timed(code: str, executor: LocalPythonExecutor | None = None) -> float:
    begun = time.perf_counter()
    (executor or make())(code)
    return time.perf_counter() - begun


def main() -> None:
    work = sys.argv[1]
    plain: dict[str, Any] = {}
    exec(work, plain)
    calls = 2000
    loop = f"for _ in range({calls}):\n    nothing()"
    begun = time.perf_counter()
    with contextlib.suppress(Exception):  # its own kind of timeout
        make(timeout_seconds=1)("sum(range(4 * 10**8))")
    overrun = time.perf_counter() - begun - 1
    print(
        json.dumps(
            {
                "version": smolagents.__version__,
                "start": median(timed("1") for _ in range(25)),
                "call": timed(loop) / calls,
                "work": timed(work),
                "plain": plain["seconds"],
                "overrun": max(0.0, overrun),
            }
        )
    )


if __name__ == "__main__":
    main()
