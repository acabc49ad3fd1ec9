"""Words for talking with a model: messages in, a reply out. A model is the LLM, nothing else. *Pure*."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, with what it cost."""

    text: str
    thinking: str = ""
    """Its own field in the protocol; never put back into the conversation."""
    tool_calls: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(name, arguments) for models that call tools by JSON though asked for code."""
    tokens_in: int = 0
    tokens_out: int = 0
    cut: bool = False
    """The server stopped at its limit, so the text may end in the middle."""


Chat = Callable[[Sequence[Message]], Reply]
"""Messages in, reply out; raises `ModelError`. A second model server is one new function of this type."""
