"""A mistyped name, in; the notes whose names or aliases are near it, nearest first, out. *Disk*, reading only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from nestkit.index.drafts import plain
from nestkit.index.excerpt import find_line, fold
from nestkit.index.query import parse_query
from nestkit.index.store import Index
from nestkit.note import Hit, title_of

_WORD = re.compile(r"[^\W_]+")
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
    found: dict[int, int] = {}
    for file_id, name in _candidates(index, typed):
        edits = name_edits(typed, fold(name))
        if edits and edits < found.get(file_id, 99):  # none at all: the search itself has it
            found[file_id] = edits
    rows = [(edits, *_place(index, file_id)) for file_id, edits in found.items()]
    near = sorted((edits, len(path), path, body) for edits, kind, path, body in rows if kind in ("note", "canvas"))
    hits = (Hit(path, title_of(path), 1, find_line(body, ())[1], float(-edits)) for edits, _, path, body in near)
    return [hit for hit in hits if is_wanted(hit.path)][:limit]


def name_edits(typed: str, name: str) -> int | None:
    """Fewest letters by which the name, or words of it, differ from what was typed; None when it is another name."""
    whole = edits_between(typed, name, max_edits(typed))
    words = _WORD.findall(typed)
    own = _WORD.findall(name)
    total = 0
    for word in words:
        most = max_edits(word)
        near = [edits for other in own if (edits := edits_between(word, other, most)) is not None]
        if not near:
            return whole
        total += min(near)
    return total if words and (whole is None or total < whole) else whole


def max_edits(word: str) -> int:
    """How many letters may be wrong: none in a short word, which would be near to any other."""
    return 0 if len(word) < 4 else 1 if len(word) < 10 else 2


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


def _candidates(index: Index, typed: str) -> Iterator[tuple[int, str]]:
    """(file id, name or alias) of all that could be near."""
    names, values = _could_be_near("name_key", typed)
    for file_id, name in index.connection.execute(f"SELECT id, name_key FROM files WHERE {names}", values):
        yield file_id, title_of(name)
    aliases, values = _could_be_near("lower(aliases)", typed)
    query = f"SELECT file, aliases FROM notes WHERE aliases != '[]' AND ({aliases})"
    for file_id, text in index.connection.execute(query, values):
        yield from ((file_id, alias) for alias in json.loads(text))


def _could_be_near(column: str, typed: str) -> tuple[str, list[Any]]:
    """A condition that every name near the typed one meets, and few others: a piece of it stands there unharmed.

    Names beyond ASCII all meet it, since their accents are not folded in SQL.
    """
    words = _WORD.findall(typed)
    sql, values = [], list[Any]()
    for texts in ([typed], words):
        pieces = [_pieces(plain(text), max_edits(text)) for text in texts]
        each = [" OR ".join([f"instr({column}, ?)"] * len(found)) for found in pieces]
        sql.append(" AND ".join(f"({condition})" for condition in each) or "0")
        values += [piece for found in pieces for piece in found]
    return f"({sql[0]}) OR ({sql[1]}) OR length({column}) < length(CAST({column} AS BLOB))", values


def _pieces(text: str, edits: int) -> Sequence[str]:
    """Parts of a text of which so many edits leave one whole: one more than edits, a letter between each two.

    The letter keeps a swap of neighbours from harming two parts.
    """
    begins = [round(part * (len(text) + 1) / (edits + 1)) for part in range(edits + 2)]
    return [text[begin : end - 1] for begin, end in pairwise(begins)]


def _place(index: Index, file_id: int) -> tuple[str, str, str]:
    """Kind, path and text of a file."""
    query = "SELECT f.kind, f.path, n.body FROM files f LEFT JOIN notes n ON n.file = f.id WHERE f.id = ?"
    kind, path, body = index.connection.execute(query, (file_id,)).fetchone()
    return kind, path, body or ""
