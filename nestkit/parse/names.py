"""A script's tree in, what its names stand for out: imports, constants, functions and classes. *Pure*."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from nestkit.parse.nodes import nodes_of

Function = ast.FunctionDef | ast.AsyncFunctionDef

_TAKEN = frozenset(
    ("final_answer", "find_tools", "describe", "vault", "copyright", "credits", "license", "exit", "quit", "help")
)
"""What a program finds besides Python's built-ins: nest's own names, and those that Python's `site` adds."""

UNKNOWN: Final = object()
"""What a value is that only running the script could tell."""

_MAX_PARTS = 2_000
"""Parts looked at for one literal: `A = (B, B); B = (C, C); ...` must not grow without end."""
_MAX_TEXT = 10_000
_MAX_WHOLE = 1 << 63
"""Beyond it a number is no setting, and with thousands of digits Python will not even write it."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the names at the top of one file stand for."""

    imports: Mapping[str, str]
    """Name -> dotted origin, of every import in the file: `sp` -> `subprocess`, `AP` -> `argparse.ArgumentParser`."""
    assigned: Mapping[str, ast.expr]
    functions: Mapping[str, Function]
    classes: Mapping[str, ast.ClassDef]
    known: dict[tuple[str, str], object] = field(default_factory=dict)
    """(what, name) -> what was worked out about a name, each once: a file of many uses costs no more than one."""

    def once(self, what: str, name: str, work_out: Callable[[], object], meanwhile: object) -> object:
        """What is known of a name; `meanwhile` stands for it where it turns out to depend on itself."""
        key = (what, name)
        if key not in self.known:
            self.known[key] = meanwhile
            self.known[key] = work_out()
        return self.known[key]

    def dotted(self, node: ast.AST) -> str:
        """The origin of a name or attribute, `sp.run` -> `subprocess.run`; empty for what the file defines itself."""
        parts: list[str] = []
        for _ in range(20):
            while isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            if not isinstance(node, ast.Name) or node.id in self.functions or node.id in self.classes:
                return ""
            if node.id in self.imports or node.id not in self.assigned:
                return ".".join((self.imports.get(node.id, node.id), *reversed(parts)))
            node = self.assigned[node.id]
        return ""

    def default_text(self, node: ast.expr | None) -> str:
        """A default as source; the value of a constant of the file, since its name says nothing outside."""
        match node:
            case None | ast.Constant():
                value = UNKNOWN
            case ast.Attribute(value=ast.Name(id=name)) if name in self.classes:  # Level.LOW: its value
                value = self.literal(ast.Attribute(node, "value", ast.Load()))
            case _:
                value = self.literal(node)
        known = isinstance(value, str | int | float | list | tuple | dict | None)
        return source_text(ast.Constant(value) if known and len(str(value)) < 100 else node)  # type: ignore[arg-type]

    def literal(self, node: ast.expr | None, local: Mapping[str, Any] | None = None) -> Any:
        """The value of a literal, or of a name or simple combination of literals; UNKNOWN for all else."""
        return UNKNOWN if node is None else _Literals(self, local or {}).value(node)


