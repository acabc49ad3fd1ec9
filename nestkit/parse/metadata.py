"""A `nest:` block in; what a script's author asks of nest, checked, and problems out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from nestkit.note import Problem
from nestkit.parse.docstring import one_line
from nestkit.tool import Effect, Example

_KINDS = ("read", "write", "delete", "network", "env", "run")
_BLOCK = re.compile(r"^[ \t]*---[ \t]*\n(?=(?:[ \t]*\n)*[ \t]*nest[ \t]*:)", re.M)
_END = re.compile(r"^[ \t]*---[ \t]*$\n?", re.M)
MAX_CHARS = 20_000
_MAX_PARTS = 100


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the author of a script asks of nest; None where nothing is said."""

    declared: tuple[Effect, ...] | None = None
    confirm: Literal["never", "write", "always"] | None = None
    utterances: Mapping[str, tuple[str, ...]] | None = None
    """By name of the function or sub-command; `""` for those given to the script as a whole."""
    examples: tuple[Example, ...] | None = None
    hidden: bool | None = None
    timeout: float | None = None
    cache: bool | None = None
    program: bool | None = None
    """It is run as part of the program that calls it."""


UNREADABLE = Wishes(confirm="always")
"""What a broken block stands for: nobody knows what its author wanted asked, so everything is."""


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of metadata with its line: text, number or truth value, a list of pieces, or pieces by key."""

    value: Any
    line: int


class Wrong(Exception):
    """A piece of metadata that is not what it should be; `kept` is what stands all the same."""

    def __init__(self, line: int, what: str, kept: object = None) -> None:
        super().__init__(what)
        self.line = line
        self.kept = kept


def parse_effect(text: str) -> Effect:
    """`write:Projects/` as an Effect; a folder with its slash means everything below it.

    Raises ValueError with what is wrong.
    """
    kind, colon, scope = (part.strip() for part in text.partition(":"))
    if kind not in _KINDS:
        raise ValueError(f"unknown permission {text!r}; known: {', '.join(_KINDS)}")
    if colon and not scope:
        raise ValueError(f"permission {text!r} names nothing after the colon")
    if kind == "env" and not scope.isidentifier():
        raise ValueError(f"permission {text!r} should name one variable, like env:API_KEY")
    if kind in ("read", "write", "delete"):
        parts = scope.split("/")
        if (
            scope.startswith(("/", "~"))
            or ".." in parts
            or "\\" in scope
            or "\0" in scope
            or re.match("[A-Za-z]:", scope)
        ):
            raise ValueError(f"permission {text!r} should name a place in the vault, like {kind}:Projects/")
        scope = f"{scope}**" if scope.endswith("/") else scope
    return Effect(kind, scope)  # type: ignore[arg-type]  # just checked


def parse_nest_block(docstring: str, path: str, line: int) -> tuple[str, Wishes, list[Problem]]:
    """(docstring without its `---` / `nest:` / `---` block, what the block asks for, problems).

    `line` is the line on which the docstring begins.
    """
    start = _BLOCK.search(docstring)
    if start is None:
        return docstring, Wishes(), []
    first = line + docstring.count("\n", 0, start.end())
    end = _END.search(docstring, start.end())
    if end is None:
        problem = Problem(path, first, "the nest: block is not closed; put --- on the line after it")
        return docstring[: start.start()], UNREADABLE, [problem]
    rest = docstring[: start.start()] + docstring[end.end() :]
    try:
        items = _yaml_items(docstring[start.end() : end.start()], first)
        return rest, *read_wishes(items, path)
    except Wrong as wrong:
        return rest, UNREADABLE, [Problem(path, wrong.line, str(wrong))]


def read_wishes(items: Mapping[str, Item], path: str) -> tuple[Wishes, list[Problem]]:
    """Each key read on its own, so that one wrong key costs no other."""
    said: dict[str, Any] = {}
    problems = []
    for key, item in items.items():
        if key not in _READERS:
            problems.append(Problem(path, item.line, f"unknown key {key!r}{_nearest(key)}"))
            continue
        target, read = _READERS[key]
        try:
            said[target] = read(item, key)
        except Wrong as wrong:
            problems.append(Problem(path, wrong.line, str(wrong)))
            said[target] = wrong.kept
    return Wishes(**said), problems


def merge_wishes(outer: Wishes, inner: Wishes) -> Wishes:
    """The script's wishes with those of one function on top."""
    said = {item.name: getattr(inner, item.name) for item in fields(Wishes)}
    return replace(outer, **{name: value for name, value in said.items() if value is not None})


