"""Text of a YAML block in, plain values with the line of each out, read as npm yaml 2.7 reads it. *Pure*.

Obsidian hands its frontmatter to the npm package `yaml` (2.7.0 since 1.9.0) with default options: YAML 1.2, core
schema, unique keys, at most 100 aliases of one anchor. PyYAML scans and parses here; values are made from its events,
because its own composer follows YAML 1.1 and recurses in C without a limit.

**Source**: Obsidian release notes 1.9.0; YAML 1.2.2, 10.3 (core schema); npm yaml 2.7.0 run side by side.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler

from nestkit.parse.core_schema import core_value
from nestkit.parse.fence import split_frontmatter

MAX_DEPTH = 100
"""Collections inside collections; more is no property anybody wrote."""
MAX_ALIASES = 100
"""npm yaml's `maxAliasCount`, its guard against documents that multiply themselves."""
MAX_MENDS = 20
"""Places per document where PyYAML is helped over something that npm yaml takes."""
MAX_MENDED = 100_000
"""Characters of a document that is worth it; each place costs another look."""

_PLAIN = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`][^,\[\]{}#]*")

_TYPES: dict[str, tuple[type, ...]] = {
    "tag:yaml.org,2002:int": (int,),
    "tag:yaml.org,2002:float": (int, float),
    "tag:yaml.org,2002:bool": (bool,),
    "tag:yaml.org,2002:null": (type(None),),
}
"""What an explicit tag (`!!int 3`) asks for; under any other, and when it does not fit, a scalar is text."""

_BLANK_TAB = re.compile(r"^[ \t]*\t[ \t]*$", re.MULTILINE)
"""A line of blanks with a tab: nothing to npm yaml, an error to PyYAML."""
_LONE_DASH = re.compile(r"(:[ \t]+)-[ \t]*$")
"""`key: -` is a list of one empty item to npm yaml, an error to PyYAML."""
_DASH_TAB = re.compile(r"^( *-) *\t[ \t]*(?![-?][ \t]|[^\"'\[{].*:(?:[ \t]|$))")
"""A tab between a dash and a plain value, and one before a comment, are blanks to npm yaml."""
_TAB_COMMENT = re.compile(r"^[ \t]*\t[ \t]*#.*$")
_SURROGATES = re.compile(r"\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
"""JSON's way to write a character beyond U+FFFF."""

_OPENED = frozenset(("while scanning a quoted scalar", "while parsing a flow sequence", "while parsing a flow mapping"))
"""Where PyYAML was when something that should be closed was not."""

_SHY = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff\U0010fffd]")
"""Characters that are text to npm yaml, but that PyYAML refuses or takes for line ends: they pass by their numbers."""
_BOLD = re.compile("\U0010fffd([0-9a-f]+);")


class YamlError(Exception):
    """The block is not valid; `line` counts from 1 within it."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True, slots=True)
class Read:
    """A value, and where each named part of it stands."""

    value: Any
    lines: Mapping[str, int]
    """Dotted key (`up`, `rel.0`) -> line within the block, counted from 1."""


def parse_yaml(text: str) -> Read:
    """The one document of the text. Raises YamlError.

    Line ends are `\\n` and `\\r\\n`; a lone `\\r` is an ordinary character, as it is to npm yaml.
    """
    text = _BLANK_TAB.sub("", text.replace("\r\n", "\n"))
    text, shy = _SHY.subn(lambda sign: f"\U0010fffd{ord(sign[0]):x};", text)
    for _ in range(MAX_MENDS):
        try:
            return Loader(text, shy=shy > 0).get_single_data()
        except yaml.MarkedYAMLError as error:
            refusal = _refusal(error)
            mended = _mend(text, error.problem_mark.line if error.problem_mark else 0)
            if mended == text:
                break
            text = mended
        except yaml.YAMLError as error:
            raise YamlError(str(error).partition("\n")[0], 1) from None
    raise refusal


def _refusal(error: yaml.MarkedYAMLError) -> YamlError:
    """The error with the line where a person has to look: for what is not closed, where it opens."""
    opened = error.context in _OPENED
    mark = error.context_mark if opened and error.context_mark else error.problem_mark
    what = "a quote or bracket is not closed" if opened else error.problem or "not valid YAML"
    return YamlError(what, mark.line + 1 if mark else 1)


def _mend(text: str, number: int) -> str:
    """The text, what only npm yaml understands on that line spelled as PyYAML understands it."""
    lines = text.split("\n")
    if len(text) > MAX_MENDED or number >= len(lines):
        return text
    line = _DASH_TAB.sub(r"\1 ", _LONE_DASH.sub(r"\1[~]", _TAB_COMMENT.sub("", lines[number])))
    lines[number] = _SURROGATES.sub(_joined, line)
    return "\n".join(lines)


def _joined(pair: re.Match[str]) -> str:
    high, low = (int(half, 16) & 0x3FF for half in pair.groups())
    return f"\\U{0x10000 + (high << 10) + low:08x}"


@dataclass(slots=True)
class _Anchor:
    value: Any
    weight: int
    count: int = 1


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """PyYAML's event stream, with YAML 1.2 core values made from it."""

    def __init__(self, text: str, *, shy: bool = False) -> None:
        super().__init__(text)
        self._rows = text.split("\n")
        self._shy = shy
        self._anchors: dict[str, _Anchor] = {}
        self._lines: dict[str, int] = {}

    def get_single_data(self) -> Read:
        """The value of the only document, None for an empty one."""
        try:
            return self._document()
        finally:
            self.dispose()

    def _document(self) -> Read:
        self.get_event()  # stream start
        if self.check_event(yaml.StreamEndEvent):
            return Read(None, {})
        self.get_event()  # document start
        value, _ = self._value(self.get_event(), "", 0, -1)
        self.get_event()  # document end
        if not self.check_event(yaml.StreamEndEvent):
            raise YamlError("there is more than one YAML document", _line(self.peek_event()))
        return Read(value, self._lines)

    def _value(self, event: Any, path: str, depth: int, indent: int) -> tuple[Any, int]:
        """A value and its weight: how often aliases inside it repeat something (npm's `getAliasCount`).

        `indent` is the column of the key or dash it belongs to; its further lines stand to the right of that.
        """
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > MAX_DEPTH:
            raise YamlError(f"nested deeper than {MAX_DEPTH} levels", _line(event))
        last = event
        if isinstance(event, yaml.ScalarEvent):
            value, weight = self._scalar(event), 1
            loose = event.style in ("'", '"')
        else:
            read = self._sequence if isinstance(event, yaml.SequenceStartEvent) else self._mapping
            loose = bool(event.flow_style)
            value, weight, last = read(path, depth + 1, -1 if loose else event.start_mark.column)
        if loose and indent >= 0:
            self._check_indented(event.start_mark.line, last.end_mark.line, indent)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(value, weight)
        return value, weight

    def _check_indented(self, first: int, last: int, indent: int) -> None:
        """Quotes and brackets go on only in indented lines; else one that is missing would swallow the keys below."""
        for number in range(first + 1, last + 1):
            text = self._rows[number].lstrip(" ")
            closing = number == last and text[:1] in ("]", "}")
            if text.strip() and not closing and len(self._rows[number]) - len(text) <= indent:
                raise YamlError("a quote or bracket is not closed", first + 1)

    def _alias(self, event: Any) -> tuple[Any, int]:
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            raise YamlError(f"the alias *{event.anchor} stands before its anchor", _line(event))
        anchor.count += 1
        weight = anchor.count * anchor.weight
        if weight > MAX_ALIASES:
            raise YamlError(f"the alias *{event.anchor} repeats too much", _line(event))
        return anchor.value, weight

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if self._shy:
            text = _BOLD.sub(lambda number: chr(int(number[1], 16)), text)
        if event.tag is None:
            return core_value(text) if event.implicit[0] else text
        value = core_value(text)
        return value if isinstance(value, _TYPES.get(event.tag, ())) else text

    def _sequence(self, path: str, depth: int, indent: int) -> tuple[list[Any], int, Any]:
        items: list[Any] = []
        weight = 0
        while not isinstance(event := self.get_event(), yaml.SequenceEndEvent):
            inner = f"{path}.{len(items)}" if path else str(len(items))
            self._lines[inner] = _line(event)
            item, heavy = self._value(event, inner, depth, indent)
            items.append(item)
            weight = max(weight, heavy)
        return items, weight, event

    def _mapping(self, path: str, depth: int, indent: int) -> tuple[dict[str, Any], int, Any]:
        entries: dict[str, Any] = {}
        seen: set[tuple[bool, bool, Any]] = set()
        weight = 0
        while not isinstance(event := self.get_event(), yaml.MappingEndEvent):
            key, heavy = self._value(event, "\0", depth, indent)
            name = key_text(key)
            if not isinstance(key, (dict, list)):
                identity = (isinstance(key, bool), isinstance(key, str), key)
                if identity in seen:
                    raise YamlError(f"the key {name!r} stands twice", _line(event))
                seen.add(identity)
            inner = f"{path}.{name}" if path else name
            self._lines[inner] = _line(event)
            entries[name], heavier = self._value(self.get_event(), inner, depth, indent)
            weight = max(weight, heavy, heavier)
        return entries, weight, event


def key_text(key: Any) -> str:
    """The name under which npm yaml puts a key into a JavaScript object.

    null becomes the empty name; a collection becomes its flow form, so that `{{date}}` is called `{ date }`.
    """
    if isinstance(key, str):
        return key
    return "" if key is None else _flow(key)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        parts = [_flow_key(name) if item is None else f"{_flow(name)}: {_flow(item)}" for name, item in value.items()]
        return "{ " + ", ".join(parts) + " }" if parts else "{}"
    if isinstance(value, list):
        return "[ " + ", ".join(map(_flow, value)) + " ]" if value else "[]"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and ": " not in value and isinstance(core_value(value), str)
        return value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(str(value), str(value))


def _flow_key(name: str) -> str:
    return f"? {name}" if name.startswith(("{ ", "[ ")) else _flow(name)


def _line(event: Any) -> int:
    line: int = event.start_mark.line + 1
    return line


class PropertiesHandler(YAMLHandler):
    """python-frontmatter's way in: `frontmatter.loads(text, handler=PropertiesHandler())` reads as Obsidian does."""

    def split(self, text: str) -> tuple[str, str]:
        """The block and the body. Raises ValueError when there is none, as python-frontmatter expects."""
        split = split_frontmatter(text)
        if split.yaml is None:
            raise ValueError("no properties")
        return split.yaml, split.body

    def load(self, fm: str, **_: object) -> dict[str, Any]:
        """The properties; none for an empty block. Raises YamlError."""
        value = self.read(fm).value
        return value if isinstance(value, dict) else {}

    def read(self, fm: str) -> Read:
        """The value with its lines. Raises YamlError."""
        return parse_yaml(fm)
