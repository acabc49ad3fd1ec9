"""Real processes, really killed: whatever the moment, the vault is as before or as after, and nothing in between."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

CRASHES = Path(__file__).with_name("crashes.py")


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: unlike a cut power line, a killed process loses nothing it has written."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(dir=memory))
    yield folder
    shutil.rmtree(folder)


def crash(what: str, room: Path) -> dict[str, int]:
    """How often the vault was found in which state."""
    command = [sys.executable, str(CRASHES), what, str(room / "vault")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["bad"] == []
    found: dict[str, int] = report["found"]
    return found


def test_applying_is_all_or_nothing_wherever_it_is_killed(room: Path) -> None:
    found = crash("apply", room)
    assert found["points"] > 100
    assert found["before"] > 50
    assert found["after"] > 3


def test_undoing_is_all_or_nothing_wherever_it_is_killed(room: Path) -> None:
    found = crash("undo", room)
    assert found["points"] > 100
    assert found["before"] > 30
    assert found["after"] > 30


def test_a_recovery_that_is_killed_is_finished_by_the_next(room: Path) -> None:
    found = crash("recover", room)
    assert found["before"] > 10
    assert found["after"] > 3


def test_ctrl_c_leaves_the_vault_in_order_at_once(room: Path) -> None:
    found = crash("interrupt", room)
    assert found["points"] > 100
    assert found["before"] > 100
    assert found["after"] > 2


@pytest.mark.parametrize("what", ["replace", "create", "delete"])
def test_one_file_is_the_old_or_the_new_wherever_its_writer_is_killed(what: str, room: Path) -> None:
    found = crash(what, room)
    assert found["points"] > 3
    assert found["before"] > 2
    assert found["after"] > 0


def test_on_a_disk_that_is_full_at_any_point_all_is_changed_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    command = [sys.executable, str(CRASHES.with_name("full_disk.py")), str(tmp_path / "disk")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    if "skipped" in report:
        pytest.skip(f"no small disk can be mounted here: {report['skipped']}")
    assert report["wrong"] == []
    for found in report["found"].values():
        assert found["before"] > 5
        assert found["after"] == 1
        assert "half" not in found
    assert list((tmp_path / "disk").iterdir()) == [], "nobody else saw that disk"
