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

from nestkit.note import Problem
from nestkit.parse.argparse_option import fill_help, read_argument
from nestkit.parse.argparse_parts import Group, Method, Parser, Scope, SubParsers, init_of, super_call, without_items
from nestkit.parse.command_line import MAX_PARAMETERS, Command, never_started, read_command
from nestkit.parse.names import UNKNOWN, Function, source_text
from nestkit.parse.nodes import children_of, nodes_of
from nestkit.parse.source import Reading, Source

_FILLING = frozenset(("add_argument", "add_subparsers", "add_parser", "parse_args", "parse_known_args"))
_ADDING = frozenset(("add_argument", "add_parser"))
_MAX_STEPS = 20_000
_MAX_DEPTH = 12


def read_argparse(source: Source) -> Reading:
    """The script's parsers as tools; empty when it has none."""
    if not any(origin.split(".")[0] == "argparse" for origin in source.names.imports.values()):
        return Reading()
    walk = _Walk(source)
    scope = Scope()
    walk.follow(source.tree.body, scope)
    started, builders = bool(walk.parsers), _building_functions(source)
    if not any(parser.is_parsed for parser in walk.parsers):
        for function in (each for each in builders if each.name not in walk.followed):
            walk.follow(function.body, Scope(outer=scope))
    root = _root(walk.parsers)
    if root is None:
        return Reading()
    building = {function.name for function in builders}
    handlers = {name for parser in walk.parsers for name in parser.command.runs}
    if not started and source.guard is None:
        return never_started(source, root.command.line, frozenset(building | handlers))
    for group in walk.groups:
        _note_group(group)
    reading = read_command(root.command, source, "argparse", frozenset(building | handlers))
    unread = [
        walk.problem(group.line, "sub-commands") for group in walk.sub_parsers if not group.parser.command.commands
    ]
    return replace(reading, problems=(*reading.problems, *dict.fromkeys((*walk.problems, *unread))))


