"""Notes as records: which are chosen, which folder is left out, and what the left out ones cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nestkit.index import facts
from nestkit.index.store import Index, open_index
from nestkit.index.tool_notes import find_documenting
from tests.indexing import refresh_vault


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = open_index(tmp_path / "index.sqlite")
    yield made
    made.close()


def write(root: Path, notes: dict[str, str]) -> None:
    for path, text in notes.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def steps(index: Index, ask: str) -> int:
    """What a question costs in SQLite's own instructions, in hundreds: no clock comes into it."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    index.connection.set_progress_handler(tick, 100)
    if ask == "records":
        list(facts.list_records(index, without="03_Runs"))
    else:
        find_documenting(index, "02_System")
    index.connection.set_progress_handler(None, 0)
    return count


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, ["03_Runs more/b.md", "A.md", "x/03_Runs/c.md"]),
        ({"tag": "t"}, ["A.md", "x/03_Runs/c.md"]),
        ({"where": {"status": "ok"}}, ["A.md"]),
        ({"folder": "03_Runs"}, []),
    ],
)
def test_only_the_folder_itself_is_left_out(
    index: Index, tmp_path: Path, chosen: dict[str, object], expected: list[str]
) -> None:
    root = tmp_path / "vault"
    notes = {
        "03_Runs/2026/a.md": "---\nstatus: ok\n---\n#t [[A]]",
        "03_Runs more/b.md": "[[A]]",
        "A.md": "---\nstatus: ok\n---\n#t [[b]] [[a]]",
        "x/03_Runs/c.md": "#t",
    }
    write(root, notes)
    refresh_vault(index, root)
    found = {record["path"]: record for record in facts.list_records(index, without="03_Runs", **chosen)}  # type: ignore[arg-type]
    assert list(found) == expected
    everything = {record["path"]: record for record in facts.list_records(index)}
    assert all(record == everything[path] for path, record in found.items()), "left out notes change no other record"


@pytest.mark.parametrize("ask", ["records", "documenting"])
def test_links_of_the_runs_cost_nothing_where_runs_are_left_out(index: Index, tmp_path: Path, ask: str) -> None:
    root = tmp_path / "vault"
    write(root, {f"N/{n}.md": f"[[{n + 1}]] #t" for n in range(100)} | {"02_System/s.py": "def f(): 'Says f.'\n"})
    refresh_vault(index, root)
    before = steps(index, ask)
    write(root, {f"03_Runs/r{n}.md": "".join(f"[[{m}]]\n" for m in range(100)) for n in range(40)})
    refresh_vault(index, root)
    assert steps(index, ask) < 2 * before + 10
