"""What a person typed into a search, in; its words and filters, taken apart, out. *Pure*."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nestkit.index.excerpt import Word
from nestkit.index.values import NUMBER, is_date

_COMPARE = re.compile(r"(>=|<=|[=<>])?(.*)", re.DOTALL)
_PART = re.compile(
    r'(?P<no>-)?(?:(?P<filter>tag|path|task|heading|created|modified):(?P<value>[<>=]*"[^"]*"|\S+)'
    r'|(?!\S+://)(?:"(?P<quoted>[^"]+)"|(?P<name>[^\s=<>"-][^\s=<>"]*))(?P<compare>>=|<=|[=<>])(?P<given>"[^"]*"|\S*)'
    r'|"(?P<phrase>[^"]*)"?|(?P<word>\S+))',
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on a note."""

    kind: str
    """tag, path, task, heading, created, modified or property."""
    value: str
    wanted: bool = True
    """False when the notes that meet it are to be left out."""
    compare: str = "="
    """One of = < > <= >=."""
    name: str = ""
    """Of a property."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search, taken apart."""

    words: tuple[Word, ...] = ()
    """Words and phrases that must all stand in the note."""
    without: tuple[Word, ...] = ()
    filters: tuple[Filter, ...] = ()


def parse_query(text: str) -> Query:
    """A query out of `word "a phrase" prefix* -not tag:x task:open created:>2026-01 property=value "a name">=3`.

    What only looks like a filter, such as `a->b` or `created:soon`, is words: nothing a person types is an error.
    """
    words: list[Word] = []
    without: list[Word] = []
    filters: list[Filter] = []
    for part in _PART.finditer(text):
        if (found := _filter(part)) is not None:
            filters.append(found)
        elif (word := _word(part)).text:
            (words if part["no"] is None else without).append(word)
    return Query(tuple(words), tuple(without), tuple(filters))


def _filter(part: re.Match[str]) -> Filter | None:
    """The filter this part is, or None for words."""
    wanted = part["no"] is None
    if part["filter"]:
        kind = part["filter"].lower()
        if kind not in ("created", "modified"):
            return Filter(kind, part["value"].strip('"'), wanted)
        found = _COMPARE.fullmatch(part["value"])
        value = found[2].strip('"') if found else ""
        return Filter(kind, value, wanted, (found and found[1]) or "=") if is_date(value) else None
    if part["compare"] is None:
        return None
    value = part["given"].strip('"')
    if part["compare"] != "=" and not (NUMBER.fullmatch(value) or is_date(value)):
        return None
    return Filter("property", value, wanted, part["compare"], part["quoted"] or part["name"])


def _word(part: re.Match[str]) -> Word:
    text = next((part[name] for name in ("phrase", "word") if part[name] is not None), None)
    text = part[0].removeprefix("-" if part["no"] else "") if text is None else text
    prefix = len(text) > 1 and text.endswith("*")
    return Word(text.rstrip("*") if prefix else text, prefix)
