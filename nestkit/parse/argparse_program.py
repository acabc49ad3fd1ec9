"""A script in; what its argparse parsers take, as one tool or one for each sub-command, out. *Pure*.

Parsers are built by statements, so the statements are followed, in order, from the top of the file and its `__main__`
block into the functions they call. Only what makes or fills a parser has a meaning here; nothing is evaluated.
"""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nestkit.parse.argparse_option import fill_help, read_argument
from nestkit.parse.command_line import MAX_PARAMETERS, Command, never_started, read_command
from nestkit.parse.names import UNKNOWN, Function, source_text
from nestkit.parse.source import Reading, Source

_FILLING = frozenset(("add_argument", "add_subparsers", "add_parser", "parse_args", "parse_known_args"))
_MAX_STEPS = 20_000
_MAX_DEPTH = 12


@dataclass(slots=True)
class _Parser:
    """A parser while it is being built."""

    command: Command
    prog: str
    is_parsed: bool = False
    is_parent: bool = False
    """Made only to hand its options to others."""


@dataclass(slots=True)
class _SubParsers:
    """What `add_subparsers` gives."""

    parser: _Parser


@dataclass(slots=True)
class _Group:
    """An argument group; of a mutually exclusive one the names count."""

    parser: _Parser
    exclusive: bool = False
    required: bool = False
    names: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Scope:
    """What the names of one function stand for while it is followed."""

    things: dict[str, object] = field(default_factory=dict)
    """Name or dotted name -> parser, sub-parsers or group."""
    values: dict[str, Any] = field(default_factory=dict)
    """Name -> literal value."""
    nodes: dict[str, ast.expr] = field(default_factory=dict)
    """Name -> what was written for it, of parameters and loop variables that are no literals: `int`."""
    outer: _Scope | None = None

    @property
    def top(self) -> _Scope:
        """The file's own scope."""
        return self.outer.top if self.outer else self

    def thing(self, name: str) -> object:
        return self.things.get(name) or (self.outer.thing(name) if self.outer else None)


def read_argparse(source: Source) -> Reading:
    """The script's parsers as tools; empty when it has none."""
    if not any(origin.split(".")[0] == "argparse" for origin in source.names.imports.values()):
        return Reading()
    walk = _Walk(source)
    scope = _Scope()
    walk.follow(source.tree.body, scope)
    started, builders = bool(walk.parsers), _building_functions(source)
    if not started:
        for function in builders:
            walk.follow(function.body, _Scope(outer=scope))
    root = _root(walk.parsers)
    if root is None:
        return Reading()
    building = {function.name for function in builders}
    handlers = {name for parser in walk.parsers for name in parser.command.runs}
    if not started and source.guard is None:
        return never_started(source, root.command.line, frozenset(building | handlers))
    for group in walk.groups:
        _note_group(group)
    return read_command(root.command, source, "argparse", frozenset(building | handlers))


