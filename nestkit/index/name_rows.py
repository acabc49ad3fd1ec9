"""A note's path and aliases in; the pieces by which part of a path or a mistyped name is found, out. *Pure*.

The word index knows whole words only. Here every three neighbouring letters of path and names are kept, and of each
shorter name and word what is left when any one letter is taken out: two that differ by one letter have that in common.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from nestkit.index.text import fold, plain
from nestkit.note import title_of

TABLE = """
CREATE VIRTUAL TABLE names USING fts5 (path, name, near, content='', columnsize=0, detail=column,
    tokenize="ascii tokenchars '_'");
"""

WORD = re.compile(r"[^\W_]+")
_SIGN = re.compile(r"[\x00-/:-@\[-`{-\x7f]")
_SIGNS = re.compile(r"[\x00-/:-@\[-`{-\x7f]+")
_LONG = 10
"""A name of so many letters may have two wrong; a shorter one has few enough to take each out in turn."""

NameRow = tuple[str, str, str]
"""path, name, near."""


def name_row(path: str, aliases: Iterable[str]) -> NameRow:
    """What the table is told of a note; to make it forget, it has to be told the same again."""
    names = [fold(plain(name)) for name in (title_of(path), *aliases)]
    joined = list(map(_joined, names))
    words = dict.fromkeys([*(word for name in names for word in WORD.findall(name)), *joined])
    return (
        " ".join(_threes(_marked(path))),
        " ".join(three for name in joined for three in _threes(name)),
        " ".join(left for word in words for left in _left_of(word)),
    )


def part_expression(part: str) -> str:
    """What a path with this in it matches, and few others; empty when there are too few letters to tell by."""
    threes = _threes(_marked(part))
    return f"{{path}} : ({_all(threes)})" if threes else ""


def near_expression(typed: str) -> str:
    """What a name near the folded text matches, as a whole or word by word; empty when there is nothing to tell by."""
    words = [clause for word in WORD.findall(typed) if (clause := _near(word))]
    by_words = f"({' AND '.join(words)})" if words else ""
    return " OR ".join(dict.fromkeys(filter(None, (by_words, _near(_joined(typed))))))


def max_edits(word: str) -> int:
    """How many letters may be wrong: none in a short word, which would be near to any other."""
    return 0 if len(word) < 4 else 1 if len(word) < _LONG else 2


def _near(text: str) -> str:
    if len(text) < _LONG:
        left = _left_of(text)
        return f"{{near}} : ({' OR '.join(map(_quoted, left))})" if left else ""
    # Of three parts two wrong letters leave one whole.
    ends = [round(place * len(text) / 3) for place in range(4)]
    parts = [f"({_all(_threes(text[begin:end]))})" for begin, end in pairwise(ends)]
    return f"{{name}} : ({' OR '.join(parts)})"


@lru_cache(maxsize=8192)
def _left_of(word: str) -> tuple[str, ...]:
    """The word itself and, unless it is very short, what is left without each of its letters."""
    if not 3 <= len(word) <= _LONG:
        return ()
    without = (word[:place] + word[place + 1 :] for place in range(len(word)))
    return (word, *dict.fromkeys(without)) if len(word) > 3 else (word,)


def _threes(text: str) -> Sequence[str]:
    return list(map("".join, zip(text, text[1:], text[2:], strict=False)))


def _marked(path: str) -> str:
    return _SIGN.sub("_", fold(plain(path)))


def _joined(name: str) -> str:
    return _SIGNS.sub("_", name).strip("_")


def _all(tokens: Iterable[str]) -> str:
    return " AND ".join(map(_quoted, tokens))


def _quoted(token: str) -> str:
    return f'"{token}"'
