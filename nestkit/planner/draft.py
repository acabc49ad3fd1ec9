"""A program while it is written: its lines, and which tools and small functions they use. *Pure*."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from nestkit.planner.language import load_toml
from nestkit.planner.query import Names

BUILT_IN = ("list_notes", "read_note", "lines", "links", "backlinks", "tags", "tasks", "properties")


@dataclass(frozen=True, slots=True)
class Small:
    """A function that a program brings along."""

    code: str
    needs: tuple[str, ...]


@cache
def _smalls() -> Mapping[str, Small]:
    table = load_toml("prelude.toml")
    return {name: Small(entry["code"].strip(), tuple(entry.get("needs", ()))) for name, entry in table.items()}


@dataclass(slots=True)
class Draft:
    """Lines of one program, in order."""

    lines: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    """Variables so far."""

    def say(self, *lines: str) -> None:
        self.lines += lines

    def fresh(self, word: str) -> str:
        """A variable name like the word that nothing else has."""
        name = re.sub(r"\W+", "_", word).strip("_").lower() or "it"
        name = name if name.isidentifier() else f"_{name}"
        while name in self.names or name in _smalls() or name in _TAKEN:
            name += "_"
        self.names.add(name)
        return name

    def name_of(self, names: Names, records: str, *, check: bool) -> str:
        """The property's name as Python: known beforehand, or settled by the records when the program runs."""
        said = ", ".join(map(repr, names))
        if len(names) == 1:
            if check and f"only({records}, {said})" not in self.lines:
                self.say(f"only({records}, {said})")
            return said
        name = self.fresh(names[0])
        self.say(f"{name} = only({records}, {said})")
        return name

    def text(self) -> str:
        """The whole program, small functions first."""
        body = "\n".join(self.lines)
        parts = [_smalls()[name].code for name in _needed(_called(body))]
        return "\n\n\n".join([*parts, body]) + "\n"

    def tools(self) -> tuple[str, ...]:
        """Full names of the built-in tools it calls."""
        called = _called("\n".join(self.lines))
        return tuple(f"vault.{name}" for name in BUILT_IN if name in called)


_OWN = "n t v l b p best places each answer different note counts targets label members own paths names final_answer"
_TAKEN = frozenset((*keyword.kwlist, *dir(builtins), *_OWN.split(), *BUILT_IN))
"""Names that a variable must not have."""


def _called(code: str) -> set[str]:
    """Every function name the code calls; a name inside a text is harmless, since it only brings one more along."""
    return set(re.findall(r"(?<![\w.\"'])([a-z_]+)\(", code))


def _needed(called: Iterable[str]) -> list[str]:
    """Small functions in an order in which each comes after what it needs."""
    smalls = _smalls()
    wanted = set(called) & set(smalls)
    while more := {need for name in wanted for need in smalls[name].needs} - wanted:
        wanted |= more
    return [name for name in smalls if name in wanted]
