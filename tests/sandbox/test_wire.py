"""What passes between nest and a child: values whole, hostile bytes turned down."""

from __future__ import annotations

import datetime
import decimal
import enum
import socket
import time
from collections import namedtuple
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.sandbox.child.packing import Broken, CommandText, pack, unpack
from nestkit.sandbox.child.wire import Closed, Late, TooLarge, Wire, draft_frame, parse_frame


def across(value: Any) -> Any:
    """The value as it arrives on the other side."""
    body = draft_frame({"v": pack(value)}, 1 << 20)[4:]
    return unpack(parse_frame(body)["v"])


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"))
    | st.binary(max_size=20)
    | st.decimals(allow_nan=False)
    | st.dates()
    | st.datetimes()
    | st.times()
    | st.timedeltas()
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4)
        | st.frozensets(st.integers(), max_size=4).map(set)
    ),
    max_leaves=10,
)


@given(values)
def test_plain_values_arrive_as_they_were_sent(value: Any) -> None:
    assert across(value) == value


def test_a_dict_that_looks_like_a_packed_value_is_still_a_dict() -> None:
    assert across({"$": "date", "v": "2026-01-01"}) == {"$": "date", "v": "2026-01-01"}


def test_records_can_be_read_by_key_by_name_and_by_place() -> None:
    Score = namedtuple("Score", "value level")

    @dataclass
    class Invoice:
        number: str
        amount: float

    score, invoice = across(Score(0.3, "low")), across(Invoice("INV-1", 5.0))
    assert (score[0], score.level, score["value"]) == (0.3, "low", 0.3)
    assert invoice["number"] == "INV-1"


class Level(enum.Enum):
    LOW = "low"


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (Level.LOW, "low"),
        (PurePosixPath("a/b.md"), "a/b.md"),
        (decimal.Decimal("1.10"), decimal.Decimal("1.10")),
        (datetime.date(2026, 3, 18), datetime.date(2026, 3, 18)),
        (range(3), [0, 1, 2]),
    ],
)
def test_what_json_has_no_word_for_survives(value: Any, arrives: Any) -> None:
    assert across(value) == arrives


def test_the_text_of_a_command_keeps_its_code() -> None:
    text = across(CommandText('{"a": 1}', 3, "oops"))
    assert (text.json(), text.returncode, text.stderr) == ({"a": 1}, 3, "oops")


@pytest.mark.parametrize("value", [print, object(), type, socket])
def test_what_is_no_data_is_turned_down(value: Any) -> None:
    with pytest.raises(TypeError):
        pack(value)


def test_what_holds_itself_is_turned_down() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="deep"):
        pack(loop)


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_broken(body: bytes) -> None:
    try:
        assert isinstance(parse_frame(body), dict)
    except Broken as broken:
        assert str(broken)


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda i: st.lists(i) | st.dictionaries(st.sampled_from(["$", "v", "x"]), i),
    )
)
def test_no_forged_value_is_more_than_broken(value: Any) -> None:
    try:
        assert unpack(value) is not Broken
    except Broken as broken:
        assert "no value of ours" in str(broken)


SAME_HASH = [(2**61 - 1) * number for number in range(20_000)]


@pytest.mark.parametrize(
    "value",
    [
        {"$": "set", "v": SAME_HASH},
        {"$": "frozenset", "v": SAME_HASH},
        {"$": "map", "v": [[number, 0] for number in SAME_HASH]},
        {"$": "set", "v": [{"$": "tuple", "v": [number]} for number in SAME_HASH]},
        {"$": "set", "v": [{"$": "decimal", "v": str(number)} for number in SAME_HASH]},
        {"$": "fraction", "v": ["1e9999999999"]},
        {"$": "fraction", "v": ["1e9999999999", 1]},
    ],
    ids=lambda value: value["$"],
)
def test_what_would_take_for_ever_to_build_is_turned_down_at_once(value: Any) -> None:
    """nest itself builds it, where no limit of the program's holds."""
    begun = time.thread_time()
    with pytest.raises(Broken):
        unpack(value)
    assert time.thread_time() - begun < 5  # it was minutes, or for ever


def test_many_different_members_and_a_few_that_collide_arrive() -> None:
    assert across({-1, -2, *range(5000)}) == {-1, -2, *range(5000)}
    assert across({(number, "a"): number for number in range(5000)})[(4999, "a")] == 4999


def test_depth_and_parts_are_bounded_before_anything_is_built() -> None:
    with pytest.raises(Broken):
        parse_frame(b"[" * 200_000 + b"]" * 200_000)
    with pytest.raises(Broken):
        parse_frame(b'{"a":[' + b"0," * 1_100_000 + b"0]}")


def test_a_frame_over_the_limit_is_turned_down_on_both_sides() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(TooLarge):
            Wire(ours, 100).send({"a": "x" * 200})
        theirs.sendall(draft_frame({"a": "x" * 200}, 1000))
        with pytest.raises(TooLarge):
            Wire(ours, 100).receive()


def test_a_side_that_is_gone_or_silent_is_noticed() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        line = Wire(ours, 100)
        line.deadline = time.monotonic() + 0.05
        with theirs, pytest.raises(Late):
            line.receive()
        line.deadline = None
        with pytest.raises(Closed):
            line.receive()


def test_a_side_that_never_reads_does_not_hold_us() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line = Wire(ours, 64 << 20)
        line.deadline = time.monotonic() + 0.1
        with pytest.raises(Late):
            line.send({"a": "x" * (32 << 20)})
