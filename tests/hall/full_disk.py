"""Run by test_durable.py as a process of its own: an ask that changes notes, on a disk that is full at some size.

The disk is stood in for by the kernel's own ceiling on the size of files (RLIMIT_FSIZE): what would grow beyond it
fails as on a full disk, at whatever file that happens to be: trace, ledger, images for undo, a note, the run note.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
from collections import Counter
from pathlib import Path

from broken_off import NOW, opened, take_up

from nestkit.errors import NestError
from nestkit.hall.walk import Company
from nestkit.policy import Leave
from nestkit.run import Ask
from nestkit.testing import OllamaServer
from nestkit.vault.apply import recover

LONG = "a fine line\n" * 3000
PROGRAM = (
    f"write_note('New', {'x' * 9000!r})\nappend_note('Home', 'more')\n"
    f"write_note('Big', 'y' * 40_000)\nfinal_answer('done')"
)


def make(root: Path) -> None:
    shutil.rmtree(root.parent, ignore_errors=True)
    (root / "02_System").mkdir(parents=True)
    (root / "Home.md").write_text(LONG)


def ask(root: Path, ceiling: int) -> str:
    """What the person is told, with this ceiling on every file."""
    with opened(root) as nest:
        resource.setrlimit(resource.RLIMIT_FSIZE, (ceiling, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        said: list[str] = []
        try:
            question = Ask("do it", NOW, model="ollama/scripted", leave=Leave(yes=True))
            run = nest.answer(question, Company(said.append))
        except NestError as error:
            return f"raised: {error}"
        finally:
            hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        return f"{run.status}: {run.end.reason} {said}"


def main(root: Path) -> None:
    found: Counter[str] = Counter()
    wrong: list[str] = []
    for ceiling in (0, 200, 1000, 3000, 9500, 12_000, 20_000, 36_100, 39_000, 41_000, 200_000):
        make(root)
        turns = [{"role": "assistant", "content": f"```python\n{PROGRAM}\n```"}] * 2
        with OllamaServer(turns) as server:
            os.environ["OLLAMA_HOST"] = server.url
            told = ask(root, ceiling)
            recover(root)
            home = (root / "Home.md").read_text()
            new = [(root / name).exists() for name in ("New.md", "Big.md")]
            state = "before" if home == LONG and not any(new) else "after" if home != LONG and all(new) else "half"
            found[state] += 1
            if state == "half" or (told.startswith("ok") != (state == "after")):
                wrong.append(f"{ceiling}: {state}, and told {told}")
            if list(root.glob(".nest-*")) or list(root.glob(".nest/open-*")):
                wrong.append(f"{ceiling}: left behind")
            take_up(root)
    print(json.dumps({"found": found, "wrong": wrong}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
