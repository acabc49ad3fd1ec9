"""A run that is killed goes on where it was: whatever the moment, nothing is done twice, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BROKEN_OFF = Path(__file__).with_name("broken_off.py")


def break_off(what: str, room: Path, step: int, begin: int = 1) -> dict[str, int]:
    """How a run ended that was killed at many points and taken up again."""
    command = [sys.executable, str(BROKEN_OFF), what, str(room / "vault"), str(step), str(begin)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["wrong"] == []
    found: dict[str, int] = report["found"]
    return found


@pytest.mark.parametrize(
    ("what", "step", "most_done"),
    [("ask", 53, 4), ("park", 61, 1), ("approve", 89, 4)],
)
def test_a_run_killed_anywhere_is_taken_up_and_ends_as_if_nothing_had_been(
    tmp_path: Path, what: str, step: int, most_done: int
) -> None:
    found = break_off(what, tmp_path, step)
    assert found["done"] >= most_done


def test_a_call_that_may_have_acted_outside_is_never_made_twice(tmp_path: Path) -> None:
    assert break_off("outward", tmp_path, 0, begin=-1) == {"said": 1, "points": 1}
    assert break_off("outward", tmp_path, 31, begin=61)["done"] >= 1


def test_a_call_that_only_changed_a_copy_is_made_again_when_nobody_recorded_its_answer(tmp_path: Path) -> None:
    assert break_off("ask", tmp_path, 0, begin=-1) == {"done": 1, "points": 1}


def test_on_a_full_disk_all_is_changed_or_nothing_and_the_person_is_told_which(tmp_path: Path) -> None:
    command = [sys.executable, str(BROKEN_OFF.with_name("full_disk.py")), str(tmp_path / "room/vault")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["wrong"] == []
    assert min(report["found"]["before"], report["found"]["after"]) >= 1
