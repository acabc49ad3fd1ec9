"""Run by test_durable.py as a process of its own: an ask is killed at one point after the other, and taken up again.

A forked child counts what it is about to do to files (each call of the `os` functions below, so nothing in nestkit
knows of this) and dies by SIGKILL before the Nth; another takes the run up. The calls of tools are counted where
they run, in a file outside: a call whose answer was recorded must never be made again.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nestkit.hall.review import approve, get_entry, list_entries, resume
from nestkit.hall.walk import Company
from nestkit.nest import Nest, open_nest
from nestkit.policy import Leave
from nestkit.run import Ask
from nestkit.sandbox.engine import Engine
from nestkit.testing import OllamaServer

COUNTED = ("write", "fsync", "rename", "replace", "link", "unlink", "ftruncate", "open", "mkdir", "rmdir")
NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
SCRIPT = '''"""Writes notes.

---
nest:
  permissions: ["write:Out/**"]
---
"""
from pathlib import Path


def tick(name: str) -> str:
    """Write a note."""
    Path("Out").mkdir(exist_ok=True)
    Path(f"Out/{name}.md").write_text(name)
    return name + "!"


def look(name: str) -> int:
    """Read a note."""
    return len(Path(f"{name}.md").read_text())
'''
OUTWARD = '''"""Starts a program: nobody can take that back.

---
nest:
  permissions: ["run:true"]
---
"""
import subprocess


def tell(name: str) -> int:
    """Start it."""
    return subprocess.run(["true"]).returncode
'''
PROGRAMS = (
    "a = save.tick('a')\nn = len(list_notes())\nb = save.look('Home')",
    "append_note('Home', f'{a} {b} {n}')\nc = save.tick('c')\nfinal_answer([a, b, c, n])",
)
ANSWER = ["a!", 6, "c!", 2]
WANTED = {"Home.md": b"Home\n\na! 6 2\n", "Out/a.md": b"a", "Out/c.md": b"c"}
Act = Callable[[Path], None]


def make(root: Path) -> None:
    for folder in (root, root.parent / "state"):
        shutil.rmtree(folder, ignore_errors=True)
    (root / "02_System").mkdir(parents=True)
    (root / "02_System/save.py").write_text(SCRIPT)
    (root / "02_System/tell.py").write_text(OUTWARD)
    (root / "Home.md").write_bytes(b"Home\n\n")


def opened(root: Path) -> Nest:
    folders = {f"NEST_{name}_DIR": str(root.parent / "state" / name) for name in ("CACHE", "STATE", "CONFIG")}
    nest = open_nest(root, root, environ=folders, to_write=True)
    nest.refresh()
    return nest


def ask(root: Path, contract: Any = "brokered") -> None:
    with opened(root) as nest:
        question = Ask("do it", NOW, model="ollama/scripted", contract=contract, leave=Leave(yes=True))
        nest.answer(question, Company())


def ask_reviewed(root: Path) -> None:
    ask(root, "reviewed")


def take_up(root: Path) -> None:
    """Whatever is left to do, done: what waits approved, what was broken off resumed."""
    for _ in range(6):
        with opened(root) as nest:
            if not list_entries(nest):
                return
            entry = get_entry(nest, "last")
            if entry.state == "waiting":
                approve(nest, entry, entry.digest, Company())
            else:
                resume(nest, entry, Company())


def in_child(act: Act, root: Path, at: int = 0) -> bool:
    """Whether a child doing this was killed: before its file operation number `at`, or -1: when a tool has answered."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
            raise SystemExit(f"the child failed by itself at point {at}")
        return os.WIFSIGNALED(status)
    left = [at]
    _note_calls(root.parent / "calls", dies=at < 0)
    for name in COUNTED:
        real = getattr(os, name)
        setattr(os, name, _counted(real, left))
        for known in (os.supports_dir_fd, os.supports_follow_symlinks):
            if real in known:
                known.add(getattr(os, name))
    try:
        act(root)
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _counted(real: Callable[..., Any], left: list[int]) -> Callable[..., Any]:
    def call(*args: Any, **named: Any) -> Any:
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **named)

    return call


def _note_calls(file: Path, *, dies: bool) -> None:
    """Write down each call of a script's tool as it begins; the call itself is the real one."""
    real, line = Engine.call, os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    write = os.write

    def call(self: Engine, job: Any, *args: Any, **named: Any) -> Any:
        write(line, f"{job.function} {json.dumps(dict(job.arguments))}\n".encode())
        value = real(self, job, *args, **named)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    Engine.call = call  # type: ignore[method-assign]


