"""Forms of `grammar.toml` in; how they fit a row of tokens, out. *Pure*.

A form is a row of words, `(this|or that)`, `[what may be left out]`, `<a named list of words>` and `{parts}` that carry
a meaning: `how many {selection} [are there]`. A part may be named: `{number:low}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nestkit.planner.language import english
from nestkit.planner.words import Token

Bound = tuple[tuple[str, Any], ...]
"""What the parts of a form came to stand for, by their names."""


@dataclass(frozen=True, slots=True)
class Word:
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    rule: str
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    rows: tuple[Row, ...]


Piece = Word | Part | Row | Choice


class Parts(dict[str, Any]):
    """The parts of one form by name, which notes what is read of it.

    A maker that leaves a part unread has not heard a word of the ask: what it made must not be used.
    """

    def __init__(self, bound: Bound) -> None:
        super().__init__(bound)
        self.unread = {name for name, meaning in bound if meaning is not False}

    def __getitem__(self, name: str) -> Any:
        self.unread.discard(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.unread.discard(name)
        return super().get(name, default)


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of the ask with its meaning."""

    end: int
    meaning: Any
    cost: int = 1
    """How many parts it took: of two readings the one with fewer is the closer one."""


Rule = Callable[[str, int], Sequence[Found]]
"""Name of a part and where it should begin, in; every way it can be found there, out."""

_SIGNS = re.compile(r"[()|\[\]]|\{[^}]+\}|<[a-z_]+>|[^\s()|\[\]{}]+")


def compile_lists(lists: Mapping[str, str]) -> dict[str, Choice]:
    """The named lists of words, each compiled once: hundreds of forms share them."""
    return {name: Choice(tuple(compile_form(each, {}) for each in _split(text))) for name, text in lists.items()}


def compile_form(text: str, lists: Mapping[str, Choice]) -> Row:
    """A form as pieces; `lists` are the named lists of words.

    Raises ValueError when brackets do not match, KeyError for a list that is none.
    """
    signs = _SIGNS.findall(text)
    row, rest = _row(signs, lists)
    if rest:
        raise ValueError(f"unmatched {rest[0]!r} in the form {text!r}")
    return row


def _row(signs: list[str], lists: Mapping[str, Choice]) -> tuple[Row, list[str]]:
    pieces: list[Piece] = []
    while signs and signs[0] not in ")]|":
        sign, signs = signs[0], signs[1:]
        if sign in "([":
            choice, signs = _choice(signs, lists)
            pieces.append(choice if sign == "(" else Choice((*choice.rows, Row(()))))
        elif sign.startswith("{"):
            rule, _, name = sign[1:-1].partition(":")
            pieces.append(Part(rule, name or rule))
        elif sign.startswith("<") and len(sign) > 2:
            pieces.append(lists[sign[1:-1]])
        else:
            pieces.append(Word(sign))
    return Row(tuple(pieces)), signs


def _choice(signs: list[str], lists: Mapping[str, Choice]) -> tuple[Choice, list[str]]:
    rows = []
    while True:
        row, signs = _row(signs, lists)
        rows.append(row)
        if not signs:
            raise ValueError("a bracket is not closed in a form")
        closed, signs = signs[0] in ")]", signs[1:]
        if closed:
            return Choice(tuple(rows)), signs


def _split(text: str) -> tuple[str, ...]:
    """The alternatives of a list, brackets kept together."""
    parts, depth = [""], 0
    for sign in text:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(sign, 0)
        if sign == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return tuple(parts)


def words_of(piece: Piece) -> Iterator[str]:
    """Every word that stands in a form."""
    if isinstance(piece, Word):
        yield piece.text
    elif isinstance(piece, Row):
        for each in piece.pieces:
            yield from words_of(each)
    elif isinstance(piece, Choice):
        for row in piece.rows:
            yield from words_of(row)


class Matcher:
    """Fits forms to one row of tokens."""

    def __init__(self, tokens: Sequence[Token], rule: Rule) -> None:
        self.tokens = tokens
        self.rule = rule
        self.reached = 0
        """How far any form ever came: what stands there is what nobody could place."""

    def match(self, piece: Piece, start: int) -> Iterator[tuple[int, Bound, int]]:
        """(end, bound parts, cost) of every way the piece fits here."""
        if isinstance(piece, Row):
            yield from self._row(piece.pieces, start)
        elif isinstance(piece, Choice):
            for row in piece.rows:
                yield from self._row(row.pieces, start)
        elif isinstance(piece, Word):
            place = start
            if not self._is(place, piece.text):
                place = self.skip(start)
            if self._is(place, piece.text):
                yield self._reach(place + 1), (), 0
        else:
            for place in dict.fromkeys((start, self.skip(start))):
                for found in self.rule(piece.rule, place):
                    yield self._reach(found.end), ((piece.name, found.meaning),), found.cost

    def skip(self, start: int) -> int:
        """The next place that is no article."""
        articles = english().articles
        while start < len(self.tokens) and self.tokens[start].sort == "word" and self.tokens[start].norm in articles:
            start += 1
        return start

    def _row(self, pieces: tuple[Piece, ...], start: int) -> Iterator[tuple[int, Bound, int]]:
        if not pieces:
            yield start, (), 0
            return
        for middle, bound, cost in self.match(pieces[0], start):
            for end, more, further in self._row(pieces[1:], middle):
                yield end, bound + more, cost + further

    def _is(self, place: int, word: str) -> bool:
        if place >= len(self.tokens):
            return False
        token = self.tokens[place]
        return token.norm == word and token.sort in ("word", "sign")

    def _reach(self, end: int) -> int:
        self.reached = max(self.reached, end)
        return end
