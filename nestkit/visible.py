"""Text from anywhere, in; the same text with what hides or pretends made visible, out. *Pure*."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

_NEWLINES = re.compile(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]")
"""Characters that count as letters or marks and yet show nothing. **Source**: Unicode's Default_Ignorable_Code_Point,
and the empty braille pattern; the two selectors of emoji and text style are left, since emoji are written with them."""
_FAR_SPACES = re.compile(r"(?<=\S)[ \t\u2800\u3000\xa0]{40,}(?=\S)")
_FAR_LINES = re.compile(r"\n(?:[ \t]*\n){8,}")
_WORD = re.compile(r"[^\W\d_](?:\w|\u200c|\u200d)*")

_LOOKS_LATIN = frozenset("АВЕКМНОРСТУХаеорсухіјѕһԁԛԝӏІЈЅԌԚԜΑΒΕΖΗΙΚΜΝΟΡΤΥΧοναιρυγѵѴԍɡɑıℓոսօցհԱՏՕᎪᎬᎻᎷᏀᏃᏚᏟ")
"""Letters of other scripts that are drawn as Latin ones are. **Source**: Unicode's confusables.txt, the letters a
person cannot tell apart in a usual font."""


_MOST_MARKS = 30
"""After one letter: more than any language writes. **Source**: UAX #15, Stream-Safe Text Format."""
_SHORT_CHARS = 1_000


def normal_form(form: Literal["NFC", "NFD", "NFKC"], text: str) -> str:
    """The text in this normal form of Unicode's; the text itself where marks without end follow one letter.

    To put marks in order takes time by the square of their number: a note of a megabyte of them would take hours.
    """
    return text if len(text) > _SHORT_CHARS and _is_piled(text) else unicodedata.normalize(form, text)


def _is_piled(text: str) -> bool:
    """Whether more marks stand in a row than any language writes: such a row holds one of every 31st characters."""
    if text.isascii():
        return False
    for place in range(_MOST_MARKS, len(text), _MOST_MARKS + 1):
        if unicodedata.combining(text[place]):
            around = text[place - _MOST_MARKS : place + _MOST_MARKS + 1]
            row = longest = 0
            for letter in around:
                row = row + 1 if unicodedata.combining(letter) else 0
                longest = max(longest, row)
            if longest > _MOST_MARKS:
                return True
    return False


def visible(text: str) -> str:
    """The text with what hides or pretends made visible: control, direction and zero-width characters.

    Newlines of every kind become `\\n`, so that no bare return can hide a line.
    """
    text = _NEWLINES.sub("\n", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def reviewed(text: str) -> str:
    """The text as a person is to judge it: `visible`, and nothing pushed out of sight or drawn as something else.

    Letters that show nothing and blanks that are no space are spelled; a gap that would push what follows out of the
    window is counted instead.
    """
    text = _FAR_LINES.sub(lambda gap: f"\n⟦{gap[0].count(chr(10)) - 1} empty lines⟧\n", _NEWLINES.sub("\n", text))
    text = _FAR_SPACES.sub(lambda gap: f" ⟦{len(gap[0])} blanks⟧ ", text)
    text = _BLANK.sub(lambda found: _spelled(found[0]), visible(text))
    return "".join(_spelled(c) if unicodedata.category(c) == "Zs" and c != " " else c for c in text)


def find_pretenders(text: str) -> list[str]:
    """Words that are not what they look like, a sentence each: letters of two scripts in one word, a word of another
    script that is drawn like a Latin one, letters that Python reads as other ones."""
    if text.isascii():
        return []
    found: dict[str, str] = {}
    for word in dict.fromkeys(_WORD.findall(text)):
        if not word.isascii() and (why := _pretends(word)):
            found[word] = why
    return [f"{visible(word)} ({_letters(word)}) {why}" for word, why in found.items()]


def _pretends(word: str) -> str:
    letters = [character for character in word if character.isalpha()]
    scripts = {_script(character) for character in letters}
    plain = normal_form("NFKC", word)
    if plain != normal_form("NFC", word):
        return f"is read by Python as {visible(plain)}"
    if scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"} and "LATIN" in scripts:
        return "mixes letters of two scripts that look alike"
    if letters and all(letter in _LOOKS_LATIN for letter in letters):
        return "looks like a Latin word and is none"
    if scripts == {"LATIN"} and any(letter in _LOOKS_LATIN for letter in letters):
        return "holds a letter that looks like another one"
    return ""


def _script(letter: str) -> str:
    """First word of the letter's Unicode name: `LATIN`, `CYRILLIC`..."""
    return unicodedata.name(letter, "").partition(" ")[0]


def _letters(word: str) -> str:
    return " ".join(f"U+{ord(character):04X}" for character in word if not character.isascii())


def _shown(character: str) -> str:
    if character in "\n\t" or character.isprintable():
        return character
    return _spelled(character) if unicodedata.category(character)[0] == "C" else character


def _spelled(character: str) -> str:
    return f"⟦U+{ord(character):04X}⟧"
