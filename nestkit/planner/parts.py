"""The smallest parts of a form: one function each says what of it stands at a place of the ask. *Pure*.

Each takes the setting and a place, and yields what it found there; `PARTS` is the table of them all. Those that speak
of properties are in `naming`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from nestkit.planner.dates import find_spans
from nestkit.planner.language import english
from nestkit.planner.naming import (
    Find,
    choice_of,
    find_comparative,
    find_compare,
    find_day_word,
    find_deed,
    find_each_name,
    find_extreme,
    find_folded,
    find_folded_verb,
    find_grouping,
    find_kind_name,
    find_many_names,
    find_measure,
    find_summed,
    find_superlative,
    find_undone,
    is_any,
    is_flag,
    is_list,
    is_number,
    is_time,
    name_that,
    verb_that,
)
from nestkit.planner.patterns import Found
from nestkit.planner.setting import Setting
from nestkit.planner.words import phrase


def _not(setting: Setting, start: int) -> Iterator[Found]:
    """An optional "not"; the words after it that add nothing belong to it."""
    yield Found(start, False, 0)
    end = start
    if setting.word(start) in ("not", "never", "non"):
        end = start + 1
        while setting.word(end) in ("yet", "been", "be", "being"):
            end += 1
        yield Found(end, True)


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _value(setting: Setting, start: int) -> Iterator[Found]:
    """((name, value), ...): every property that has this value, checkboxes of that name among them."""
    token = setting.token(start)
    if token is not None and token.sort in ("quoted", "link"):
        yield from _spelled(setting, start)
    flags = dict(setting.facts.flag.find(setting.tokens, start))
    for end, options in setting.facts.value.find(setting.tokens, start):
        yield Found(end, tuple(dict.fromkeys((*options, *flags.get(end, ())))))


def _value_inside(setting: Setting, start: int) -> Iterator[Found]:
    """The same behind "in", where a folder of that name is as likely."""
    folders = {end for end, _ in setting.terms.folder.find(setting.tokens, start)}
    for found in _value(setting, start):
        yield replace(found, cost=2 if found.end in folders else found.cost)


def _letter(setting: Setting, start: int) -> Iterator[Found]:
    for end, options in setting.facts.letter.find(setting.tokens, start):
        yield Found(end, options)


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


PARTS: Mapping[str, Find] = {
    **{name: choice_of(name) for name in ("progress", "more")},
    "compare": find_compare,
    "plaincompare": choice_of("compare"),
    "comparative": find_comparative,
    "measure": find_measure,
    "deed": find_deed,
    "undone": find_undone,
    "how": choice_of("folds"),
    "direction": choice_of("directions"),
    "age": choice_of("ages"),
    "turn": choice_of("turns"),
    "grouping": find_grouping,
    "step": choice_of("steps"),
    "bool": choice_of("truths"),
    "not": _not,
    "name": name_that(is_any),
    "verb": verb_that(is_any),
    "verbname": verb_that(is_any),
    "listverb": verb_that(is_any),
    "kindname": find_kind_name,
    "manynames": find_many_names,
    "eachname": find_each_name,
    "listname": name_that(is_list),
    "flagname": name_that(is_flag),
    "flagverb": verb_that(is_flag),
    "numbername": name_that(is_number),
    "numberverb": verb_that(is_number),
    "dayname": name_that(is_time),
    "dayverb": verb_that(is_time),
    "dayword": find_day_word,
    "folded": find_folded,
    "foldedverb": find_folded_verb,
    "summed": find_summed,
    "value": _value,
    "letter": _letter,
    "valueinside": _value_inside,
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
    "extreme": find_extreme,
    "superlative": find_superlative,
}
