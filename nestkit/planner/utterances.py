"""An ask and the forms a tool's author gave, in; the call they mean out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from nestkit.planner.dates import find_spans
from nestkit.planner.language import english
from nestkit.planner.mentions import Mention
from nestkit.planner.setting import Setting
from nestkit.planner.tools import Call, Short, accepts, complete, is_day_parameter, schema_types
from nestkit.planner.words import expand, phrase
from nestkit.tool import Parameter, Tool

_MAX_WORDS = 6


def find_uttered(tools: Sequence[Tool], setting: Setting) -> list[Call | Short]:
    """What the ask means by the tools' utterances, each once; calls that fall short only where none is complete."""
    found: dict[tuple[str, Call | Short], Call | Short] = {}
    for tool in tools:
        for utterance in tool.utterances:
            for meant in _heard(tool, utterance, setting):
                found[(tool.name, meant)] = meant
    calls: list[Call | Short] = [meant for meant in found.values() if isinstance(meant, Call)]
    return calls or list(found.values())


def _heard(tool: Tool, utterance: str, setting: Setting) -> Iterator[Call | Short]:
    pieces = [piece for piece in re.split(r"(\{\w+\})", expand(utterance)) if piece.strip()]
    words = [piece if piece.startswith("{") else phrase(piece) for piece in pieces]
    parameters = {parameter.name: parameter for parameter in tool.parameters}
    for chosen in _fit(words, 0, setting, parameters, tool):
        yield complete(tool, chosen, setting)


def _fit(
    pieces: Sequence[str | tuple[str, ...]],
    place: int,
    setting: Setting,
    parameters: Mapping[str, Parameter],
    tool: Tool,
) -> Iterator[dict[str, Mention]]:
    """The values of the slots, for every way the rest of an utterance fits the rest of the ask."""
    if not pieces:
        if place == len(setting.tokens):
            yield {}
        return
    piece, rest = pieces[0], pieces[1:]
    if isinstance(piece, tuple):
        end = _past_words(piece, place, setting)
        if end is not None:
            yield from _fit(rest, end, setting, parameters, tool)
        return
    name = piece[1:-1]
    for end in range(place + 1, min(len(setting.tokens), place + _MAX_WORDS) + 1):
        mention = _value(parameters[name], place, end, setting, tool) if name in parameters else None
        if mention is not None:
            for chosen in _fit(rest, end, setting, parameters, tool):
                yield {name: mention, **chosen}


def _past_words(words: tuple[str, ...], place: int, setting: Setting) -> int | None:
    """Where the ask goes on after these words, articles on either side left out."""
    articles = english().articles
    for word in words:
        if word in articles:
            continue
        while setting.word(place) in articles:
            place += 1
        token = setting.token(place)
        if token is None or token.norm != word:
            return None
        place += 1
    return place


def _value(parameter: Parameter, start: int, end: int, setting: Setting, tool: Tool) -> Mention | None:
    """The words from start to end as a value of the parameter; odd where it offers only others."""
    while start < end - 1 and setting.word(start) in english().articles:
        start += 1
    tokens = setting.tokens[start:end]
    typed = setting.typed(start, end)
    if parameter.choices:
        return _choice(parameter, tuple(token.norm for token in tokens), typed)
    for mention in _mentions(parameter, start, end, setting):
        if accepts(parameter, mention, tool):
            return mention
    plain = all(token.sort == "word" and token.norm not in english().function_words for token in tokens)
    is_text = not schema_types(parameter) - {"string"} and not is_day_parameter(parameter)
    return Mention("quoted", typed) if plain and is_text else None


def _choice(parameter: Parameter, key: tuple[str, ...], typed: str) -> Mention | None:
    for choice in parameter.choices:
        if phrase(str(choice)) == key:
            return Mention("choice", choice)
    spoken = english().tools.spoken.get(" ".join(key), ())
    meant = [choice for choice in parameter.choices if choice in spoken]
    if len(meant) == 1:
        return Mention("choice", meant[0])
    return Mention("odd", typed) if len(key) == 1 and key[0] not in english().function_words else None


def _mentions(parameter: Parameter, start: int, end: int, setting: Setting) -> Iterator[Mention]:
    token = setting.tokens[start]
    if end == start + 1:
        if token.sort == "number":
            yield Mention("number", token.norm)
        elif token.norm in english().numbers:
            yield Mention("number", str(english().numbers[token.norm]))
        elif token.sort in ("mail", "quoted"):
            yield Mention(token.sort, token.norm)
        elif token.sort == "week":
            yield Mention("week", token.norm.upper())
    for last, span in find_spans(setting.tokens, start, setting.today):
        if last == end and span.size == 10 and span.first == span.last:
            yield Mention("day", span.first)
    for last, paths in setting.terms.title.find(setting.tokens, start):
        if last == end and len(paths) == 1:
            yield Mention("title", setting.terms.titles[paths[0]])
