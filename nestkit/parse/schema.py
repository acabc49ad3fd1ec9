"""Types as written, in hints, docstrings and defaults, in; their source text and JSON schema out. *Pure*."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nestkit.parse.names import Names, plain_values, source_text

Schema = dict[str, Any]

_PLAIN: Mapping[str, Schema] = {
    "str": {"type": "string"},
    "LiteralString": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "None": {"type": "null"},
    "NoneType": {"type": "null"},
    "bytes": {"type": "string", "format": "binary"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "time": {"type": "string", "format": "time"},
    "timedelta": {"type": "string", "format": "duration"},
    "Decimal": {"type": "number", "format": "decimal"},
    "Path": {"type": "string", "format": "path"},
    "PurePath": {"type": "string", "format": "path"},
    "PurePosixPath": {"type": "string", "format": "path"},
    "PathLike": {"type": "string", "format": "path"},
    "UUID": {"type": "string", "format": "uuid"},
}
"""Last part of a type's name -> schema; a class of the file itself comes first."""

_MADE = frozenset(("date", "datetime", "time", "Decimal", "Path", "PurePath", "UUID"))
"""Types whose call as a default shows what is wanted: `Path("Inbox")`."""

_ARRAY: Schema = {"type": "array"}
_SET: Schema = {"type": "array", "uniqueItems": True}
_OBJECT: Schema = {"type": "object"}
_CONTAINERS: Mapping[str, Schema] = {
    **dict.fromkeys(("list", "List", "tuple", "Tuple", "deque", "Deque", "array"), _ARRAY),
    **dict.fromkeys(("Sequence", "MutableSequence", "Iterable", "Iterator", "Collection", "Generator"), _ARRAY),
    **dict.fromkeys(("set", "Set", "frozenset", "FrozenSet", "AbstractSet", "MutableSet"), _SET),
    **dict.fromkeys(("dict", "Dict", "OrderedDict", "defaultdict", "DefaultDict", "Counter"), _OBJECT),
    **dict.fromkeys(("Mapping", "MutableMapping"), _OBJECT),
}
_WRAPPERS = frozenset(("Annotated", "Final", "Required", "NotRequired", "ClassVar", "ReadOnly", "Optional"))
_RECORD_BASES = frozenset(("NamedTuple", "TypedDict", "BaseModel", "Struct"))
_RECORD_MARKS = frozenset(("dataclass", "define", "frozen", "attrs"))
_ENUM_BASES = frozenset(("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"))

_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("string", "strings", "text"), "str"),
    **dict.fromkeys(("integer", "integers", "ints"), "int"),
    **dict.fromkeys(("number", "numbers", "numeric", "floats"), "float"),
    **dict.fromkeys(("boolean", "booleans", "bools"), "bool"),
    **dict.fromkeys(("dictionary", "dicts"), "dict"),
    **dict.fromkeys(("path-like", "paths"), "Path"),
    "array-like": "list",
    "dates": "date",
    "none": "None",
}
"""What docstrings call types -> what Python calls them."""

_MAX_PARTS = 150
_MAX_VALUES = 300
_MAX_OPTIONS = 40


def schema_of(node: ast.expr | None, names: Names) -> Schema:
    """JSON schema of a type hint, aliases and classes of the file followed; empty for what cannot be told."""
    return _bounded(_Hints(names).schema(node))


def schema_of_default(node: ast.expr | None) -> tuple[str, Schema]:
    """(type, schema) that a default shows. A whole number may stand for any number: `rate=1` takes 1.5 too."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    match node:
        case ast.Constant(value=bool()):
            return "bool", {"type": "boolean"}
        case ast.Constant(value=int()):
            return "int", {"type": "number"}
        case ast.Constant(value=float()):
            return "float", {"type": "number"}
        case ast.Constant(value=str()) | ast.JoinedStr():
            return "str", {"type": "string"}
        case ast.List() | ast.ListComp():
            return "list", {"type": "array"}
        case ast.Tuple():
            return "tuple", {"type": "array"}
        case ast.Dict() | ast.DictComp():
            return "dict", {"type": "object"}
        case ast.Call(func=ast.Name(id=made) | ast.Attribute(attr=made)) if made in _MADE:
            return made, dict(_PLAIN[made])
    return "", {}


def schema_of_words(text: str, names: Names, depth: int = 0) -> Schema:
    """Schema of a type as docstrings put it: `list of str, optional`, `int or None`, `{'a', 'b'}`."""
    if len(text) > 300 or depth > 5:
        return {}
    text = re.sub(r":\w+:`~?([^`]*)`", r"\1", text).strip().strip("`")
    text = re.sub(r",?\s*\(?\b(optional|required|default\b.*|defaults to\b.*)\)?$", "", text).strip()
    if text.startswith("{") and text.endswith("}"):
        return enum_of(names.literal(expression(f"[{text[1:-1]}]")))
    parts = re.split(r"\s+or\s+|\s*\|\s*", text)
    if len(parts) > 1 and not set("[(") & set(text):
        return any_of([schema_of_words(part, names, depth + 1) for part in parts])
    collection = re.fullmatch(r"(?:list|sequence|iterable|array|tuple|set)s? of (.+)", text, re.I)
    if collection:
        items = schema_of_words(collection[1], names, depth + 1)
        return {"type": "array", **({"items": items} if items else {})}
    if re.match(r"(dict|mapping|dictionary)( of\b|$)", text, re.I):
        return {"type": "object"}
    return schema_of(expression(_WORDS.get(text.lower(), text)), names)


def type_text(node: ast.expr | None, names: Names) -> str:
    """A hint's source; an alias of the file as what it stands for, since nobody outside the file knows its name."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        node = expression(node.value) or node
    if not isinstance(node, ast.Name) or node.id in names.imports:
        return source_text(node)
    alias = names.assigned.get(node.id)
    if not isinstance(alias, ast.Subscript | ast.BinOp | ast.Attribute):
        return node.id
    return str(names.once("text", node.id, lambda: source_text(alias), node.id))


