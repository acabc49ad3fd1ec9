"""An ask that has no one reading, in; why it is refused and what would work, out. *Pure*."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from nestkit.planner.dates import find_spans
from nestkit.planner.grammar import Grammar, known_words
from nestkit.planner.language import english, root, singular
from nestkit.planner.mentions import read_words
from nestkit.planner.naming import verb_names
from nestkit.planner.setting import Setting
from nestkit.planner.tools import Call, Short
from nestkit.policy import Refusal
from nestkit.tool import Tool

_MODEL = "or set up a model: nest doctor"
_SHOWN = 8
"""Words shown of what is left over."""
_ALIKE = 0.75
"""How alike a word and a name are by `difflib`, one letter in four apart, before the one is suggested for the other."""
_NAMES = 5_000
"""Names of the vault looked through for one that a word may stand for."""


def refuse_readings(readings: Sequence[str]) -> Refusal:
    """For an ask that can be taken in several ways."""
    said = "; or: ".join(readings[:3])
    return Refusal(f"this can be read in {len(readings)} ways: {said}", f"say which, {_MODEL}")


def refuse_calls(calls: Sequence[Call | Short]) -> Refusal:
    """For an ask that several tools answer to, or one that cannot be called as it stands."""
    if len(calls) == 1 and isinstance(calls[0], Short):
        return _short(calls[0])
    missing = [call for call in calls if isinstance(call, Short) and call.missing]
    if len(missing) == len(calls):
        wanted = "; ".join(f"{call.tool.name} needs {_joined(call.missing)}" for call in missing)
        return Refusal(f"not all that is needed was said: {wanted}", f"name them, {_MODEL}")
    names = list(dict.fromkeys(call.tool.name for call in calls))
    return Refusal(f"this could mean {_joined(names, 'or')}", f"call one by its name with nest call, {_MODEL}")


def _short(short: Short) -> Refusal:
    tool = short.tool
    if short.missing:
        reason = f"{tool.name} needs {_joined(short.missing)}, which the ask does not say"
        return Refusal(reason, f"{tool.signature}, {_MODEL}")
    offered = ", ".join(map(str, short.choices))
    reason = f"{short.odd!r} is not among the values {tool.name} takes as {short.parameter}: {offered}"
    return Refusal(reason, f"use one of these, {_MODEL}")


def refuse_words(setting: Setting, grammars: Sequence[Grammar], tools: Sequence[Tool]) -> Refusal:
    """For an ask with something left over: the words nobody knows, else the place where no form goes on."""
    if not setting.tokens:
        return Refusal("the ask is empty", f"ask for a list, a number, a property or a tool, {_MODEL}")
    beyond = [token.norm for token in setting.tokens if token.sort == "word" and token.norm in english().beyond]
    if beyond:
        reason = f"the built-in planner looks up and counts; it has no answer to {_quoted(beyond)}"
        return Refusal(reason, f"ask for what the notes say, {_MODEL}")
    spoken = {word for tool in tools for word in read_words(tool).own}
    unknown = [place for place in range(len(setting.tokens)) if not _is_known(setting, place, spoken)]
    if unknown:
        words = [setting.typed(place, place + 1) for place in unknown]
        return Refusal(f"nothing in this vault or its tools explains {_quoted(words)}", _hint(setting, words))
    if month := next((place for place in range(len(setting.tokens)) if _is_ahead(setting, place)), None):
        said = setting.typed(month, month + 1)
        return Refusal(f"{_quoted([said])} could be this year's or the last", f"say the year, {_MODEL}")
    reached = min(max(grammar.matcher.reached for grammar in grammars), len(setting.tokens) - 1)
    left = setting.typed(reached, min(reached + _SHOWN, len(setting.tokens)))
    return Refusal(f"{_quoted([left])} fits nothing that can be asked here", _hint(setting, []))


def _is_ahead(setting: Setting, place: int) -> bool:
    """A month, or a day in it, without its year."""
    return any(span.ahead for _, span in find_spans(setting.tokens, place, setting.today))


def _is_known(setting: Setting, place: int, spoken: Collection[str]) -> bool:
    """Whether some form, name or tool has a use for the token; `spoken` are the tools' words by their root."""
    token = setting.tokens[place]
    if token.sort == "sign":
        return token.norm in known_words()
    if token.sort != "word":
        return True
    if token.norm in known_words() or token.norm in english().function_words or token.norm in english().months:
        return True
    if root(singular(token.norm)) in spoken:
        return True
    return bool(verb_names(setting, place, place + 1)) or _is_named(setting, place)


def _is_named(setting: Setting, place: int) -> bool:
    """Whether the token belongs to some name of the vault in this ask."""
    terms = setting.terms
    facts = [index for each in (terms.notes, terms.tasks) for index in (each.name, each.value, each.flag)]
    starts = range(max(0, place - 7), place + 1)
    return any(
        end > place
        for index in (*facts, terms.title, terms.tag, terms.folder, terms.kind)
        for start in starts
        for end, _ in index.find(setting.tokens, start)
    )


def _hint(setting: Setting, words: Sequence[str]) -> str:
    """Names of the vault that have such a word or look like it, else what can be asked."""
    near = list(dict.fromkeys(name for word in words[:3] for name in _near(setting, word.casefold())))
    if near:
        return f"did you mean {_joined(near[:3], 'or')}? Say so, {_MODEL}"
    names = _joined([name.replace("-", " ") for name in islice(setting.terms.notes.names, 4)])
    about = f"notes by {names}" if names else "notes"
    return f"it can list, count, group, sort and sum {about}, find tasks, links and lines, and call a tool; {_MODEL}"


def _near(setting: Setting, word: str) -> list[str]:
    from difflib import get_close_matches  # late: only a refusal pays for it

    names = {name.casefold(): name for name in islice(_names(setting), _NAMES)}
    whole = [name for folded, name in names.items() if word in folded.split()]
    if near := whole or [names[match] for match in get_close_matches(word, list(names), n=2, cutoff=_ALIKE)]:
        return near
    parts = {part: name for folded, name in names.items() for part in folded.split()}
    return [parts[match] for match in get_close_matches(word, list(parts), n=2, cutoff=_ALIKE)]


def _names(setting: Setting) -> Iterator[str]:
    yield from (" ".join(key) for key in setting.terms.kind.exact)
    yield from setting.terms.titles.values()
    for name in setting.terms.notes.names.values():
        yield name.name.replace("-", " ")
        yield from name.values


def _joined(words: Sequence[str], word: str = "and") -> str:
    return f"{', '.join(words[:-1])} {word} {words[-1]}" if len(words) > 1 else "".join(words)


def _quoted(words: Sequence[str]) -> str:
    return _joined([f"“{word}”" for word in dict.fromkeys(words)])
