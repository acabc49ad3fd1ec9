"""A program's text in, what is plainly wrong with it out, before anything is started. *Pure*.

Advice and clear errors, never a boundary: what a program may do is for the child's walls to say. But text that hides
or pretends is never what somebody asked for, and a syntax error is told sooner and better here.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterator

MAX_CHARS = 200_000

_COOKIE = re.compile(r"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
"""**Source**: PEP 263. Only its first two lines can name an encoding."""
_BARE_RETURN = re.compile(r"\r(?!\n)")
_JOINERS = "\u200c\u200d"
"""Zero-width, yet part of ordinary words and emoji; they may stand inside texts that spell such words."""


def check_program(text: str) -> list[str]:
    """Why this program should not be run as it stands, one sentence each; empty when nothing is plainly wrong.

    What hides comes first: direction marks, zero-width and control characters, a return that is no line end, an
    encoding cookie. Only a text without any of these is parsed.
    """
    if len(text) > MAX_CHARS:
        return [f"the program has {len(text):,} characters; more than {MAX_CHARS:,} is no short program"]
    return [*_find_hidden(text)] or [*_find_syntax(text)]


def _find_hidden(text: str) -> Iterator[str]:
    for number, line in enumerate(text.split("\n")[:2], start=1):
        if (cookie := _COOKIE.match(line)) and cookie[1].lower().replace("_", "-") not in ("utf-8", "utf8"):
            yield f"line {number}: the comment names the encoding {cookie[1]!r}: a program is Unicode text already"
    if found := _BARE_RETURN.search(text):
        yield f"line {_line(text, found.start())}: a return without a line feed hides what stands before it"
    if text.isascii() and text.isprintable():
        return
    told: set[str] = set()
    for place, character in enumerate(text):
        if character in "\n\r\t" or character.isprintable() or character in told:
            continue
        if character in _JOINERS and _joins(text, place):
            continue
        if unicodedata.category(character)[0] == "C":
            told.add(character)
            name = unicodedata.name(character, "control character").lower()
            yield f"line {_line(text, place)}: U+{ord(character):04X} ({name}) is invisible: spell it as an escape"


def _find_syntax(text: str) -> Iterator[str]:
    import ast  # late: only what is about to be run is parsed

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text, "<program>")
    except SyntaxError as error:
        shown = (error.text or "").strip()
        yield f"line {error.lineno or 1}: {error.msg}" + (f": {shown[:200]}" if shown else "")
    except (RecursionError, MemoryError, ValueError):
        yield "the program is nested too deeply to be read"


def _joins(text: str, place: int) -> bool:
    """Whether a joiner stands between two characters that are not ASCII: in a word of some script, or an emoji."""
    return 0 < place < len(text) - 1 and not text[place - 1].isascii() and not text[place + 1].isascii()


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1
