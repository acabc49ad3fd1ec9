"""The first index of a vault is filled apart and then put in place: whole, once, or not at all."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

from indexing import refresh_vault

from nestkit.index import facts
from nestkit.index.store import open_index
from nestkit.testing import make_vault

TESTS = Path(__file__).parents[1]
NOTES = {f"n{number}.md": f"note {number} [[n{number + 1}]] #tag" for number in range(250)}

KILLED = """
import os, signal, sys
from pathlib import Path
from indexing import refresh_vault
from nestkit.index.store import open_index

root, file = map(Path, sys.argv[1:])
left = 180

def read(path):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return (root / path).read_bytes()

refresh_vault(open_index(file), root, read)
"""


def test_the_new_index_stands_alone_in_its_folder(tmp_path: Path) -> None:
    root, file = make_vault(tmp_path / "vault", NOTES), tmp_path / "cache" / "index.sqlite"
    index = open_index(file)
    done = refresh_vault(index, root)
    assert (done.files, done.changed) == (250, 250)
    assert len(facts.list_paths(index)) == 250
    index.close()
    assert [found.name for found in file.parent.iterdir()] == ["index.sqlite"]


def test_a_builder_that_is_killed_leaves_nothing_half_done(tmp_path: Path) -> None:
    root, file = make_vault(tmp_path / "vault", NOTES), tmp_path / "index.sqlite"
    command = [sys.executable, "-c", KILLED, str(root), str(file)]
    environment = {"PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    assert subprocess.run(command, env=environment, timeout=60).returncode == -signal.SIGKILL
    assert file.with_name("index.sqlite.new").exists()
    said: list[str] = []
    index = open_index(file, say=said.append)
    assert (said, facts.list_paths(index)) == ([], [])
    assert refresh_vault(index, root).changed == 250
    assert not file.with_name("index.sqlite.new").exists()
    index.close()


def test_two_that_build_at_once_do_the_work_once(tmp_path: Path) -> None:
    root, file = make_vault(tmp_path / "vault", NOTES), tmp_path / "index.sqlite"
    begun, counts = threading.Barrier(3), []

    def work() -> None:
        index = open_index(file)
        begun.wait()
        counts.append(refresh_vault(index, root, ahead_seconds=3).changed)
        assert len(facts.list_paths(index)) == 250
        index.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(counts) == [0, 0, 250]


def test_an_index_opened_before_it_was_replaced_follows(tmp_path: Path) -> None:
    root, file = make_vault(tmp_path / "vault", NOTES), tmp_path / "index.sqlite"
    early, quick = open_index(file), open_index(file)
    refresh_vault(quick, root, ahead_seconds=3)
    (root / "new.md").write_text("[[n1]]")
    assert refresh_vault(early, root, ahead_seconds=3).changed == 1
    assert refresh_vault(quick, root, ahead_seconds=3).changed == 0
    assert "new.md" in facts.list_paths(quick)
    early.close()
    quick.close()


def test_an_empty_vault_has_an_index_too(tmp_path: Path) -> None:
    root = make_vault(tmp_path / "vault", {})
    index = open_index(tmp_path / "index.sqlite")
    assert refresh_vault(index, root).changed == 0
    assert refresh_vault(index, root).changed == 0
    (root / "A.md").write_text("hello")
    assert refresh_vault(index, root).changed == 1
    index.close()
