"""A vault that is watched for tests: the real command, real processes, quick settling."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from checks import COMMAND

SETTLE = 0.15
QUESTION = "Which projects are active?"
ANSWER = "Lighthouse"
SLOW = '''"""Slow things.

---
nest:
  utterances: ["take a while"]
---
"""

import time


def slow() -> int:
    """Take a while."""
    time.sleep(1.5)
    return 7
'''


def quicken(**settings: object) -> None:
    """The person's settings of this test: notes settle at once."""
    folder = Path(os.environ["NEST_CONFIG_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    known = {"settle": SETTLE, "per_note": 1000, "per_vault": 10_000, **settings}
    lines = [f"{name} = {json.dumps(value)}" for name, value in known.items()]
    (folder / "config.toml").write_text("\n".join(["[ask]", 'model = "builtin"', "[watch]", *lines]) + "\n")


def nest(vault: Path, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """One command in the vault."""
    return subprocess.run(
        [COMMAND, *words],
        cwd=vault,
        env={**os.environ, "OLLAMA_HOST": "127.0.0.1:9", **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


def once(vault: Path, **env: str) -> dict[str, Any]:
    """Everything asked that is to be asked now; what `nest status --json` says then."""
    done = nest(vault, "watch", "--once", "--json", env=env)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@contextmanager
def daemon(vault: Path, *words: str, env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """`nest watch`, running and ready; it has to end well unless somebody killed it."""
    process = subprocess.Popen(
        [COMMAND, "watch", *words],
        cwd=vault,
        env={**os.environ, "OLLAMA_HOST": "127.0.0.1:9", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            if line.startswith("watching "):
                break
        else:
            raise AssertionError("".join(said))
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
        code = process.wait(timeout=60)
        process.stderr.close()
        assert code in (0, -signal.SIGKILL), rest


def until(check: Callable[[], Any], seconds: float = 40.0) -> Any:
    """What the check says as soon as it says anything; fails when it never does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := check():
            return found
        time.sleep(0.03)
    raise AssertionError("it never came")


def holds(file: Path, *texts: str) -> Callable[[], bool]:
    """Whether the file is there and holds all of these."""

    def check() -> bool:
        try:
            text = file.read_text("utf-8")
        except FileNotFoundError:
            return False
        return all(each in text for each in texts)

    return check


def runs(vault: Path) -> list[Path]:
    """Notes of all runs."""
    return sorted((vault / "03_Runs").rglob("*.md"))
