"""Text of a note in, its block of properties and the body under it out, as text. *Pure*."""

from __future__ import annotations

import re
from dataclasses import dataclass

_OPENING = re.compile(r"\ufeff?---[ \t]*\r?\n")
_CLOSING = re.compile(r"^---[ \t]*(?:\r?\n|\Z)", re.MULTILINE)
_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Split:
    """A note's text, taken apart."""

    yaml: str | None
    """What stands between the fences, as it is; None without a closed block."""
    body: str
    """The rest, with `\\n` between lines and no byte order mark."""
    body_line: int
    """Line of the file on which the body begins."""


def split_frontmatter(text: str) -> Split:
    """The block between `---` on the very first line and the next `---`, and what follows it.

    **Source**: Obsidian release notes 1.1.10 (CRLF), 1.3.2 (blanks after the fence), 1.4.6 (first line only).
    """
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end()) if opening else None
    if opening is None or closing is None:
        return Split(None, _with_newlines(text.removeprefix("\ufeff")), 1)
    body_line = 1 + _with_newlines(text[: closing.end()]).count("\n")
    return Split(text[opening.end() : closing.start()], _with_newlines(text[closing.end() :]), body_line)


def _with_newlines(text: str) -> str:
    return _LINE_END.sub("\n", text) if "\r" in text else text
