"""The vault's vocabulary in; which of its words stand where in an ask, out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Generic, TypeVar

from nestkit.note import PropertyWords, Vocabulary
from nestkit.planner.language import english, root, singular
from nestkit.planner.people import find_nicknames
from nestkit.planner.query import Kind
from nestkit.planner.words import Token, phrase
from nestkit.visible import normal_form

T = TypeVar("T")
Key = tuple[str, ...]

_DAY = re.compile(r"\d{4}-\d{2}(-\d{2})?(T.*)?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_OBSIDIAN = frozenset(("tags", "tag", "aliases", "alias", "cssclasses", "cssclass", "position", "publish"))
"""Properties that mean something to the app and are asked for in other ways."""
_WORDS = re.compile(r"[^\W_]+")
_SPOKEN = frozenset(("word", "number", "date", "week", "sign"))
_MAX_WORDS = 8
"""A longer value is a sentence: it is asked for with its property's name or not at all."""


@dataclass(frozen=True, slots=True)
class Phrases(Generic[T]):
    """Phrases of the vault, found in an ask as they are or, where `find_stem` is asked, in the plural."""

    exact: Mapping[Key, tuple[T, ...]]
    stems: Mapping[Key, tuple[T, ...]]
    longest: int

    def find(self, tokens: Sequence[Token], start: int) -> Iterator[tuple[int, tuple[T, ...]]]:
        """(end, what it may be) of each phrase that begins here, the longest first."""
        row = list(takewhile(lambda token: token.sort in _SPOKEN, tokens[start : start + self.longest]))
        for end in range(start + len(row), start, -1):
            key = tuple(token.norm for token in row[: end - start])
            if found := self.exact.get(key) or self.stems.get(_stem(key)):
                yield end, found


_PHRASE_CHARS = 500
"""Longer names stand in no ask."""


def phrases(pairs: Iterable[tuple[str, T]], *, plurals: bool = True) -> Phrases[T]:
    """An index of (text, what it stands for)."""
    exact: dict[Key, dict[T, None]] = {}
    stems: dict[Key, dict[T, None]] = {}
    for text, item in pairs:
        if len(text) <= _PHRASE_CHARS and (key := phrase(text)):
            exact.setdefault(key, {})[item] = None
            if plurals:
                stems.setdefault(_stem(key), {})[item] = None
    longest = max(map(len, exact), default=0)
    return Phrases({k: tuple(v) for k, v in exact.items()}, {k: tuple(v) for k, v in stems.items()}, longest)


def _stem(key: Key) -> Key:
    return tuple(map(singular, key))


@dataclass(frozen=True, slots=True)
class Name:
    """One property or inline field, as far as the planner must know it."""

    name: str
    """Canonical: lower case, blanks as dashes."""
    kinds: frozenset[str]
    values: tuple[str, ...]

    @property
    def is_day(self) -> bool:
        return bool(self.kinds & {"date", "datetime"}) or self._all(_DAY)

    @property
    def is_number(self) -> bool:
        return "number" in self.kinds and not self.is_day

    @property
    def is_year(self) -> bool:
        """A number that can be a year: `year: 1969`."""
        years = [value for value in self.values if re.fullmatch(r"[12]\d{3}", value)]
        return self.is_number and len(years) == len(self.values) > 0

    @property
    def is_flag(self) -> bool:
        return "checkbox" in self.kinds

    @property
    def is_list(self) -> bool:
        return "list" in self.kinds

    def _all(self, pattern: re.Pattern[str]) -> bool:
        return bool(self.values) and all(map(pattern.fullmatch, self.values))


