"""An ask, the vault's vocabulary, its tools and the clock in; a reading with its program out, or a refusal. *Pure*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from nestkit.note import Vocabulary
from nestkit.planner.grammar import Grammar
from nestkit.planner.language import english
from nestkit.planner.program import draft_program
from nestkit.planner.query import InFolder, OfSelection, Query, Selection, Tagged
from nestkit.planner.reading import draft_reading
from nestkit.planner.refuse import refuse_calls, refuse_readings, refuse_words
from nestkit.planner.setting import Setting
from nestkit.planner.terms import read_terms
from nestkit.planner.tools import Call, Short, draft_call, find_calls
from nestkit.planner.utterances import find_uttered
from nestkit.planner.words import Token, expand, tokenise
from nestkit.policy import Refusal
from nestkit.tool import Tool

MAX_WORDS = 60
"""A longer ask is no question the planner could have all the words of."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An ask understood."""

    reading: str
    """One line, the first of the answer."""
    program: str
    """Python that ends in `final_answer(value)`; drafted from the same query as the reading."""
    tools: tuple[str, ...]
    """Full names of the tools it calls."""


def plan(
    text: str, vocabulary: Vocabulary, tools: Sequence[Tool], now: datetime, note: str | None = None
) -> Plan | Refusal:
    """The one reading of an ask with its program; a refusal where a word is left over or two readings are as close.

    `note` is the path of the asking note. A tool's own utterances come first, then what the vault can answer, then
    tools by their words. Nothing is guessed: a wrong answer costs more than none.
    """
    text = expand(text)
    tokens = tokenise(text)
    if len(tokens) > MAX_WORDS:
        return Refusal(f"the ask has {len(tokens)} words, too many to explain each", "ask for one thing at a time")
    setting = Setting(text, tokens, read_terms(vocabulary, tokens), now.date(), note)
    offered = [tool for tool in tools if tool.manner != "builtin" and not tool.hidden]
    uttered = find_uttered(offered, setting)
    if uttered:
        return _call(uttered)
    setting = replace(setting, tokens=_past_openers(setting))
    notes = Grammar(setting)
    tasks = Grammar(replace(setting, subject="tasks"), notes)
    closest = _closest({**notes.queries(), **tasks.queries()})
    if closest:
        return _query(closest)
    calls, shorts = find_calls(offered, setting)
    if calls or shorts:
        return _call(calls or shorts)
    return refuse_words(setting, (notes, tasks), offered)


def _past_openers(setting: Setting) -> Sequence[Token]:
    """The tokens without "could you tell me" and its like."""
    tokens = list(setting.tokens)
    openers = sorted((tuple(opener.split()) for opener in english().openers), key=len, reverse=True)
    while opener := next((o for o in openers if tuple(token.norm for token in tokens[: len(o)]) == o), ()):
        if len(tokens) == len(opener):
            break
        tokens = tokens[len(opener) :]
    return tokens


def _closest(readings: Mapping[Query, int]) -> list[Query]:
    """The readings that take the fewest parts: the whole ask is used up by each."""
    least = min(readings.values(), default=0)
    return [query for query, cost in readings.items() if cost == least]


def _meaning(query: Query) -> Query:
    """The query with its sort of notes as one condition more: electric equipment is equipment that is electric."""
    if not isinstance(query, OfSelection):
        return query
    kind, selection = query.selection.kind, query.selection
    if kind is None or kind.name or (kind.tag and kind.folder):
        return query
    alike = Tagged(kind.tag) if kind.tag else InFolder(kind.folder)
    made = tuple(sorted({*selection.conditions, alike}, key=repr))
    return replace(query, selection=Selection(selection.subject, None, made))


def _query(closest: Sequence[Query]) -> Plan | Refusal:
    if len({_meaning(query) for query in closest}) > 1:
        return refuse_readings([draft_reading(query) for query in closest])
    program, called = draft_program(closest[0])
    return Plan(draft_reading(closest[0]), program, called)


def _call(found: Sequence[Call | Short]) -> Plan | Refusal:
    if len(found) > 1 or isinstance(found[0], Short):
        return refuse_calls(found)
    reading, program = draft_call(found[0])
    return Plan(reading, program, (found[0].tool.name,))
