"""Scripted replies without a server."""

from __future__ import annotations

import pytest

from nestkit.errors import ModelError, Unreachable
from nestkit.model import Chat, Message, Reply
from nestkit.testing import ScriptedChat


def test_replies_come_in_order_and_what_was_asked_is_kept() -> None:
    script = ScriptedChat(["one", Reply("two", tokens_out=3)])
    chat: Chat = script
    messages = [Message("user", "hi")]
    assert chat(messages) == Reply("one")
    messages.append(Message("assistant", "one"))
    assert chat(messages) == Reply("two", tokens_out=3)
    assert [len(asked) for asked in script.asked] == [1, 2], "a list that grows later must not change what was kept"


def test_errors_are_raised_in_their_turn() -> None:
    chat = ScriptedChat([Unreachable("no server", again=True), "then this"])
    with pytest.raises(Unreachable, match="no server"):
        chat([Message("user", "hi")])
    assert chat([Message("user", "hi")]).text == "then this"


def test_after_the_last_reply_the_script_says_so() -> None:
    chat = ScriptedChat(["only"])
    chat([])
    with pytest.raises(ModelError, match="1 replies, and this is call 2"):
        chat([])
    assert len(chat.asked) == 2