def _building_functions(source: Source) -> list[Function]:
    """Functions and methods that make, fill or use a parser."""
    functions = [node for node in nodes_of(source.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lines = sorted(node.lineno for node in nodes_of(source.tree) if isinstance(node, ast.Call) and _fills(node, source))
    return [f for f in functions if bisect_left(lines, f.lineno) < bisect_right(lines, f.end_lineno or f.lineno)]


def _fills(node: ast.Call, source: Source) -> bool:
    return _is_parser_class(node.func, source) or (isinstance(node.func, ast.Attribute) and node.func.attr in _FILLING)


def _is_parser_class(node: ast.expr, source: Source) -> bool:
    if isinstance(node, ast.Name) and node.id in source.names.classes:
        bases = source.names.classes[node.id].bases
        return any(source.names.dotted(base) == "argparse.ArgumentParser" for base in bases)
    return source.names.dotted(node) == "argparse.ArgumentParser"


def _root(parsers: Sequence[Parser]) -> Parser | None:
    """The parser of the program: the last whose arguments are parsed, else the first that is no mere parent."""
    tops = [parser for parser in parsers if not parser.command.words]
    parsed = [parser for parser in tops if parser.is_parsed]
    alone = [parser for parser in tops if not parser.is_parent]
    return next(iter(parsed[::-1] or alone or tops), None)


def _note_group(group: Group) -> None:
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
    parsers: list[Parser] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    sub_parsers: list[SubParsers] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    """What could only be known by running the script."""
    following: list[str] = field(default_factory=list)
    followed: set[str] = field(default_factory=set)
    left: int = _MAX_STEPS

    def problem(self, line: int, what: str) -> Problem:
        """Something that nest cannot know of this command line."""
        return self.source.problem(line, f"{what} that only running the script could tell; nest does not know them")

    def follow(self, body: Sequence[ast.stmt], scope: Scope) -> object:
        """Runs through statements; gives back the parser a `return` hands out."""
        given: object = None
        for statement in body:
            self.left -= 1
            if self.left < 0:
                break
            given = self._statement(statement, scope) or given
        return given

    def _statement(self, statement: ast.stmt, scope: Scope) -> object:
        match statement:
            case ast.Assign(targets=targets, value=value):
                self._bind(targets, value, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._bind([target], value, scope)
            case ast.Expr(value=value):
                self._thing(value, scope)
            case ast.Return(value=ast.expr() as value):
                return self._thing(value, scope)
            case ast.Raise(exc=ast.expr() as value) | ast.Assert(test=value):
                self._thing(value, scope)
            case ast.For(target=target, iter=values, body=body):
                self._loop(target, values, body, scope)
            case ast.If() | ast.While():
                self._thing(statement.test, scope)
                return self.follow([*statement.body, *statement.orelse], scope)
            case ast.With(items=items, body=body):
                for item in items:
                    self._thing(item.context_expr, scope)
                return self.follow(body, scope)
            case ast.Match(cases=cases):
                return self.follow([inner for case in cases for inner in case.body], scope)
            case ast.Try():
                return self.follow([*statement.body, *statement.orelse, *statement.finalbody], scope)
        return None

    def _bind(self, targets: Sequence[ast.expr], value: ast.expr, scope: Scope) -> None:
        """An assignment to names or attributes; `self.parser` is seen by every method, so it goes to the top."""
        thing = self._thing(value, scope)
        literal = self.source.names.literal(value, scope.values) if thing is None else UNKNOWN
        for target in targets:
            name = source_text(target)
            if thing is not None:
                (scope.top if "." in name else scope).things[name] = thing
            elif literal is not UNKNOWN and isinstance(target, ast.Name):
                scope.values[name] = literal
            elif isinstance(target, ast.Name):
                scope.nodes[name] = value

    def _loop(self, target: ast.expr, values: ast.expr, body: Sequence[ast.stmt], scope: Scope) -> None:
        """A loop, turn by turn; one whose values cannot be read is a problem where it adds to a parser."""
        turns = 0
        for _ in self._turns(target, values, scope):
            turns += 1
            self.follow(body, scope)
        calls = (node for statement in body for node in nodes_of(statement) if isinstance(node, ast.Call))
        if not turns and any(isinstance(call.func, ast.Attribute) and call.func.attr in _ADDING for call in calls):
            self.problems.append(self.problem(values.lineno, "options of a loop"))

    def _turns(self, target: ast.expr, values: ast.expr, scope: Scope) -> Iterator[None]:
        """Binds a loop's variables, once for each turn that can be read."""
        inner = without_items(values)
        shown = scope.written(inner)
        if isinstance(shown, ast.Name):
            shown = self.source.names.assigned.get(shown.id, shown)
        if isinstance(shown, ast.Tuple | ast.List):
            nodes: list[Any] = shown.elts
        elif isinstance(shown, ast.Dict) and None not in shown.keys:
            pairs = zip(shown.keys, shown.values, strict=True)
            nodes = list(shown.keys) if inner is values else [ast.Tuple(list(pair), ast.Load()) for pair in pairs]  # type: ignore[arg-type]
        else:
            held = self.source.names.literal(inner, scope.values)
            items = list(held.items()) if isinstance(held, dict) and inner is not values else held
            nodes = list(items) if isinstance(items, list | tuple | dict) else []
        for node in nodes[:100]:
            self._bind_turn(target, node, scope)
            yield

    def _bind_turn(self, target: ast.expr, given: Any, scope: Scope) -> None:
        """One loop variable, or several from a pair; `given` is an expression, or a value where that is known."""
        if isinstance(target, ast.Tuple):
            parts = given.elts if isinstance(given, ast.Tuple | ast.List) else given
            for inner, part in zip(target.elts, parts if isinstance(parts, list | tuple) else (), strict=False):
                self._bind_turn(inner, part, scope)
        elif isinstance(target, ast.Name) and isinstance(given, ast.expr):
            self._bind_name(target.id, given, self._thing(given, scope), scope, scope)
        elif isinstance(target, ast.Name):
            scope.values[target.id] = given

    def _bind_name(self, name: str, given: ast.expr, thing: object, seen: Scope, scope: Scope) -> None:
        """A name of `scope` as what an expression of the scope `seen` gives."""
        literal = self.source.names.literal(given, seen.values)
        if thing is not None:
            scope.things[name] = thing
        elif literal is not UNKNOWN:
            scope.values[name] = literal
        else:
            scope.nodes[name] = seen.written(given)

    def _thing(self, node: ast.expr, scope: Scope) -> object:
        """The parser, sub-parsers or group that an expression gives; inner expressions are followed on the way."""
        match node:
            case ast.Name():
                return scope.thing(node.id)
            case ast.Attribute(value=held, attr=name):
                known = scope.thing(source_text(node))
                receiver = self._thing(held, scope) if known is None and name in _FILLING else None
                return known if receiver is None else Method(receiver, name)
            case ast.Call():
                return self._call(node, scope)
            case ast.NamedExpr(target=target, value=value):
                self._bind([target], value, scope)
                return self._thing(target, scope)
        for inner in children_of(node):
            if isinstance(inner, ast.expr):
                self._thing(inner, scope)
        return None

    def _call(self, node: ast.Call, scope: Scope) -> object:
        self.left -= 1
        if self.left < 0:
            return None
        if _is_parser_class(node.func, self.source):
            return self._new_parser(node, scope, ())
        if isinstance(node.func, ast.Attribute):
            receiver = self._thing(node.func.value, scope)
            if receiver is not None:
                return self._method(receiver, node.func.attr, node, scope)
        kept = scope.thing(node.func.id) if isinstance(node.func, ast.Name) else None
        if isinstance(kept, Method):
            return self._method(kept.receiver, kept.name, node, scope)
        given = [self._thing(value, scope) for value in (*node.args, *(keyword.value for keyword in node.keywords))]
        if isinstance(node.func, ast.Name) and node.func.id in self.source.names.functions:
            return self._enter(self.source.names.functions[node.func.id], node, given, scope)
        return None

    def _enter(self, function: Function, node: ast.Call, given: Sequence[object], scope: Scope) -> object:
        """Follows a call into a function of the file, its parameters bound to the parsers it is given."""
        if function.name in self.following or len(self.following) > _MAX_DEPTH:
            return None
        inner = Scope(outer=scope.top)
        parameters = [arg.arg for arg in (*function.args.posonlyargs, *function.args.args)]
        names = [*parameters[: len(node.args)], *(keyword.arg for keyword in node.keywords)]
        values = [*node.args, *(keyword.value for keyword in node.keywords)]
        for name, value, thing in zip(names, values, given, strict=False):
            if name:
                self._bind_name(name, value, thing, scope, inner)
        self.followed.add(function.name)
        self.following.append(function.name)
        result = self.follow(function.body, inner)
        self.following.pop()
        return result

    def _method(self, receiver: object, method: str, node: ast.Call, scope: Scope) -> object:
        match receiver, method:
            case SubParsers(parser=parser), "add_parser":
                word = self.source.names.literal(node.args[0] if node.args else None, scope.values)
                if not isinstance(word, str):
                    self.problems.append(self.problem(node.lineno, "sub-commands"))
                    return None
                child = self._new_parser(node, scope, (*parser.command.words, word))
                parser.command.commands.append(child.command)
                return child
            case (Parser() as parser) | Group(parser=parser), _:
                return self._method_of_parser(parser, receiver, method, node, scope)
        return None

    def _method_of_parser(self, parser: Parser, receiver: object, method: str, node: ast.Call, scope: Scope) -> object:
        keywords = self._keywords(node, scope)
        if method == "add_argument":
            self._add_argument(parser, receiver, node, keywords, scope)
        elif method == "add_subparsers":
            self.sub_parsers.append(SubParsers(parser, node.lineno))
            return self.sub_parsers[-1]
        elif method in ("add_argument_group", "add_mutually_exclusive_group"):
            required = self.source.names.literal(keywords.get("required")) is True
            self.groups.append(Group(parser, method == "add_mutually_exclusive_group", required))
            return self.groups[-1]
        elif method == "set_defaults":
            self._set_defaults(parser, {name: scope.written(value) for name, value in keywords.items()})
        elif method in ("parse_args", "parse_known_args", "parse_intermixed_args"):
            parser.is_parsed = True
        return None

    def _add_argument(
        self, parser: Parser, receiver: object, node: ast.Call, keywords: Mapping[str, ast.expr], scope: Scope
    ) -> None:
        names = self._option_names(node, scope)
        if not names:
            if node.args:
                self.problems.append(self.problem(node.lineno, "names of an option"))
            return
        command = parser.command
        parameter = read_argument(names, keywords, self.source.names, scope.values, len(command.words), parser.prog)
        hidden = self.source.names.dotted(keywords.get("help", node)) == "argparse.SUPPRESS"
        if parameter is None or hidden or len(command.parameters) > MAX_PARAMETERS:
            return
        if any(parameter.name == other.name and parameter.flags != other.flags for other in command.parameters):
            parameter = replace(parameter, name=names[0].lstrip("-").replace("-", "_"))  # two flags for one variable
        command.parameters.append(parameter)
        if isinstance(receiver, Group):
            receiver.names.append(parameter.name)

    def _option_names(self, node: ast.Call, scope: Scope) -> list[str]:
        """The texts before the keywords, `*names` spread out; empty when one of them is computed."""
        names: list[Any] = []
        for arg in node.args:
            held = self.source.names.literal(arg.value if isinstance(arg, ast.Starred) else arg, scope.values)
            spread = isinstance(arg, ast.Starred) and isinstance(held, list | tuple)
            names += held if spread else [held]
        return names if all(isinstance(name, str) and name for name in names) else []

    def _set_defaults(self, parser: Parser, keywords: Mapping[str, ast.expr]) -> None:
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

    def _new_parser(self, node: ast.Call, scope: Scope, words: tuple[str, ...]) -> Parser:
        class_def = self.source.names.classes.get(node.func.id) if isinstance(node.func, ast.Name) else None
        init = init_of(class_def)
        keywords = {**self._keywords(super_call(init), scope), **self._keywords(node, scope)}
        texts = {name: self._text(keywords.get(name), scope) for name in ("help", "description", "epilog")}
        prog = self._text(keywords.get("prog"), scope) or " ".join((f"{self.source.name}.py", *words))
        text = "\n\n".join(part for part in (texts["description"], texts["epilog"]) if part)
        command = Command(words, node.lineno, fill_help(texts["help"], {"prog": prog}), text.replace("%(prog)s", prog))
        parents = keywords.get("parents")
        for parent in parents.elts if isinstance(parents, ast.List | ast.Tuple) else ():
            thing = self._thing(parent, scope)
            if isinstance(thing, Parser) and len(command.parameters) <= MAX_PARAMETERS:
                thing.is_parent = True
                command.parameters += [replace(p, level=len(words)) for p in thing.command.parameters]
        parser = Parser(command, prog)
        self.parsers.append(parser)
        if init is not None and init.name not in self.following:
            self.following.append(init.name)
            self.follow(init.body, Scope({init.args.args[0].arg: parser} if init.args.args else {}, outer=scope.top))
            self.following.pop()
        return parser

    def _text(self, node: ast.expr | None, scope: Scope) -> str:
        """A text that is written out; any use of `__doc__` stands for the module's docstring, which is said anyway."""
        text = self.source.names.literal(node, scope.values)
        if isinstance(text, str):
            return text
        if isinstance(node, ast.Call) and node.args:  # textwrap.dedent("...")
            return self._text(node.args[0], scope)
        if isinstance(node, ast.Attribute) and node.attr == "__doc__":
            of = scope.written(node.value)
            function = self.source.names.functions.get(of.id) if isinstance(of, ast.Name) else None
            return (ast.get_docstring(function) or "").partition("\n")[0] if function else ""
        return ""

    def _keywords(self, node: ast.Call | None, scope: Scope) -> dict[str, ast.expr]:
        """Keyword arguments by name, those in `**COMMON` too where that is written out."""
        found: dict[str, ast.expr] = {}
        for keyword in node.keywords if node else ():
            if keyword.arg is not None:
                found[keyword.arg] = scope.written(keyword.value)
            else:
                found |= self._spread(keyword.value, scope)
        return found

    def _spread(self, node: ast.expr, scope: Scope) -> dict[str, ast.expr]:
        """What `**node` hands over: of a dictionary that is written out, or of a `dict(...)` call."""
        held = self.source.names.literal(node, scope.values)
        if isinstance(held, dict):
            return {str(key): ast.parse(repr(value), mode="eval").body for key, value in held.items()}
        node = scope.written(node)
        if isinstance(node, ast.Name):
            node = self.source.names.assigned.get(node.id, node)
        if isinstance(node, ast.Call) and self.source.names.dotted(node.func) == "dict":
            return {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        pairs = zip(node.keys, node.values, strict=True) if isinstance(node, ast.Dict) else ()
        return {
            key.value: value for key, value in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)
        }
