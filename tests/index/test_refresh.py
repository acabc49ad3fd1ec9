"""The index follows the vault: only what changed is read, and the result is as if all had been."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from indexing import readers_of, refresh_vault

from nestkit.index import facts
from nestkit.index.refresh import Refreshed, refresh
from nestkit.index.store import Index, open_index
from nestkit.note import Note
from nestkit.testing import make_vault
from nestkit.vault.files import list_folders


@dataclass
class Kept:
    """A vault with its index, and which files a refresh read."""

    root: Path
    index: Index
    read: list[str] = field(default_factory=list)

    def refresh(self, *, ahead_seconds: int = 3) -> Refreshed:
        """By a clock that is ahead, what was written just now counts as settled."""
        self.read.clear()

        def read(path: str) -> bytes:
            self.read.append(path)
            return (self.root / path).read_bytes()

        return refresh_vault(self.index, self.root, read, ahead_seconds=ahead_seconds)

    def write(self, path: str, text: str, *, old: bool = True) -> None:
        """Write a file; `old` sets its time back, so that it counts as settled."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        if old:
            os.utime(file, ns=(10**18, 10**18))

    def facts(self) -> dict[str, object]:
        """Everything the index says, without ids and times."""
        return {
            "notes": [{**record, "modified": ""} for record in facts.list_records(self.index)],
            "links": {path: facts.links_of(self.index, path) for path in facts.list_paths(self.index)},
            "unresolved": facts.list_unresolved(self.index),
            "ambiguous": facts.list_ambiguous(self.index),
            "tags": facts.count_tags(self.index),
            "tasks": facts.list_tasks(self.index),
            "problems": facts.list_problems(self.index),
            "search": sorted(self.index.rows("SELECT rowid FROM search WHERE search MATCH 'bee'")) != [],
        }


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    root = make_vault(tmp_path / "vault", {})
    made = Kept(root, open_index(tmp_path / "index.sqlite"))
    made.write("A.md", "see [[Bee]] #tag\n- [ ] task\n")
    made.write("x/Bee.md", "a bee\n")
    made.refresh()
    yield made
    made.index.close()


def test_nothing_is_read_when_nothing_changed(kept: Kept) -> None:
    done = kept.refresh()
    assert (done.changed, done.removed, kept.read) == (0, 0, [])


def test_only_the_changed_file_is_read(kept: Kept) -> None:
    kept.write("A.md", "now [[Cat]]\n")
    done = kept.refresh()
    assert (done.changed, kept.read) == (1, ["A.md"])
    assert [link.target for link, _ in facts.links_of(kept.index, "A.md")] == ["Cat"]


def test_a_touched_file_is_read_and_counts_as_unchanged(kept: Kept) -> None:
    os.utime(kept.root / "A.md", ns=(11**17, 11**17))
    done = kept.refresh()
    assert (done.changed, kept.read) == (0, ["A.md"])
    assert kept.refresh().changed == 0
    assert kept.read == []


def test_equal_size_and_time_do_not_fool_it(kept: Kept) -> None:
    kept.write("A.md", "see [[Cat]] #tag\n- [ ] task\n")  # same size, same time, as a restored backup may have
    assert kept.refresh().changed == 1


def test_a_file_written_a_moment_ago_is_looked_at_again(kept: Kept) -> None:
    kept.write("new.md", "one", old=False)
    kept.refresh(ahead_seconds=0)
    kept.refresh(ahead_seconds=0)
    assert kept.read == ["new.md"]


def test_a_link_finds_its_note_when_it_appears_and_loses_it_when_it_goes(kept: Kept) -> None:
    assert facts.links_of(kept.index, "A.md")[0][1] == "x/Bee.md"
    (kept.root / "x/Bee.md").unlink()
    kept.refresh()
    assert kept.read == []
    assert facts.links_of(kept.index, "A.md")[0][1] is None
    kept.write("y/bee.md", "back")
    kept.refresh()
    assert kept.read == ["y/bee.md"]
    assert facts.links_of(kept.index, "A.md")[0][1] == "y/bee.md"


def test_a_second_note_of_the_name_makes_the_link_ambiguous(kept: Kept) -> None:
    kept.write("z/Bee.md", "another")
    kept.refresh()
    assert facts.list_ambiguous(kept.index) == [
        {"source": "A.md", "target": "Bee", "line": 1, "resolved": "x/Bee.md", "others": ["z/Bee.md"]}
    ]


def test_a_removed_note_leaves_nothing_behind(kept: Kept) -> None:
    (kept.root / "A.md").unlink()
    kept.refresh()
    for table in ("links", "tags", "tasks"):
        assert kept.index.rows(f"SELECT * FROM {table}") == []
    assert kept.index.rows("SELECT rowid FROM search WHERE search MATCH 'see'") == []


def test_refreshing_in_steps_gives_what_refreshing_at_once_gives(kept: Kept, tmp_path: Path) -> None:
    kept.write("B.md", "---\nup: '[[A]]'\n---\nbee ![[pic.png]]\n")
    kept.refresh()
    kept.write("pic.png", "x")
    kept.write("x/A.md", "[[B]] [[Nowhere]]")
    kept.refresh()
    (kept.root / "x/Bee.md").rename(kept.root / "Bee.md")
    kept.refresh()
    fresh = Kept(kept.root, open_index(tmp_path / "fresh.sqlite"))
    fresh.refresh()
    assert kept.facts() == fresh.facts()
    fresh.index.close()


def test_an_unreadable_note_is_a_problem_and_the_rest_goes_on(kept: Kept) -> None:
    def read(path: str) -> bytes:
        if path == "B.md":
            raise PermissionError(13, "Permission denied")
        return (kept.root / path).read_bytes()

    kept.write("B.md", "secret")
    kept.write("C.md", "#open")
    refresh_vault(kept.index, kept.root, read)
    assert [str(problem) for problem in facts.list_problems(kept.index)] == ["B.md: cannot be read: Permission denied"]
    assert "open" in facts.count_tags(kept.index)


def test_a_note_that_is_no_utf_8_is_read_as_far_as_it_goes(kept: Kept) -> None:
    (kept.root / "L.md").write_bytes(b"one\n#two caf\xe9\n")
    kept.refresh()
    assert [problem.line for problem in facts.list_problems(kept.index, "L.md")] == [2]
    assert "two" in facts.count_tags(kept.index)


def test_a_note_beyond_obsidian_s_limit_is_said_not_read(kept: Kept) -> None:
    kept.write("huge.md", "#big " * 500_000)
    kept.refresh()
    assert "larger than 2 MB" in facts.list_problems(kept.index, "huge.md")[0].what
    assert "big" not in facts.count_tags(kept.index)


def test_two_refreshes_at_once_do_the_work_once(kept: Kept, tmp_path: Path) -> None:
    for number in range(30):
        kept.write(f"n{number}.md", f"note {number} [[A]]")
    counts: list[int] = []

    def work() -> None:
        other = Kept(kept.root, open_index(tmp_path / "index.sqlite"))
        counts.append(other.refresh().changed)
        other.index.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(counts) == [0, 30]


def test_an_error_in_the_middle_leaves_the_old_index(kept: Kept) -> None:
    def stop(path: str, text: str) -> Note:
        raise KeyboardInterrupt

    before = kept.facts()
    kept.write("B.md", "new")
    with pytest.raises(KeyboardInterrupt):
        refresh(kept.index, lambda: list_folders(kept.root), readers_of(kept.root, note=stop))
    assert kept.facts() == before
