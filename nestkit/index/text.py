"""Text in; the same as it is compared, as SQLite can hold it and as the word index sees it, out. *Pure*."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MARKED = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\ua980-\ua9df\uaa60-\uaadf"
"""Thai, Lao, Tibetan, Burmese, Khmer, Tai, Javanese."""
_CJK = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_APART = re.compile(f"([{_CJK}{_MARKED}])")
"""Scripts that put no blanks between words."""
MARKED = re.compile(f"[{_MARKED}]")
"""Those among them whose vowels and tone marks are no letters to the word index."""
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")


def fold(text: str) -> str:
    """Lower case without accents, as words are compared; line breaks stay."""
    folded = text.casefold()
    return folded if folded.isascii() else _NON_ASCII.sub(lambda run: _bare(run[0]), folded)


@lru_cache(maxsize=4096)
def _bare(text: str) -> str:
    letters = (letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return unicodedata.normalize("NFC", "".join(letters))


def plain(text: str) -> str:
    """Text that SQLite can hold: lone surrogates, which escapes in YAML and JSON can make, become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def searchable(text: str) -> str:
    """Text as the word index sees it: each letter of a script without blanks is a word of its own."""
    return text if text.isascii() else _APART.sub(r" \1 ", text)
