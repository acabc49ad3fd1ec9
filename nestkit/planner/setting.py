"""What every part of a form may look at: the ask's tokens, the vault's words, the day, the asking note. *Pure*."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from nestkit.planner.language import english
from nestkit.planner.query import Names
from nestkit.planner.terms import Facts, Terms
from nestkit.planner.words import Token, typed

Subject = Literal["notes", "tasks"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One ask and the vault it is about, read as an ask for notes or for tasks."""

    text: str
    tokens: Sequence[Token]
    terms: Terms
    today: date
    note: str | None
    """Path of the asking note."""
    subject: Subject = "notes"

    @property
    def facts(self) -> Facts:
        """What the subject's properties, or task fields, are."""
        return self.terms.notes if self.subject == "notes" else self.terms.tasks

    def implied_numbers(self) -> Names:
        """The numbers that may be meant where none is named."""
        return tuple(name for name in self.facts.known(english().implied_number) if self.facts.names[name].is_number)

    def implied_days(self, how: str = "") -> Names:
        """The days, or years, that may be meant where none is named; a task has too many of them."""
        if self.subject == "tasks":
            return ()
        known = self.facts.known((*english().implied_date, *(["since"] if how == "since" else [])))
        return tuple(name for name in known if self.facts.names[name].is_day or self.facts.names[name].is_year)

    def token(self, place: int) -> Token | None:
        return self.tokens[place] if place < len(self.tokens) else None

    def word(self, place: int) -> str:
        """The word or sign at a place; empty for quotations, numbers, days and past the end."""
        token = self.token(place)
        return token.norm if token is not None and token.sort in ("word", "sign") else ""

    def typed(self, start: int, end: int) -> str:
        return typed(self.text, self.tokens[start:end])
