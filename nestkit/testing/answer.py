"""What goes over the wire for a turn: the turn and its prompt's size in, the bytes to send out. *Pure*.

**Source**: Ollama, `docs/api.md`, "Generate a chat completion"; zero counts are left out, as its server does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nestkit.testing.prompt import count_tokens
from nestkit.testing.turn import Turn

CREATED_AT = "2026-01-01T00:00:00Z"
"""Always the same, so that two plays of one script are equal byte for byte."""
_NANOSECONDS = 1_000_000_000
_PER_TOKEN = 1_000_000
"""Nanoseconds a token is said to take."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    pieces: tuple[bytes, ...]
    """Written one by one."""
    streamed: bool = False
    """As a stream of JSON lines, else as one JSON object."""
    whole: bool = True
    """False when the connection is to close before the end."""
    delay_seconds: float = 0.0
    """How long to wait before the first byte."""


def draft_json(value: Any, status: int = 200) -> Answer:
    """An answer that is one JSON object."""
    return Answer(status, (_bytes(value),))


def draft_error(status: int, text: str) -> Answer:
    """An error as Ollama words it before the first byte."""
    return draft_json({"error": text}, status)


def draft_loaded(model: str, *, unload: bool) -> Answer:
    """The answer to a request without messages, which only loads or unloads the model."""
    said = _line(model, {"content": ""})
    return draft_json({**said, "done": True, "done_reason": "unload" if unload else "load"})


def draft_reply(turn: Turn, model: str, tokens_in: int, *, stream: bool) -> Answer:
    """The turn as it goes over the wire, with the size of its prompt in the last line."""
    if turn.status != 200:
        body = turn.body.encode("utf-8") if isinstance(turn.body, str) else _bytes(turn.body)
        answer = Answer(turn.status, (body,))
    elif turn.raw is not None:
        answer = Answer(200, (turn.raw.encode("utf-8"),), streamed=stream)
    elif stream:
        lines = tuple(_bytes(line) + b"\n" for line in _lines(turn, model, tokens_in))
        answer = Answer(200, lines, streamed=True, whole=turn.then != "close")
    elif turn.then == "error-line":
        answer = draft_error(500, turn.error)  # nothing has been sent yet, so it is an honest error
    else:
        answer = replace(draft_json(_object(turn, model, tokens_in)), whole=turn.then != "close")
    if turn.split_utf8:
        answer = replace(answer, pieces=tuple(half for piece in answer.pieces for half in _halves(piece)))
    return replace(answer, delay_seconds=turn.delay_seconds)


def _lines(turn: Turn, model: str, tokens_in: int) -> Iterator[Mapping[str, Any]]:
    for piece in _words(turn.thinking):
        yield _line(model, {"content": "", "thinking": piece})
    for piece in turn.chunks or _words(turn.content):
        yield _line(model, {"content": piece})
    if turn.tool_calls:
        yield _line(model, {"content": "", "tool_calls": turn.tool_calls})
    if turn.then == "error-line":
        yield {"error": turn.error}
    elif turn.then == "done":
        yield {**_line(model, {"content": ""}), "done": True, **_figures(turn, tokens_in)}


def _object(turn: Turn, model: str, tokens_in: int) -> Mapping[str, Any]:
    message = {"content": turn.content, "thinking": turn.thinking, "tool_calls": turn.tool_calls}
    said = _line(model, {name: value for name, value in message.items() if value or name == "content"})
    return {**said, "done": True, **_figures(turn, tokens_in)} if turn.then == "done" else said


def _line(model: str, message: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"model": model, "created_at": CREATED_AT, "message": {"role": "assistant", **message}, "done": False}


def _figures(turn: Turn, tokens_in: int) -> Mapping[str, Any]:
    """How the reply ended and what it cost; times are derived from the counts, in nanoseconds."""
    calls = json.dumps(turn.tool_calls) if turn.tool_calls else ""
    tokens_out = sum(map(count_tokens, (turn.thinking, turn.content, calls)))
    times = {
        "load_duration": int(turn.delay_seconds * _NANOSECONDS) + _PER_TOKEN,
        "prompt_eval_duration": tokens_in * _PER_TOKEN,
        "eval_duration": tokens_out * _PER_TOKEN,
    }
    figures = {
        "total_duration": sum(times.values()),
        "prompt_eval_count": tokens_in,
        "eval_count": tokens_out,
        **times,
    }
    return {"done_reason": turn.done_reason, **{name: value for name, value in figures.items() if value}}


def _words(text: str) -> Sequence[str]:
    """The text in small pieces; joined they are the text."""
    return re.findall(r"\S+\s*|\s+", text)


def _halves(line: bytes) -> tuple[bytes, ...]:
    """A line in two pieces, cut after the first byte of its first long character, else in its middle."""
    leading = (place for place, byte in enumerate(line) if byte >= 0xC0)
    cut = next(leading, len(line) // 2 - 1) + 1
    return tuple(half for half in (line[:cut], line[cut:]) if half)


def _bytes(value: Any) -> bytes:
    # Characters stay as they are, as from Ollama: escaped ones could not be cut in the middle.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
