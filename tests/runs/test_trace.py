"""The sealed trace: what this machine wrote is believed, up to the first byte that is not its own."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nestkit.runs.trace import Recorded, Sealer, parse_sealed

KEY = b"k" * 32
EVENTS: list[dict[str, Any]] = [
    {"event": "ask", "id": "R1", "ask": {"text": "ä \u2028 q"}},
    {"event": "writer", "model": "builtin"},
    {"event": "program", "number": 1, "text": "x", "approval": ""},
    {"event": "call", "program": 1, "number": 0, "asked": "[]"},
    {"event": "call", "program": 1, "number": 1, "asked": "[1]"},
    {"event": "park", "matter": {}},
    {"event": "resume"},
    {"event": "end", "end": {"status": "ok"}},
]


def draft(events: list[dict[str, Any]] = EVENTS, key: bytes = KEY) -> bytes:
    sealer = Sealer(key)
    return b"".join(sealer.draft(event) for event in events)


def test_what_was_written_is_read() -> None:
    told = parse_sealed(draft(), KEY)
    assert (told.ask["id"], told.writer["model"], len(told.calls[1])) == ("R1", "builtin", 2)
    assert told.park is None
    assert told.end == {"end": {"status": "ok"}}
    assert told.size == len(draft())


def test_an_answer_is_put_in_as_it_stands_and_one_that_is_written_later_finds_its_call() -> None:
    sealer = Sealer(KEY)
    lines = [sealer.draft(event) for event in EVENTS[:3]]
    lines += [sealer.draft(EVENTS[3], b'"reply":{"value":[1.5]}'), sealer.draft(EVENTS[4])]
    lines += [sealer.draft({"event": "value", "program": 1, "number": 1}, b'"reply":{"value":2}')]
    told = parse_sealed(b"".join(lines), KEY)
    assert [call["reply"] for call in told.calls[1]] == [{"value": [1.5]}, {"value": 2}]


def test_another_machine_s_trace_tells_nothing() -> None:
    assert parse_sealed(draft(key=b"other" * 7), KEY) == Recorded()


@given(st.integers(0, len(draft()) - 1), st.integers(0, 255))
def test_a_changed_byte_ends_what_is_believed_before_its_line(place: int, value: int) -> None:
    content = bytearray(draft())
    if content[place] == value:
        return
    content[place] = value
    told = parse_sealed(bytes(content), KEY)
    assert told.size <= content.rfind(b"\n", 0, place) + 1 or told.size <= draft().rfind(b"\n", 0, place) + 1


@given(st.permutations(range(len(EVENTS))))
def test_lines_in_another_order_or_left_out_are_not_believed(order: list[int]) -> None:
    lines = draft().splitlines(keepends=True)
    same = next((n for n, place in enumerate(order) if n != place), len(order))
    assert parse_sealed(b"".join(lines[place] for place in order), KEY).size == sum(map(len, lines[:same]))


@given(st.integers(0, len(draft())))
def test_a_trace_that_was_cut_is_believed_up_to_its_last_whole_line(size: int) -> None:
    content = draft()[:size]
    assert parse_sealed(content, KEY).size == content.rfind(b"\n") + 1
