"""An ask, the vault's vocabulary, its tools and the clock in; a reading with its program out, or a refusal. *Pure*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from nestkit.note import Vocabulary
from nestkit.planner.grammar import Grammar
from nestkit.planner.program import draft_program
from nestkit.planner.query import Query
from nestkit.planner.reading import draft_reading
from nestkit.planner.setting import Setting
from nestkit.planner.terms import read_terms
from nestkit.planner.words import expand, tokenise
from nestkit.policy import Refusal
from nestkit.tool import Tool


@dataclass(frozen=True, slots=True)
class Plan:
    """An ask understood."""

    reading: str
    program: str
    tools: tuple[str, ...]


def plan(
    text: str, vocabulary: Vocabulary, tools: Sequence[Tool], now: datetime, note: str | None = None
) -> Plan | Refusal:
    text = expand(text)
    setting = Setting(text, tokenise(text), read_terms(vocabulary), now.date(), note)
    notes = Grammar(setting)
    from dataclasses import replace
    tasks = Grammar(replace(setting, subject="tasks"), notes)
    q = {**notes.queries(), **tasks.queries()}
    if not q: return Refusal("no reading " + str(max(notes.matcher.reached, tasks.matcher.reached)))
    best=min(q.values())
    closest=[k for k,c in q.items() if c==best]
    if len(closest)>1: return Refusal("ambiguous: "+" | ".join(map(draft_reading, closest)))
    p,t=draft_program(closest[0])
    return Plan(draft_reading(closest[0]), p, t)
