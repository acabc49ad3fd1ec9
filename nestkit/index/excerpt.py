"""Words looked for and a text, in; the line to show of it and where the words stand, out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from nestkit.index.text import MARKED, fold, plain, searchable

EXCERPT_CHARS = 160

_TOKEN = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase looked for."""

    text: str
    prefix: bool = False
    """Whether words that only begin with it match too."""

    @property
    def tokens(self) -> list[str]:
        """Its parts as the word index has them, folded."""
        return _TOKEN.findall(searchable(fold(plain(self.text))))

    @property
    def is_run(self) -> bool:
        """Whether it stands in running text of whose vowels and tone marks the word index knows nothing."""
        return MARKED.search(self.text) is not None


def pattern_of(words: Iterable[Word]) -> re.Pattern[str] | None:
    """What finds any of these words in folded text; None when there is nothing to find in them."""
    found = [pattern for word in words if (pattern := _pattern(word))]
    return re.compile("|".join(found)) if found else None


def find_line(body: str, words: Iterable[Word]) -> tuple[int, str]:
    """(line from 1, that line shortened) of the first of these words; (0, first line with text) when there is none."""
    pattern = pattern_of(words)
    folded = fold(body)
    match = pattern.search(folded) if pattern else None
    if match is None:
        return 0, shorten(next((line for line in body.split("\n") if line.strip()), ""))
    begin = folded.rfind("\n", 0, match.start()) + 1
    number = folded.count("\n", 0, begin)
    return number + 1, shorten(body.split("\n")[number], match.start() - begin)


def shorten(line: str, place: int = 0) -> str:
    """A line cut to what fits, so that `place` is still seen."""
    begin = max(0, place - EXCERPT_CHARS // 3) if len(line) > EXCERPT_CHARS else 0
    text = line[begin : begin + EXCERPT_CHARS].strip()
    return ("…" if begin else "") + text + ("…" if begin + EXCERPT_CHARS < len(line) else "")


def find_spans(text: str, words: Iterable[Word]) -> list[tuple[int, int]]:
    """(begin, end) of each of these words in the text, in order, none overlapping."""
    pattern = pattern_of(words)
    if pattern is None:
        return []
    pieces = [fold(letter) for letter in text]  # one by one: folding may change a text's length
    places = [place for place, piece in enumerate(pieces) for _ in piece]
    return [
        (places[match.start()], _end(pieces, places[match.end() - 1] + 1))
        for match in pattern.finditer("".join(pieces))
        if match.end() > match.start()
    ]


def _end(pieces: Sequence[str], place: int) -> int:
    """Where a match ends once the accents after its last letter are taken in."""
    while place < len(pieces) and not pieces[place]:
        place += 1
    return place


def _pattern(word: Word) -> str:
    if word.is_run:
        return re.escape(fold(word.text))
    tokens = word.tokens
    if not tokens:
        return ""
    parts = [re.escape(tokens[0])]
    for before, token in pairwise(tokens):
        parts += ["[\\W_]*" if _alone(before) or _alone(token) else "[\\W_]+", re.escape(token)]
    begin = "" if _alone(tokens[0]) else r"(?<![^\W_])"
    end = "" if word.prefix or _alone(tokens[-1]) else r"(?![^\W_])"
    return begin + "".join(parts) + end


def _alone(token: str) -> bool:
    """Whether this letter is a word of its own in the index, whatever stands beside it."""
    return searchable(token) != token
