"""How much a process may use at most: a wish in, the kernel's own ceilings set, out. *Process*.

Runs in the child: standard library only.

**Source**: getrlimit(2).
"""

from __future__ import annotations

import resource
import sys
from typing import Any


def hold(wish: dict[str, Any], *, file_bytes: int, processes: int | None) -> None:
    """Set every ceiling soft and hard alike, so that the process cannot move it.

    `processes` counts all of the same user; None where somebody else counts them. macOS does not hold memory.
    """
    limits = {
        "CPU": max(1, wish["cpu_seconds"]),
        "AS": wish["memory_bytes"],
        "FSIZE": file_bytes,
        "NOFILE": wish["open_files"],
        "NPROC": processes,
        "CORE": 0,
        "MEMLOCK": 0,
        "MSGQUEUE": 0,
    }
    for name, most in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None or most is None or (name == "AS" and sys.platform == "darwin"):
            continue
        top, most = resource.getrlimit(kind)[1], max(0, most)  # below 0 it would be none at all
        most = most if top == resource.RLIM_INFINITY else min(most, top)
        resource.setrlimit(kind, (most, most))
