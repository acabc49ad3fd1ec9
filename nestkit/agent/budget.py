"""Messages and a window in, messages that fit it out, or nothing when they cannot. *Pure*.

A server that gets more than its window drops the oldest messages without a word, so nothing is sent unmeasured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from nestkit.agent.quote import shorten_data
from nestkit.model import Message

LETTERS_PER_TOKEN = 3.5
"""Of English and of code a token holds four or five letters; of other languages in Latin script about three."""
BYTES_PER_TOKEN = 3
"""Of text beyond ASCII: one CJK character a token, where the common tokenizers need 0.6 to 1.2."""
MESSAGE_TOKENS = 6
"""What a template writes around each message."""
FIRST_WINDOW = 8192
"""Tokens asked for at first: every doubling has a server load the model anew, and takes memory as well."""
MAX_SCALE = 2.0
"""A server that reports more than twice the estimate is not believed: some count what they kept from before."""

_MARK = re.compile(r"[0-9!-/:-@\[-^`{-~]")
_BEYOND = re.compile(r"[^\x00-\x7f]+")
_WORD = re.compile(r"[^\W\d_]+|\d+")

_SHORT, _LEAST = 400, 200
"""Characters kept of each text in an old observation, and of each in the last one when nothing else helps."""


def count_tokens(text: str) -> int:
    """An estimate that errs high: digits and punctuation one token each, letters and blanks by their number, all
    beyond ASCII by its bytes.

    No tokenizer is asked, since every model has its own. **Source:** Llama 3 and Qwen 2.5 take digits singly or by
    three, most punctuation as one token.
    """
    marks = len(_MARK.findall(text))
    beyond = _BEYOND.findall(text)
    letters = len(text) - marks - sum(map(len, beyond))
    size = sum(len(run.encode("utf-8", "surrogatepass")) for run in beyond)
    return round(marks + letters / LETTERS_PER_TOKEN + size / BYTES_PER_TOKEN + 0.5)


def count_messages(messages: Sequence[Message]) -> int:
    """The estimate for a whole conversation."""
    return sum(count_tokens(message.content) + _count_call(message) + MESSAGE_TOKENS for message in messages)


def _count_call(message: Message) -> int:
    """Of the call by JSON that a model made."""
    if message.call is None or message.role != "assistant":
        return 0
    return count_tokens(json.dumps(message.call, ensure_ascii=False, default=str))


def reserve_for(window: int) -> int:
    """Tokens of a window kept free for the reply, its thinking included."""
    return min(4096, window // 4)


def window_for(tokens: int, most: int) -> int:
    """The window to ask for, `most` at the most, so that so many tokens and a reply have room in it."""
    window = min(FIRST_WINDOW, most)
    while window < most and tokens + reserve_for(window) > window:
        window = min(2 * window, most)
    return window


def correct_scale(scale: float, estimated: int, seen: int) -> float:
    """How much the estimate is to be multiplied by, after the server told how many tokens it read.

    Only ever upwards: a low figure may as well mean that the server dropped something, or had it in its cache.
    """
    return max(scale, min(MAX_SCALE, seen / max(1, estimated)))


def fit(messages: Sequence[Message], window: int, reserve: int, scale: float = 1.0) -> tuple[Message, ...] | None:
    """The conversation as it may be sent, or None when it does not fit whatever is left out.

    The prompt (all before the first reply) and the programs stay whole. What goes is the middle of observations: the
    oldest first, the last one only as far as it must.
    """
    room = int((window - reserve) / scale)
    talk = list(messages)
    start = next((at for at, message in enumerate(talk) if message.role == "assistant"), len(talk))
    seen = [at for at in range(start, len(talk)) if talk[at].role in ("user", "tool")]
    for at in seen[:-1]:
        if count_messages(talk) <= room:
            break
        talk[at] = _shorter(talk[at], _SHORT)
    if seen:
        _cut_last(talk, seen[-1], room)
    return tuple(talk) if count_messages(talk) <= room else None


def check_truncation(messages: Sequence[Message], seen: int) -> str:
    """One line when the server surely read less than it was sent; empty otherwise, and when it did not tell.

    Sure means: fewer tokens than four fifths of the words, and no tokenizer makes one token of two words.
    """
    least = sum(len(_WORD.findall(message.content)) for message in messages) * 4 // 5
    if not 0 < seen < least:
        return ""
    return (
        f"the server read {seen} tokens of more than {least} that were sent: its window is smaller than asked for, "
        "and it dropped the oldest messages"
    )


def _cut_last(talk: list[Message], at: int, room: int) -> None:
    whole, keep = talk[at], len(talk[at].content)
    while count_messages(talk) > room and keep > _LEAST:
        keep = max(_LEAST, keep * 3 // 4)
        talk[at] = _shorter(whole, keep)


def _shorter(message: Message, keep: int) -> Message:
    return replace(message, content=shorten_data(message.content, keep))
