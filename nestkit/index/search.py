"""Words a person typed, in; the notes that match, best first, out. *Disk*, reading only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from nestkit.index.drafts import plain
from nestkit.index.excerpt import Word, find_line, find_spans
from nestkit.index.filters import Condition, condition_of, expression_of, words_condition
from nestkit.index.query import Query, parse_query
from nestkit.index.store import Index
from nestkit.note import Hit, title_of

BROAD = 3000
"""Words that more notes hold than this say little: how often they stand in a note is not counted any more."""

_RANK = "bm25(search, 10.0, 8.0, 4.0, 1.0)"
_PLACES = (("{title}", 10.0), ("{aliases}", 8.0), ("{headings}", 4.0), ("{body}", 1.0))
"""Columns of the word index and what a word in them weighs: a name more than a heading, a heading more than text."""

_RUN_RANK = (
    "(10.0 * (instr(f.path, ?) > 0) + (SELECT 8.0 * (instr(n.aliases, ?) > 0) + 4.0 * (instr(n.headings, ?) > 0)"
    " + (instr(n.body, ?) > 0) FROM notes n WHERE n.file = f.id))"
)


def find_notes(
    index: Index, text: str, limit: int = 20, is_wanted: Callable[[str], bool] = lambda path: True
) -> list[Hit]:
    """Notes that match, best first: a name weighs more than a heading, a heading more than the text."""
    query = parse_query(text)
    hits: list[Hit] = []
    for file_id, path, score in _matches(index, query):
        if is_wanted(path):
            hits.append(_hit(index, query, file_id, path, score))
        if len(hits) >= limit:
            break
    return hits


def find_lines(index: Index, text: str) -> Iterator[tuple[str, int, str]]:
    """(path, line, line's text) of every line that holds the text, letter case ignored; by path and line."""
    wanted = text.casefold()
    query = "SELECT f.path, n.body, n.body_line FROM notes n JOIN files f ON f.id = n.file WHERE f.kind = 'note'"
    for path, body, body_line in index.connection.execute(query + " ORDER BY f.path"):
        if wanted not in body.casefold():
            continue
        for number, line in enumerate(body.split("\n"), start=body_line):
            if wanted in line.casefold():
                yield path, number, line.strip()


def matched_spans(text: str, snippet: str) -> list[tuple[int, int]]:
    """(begin, end) of the words of a search in the line that was found by it."""
    return find_spans(snippet, parse_query(text).words)


_Match = tuple[int, str, float]
"""File id, path, score."""


def _matches(index: Index, query: Query) -> Iterator[_Match]:
    """Every match, best first, found as it is asked for."""
    conditions = [condition_of(asked) for asked in query.filters]
    if query.without:
        left_out = words_condition(query.without)
        conditions.append(Condition(f"NOT ({left_out.sql})", left_out.values))
    runs = [word for word in query.words if word.is_run]
    conditions += [words_condition((word,)) for word in runs]
    expression = " AND ".join(filter(None, map(expression_of, query.words)))
    if not expression:
        found = _by_path(index, conditions, runs)
    elif _is_broad(index, expression):
        found = _by_place(index, expression, query.words, conditions)
    else:
        found = _by_rank(index, expression, conditions)
    tests = [condition.holds for condition in conditions if condition.holds]
    return (match for match in found if all(holds(index, match[0]) for holds in tests))


def _is_broad(index: Index, expression: str) -> bool:
    query = "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH ? LIMIT ?)"
    return index.rows(query, expression, BROAD + 1)[0][0] == BROAD + 1


def _by_rank(index: Index, expression: str, conditions: Sequence[Condition]) -> Iterator[_Match]:
    """By how often and how near the top the words stand, weighed by how rare they are; equals by path."""
    where, values = _where(conditions)
    query = (
        f"SELECT f.id, f.path, -{_RANK} AS score FROM search CROSS JOIN files f ON f.id = search.rowid"
        f" WHERE search MATCH ?{where} ORDER BY score DESC, f.path"
    )
    yield from index.connection.execute(query, (expression, *values))


def _by_place(
    index: Index, expression: str, words: Sequence[Word], conditions: Sequence[Condition]
) -> Iterator[_Match]:
    """By the best place in which one of the words stands."""
    where, values = _where(conditions)
    query = (
        "SELECT f.id, f.path FROM search CROSS JOIN files f ON f.id = search.rowid"
        f" WHERE search MATCH ?{where} ORDER BY search.rowid"
    )
    seen: set[int] = set()
    for column, score in _PLACES:
        here = " OR ".join(filter(None, (expression_of(word, f"{column} : ") for word in words)))
        matching = f"({expression}) AND ({here})" if score > 1 else expression
        for file_id, path in index.connection.execute(query, (matching, *values)):
            if file_id not in seen:
                seen.add(file_id)
                yield file_id, path, score


def _by_path(index: Index, conditions: Sequence[Condition], runs: Sequence[Word]) -> Iterator[_Match]:
    """All that meet the conditions; where the word index cannot tell a word, by the places it stands in."""
    where, values = _where(conditions)
    rank = " + ".join([_RUN_RANK] * len(runs)) or "0.0"
    ranked = [plain(word.text) for word in runs for _ in range(_RUN_RANK.count("?"))]
    order = "score DESC, f.path" if runs else "f.path"  # by path alone nothing needs sorting, so the first come at once
    query = f"SELECT f.id, f.path, {rank} AS score FROM files f WHERE f.kind IN ('note', 'canvas'){where}"
    yield from index.connection.execute(f"{query} ORDER BY {order}", (*ranked, *values))


def _where(conditions: Sequence[Condition]) -> tuple[str, list[Any]]:
    sql = "".join(f" AND ({condition.sql})" for condition in conditions)
    return sql, [value for condition in conditions for value in condition.values]


def _hit(index: Index, query: Query, file_id: int, path: str, score: float) -> Hit:
    row = index.connection.execute("SELECT body, body_line FROM notes WHERE file = ?", (file_id,)).fetchone()
    line, snippet = find_line(row[0], query.words)
    return Hit(path, title_of(path), line + row[1] - 1 if line else 1, snippet, round(score, 3))
