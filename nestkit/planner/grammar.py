"""The forms of `grammar.toml` and a setting in; every whole reading of the ask out. *Pure*."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from nestkit.planner import conditions, questions
from nestkit.planner.joining import Chain, is_dated_deed, is_either_or_both, join_conditions
from nestkit.planner.language import english, load_toml, singular
from nestkit.planner.parts import PARTS
from nestkit.planner.patterns import Found, Matcher, Parts, Row, compile_form, compile_lists, words_of
from nestkit.planner.query import (
    Between,
    Compares,
    Condition,
    Daily,
    InFolder,
    Is,
    Joined,
    Kind,
    Query,
    Selection,
    Tagged,
)
from nestkit.planner.setting import Setting
from nestkit.planner.timing import make_when

_MAX_CONDITIONS = 6
_LOOSE = (Is, Compares, Between, Tagged, InFolder)
"""What narrows down without a word for what is narrowed: values, days, tags and folders."""
_CONDITION = 2
"""What each condition costs besides its parts, so that `with status active` is one and not two."""
_TASK_ASKS = frozenset(
    (
        "listing",
        "grouped",
        "count",
        "fold",
        "extreme",
        "extreme_value",
        "superlative",
        "busiest",
        "distinct",
        "distinct_count",
    )
)
"""Forms that are tried for tasks too; all others speak of notes."""


@dataclass(frozen=True, slots=True)
class Form:
    make: str
    row: Row


@cache
def forms() -> Mapping[str, tuple[Form, ...]]:
    """Part of the grammar -> its forms, compiled once."""
    table = load_toml("grammar.toml")
    lists = compile_lists(table.pop("lists"))
    return {
        part: tuple(Form(entry["make"], compile_form(text, lists)) for entry in entries for text in entry["say"])
        for part, entries in table.items()
    }


@cache
def known_words() -> frozenset[str]:
    """Every word that some form or list can explain."""
    words = {word for each in forms().values() for form in each for word in words_of(form.row)}
    words |= {word for table in english().choices.values() for key in table for word in key}
    words |= {word for entry in english().superlatives for key in entry.words for word in key}
    return frozenset(words | set(english().days_named) | english().articles | english().links | english().determiners)


def _is_of_days(condition: Condition) -> bool:
    return isinstance(condition, Compares | Between) and condition.size != 0


@dataclass(frozen=True, slots=True)
class Noun:
    """A word for what is meant."""

    end: int
    kind: Kind | None = None
    """None for notes, or tasks, of any sort."""
    conditions: tuple[Condition, ...] = ()
    plural: bool = False


class Grammar:
    """All ways to read one ask, as one for notes or for tasks; what was found once is kept."""

    def __init__(self, setting: Setting, notes: Grammar | None = None) -> None:
        self.setting = setting
        self.other: Grammar | None = notes
        """The same ask read for notes, when this one reads it for tasks, and the other way round."""
        if notes is not None:
            notes.other = self
        self.matcher = Matcher(setting.tokens, self.find)
        self._found: dict[tuple[str, int], tuple[Found, ...]] = {}

    def queries(self) -> dict[Query, int]:
        """Every reading that uses up the whole ask, with its cost."""
        readings: dict[Query, int] = {}
        for form in forms()["ask"]:
            if self.setting.subject == "tasks" and form.make not in _TASK_ASKS:
                continue
            for end, bound, cost in self.matcher.match(form.row, 0):
                if end < len(self.setting.tokens):
                    continue
                parts = Parts(bound)
                query = questions.MAKERS[form.make](parts, self.setting)
                if query is not None and not parts.unread:
                    readings[query] = min(cost, readings.get(query, cost))
        return readings

    def find(self, rule: str, start: int) -> Sequence[Found]:
        """Every way a part can stand here."""
        key = (rule, start)
        if key not in self._found:
            self._found[key] = ()
            best: dict[tuple[int, Any], Found] = {}
            for found in self._search(rule, start):
                spot = (found.end, found.meaning)
                if spot not in best or best[spot].cost > found.cost:
                    best[spot] = found
            self._found[key] = tuple(best.values())
        return self._found[key]

    def _search(self, rule: str, start: int) -> Iterator[Found]:
        if rule in PARTS:
            return PARTS[rule](self.setting, start)
        if rule in ("after", "before"):
            return self._conditions(rule, start)
        nested: Mapping[str, Callable[[int], Iterator[Found]]] = {
            "when": self._when,
            "order": self._order,
            "group": lambda place: self._group("group", place),
            "pergroup": lambda place: self._group("pergroup", place),
            "selection": lambda place: self._selections(place, after=True),
            "short": lambda place: self._selections(place, after=False),
            "plural": lambda place: self._selections(place, after=True, plural=True),
            "loose": self._loose,
            "modifiers": self._modifiers,
            "notes": self._other_notes,
            "tasks": self._tasks,
            "joinable": self._joinable,
        }
        return nested[rule](start)

    # ── parts made of forms ──────────────────────────────────────────────────────────────────────────────────────────

    def _matches(self, part: str, start: int) -> Iterator[tuple[str, int, Parts, int]]:
        for form in forms()[part]:
            for end, bound, cost in self.matcher.match(form.row, start):
                if end > start:
                    yield form.make, end, Parts(bound), cost

    def _conditions(self, part: str, start: int) -> Iterator[Found]:
        parts = [f"task_{part}", part] if self.setting.subject == "tasks" else [part]
        for each in parts:
            for make, end, bound, cost in self._matches(each, start):
                made = conditions.MAKERS[make](bound, self.setting)
                if made and not bound.unread:
                    yield Found(end, made, cost)

    def _when(self, start: int) -> Iterator[Found]:
        for make, end, bound, cost in self._matches("when", start):
            when = make_when(make, bound)
            if when is not None and not bound.unread:
                yield Found(end, when, cost)

    def _order(self, start: int) -> Iterator[Found]:
        for make, end, bound, cost in self._matches("order", start):
            order = questions.make_order(make, bound, self.setting)
            if order is not None and not bound.unread:
                yield Found(end, order, cost)

    def _group(self, part: str, start: int) -> Iterator[Found]:
        for _, end, bound, cost in self._matches(part, start):
            group = questions.make_group(bound, self.setting)
            if group is not None and not bound.unread:
                yield Found(end, group, cost)

    # ── selections ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _selections(self, start: int, *, after: bool, plural: bool = False) -> Iterator[Found]:
        """Conditions, a word for what is meant, conditions."""
        for place, before, cost in self._chain("before", self._past_determiners(start), ()):
            for noun in self._nouns(self._past_determiners(place)):
                if plural and not noun.plural:
                    continue
                tails = self._chain("after", noun.end, ()) if after else [(noun.end, (), 0)]
                for last, chain, further in tails:
                    made = self._selection(noun, before, chain)
                    if made is not None:
                        yield Found(last, made, cost + 1 + further)

    def _selection(self, noun: Noun, before: Chain, after: Chain) -> Selection | None:
        first = join_conditions(before, self.setting)
        second = join_conditions(after, self.setting)
        if first is None or second is None:
            return None
        if is_either_or_both(before, self.setting) or is_dated_deed(after, self.setting):
            return None
        if noun.kind is None and any(isinstance(c, Joined) and c.names for c in (*first, *second)):
            return None  # only of notes of some sort is it clear which property leads to the others
        if Daily() in noun.conditions and (first or second) and all(map(_is_of_days, (*first, *second))):
            return None  # "days between" two days are those of the calendar
        made = tuple(sorted(dict.fromkeys((*noun.conditions, *first, *second)), key=repr))
        return Selection(self.setting.subject, noun.kind, made)

    def _chain(self, part: str, start: int, chain: Chain) -> Iterator[tuple[int, Chain, int]]:
        """(end, conditions with what joins them, cost) of every row of conditions that can stand here."""
        yield start, chain, 0
        if len(chain) == _MAX_CONDITIONS:
            return
        for place, link in self._joints(start, bool(chain)):
            for spot in self._past_links(place) if part == "after" else [place]:
                for found in self.find(part, spot):
                    for end, more, cost in self._chain(part, found.end, (*chain, (link, found.meaning))):
                        yield end, more, cost + found.cost + _CONDITION

    def _joints(self, start: int, inside: bool) -> Iterator[tuple[int, str]]:
        """Where the next condition may begin, and the word that joins it to the one before."""
        yield start, ""
        word, then = self.setting.word(start), self.setting.word(start + 1)
        if inside and word == "," and then in ("and", "or", "but"):
            yield start + 2, "and" if then == "but" else then
        elif inside and word in ("and", "or", "but", ","):
            yield start + 1, "and" if word == "but" else word

    def _past_links(self, start: int) -> Iterator[int]:
        """This place and those behind words that are taken as given, such as "that are"."""
        place = start
        yield place
        while self.setting.word(place) in english().links or (place != self.matcher.skip(place)):
            place += 1
            yield place

    def _past_determiners(self, start: int) -> int:
        place = self.matcher.skip(start)
        while self._is_determiner(self.setting.word(place)):
            place = self.matcher.skip(place + 1)
            if self.setting.word(place) == "of":
                place = self.matcher.skip(place + 1)
        return place

    def _loose(self, start: int) -> Iterator[Found]:
        """Conditions alone, where it is clear without a word for them that notes are meant."""
        for end, chain, cost in self._chain("after", start, ()):
            made = join_conditions(chain, self.setting)
            if made and all(isinstance(condition, _LOOSE) for condition in made):
                yield Found(end, made, cost)

    def _is_determiner(self, word: str) -> bool:
        """`my tasks` are not all tasks where tasks have owners."""
        owned = self.setting.subject == "tasks" and {"owner", "assignee"} & self.setting.facts.names.keys()
        return word in english().determiners and not (owned and word in ("my", "our"))

    def _modifiers(self, start: int) -> Iterator[Found]:
        """Adjectives without their noun: `unpaid` in "total unpaid amount"."""
        for end, chain, cost in self._chain("before", start, ()):
            made = join_conditions(chain, self.setting)
            if made:
                yield Found(end, made, cost)

    def _nouns(self, start: int) -> Iterator[Noun]:
        """Every word for what is meant that can stand here."""
        yield from (Noun(end, plural=True) for end in self._listed("nouns", start))
        if self.setting.subject == "tasks":
            return
        if self.setting.word(start) in ("who", "whose"):
            yield from (Noun(start + 1, kind, plural=True) for kind in self._persons())
        kinds_here = list(self.setting.terms.kind.find(self.setting.tokens, start))
        if self.setting.word(start) in english().days_named and not kinds_here:
            yield Noun(start + 1, None, (Daily(),), plural=True)
        for end, kinds in kinds_here:
            for kind in kinds:
                yield Noun(end, kind, plural=self._is_plural(end))
                further = (*self._listed("nouns", end), *self._listed("suffixes", end))
                yield from (Noun(last, kind, plural=True) for last in further)
        yield from self._valued(start)

    def _persons(self) -> Sequence[Kind]:
        """The sort of notes that are about people; of several without "person" nobody knows which."""
        known = [self.setting.terms.kind.exact.get((word,), ()) for word in english().persons]
        people = [kind for kinds in known[:2] for kind in kinds] or [kind for kinds in known for kind in kinds]
        return people if len(set(people)) == 1 else ()

    def _valued(self, start: int) -> Iterator[Noun]:
        """A value in the plural, `novels`: notes of whatever sort that have it."""
        for end, options in self.setting.facts.value.find(self.setting.tokens, start):
            key = tuple(self.setting.word(place) for place in range(start, end))
            is_kind = any(last == end for last, _ in self.setting.terms.kind.find(self.setting.tokens, start))
            if self._is_plural(end) and key not in self.setting.facts.value.exact and not is_kind:
                yield Noun(end, None, (Is(options),), plural=True)

    def _is_plural(self, end: int) -> bool:
        return singular(self.setting.word(end - 1)) != self.setting.word(end - 1)

    def _listed(self, table: str, start: int) -> Iterator[int]:
        """Ends of the words in a table for any note, or any task."""
        choices = english().choices[table]
        for end in range(start + 1, min(len(self.setting.tokens), start + 3) + 1):
            key = tuple(self.setting.word(place) for place in range(start, end))
            if choices.get(key) == self.setting.subject and not self._is_name(key):
                yield end

    def _is_name(self, key: tuple[str, ...]) -> bool:
        """`pages` is no word for notes where books have a property of that name."""
        return key in self.setting.facts.name.exact and key[0].startswith(("page", "file"))

    def _other_notes(self, start: int) -> Iterator[Found]:
        """Notes that tasks stand in: some sort of them, never just "notes"."""
        if self.other is not None:
            for found in self.other.find("selection", start):
                selection: Selection = found.meaning
                if selection.kind is not None or selection.conditions:
                    yield found

    def _tasks(self, start: int) -> Iterator[Found]:
        if self.other is not None:
            yield from self.other.find("selection", start)

    def _joinable(self, start: int) -> Iterator[Found]:
        """Notes of a sort that a property is named for, narrowed down: `clients in Sweden` for `client`."""
        for found in self.find("selection", start):
            selection: Selection = found.meaning
            if selection.kind is None or not selection.conditions:
                continue
            name = selection.kind.word.lower()
            if name in self.setting.facts.names and not any(isinstance(c, Joined) for c in selection.conditions):
                yield replace(found, meaning=(name, selection))
