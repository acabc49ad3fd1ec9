"""Whether what a tool gave is what its author wrote down."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from nestkit.hall.toolbox import is_result


@pytest.mark.parametrize(
    ("value", "expected", "same"),
    [
        (3, "3", True),
        (3, "4", False),
        (0.1 + 0.2, "0.3", True),
        (3.0, "3", True),
        (True, "1", False),
        (True, "true", True),
        (None, "null", True),
        (None, "None", True),
        ("a b", "a b", True),
        ("a b", "'a b'", True),
        ("86.4\n", "86.4", True),
        ("86.4\n", "86.5", False),
        ([1, "x"], '[1, "x"]', True),
        ((1, 2), "[1, 2]", True),
        ([1, 2], "[1, 2, 3]", False),
        ({"a": 1.0}, '{"a": 1}', True),
        ({"a": 1}, '{"a": 1, "b": 2}', False),
        (date(2026, 3, 18), "2026-03-18", True),
        (object(), "...", True),
        ("x", "[" * 5_000, False),
    ],
)
def test_results_are_compared_as_people_write_them(value: Any, expected: str, same: bool) -> None:
    assert is_result(value, expected) is same
