"""Filters of a search, in; conditions on a row `f` of `files`, and the files that meet them, out. *Pure*.

Each comes in two forms: a test of one file and, where the database has an index for it, the ids of all files that meet
it. Which of the two is asked is decided in `search.py`, by how many there are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from nestkit.index.excerpt import Word, pattern_of
from nestkit.index.name_rows import part_expression
from nestkit.index.property_rows import MAX_TEXT
from nestkit.index.query import Filter
from nestkit.index.resolve import key_of
from nestkit.index.store import Index
from nestkit.index.text import fold, plain, searchable
from nestkit.index.values import NUMBER, has_value, is_date, text_of

_LATEST_NS = 2**63 - 1

Sql = tuple[str, tuple[Any, ...]]
"""A piece of SQL and its values."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a note must meet."""

    test: Sql
    """True of a row `f` of `files`."""
    ids: Sql | None = None
    """`SELECT file ...`: all files that meet the test, perhaps among others; None when no index tells."""
    match: str = ""
    """An expression for the word index that the note must match as well."""
    holds: Callable[[Index, int], bool] | None = None
    """What is left to ask of a file that met all else, by its id."""


def condition_of(asked: Filter) -> Condition:
    """The condition a note must meet for this filter to let it through."""
    found = _KINDS[asked.kind](asked)
    return found if asked.wanted else _turned(found)


def expression_of(word: Word, columns: str = "") -> str:
    """A word as an FTS5 expression in which nothing can be read as syntax; empty when it has no letters."""
    text = searchable(plain(word.text)).replace('"', " ").replace("\0", " ").strip()
    return f'{columns}"{text}"' + (" *" if word.prefix and not word.is_run else "")


def without(words: tuple[Word, ...]) -> list[Condition]:
    """The conditions that none of these words stands in the note, its name, aliases or headings."""
    plain_words = [expression for word in words if not word.is_run and (expression := expression_of(word))]
    found = [_turned(reading_condition(word)) for word in words if word.is_run]
    if plain_words:
        found.append(Condition((f"NOT ({_IN_SEARCH})", (" OR ".join(plain_words),))))
    return found


def reading_condition(word: Word) -> Condition:
    """The condition that a run in a script without blanks stands in the note.

    The word index knows its letters, not all of its vowels and tone marks, so the note itself is looked at.
    """
    pattern = pattern_of([word])

    def holds(index: Index, file: int) -> bool:
        query = (
            "SELECT f.path, n.aliases, n.headings, n.body FROM notes n JOIN files f ON f.id = n.file WHERE n.file = ?"
        )
        row = index.connection.execute(query, (file,)).fetchone()
        return bool(pattern and row and any(pattern.search(fold(part)) for part in row))

    return Condition(("1", ()), match=expression_of(word), holds=holds)


_IN_SEARCH = "+f.id IN (SELECT rowid FROM search WHERE search MATCH ?)"
"""The plus keeps SQLite from asking the word index once for every row."""


def _turned(condition: Condition) -> Condition:
    """The condition that this one is not met."""
    parts, values = [], list[Any]()
    if condition.test[0] != "1":
        parts.append(f"NOT ({condition.test[0]})")
        values += condition.test[1]
    if condition.match:
        parts.append(f"NOT ({_IN_SEARCH})")
        values.append(condition.match)
    holds = condition.holds
    if holds is None:
        return Condition((f"({' OR '.join(parts) or '0'})", tuple(values)))
    return Condition(("1", ()), holds=lambda index, file: not (_meets(index, file, condition) and holds(index, file)))


def _meets(index: Index, file: int, condition: Condition) -> bool:
    test, values = condition.test
    if condition.match:
        test += " AND EXISTS (SELECT 1 FROM search WHERE search MATCH ? AND rowid = f.id)"
        values = (*values, condition.match)
    return index.one(f"SELECT 1 FROM files f WHERE f.id = ? AND {test}", file, *values) is not None


def _tag(asked: Filter) -> Condition:
    key = plain(asked.value.lstrip("#").rstrip("/").lower())
    values = (key, key + "/", key + "0")  # "0" is the character after "/"
    return Condition(
        (
            "EXISTS (SELECT 1 FROM tags t WHERE t.file = f.id AND (t.tag_key = ? OR t.tag_key > ? AND t.tag_key < ?))",
            values,
        ),
        (
            "SELECT file FROM tags WHERE tag_key = ? UNION ALL SELECT file FROM tags WHERE tag_key > ? AND tag_key < ?",
            values,
        ),
    )


def _path(asked: Filter) -> Condition:
    part = plain(asked.value)
    expression = part_expression(part)
    ids = ("SELECT rowid AS file FROM names WHERE names MATCH ?", (expression,)) if expression else None
    return Condition(("instr(f.path_key, ?)", (key_of(part),)), ids)


_TASK_STATES = {"open": "status NOT IN ('x', 'X', '-')", "done": "status IN ('x', 'X')"}


def _task(asked: Filter) -> Condition:
    if state := _TASK_STATES.get(asked.value.lower()):
        return Condition(
            (f"EXISTS (SELECT 1 FROM tasks t WHERE t.file = f.id AND {state})", ()),
            (f"SELECT file FROM tasks WHERE {state}", ()),
        )
    return _worded(asked.value, "body", "SELECT text FROM tasks WHERE file = ?", lambda text: [text])


def _heading(asked: Filter) -> Condition:
    query = "SELECT headings FROM notes WHERE file = ?"
    return _worded(asked.value, "headings", query, lambda text: [heading["text"] for heading in json.loads(text)])


