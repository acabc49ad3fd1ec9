"""Processes of this machine, as tests look for those that should be gone."""

from __future__ import annotations

import time
from pathlib import Path


def below(number: int) -> set[int]:
    """Every process below this one."""
    found: set[int] = set()
    todo = [number]
    while todo:
        try:
            for task in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
                new = {int(child) for child in task.read_text().split()} - found
                found |= new
                todo += new
        except OSError:
            continue
    return found


def wait_until_gone(numbers: set[int], seconds: float = 2.0) -> set[int]:
    """Those of these processes that are still there so many seconds later."""
    ending = time.monotonic() + seconds
    while numbers and time.monotonic() < ending:
        numbers = {number for number in numbers if is_alive(number)}
        time.sleep(0.02)
    return numbers


def is_alive(number: int) -> bool:
    """Whether it is there, and not dead already."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
