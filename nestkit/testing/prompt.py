"""What a model gets to see: messages and a window in, the messages that fit out. *Pure*.

The counter is simple and stated, so that a test can foretell it; a real tokenizer differs from model to model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_PER_MESSAGE = 4
"""Tokens that a chat template spends on the frame of a message."""


def count_tokens(text: str) -> int:
    """One token for every four UTF-8 bytes begun."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // 4)


def count_prompt(messages: Sequence[Mapping[str, Any]], tools: Sequence[Any] = ()) -> int:
    """Tokens of a whole prompt: four a message, all of its text, its tool calls and the tools' descriptions."""
    framed = sum(_PER_MESSAGE + sum(map(count_tokens, _texts(message))) for message in messages)
    return framed + (count_tokens(_written(tools)) if tools else 0)


def truncate(messages: Sequence[Mapping[str, Any]], window: int, tools: Sequence[Any] = ()) -> list[Mapping[str, Any]]:
    """The messages left when the front is dropped, one by one, until the prompt fits the window.

    System messages and the last message always stay, so the result may still be too long; the person's task is often
    the first to go. Results of tools are never parted from the message that called them.

    **Source**: Ollama, `server/prompt.go`, `chatPrompt`.
    """
    kept = list(messages)
    for first in range(len(messages)):
        start = _start_of_call(messages, first)
        kept = [message for message in messages[:start] if message.get("role") == "system"] + list(messages[start:])
        if count_prompt(kept, tools) <= window:
            break
    return kept


def _start_of_call(messages: Sequence[Mapping[str, Any]], at: int) -> int:
    """Where the tool call begins that the message at this place is a result of; the place itself for all others."""
    start = at
    while start > 0 and messages[start].get("role") == "tool":
        start -= 1
    called = messages[start].get("role") == "assistant" and messages[start].get("tool_calls")
    return start if called else at


def _texts(message: Mapping[str, Any]) -> list[str]:
    calls = message.get("tool_calls")
    said = [str(message.get(name) or "") for name in ("content", "thinking")]
    return [*said, _written(calls)] if calls else said


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
