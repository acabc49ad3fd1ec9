"""The smallest parts of a form: one function each says what of it stands at a place of the ask. *Pure*.

Each takes the setting and a place, and yields what it found there; `PARTS` is the table of them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from nestkit.planner.dates import Span, find_spans
from nestkit.planner.language import Superlative, english, root
from nestkit.planner.patterns import Found
from nestkit.planner.query import Compares
from nestkit.planner.setting import Setting
from nestkit.planner.terms import Name
from nestkit.planner.words import phrase

Find = Callable[[Setting, int], Iterator[Found]]


def _choice(table: str) -> Find:
    """A part whose words stand in a table of `english.toml`."""

    def find(setting: Setting, start: int) -> Iterator[Found]:
        choices = english().choices[table]
        for end in range(min(len(setting.tokens), start + 4), start, -1):
            key = tuple(token.norm for token in setting.tokens[start:end])
            if key in choices:
                yield Found(end, choices[key])

    return find


def _not(setting: Setting, start: int) -> Iterator[Found]:
    """An optional "not"; the words after it that add nothing belong to it."""
    yield Found(start, False, 0)
    end = start
    if setting.word(start) in ("not", "never", "non"):
        end = start + 1
        while setting.word(end) in ("yet", "been", "be", "being"):
            end += 1
        yield Found(end, True)


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _any(name: Name) -> bool:
    return True


def _is_time(name: Name) -> bool:
    return name.is_day or name.is_year


def _is_day(name: Name) -> bool:
    return name.is_day


def _is_number(name: Name) -> bool:
    return name.is_number


def _is_listed(name: Name) -> bool:
    return name.is_list


def _name(fits: Callable[[Name], bool]) -> Find:
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


def _verb(fits: Callable[[Name], bool]) -> Find:
    """Words that speak of a property: `attended` of attendees, `wrote` of author, `last cook` of last-cooked."""

    def find(setting: Setting, start: int) -> Iterator[Found]:
        for end in (start + 3, start + 2, start + 1):
            if kept := _fitting(setting, verb_names(setting, start, end), fits):
                yield Found(end, kept)

    return find


def verb_names(setting: Setting, start: int, end: int) -> tuple[str, ...]:
    """The properties a verb may speak of."""
    words = [setting.word(place) for place in range(start, end)]
    if not all(word.isalpha() for word in words) or words[-1] in english().function_words:
        return ()
    listed = setting.facts.known(english().verbs.get(" ".join(words), ()))
    return listed or setting.facts.roots.get(tuple(map(root, words)), ())


def _deed(setting: Setting, start: int) -> Iterator[Found]:
    """`rated` for "has a rating": a participle that is no value and no checkbox."""
    taken = {end for end, _ in setting.facts.value.find(setting.tokens, start)}
    taken |= {end for end, _ in setting.facts.flag.find(setting.tokens, start)}
    if setting.subject == "tasks":
        taken |= {found.end for found in _choice("progress")(setting, start)}
    if setting.word(start).endswith("ed"):
        for found in _verb(lambda name: not name.is_flag)(setting, start):
            if found.end not in taken:
                yield found


def _undone(setting: Setting, start: int) -> Iterator[Found]:
    """`unrated` for "without a rating"."""
    word = setting.word(start)
    if word.startswith("un") and word.endswith("ed") and not any(setting.facts.flag.find(setting.tokens, start)):
        names = setting.facts.roots.get((root(word[2:]),), ())
        if kept := _fitting(setting, names, lambda name: not name.is_flag):
            yield Found(start + 1, kept)


def _measure(setting: Setting, start: int) -> Iterator[Found]:
    """What "how long", "how tall" asks for: those numbers that there are."""
    if kept := _fitting(setting, setting.facts.known(english().measures.get(setting.word(start), ())), _is_number):
        yield Found(start + 1, kept)


def _comparative(setting: Setting, start: int) -> Iterator[Found]:
    """(sign, names) of "taller than", which says by itself what is compared."""
    for found in _choice("comparatives")(setting, start):
        sign, _, measure = found.meaning.partition(" ")
        if kept := _fitting(setting, setting.facts.known(english().measures[measure]), _is_number):
            yield Found(found.end, (sign, kept))


def _compare(setting: Setting, start: int) -> Iterator[Found]:
    yield from _choice("compare")(setting, start)
    for found in _choice("comparatives")(setting, start):
        yield Found(found.end, found.meaning.partition(" ")[0])


def _fitting(setting: Setting, names: Iterable[str], fits: Callable[[Name], bool]) -> tuple[str, ...]:
    return tuple(name for name in names if fits(setting.facts.names[name]))


def _day_word(setting: Setting, start: int) -> Iterator[Found]:
    if kept := _fitting(setting, setting.facts.known(english().days.get(setting.word(start), ())), _is_time):
        yield Found(start + 1, kept)
    else:
        yield from _verb(_is_time)(setting, start)


def _kind_name(setting: Setting, start: int) -> Iterator[Found]:
    """A property that is called like a sort of notes: `clients` for `client`."""
    kinds = {end for end, _ in setting.terms.kind.find(setting.tokens, start)}
    for end, names in setting.facts.name.find(setting.tokens, start):
        if end in kinds:
            yield Found(end, names)


def _folded(setting: Setting, start: int) -> Iterator[Found]:
    """A property that can be compared: (names, 0 for numbers or 10 for days)."""
    for end, names in setting.facts.name.find(setting.tokens, start):
        yield from _comparable(setting, end, names)


def _folded_verb(setting: Setting, start: int) -> Iterator[Found]:
    for found in _verb(_any)(setting, start):
        yield from _comparable(setting, found.end, found.meaning)


def _comparable(setting: Setting, end: int, names: Iterable[str]) -> Iterator[Found]:
    if numbers := _fitting(setting, names, lambda name: name.is_number):
        yield Found(end, (numbers, 0))
    if days := _fitting(setting, names, lambda name: name.is_day):
        yield Found(end, (days, 10))


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _value(setting: Setting, start: int) -> Iterator[Found]:
    """((name, value), ...): every property that has this value, checkboxes of that name among them."""
    token = setting.token(start)
    if token is not None and token.sort in ("quoted", "link"):
        yield from _spelled(setting, start)
    flags = dict(setting.facts.flag.find(setting.tokens, start))
    for end, options in setting.facts.value.find(setting.tokens, start):
        yield Found(end, tuple(dict.fromkeys((*options, *flags.get(end, ())))))


def _spelled(setting: Setting, start: int) -> Iterator[Found]:
    """A value in quotes or brackets."""
    key = phrase(setting.tokens[start].norm.removesuffix(".md"))
    facts = setting.facts.value
    if options := facts.exact.get(key):
        yield Found(start + 1, options)


def _flag(setting: Setting, start: int) -> Iterator[Found]:
    taken = {end for end, _ in setting.facts.value.find(setting.tokens, start)}
    for end, options in setting.facts.flag.find(setting.tokens, start):
        if end not in taken:
            yield Found(end, options)


def _value_verb(setting: Setting, start: int) -> Iterator[Found]:
    """`finish` for the value `finished`; only a verb that is no value itself."""
    word = setting.word(start)
    if len(word) < 4 or word in english().function_words or word.endswith("s"):
        return
    for form in (word + "ed", word + "d"):
        if options := setting.facts.value.exact.get((form,)):
            yield Found(start + 1, options)


def _number(setting: Setting, start: int) -> Iterator[Found]:
    token = setting.token(start)
    if token is not None and token.sort == "number":
        yield Found(start + 1, token.norm)
    elif token is not None and token.sort == "word" and token.norm in english().numbers:
        yield Found(start + 1, str(english().numbers[token.norm]))


def _span(setting: Setting, start: int) -> Iterator[Found]:
    for end, span in find_spans(setting.tokens, start, setting.today):
        yield Found(end, span)


def _quoted(setting: Setting, start: int) -> Iterator[Found]:
    token = setting.token(start)
    if token is not None and token.sort == "quoted" and token.norm:
        yield Found(start + 1, token.norm)


def _text(setting: Setting, start: int) -> Iterator[Found]:
    """A text in quotes, or up to three words without one that could mean something else."""
    yield from _quoted(setting, start)
    end = start
    while end < min(len(setting.tokens), start + 3) and _is_plain(setting, end):
        end += 1
        yield Found(end, setting.typed(start, end), end - start)


def _plain_text(setting: Setting, start: int) -> Iterator[Found]:
    """The same without quotes, where no note has that name: to mention a note is more than to say its name."""
    titles = {end for end, _ in setting.terms.title.find(setting.tokens, start)}
    for found in _text(setting, start):
        if found.end not in titles and setting.tokens[start].sort == "word":
            yield found


def _is_plain(setting: Setting, place: int) -> bool:
    token = setting.tokens[place]
    return token.sort == "word" and token.norm.isalnum() and token.norm not in english().function_words


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _note(setting: Setting, start: int) -> Iterator[Found]:
    """The path of a note, by title, alias, link or quotation; "this note" is the one that asks."""
    token = setting.token(start)
    if token is None:
        return
    if token.sort in ("link", "quoted"):
        yield from (Found(start + 1, path) for path in _paths_of(setting, token.norm))
    if setting.note and token.norm == "this" and setting.word(start + 1) in ("note", "page", "file"):
        yield Found(start + 2, setting.note)
    for end, paths in setting.terms.title.find(setting.tokens, start):
        yield from (Found(end, path) for path in paths)


def _unclaimed_note(setting: Setting, start: int) -> Iterator[Found]:
    """A note whose name is no value of the subject: "tasks of Clara" are those that she owns."""
    taken = {end for end, _ in setting.facts.value.find(setting.tokens, start)}
    yield from (found for found in _note(setting, start) if found.end not in taken)


def _paths_of(setting: Setting, text: str) -> tuple[str, ...]:
    if text in setting.terms.titles:
        return (text,)
    if f"{text}.md" in setting.terms.titles:
        return (f"{text}.md",)
    return setting.terms.title.exact.get(phrase(text), ())


def _here(setting: Setting, start: int) -> Iterator[Found]:
    if setting.note and setting.word(start) == "here":
        yield Found(start + 1, setting.note)


def _hashtag(setting: Setting, start: int) -> Iterator[Found]:
    """A tag with its `#`, when the vault has it or one below it."""
    token = setting.token(start)
    if token is None or token.sort != "tag":
        return
    for tag in setting.terms.tags:
        if tag.casefold() == token.norm:
            yield Found(start + 1, tag)
            return
    if any(tag.casefold().startswith(token.norm + "/") for tag in setting.terms.tags):
        yield Found(start + 1, token.norm)


def _tag(setting: Setting, start: int) -> Iterator[Found]:
    yield from _hashtag(setting, start)
    token = setting.token(start)
    if token is not None and token.sort == "quoted":
        yield from (Found(start + 1, tag) for tag in setting.terms.tag.exact.get(phrase(token.norm), ()))
    for end, tags in setting.terms.tag.find(setting.tokens, start):
        yield from (Found(end, tag) for tag in tags)


def _tag_word(setting: Setting, start: int) -> Iterator[Found]:
    """A tag without its `#`, where nothing else has that name and no word for notes follows that would make it one."""
    other = {end for end, _ in setting.facts.value.find(setting.tokens, start)}
    other |= {end for end, _ in setting.facts.flag.find(setting.tokens, start)}
    for end, tags in setting.terms.tag.find(setting.tokens, start):
        if end not in other and not (setting.subject == "notes" and (setting.word(end),) in english().choices["nouns"]):
            yield from (Found(end, tag) for tag in tags)


def _folder(setting: Setting, start: int) -> Iterator[Found]:
    token = setting.token(start)
    if token is not None and token.sort == "quoted":
        yield from (Found(start + 1, folder) for folder in setting.terms.folder.exact.get(phrase(token.norm), ()))
    for end, folders in setting.terms.folder.find(setting.tokens, start):
        yield from (Found(_past_slash(setting, end), folder, 2) for folder in folders)


def _past_slash(setting: Setting, end: int) -> int:
    token = setting.token(end)
    return end + 1 if token is not None and token.norm == "/" else end


# ── superlatives ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _extreme(setting: Setting, start: int) -> Iterator[Found]:
    """(most, 0 for numbers or 10 for days)."""
    for found in _choice("extremes")(setting, start):
        sort, _, way = found.meaning.partition("_")
        yield Found(found.end, (way == "most", 10 if sort == "day" else 0))


def _superlative(setting: Setting, start: int) -> Iterator[Found]:
    """(most, names, size, condition) of an adjective that says by itself what is compared."""
    for entry in english().superlatives:
        for words in entry.words:
            if tuple(setting.word(start + offset) for offset in range(len(words))) == words:
                yield from _meant(setting, start + len(words), entry)


def _meant(setting: Setting, end: int, entry: Superlative) -> Iterator[Found]:
    names = setting.facts.names
    if numbers := tuple(name for name in setting.facts.known(entry.number) if names[name].is_number):
        yield Found(end, (entry.most, numbers, 0, ()))
    fits = _is_day if entry.side else _is_time  # the latest, as people say it, is not one that lies ahead
    if days := _fitting(setting, setting.facts.known(entry.date), fits):
        sides = (Compares(days, entry.side, setting.today.isoformat(), 10),) if entry.side else ()
        yield Found(end, (entry.most, days, 10, sides))


PARTS: Mapping[str, Find] = {
    **{name: _choice(name) for name in ("progress", "more")},
    "compare": _compare,
    "plaincompare": _choice("compare"),
    "comparative": _comparative,
    "measure": _measure,
    "deed": _deed,
    "undone": _undone,
    "how": _choice("folds"),
    "direction": _choice("directions"),
    "age": _choice("ages"),
    "grouping": _choice("groupings"),
    "step": _choice("steps"),
    "bool": _choice("truths"),
    "not": _not,
    "name": _name(_any),
    "verb": _verb(_any),
    "verbname": _verb(_any),
    "listverb": _verb(_any),
    "kindname": _kind_name,
    "listname": _name(_is_listed),
    "flagname": _name(lambda name: name.is_flag),
    "flagverb": _verb(lambda name: name.is_flag),
    "numbername": _name(_is_number),
    "numberverb": _verb(_is_number),
    "dayname": _name(_is_time),
    "dayverb": _verb(_is_time),
    "dayword": _day_word,
    "folded": _folded,
    "foldedverb": _folded_verb,
    "value": _value,
    "valueverb": _value_verb,
    "flag": _flag,
    "number": _number,
    "span": _span,
    "quoted": _quoted,
    "text": _text,
    "plaintext": _plain_text,
    "note": _note,
    "freenote": _unclaimed_note,
    "here": _here,
    "tag": _tag,
    "hashtag": _hashtag,
    "tagword": _tag_word,
    "folder": _folder,
    "extreme": _extreme,
    "superlative": _superlative,
}
