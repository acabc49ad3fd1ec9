"""Parsers, groups and scopes while a script's argparse statements are followed: words of that reading. *Pure*."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Any

from nestkit.parse.command_line import Command
from nestkit.parse.nodes import nodes_of


@dataclass(slots=True)
class Parser:
    """A parser while it is being built."""

    command: Command
    prog: str
    is_parsed: bool = False
    is_parent: bool = False
    """Made only to hand its options to others."""


@dataclass(slots=True)
class SubParsers:
    """What `add_subparsers` gives."""

    parser: Parser
    line: int = 1


@dataclass(slots=True)
class Group:
    """An argument group; of a mutually exclusive one the names count."""

    parser: Parser
    exclusive: bool = False
    required: bool = False
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Scope:
    """What the names of one function stand for while it is followed."""

    things: dict[str, object] = field(default_factory=dict)
    """Name or dotted name -> parser, sub-parsers or group."""
    values: dict[str, Any] = field(default_factory=dict)
    """Name -> literal value."""
    nodes: dict[str, ast.expr] = field(default_factory=dict)
    """Name -> what was written for it, where that is no literal: `int`, `dict(type=int)`."""
    outer: Scope | None = None

    @property
    def top(self) -> Scope:
        """The file's own scope."""
        return self.outer.top if self.outer else self

    def written(self, node: ast.expr) -> ast.expr:
        """What was written for a name of this scope; any other expression as it is."""
        return self.nodes.get(node.id, node) if isinstance(node, ast.Name) else node

    def thing(self, name: str) -> object:
        return self.things.get(name) or (self.outer.thing(name) if self.outer else None)


@dataclass(slots=True)
class Method:
    """A method kept under a name of its own: `add = parser.add_argument`."""

    receiver: object
    name: str


def init_of(class_def: ast.ClassDef | None) -> ast.FunctionDef | None:
    """The `__init__` of a class of the script, if it has one."""
    body = class_def.body if class_def else ()
    return next((node for node in body if isinstance(node, ast.FunctionDef) and node.name == "__init__"), None)


def super_call(init: ast.FunctionDef | None) -> ast.Call | None:
    """`super().__init__(...)` in a parser class of the script."""
    for node in nodes_of(init) if init else ():
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr="__init__")):
                return node
    return None


def without_items(node: ast.expr) -> ast.expr:
    """`X` of `X.items()`."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="items"), args=[]):
            return value
    return node
