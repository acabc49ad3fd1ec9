"""A mistyped name, in; the notes whose names or aliases are near it, nearest first, out. *Disk*, reading only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import lru_cache

from nestkit.index.excerpt import find_line
from nestkit.index.name_rows import WORD, max_edits, near_expression
from nestkit.index.query import parse_query
from nestkit.index.store import Index
from nestkit.index.text import fold, plain
from nestkit.note import Hit, title_of

_MAX_LETTERS = 100
"""Longer than any name a file system takes, in most scripts: more is a text, not a mistyped name."""


def find_near_names(
    index: Index, text: str, limit: int = 20, is_wanted: Callable[[str], bool] = lambda path: True
) -> list[Hit]:
    """Notes whose name or alias differs from what was typed by a letter or two, in all or in each word.

    Only for words alone: a phrase of a search with filters was meant as it stands. Scores are below zero: how many
    letters were added, left out, changed or swapped.
    """
    query = parse_query(text)
    typed = fold(" ".join(word.text for word in query.words)).strip()
    if query.filters or query.without or not typed or len(typed) > _MAX_LETTERS:
        return []
    found: dict[str, int] = {}
    for path, name in _candidates(index, typed):
        edits = name_edits(typed, fold(name))
        if edits and edits < found.get(path, 99):  # none at all: the search itself has it
            found[path] = edits
    near = sorted((edits, len(path), path) for path, edits in found.items() if is_wanted(path))
    return [Hit(path, title_of(path), 1, _first_line(index, path), float(-edits)) for edits, _, path in near[:limit]]


def name_edits(typed: str, name: str) -> int | None:
    """Fewest letters by which the name, or words of it, differ from what was typed; None when it is another name."""
    whole = edits_between(typed, name, max_edits(typed))
    words = WORD.findall(typed)
    own = WORD.findall(name)
    total = 0
    for word in words:
        most = max_edits(word)
        near = [edits for other in own if (edits := edits_between(word, other, most)) is not None]
        if not near:
            return whole
        total += min(near)
    return total if words and (whole is None or total < whole) else whole


@lru_cache(maxsize=4096)
def edits_between(one: str, other: str, most: int) -> int | None:
    """Letters added, left out, changed or swapped with the next, from one word to the other; None above `most`."""
    if one == other:
        return 0
    if not -most <= len(one) - len(other) <= most or len(_letters(one).difference(other)) > most:
        return None
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        last, before, row = before, row, [place]
        for there, other_letter in enumerate(other, start=1):
            cost = min(row[-1] + 1, before[there] + 1, before[there - 1] + (letter != other_letter))
            if place > 1 < there and letter == other[there - 2] and one[place - 2] == other_letter:
                cost = min(cost, last[there - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None


@lru_cache(maxsize=64)
def _letters(word: str) -> frozenset[str]:
    return frozenset(word)


def _candidates(index: Index, typed: str) -> Iterator[tuple[str, str]]:
    """(path, name or alias) of all that could be near."""
    expression = near_expression(plain(typed))
    query = (
        "SELECT f.path, n.aliases FROM names JOIN files f ON f.id = names.rowid JOIN notes n ON n.file = f.id"
        " WHERE names MATCH ?"
    )
    for path, aliases in index.connection.execute(query, (expression,)) if expression else ():
        yield path, title_of(path)
        if aliases != "[]":
            yield from ((path, alias) for alias in json.loads(aliases))


def _first_line(index: Index, path: str) -> str:
    query = "SELECT n.body FROM notes n JOIN files f ON f.id = n.file WHERE f.path = ?"
    row = index.one(query, path)
    return find_line(str(row[0]), ())[1] if row else ""
