"""Paths that stand still, and how many of them are kept."""

from __future__ import annotations

import threading
from pathlib import Path

from nestkit.watching.settling import MAX_PATHS, WHOLE, Settling


def test_a_path_is_given_out_when_it_stood_still_and_only_once(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("x")
    settling = Settling(tmp_path, 2.0)
    settling.add("a.md")
    assert settling.wait_seconds(0.0) == 0.0
    assert settling.take(0.0) == []
    assert settling.wait_seconds(0.5) == 1.5
    assert settling.take(1.9) == []
    assert settling.take(2.0) == ["a.md"]
    assert settling.take(9.0) == []
    assert settling.wait_seconds(9.0) is None


def test_a_path_that_is_written_to_meanwhile_waits_anew_even_if_nobody_said_so(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("x")
    settling = Settling(tmp_path, 2.0)
    settling.add("a.md")
    settling.take(0.0)
    (tmp_path / "a.md").write_text("longer")
    assert settling.take(2.0) == []
    assert settling.take(3.9) == []
    assert settling.take(4.0) == ["a.md"]


def test_a_new_event_begins_the_wait_anew(tmp_path: Path) -> None:
    settling = Settling(tmp_path, 2.0)
    settling.add("gone.md")
    settling.take(0.0)
    settling.add("gone.md")
    assert settling.take(1.5) == []
    assert settling.take(2.0) == []
    assert settling.take(3.5) == ["gone.md"]


def test_too_many_paths_become_a_look_at_the_whole_vault(tmp_path: Path) -> None:
    settling = Settling(tmp_path, 0.0)
    for number in range(3 * MAX_PATHS):
        settling.add(f"{number}.md")
    assert len(settling) <= MAX_PATHS
    assert settling.take(0.0) == [WHOLE]
    assert len(settling) == 0


def test_events_of_many_threads_are_all_there(tmp_path: Path) -> None:
    settling = Settling(tmp_path, 0.0)

    def report(name: str) -> None:
        for number in range(500):
            settling.add(f"{name}-{number}.md")

    threads = [threading.Thread(target=report, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    found: set[str] = set()
    while any(thread.is_alive() for thread in threads) or settling.wait_seconds(0.0) is not None:
        found.update(settling.take(0.0))
    assert len(found) == 4000
