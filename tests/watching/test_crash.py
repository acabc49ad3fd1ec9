"""Killed at any moment and started again: each question ran once or is reported, nothing of the person's is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from watching.vaults import quicken

CRASHES = Path(__file__).with_name("crashes.py")


@pytest.mark.parametrize("points", [8, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(900)])])
def test_a_daemon_that_is_killed_asks_nothing_twice(tmp_path: Path, ops: Path, points: int) -> None:
    quicken(settle=0.0)
    done = subprocess.run(
        [sys.executable, str(CRASHES), str(tmp_path / "vault"), str(ops), str(points)],
        env={**os.environ, "OLLAMA_HOST": "127.0.0.1:9"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["bad"] == []
    assert told["found"]["killed"] == points
    assert told["found"]["done"] >= points
    print(told)
