"""The vault's vocabulary and the words of an ask in; which people it calls by a part of their name, out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from nestkit.note import Vocabulary
from nestkit.planner.language import english, singular

_PERSON = re.compile(r"[^\W\d_][\w\'’.-]*(?: [^\W\d_][\w\'’.-]*){1,3}")
_LEAST = 3
"""A shorter part of a name is as likely another word."""


def find_nicknames(vocabulary: Vocabulary, words: Collection[str]) -> dict[str, list[str]]:
    """Full name -> the parts of it that the ask says, `Greta` or `Le Guin`, where nothing else in the vault is called
    so: no other person, no value, no note. `words` are those of the ask, case folded.
    """
    spoken = {word for word in words if len(word) >= _LEAST and _may_be_name(word)}
    if not spoken:
        return {}
    bearers: dict[str, set[str]] = {}
    for name in _all_names(vocabulary):
        for part in _parts(name, spoken):
            bearers.setdefault(part, set()).add(name)
    if not bearers:
        return {}
    persons = set(_persons(vocabulary))
    whole = {name.casefold() for name in (*vocabulary.titles.values(), *vocabulary.aliases, *vocabulary.tags)}
    found: dict[str, list[str]] = {}
    for part, names in bearers.items():
        if len(names) == 1 and names <= persons and part not in whole:
            found.setdefault(names.pop(), []).append(part)
    return found


def _may_be_name(word: str) -> bool:
    return word not in english().function_words and word not in english().months


def _parts(name: str, spoken: Collection[str]) -> Iterator[str]:
    """The first and the last name, the last with what belongs to it, as far as the ask has them."""
    title, words = _split(name)
    if not (_PERSON.fullmatch(" ".join(words)) and all(w[0].isupper() or w in english().particles for w in words)):
        return
    *_, before, last = folded = [word.casefold() for word in words]
    if folded[0] in spoken:
        yield folded[0]
    if last in spoken:
        whole = f"{before} {last}" if len(words) > 2 and before in english().particles else last
        yield from [whole, f"{title} {whole}"][: 2 if title else 1]


def _split(name: str) -> tuple[str, list[str]]:
    """(honorific, the other words)."""
    first, _, rest = name.partition(" ")
    title = first.casefold().rstrip(".")
    return (title, rest.split()) if title in english().honorifics and " " in rest else ("", name.split())


def _all_names(vocabulary: Vocabulary) -> Iterator[str]:
    """Everything that something is called in this vault."""
    yield from vocabulary.titles.values()
    yield from vocabulary.aliases
    yield from vocabulary.tags
    for words in (*vocabulary.properties.values(), *vocabulary.fields.values()):
        yield from words.values
    for values in vocabulary.task_fields.values():
        yield from values


def _persons(vocabulary: Vocabulary) -> Iterator[str]:
    """Who is named where people are named, the notes in a folder for them, and who is a doctor."""
    yield from (name for name in _all_names(vocabulary) if _split(name)[0])
    for each in (vocabulary.properties, vocabulary.fields):
        for name, words in each.items():
            if _is_person_name(name):
                yield from words.values
    for name, values in vocabulary.task_fields.items():
        if _is_person_name(name):
            yield from values
    for path, title in vocabulary.titles.items():
        folder = path.rpartition("/")[0].rpartition("/")[2]
        if singular(re.sub(r"^\d+[\s_.-]+", "", folder).casefold()) in english().persons:
            yield title


def _is_person_name(name: str) -> bool:
    return singular(name.casefold()) in english().person_names