def _building_functions(source: Source) -> list[Function]:
    """Functions and methods that make, fill or use a parser."""
    functions = [node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = sorted(node.lineno for node in ast.walk(source.tree) if isinstance(node, ast.Call) and _fills(node, source))
    return [f for f in functions if bisect_left(lines, f.lineno) < bisect_right(lines, f.end_lineno or f.lineno)]


def _fills(node: ast.Call, source: Source) -> bool:
    return _is_parser_class(node.func, source) or (isinstance(node.func, ast.Attribute) and node.func.attr in _FILLING)


def _is_parser_class(node: ast.expr, source: Source) -> bool:
    if isinstance(node, ast.Name) and node.id in source.names.classes:
        bases = source.names.classes[node.id].bases
        return any(source.names.dotted(base) == "argparse.ArgumentParser" for base in bases)
    return source.names.dotted(node) == "argparse.ArgumentParser"


def _root(parsers: Sequence[_Parser]) -> _Parser | None:
    """The parser of the program: the last whose arguments are parsed, else the first that is no mere parent."""
    tops = [parser for parser in parsers if not parser.command.words]
    parsed = [parser for parser in tops if parser.is_parsed]
    alone = [parser for parser in tops if not parser.is_parent]
    return next(iter(parsed[::-1] or alone or tops), None)


def _note_group(group: _Group) -> None:
    """Says in each text that only one of a mutually exclusive group may be given."""
    command = group.parser.command
    flags = {p.name: p.flags[0] if p.flags else p.name for p in command.parameters if p.name in group.names}
    if not group.exclusive or len(flags) < 2:
        return
    note = f"{'Exactly' if group.required else 'Only'} one of {', '.join(flags.values())}."
    command.parameters = [
        replace(parameter, text=f"{parameter.text} {note}".strip()) if parameter.name in flags else parameter
        for parameter in command.parameters
    ]


@dataclass(slots=True)
class _Walk:
    """Follows statements and keeps the parsers they make."""

    source: Source
    parsers: list[_Parser] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=list)
    following: list[str] = field(default_factory=list)
    left: int = _MAX_STEPS

    def follow(self, body: Sequence[ast.stmt], scope: _Scope) -> object:
        """Runs through statements; gives back the parser a `return` hands out."""
        given: object = None
        for statement in body:
            self.left -= 1
            if self.left < 0:
                break
            given = self._statement(statement, scope) or given
        return given

    def _statement(self, statement: ast.stmt, scope: _Scope) -> object:
        match statement:
            case ast.Assign(targets=targets, value=value):
                self._bind(targets, value, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._bind([target], value, scope)
            case ast.Expr(value=value):
                self._thing(value, scope)
            case ast.Return(value=ast.expr() as value):
                return self._thing(value, scope)
            case ast.For(target=target, iter=values, body=body):
                for _ in self._turns(target, values, scope):
                    self.follow(body, scope)
            case ast.If() | ast.While():
                self._thing(statement.test, scope)
                return self.follow([*statement.body, *statement.orelse], scope)
            case ast.With(body=body):
                return self.follow(body, scope)
            case ast.Try():
                return self.follow([*statement.body, *statement.orelse, *statement.finalbody], scope)
        return None

    def _bind(self, targets: Sequence[ast.expr], value: ast.expr, scope: _Scope) -> None:
        """An assignment to names or attributes; `self.parser` is seen by every method, so it goes to the top."""
        thing = self._thing(value, scope)
        literal = self.source.names.literal(value, scope.values) if thing is None else UNKNOWN
        for target in targets:
            name = source_text(target)
            if thing is not None:
                (scope.top if "." in name else scope).things[name] = thing
            elif literal is not UNKNOWN and isinstance(target, ast.Name):
                scope.values[name] = literal

    def _turns(self, target: ast.expr, values: ast.expr, scope: _Scope) -> Iterator[None]:
        """Binds a loop's variables, once for each turn that can be read."""
        if isinstance(values, ast.Tuple | ast.List):
            nodes: list[Any] = values.elts
        else:
            held = self.source.names.literal(_without_items(values), scope.values)
            pairs = list(held.items()) if isinstance(held, dict) and _without_items(values) is not values else held
            nodes = list(pairs) if isinstance(pairs, list | tuple | dict) else []
        for node in nodes[:100]:
            self._bind_turn(target, node, scope)
            yield

    def _bind_turn(self, target: ast.expr, given: Any, scope: _Scope) -> None:
        """One loop variable, or several from a pair; `given` is an expression, or a value where that is known."""
        if isinstance(target, ast.Tuple):
            parts = given.elts if isinstance(given, ast.Tuple | ast.List) else given
            for inner, part in zip(target.elts, parts if isinstance(parts, list | tuple) else (), strict=False):
                self._bind_turn(inner, part, scope)
        elif isinstance(target, ast.Name) and isinstance(given, ast.expr):
            self._bind_name(target.id, given, self._thing(given, scope), scope, scope)
        elif isinstance(target, ast.Name):
            scope.values[target.id] = given

    def _bind_name(self, name: str, given: ast.expr, thing: object, seen: _Scope, scope: _Scope) -> None:
        """A name of `scope` as what an expression of the scope `seen` gives."""
        literal = self.source.names.literal(given, seen.values)
        if thing is not None:
            scope.things[name] = thing
        elif literal is not UNKNOWN:
            scope.values[name] = literal
        else:
            scope.nodes[name] = given

    def _thing(self, node: ast.expr, scope: _Scope) -> object:
        """The parser, sub-parsers or group that an expression gives; inner expressions are followed on the way."""
        match node:
            case ast.Name() | ast.Attribute():
                return scope.thing(source_text(node))
            case ast.Call():
                return self._call(node, scope)
            case ast.NamedExpr(target=target, value=value):
                self._bind([target], value, scope)
                return self._thing(target, scope)
        for inner in ast.iter_child_nodes(node):
            if isinstance(inner, ast.expr):
                self._thing(inner, scope)
        return None

    def _call(self, node: ast.Call, scope: _Scope) -> object:
        self.left -= 1
        if self.left < 0:
            return None
        if _is_parser_class(node.func, self.source):
            return self._new_parser(node, scope, ())
        if isinstance(node.func, ast.Attribute):
            receiver = self._thing(node.func.value, scope)
            if receiver is not None:
                return self._method(receiver, node.func.attr, node, scope)
        given = [self._thing(value, scope) for value in (*node.args, *(keyword.value for keyword in node.keywords))]
        if isinstance(node.func, ast.Name) and node.func.id in self.source.names.functions:
            return self._enter(self.source.names.functions[node.func.id], node, given, scope)
        return None

    def _enter(self, function: Function, node: ast.Call, given: Sequence[object], scope: _Scope) -> object:
        """Follows a call into a function of the file, its parameters bound to the parsers it is given."""
        if function.name in self.following or len(self.following) > _MAX_DEPTH:
            return None
        inner = _Scope(outer=scope.top)
        parameters = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
        names = [*parameters[: len(node.args)], *(keyword.arg for keyword in node.keywords)]
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        for name, value, thing in zip(names, values, given, strict=False):
            if name:
                self._bind_name(name, value, thing, scope, inner)
        self.following.append(function.name)
        result = self.follow(function.body, inner)
        self.following.pop()
        return result

    def _method(self, receiver: object, method: str, node: ast.Call, scope: _Scope) -> object:
        match receiver, method:
            case _SubParsers(parser=parser), "add_parser":
                word = self.source.names.literal(node.args[0] if node.args else None, scope.values)
                words = (*parser.command.words, word) if isinstance(word, str) else None
                if words is None:
                    return None
                child = self._new_parser(node, scope, words)
                parser.command.commands.append(child.command)
                return child
            case (_Parser() as parser) | _Group(parser=parser), _:
                return self._method_of_parser(parser, receiver, method, node, scope)
        return None

    def _method_of_parser(
        self, parser: _Parser, receiver: object, method: str, node: ast.Call, scope: _Scope
    ) -> object:
        keywords = self._keywords(node, scope)
        if method == "add_argument":
            self._add_argument(parser, receiver, node, keywords, scope)
        elif method == "add_subparsers":
            return _SubParsers(parser)
        elif method in ("add_argument_group", "add_mutually_exclusive_group"):
            required = self.source.names.literal(keywords.get("required")) is True
            self.groups.append(_Group(parser, method == "add_mutually_exclusive_group", required))
            return self.groups[-1]
        elif method == "set_defaults":
            self._set_defaults(parser, keywords)
        elif method in ("parse_args", "parse_known_args", "parse_intermixed_args"):
            parser.is_parsed = True
        return None

    def _add_argument(
        self, parser: _Parser, receiver: object, node: ast.Call, keywords: Mapping[str, ast.expr], scope: _Scope
    ) -> None:
        names = [self.source.names.literal(arg, scope.values) for arg in node.args]
        if not all(isinstance(name, str) and name for name in names):
            return
        command = parser.command
        parameter = read_argument(names, keywords, self.source.names, scope.values, len(command.words), parser.prog)
        hidden = self.source.names.dotted(keywords.get("help", node)) == "argparse.SUPPRESS"
        if parameter is None or hidden or len(command.parameters) > MAX_PARAMETERS:
            return
        if any(parameter.name == other.name and parameter.flags != other.flags for other in command.parameters):
            parameter = replace(parameter, name=names[0].lstrip("-").replace("-", "_"))  # two flags for one variable
        command.parameters.append(parameter)
        if isinstance(receiver, _Group):
            receiver.names.append(parameter.name)

    def _set_defaults(self, parser: _Parser, keywords: Mapping[str, ast.expr]) -> None:
        command = parser.command
        for name, value in keywords.items():
            if isinstance(value, ast.Name) and value.id in self.source.names.functions:
                command.runs = (*command.runs, value.id)
                doc = ast.get_docstring(self.source.names.functions[value.id])
                command.text = command.text or (doc or "" if not command.help else "")
            command.parameters = [
                replace(parameter, default=self.source.names.default_text(value))
                if parameter.name == name
                else parameter
                for parameter in command.parameters
            ]

    def _new_parser(self, node: ast.Call, scope: _Scope, words: tuple[str, ...]) -> _Parser:
        keywords = self._keywords(node, scope)
        texts = {name: self._text(keywords.get(name), scope) for name in ("help", "description", "epilog")}
        prog = self._text(keywords.get("prog"), scope) or " ".join((f"{self.source.name}.py", *words))
        text = "\n\n".join(part for part in (texts["description"], texts["epilog"]) if part)
        command = Command(words, node.lineno, fill_help(texts["help"], {"prog": prog}), text.replace("%(prog)s", prog))
        parents = keywords.get("parents")
        for parent in parents.elts if isinstance(parents, ast.List | ast.Tuple) else ():
            thing = self._thing(parent, scope)
            if isinstance(thing, _Parser) and len(command.parameters) <= MAX_PARAMETERS:
                thing.is_parent = True
                command.parameters += [replace(p, level=len(words)) for p in thing.command.parameters]
        parser = _Parser(command, prog)
        self.parsers.append(parser)
        return parser

    def _text(self, node: ast.expr | None, scope: _Scope) -> str:
        """A text that is written out; any use of `__doc__` stands for the module's docstring, which is said anyway."""
        text = self.source.names.literal(node, scope.values)
        if isinstance(text, str):
            return text
        if isinstance(node, ast.Call) and node.args:  # textwrap.dedent("...")
            return self._text(node.args[0], scope)
        return ""

    def _keywords(self, node: ast.Call, scope: _Scope) -> dict[str, ast.expr]:
        """Keyword arguments by name, those in `**COMMON` too where that is written out."""
        found: dict[str, ast.expr] = {}
        for keyword in node.keywords:
            value = keyword.value
            if keyword.arg is not None:
                known = isinstance(value, ast.Name) and value.id in scope.nodes
                found[keyword.arg] = scope.nodes[value.id] if known else value  # type: ignore[attr-defined]
                continue
            if isinstance(value, ast.Name):
                value = self.source.names.assigned.get(value.id, value)
            for key, inner in zip(value.keys, value.values, strict=True) if isinstance(value, ast.Dict) else ():
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    found[key.value] = inner
        return found


def _without_items(node: ast.expr) -> ast.expr:
    """`X` of `X.items()`."""
    match node:
        case ast.Call(func=ast.Attribute(value=value, attr="items"), args=[]):
            return value
    return node
