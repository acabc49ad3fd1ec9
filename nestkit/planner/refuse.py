"""An ask that has no one reading, in; why it is refused and what would work, out. *Pure*."""

from __future__ import annotations

from collections.abc import Sequence

from nestkit.planner.grammar import Grammar, known_words
from nestkit.planner.language import english, root
from nestkit.planner.parts import verb_names
from nestkit.planner.setting import Setting
from nestkit.planner.tools import Call, Short
from nestkit.policy import Refusal

MODEL = "or set up a model: nest doctor"


def refuse_readings(readings: Sequence[str]) -> Refusal:
    """For an ask that can be taken in several ways."""
    return Refusal(f"this can be read in {len(readings)} ways: {'; or: '.join(readings[:3])}", f"say which, {MODEL}")


def refuse_calls(calls: Sequence[Call | Short]) -> Refusal:
    """For an ask that several tools answer to, or one that cannot be called as it stands."""
    names = list(dict.fromkeys(call.tool.name for call in calls))
    first = calls[0]
    if len(calls) == 1 and isinstance(first, Short):
        return _short(first)
    if all(isinstance(call, Short) and call.missing for call in calls):
        wanted = "; ".join(f"{c.tool.name} needs {_and(c.missing)}" for c in calls if isinstance(c, Short))
        return Refusal(f"not all that is needed was said: {wanted}", f"name them, {MODEL}")
    return Refusal(f"this could mean {_and(names, 'or')}", f"call one by name with nest call, {MODEL}")


def _short(short: Short) -> Refusal:
    tool = short.tool
    if short.missing:
        return Refusal(
            f"{tool.name} needs {_and(short.missing)}, which the ask does not say", f"{tool.signature}, {MODEL}"
        )
    offered = ", ".join(map(str, short.choices))
    return Refusal(
        f"{short.odd!r} is not among the values {tool.name} takes as {short.parameter}: {offered}",
        f"use one of these, {MODEL}",
    )


def refuse_words(setting: Setting, grammars: Sequence[Grammar]) -> Refusal:
    """For an ask with something left over: the words nobody knows, else the place where no form goes on."""
    if not setting.tokens:
        return Refusal("the ask is empty", f"ask for a list, a number, a property or a tool, {MODEL}")
    beyond = [token.norm for token in setting.tokens if token.norm in english().beyond and token.sort == "word"]
    if beyond:
        reason = f"the built-in planner looks up and counts; it cannot answer {_quoted(beyond)}"
        return Refusal(reason, f"ask for what the notes say, {MODEL}")
    unknown = [place for place in range(len(setting.tokens)) if not _is_known(setting, place)]
    if unknown:
        words = [setting.typed(place, place + 1) for place in unknown]
        return Refusal(f"nothing in this vault or its tools explains {_quoted(words)}", _hint(setting, words))
    reached = max(grammar.matcher.reached for grammar in grammars)
    left = setting.typed(min(reached, len(setting.tokens) - 1), len(setting.tokens))
    return Refusal(f"the part {left!r} fits nothing that can be asked here", _hint(setting, []))


def _is_known(setting: Setting, place: int) -> bool:
    token = setting.tokens[place]
    if token.sort != "word":
        return token.sort != "sign" or token.norm in known_words()
    if token.norm in known_words() or token.norm in english().function_words or token.norm in english().months:
        return True
    return bool(verb_names(setting, place, place + 1)) or _is_named(setting, place)


def _is_named(setting: Setting, place: int) -> bool:
    """Whether the token belongs to some name of the vault in this ask."""
    terms = setting.terms
    indexes = (
        *(part for facts in (terms.notes, terms.tasks) for part in (facts.name, facts.value, facts.flag)),
        terms.title,
        terms.tag,
        terms.folder,
        terms.kind,
    )
    starts = range(max(0, place - 7), place + 1)
    return any(end > place for index in indexes for start in starts for end, _ in index.find(setting.tokens, start))


def _hint(setting: Setting, words: Sequence[str]) -> str:
    """Names of the vault that look like the words, else what can be asked."""
    from difflib import get_close_matches  # late: only a refusal pays for it

    terms = setting.terms
    names = {
        " ".join(key): None
        for index in (terms.notes.name, terms.notes.value, terms.title, terms.kind)
        for key in index.exact
    }
    near = [match for word in words for match in get_close_matches(word.casefold(), list(names), n=2, cutoff=0.8)]
    if near:
        return f"did you mean {_and(near, 'or')}? {MODEL[0].upper()}{MODEL[1:]}"
    about = _about(setting)
    return f"it can list, count, group, sort and sum{about}, look up a property, or call a tool; {MODEL}"


def _about(setting: Setting) -> str:
    """What the ask seems to be about, with something that can be asked of it."""
    for place in range(len(setting.tokens)):
        for end, kinds in setting.terms.kind.find(setting.tokens, place):
            if kinds:
                names = [name for name in setting.terms.notes.names if root(name) != root(kinds[0].word)][:4]
                return (
                    f" {setting.typed(place, end)} by {', '.join(names)}" if names else f" {setting.typed(place, end)}"
                )
    return " notes and tasks"


def _and(words: Sequence[str], word: str = "and") -> str:
    return f" {word} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _quoted(words: Sequence[str]) -> str:
    return _and([f"“{word}”" for word in dict.fromkeys(words)])
