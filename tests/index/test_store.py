"""The index file: made, reopened, made anew when it is old or damaged, all or nothing."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nestkit.index import store
from nestkit.index.store import Index, discard, open_index


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "index.sqlite"


def fill(index: Index) -> None:
    with index.writing() as connection:
        connection.execute("INSERT INTO meta VALUES ('here', 'yes')")


def test_what_was_written_is_there_when_opened_again(file: Path) -> None:
    index = open_index(file)
    fill(index)
    index.close()
    again = open_index(file)
    assert again.one("SELECT value FROM meta") == ("yes",)
    assert again.rebuilt == ""
    again.close()


def test_an_index_of_another_schema_is_made_anew_and_said(file: Path) -> None:
    index = open_index(file)
    fill(index)
    index.connection.execute("PRAGMA user_version = 99")
    index.close()
    said: list[str] = []
    again = open_index(file, say=said.append)
    assert again.rows("SELECT * FROM meta") == []
    assert said == ["index rebuilt: made by another version of nest"]
    again.close()


@pytest.mark.parametrize("damage", [b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_damaged_file_is_made_anew_and_said(file: Path, damage: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(damage)
    said: list[str] = []
    index = open_index(file, say=said.append)
    fill(index)
    assert len(said) == 1
    assert index.rebuilt
    index.close()


def test_a_new_index_says_nothing(file: Path) -> None:
    said: list[str] = []
    open_index(file, say=said.append).close()
    assert said == []


def test_an_error_while_writing_leaves_the_old_state(file: Path) -> None:
    index = open_index(file)
    with pytest.raises(ZeroDivisionError), index.writing() as connection:
        connection.execute("INSERT INTO meta VALUES ('half', 'done')")
        raise ZeroDivisionError
    assert index.rows("SELECT * FROM meta") == []
    index.close()


def test_a_reader_sees_the_old_state_while_somebody_writes(file: Path) -> None:
    writer, reader = open_index(file), open_index(file)
    with writer.writing() as connection:
        connection.execute("INSERT INTO meta VALUES ('new', '1')")
        assert reader.rows("SELECT * FROM meta") == []
    assert reader.rows("SELECT * FROM meta") == [("new", "1")]
    writer.close()
    reader.close()


def test_a_second_writer_waits_its_turn_and_may_give_up(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = open_index(file), open_index(file)
    second.connection.execute("PRAGMA busy_timeout = 10")
    monkeypatch.setattr(store, "WAIT_SECONDS", 0.0)
    with first.writing(), pytest.raises(sqlite3.OperationalError, match="locked"), second.writing():
        pass
    first.close()
    second.close()


def test_discarding_removes_the_side_files_too(file: Path) -> None:
    index = open_index(file)
    fill(index)
    discard(file)
    assert list(file.parent.iterdir()) == []
    index.close()


def test_all_that_open_a_new_index_at_once_have_the_same_one(file: Path) -> None:
    begun = threading.Barrier(8)

    def work() -> int:
        begun.wait()
        index = open_index(file, say=said.append)
        with index.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO meta VALUES ('here', 'yes')")
        index.close()
        return file.stat().st_ino

    for _ in range(5):
        said: list[str] = []
        with ThreadPoolExecutor(8) as workers:
            inodes = {future.result() for future in [workers.submit(work) for _ in range(8)]}
        assert (len(inodes), said) == (1, [])
        assert [found.name for found in file.parent.iterdir()] == [file.name]
        discard(file)
