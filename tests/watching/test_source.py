"""Names of files in which nothing ever asks."""

from __future__ import annotations

import pytest

from nestkit.watching.source import find_original, why_no_source

NO = [
    "Plan.sync-conflict-20260318-101112-ABCDEFG.md",
    "a/Plan (conflicted copy 2026-03-18 101112).md",
    "Plan (Marta's conflicted copy 2026-03-18).md",
    "Plan (Conflict 2026-03-18).md",
    "Plan-conflict-2026-03-18.md",
    ".trash/Plan.md",
    "a/.hidden/Plan.md",
    ".Plan.md.icloud",
    "Plan.md.orig",
    "Plan.md~",
    "~$Plan.md",
    ".~lock.Plan.md#",
    "4913",
    "Plan.tmp",
    "Plan.txt",
    "Templates/Daily.md",
    "x/_templates/Daily.md",
    "template/Daily.md",
    ".syncthing.Plan.md.tmp",
]
YES = [
    "Plan.md",
    "a/b c/Plan 2.md",
    "Conflict.md",
    "On conflict resolution.md",
    "Template ideas.md",
    "x.MD",
    "2026-03-18.md",
    "Notes on (the) conflict.md",
    "Templates overview/a.md",
]


@pytest.mark.parametrize("path", NO)
def test_leftovers_never_ask(path: str) -> None:
    assert why_no_source(path)


@pytest.mark.parametrize("path", YES)
def test_ordinary_names_may_ask(path: str) -> None:
    assert why_no_source(path) == ""


def test_a_numbered_copy_names_its_original() -> None:
    assert find_original("a/Plan 2.md") == "a/Plan.md"
    assert find_original("a/Plan.md") == ""
    assert find_original("a/Plan 2026.md") == ""