def _read_permissions(item: Item, key: str) -> tuple[Effect, ...]:
    effects: dict[Effect, None] = {}
    first_wrong: Wrong | None = None
    for part in _parts(item):
        try:
            effects[parse_effect(_text(part, key))] = None
        except (ValueError, Wrong) as error:
            first_wrong = first_wrong or Wrong(part.line, str(error))
    if first_wrong:
        raise Wrong(first_wrong.line, str(first_wrong), tuple(effects))
    return tuple(effects)


def _read_confirm(item: Item, key: str) -> str:
    if item.value not in ("never", "write", "always"):
        raise Wrong(item.line, f"{key} should be never, write or always; always is taken", "always")
    return str(item.value)


def _read_utterances(item: Item, key: str) -> dict[str, tuple[str, ...]]:
    named = item.value if isinstance(item.value, dict) else {"": item}
    return {str(name): tuple(_text(part, key) for part in _parts(given)) for name, given in named.items()}


def _read_examples(item: Item, key: str) -> tuple[Example, ...]:
    return tuple(_example(part, key) for part in _parts(item))


def _example(item: Item, key: str) -> Example:
    if isinstance(item.value, dict):
        given = {name: _text(part, key) for name, part in item.value.items()}
        if not {"call"} <= given.keys() <= {"call", "result"}:
            raise Wrong(item.line, f"an entry of {key} has a call and a result")
        return Example(given["call"], given.get("result", ""))
    call, _, result = (part.strip() for part in _text(item, key).removeprefix(">>> ").partition(" -> "))
    return Example(call, result)


def _read_flag(item: Item, key: str) -> bool:
    if item.value not in (True, False, "true", "false"):
        raise Wrong(item.line, f"{key} should be true or false")
    return item.value in (True, "true")


def _read_seconds(item: Item, key: str) -> float:
    given = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?) ?(s|m|min)?", str(item.value))
    if isinstance(item.value, bool | list | dict) or given is None or not float(given[1]):
        raise Wrong(item.line, f"{key} should be a number of seconds, like 30")
    return float(given[1]) * (1 if given[2] in (None, "s") else 60)


_READERS: Mapping[str, tuple[str, Any]] = {
    "permissions": ("declared", _read_permissions),
    "confirm": ("confirm", _read_confirm),
    "utterances": ("utterances", _read_utterances),
    "examples": ("examples", _read_examples),
    "hidden": ("hidden", _read_flag),
    "timeout": ("timeout", _read_seconds),
    "cache": ("cache", _read_flag),
    "program": ("program", _read_flag),
}
"""Key -> the wish it becomes, and how it is read."""


def _parts(item: Item) -> list[Item]:
    """A list's pieces; a single piece counts as a list of one."""
    if isinstance(item.value, list) and len(item.value) > _MAX_PARTS:
        raise Wrong(item.line, f"more than {_MAX_PARTS} entries in one list")
    return item.value if isinstance(item.value, list) else [item]


def _text(item: Item, key: str) -> str:
    if isinstance(item.value, list | dict):
        raise Wrong(item.line, f"{key} should be a list of texts")
    return one_line(str(item.value))


def _yaml_items(text: str, first: int) -> dict[str, Item]:
    """The keys below `nest:`. Every scalar stays text, so no value is taken for a date or a truth by accident."""
    import yaml  # late: most scripts have no block

    if len(text) > MAX_CHARS:
        raise Wrong(first, "the nest: block is too long")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        tree = _yaml_item(root, first, set()).value
    except yaml.MarkedYAMLError as error:
        line = first + (error.problem_mark.line if error.problem_mark else 0)
        raise Wrong(line, f"the nest: block is not YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError):
        raise Wrong(first, "the nest: block is not YAML") from None
    nest = tree.get("nest") if isinstance(tree, dict) else None
    if nest is None or not isinstance(nest.value, dict):
        raise Wrong(first, "nest: should have keys below it, like permissions: [network]")
    return nest.value


def _yaml_item(node: Any, first: int, seen: set[int]) -> Item:
    import yaml

    line = first + node.start_mark.line
    if id(node) in seen:
        raise Wrong(line, "the nest: block may not use anchors and aliases")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        return Item([_yaml_item(part, first, seen) for part in node.value], line)
    if isinstance(node, yaml.MappingNode):
        pairs = [(str(key.value), _yaml_item(value, first, seen)) for key, value in node.value]
        return Item(dict(pairs), line)
    return Item(node.value, line)


def _nearest(key: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(key, _READERS, 1)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(_READERS)}"
