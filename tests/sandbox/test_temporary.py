"""Temporary folders of nest are its own, hold out as long as their process, and are cleared away after it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from checks import COMMAND, NestCommand

from nestkit.sandbox.child.zygote import HELD
from nestkit.sandbox.temporary import Held, clear_abandoned, remove_tree

HOLDER = """
import time
from pathlib import Path
from nestkit.sandbox.temporary import Held
held = Held()
Path(held.folder, "Diary.md").write_text("private")
print(held.folder, flush=True)
time.sleep(600)
"""
SLOW = '''"""Writes a note, slowly.

---
nest:
  permissions: ["write:Out/"]
---
"""
import time


def write() -> str:
    """Write it."""
    time.sleep(60)
    return "x"
'''


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, of this test and of the processes that it starts."""
    folder = tmp_path / "tmp"
    folder.mkdir(mode=0o1777)
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    tempfile.tempdir = None


def hold() -> tuple[subprocess.Popen[str], Path]:
    """A process that holds a folder, and that folder."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_folder_is_for_this_user_only_and_gone_when_it_is_let_go(room: Path) -> None:
    with Held() as folder:
        assert Path(folder).name.startswith(HELD), "as the warm parent knows it"
        assert stat.S_IMODE(Path(folder).stat().st_mode) == 0o700
        assert clear_abandoned() == (0, 0)
        assert Path(folder).parent == room
    assert list(room.iterdir()) == []


def test_what_a_killed_process_left_is_cleared_away_and_what_a_living_one_holds_is_not(room: Path) -> None:
    killed, abandoned = hold()
    living, held = hold()
    try:
        assert clear_abandoned() == (0, 0)
        end(killed)
        assert (abandoned / "Diary.md").exists()
        assert clear_abandoned() == (1, 0)
        assert [abandoned.exists(), (held / "Diary.md").exists()] == [False, True]
    finally:
        end(living)


def test_whoever_clears_away_takes_no_folder_from_those_who_make_them(room: Path) -> None:
    makes = (
        "from nestkit.sandbox.temporary import Held\nfrom pathlib import Path\n"
        "for _ in range(300):\n    with Held() as folder:\n        (Path(folder) / 'x').write_text('x')\n"
    )
    clears = "from nestkit.sandbox.temporary import clear_abandoned\nwhile True:\n    clear_abandoned()\n"
    cleaner = subprocess.Popen([sys.executable, "-c", clears])
    try:
        maker = subprocess.run([sys.executable, "-c", makes], capture_output=True, text=True, check=False)
    finally:
        cleaner.kill()
        cleaner.wait()
    assert (maker.returncode, maker.stderr) == (0, "")


def test_only_folders_of_ours_are_touched_and_no_link_is_followed(room: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "note.md").write_text("mine")
    (room / "nest-held-abcdefgh").symlink_to(precious)
    (room / "nest-held-file0000").write_text("a file")
    (room / "nest-heldabcdefgh").mkdir()
    (room / "nest-held-..").mkdir()
    kept = {entry.name for entry in room.iterdir()}
    if os.geteuid() == 0:
        (room / "nest-held-somebody").mkdir()
        os.chown(room / "nest-held-somebody", 12345, 12345)
        kept.add("nest-held-somebody")
    assert clear_abandoned() == (0, 0)
    assert {entry.name for entry in room.iterdir()} == kept
    assert (precious / "note.md").read_text() == "mine"


def test_what_an_enemy_filled_is_emptied_at_any_depth_without_leading_out(room: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir(mode=0o755)
    (precious / "note.md").write_text("mine")
    top = room / "nest-held-deep0000"
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for number in range(1500):
        os.symlink(precious, "out", dir_fd=here)
        os.mkdir("deep", dir_fd=here)
        below = os.open("deep", os.O_RDONLY, dir_fd=here)
        if number % 100 == 0:
            os.mkfifo("pipe", dir_fd=here)
            os.mkdir("shut", 0, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    assert clear_abandoned() == (1, 0)
    assert list(room.iterdir()) == []
    assert (precious / "note.md").read_text() == "mine"
    assert stat.S_IMODE(precious.stat().st_mode) == 0o755


def test_a_tree_is_removed_with_what_shuts_its_owner_out(room: Path) -> None:
    tree = room / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/b/c").write_text("x")
    (tree / "a/b").chmod(0)
    (tree / "a").chmod(0o400)
    remove_tree(str(tree))
    assert not tree.exists()


def test_the_copy_of_a_killed_command_is_gone_after_the_next_one(room: Path, ops: Path, nest: NestCommand) -> None:
    (ops / "02_System/slow.py").write_text(SLOW)
    process = subprocess.Popen(
        [COMMAND, "call", "slow.write", "--yes"], cwd=ops, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    until = time.monotonic() + 60
    while not list(room.glob("nest-held-*/staged")) and time.monotonic() < until:
        time.sleep(0.05)
    (view,) = (folder.parent for folder in room.glob("nest-held-*/staged"))
    end(process)
    assert view.exists()
    assert nest("ask", "Which projects are active?", "--model", "builtin", "--no-note").returncode == 0
    assert [each.name for each in room.iterdir() if each.name.startswith("nest-")] == []


def test_the_doctor_clears_away_and_says_what(room: Path, ops: Path, nest: NestCommand) -> None:
    process, folder = hold()
    end(process)
    (ops / ".nest-1234-00000000.tmp").write_text("x")
    findings = {each["what"]: each for each in json.loads(nest("doctor", "--quick", "--json").stdout)}
    told = findings["left over"]
    assert "1 temporary folders of nests that were killed: cleared away" in told["finding"]
    assert ".nest-1234-00000000.tmp is another machine's" in told["finding"]
    assert (told["good"], folder.exists(), (ops / ".nest-1234-00000000.tmp").exists()) == (False, False, True)
    again = {each["what"]: each for each in json.loads(nest("doctor", "--quick", "--json").stdout)}
    assert "cleared away" not in again["left over"]["finding"]


@pytest.mark.parametrize(("name", "goes"), [(f"{HELD}abc123", True), ("precious", False), ("nest-other", False)])
def test_the_warm_parent_of_a_nest_that_died_removes_a_held_folder_and_nothing_else(
    tmp_path: Path, name: str, goes: bool
) -> None:
    (tmp_path / name / "root").mkdir(parents=True)
    (tmp_path / name / "Diary.md").write_text("private")
    (tmp_path / "beside").mkdir()
    code = (
        "import os, sys; from nestkit.sandbox.child.zygote import _watch; ours, theirs = os.pipe(); os.close(theirs);"
        " inner = os.fork() or os.execlp('sleep', 'sleep', '60'); pidfd = os.pidfd_open(inner);"
        " os.kill(inner, 9) if os.fork() else _watch(ours, pidfd, sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / name / "root")], check=True, timeout=30)
    end = time.monotonic() + 20
    while goes and (tmp_path / name).exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    time.sleep(0.3)
    assert (tmp_path / name).exists() is not goes
    assert (tmp_path / "beside").exists()
