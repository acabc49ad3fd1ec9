"""Filters of a search, in; conditions on a row `f` of `files`, and tests for the rest, out. *Disk*, reading only."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from nestkit.index.drafts import plain, searchable
from nestkit.index.excerpt import Word, fold, pattern_of
from nestkit.index.facts import has_value, text_of, value_of
from nestkit.index.query import NUMBER, Filter, compares, is_date
from nestkit.index.resolve import key_of
from nestkit.index.store import Index

_LATEST_NS = 2**63 - 1

_ID_IN_SEARCH = "+f.id IN (SELECT rowid FROM search WHERE search MATCH ?)"
"""The plus keeps SQLite from asking the word index once for every row."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What SQL can say of a row `f` of `files`, and what is left to test."""

    sql: str
    values: tuple[Any, ...] = ()
    holds: Callable[[Index, int], bool] | None = None
    """Asked for rows that SQL lets through, by file id; None when SQL has said it all."""


def condition_of(asked: Filter) -> Condition:
    """The condition a note must meet for this filter to let it through."""
    found = _KINDS[asked.kind](asked)
    if asked.wanted:
        return found
    holds = found.holds
    if holds is None:
        return Condition(f"NOT ({found.sql})", found.values)
    return Condition("1", (), lambda index, file: not holds(index, file))


def expression_of(word: Word, columns: str = "") -> str:
    """A word as an FTS5 expression in which nothing can be read as syntax; empty when the word index cannot help.

    Of a run in a script without blanks the index knows only the inner parts for certain.
    """
    if word.is_run:
        inner = word.tokens[1:]
        return f'{columns}"{" ".join(inner)}" *' if inner else ""
    text = searchable(plain(word.text)).replace('"', " ").replace("\0", " ").strip()
    return f'{columns}"{text}"' + (" *" if word.prefix else "")


def words_condition(words: tuple[Word, ...]) -> Condition:
    """The condition that one of these words stands in the note, its name, aliases or headings."""
    runs = [word for word in words if word.is_run]
    parts = [_RUN] * len(runs)
    values: list[Any] = [plain(word.text) for word in runs for _ in range(_RUN.count("?"))]
    if others := [expression_of(word) for word in words if not word.is_run]:
        parts.append(_ID_IN_SEARCH)
        values.append(" OR ".join(others))
    return Condition(" OR ".join(parts), tuple(values))


_RUN = (
    "(instr(f.path, ?) OR EXISTS (SELECT 1 FROM notes n WHERE n.file = f.id"
    " AND (instr(n.aliases, ?) OR instr(n.headings, ?) OR instr(n.body, ?))))"
)


def _tag(asked: Filter) -> Condition:
    key = plain(asked.value.lstrip("#").rstrip("/").lower())
    nested = "SELECT file FROM tags WHERE tag_key > ? AND tag_key < ?"  # "0" is the character after "/"
    sql = f"+f.id IN (SELECT file FROM tags WHERE tag_key = ? UNION ALL {nested})"
    return Condition(sql, (key, key + "/", key + "0"))


def _path(asked: Filter) -> Condition:
    return Condition("instr(f.path_key, ?)", (key_of(plain(asked.value)),))


def _task(asked: Filter) -> Condition:
    state = {"open": "t.status NOT IN ('x', 'X', '-')", "done": "t.status IN ('x', 'X')"}.get(asked.value.lower())
    if state:
        return Condition(f"EXISTS (SELECT 1 FROM tasks t WHERE t.file = f.id AND {state})")
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

    expression = expression_of(word, f"{{{column}}} : ")
    return Condition(_ID_IN_SEARCH, (expression,), holds) if expression else Condition("1", (), holds)


def _property(asked: Filter) -> Condition:
    def holds(properties: Mapping[str, Any]) -> bool:
        if asked.compare == "=":
            return has_value(properties, asked.name, asked.value)
        return _any(value_of(properties, asked.name), asked.compare, asked.value)

    needles = [json.dumps(plain(asked.name.lower()), ensure_ascii=False) + ":"]
    if asked.compare == "=":
        needles.append(plain(text_of(asked.value)))
    # SQLite lowers ASCII only, and a number may be spelled otherwise than it is asked for
    needles = [needle for needle in needles if _LITERAL.fullmatch(needle)]
    return Condition(" AND ".join([_HAS] * len(needles)) or "1", tuple(needles), _of_properties(holds))


def _created(asked: Filter) -> Condition:
    def holds(properties: Mapping[str, Any]) -> bool:
        value = value_of(properties, "created")
        return _any(value_of(properties, "date") if value is None else value, asked.compare, asked.value)

    return Condition(f"({_HAS} OR {_HAS})", ('"created":', '"date":'), _of_properties(holds))


_HAS = "instr((SELECT lower(properties) FROM notes WHERE file = f.id), ?)"
_LITERAL = re.compile(r'"[ !#-\[\]-~]+":|[ !#-\[\]-~]*[a-z_][ !#-\[\]-~]*')
"""What stands in JSON as it is: printable ASCII without quotes and backslashes."""


def _of_properties(holds: Callable[[Mapping[str, Any]], bool]) -> Callable[[Index, int], bool]:
    def test(index: Index, file: int) -> bool:
        row = index.connection.execute("SELECT properties FROM notes WHERE file = ?", (file,)).fetchone()
        return holds(json.loads(row[0]) if row and row[0] else {})

    return test


def _any(value: Any, compare: str, wanted: str) -> bool:
    """Whether the value, or any item of a list, compares so: number with number, ISO date with ISO date."""
    if isinstance(value, list):
        return any(_any(item, compare, wanted) for item in value)
    if isinstance(value, bool) or value is None:
        return False
    text = str(value).strip()
    if NUMBER.fullmatch(wanted) and (isinstance(value, int | float) or NUMBER.fullmatch(text)):
        return compares(float(text), compare, float(wanted))
    return is_date(text[:10]) and is_date(wanted) and compares(text, compare, wanted)


def _modified(asked: Filter) -> Condition:
    begin, end = (_nanoseconds(day) for day in _days(asked.value))
    sql = {
        "=": "f.mtime_ns >= ? AND f.mtime_ns < ?",
        "<": "f.mtime_ns < ?",
        ">=": "f.mtime_ns >= ?",
        ">": "f.mtime_ns >= ?",
        "<=": "f.mtime_ns < ?",
    }[asked.compare]
    return Condition(sql, {"=": (begin, end), "<": (begin,), ">=": (begin,)}.get(asked.compare, (end,)))


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
