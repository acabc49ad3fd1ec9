"""Words a person typed, in; the notes that match, best first, out. *Disk*, reading only."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nestkit.index.facts import list_records
from nestkit.index.rows import plain, searchable
from nestkit.index.store import Index
from nestkit.note import Hit, title_of

_SNIPPET_CHARS = 160

_PART = re.compile(
    r'(?P<no>-)?(?:(?P<filter>tag|path|task|heading):(?P<value>"[^"]*"|\S+)'
    r'|(?P<name>[^\s="-][^\s="]*)=(?P<equals>"[^"]*"|\S*)|"(?P<phrase>[^"]*)"?|(?P<word>\S+))'
)


@dataclass(frozen=True, slots=True)
class Query:
    """A search, taken apart."""

    words: tuple[str, ...] = ()
    """Words and phrases that must all stand in the note; a trailing `*` asks for a prefix."""
    without: tuple[str, ...] = ()
    filters: tuple[tuple[str, str, bool], ...] = ()
    """(`tag`, `path`, `task`, `heading` or `=NAME`, value, wanted)."""


def parse_query(text: str) -> Query:
    """A query out of `word "a phrase" prefix* -not tag:x path:folder task:open heading:word property=value`."""
    words: list[str] = []
    without: list[str] = []
    filters: list[tuple[str, str, bool]] = []
    for part in _PART.finditer(text):
        wanted = part["no"] is None
        if part["filter"]:
            filters.append((part["filter"], part["value"].strip('"'), wanted))
        elif part["name"]:
            filters.append(("=" + part["name"], part["equals"].strip('"'), wanted))
        elif term := (part["phrase"] if part["word"] is None else part["word"]):
            (words if wanted else without).append(term)
    return Query(tuple(words), tuple(without), tuple(filters))


def find_notes(
    index: Index, text: str, limit: int = 20, is_wanted: Callable[[str], bool] = lambda path: True
) -> list[Hit]:
    """Notes that match, best first: a name weighs more than a heading, a heading more than the text."""
    query = parse_query(text)
    passing = _passing(index, query)
    hits = []
    for file_id, path, body, body_line, score in _matches(index, query):
        if (passing is not None and file_id not in passing) or not is_wanted(path):
            continue
        line, snippet = _snippet(body, query.words)
        hits.append(Hit(path, title_of(path), line + body_line - 1 if line else 1, snippet, round(score, 3)))
        if len(hits) == limit:
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


def _matches(index: Index, query: Query) -> Iterator[tuple[int, str, str, int, float]]:
    columns = "f.id, f.path, n.body, n.body_line"
    if not query.words:
        select = f"SELECT {columns}, 0.0 FROM notes n JOIN files f ON f.id = n.file WHERE f.kind = 'note'"
        without = [_fold(term) for term in query.without]
        for row in index.connection.execute(select + " ORDER BY f.path"):
            if not any(term in _fold(row[2]) for term in without):
                yield row
        return
    expression = " ".join(_term(word) for word in query.words)
    for word in query.without:
        expression = f"({expression}) NOT {_term(word)}"
    select = (
        f"SELECT {columns}, -bm25(search, 10.0, 8.0, 4.0, 1.0) FROM search JOIN files f ON f.id = search.rowid"
        " JOIN notes n ON n.file = f.id WHERE search MATCH ? ORDER BY bm25(search, 10.0, 8.0, 4.0, 1.0), f.path"
    )
    yield from index.connection.execute(select, (expression,))


def _term(word: str) -> str:
    """One word or phrase as an FTS5 string; nothing in it can be read as FTS5 syntax."""
    prefix = word.endswith("*") and len(word) > 1
    text = searchable(plain(word.rstrip("*") if prefix else word)).replace('"', " ").replace("\0", " ").strip()
    return f'"{text}"' + ("*" if prefix else "")


def _passing(index: Index, query: Query) -> set[int] | None:
    """Ids of the notes that every filter lets through; None without filters."""
    if not query.filters:
        return None
    ids = {str(row[1]): int(str(row[0])) for row in index.rows("SELECT id, path FROM files WHERE kind = 'note'")}
    passing = set(ids)
    for name, value, wanted in query.filters:
        found = set(_filtered(index, name, value))
        passing = passing & found if wanted else passing - found
    return {ids[path] for path in passing}


def _filtered(index: Index, name: str, value: str) -> Iterator[str]:
    if name.startswith("="):
        yield from (record["path"] for record in list_records(index, where={name[1:]: value}))
    elif name == "tag":
        yield from (record["path"] for record in list_records(index, tag=value))
    elif name == "path":
        query = "SELECT path FROM files WHERE kind = 'note' AND instr(path_key, ?)"
        yield from (str(row[0]) for row in index.rows(query, plain(value.lower())))
    elif name == "heading":
        for path, headings in index.rows("SELECT f.path, n.headings FROM notes n JOIN files f ON f.id = n.file"):
            if any(_fold(value) in _fold(heading["text"]) for heading in json.loads(str(headings))):
                yield str(path)
    else:
        wants: dict[str, Any] = {"open": "t.status NOT IN ('x', 'X', '-')", "done": "t.status IN ('x', 'X')"}
        condition = wants.get(value.lower(), "instr(lower(t.text), lower(?))")
        values = () if value.lower() in wants else (plain(value),)
        rows = index.rows(
            f"SELECT DISTINCT f.path FROM tasks t JOIN files f ON f.id = t.file WHERE {condition}", *values
        )
        yield from (str(row[0]) for row in rows)


def _snippet(body: str, words: tuple[str, ...]) -> tuple[int, str]:
    """(line of the body from 1, that line shortened) of the first match; (0, first words) when only the name fits."""
    terms = [_fold(word.rstrip("*")) for word in words]
    first = ""
    for number, line in enumerate(body.split("\n"), start=1):
        if not line.strip():
            continue
        folded = _fold(line)
        place = min((folded.find(term) for term in terms if term in folded), default=-1)
        if place >= 0:
            return number, _shorten(line, place)
        first = first or line
    return 0, _shorten(first, 0)


def _shorten(line: str, place: int) -> str:
    begin = max(0, place - _SNIPPET_CHARS // 3)
    text = line[begin : begin + _SNIPPET_CHARS].strip()
    return ("…" if begin else "") + text + ("…" if begin + _SNIPPET_CHARS < len(line) else "")


def _fold(text: str) -> str:
    """Lower case without accents, as the word index compares (`remove_diacritics`)."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c))
