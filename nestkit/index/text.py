"""Text in; the same as it is compared, as SQLite can hold it and as the word index sees it, out. *Pure*."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from nestkit.visible import normal_form

_MARKED = "\u0900-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\ua980-\ua9df\uaa60-\uaadf"
"""India's scripts, Thai, Lao, Tibetan, Burmese, Khmer, Tai, Javanese: their vowels and tone marks are no accents."""
_CJK = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_APART = re.compile(f"([{_CJK}{_MARKED}])")
"""Letters that the word index keeps one by one: most of these scripts put no blanks between words."""
MARKED = re.compile(f"[{_MARKED}]")
"""Scripts whose vowels and tone marks are no letters to the word index."""
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")


def fold(text: str) -> str:
    """Lower case without accents, as words are compared; line breaks stay, and so do vowels that are marks."""
    folded = text.casefold()
    return folded if folded.isascii() else _NON_ASCII.sub(lambda run: _bare(run[0]), folded)


@lru_cache(maxsize=4096)
def _bare(text: str) -> str:
    letters = normal_form("NFD", text)
    kept = (letter for letter in letters if not unicodedata.combining(letter) or MARKED.match(letter))
    return normal_form("NFC", "".join(kept))


def plain(text: str) -> str:
    """Text that SQLite can hold: lone surrogates, which escapes in YAML and JSON can make, become question marks."""
    return text if _holds("utf-8", text) else text.encode("utf-8", "replace").decode("utf-8")


def searchable(text: str) -> str:
    """Text as the word index sees it: some scripts are kept letter by letter."""
    return text if _holds("latin-1", text) else _APART.sub(r" \1 ", text)  # much quicker than to look at every letter


def _holds(encoding: str, text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True
