"""Words a person typed, in; the notes that match, best first, out. *Disk*, reading only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nestkit.index.excerpt import Word, find_line, find_spans
from nestkit.index.filters import Condition, Sql, condition_of, expression_of, reading_condition, without
from nestkit.index.query import Query, parse_query
from nestkit.index.store import Index
from nestkit.note import Hit, title_of

FEW = 1000
"""Fewer files than these are looked at one by one."""
STRETCH = 4000
"""Files in a row among which what more than a few meet is probably met."""
BROAD = 3000
"""Words that more notes hold than this say little: how often they stand in a note is not counted any more."""

_RANK = "bm25(search, 10.0, 8.0, 4.0, 1.0)"
_PLACES = (("{title}", 10.0), ("{aliases}", 8.0), ("{headings}", 4.0), ("{body}", 1.0))
"""Columns of the word index and what a word in them weighs: a name more than a heading, a heading more than text."""


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
    conditions = [condition_of(asked) for asked in query.filters] + without(query.without)
    conditions += [reading_condition(word) for word in query.words if word.is_run]
    expression = " AND ".join(
        [expression_of(word) for word in query.words if not word.is_run] + [c.match for c in conditions if c.match]
    )
    where = _joined(" AND ", [condition.test for condition in conditions if condition.test[0] != "1"])
    if not expression:
        found = _by_path(index, conditions, where)
    elif _is_broad(index, expression):
        found = _by_place(index, expression, query.words, where, _few(index, conditions))
    else:
        found = _by_rank(index, expression, where)
    tests = [condition.holds for condition in conditions if condition.holds]
    return (match for match in found if all(holds(index, match[0]) for holds in tests))


def _few(index: Index, conditions: Sequence[Condition]) -> Sql | None:
    """The files that may meet the one condition that fewest do; None when many meet each."""
    counted = [(_count(index, condition.ids), condition.ids) for condition in conditions if condition.ids]
    count, ids = min(counted, key=lambda found: found[0], default=(FEW, None))
    return ids if count < FEW else None


def _count(index: Index, ids: Sql) -> int:
    """How many files these are, counted no further than matters."""
    return int(index.connection.execute(f"SELECT count(*) FROM ({ids[0]} LIMIT {FEW})", ids[1]).fetchone()[0])


def _is_broad(index: Index, expression: str) -> bool:
    query = "SELECT count(*) FROM (SELECT 1 FROM search WHERE search MATCH ? LIMIT ?)"
    return index.rows(query, expression, BROAD + 1)[0][0] == BROAD + 1


def _by_rank(index: Index, expression: str, where: Sql) -> Iterator[_Match]:
    """By how often and how near the top the words stand, weighed by how rare they are; equals by path."""
    query = (
        f"SELECT f.id, f.path, -{_RANK} AS score FROM search CROSS JOIN files f ON f.id = search.rowid"
        f" WHERE search MATCH ? AND {where[0]} ORDER BY score DESC, f.path"
    )
    yield from index.connection.execute(query, (expression, *where[1]))


def _by_place(index: Index, expression: str, words: Sequence[Word], where: Sql, few: Sql | None) -> Iterator[_Match]:
    """By the best place in which one of the words stands."""
    # The plus makes SQLite compare the numbers that the word index gives, and not ask it for each of a few.
    chosen = _joined(" AND ", [*_among("+search.rowid", few), where])
    query = (
        "SELECT f.id, f.path FROM search CROSS JOIN files f ON f.id = search.rowid"
        f" WHERE search MATCH ? AND {chosen[0]} ORDER BY search.rowid"
    )
    seen: set[int] = set()
    for column, score in _PLACES:
        here = " OR ".join(expression_of(word, f"{column} : ") for word in words)
        matching = f"({expression}) AND ({here})" if here and score > 1 else expression
        for file_id, path in index.connection.execute(query, (matching, *chosen[1])):
            if file_id not in seen:
                seen.add(file_id)
                yield file_id, path, score


def _by_path(index: Index, conditions: Sequence[Condition], where: Sql) -> Iterator[_Match]:
    """All that meet the conditions, by path. What many files meet is soon met: a stretch of files after the other."""
    few = _few(index, conditions)
    begin, met = "", few is None
    while met:
        end = index.one("SELECT path FROM files WHERE path >= ? ORDER BY path LIMIT 1 OFFSET ?", begin, STRETCH)
        stretch = _joined(" AND ", [("f.path >= ?", (begin,)), *([("f.path < ?", end)] if end else []), where])
        met = False
        for match in _some_by_path(index, stretch):
            met = True
            yield match
        if end is None:
            return
        begin = str(end[0])
    known = [few] if few else [condition.ids for condition in conditions if condition.ids]
    among = [of_one for ids in known for of_one in _among("f.id", ids)]
    yield from _some_by_path(index, _joined(" AND ", [*among, ("f.path >= ?", (begin,)), where]))


def _some_by_path(index: Index, where: Sql) -> Iterator[_Match]:
    query = f"SELECT f.id, f.path, 0.0 FROM files f WHERE {where[0]} AND f.kind IN ('note', 'canvas') ORDER BY f.path"
    yield from index.connection.execute(query, where[1])


def _among(column: str, few: Sql | None) -> list[Sql]:
    return [(f"{column} IN (SELECT file FROM ({few[0]}))", few[1])] if few else []


def _joined(between: str, parts: Sequence[Sql]) -> Sql:
    return between.join(sql for sql, _ in parts) or "1", tuple(value for _, values in parts for value in values)


def _hit(index: Index, query: Query, file_id: int, path: str, score: float) -> Hit:
    row = index.connection.execute("SELECT body, body_line FROM notes WHERE file = ?", (file_id,)).fetchone()
    line, snippet = find_line(row[0], query.words)
    return Hit(path, title_of(path), line + row[1] - 1 if line else 1, snippet, round(score, 3))
