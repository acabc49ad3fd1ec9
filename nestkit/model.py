"""Words for talking with a model: messages in, a reply out. A model is the LLM, nothing else. *Pure*."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    call: tuple[str, Mapping[str, Any]] | None = None
    """(name, arguments) that the assistant called by JSON; of a `tool` message, the call it is the result of."""
    form: Mapping[str, Any] | None = None
    """JSON schema that the server is to hold the reply to, where it can; counts in the last message only."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, with what it cost."""

    text: str
    thinking: str = ""
    """Its own field in the protocol; never put back into the conversation."""
    tool_calls: tuple[tuple[str, Mapping[str, Any] | str], ...] = ()
    """(name, arguments) of tools called by JSON; arguments that were no JSON object stay text."""
    tokens_in: int = 0
    """As the server counted; 0 when it did not say."""
    tokens_out: int = 0
    cut: bool = False
    """The server stopped at its limit, so the text may end in the middle."""
    window: int = 0
    """Tokens of the window in force, as the server told; 0 when it did not."""
    most_window: int = 0
    """Tokens of the longest window that the server has for this model, once it showed; 0 before."""
    load_seconds: float = 0.0
    """What loading the model took."""


Chat = Callable[[Sequence[Message]], Reply]
"""Messages in, reply out; raises `ModelError`. A second model server is one new function of this type."""

Left = Callable[[], float]
"""Seconds that are left of an ask; whoever waits for anything waits no longer."""