@dataclass(frozen=True, slots=True)
class Facts:
    """What notes, or tasks, say of themselves: names and the values under them."""

    names: Mapping[str, Name]
    name: Phrases[str]
    value: Phrases[tuple[str, str]]
    letter: Phrases[tuple[str, str]]
    """Values of one word that means something to the planner too, such as `A`: only behind their property's name."""
    flag: Phrases[tuple[str, str]]
    roots: Mapping[Key, tuple[str, ...]]
    """Roots of a verb and what belongs to it (`last cook`) -> names with these roots."""

    def known(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of these names that there are."""
        return tuple(name for name in names if name in self.names)


@dataclass(frozen=True, slots=True)
class Terms:
    """All the words of one vault."""

    notes: Facts
    tasks: Facts
    title: Phrases[str]
    """Titles and aliases -> path; a title that begins with a date also without it, where no other is called so."""
    tags: tuple[str, ...]
    tag: Phrases[str]
    folder: Phrases[str]
    kind: Phrases[Kind]
    titles: Mapping[str, str]


def read_terms(vocabulary: Vocabulary, tokens: Sequence[Token]) -> Terms:
    """The vocabulary, ready to be found in the ask with these tokens: of titles and values only what it may name."""
    nicknames = find_nicknames(vocabulary, {token.norm for token in tokens if token.sort == "word"})
    also, begins = _aliases(vocabulary, nicknames), _begins(tokens)
    notes = _facts(
        [_name(name, words) for name, words in _merged(vocabulary) if name.lower() not in _OBSIDIAN], also, begins
    )
    tasks = _facts([_task_name(name, values) for name, values in vocabulary.task_fields.items()], also, begins)
    folders = [(folder, folder) for folder in vocabulary.folders]
    folders += [(_last(folder), folder) for folder in vocabulary.folders]
    return Terms(
        notes,
        tasks,
        phrases((pair for pair in _titles(vocabulary, nicknames) if begins(pair[0])), plurals=False),
        vocabulary.tags,
        phrases(((tag, tag) for tag in _with_parents(vocabulary.tags)), plurals=False),
        phrases(folders, plurals=False),
        phrases(_kinds(vocabulary, notes)),
        vocabulary.titles,
    )


def _begins(tokens: Sequence[Token]) -> Callable[[str], bool]:
    """Whether the first word of a name stands in the ask, in whatever number: of a large vault's names few do."""
    words = {word for token in tokens for word in _WORDS.findall(token.norm.casefold())}
    words |= {singular(word) for word in words}
    words |= {word + ending for word in words for ending in ("d", "ed")}  # `finish` asks for `finished`

    def begins(name: str) -> bool:
        first = _WORDS.search((name if name.isascii() else normal_form("NFC", name)).casefold())
        return first is not None and (first[0] in words or singular(first[0]) in words)

    return begins


def canonical(name: str) -> str:
    return re.sub(r"\s+", "-", name.strip().lower())


def _merged(vocabulary: Vocabulary) -> Iterator[tuple[str, PropertyWords]]:
    yield from vocabulary.properties.items()
    yield from vocabulary.fields.items()


def _name(name: str, words: PropertyWords) -> Name:
    return Name(canonical(name), frozenset(words.kinds), words.values)


def _task_name(name: str, values: tuple[str, ...]) -> Name:
    said = tuple(value for value in values if value)
    kind = "date" if said and all(map(_DAY.fullmatch, said)) else "text"
    if said and all(map(_NUMBER.fullmatch, said)):
        kind = "number"
    return Name(canonical(name), frozenset((kind,)), said)


def _aliases(vocabulary: Vocabulary, nicknames: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Title -> other names of the note: a link to it may be asked for by each."""
    found = {name: list(parts) for name, parts in nicknames.items()}
    for alias, path in vocabulary.aliases.items():
        found.setdefault(vocabulary.titles.get(path, ""), []).append(alias)
    return found


def _facts(found: list[Name], aliases: Mapping[str, list[str]], begins: Callable[[str], bool]) -> Facts:
    names: dict[str, Name] = {}
    for name in found:
        before = names.get(name.name, Name(name.name, frozenset(), ()))
        names[name.name] = Name(name.name, before.kinds | name.kinds, before.values + name.values)
    own = {value.casefold() for name in names.values() for value in name.values}
    values = [
        (said, (name.name, value))
        for name in names.values()
        for value in name.values
        for said in (
            value,
            *(each for each in aliases.get(value, ()) if each.casefold() not in own),
            *_spoken(name, value),
        )
        if begins(said) and _is_word(value)
    ]
    roots: dict[Key, tuple[str, ...]] = {}
    for known in names:
        key = tuple(map(root, known.split("-")))
        roots[key] = (*roots.get(key, ()), known)
    letters = [(v, (name.name, v)) for name in names.values() for v in name.values if _is_letter(v)]
    flags = phrases(_flags(names), plurals=False)
    return Facts(names, phrases(_names(names)), phrases(values), phrases(letters, plurals=False), flags, roots)


def _spoken(name: Name, value: str) -> Iterator[str]:
    """Words for a currency, such as `euro` for EUR, that mean no other of those the notes have."""
    if name.name in english().currency_names:
        for word, codes in english().tools.spoken.items():
            if value in codes and not any(other in codes for other in name.values if other != value):
                yield word


def _names(names: Mapping[str, Name]) -> Iterator[tuple[str, str]]:
    for name in names:
        yield name.replace("-", " "), name
    for word, others in english().synonyms.items():
        if canonical(word) not in names:
            yield from ((word, name) for name in others if name in names)


def _flags(names: Mapping[str, Name]) -> Iterator[tuple[str, tuple[str, str]]]:
    for name in names.values():
        if name.is_flag:
            said = name.name.replace("-", " ")
            yield said, (name.name, "true")
            for prefix in ("un", "in", "im", "non-"):
                yield prefix + said, (name.name, "false")
            for word in english().opposites.get(name.name, ()):
                yield word, (name.name, "false")


def _is_word(value: str) -> bool:
    """Whether a value can stand for itself in an ask: no number, no day, no lone function word, no sentence."""
    if _NUMBER.fullmatch(value) or _DAY.fullmatch(value) or "://" in value:
        return False
    key = phrase(value)
    return 0 < len(key) <= _MAX_WORDS and not (len(key) == 1 and key[0] in english().function_words)


def _is_letter(value: str) -> bool:
    return value.casefold() in english().function_words


def _titles(vocabulary: Vocabulary, nicknames: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    whole = {name.casefold() for name in (*vocabulary.titles.values(), *vocabulary.aliases)}
    for path, title in vocabulary.titles.items():
        yield title, path
        yield from ((part, path) for part in nicknames.get(title, ()))
        undated = re.sub(r"^\d{4}-\d{2}(?:-\d{2})?(?:\s*[-–]\s+|[\s_]+)(?=\D)", "", title)
        if undated != title and undated.casefold() not in whole:
            yield undated, path
    yield from vocabulary.aliases.items()


def _with_parents(tags: Iterable[str]) -> Iterator[str]:
    """The tags and those they are nested in: notes tagged `a/b` are tagged `a`."""
    for tag in tags:
        parts = tag.split("/")
        yield from ("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def _last(path: str) -> str:
    """The last part of a folder or tag, without the number that only sorts it: `01_Notes` -> `Notes`."""
    return re.sub(r"^\d+[\s_.-]+", "", path.rpartition("/")[2])


def _kinds(vocabulary: Vocabulary, notes: Facts) -> Iterator[tuple[str, Kind]]:
    """Words for sorts of notes: values of `type`, else tag and folder together, else a category."""
    known = notes.known(english().kind_names)
    loose = [name for name in known if name == english().kind_names[-1]]
    firm = [name for name in known if name not in loose]
    plain = {name.lower() for name in vocabulary.properties} - set(vocabulary.fields)
    typed = {**_typed(notes, loose, plain), **_placed(vocabulary), **_typed(notes, firm, plain)}
    for key, kind in typed.items():
        yield " ".join(key), kind


def _typed(notes: Facts, names: Iterable[str], plain: Collection[str]) -> dict[Key, Kind]:
    found: dict[Key, Kind] = {}
    for name in names:
        for value in notes.names[name].values if name in notes.names else ():
            if _is_word(value):
                found.setdefault(_stem(phrase(value)), Kind(value, name, value, inline=name not in plain))
    return found


def _placed(vocabulary: Vocabulary) -> dict[Key, Kind]:
    """Tags and folders as sorts of notes; a word that several tags or several folders claim is none."""
    tags = _unique(vocabulary.tags)
    paths = {path.lower() for path in vocabulary.titles}
    folders = {key: each for key, each in _unique(vocabulary.folders).items() if not _holds_its_own_note(each, paths)}
    return {
        key: Kind((tags.get(key) or _last(folders[key])).lower(), tag=tags.get(key, ""), folder=folders.get(key, ""))
        for key in {**tags, **folders}
        if not (key == ("note",) and key not in tags)
    }


def _holds_its_own_note(folder: str, paths: Collection[str]) -> bool:
    """Whether a note about the folder stands in it, such as `Books/Books.md`: then not all in it are books."""
    names = (folder.rpartition("/")[2], _last(folder), "index", "_index", "readme", "moc")
    return any(f"{folder}/{name}.md".lower() in paths for name in names)


def _unique(paths: Iterable[str]) -> dict[Key, str]:
    found: dict[Key, list[str]] = {}
    for path in paths:
        if key := _stem(phrase(_last(path))):
            found.setdefault(key, []).append(path)
    return {key: each[0] for key, each in found.items() if len(each) == 1}
