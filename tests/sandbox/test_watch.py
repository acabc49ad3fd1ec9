"""What a tree of processes uses, measured from outside on real ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nestkit.sandbox.watch import measure_folder, measure_tree

HELD = 40 << 20
HOLD = f"held = bytearray(b'x') * {HELD}\nprint(flush=True)\ninput()"
"""Takes memory, says so, and waits."""
FORKS = f"""
import os, sys
held = bytearray(b'x') * {HELD}
if os.fork() == 0:
    print(flush=True)
    sys.stdin.readline()
    os._exit(0)
os.wait()
"""
STARTS = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {HOLD!r}])"


@pytest.mark.parametrize(
    ("program", "inherited", "held"),
    [
        (HOLD, 0, HELD),
        (HOLD, HELD, HELD),
        (STARTS, 0, HELD),
        (STARTS, HELD, HELD),
        (FORKS, 0, 2 * HELD),
        (FORKS, HELD, HELD),
    ],
    ids=["alone", "alone, it became a program", "starts", "starts, both became programs", "forks", "forks, it shares"],
)
def test_the_memory_of_all_is_added_up_and_only_what_a_fork_shares_is_not(
    program: str, inherited: int, held: int
) -> None:
    argv = [sys.executable, "-c", program]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        memory, _ = measure_tree(process.pid, inherited)
        process.communicate(b"\n")
    assert held <= memory < held + (30 << 20)


def test_processor_time_counts_the_buried_too() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    program = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert measure_tree(process.pid)[1] >= 0.29
        process.communicate(b"\n")
    assert measure_tree(process.pid) == (0, 0.0), "gone"


def test_a_folder_is_measured_as_it_lies_on_the_disk_and_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/file").write_bytes(os.urandom(100_000))
    (tmp_path / "a/link").symlink_to("/usr")
    assert 100_000 <= measure_folder(str(tmp_path / "a")) < 200_000
