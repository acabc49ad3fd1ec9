"""What programs leave behind lies beside the note only where it is mere data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.run import Outcome, Step
from nestkit.runs.attachment import MOST_FILES, choose_files, draft_name
from nestkit.vault.names import check_writable

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20


def step(**files: bytes) -> Step:
    return Step(1, "x", Outcome(files={name.replace("_", "."): content for name, content in files.items()}))


@pytest.mark.parametrize(
    ("path", "content", "attached"),
    [
        ("plot.png", PNG, True),
        ("PLOT.PNG", PNG, True),
        ("photo.jpg", b"\xff\xd8\xff\xe0", True),
        ("table.csv", "a,b\nä,1\n".encode(), True),
        ("plot.png", b"<script>", False),
        ("page.html", b"<script>", False),
        ("drawing.svg", b"<svg onload='x'>", False),
        ("note.md", b"```dataviewjs\n```", False),
        ("tool.py", b"import os", False),
        ("data.csv", b"\xff\xfe", False),
        ("data.txt", b"a\0b", False),
        ("png", PNG, False),
        ("Makefile", b"all:", False),
    ],
)
def test_pictures_and_tables_are_attached_and_nothing_that_anything_executes(
    path: str, content: bytes, attached: bool
) -> None:
    chosen, remarks = choose_files([Step(1, "x", Outcome(files={path: content}))])
    assert (bool(chosen), bool(remarks)) == (attached, not attached)


def test_the_newest_of_a_name_counts_and_no_two_names_meet() -> None:
    first = Step(1, "x", Outcome(files={"a/plot.png": PNG, "t.csv": b"old"}))
    second = Step(2, "x", Outcome(files={"b/Plot.png": PNG, "t.csv": b"new"}))
    chosen, _ = choose_files([first, second])
    assert chosen["t.csv"] == b"new"
    assert sorted(chosen) == ["Plot 2.png", "plot.png", "t.csv"]


def test_there_is_an_end_to_them() -> None:
    files = {f"{number}.csv": b"1" for number in range(MOST_FILES + 3)}
    chosen, remarks = choose_files([Step(1, "x", Outcome(files=files))])
    assert (len(chosen), len(remarks)) == (MOST_FILES, 3)


@given(st.text(max_size=300))
def test_every_name_is_one_that_may_be_written_and_linked(stem: str) -> None:
    name = draft_name(f"{stem}.png")
    assert check_writable(name, ()) is None
    assert not set("[]|#^\\") & set(name)
