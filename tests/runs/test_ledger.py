"""The ledger of runs that wait: outside every vault, for its owner only, each approval claimed once."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nestkit.errors import StateError
from nestkit.runs.ledger import KEEP, Entry, Ledger

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
WAITING = Entry("20260318-090000-ab12", "ask", NOW.isoformat(), gate="changes", digest="d" * 64, state="waiting")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "state" / "runs")


def test_an_entry_comes_back_as_it_was_kept(ledger: Ledger) -> None:
    ledger.put(WAITING)
    assert ledger.find(WAITING.id) == WAITING
    assert ledger.entries() == [WAITING]


def test_a_run_is_in_one_state_only(ledger: Ledger, tmp_path: Path) -> None:
    ledger.put(Entry(WAITING.id, "ask", NOW.isoformat()))
    ledger.put(WAITING)
    assert [file.name for file in (tmp_path / "state/runs").iterdir()] == [f"{WAITING.id}.waiting"]


def test_one_of_many_claims_an_approval(ledger: Ledger) -> None:
    ledger.put(WAITING)
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: ledger.take(WAITING), range(32)))
    assert claims.count(True) == 1
    found = ledger.find(WAITING.id)
    assert found is not None
    assert found.state == "taken"


def test_nobody_else_may_read_or_write_it(ledger: Ledger, tmp_path: Path) -> None:
    ledger.put(WAITING)
    ledger.key()
    folder = tmp_path / "state/runs"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("harm", ["shared", "link", "folder", "text", "other id", "endless", "fifo"])
def test_what_somebody_tampered_with_is_an_error_and_no_approval(ledger: Ledger, tmp_path: Path, harm: str) -> None:
    ledger.put(WAITING)
    file = tmp_path / "state/runs" / f"{WAITING.id}.waiting"
    content = file.read_bytes()
    if harm == "shared":
        file.chmod(0o666)
    elif harm == "text":
        file.write_text("{")
    elif harm == "other id":
        file.write_bytes(content.replace(b"ab12", b"cd34"))
    elif harm == "endless":
        file.write_bytes(b"[" * (2 << 20))
    else:
        file.unlink()
        (tmp_path / "elsewhere").write_bytes(content)
        {
            "link": lambda: file.symlink_to(tmp_path / "elsewhere"),
            "folder": file.mkdir,
            "fifo": lambda: os.mkfifo(file),
        }[harm]()
    with pytest.raises(StateError):
        ledger.find(WAITING.id)
    other = replace(WAITING, id="20260318-090001-cd34")
    ledger.put(other)
    assert ledger.entries() == [other], "one that is damaged hides no other"


def test_the_key_is_made_once_and_stays(ledger: Ledger, tmp_path: Path) -> None:
    key = ledger.key()
    assert len(key) == 32
    assert Ledger(tmp_path / "state" / "runs").key() == key


@pytest.mark.parametrize("run", ["", "..", "../x", "a/b", "a\0b", "last.waiting"])
def test_an_id_that_is_no_id_is_never_a_file(ledger: Ledger, run: str) -> None:
    assert ledger.find(run) is None


def test_after_a_month_the_question_is_old_whatever_the_clock_did_before(ledger: Ledger) -> None:
    assert not WAITING.is_late(NOW + KEEP)
    assert WAITING.is_late(NOW + KEEP + timedelta(seconds=1))
    assert not WAITING.is_late(NOW - timedelta(days=400))
