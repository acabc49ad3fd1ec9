"""Text from anywhere, in; the same text with what hides or pretends made visible, out. *Pure*."""

from __future__ import annotations

import re
import unicodedata

_NEWLINES = re.compile(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]")


def visible(text: str) -> str:
    """The text with what hides or pretends made visible: control, direction and zero-width characters.

    Newlines of every kind become `\\n`, so that no bare return can hide a line.
    """
    text = _NEWLINES.sub("\n", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in "\n\t" or character.isprintable():
        return character
    kind = unicodedata.category(character)
    return f"⟦U+{ord(character):04X}⟧" if kind[0] == "C" else character
