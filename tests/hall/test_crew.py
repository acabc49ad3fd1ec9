"""Many files are read by two processes, and what comes out is what one alone would have read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from indexing import refresh_vault

from nestkit.hall import crew
from nestkit.index import facts
from nestkit.index.reading import Batch
from nestkit.index.store import open_index
from nestkit.nest import Nest, open_nest
from nestkit.testing import make_vault

FILES = {
    **{f"f{number % 7}/n{number}.md": f"---\nn: {number}\n---\n[[n{number + 1}]] #t{number}" for number in range(900)},
    "broken.md": "---\na: 1\na: 2\n---\n- [ ] task 日本語",
    "huge.md": "#big " * 500_000,
    "map.canvas": '{"nodes":[{"id":"1","type":"text","text":"[[n1]]"}]}',
    "02_System/tool.py": 'def add(a: int, b: int) -> int:\n    """Add."""\n    return a + b\n',
    "02_System/bad.py": "def (",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = make_vault(tmp_path / "vault", FILES)
    (made / "odd.md").write_bytes(b"caf\xe9 [[n2]]")
    (made / "link.md").symlink_to("broken.md")
    return made


def said(index: Any) -> dict[str, Any]:
    return {
        "notes": {path: facts.get_note(index, path) for path in facts.list_paths(index)},
        "unresolved": facts.list_unresolved(index),
        "problems": facts.list_problems(index),
        "scripts": index.rows("SELECT script FROM scripts ORDER BY script"),
        "found": index.rows("SELECT f.path FROM search JOIN files f ON f.id = search.rowid WHERE search MATCH '日'"),
    }


@pytest.fixture
def alone(root: Path, tmp_path: Path) -> dict[str, Any]:
    index = open_index(tmp_path / "alone.sqlite")
    refresh_vault(index, root)
    found = said(index)
    index.close()
    return found


@pytest.fixture
def nest(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nest]:
    monkeypatch.setattr(crew, "MANY", 10)
    with open_nest(root, root) as opened:
        yield opened


def test_two_read_what_one_would(nest: Nest, alone: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[int] = []
    receive = crew._Mate.receive

    def counted(self: crew._Mate) -> Any:
        answer = receive(self)
        answers.append(len(answer or ()))
        return answer

    monkeypatch.setattr(crew._Mate, "receive", counted)
    nest.refresh()
    assert said(nest.index) == alone
    assert sum(answers) > 100


def test_what_a_mate_leaves_undone_is_read_all_the_same(
    nest: Nest, alone: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = crew._Mate.send

    def send_and_kill(self: crew._Mate, batch: Batch) -> None:
        send(self, batch)
        self._process.kill()

    monkeypatch.setattr(crew._Mate, "send", send_and_kill)
    nest.refresh()
    assert said(nest.index) == alone


def test_no_mate_is_left_when_something_goes_wrong(nest: Nest, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[crew._Mate] = []
    send = crew._Mate.send

    def stop(self: crew._Mate, batch: Batch) -> None:
        made.append(self)
        send(self, batch)
        raise KeyboardInterrupt

    monkeypatch.setattr(crew._Mate, "send", stop)
    with pytest.raises(KeyboardInterrupt):
        nest.refresh()
    assert made[0]._process.poll() is not None
    assert nest.notes() == []