def _worded(text: str, column: str, query: str, parts: Callable[[str], list[str]]) -> Condition:
    """The text stands in one of the parts of what the query gives: the word index narrows, the pattern decides."""
    word = Word(text.rstrip("*"), prefix=True)
    pattern = pattern_of([word])

    def holds(index: Index, file: int) -> bool:
        rows = index.connection.execute(query, (file,))
        return pattern is not None and any(pattern.search(fold(part)) for row in rows for part in parts(row[0]))

    return Condition(("1", ()), match=expression_of(word, f"{{{column}}} : "), holds=holds)


def _property(asked: Filter) -> Condition:
    name = plain(asked.name.lower())
    wanted = plain(text_of(asked.value))
    if asked.compare == "=" and not NUMBER.fullmatch(wanted):
        found = _valued(name, [("text = ?", (wanted[:MAX_TEXT],))])
        return found if len(wanted) < MAX_TEXT else _compared_whole(found, asked)
    ranges = [_numbers(asked.compare, float(wanted))] if NUMBER.fullmatch(wanted) else []
    if asked.compare != "=" and is_date(wanted):  # a year is a number as well
        ranges.append(_dates(asked.compare, wanted))
    return _valued(name, ranges)


def _compared_whole(condition: Condition, asked: Filter) -> Condition:
    def holds(index: Index, file: int) -> bool:
        row = index.connection.execute("SELECT properties FROM notes WHERE file = ?", (file,)).fetchone()
        return bool(row and row[0] and has_value(json.loads(row[0]), asked.name, asked.value))

    return Condition(condition.test, condition.ids, holds=holds)


def _valued(name: str, ranges: list[Sql]) -> Condition:
    """The condition that a property has a value in one of these ranges."""
    # The plus keeps SQLite to the rows of the one file, however few have such a value.
    tests = " OR ".join(f"({sql.replace('value ', '+value ').replace('text ', '+text ')})" for sql, _ in ranges)
    values = tuple(value for _, of_one in ranges for value in of_one)
    each = "SELECT file FROM property_values WHERE name_key = ? AND "
    return Condition(
        (
            f"EXISTS (SELECT 1 FROM property_values p WHERE p.file = f.id AND p.name_key = ? AND ({tests}))",
            (name, *values),
        ),
        (
            " UNION ALL ".join(each + sql for sql, _ in ranges),
            tuple(value for _, of_one in ranges for value in (name, *of_one)),
        ),
    )


def _numbers(compare: str, number: float) -> Sql:
    """Where a number lies that compares so. To SQLite every number comes before every text, the empty one first."""
    sql = f"value {compare} ?" + (" AND value < ''" if compare in (">", ">=") else "")
    return sql, (number,)


def _dates(compare: str, wanted: str) -> Sql:
    """Where an ISO date lies that compares so, read no finer than the one it is compared with.

    All that begins with `2026-03` is equal to it; what comes after it begins with more than that.
    """
    after = wanted[:-1] + chr(ord(wanted[-1]) + 1)
    return {
        "=": ("value >= ? AND value < ?", (wanted, after)),
        "<": ("value >= '' AND value < ?", (wanted,)),
        "<=": ("value >= '' AND value < ?", (after,)),
        ">": ("value >= ?", (after,)),
        ">=": ("value >= ?", (wanted,)),
    }[compare]


def _created(asked: Filter) -> Condition:
    """The property `created`, or `date` where there is no such property or nothing in it."""
    own, other = (_valued(name, [_dates(asked.compare, asked.value)]) for name in ("created", "date"))
    created = "SELECT 1 FROM property_values c WHERE c.file = {} AND c.name_key = 'created' AND c.text IS NOT ''"
    assert own.ids is not None
    assert other.ids is not None
    return Condition(
        (
            f"({own.test[0]} OR ({other.test[0]} AND NOT EXISTS ({created.format('f.id')})))",
            own.test[1] + other.test[1],
        ),
        (
            f"{own.ids[0]} UNION ALL SELECT file FROM ({other.ids[0]}) d WHERE NOT EXISTS ({created.format('d.file')})",
            own.ids[1] + other.ids[1],
        ),
    )


def _modified(asked: Filter) -> Condition:
    begin, end = (_nanoseconds(day) for day in _days(asked.value))
    sql, values = {
        "=": ("mtime_ns >= ? AND mtime_ns < ?", (begin, end)),
        "<": ("mtime_ns < ?", (begin,)),
        ">=": ("mtime_ns >= ?", (begin,)),
        ">": ("mtime_ns >= ?", (end,)),
        "<=": ("mtime_ns < ?", (end,)),
    }[asked.compare]
    return Condition(
        (sql.replace("mtime_ns", "+f.mtime_ns"), values), (f"SELECT id AS file FROM files WHERE {sql}", values)
    )


def _days(text: str) -> tuple[date, date]:
    """First day of a year, month or day, and the first after it."""
    first = date.fromisoformat((text + "-01-01")[:10])
    longest = {4: 366, 7: 31, 10: 1}[len(text)]
    try:
        after = first + timedelta(days=longest)
    except OverflowError:
        return first, date.max
    return first, date.fromisoformat((after.isoformat()[: len(text)] + "-01-01")[:10])


def _nanoseconds(day: date) -> int:
    """When the day begins where this machine is, as file times count."""
    try:
        seconds = datetime(day.year, day.month, day.day).timestamp()  # naive: the person's own day is meant
    except (OverflowError, ValueError, OSError):
        return -_LATEST_NS if day.year < 1970 else _LATEST_NS
    return max(-_LATEST_NS, min(_LATEST_NS, int(seconds) * 1_000_000_000))


_KINDS: dict[str, Callable[[Filter], Condition]] = {
    "tag": _tag,
    "path": _path,
    "task": _task,
    "heading": _heading,
    "created": _created,
    "modified": _modified,
    "property": _property,
}
