"""The parts of a form that speak of properties: their names, verbs made of them, comparisons and superlatives. *Pure*.

Each takes the setting and a place, and yields what it found there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from nestkit.planner.language import Superlative, english, root, singular
from nestkit.planner.patterns import Found
from nestkit.planner.query import AS_SAID, Compares
from nestkit.planner.setting import Setting
from nestkit.planner.terms import Name

GOOD = -1
"""What "best" compares: numbers of which more is better."""

Find = Callable[[Setting, int], Iterator[Found]]
Fits = Callable[[Name], bool]


def choice_of(table: str) -> Find:
    """A part whose words stand in a table of `english.toml`."""

    def find(setting: Setting, start: int) -> Iterator[Found]:
        choices = english().choices[table]
        for end in range(min(len(setting.tokens), start + 4), start, -1):
            key = tuple(token.norm for token in setting.tokens[start:end])
            if key in choices:
                yield Found(end, choices[key])

    return find


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def is_any(name: Name) -> bool:
    return True


def is_time(name: Name) -> bool:
    return name.is_day or name.is_year


def is_number(name: Name) -> bool:
    return name.is_number


def is_flag(name: Name) -> bool:
    return name.is_flag


def is_list(name: Name) -> bool:
    return name.is_list


def name_that(fits: Fits) -> Find:
    def find(setting: Setting, start: int) -> Iterator[Found]:
        for end, names in setting.facts.name.find(setting.tokens, start):
            if kept := _fitting(setting, names, fits):
                yield Found(end, kept, 1 if _is_plain_name(setting, start, end) else 5)

    return find


def _is_plain_name(setting: Setting, start: int, end: int) -> bool:
    """Not so of `projects`, which speaks of notes rather than of the property `project`."""
    key = tuple(setting.word(place) for place in range(start, end))
    kinds = setting.terms.kind.find(setting.tokens, start)
    return key in setting.facts.name.exact or all(last != end for last, _ in kinds)


def verb_that(fits: Fits) -> Find:
    """Words that speak of a property: `attended` of attendees, `wrote` of author, `last cook` of last-cooked."""

    def find(setting: Setting, start: int) -> Iterator[Found]:
        for end in (start + 3, start + 2, start + 1):
            if kept := _fitting(setting, verb_names(setting, start, end), fits):
                yield Found(end, _own_name(setting, start, end, kept))

    return find


def _own_name(setting: Setting, start: int, end: int, names: tuple[str, ...]) -> tuple[str, ...]:
    """The property that is called like the verb, where it is one of them: `bought` before any other day."""
    own = "-".join(setting.word(place) for place in range(start, end))
    return (own,) if own in names else names


def verb_names(setting: Setting, start: int, end: int) -> tuple[str, ...]:
    """The properties a verb may speak of."""
    words = [setting.word(place) for place in range(start, end)]
    if not all(word.isalpha() for word in words) or words[-1] in english().function_words:
        return ()
    listed = setting.facts.known(english().verbs.get(" ".join(words), ()))
    return listed or setting.facts.roots.get(tuple(map(root, words)), ())


def find_deed(setting: Setting, start: int) -> Iterator[Found]:
    """`rated` for "has a rating": a participle that is no value and no checkbox."""
    taken = {end for end, _ in setting.facts.value.find(setting.tokens, start)}
    taken |= {end for end, _ in setting.facts.flag.find(setting.tokens, start)}
    if setting.subject == "tasks":
        taken |= {found.end for found in choice_of("progress")(setting, start)}
    word = setting.word(start)
    if word.endswith("ed") or word in english().participles:
        for found in verb_that(lambda name: not name.is_flag)(setting, start):
            if found.end not in taken:
                yield found


def find_undone(setting: Setting, start: int) -> Iterator[Found]:
    """`unrated` for "without a rating"."""
    word = setting.word(start)
    if word.startswith("un") and word.endswith("ed") and not any(setting.facts.flag.find(setting.tokens, start)):
        names = setting.facts.roots.get((root(word[2:]),), ())
        if kept := _fitting(setting, names, lambda name: not name.is_flag):
            yield Found(start + 1, kept)


def find_measure(setting: Setting, start: int) -> Iterator[Found]:
    """What "how long", "how tall" asks for: those numbers that there are."""
    if kept := _fitting(setting, setting.facts.known(english().measures.get(setting.word(start), ())), is_number):
        yield Found(start + 1, kept)


def find_comparative(setting: Setting, start: int) -> Iterator[Found]:
    """(sign, names) of "taller than", which says by itself what is compared."""
    for found in choice_of("comparatives")(setting, start):
        sign, _, measure = found.meaning.partition(" ")
        if kept := _fitting(setting, setting.facts.known(english().measures[measure]), is_number):
            yield Found(found.end, (sign, kept))


def find_compare(setting: Setting, start: int) -> Iterator[Found]:
    yield from choice_of("compare")(setting, start)
    for found in choice_of("comparatives")(setting, start):
        yield Found(found.end, found.meaning.partition(" ")[0])


def _fitting(setting: Setting, names: Iterable[str], fits: Fits) -> tuple[str, ...]:
    return tuple(name for name in names if fits(setting.facts.names[name]))


def find_day_word(setting: Setting, start: int) -> Iterator[Found]:
    if kept := _fitting(setting, setting.facts.known(english().days.get(setting.word(start), ())), is_time):
        yield Found(start + 1, kept)
    else:
        yield from verb_that(is_time)(setting, start)


def find_each_name(setting: Setting, start: int) -> Iterator[Found]:
    """A property said of many notes at once, where its values by note are meant and not the different ones.

    So it is with numbers and days, and with a name in the singular: `status of all projects`, not `countries of`.
    """
    for end, names in setting.facts.name.find(setting.tokens, start):
        known = [setting.facts.names[name] for name in names]
        measured = all(name.is_number or name.is_day for name in known)
        last = setting.word(end - 1)
        if measured or (singular(last) == last and not any(name.is_list for name in known)):
            yield Found(end, names)


def find_summed(setting: Setting, start: int) -> Iterator[Found]:
    """A number said of many notes at once that may be meant as one sum: the `cost` of repairs, the `pages` of books."""
    for found in find_folded(setting, start):
        names, size = found.meaning
        last = setting.word(found.end - 1)
        money = bool(set(names) & set(english().money_names)) and singular(last) == last
        if size == 0 and (money or any(singular(name) != name for name in names)):
            yield found


def find_many_names(setting: Setting, start: int) -> Iterator[Found]:
    """A property in the plural, `suppliers`: the different ones, where it holds words and no notes are called so."""
    kinds = {end for end, _ in setting.terms.kind.find(setting.tokens, start)}
    for end, names in setting.facts.name.find(setting.tokens, start):
        last = setting.word(end - 1)
        kept = _fitting(setting, names, lambda name: not (name.is_number or name.is_flag or name.is_day))
        if kept and end not in kinds and singular(last) != last:
            yield Found(end, kept)


def find_grouping(setting: Setting, start: int) -> Iterator[Found]:
    """A word for what notes can be grouped by, unless a property is called so."""
    taken = {end for end, _ in setting.facts.name.find(setting.tokens, start)}
    yield from (found for found in choice_of("groupings")(setting, start) if found.end not in taken)


def find_kind_name(setting: Setting, start: int) -> Iterator[Found]:
    """A property that is called like a sort of notes: `clients` for `client`."""
    kinds = {end for end, _ in setting.terms.kind.find(setting.tokens, start)}
    for end, names in setting.facts.name.find(setting.tokens, start):
        if end in kinds:
            yield Found(end, names)


def find_folded(setting: Setting, start: int) -> Iterator[Found]:
    """A property that can be compared: (names, 0 for numbers or 10 for days)."""
    for end, names in setting.facts.name.find(setting.tokens, start):
        yield from _comparable(setting, end, names)


def find_folded_verb(setting: Setting, start: int) -> Iterator[Found]:
    for found in verb_that(is_any)(setting, start):
        yield from _comparable(setting, found.end, found.meaning)


def _comparable(setting: Setting, end: int, names: Iterable[str]) -> Iterator[Found]:
    if numbers := _fitting(setting, names, lambda name: name.is_number):
        yield Found(end, (numbers, 0))
    if days := _fitting(setting, names, lambda name: name.is_day):
        yield Found(end, (days, 10))


# ── superlatives ─────────────────────────────────────────────────────────────────────────────────────────────────────


def find_extreme(setting: Setting, start: int) -> Iterator[Found]:
    """(most, 0 for numbers or 10 for days or GOOD)."""
    for found in choice_of("extremes")(setting, start):
        sort, _, way = found.meaning.partition("_")
        yield Found(found.end, (way == "most", {"day": 10, "good": GOOD}.get(sort, 0)))


def find_superlative(setting: Setting, start: int) -> Iterator[Found]:
    """(most, names, size, condition) of an adjective that says by itself what is compared."""
    for entry in english().superlatives:
        for words in entry.words:
            if tuple(setting.word(start + offset) for offset in range(len(words))) == words:
                yield from _meant(setting, start + len(words), entry)


def _meant(setting: Setting, end: int, entry: Superlative) -> Iterator[Found]:
    names = setting.facts.names
    if numbers := tuple(name for name in setting.facts.known(entry.number) if names[name].is_number):
        yield Found(end, (entry.most, numbers, 0, ()))
    if days := _fitting(setting, setting.facts.known(entry.date), is_time):
        # the latest, as people say it, is not one that lies ahead
        sides = (Compares(days, entry.side, setting.today.isoformat(), AS_SAID),) if entry.side else ()
        yield Found(end, (entry.most, days, 10, sides))