def names_in(tree: ast.Module) -> Names:
    """The names that a module's top level and its imports define; of two definitions the later one counts."""
    assigned: dict[str, ast.expr] = {}
    functions: dict[str, Function] = {}
    classes: dict[str, ast.ClassDef] = {}
    for statement in top_level(tree.body):
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                functions[name] = statement
            case ast.ClassDef(name=name):
                classes[name] = statement
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                assigned[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                assigned[name] = value
            case _ if type(statement).__name__ == "TypeAlias":  # `type X = ...`, from Python 3.12 on
                assigned[vars(statement)["name"].id] = vars(statement)["value"]
    return Names(dict(_imports(tree)), assigned, functions, classes)


def top_level(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a module body, those inside `if`, `try` and `with` too, the `__main__` block left out."""
    for statement in body:
        if is_main_guard(statement):
            continue
        yield statement
        if isinstance(statement, ast.If | ast.Try | ast.With):
            yield from top_level(statement.body)
        if isinstance(statement, ast.If | ast.Try):
            yield from top_level(statement.orelse)
        if isinstance(statement, ast.Try):
            for handler in statement.handlers:
                yield from top_level(handler.body)


def is_main_guard(statement: ast.stmt) -> bool:
    """Whether this is `if __name__ == "__main__":`, either way round."""
    if not isinstance(statement, ast.If):
        return False
    for node in nodes_of(statement.test):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq):
            sides = (node.left, node.comparators[0])
            named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
            if named and any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides):
                return True
    return False


def identifier(text: str) -> str:
    """The nearest Python name: `add-user` -> `add_user`, `from` -> `from_`, `2024` -> `_2024`."""
    name = re.sub(r"\W", "_", text) or "_"
    if not name.isidentifier():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def script_name(path: str) -> str:
    """What a script is called in a program: its file's name as a Python name, `_` behind one that is taken.

    Taken are the words and built-ins of Python and what every program has from nest; only nest's own script, which lies
    in no folder, may have such a name.
    """
    folder, _, file = path.rpartition("/")
    name = identifier(re.sub(r"\.\w+$", "", file))
    return f"{name}_" if folder and (name in _TAKEN or name in vars(builtins)) else name


def source_text(node: ast.AST | None, max_chars: int = 120) -> str:
    """An expression as one line of source in Python's own spelling; `...` where that would be long or impossible."""
    if node is None:
        return ""
    try:
        text = ast.unparse(node)
    except (RecursionError, ValueError):  # nested too deeply; an integer of thousands of digits
        return "..."
    return text if len(text) <= max_chars and "\n" not in text else "..."


def plain_values(values: Sequence[Any]) -> list[Any]:
    """Those values that JSON can hold, each once, in order; empty when one of them cannot be held."""
    held: list[Any] = []
    for value in values:
        if not (value is None or isinstance(value, str | bool | float | int)):
            return []
        if isinstance(value, int) and abs(value) > _MAX_WHOLE:
            return []
        if isinstance(value, str):
            value = value.encode("utf-8", "replace").decode("utf-8")
        if not any(value == kept and type(value) is type(kept) for kept in held):
            held.append(value)
    return held


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                yield alias.asname or alias.name, f"{module}.{alias.name}"


def _small(value: Any) -> Any:
    """The value, or UNKNOWN for one that would be endless when written out: its parts may share their own."""
    waiting = [value]
    for _ in range(_MAX_PARTS):
        if not waiting:
            return value
        part = waiting.pop()
        if isinstance(part, list | tuple | dict):
            waiting += [*part, *part.values()] if isinstance(part, dict) else part
    return UNKNOWN


@dataclass(slots=True)
class _Literals:
    """Works out one literal, within a budget of parts."""

    names: Names
    local: Mapping[str, Any]
    left: int = _MAX_PARTS

    def value(self, node: ast.expr) -> Any:
        self.left -= 1
        if self.left < 0:
            return UNKNOWN
        match node:
            case ast.Constant(value=value):
                return UNKNOWN if isinstance(value, int) and abs(value) > _MAX_WHOLE else value
            case ast.Name(id=name):
                return self._named(name)
            case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
                return self._all(parts, list if isinstance(node, ast.List) else tuple)
            case ast.Dict(keys=keys, values=values):
                return self._dict(keys, values)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                number = self.value(operand)
                return -number if isinstance(number, int | float) else UNKNOWN
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._joined(self.value(left), self.value(right))
            case ast.JoinedStr(values=parts):
                texts = self._all([p.value if isinstance(p, ast.FormattedValue) else p for p in parts], tuple)
                return UNKNOWN if texts is UNKNOWN else "".join(map(str, texts))[:_MAX_TEXT]
            case ast.Call(func=func, args=args, keywords=[]):
                return self._call(func, args)
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id=name)) as member, attr="value"):
                return self._member(name, member.attr)
            case ast.Subscript(value=held, slice=ast.Constant(value=key)):
                return self._item(self.value(held), key)
        return UNKNOWN

    def _named(self, name: str) -> Any:
        if name in self.local:
            return self.local[name]
        assigned = self.names.assigned.get(name)
        if assigned is None:
            return UNKNOWN
        return self.names.once("literal", name, lambda: _small(_Literals(self.names, {}).value(assigned)), UNKNOWN)

    def _all(self, parts: Sequence[ast.expr], make: type[list[Any]] | type[tuple[Any, ...]]) -> Any:
        values = []
        for part in parts:
            value = self.value(part)
            if value is UNKNOWN:
                return UNKNOWN
            values.append(value)
        return make(values)

    def _dict(self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr]) -> Any:
        if None in keys:
            return UNKNOWN
        names = self._all([key for key in keys if key is not None], tuple)
        held = self._all(values, tuple)
        try:
            return UNKNOWN if names is UNKNOWN or held is UNKNOWN else dict(zip(names, held, strict=True))
        except TypeError:  # a key that cannot be one
            return UNKNOWN

    @staticmethod
    def _joined(left: Any, right: Any) -> Any:
        alike = type(left) is type(right) and isinstance(left, str | list | tuple)
        return left + right if alike and len(left) + len(right) <= _MAX_TEXT else UNKNOWN

    def _call(self, func: ast.expr, args: Sequence[ast.expr]) -> Any:
        """`list(X)`, `sorted(X)`, `X.keys()`, `range(1, 5)`: how programs write their choices."""
        if isinstance(func, ast.Attribute) and not args and func.attr in ("keys", "values", "copy"):
            held = self.value(func.value)
            if isinstance(held, dict):
                return {"keys": tuple(held), "values": tuple(held.values()), "copy": held}[func.attr]
            return held if func.attr == "copy" else UNKNOWN
        called, values = self.names.dotted(func), self._all(args, tuple)
        if values is UNKNOWN or not values:
            return UNKNOWN
        if called == "range" and all(isinstance(value, int) for value in values):
            return tuple(range(*values[:3]))[:_MAX_PARTS] if all(abs(v) < 1_000 for v in values) else UNKNOWN
        if called in ("list", "tuple", "set", "frozenset", "sorted") and isinstance(values[0], list | tuple | dict):
            try:
                return tuple(sorted(values[0])) if called == "sorted" else tuple(values[0])
            except TypeError:
                return UNKNOWN
        return UNKNOWN

    @staticmethod
    def _item(held: Any, key: Any) -> Any:
        try:
            return held[key] if isinstance(held, list | tuple | dict) else UNKNOWN
        except (LookupError, TypeError):
            return UNKNOWN

    def _member(self, class_name: str, member: str) -> Any:
        """`Level.LOW.value`."""
        for statement in self.names.classes[class_name].body if class_name in self.names.classes else ():
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == member:
                    return self.value(value)
        return UNKNOWN
