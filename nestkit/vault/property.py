"""A note's text, a property's name and its new value in; the text with only that property's lines changed, out. *Pure*.

Obsidian's own writer drops comments and changes quotes; this one leaves every other byte alone, and of a list it
keeps the items that stay just as they are written.
"""

from __future__ import annotations

import datetime
import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from nestkit.errors import VaultError
from nestkit.vault.block import Block, BrokenBlock, Key, find_block

_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'"
_START = r"(?:[^\s\"'\[\]{}#&*!|>%@`,?:-]|[?:-](?=[^\s]))"
_ITEM = re.compile(rf"(?P<indent> *)-(?: +(?P<raw>{_QUOTED}|{_START}.*?))?(?: +#.*| *)\r?\n")
_PASSED = re.compile(r" *(?:#.*)?\r?\n")
_FLOW_ITEM = re.compile(rf" *({_QUOTED}|{_START}[^\[\]{{}},\"']*?) *(,|\Z)")
_PLAIN = re.compile(r"[^\W_][^:#\[\]{},\"`\\]*")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""Words that some reader takes for more than text. **Source**: YAML 1.1 types bool and null, YAML 1.2.2 10.3.2."""
_UNPRINTED = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_UNNAMED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_NAME_CHARS = 200
_TOO_LARGE = 10**309
"""More than any float; Python refuses to print whole numbers of some thousand digits."""
_LINE_CHARS = 4_000
"""Longer lines are written anew, not searched for what could stay."""
_UNSURE = object()


def set_property(text: str, name: str, value: Any) -> str:
    """The note's text with one property set; a block is added when there is none.

    A value is text, a number, true or false, a date, None (the property stays, empty), or a list of these. One that
    the property has already, in whatever spelling, is left as written; of names that differ only by case, the one that
    is there is meant. Text is written so that YAML 1.1 and 1.2 take it for that text; links are always in quotes.
    Raises VaultError for what no property can hold, and its BrokenBlock, with the line, where the block is unclear.
    """
    name, value = _checked_name(name), _checked(value)
    block = find_block(text)
    if block is None:
        return _with_block(text, name, value)
    lines, key = list(block.lines), _find_key(block, name)
    if key is None:
        lines += _draw(_draw_name(name), value, "\r\n" if block.opening.endswith("\r\n") else "\n")
    elif key.anchored:
        raise BrokenBlock(key.first + 2, f"{name!r} carries an anchor (&) that other properties may refer to")
    else:
        lines[key.first : key.end] = _redraw(key, lines[key.first : key.end], value)
    return block.opening + "".join(lines) + block.rest


def _with_block(text: str, name: str, value: Any) -> str:
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    end = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    return f"{mark}---{end}{''.join(_draw(_draw_name(name), value, end))}---{end}{text[len(mark) :]}"


def _checked_name(name: str) -> str:
    if not isinstance(name, str) or not 0 < len(name.strip()) <= _NAME_CHARS or _UNNAMED.search(name):
        raise VaultError(f"a property's name is one line of text, at most {_NAME_CHARS} characters")
    return name.strip()


def _checked(value: Any) -> Any:
    """The value as text, bool, int, float, None, or a list of these."""
    if isinstance(value, (list, tuple)):
        if any(isinstance(item, (list, tuple)) for item in value):
            raise VaultError("a property cannot hold a list within a list", "make it one flat list")
        return [_checked(item) for item in value]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, str):
        if any("\ud800" <= char <= "\udfff" for char in value):
            raise VaultError("a property's text holds characters that cannot be written")
        return value
    if value is None or isinstance(value, (bool, int, float)):
        if value is not None and not abs(value) < _TOO_LARGE:  # false for NaN too
            raise VaultError("a property cannot hold a number like that", "give one of ordinary size")
        return value
    kind = type(value).__name__
    raise VaultError(
        f"a property cannot hold a {kind}", "give text, a number, true or false, a date, or a list of these"
    )


def _find_key(block: Block, name: str) -> Key | None:
    """The key of this name, else the only one that differs just by case: that is meant, not a second one."""
    like = [key for key in block.keys if key.name.casefold() == name.casefold()]
    exact = [key for key in like if key.name == name]
    return exact[0] if exact else like[0] if len(like) == 1 else None


def _draw(head: str, value: Any, end: str) -> list[str]:
    """The lines of a new property, lists in the form that Obsidian writes."""
    if isinstance(value, list) and value:
        return [head + end, *(f"  - {_draw_scalar(item)}{end}" for item in value)]
    drawn = "[]" if isinstance(value, list) else "" if value is None else _draw_scalar(value)
    return [f"{head} {drawn}".rstrip(" ") + end]


def _redraw(key: Key, lines: Sequence[str], value: Any) -> list[str]:
    """The lines of a property with another value; its comment, and items that stay, are kept."""
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    tail, gap = key.tail.rstrip(), key.gap if key.value else " "
    if not isinstance(value, list):
        if len(lines) == 1 and _is_same(_read_scalar(key.value), value):
            return list(lines)
        drawn = "" if value is None else gap + _draw_scalar(value)
        return [f"{key.head}{drawn}{tail}{end}"]
    if key.value.startswith("["):
        old = _flow_items(key.value)
        items = _kept_items([(raw, raw) for raw in old or ()], value, _draw_scalar)
        return list(lines) if items == old else [f"{key.head}{gap}[{', '.join(items)}]{tail}{end}"]
    if not value:
        return [f"{key.head}{gap}[]{tail}{end}"]
    indent, below = _items_below(lines[1:]) if key.below else ("  ", [])
    items = _kept_items(below, value, lambda item: f"{indent}- {_draw_scalar(item)}{end}")
    return [lines[0] if below else f"{key.head}{tail}{end}", *items]


def _kept_items(old: Sequence[tuple[str, str]], value: Sequence[Any], draw: Callable[[Any], str]) -> list[str]:
    """Every item of the new list: as it was written, when the old list (as written, with its lines) has it."""
    written: defaultdict[tuple[type, Any], list[str]] = defaultdict(list)
    for raw, lines in reversed(old):
        item = _read_scalar(raw)
        written[type(item), item].append(lines)
    return [written[type(item), item].pop() if written[type(item), item] else draw(item) for item in value]


def _flow_items(raw: str) -> list[str] | None:
    """Items of `[a, b]` as written; None when they are more than scalars."""
    inside, at, found = raw[1:-1].strip(" "), 0, []
    if len(inside) > _LINE_CHARS:
        return None
    while at < len(inside):
        match = _FLOW_ITEM.match(inside, at)
        if match is None:
            return None
        found.append(match[1])
        at = match.end()
    return found


def _items_below(lines: Sequence[str]) -> tuple[str, list[tuple[str, str]]]:
    """Indent and items of a list written one a line, each with its comments; no items when it is more than that."""
    indent, found, passed = "", list[tuple[str, str]](), ""
    for line in lines:
        match = _ITEM.fullmatch(line) if len(line) <= _LINE_CHARS else None
        if match and (not found or match["indent"] == indent):
            indent = match["indent"]
            found.append((match["raw"] or "", passed + line))
            passed = ""
        elif _PASSED.fullmatch(line):
            passed += line
        else:
            return "  ", []
    return (indent, found) if found else ("  ", [])


def _read_scalar(raw: str) -> Any:
    """The value of a scalar as Obsidian reads it (YAML 1.2 core, dates as text), or `_UNSURE`."""
    if raw[:1] == '"':
        try:
            return json.loads(raw)
        except ValueError:
            return _UNSURE
    if raw[:1] == "'":
        return raw[1:-1].replace("''", "'")
    if raw in ("", "~", "null", "Null", "NULL"):
        return None
    if raw in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return raw[0] in "tT"
    if len(raw) > _LINE_CHARS:
        return _UNSURE
    if _INT.fullmatch(raw):
        return int(raw)
    if _FLOAT.fullmatch(raw):
        return float(raw)
    sure = raw[0].isalnum() and ": " not in raw and raw[-1] != ":" and not raw.startswith(("0x", "0o"))
    return raw if sure else _UNSURE


def _is_same(old: object, new: object) -> bool:
    return type(old) is type(new) and old == new


def _draw_name(name: str) -> str:
    return f"{name if _is_plain(name) else _draw_quoted(name)}:"


def _draw_scalar(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        drawn = repr(value)
        return drawn if "." in drawn else drawn.replace("e", ".0e")  # without a point, YAML 1.1 takes it for text
    if isinstance(value, int):
        return str(value)
    return value if _is_plain(value) else _draw_quoted(value)


def _draw_quoted(text: str) -> str:
    drawn = json.dumps(text, ensure_ascii=False)
    return _UNPRINTED.sub(lambda match: f"\\u{ord(match[0]):04x}", drawn)


def _is_plain(text: str) -> bool:
    """Whether text can do without quotes: no reader takes it for anything but this text, or for the date it is."""
    if _DATE.fullmatch(text):
        try:
            datetime.datetime.fromisoformat(text)
        except ValueError:
            return False
        return True
    number = text[:1].isdigit() and " " not in text
    ordinary = text.isprintable() and text == text.strip() and text.lower() not in _WORDS
    return bool(_PLAIN.fullmatch(text)) and ordinary and not number
