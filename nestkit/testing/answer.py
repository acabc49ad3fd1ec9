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
    pause_seconds: float = 0.0
    """How long to wait after each piece."""
    kind: str = "application/x-ndjson"
    """Content type of a stream."""
    headers: tuple[tuple[str, str], ...] = ()


def draft_json(value: Any, status: int = 200) -> Answer:
    """An answer that is one JSON object."""
    return Answer(status, (_bytes(value),))


def draft_error(status: int, text: str) -> Answer:
    """An error as Ollama words it before the first byte."""
    return draft_json({"error": text}, status)


def draft_pull(size: int, begin: int, end: int) -> Answer:
    """The status lines of getting a model of this size, from one byte to another; broken off unless that is its end."""
    digest = "sha256:" + "0" * 64
    steps = range(begin, end, max(1, size // 4))
    lines: list[Mapping[str, Any]] = [{"status": "pulling manifest"}]
    lines += [
        {"status": "pulling 000000000000", "digest": digest, "total": size, "completed": at} for at in (*steps, end)
    ]
    if end >= size:
        lines += [{"status": text} for text in ("verifying sha256 digest", "writing manifest", "success")]
    return Answer(200, tuple(_bytes(line) + b"\n" for line in lines), streamed=True, whole=end >= size)


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
    return paced(answer, turn)


def paced(answer: Answer, turn: Turn) -> Answer:
    """The answer as slowly, and cut up, as the turn wants it."""
    if turn.split_utf8:
        answer = replace(answer, pieces=tuple(half for piece in answer.pieces for half in _halves(piece)))
    if turn.dribble:
        answer = replace(answer, pieces=tuple(bytes([byte]) for piece in answer.pieces for byte in piece))
    headers = (("Location", turn.location),) if turn.location else ()
    return replace(answer, delay_seconds=turn.delay_seconds, pause_seconds=turn.pause_seconds, headers=headers)


def _lines(turn: Turn, model: str, tokens_in: int) -> Iterator[Mapping[str, Any]]:
    for piece in split_words(turn.thinking):
        yield _line(model, {"content": "", "thinking": piece})
    for piece in turn.chunks or split_words(turn.content):
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


def split_words(text: str) -> Sequence[str]:
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