def any_of(schemas: Sequence[Schema]) -> Schema:
    """One schema for any of these: enums and nulls become one enum, an unknown one makes all unknown."""
    flat = [option for schema in schemas for option in schema.get("anyOf", [schema])]
    if not all(flat) or len(flat) > _MAX_OPTIONS:
        return {}
    if any("enum" in option for option in flat) and all("enum" in o or o == {"type": "null"} for o in flat):
        spelled = {name: value for option in flat for name, value in option.get("x-names", {}).items()}
        made = enum_of([value for option in flat for value in option.get("enum", [None])])
        return made | {"x-names": spelled} if made and spelled else made
    each = [option for number, option in enumerate(flat) if option not in flat[:number]]
    return each[0] if len(each) == 1 else {"anyOf": each}


def nullable(schema: Schema) -> Schema:
    """The same, None allowed."""
    return any_of([schema, {"type": "null"}]) if schema else {}


def enum_values(node: ast.expr | None, names: Names) -> list[Any]:
    """The values of the file's enum class that the expression names or lists: `Level`, `list(Level)`."""
    match node:
        case ast.Name(id=name) if name in names.classes and is_enum(names.classes[name], names):
            return members_of(names.classes[name], names)
        case ast.Call(args=[ast.Name() as inner], keywords=[]):
            return enum_values(inner, names)
        case ast.ListComp(generators=[ast.comprehension(iter=ast.Name() as inner, ifs=[])]):
            return enum_values(inner, names)
    return []


def is_enum(class_def: ast.ClassDef, names: Names) -> bool:
    return any(last_part(base, names) in _ENUM_BASES for base in class_def.bases)


def _enum_class(class_def: ast.ClassDef, names: Names) -> Schema:
    """Schema of an enum class; `x-names` tells what its members are called, where that is not their value."""
    values, called = members_of(class_def, names), _member_names(class_def)
    made = enum_of(values)
    pairs = zip(called, values, strict=True) if len(called) == len(values) else ()
    spelled = {name: value for name, value in pairs if name.casefold() != str(value).casefold()}
    return made | {"x-names": spelled} if made and spelled else made


def _member_names(class_def: ast.ClassDef) -> list[str]:
    targets = [statement.targets for statement in class_def.body if isinstance(statement, ast.Assign)]
    return [target.id for (target, *_) in targets if isinstance(target, ast.Name) and not target.id.startswith("_")]


def members_of(class_def: ast.ClassDef, names: Names) -> list[Any]:
    """Values of an enum's members; their names where a value is computed."""
    members: dict[str, Any] = {}
    for statement in class_def.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if not name.startswith("_"):
                members[name] = names.literal(value)
    return plain_values(list(members.values())[:_MAX_VALUES]) or list(members)[:_MAX_VALUES]


def fields_of(class_def: ast.ClassDef, names: Names, depth: int = 0) -> list[tuple[str, ast.expr | None, bool]]:
    """(name, hint, required) of each field of a record class; empty for a class that is no record."""
    marks = {last_part(_called(decorator), names) for decorator in class_def.decorator_list}
    inherited = [
        field
        for base in class_def.bases[:3]
        if isinstance(base, ast.Name) and base.id in names.classes and depth < 4
        for field in fields_of(names.classes[base.id], names, depth + 1)
    ]
    if not (inherited or marks & _RECORD_MARKS or {last_part(b, names) for b in class_def.bases} & _RECORD_BASES):
        return []
    own = [
        (statement.target.id, statement.annotation, statement.value is None)
        for statement in class_def.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
        if "ClassVar" not in source_text(statement.annotation)
    ]
    return (inherited + own)[:_MAX_OPTIONS]


