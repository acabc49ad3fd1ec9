"""What fits a window, as laws: nothing is sent that would not fit, no longer window is asked for than is needed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nestkit.agent.budget import FIRST_WINDOW, count_messages, fit, reserve_for, window_for
from nestkit.agent.quote import data_block
from nestkit.model import Message

tokens = st.integers(0, 300_000)
windows = st.integers(16, 300_000)


@given(tokens, windows)
def test_the_window_to_ask_for_has_room_or_is_the_longest(wanted: int, most: int) -> None:
    window = window_for(wanted, most)
    assert min(FIRST_WINDOW, most) <= window <= most
    assert wanted + reserve_for(window) <= window or window == most


@given(tokens, tokens, windows)
def test_a_longer_conversation_never_gets_a_shorter_window(one: int, other: int, most: int) -> None:
    assert window_for(min(one, other), most) <= window_for(max(one, other), most)


@given(tokens, windows)
def test_no_longer_window_is_asked_for_than_is_needed(wanted: int, most: int) -> None:
    window = window_for(wanted, most)
    if window > min(FIRST_WINDOW, most):
        shorter = min(FIRST_WINDOW, most)
        while shorter * 2 < window:
            shorter *= 2
        assert wanted + reserve_for(shorter) > shorter


@given(st.lists(st.text(max_size=3000), max_size=6), st.integers(100, 4000), st.floats(1, 2))
def test_what_fits_fits_and_keeps_the_ask(outputs: list[str], window: int, scale: float) -> None:
    opening = [Message("system", "rules and the ask"), Message("user", "the ask")]
    talk = list(opening)
    for output in outputs:
        talk += [Message("assistant", "look()"), Message("user", f"Step: {data_block('outcome', {'printed': output})}")]
    fitting = fit(talk, window, reserve_for(window), scale)
    if fitting is None:
        return
    assert count_messages(fitting) * scale + reserve_for(window) <= window
    assert list(fitting[:2]) == opening
    assert [message.role for message in fitting] == [message.role for message in talk]
    assert [m.content for m in fitting if m.role == "assistant"] == ["look()"] * len(outputs)
