"""Run by test_crash.py as a process of its own: watches a vault, is killed in the middle, watches it again, then looks.

A forked child counts calls of the daemon's own modules (by the interpreter's profiler, so nothing in nestkit knows of
this) and dies by SIGKILL at the Nth. Then another child starts as a person would start nest again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from nestkit.hall.daemon import Daemon
from nestkit.nest import open_nest

COUNTED = (
    "daemon.py",
    "marking.py",
    "answers.py",
    "write_back.py",
    "ledger.py",
    "recording.py",
    "write.py",
    "growing.py",
)
QUESTIONS = ("Which projects are active?", "List the notes tagged client")
BEFORE = "top of mine\n- [ ] milk\n"
AFTER = "bottom of mine\n"


def make(root: Path, base: Path) -> None:
    for folder in (root, *(Path(os.environ[f"NEST_{name}_DIR"]) for name in ("STATE", "CACHE"))):
        shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(base, root)
    (root / "a.md").write_text(f"{BEFORE}- [ ] #nest {QUESTIONS[0]}\n{AFTER}")
    (root / "b.md").write_text(f"{BEFORE}\n```nest\n{QUESTIONS[1]}\n```\n{AFTER}")


def watch(root: Path, at: int = 0) -> tuple[bool, int]:
    """(whether the child was killed, calls that it counted) of a child that drains the vault."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        calls = 0

        def count(frame: FrameType, event: str, _: Any) -> None:
            nonlocal calls
            if event in ("call", "return") and frame.f_code.co_filename.rpartition("/")[2] in COUNTED:
                calls += 1
                if calls == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        code = 1
        try:
            with open_nest(root, root, to_write=True) as nest:
                nest.refresh()
                daemon = Daemon(nest, lambda line: None)
                sys.setprofile(count)
                with daemon.open():
                    daemon.drain()
                sys.setprofile(None)
            os.write(write, str(calls).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(write)
    told = os.read(read, 100)
    os.close(read)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit("the child failed")
    return os.WIFSIGNALED(status), int(told or 0)


def look(root: Path) -> list[str]:
    """What is wrong with the vault after all; empty when each question ran once or is reported."""
    wrong = []
    runs = [file.read_text() for file in (root / "03_Runs").rglob("*.md")]
    for name, question in zip("ab", QUESTIONS, strict=True):
        text = (root / f"{name}.md").read_text()
        kept = re.sub(r"(?ms)^ *%% nest .*?%% /nest %%\n", "", text)
        if not kept.startswith(BEFORE) or not kept.endswith(AFTER):
            wrong.append(f"{name}: {text}")
        states = re.findall(r"%% nest \w+ (\w+) ", text)
        ran = sum(f'nest-ask: "{question}"' in run for run in runs)
        if states not in (["done"], ["failed"]) or ran > 1 or (states == ["done"] and ran != 1):
            wrong.append(f"{name}: {states}, ran {ran} times: {text}")
        if states == ["failed"] and "interrupted" not in text:
            wrong.append(f"{name}: {text}")
        found[states[0] if states else "none"] += 1
    return wrong


found: Counter[str] = Counter()


def main(root: Path, base: Path, points: int) -> None:
    bad: list[str] = []
    make(root, base)
    _, whole = watch(root)
    if look(root):
        raise SystemExit(f"without any crash: {look(root)}")
    found.clear()
    for number in range(points):
        at = 1 + number * whole // points
        make(root, base)
        killed, _ = watch(root, at)
        found["killed"] += killed
        watch(root)
        before = {file: file.read_bytes() for file in root.rglob("*.md")}
        bad += [f"{at} of {whole}: {each}" for each in look(root)]
        watch(root)
        if before != {file: file.read_bytes() for file in root.rglob("*.md")}:
            bad.append(f"{at} of {whole}: it does not come to rest")
    print(json.dumps({"bad": bad, "found": found, "calls": whole}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