def last_part(node: ast.expr, names: Names) -> str:
    """Last part of a type's name, aliased imports followed: `t.List` -> `List`."""
    return (names.dotted(node) or (node.id if isinstance(node, ast.Name) else "")).rpartition(".")[2]


def expression(text: str) -> ast.expr | None:
    """A type that is written as text, as a tree; None when it is no Python."""
    if len(text) > 1_000:
        return None
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@dataclass(slots=True)
class _Hints:
    """Reads one hint, within a budget of parts."""

    names: Names
    left: int = _MAX_PARTS

    def schema(self, node: ast.expr | None) -> Schema:
        self.left -= 1
        if self.left < 0:
            return {}
        match node:
            case ast.Constant(value=None):
                return {"type": "null"}
            case ast.Constant(value=str(text)):
                return self.schema(expression(text))
            case ast.BinOp(op=ast.BitOr(), left=left, right=right):
                return any_of([self.schema(left), self.schema(right)])
            case ast.Subscript(value=base, slice=inner):
                return self._subscripted(last_part(base, self.names), inner)
            case ast.Name(id=name) if name in self.names.classes or name in self.names.assigned:
                made = self.names.once("schema", name, lambda: self._defined(name), {})
                return dict(made) if isinstance(made, dict) else {}
            case ast.Name() | ast.Attribute():
                kind = last_part(node, self.names)
                return dict(_CONTAINERS.get(kind) or _PLAIN.get(kind) or {})
        return {}

    def _subscripted(self, kind: str, inner: ast.expr) -> Schema:
        parts = inner.elts[:_MAX_VALUES] if isinstance(inner, ast.Tuple) else [inner]
        if kind == "Literal":
            return enum_of(self.names.literal(ast.Tuple(parts, ast.Load())))
        if kind == "Union":
            return any_of([self.schema(part) for part in parts])
        if kind in _WRAPPERS:
            wrapped = self.schema(parts[0])
            return nullable(wrapped) if kind == "Optional" else wrapped
        if kind in ("tuple", "Tuple") and not (len(parts) == 2 and _is_ellipsis(parts[1])):
            items = [self.schema(part) for part in parts]
            return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
        outer = dict(_CONTAINERS.get(kind, {}))
        if outer.get("type") == "array" and (held := self.schema(parts[0])):
            outer["items"] = held
        if outer.get("type") == "object" and len(parts) == 2 and (held := self.schema(parts[1])):
            outer["additionalProperties"] = held
        return outer

    def _defined(self, name: str) -> Schema:
        """Of a class or alias of the file, each worked out once."""
        fresh = _Hints(self.names)
        if name in self.names.classes:
            return _bounded(fresh._class(self.names.classes[name]))
        match self.names.assigned[name]:
            case ast.Call(func=func, args=[_, base, *_]) if last_part(func, self.names) == "NewType":
                return _bounded(fresh.schema(base))
            case ast.Call(func=func) if last_part(func, self.names) == "TypedDict":
                return {"type": "object"}
            case ast.Name() | ast.Attribute() | ast.Subscript() | ast.BinOp() as alias:
                return _bounded(fresh.schema(alias))
        return {}

    def _class(self, class_def: ast.ClassDef) -> Schema:
        if is_enum(class_def, self.names):
            return _enum_class(class_def, self.names)
        fields = fields_of(class_def, self.names)
        if not fields:
            base = self.schema(class_def.bases[0]) if class_def.bases else {}
            return base if base.get("type") != "null" else {}
        properties = {name: self.schema(kind) for name, kind, _ in fields}
        return {"type": "object", "properties": properties, "required": [name for name, _, needed in fields if needed]}


def enum_of(values: object) -> Schema:
    """Schema of a choice between values; empty where JSON could not hold them or they are too many."""
    """Schema of a choice between values; empty where JSON could not hold them or they are too many."""
    held = plain_values(list(values)[: _MAX_VALUES + 1]) if isinstance(values, list | tuple) else []
    if not held or len(held) > _MAX_VALUES:
        return {}
    names = {str: "string", int: "integer", float: "number", bool: "boolean"}
    kinds = {names.get(type(value), "") for value in held}
    return {"type": kinds.pop(), "enum": held} if len(kinds) == 1 and "" not in kinds else {"enum": held}


def _bounded(schema: Schema) -> Schema:
    """The schema, or only its outermost type when aliases within aliases made it grow."""
    waiting: list[Any] = [schema]
    for _ in range(_MAX_PARTS):
        if not waiting:
            return schema
        part = waiting.pop()
        for value in part.values():
            inner = value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
            waiting += [item for item in (value, *inner) if isinstance(item, dict)]
    return {"type": schema["type"]} if "type" in schema else {}


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is Ellipsis
