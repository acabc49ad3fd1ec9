"""Run by test_crash.py as a process of its own: does something to a vault, is killed in the middle, looks at the vault.

A forked child counts every file operation it is about to do (the interpreter's own audit events, so nothing in nestkit
knows of this) and dies by SIGKILL before the Nth; then the same for N + 1, until it comes through. The parent prints
what it found as JSON.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from nestkit.change import Change, digest
from nestkit.vault.apply import apply_changes, recover, undo
from nestkit.vault.write import delete_file, write_file

FILES = {
    "A.md": b"alpha\n",
    "Deep/er/B.md": b"beta\n" * 1000,
    "Deep/C.canvas": b"{}",
    "Empty.md": b"",
    "Gone.md": b"to be deleted",
    "Other.md": b"never touched",
}
CHANGES = (
    Change("A.md", FILES["A.md"], b"ALPHA\n" * 5000),
    Change("Deep/er/B.md", FILES["Deep/er/B.md"], b""),
    Change("Deep/C.canvas", FILES["Deep/C.canvas"], b"{ }"),
    Change("Gone.md", FILES["Gone.md"], None),
    Change("New/folder/D.md", None, b"delta"),
    Change("New/E.md", None, b"\x00\xff binary"),
)
State = dict[str, tuple[int, bytes | None]]


def make(root: Path) -> None:
    shutil.rmtree(root, ignore_errors=True)
    for path, content in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (root / "A.md").chmod(0o600)
    (root / "Gone.md").chmod(0o640)


def applied(root: Path) -> None:
    make(root)
    apply_changes(root, "R1", CHANGES)


def state(root: Path) -> State:
    """Mode and bytes of everything below, hidden files too, but for nest's own folder."""
    found = {
        str(file.relative_to(root)): file for file in root.rglob("*") if ".nest" not in file.relative_to(root).parts
    }
    return {path: (file.stat().st_mode, file.read_bytes() if file.is_file() else None) for path, file in found.items()}


def killed(act: Callable[[], object], *, at: int = 0, after: float = 0.0) -> bool:
    """Whether a child doing this was killed: before its file operation number `at`, or `after` so many seconds."""
    child = os.fork()
    if child == 0:
        if after:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, after)
        left = at

        def count(event: str, _: object) -> None:
            nonlocal left
            if event == "open" or event.startswith("os."):
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        act()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise SystemExit("the child failed by itself")
    return os.WIFSIGNALED(status)


def interrupted(act: Callable[[], object], at: int) -> bool:
    """Whether this was broken off by Ctrl-C before its file operation number `at`; here, in this process."""
    LEFT[0] = at
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        LEFT[0] = 0
    return False


LEFT = [0]
"""File operations that are let through before one Ctrl-C; 0 lets all through."""


def interrupt(event: str, _: object) -> None:
    if LEFT[0] and (event == "open" or event.startswith("os.")):
        LEFT[0] -= 1
        if LEFT[0] == 0:
            raise KeyboardInterrupt


class Tally:
    """How often the vault was found as before, as after, or otherwise."""

    def __init__(self, before: State, after: State) -> None:
        self.known = {"before": before, "after": after}
        self.found: Counter[str] = Counter()
        self.bad: list[str] = []

    def look(self, root: Path, where: str, seen: State | None = None) -> None:
        seen = state(root) if seen is None else seen
        name = next((name for name, known in self.known.items() if seen == known), "")
        self.found[name or "bad"] += 1
        if not name:
            off = {path for known in self.known.values() for path in known.keys() ^ seen.keys()}
            self.bad.append(f"{where}: {sorted(off)}")
        if list(root.glob(".nest/open-*")):
            self.bad.append(f"{where}: still marked open")

    def print(self) -> None:
        print(json.dumps({"found": self.found, "bad": self.bad}))


def whole(root: Path, ready: Callable[[Path], None], act: Callable[[], object]) -> None:
    """Killed at every point, and at random times; `recover` must leave everything before or everything after."""
    ready(root)
    before = state(root)
    act()
    tally = Tally(before, state(root))
    dice, at = random.Random(7), 1
    while True:
        ready(root)
        dead = killed(act, at=at)
        recover(root)
        tally.look(root, f"point {at}")
        if recover(root):
            tally.bad.append(f"point {at}: a second recovery found something to do")
        if not dead:
            break
        at += 1
    for number in range(25):
        ready(root)
        killed(act, after=dice.uniform(0.0002, 0.008))
        recover(root)
        tally.look(root, f"time {number}")
    tally.found["points"] = at
    tally.print()


def twice(root: Path) -> None:
    """Killed while applying, then killed again at every point of the recovery."""
    make(root)
    before = state(root)
    apply_changes(root, "R1", CHANGES)
    tally, total = Tally(before, state(root)), 1
    make(root)
    while killed(lambda: apply_changes(root, "R1", CHANGES), at=total):
        make(root)
        total += 1
    for at in (total // 4, total // 2, total * 3 // 4, total - 14, total - 10):
        point = 1
        while True:
            make(root)
            killed(lambda: apply_changes(root, "R1", CHANGES), at=at)
            dead = killed(lambda: recover(root), at=point)
            recover(root)
            tally.look(root, f"point {at}, then {point}")
            if not dead:
                break
            point += 4
    tally.print()


def broken_off(root: Path) -> None:
    """Ctrl-C at every point: in order again at once, without any recovery, and no descriptor left open."""
    make(root)
    before = state(root)
    apply_changes(root, "R1", CHANGES)
    tally, at = Tally(before, state(root)), 1
    sys.addaudithook(interrupt)
    descriptors = len(list(Path("/dev/fd").iterdir()))
    while True:
        make(root)
        stopped = interrupted(lambda: apply_changes(root, "R1", CHANGES), at)
        seen = state(root)
        recover(root)
        tally.look(root, f"point {at}", seen)
        tally.look(root, f"point {at}, recovered")
        if not stopped:
            break
        at += 1
    if len(list(Path("/dev/fd").iterdir())) != descriptors:
        tally.bad.append("descriptors were left open")
    tally.found["points"] = at
    tally.print()


def single(root: Path, act: Callable[[], object]) -> None:
    """One file, killed at every point: the old one or the new one, and at the most a hidden leftover."""
    make(root)
    before = state(root)
    act()
    tally, at = Tally(before, state(root)), 1
    while True:
        make(root)
        dead = killed(act, at=at)
        seen = {path: found for path, found in state(root).items() if not Path(path).name.startswith(".nest-")}
        empty = {path for path, (_, content) in seen.items() if content is None and path not in before}
        whole_file = any(path not in before and content is not None for path, (_, content) in seen.items())
        tally.look(root, f"point {at}", {path: seen[path] for path in seen if whole_file or path not in empty})
        if not dead:
            break
        at += 1
    tally.found["points"] = at
    tally.print()


if __name__ == "__main__":
    what, root = sys.argv[1], Path(sys.argv[2])
    old = digest(FILES["A.md"])
    {
        "apply": lambda: whole(root, make, lambda: apply_changes(root, "R1", CHANGES)),
        "undo": lambda: whole(root, applied, lambda: undo(root, "R1")),
        "recover": lambda: twice(root),
        "interrupt": lambda: broken_off(root),
        "replace": lambda: single(root, lambda: write_file(root, "A.md", b"new" * 5000, old)),
        "create": lambda: single(root, lambda: write_file(root, "New/x/N.md", b"new" * 5000)),
        "delete": lambda: single(root, lambda: delete_file(root, "A.md", old)),
    }[what]()
