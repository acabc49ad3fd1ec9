"""Paths as they are reported, in; those that stand still, out. The only thing that events share with the work. *Disk*,
looking at sizes and times only."""

from __future__ import annotations

import threading
from pathlib import Path

MAX_PATHS = 20_000
"""More paths at once are no list of changes any more: the whole vault is looked at instead."""
WHOLE = ""
"""The path that stands for the whole vault."""

_Signature = tuple[int, int, int] | None


class Settling:
    """A set of paths; `add` may be called from any thread and does next to nothing."""

    def __init__(self, root: Path, seconds: float) -> None:
        self.bell = threading.Event()
        """Set whenever something arrived."""
        self._root = root
        self._seconds = seconds
        self._lock = threading.Lock()
        self._arrived: set[str] = set()
        self._waiting: dict[str, tuple[float, _Signature]] = {}

    def add(self, path: str) -> None:
        """Something may have happened there."""
        with self._lock:
            if path == WHOLE or len(self._arrived) >= MAX_PATHS:
                self._arrived = {WHOLE}
            elif WHOLE not in self._arrived:
                self._arrived.add(path)
        self.bell.set()

    def take(self, now: float) -> list[str]:
        """Paths whose size and time have stood still for the settling time, in order of arrival; `now` is monotonic."""
        with self._lock:
            arrived, self._arrived = self._arrived, set()
        if len(self._waiting) + len(arrived) > MAX_PATHS:
            self._waiting.clear()
            arrived = {WHOLE}
        if WHOLE in self._waiting:
            arrived.discard(WHOLE)  # a look at everything is not put off by whatever goes on meanwhile
        for path in sorted(arrived):
            self._waiting.pop(path, None)
            self._waiting[path] = (now + self._seconds, self._look(path))
        still: list[str] = []
        for path, (due, signature) in list(self._waiting.items()):
            if due > now:
                continue
            seen = self._look(path)
            del self._waiting[path]
            if seen == signature:
                still.append(path)
            else:
                self._waiting[path] = (now + self._seconds, seen)
        return still

    def wait_seconds(self, now: float) -> float | None:
        """How long until something may be due; None when nothing is under way."""
        with self._lock:
            if self._arrived:
                return 0.0
        return max(0.0, min(due for due, _ in self._waiting.values()) - now) if self._waiting else None

    def __len__(self) -> int:
        with self._lock:
            return len(self._arrived) + len(self._waiting)

    def _look(self, path: str) -> _Signature:
        if path == WHOLE:
            return None
        try:
            found = (self._root / path).lstat()
        except (OSError, ValueError):
            return None
        return found.st_size, found.st_mtime_ns, found.st_ino