def calls(root: Path) -> Counter[str]:
    file = root.parent / "calls"
    return Counter(file.read_text().splitlines() if file.exists() else ())


def recorded(root: Path) -> Counter[str]:
    """Calls of scripts whose answer is in a trace, as `calls` names them."""
    found: Counter[str] = Counter()
    for file in (root / ".nest/runs").glob("*.jsonl"):
        for line in file.read_text("utf-8").split("\n"):
            if line.endswith('"}') and '"event":"call"' in line:
                call = json.loads(line)["call"]
                if call["tool"].startswith("save."):
                    found[f"{call['tool'].partition('.')[2]} {json.dumps(call['arguments'])}"] += 1
    return found


def check_outward(root: Path, wrong: list[str], where: str) -> str:
    """The tool was started once at the most; where nobody knows what it did, the note says so."""
    if sum(calls(root).values()) > 1:
        wrong.append(f"{where}: started {dict(calls(root))}")
    texts = [note.read_text("utf-8") for note in (root / "03_Runs").rglob("*.md")] if calls(root) else []
    if texts and "nest-status: ok" in texts[0]:
        return "done"
    if texts and not ("nest-status: error" in texts[0] and "may have done its work" in texts[0]):
        wrong.append(f"{where}: {texts[0]}")
    return "said" if texts else "nothing"


def check(root: Path, wrong: list[str], where: str) -> str:
    """What became of the run in the end: `done`, or `nothing` when it was killed before it had begun."""
    notes = list((root / "03_Runs").rglob("*.md")) if (root / "03_Runs").exists() else []
    files = {path: (root / path).read_bytes() if (root / path).exists() else b"" for path in WANTED}
    if not notes:
        if (root / "Out").exists() or files["Home.md"] != b"Home\n\n":
            wrong.append(f"{where}: changed without a run note: {files}")
        return "nothing"
    text = notes[0].read_text("utf-8")
    if len(notes) != 1 or "nest-status: ok" not in text or json.dumps(ANSWER) not in text:
        wrong.append(f"{where}: {len(notes)} notes, the first says {text[:300]}")
    if files != WANTED:
        wrong.append(f"{where}: {files}")
    left = [file.name for file in root.rglob(".nest-2026*")] + [file.name for file in root.glob(".nest/open-*")]
    if left:
        wrong.append(f"{where}: left behind: {left}")
    return "done"


def talked(do: Callable[..., bool], act: Act, root: Path, programs: Sequence[str], at: int = 0) -> bool:
    """Do it with a model at hand that says what it has not said before, as far as that is on record."""
    texts = [file.read_text("utf-8") for file in (root / ".nest/runs").glob("*.jsonl")]
    said = "".join(texts).count('{"event":"reply"')
    turns = [{"role": "assistant", "content": f"```python\n{program}\n```"} for program in programs[said:]]
    with OllamaServer(turns) as server:
        os.environ["OLLAMA_HOST"] = server.url
        return do(act, root, at)


def break_off(what: str, root: Path, step: int, at: int) -> None:
    """An act killed at every `step`th point from `at` on, after what comes before it, and taken up again each time."""
    first, act, programs, look = WAYS[what]
    found: Counter[str] = Counter()
    wrong: list[str] = []
    killed = True
    while killed:
        make(root)
        (root.parent / "calls").unlink(missing_ok=True)
        talked(in_child, first, root, programs)
        killed = talked(in_child, act, root, programs, at)
        kept, begun = recorded(root), calls(root)
        talked(in_child, take_up, root, programs)
        found[look(root, wrong, f"killed at {at}")] += 1
        again = [call for call in kept if calls(root)[call] > max(begun[call], 1)]
        wrong += [f"killed at {at}: {call} was recorded, and made again" for call in again]
        found["points"] += 1
        at += step
        killed = killed and step > 0
    print(json.dumps({"found": found, "wrong": wrong}))


Look = Callable[[Path, list[str], str], str]
WAYS: dict[str, tuple[Act, Act, Sequence[str], Look]] = {
    "ask": (make, ask, PROGRAMS, check),
    "park": (make, ask_reviewed, PROGRAMS, check),
    "approve": (ask_reviewed, take_up, PROGRAMS, check),
    "outward": (make, ask, ("final_answer(tell.tell('a'))",), check_outward),
}

if __name__ == "__main__":
    break_off(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
