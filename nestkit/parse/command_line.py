"""A command line as one of its makers describes it in; a tool for it, or for each sub-command, out. *Pure*."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from nestkit.note import Problem
from nestkit.parse.docstring import clean, summary_of
from nestkit.parse.metadata import Wishes
from nestkit.parse.names import identifier
from nestkit.parse.source import Draft, Reading, Source
from nestkit.tool import Parameter, Tool

MAX_PARAMETERS = 100
"""Of one tool; more than that no person and no model can take in."""


@dataclass(slots=True)
class Command:
    """A program, one of its sub-commands, or a group of them; filled while its script is read."""

    words: tuple[str, ...] = ()
    """What chooses it on the command line; empty for the program itself."""
    line: int = 1
    help: str = ""
    """One line, as its parent lists it."""
    text: str = ""
    """What its own help page says."""
    parameters: list[Parameter] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    runs: tuple[str, ...] = ()
    """Names at the top of the file that it runs."""
    wishes: Wishes = field(default_factory=Wishes)
    runs_alone: bool = False
    """A group that also does something without a sub-command."""
    is_async: bool = False


def read_command(
    root: Command, source: Source, manner: Literal["argparse", "click"], claimed: frozenset[str]
) -> Reading:
    """The tools of a whole command line; options that stand before a sub-command belong to its tool too."""
    drafts: dict[str, Draft] = {}
    problems: list[Problem] = []
    for command, inherited in _callable(root, ()):
        words = "_".join(identifier(word) for word in command.words)
        name = f"{source.name}.{words}" if words else source.name
        if name in drafts:
            problems.append(source.problem(command.line, f"a second sub-command becomes {name}; rename one"))
        else:
            drafts[name] = _draft(name, command, inherited, source, manner)
    summary = summary_of(clean(root.text))
    return Reading(tuple(drafts.values()), (), tuple(problems), claimed, summary, is_program=True)


def never_started(source: Source, line: int, claimed: frozenset[str]) -> Reading:
    """A parser that no code runs: calling the script would do nothing, without a word."""
    what = 'nothing starts this command line; add: if __name__ == "__main__": main()'
    return Reading(others=((source.name, what),), problems=(source.problem(line, what),), claimed=claimed)


def _callable(command: Command, above: tuple[Command, ...]) -> Iterator[tuple[Command, tuple[Command, ...]]]:
    if command.runs_alone or not command.commands:
        yield command, above
    for inner in command.commands:
        yield from _callable(inner, (*above, command))


def _draft(
    name: str, command: Command, above: Sequence[Command], source: Source, manner: Literal["argparse", "click"]
) -> Draft:
    text = clean(command.text or command.help)
    if command.help and not text.startswith(command.help):
        text = f"{command.help}\n\n{text}"
    tool = Tool(
        name=name,
        script=source.path,
        manner=manner,
        target=" ".join(command.words),
        parameters=_parameters(command, above),
        returns="str",
        summary=summary_of(text),
        text=text,
        line=command.line,
        is_async=command.is_async,
    )
    runs = tuple(dict.fromkeys(name for part in (command, *above) for name in part.runs))
    return Draft(tool, runs, command.wishes)


def _parameters(command: Command, above: Sequence[Command]) -> tuple[Parameter, ...]:
    """Its own, then its parents'; positional ones first, required before optional. A name used twice is its own."""
    own = _ordered(command.parameters)
    taken = {parameter.name for parameter in own}
    inherited: list[Parameter] = []
    for parent in reversed(above):
        for parameter in _ordered(parent.parameters):
            if parameter.name in taken and not parameter.required:
                continue
            name = parameter.name
            while name in taken:
                name += "_"
            taken.add(name)
            inherited.append(replace(parameter, name=name))
    return tuple(_ordered([*own, *inherited]))


def _ordered(parameters: Sequence[Parameter]) -> list[Parameter]:
    """Each name once, the later one counting, as a call is easiest to write."""
    unique = {parameter.name: parameter for parameter in parameters}
    return sorted(unique.values(), key=lambda parameter: (bool(parameter.flags), not parameter.required))
