"""Old traces go by the person's rule and are said to be gone; what a killed nest left in a vault is removed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from checks import NestCommand

from nestkit.errors import StateError
from nestkit.hall.review import list_entries
from nestkit.hall.traces import open_ledger, read_recorded, trace_path
from nestkit.hall.upkeep import clear_left_behind, put_away_traces
from nestkit.hall.walk import Company
from nestkit.nest import Nest, open_nest
from nestkit.run import Ask, Run
from nestkit.runs.trace import Sealer
from nestkit.vault.leftover import draft_temp, host_mark
from nestkit.vault.place import vault_key
from nestkit.vault.prune import is_due

DAY = 86_400
NOW = datetime.fromisoformat("2026-03-18T09:00:00").astimezone()
DIES = """
import os, signal, sys
from pathlib import Path
from nestkit.vault.write import write_file
os.link = lambda *args, **named: os.kill(os.getpid(), signal.SIGKILL)
write_file(Path(sys.argv[1]), "New.md", b"private", None)
"""


@pytest.fixture
def here(ops: Path) -> Iterator[Nest]:
    with open_nest(ops, ops, to_write=True) as nest:
        nest.refresh()
        yield nest


def ask(nest: Nest, text: str = "Which projects are active?", contract: str = "brokered") -> Run:
    return nest.answer(Ask(text, NOW, model="builtin", contract=contract), Company())  # type: ignore[arg-type]


def lay_trace(nest: Nest, run_id: str, days_old: float, size: int = 100, *, sealed: bool = True) -> Path:
    """A trace as this machine, or another one, wrote it so long ago."""
    key = open_ledger(nest).key() if sealed else b"another machine's"
    line = Sealer(key).draft({"event": "ask", "id": run_id, "vault": vault_key(nest.root), "ask": {}})
    file = nest.root / trace_path(run_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(line + b"x" * (size - len(line)))
    then = time.time() - days_old * DAY
    os.utime(file, (then, then))
    return file


def kept(nest: Nest) -> set[str]:
    return {file.stem for file in (nest.root / ".nest/runs").glob("*.jsonl")}


def settle(nest: Nest, text: str) -> Nest:
    """The same vault under the person's own settings."""
    folder = Path(os.environ["NEST_CONFIG_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)
    again = open_nest(nest.root, nest.root, to_write=True)
    again.refresh()
    return again


def test_what_is_too_old_goes_but_for_the_newest_and_for_what_waits(here: Nest) -> None:
    waiting = ask(here, contract="reviewed")
    file = here.root / trace_path(waiting.id)
    os.utime(file, (time.time() - 300 * DAY,) * 2)
    for number in range(15):
        lay_trace(here, f"R{number:02}", 100 + number)
    assert sorted(put_away_traces(here)) == ["R10", "R11", "R12", "R13", "R14"]
    assert kept(here) == {waiting.id, *(f"R{number:02}" for number in range(10))}
    assert [entry.id for entry in list_entries(here)] == [waiting.id]
    assert put_away_traces(here) == []


def test_what_takes_too_much_room_goes_the_oldest_first(here: Nest) -> None:
    for number in range(14):
        lay_trace(here, f"R{number:02}", number, 300_000)
    with settle(here, "[keep]\ntrace_mb = 4\n") as nest:
        assert put_away_traces(nest) == ["R13"]
    (here.root / "nest.toml").write_text("[keep]\ntrace_mb = 0\ntrace_days = 0\n")
    with settle(here, "") as nest:
        assert put_away_traces(nest) == [], "a vault does not say what is kept of its runs"


def test_a_trace_of_another_machine_stays_while_it_may_wait_there(here: Nest) -> None:
    for number in range(10):
        lay_trace(here, f"N{number}", 0)
    lay_trace(here, "THEIRS-YOUNG", 20, sealed=False)
    lay_trace(here, "THEIRS-OLD", 40, sealed=False)
    lay_trace(here, "OURS", 20)
    with settle(here, "[keep]\ntrace_days = 10\n") as nest:
        assert sorted(put_away_traces(nest)) == ["OURS", "THEIRS-OLD"]


def test_links_and_files_of_other_names_are_left_alone(here: Nest, tmp_path: Path) -> None:
    precious = tmp_path / "precious.jsonl"
    precious.write_text("mine")
    ask(here)
    runs = here.root / ".nest/runs"
    (runs / "LINK.jsonl").symlink_to(precious)
    (runs / "notes.txt").write_text("x")
    (runs / "FOLDER.jsonl").mkdir()
    with settle(here, "[keep]\ntrace_days = 0\ntrace_mb = 0\n") as nest:
        for number in range(12):
            lay_trace(nest, f"R{number:02}", 1 + number)
        assert put_away_traces(nest)
    assert precious.read_text() == "mine"
    assert {"LINK.jsonl", "notes.txt", "FOLDER.jsonl"} <= {file.name for file in runs.iterdir()}


def test_a_trace_that_was_put_away_is_said_to_be(nest: NestCommand, here: Nest) -> None:
    old = ask(here)
    os.utime(here.root / trace_path(old.id), (time.time() - 91 * DAY,) * 2)
    for number in range(10):
        lay_trace(here, f"R{number}", 0)
    assert put_away_traces(here) == [old.id]
    with pytest.raises(StateError, match="was put away"):
        read_recorded(here, old.id)
    for words in (("replay", old.id), ("replay", old.id, "--program")):
        done = nest(*words)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"the trace of run {old.id} was put away" in done.stderr
        assert "[keep]" in done.stderr


def test_a_run_that_ends_looks_after_traces_once_in_an_hour_or_when_its_own_is_large(here: Nest) -> None:
    ask(here)
    for number in range(12):
        lay_trace(here, f"R{number:02}", 100 + number)
    ask(here)
    assert len(kept(here)) == 14, "there was a look just now"
    stamp = next(here.folders.state.rglob("traces-seen"))
    assert (is_due(stamp, 100), is_due(stamp, 5 << 20)) == (False, True)
    assert len(put_away_traces(here)) == 4
    lay_trace(here, "R99", 200)
    os.utime(stamp, (time.time() - 2 * 3600,) * 2)
    ask(here)
    assert "R99" not in kept(here)


def die(root: Path) -> str:
    """Name of the temporary file of a process that was killed in the middle of a write, an hour ago."""
    done = subprocess.run([sys.executable, "-c", DIES, str(root)], check=False)
    assert done.returncode == -9
    (file,) = root.glob(".nest-*.tmp")
    os.utime(file, (time.time() - 3600,) * 2)
    return file.name


def test_a_file_that_a_killed_nest_was_writing_is_gone_after_the_next_command_that_writes(
    here: Nest, nest: NestCommand
) -> None:
    name = die(here.root)
    assert (here.root / name).read_bytes() == b"private"
    assert nest("find", "invoice").returncode == 0
    assert (here.root / name).exists(), "to look removes nothing"
    assert nest("ask", "Which projects are active?", "--model", "builtin").returncode == 0
    assert not (here.root / name).exists()


def test_a_temporary_file_is_left_that_is_not_certainly_ours_and_abandoned(here: Nest) -> None:
    dead = die(here.root)
    (here.root / dead).unlink()
    process = dead.split("-")[2]
    (here.root / "Home").mkdir()
    names = {
        "of another machine": f".nest-{'0' * 8}-{process}-00000000.tmp",
        "of a living process": draft_temp(),
        "of an older nest": f".nest-{process}-00000000.tmp",
        "in a folder": f"Home/.nest-{host_mark()}-{process}-11111111.tmp",
        "just written": f".nest-{host_mark()}-{process}-22222222.tmp",
    }
    for what, path in names.items():
        (here.root / path).write_text("x")
        if what != "just written":
            os.utime(here.root / path, (time.time() - 3600,) * 2)
    (here.root / f".nest-{host_mark()}-{process}-33333333.tmp").symlink_to(here.root / "README.md")
    here.refresh()
    removed, left = clear_left_behind(here)
    assert removed == [names["in a folder"]]
    assert len(left) == 5
    assert (here.root / "README.md").exists()
    assert sorted(here.temps) == sorted(left)
