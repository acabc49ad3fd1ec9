"""Two changes of the same text are put together line by line, or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestkit.change import merge

LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\r\n"]), max_size=8).map(b"".join)


@settings(deadline=None)
@given(LINES, LINES)
def test_what_only_one_side_changed_is_that_side(base: bytes, side: bytes) -> None:
    assert merge(base, side, base) == side
    assert merge(base, base, side) == side


@settings(deadline=None)
@given(LINES, LINES, LINES, LINES)
def test_changes_on_both_sides_of_what_stayed_are_both_made(top: bytes, new: bytes, end: bytes, other: bytes) -> None:
    stays = b"# what stays\n"
    assert merge(top + stays + end, new + stays + end, top + stays + other) == new + stays + other


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        (b"a\nb\nmore\n", b"a\nb\nmark\n", b"a\nb\nmore\nmark\n"),
        (b"x\nb\n", b"y\nb\n", None),
        (b"b\n", b"x\nb\n", None),
        (b"", b"a\nb\nmark\n", b"mark\n"),
    ],
)
def test_at_the_same_place_the_first_stands_first_and_the_same_lines_are_nobody_s(
    one: bytes, other: bytes, both: bytes | None
) -> None:
    assert merge(b"a\nb\n", one, other) == both
