"""A model without a server: replies in, a `Chat` that plays them out. *Pure*."""

from __future__ import annotations

from collections.abc import Sequence

from nestkit.errors import ModelError
from nestkit.model import Message, Reply


class ScriptedChat:
    """A `model.Chat` that plays replies in order, raises those that are errors, and keeps what it was asked."""

    def __init__(self, replies: Sequence[str | Reply | ModelError]) -> None:
        self.asked: list[list[Message]] = []
        """The messages of each call, the calls past the end of the script included."""
        self._replies = tuple(replies)

    def __call__(self, messages: Sequence[Message]) -> Reply:
        self.asked.append(list(messages))
        number = len(self.asked)
        if number > len(self._replies):
            raise ModelError(f"the script has {len(self._replies)} replies, and this is call {number}")
        reply = self._replies[number - 1]
        if isinstance(reply, ModelError):
            raise reply
        return Reply(reply) if isinstance(reply, str) else reply
