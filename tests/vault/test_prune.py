"""What is kept for undoing old runs does not grow for ever, and what is gone is said to be gone."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from nestkit.change import Change
from nestkit.errors import VaultError
from nestkit.vault import prune
from nestkit.vault.apply import apply_changes, undo
from nestkit.vault.journal import find_journal
from nestkit.vault.prune import UNDO, is_pruned, prune_undo

DAY = 86_400


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    (tmp_path / "vault").mkdir()
    return tmp_path / "vault"


def run(vault: Path, number: int, days_old: float = 0.0, content: bytes = b"x") -> str:
    """A run that made a note so long ago."""
    name = f"R{number}"
    apply_changes(vault, name, [Change(f"N{number}.md", None, content)])
    then = time.time() - days_old * DAY
    for file in (vault / f".nest/undo/{name}").iterdir():
        os.utime(file, (then, then))
    return name


def kept(vault: Path) -> set[str]:
    return {folder.name for folder in (vault / ".nest/undo").iterdir() if folder.is_dir()}


def test_old_records_go_and_the_newest_stay_however_old(vault: Path) -> None:
    for number in range(UNDO.runs + 5):
        run(vault, number, days_old=UNDO.days + 100 - number)
    assert kept(vault) == {f"R{number}" for number in range(5, UNDO.runs + 5)}, "each new run puts away what is too old"
    assert prune_undo(vault, time.time()) == []


def test_young_records_stay_as_long_as_there_is_room(vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(UNDO.runs + 5):
        run(vault, number, days_old=50 - number, content=bytes(1000))
    assert len(kept(vault)) == UNDO.runs + 5
    monkeypatch.setattr(prune, "UNDO", UNDO._replace(max_bytes=1300 * (UNDO.runs + 2)))
    gone = prune_undo(vault, time.time())
    assert len(gone) in (2, 3)
    assert set(gone) <= {"R0", "R1", "R2"}, "the oldest first"


def test_undo_says_that_it_is_gone_and_why(vault: Path) -> None:
    first = run(vault, 0, days_old=UNDO.days + 1)
    for number in range(1, UNDO.runs + 1):
        run(vault, number)
    assert is_pruned(vault, first)
    with pytest.raises(VaultError, match="put away") as caught:
        undo(vault, first)
    assert str(UNDO.days) in caught.value.hint
    with pytest.raises(VaultError, match="nothing is kept"):
        undo(vault, "R999")


def test_a_clock_that_jumps_ahead_costs_no_new_record(vault: Path) -> None:
    for number in range(UNDO.runs + 3):
        run(vault, number)
    prune_undo(vault, time.time() + 10_000 * DAY)
    assert kept(vault) == {f"R{number}" for number in range(3, UNDO.runs + 3)}
    assert all(each.applied for each in undo(vault, f"R{UNDO.runs}"))


def test_a_clock_that_jumps_back_costs_nothing(vault: Path) -> None:
    for number in range(UNDO.runs + 3):
        run(vault, number)
    assert prune_undo(vault, 0.0) == []


def test_what_is_no_record_of_ours_is_left_alone(vault: Path, tmp_path: Path) -> None:
    for number in range(UNDO.runs):
        run(vault, number)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (vault / ".nest/undo/link").symlink_to(outside)
    (vault / ".nest/undo/..odd").mkdir()
    (vault / ".nest/undo/file").write_text("x")
    prune_undo(vault, time.time() + 1000 * DAY)
    assert (outside / "precious").exists()
    assert (vault / ".nest/undo/..odd").exists()
    assert (vault / ".nest/undo/file").exists()


def test_the_run_just_applied_is_spared_even_if_its_record_is_too_large(
    vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(UNDO.runs + 1):
        run(vault, number, days_old=-1)
    monkeypatch.setattr(prune, "UNDO", UNDO._replace(max_bytes=0))
    apply_changes(vault, "Big", [Change("Big.md", None, bytes(10_000))])
    assert find_journal(vault, "Big") is not None
