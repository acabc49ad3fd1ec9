"""Truncation as Ollama does it: a table of cases, and the laws that hold for all of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.testing import count_prompt, count_tokens, truncate

ROLES = {"s": "system", "u": "user", "a": "assistant", "c": "assistant", "t": "tool"}


def talk(letters: str) -> list[dict[str, Any]]:
    """One message of ten tokens for each letter; `c` is an assistant that calls a tool, a few tokens more."""
    messages: list[dict[str, Any]] = [{"role": ROLES[letter], "content": f"{letter:<24}"} for letter in letters]
    for letter, message in zip(letters, messages, strict=True):
        if letter == "c":
            message["tool_calls"] = [{"function": {"name": "f", "arguments": {}}}]
    return messages


def kept(letters: str, window: int) -> str:
    return "".join(message["content"].strip() for message in truncate(talk(letters), window))


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("日本", 2), ("🎉", 1), ("\ud800", 1)]
)
def test_four_bytes_are_a_token(text: str, tokens: int) -> None:
    assert count_tokens(text) == tokens


def test_a_prompt_counts_all_that_is_sent() -> None:
    message = {"role": "assistant", "content": "abcd", "thinking": "abcd"}
    assert count_prompt([]) == 0
    assert count_prompt([message]) == 4 + 1 + 1
    assert count_prompt([{"role": "user"}]) == 4
    assert count_prompt([message], tools=[{"type": "function"}]) == 6 + count_tokens('[{"type":"function"}]')
    assert count_prompt(talk("c")) > count_prompt(talk("a")) == 10


@pytest.mark.parametrize(
    ("letters", "window", "left"),
    [
        ("", 0, ""),
        ("suau", 40, "suau"),
        ("suau", 39, "sau"),
        ("suau", 20, "su"),
        ("suau", 1, "su"),
        ("uaua", 30, "aua"),
        ("usau", 30, "sau"),
        ("usau", 20, "su"),
        ("ususu", 30, "ssu"),
        ("us", 10, "s"),
        ("suact", 70, "suact"),
        ("suact", 1, "sct"),
        ("suactt", 1, "sctt"),
        ("suat", 1, "st"),
        ("tu", 10, "u"),
    ],
)
def test_the_front_goes_first_but_never_a_system_message_or_the_last(letters: str, window: int, left: str) -> None:
    assert kept(letters, window) == left


def test_descriptions_of_tools_take_their_room_in_the_window() -> None:
    messages = talk("uu")
    assert truncate(messages, 20) == messages
    assert truncate(messages, 20, tools=[{"type": "function"}]) == messages[1:]


conversations = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(sorted(set(ROLES.values()))), "content": st.text(max_size=60)}),
    max_size=8,
)


@given(conversations, st.integers(0, 150))
def test_what_is_left_fits_or_nothing_more_can_go(messages: list[dict[str, Any]], window: int) -> None:
    left = truncate(messages, window)
    places = [place for place, message in enumerate(messages) if any(message is each for each in left)]
    system = [message for message in messages if message["role"] == "system"]
    assert [messages[place] for place in places] == left, "the order stays, nothing is made up"
    assert [message for message in left if message["role"] == "system"] == system
    assert left[-1:] == messages[-1:]
    only_those = all(message["role"] == "system" for message in left[:-1])
    assert count_prompt(left) <= window or only_those
    if count_prompt(messages) <= window:
        assert left == messages


@given(conversations, st.integers(0, 150))
def test_a_wider_window_never_shows_less(messages: list[dict[str, Any]], window: int) -> None:
    assert len(truncate(messages, window)) <= len(truncate(messages, window + 1))
