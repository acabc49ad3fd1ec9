"""The word lists of `english.toml`, in the shapes the planner asks for them. *Disk*, its own data file, once."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from nestkit.planner.query import Names


@dataclass(frozen=True, slots=True)
class Superlative:
    """What "cheapest" says: least, of these numbers."""

    words: tuple[tuple[str, ...], ...]
    most: bool
    number: Names
    date: Names
    side: Literal["", "<=", ">="]
    """Only days up to today (`<=`), or from today on (`>=`); empty for all."""


@dataclass(frozen=True, slots=True)
class ToolWords:
    """What a person says round the values they give a tool; see `[tools]` in `english.toml`."""

    neutral: frozenset[str]
    operators: frozenset[str]
    directions: frozenset[str]
    strict: frozenset[str]
    day_names: frozenset[str]
    place_names: frozenset[str]
    leads: Mapping[str, tuple[frozenset[str], frozenset[str]]]
    """Direction -> (words before a value, parameters they point to)."""
    relatives: Mapping[str, frozenset[str]]
    """A word of the tool -> words that it explains as well."""
    spoken: Mapping[str, Names]
    """A word or sign -> the values it may stand for: `dollar` -> USD."""


@dataclass(frozen=True, slots=True)
class English:
    """The language as data; see `english.toml` for what each part means."""

    articles: frozenset[str]
    function_words: frozenset[str]
    beyond: frozenset[str]
    participles: frozenset[str]
    links: frozenset[str]
    determiners: frozenset[str]
    months: Names
    kind_names: Names
    openers: Names
    presence: Names
    persons: Names
    person_names: Names
    honorifics: Names
    particles: Names
    days_named: Names
    rated_names: Names
    yearly_names: Names
    money_names: Names
    currency_names: Names
    implied_number: Names
    implied_date: Names
    due_names: Names
    closing_names: Names
    state_names: Names
    closed: Names
    unclosed: Names
    numbers: Mapping[str, int]
    plurals: Mapping[str, str]
    synonyms: Mapping[str, Names]
    verbs: Mapping[str, Names]
    days: Mapping[str, Names]
    opposites: Mapping[str, Names]
    measures: Mapping[str, Names]
    choices: Mapping[str, Mapping[tuple[str, ...], str]]
    """Table -> phrase -> what it stands for: `compare` -> `more than` -> `>`."""
    superlatives: tuple[Superlative, ...]
    tools: ToolWords


_SETS = ("articles", "function_words", "beyond", "participles", "links", "determiners")
_TABLES = ("synonyms", "verbs", "days", "opposites", "measures")
_CHOICES = (
    "steps",
    "comparatives",
    "suffixes",
    "progress",
    "extremes",
    "folds",
    "compare",
    "more",
    "turns",
    "directions",
    "ages",
    "groupings",
    "truths",
    "nouns",
)


def load_toml(name: str) -> dict[str, Any]:
    """One of the planner's data files."""
    return tomllib.loads((Path(__file__).parent / name).read_text("utf-8"))


@cache
def english() -> English:
    """The word lists, read once."""
    lists = load_toml("english.toml")
    choices = {table: _choices(lists.pop(table)) for table in _CHOICES}
    tools = _tool_words(lists.pop("tools"))
    superlatives = tuple(map(_superlative, lists.pop("superlatives").values()))
    made: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in lists.items()}
    made |= {name: frozenset(lists[name]) for name in _SETS}
    made |= {name: {word: tuple(names) for word, names in lists[name].items()} for name in _TABLES}
    return English(**made, choices=choices, superlatives=superlatives, tools=tools)


def _choices(table: Mapping[str, list[str]]) -> dict[tuple[str, ...], str]:
    return {tuple(phrase.split()): choice for choice, phrases in table.items() for phrase in phrases}


def _tool_words(lists: Mapping[str, Any]) -> ToolWords:
    sets = {
        name: frozenset(lists[name])
        for name in ("neutral", "operators", "directions", "strict", "day_names", "place_names")
    }
    return ToolWords(
        **sets,
        leads={name: (frozenset(e["words"]), frozenset(e["parameters"])) for name, e in lists["leads"].items()},
        relatives={word: frozenset(words) for word, words in lists["relatives"].items()},
        spoken={word: tuple(values) for word, values in lists["spoken"].items()},
    )


def _superlative(entry: Mapping[str, Any]) -> Superlative:
    words = tuple(tuple(phrase.split()) for phrase in entry["words"])
    side: Literal["", "<=", ">="] = "<=" if entry.get("until_today") else ">=" if entry.get("from_today") else ""
    return Superlative(words, entry["most"], tuple(entry.get("number", ())), tuple(entry.get("date", ())), side)


def singular(word: str) -> str:
    """A plural's singular by the small rules of English; other words as they are."""
    plurals = english().plurals
    if word in plurals:
        return plurals[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("xes", "ches", "shes", "sses", "atoes", "eroes", "choes")):
        return word[:-2]
    return word[:-1]


_ENDINGS = (
    "ments",
    "ment",
    "ations",
    "ation",
    "ated",
    "ates",
    "ating",
    "ate",
    "ings",
    "ing",
    "ees",
    "ee",
    "ions",
    "ion",
    "ers",
    "er",
    "ors",
    "or",
    "ed",
    "es",
    "e",
    "s",
)


def root(word: str) -> str:
    """What a verb and the noun made of it have in common: `attended`, `attendees` -> `attend`; for names only."""
    for _ in range(2):
        ending = next((each for each in _ENDINGS if word.endswith(each) and len(word) - len(each) >= 3), "")
        word = word.removesuffix(ending)
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
