"""Names of run notes: readable, allowed everywhere, never taken."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.runs.name import draft_id, draft_path, draft_slug
from nestkit.vault.names import check_writable

NOW = datetime.fromisoformat("2026-03-18T09:05:07+01:00")


@pytest.mark.parametrize(
    ("ask", "slug"),
    [
        ("Which invoices are unpaid?", "Which invoices are unpaid"),
        ('a/b\\c: [[d]] #e ^f |g *h* "i" <j>', "a b c d e f g h i j"),
        ("???", "ask"),
        ("...hidden", "hidden"),
        ("two\nlines\tand tabs", "two lines and tabs"),
        ("word " * 40, ("word " * 12).strip()),
        ("Straße über 東京", "Straße über 東京"),
    ],
)
def test_the_slug_is_the_ask_s_first_words(ask: str, slug: str) -> None:
    assert draft_slug(ask) == slug


def test_the_path_sorts_by_time_and_is_never_taken() -> None:
    taken = {"03_Runs/2026/03/2026-03-18 0905 hello.md", "03_Runs/2026/03/2026-03-18 0905 hello 2.md"}
    assert draft_path("03_Runs", "hello", NOW, taken.__contains__) == "03_Runs/2026/03/2026-03-18 0905 hello 3.md"


def test_the_id_tells_two_runs_of_one_second_apart() -> None:
    assert draft_id(NOW, "ab12") == "20260318-090507-ab12"


@given(st.text())
def test_any_ask_makes_a_name_that_may_be_written(ask: str) -> None:
    assert check_writable(draft_path("03_Runs", ask, NOW, lambda path: False), ()) is None
