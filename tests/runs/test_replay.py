"""Two outcomes are the same, byte for byte, or it is said where they first differ."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestkit.runs.replay import Difference, find_difference
from nestkit.runs.trace import draft_json

PLAIN: dict[str, Any] = {"limit": "", "error": "", "output": "", "final": True, "value": 1, "files": {}}
TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
OUTCOMES = st.fixed_dictionaries(
    {
        "limit": st.sampled_from(["", "output", "seconds"]),
        "error": TEXTS,
        "output": TEXTS,
        "final": st.booleans(),
        "value": VALUES,
        "files": st.dictionaries(st.sampled_from(["a.csv", "b.png"]), st.sampled_from(["QQ==", "Qg=="])).map(
            lambda files: dict(sorted(files.items()))
        ),
    }
)


@settings(deadline=None)
@given(OUTCOMES)
def test_an_outcome_that_was_recorded_and_read_back_does_not_differ(outcome: dict[str, Any]) -> None:
    assert find_difference(1, json.loads(draft_json(outcome)), json.loads(draft_json(outcome))) is None


@settings(deadline=None)
@given(OUTCOMES, OUTCOMES)
def test_what_is_not_the_same_text_differs_whichever_way_one_looks(one: dict[str, Any], other: dict[str, Any]) -> None:
    if "seconds" in (one["limit"], other["limit"]):
        one, other = one | {"error": ""}, other | {"error": ""}
    same = all(draft_json(one[part]) == draft_json(other[part]) for part in PLAIN)
    assert (find_difference(1, one, other) is None) == same
    assert (find_difference(1, other, one) is None) == (find_difference(1, one, other) is None)


@pytest.mark.parametrize(
    ("changed", "what", "recorded", "now", "line"),
    [
        ({"output": "a\nb\nc"}, "what it printed", "", "a", 1),
        ({"value": 2}, "its value", "1", "2", 0),
        ({"value": 1.0}, "its value", "1", "1.0", 0),
        ({"value": True}, "its value", "1", "true", 0),
        ({"error": "ValueError: x"}, "its error", "", "ValueError: x", 1),
        ({"final": False}, "whether it answered", "true", "false", 0),
        ({"files": {"a.csv": "QQ=="}}, "the file a.csv", "none", "4 characters of base64", 0),
    ],
)
def test_the_first_part_that_differs_is_named(
    changed: dict[str, Any], what: str, recorded: str, now: str, line: int
) -> None:
    assert find_difference(3, PLAIN, PLAIN | changed) == Difference(3, what, recorded, now, line)


def test_files_have_no_order() -> None:
    one, other = ({"a.csv": "QQ==", "b.png": "Qg=="}, {"b.png": "Qg==", "a.csv": "QQ=="})
    assert find_difference(1, PLAIN | {"files": one}, PLAIN | {"files": other}) is None


def test_the_line_is_the_first_that_differs() -> None:
    found = find_difference(1, PLAIN | {"output": "a\nb\n"}, PLAIN | {"output": "a\nc\n"})
    assert found == Difference(1, "what it printed", "b", "c", 2)
    assert find_difference(1, PLAIN | {"output": "a"}, PLAIN | {"output": "a\n"}) is not None


def test_figures_of_a_limit_of_time_are_not_compared() -> None:
    slow = PLAIN | {"limit": "seconds", "error": "Stopped: it ran longer than 30 seconds"}
    assert find_difference(1, slow, slow | {"error": "Stopped: it ran longer than 29.4 seconds"}) is None
    assert find_difference(1, slow, PLAIN) is not None
