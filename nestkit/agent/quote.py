"""Untrusted text in, text that cannot break out of its place in a prompt out. *Pure*.

A note, a tool's result or an ask may spell a fence, a closing tag or a model's own role marker (`<|im_start|>`,
`[INST]`, `</s>`). A server's template does not tell such text from the real thing, so it must never arrive as it is.
"""

from __future__ import annotations

import json
import re
from typing import Any

_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Characters of a regular expression's class: controls, format characters, separators and lone surrogates. **Source:**
Unicode categories Cc, Cf, Zl, Zp and Cs, less newline and tab."""

_MARKS = re.compile(rf"[<>`\t\n{_UNSEEN}]|\[(?=/?[A-Z_]{{3,}}\])")
"""What no quoted text may spell: the start of a tag or role marker, a fence, a line's end, anything unseen."""

_ROLES = re.compile(r"<(?=[|｜]|<SYS|/?(?:s|bos|eos|(?:start|end)_of_turn|im_start|im_end)>)|\[(?=/?[A-Z_]{3,}\])")
"""**Source:** the role markers of the chat templates of Llama 2 and 3, Mistral, Gemma, Qwen, DeepSeek, Phi, gpt-oss."""

_BLOCK = re.compile(r'<data name="(?P<name>[^"<>]*)">(?P<body>[^<>]*)</data>')


def quote(value: Any) -> str:
    """A value as one line of JSON without any character that could end its place; read back, it is the same value.

    What JSON cannot say (a date, a set) becomes its text.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):  # keys that are no text, a value that holds itself
        text = json.dumps(f"a {type(value).__name__} that cannot be shown")
    return _MARKS.sub(_escaped, text)


def plain(text: str) -> str:
    """Text to be read as it is, lines kept: what is unseen is shown as `\\u....`, role markers no longer are any."""
    text = re.sub(f"[{_UNSEEN}]", _escaped, text.replace("\r\n", "\n"))
    return _ROLES.sub(lambda found: "‹" if found[0] == "<" else "⟦", text)


def data_block(name: str, value: Any) -> str:
    """A named place for untrusted data: one line, and nothing in the value can close it."""
    return f'<data name="{name}">{quote(value)}</data>'


def shorten_data(text: str, keep: int) -> str:
    """The same text, with the middle of every long string in its data blocks left out.

    `keep` is the number of characters that stay of each string; text outside data blocks is not touched.
    """
    return _BLOCK.sub(lambda found: data_block(found["name"], _shortened(json.loads(found["body"]), keep)), text)


def shorten(text: str, keep: int) -> str:
    """The beginning and the end of a long text, with the number of characters left out between them."""
    if len(text) <= keep + 40:  # the note of what is missing would be as long as what is missing
        return text
    head = keep * 2 // 3
    tail = keep - head
    return f"{text[:head]} ...({len(text) - keep} characters left out)... {text[len(text) - tail :]}"


def _shortened(value: Any, keep: int) -> Any:
    if isinstance(value, str):
        return shorten(value, keep)
    if isinstance(value, dict) and set(value) <= _FIELDS:
        return {key: _shortened(part, keep) for key, part in value.items()}
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= keep + 40 else shorten(text, keep)


_FIELDS = frozenset({"printed", "value", "error", "refused"})
"""The fields of an outcome, each shortened by itself; any other value is shortened as one text."""


def _escaped(found: re.Match[str]) -> str:
    mark = found[0]
    return f"\\u{ord(mark):04x}" if ord(mark) < 0x10000 else json.dumps(mark)[1:-1]
