"""Lines of a note in, Dataview's inline fields out: `key:: value`, `[key:: value]`, `(key:: value)`. *Pure*.

Where Dataview also reads code, nestkit does not: neither blocks of code (the caller leaves them out) nor a `::` between
backticks is a field. Everything else follows Dataview, warts included: `std::vector` at the start of a line is a field.

**Source**: Dataview, docs "Adding metadata", and what `src/data-import/inline-field.ts` and `src/expression/parse.ts`
accept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from nestkit.note import Field

MAX_LINE = 32_768
"""Longer lines are not searched, as in Dataview."""
MAX_OPEN = 100
"""Brackets of one line that may turn out not to close before the search is given up."""

_CLOSING = {"[": "]", "(": ")"}
_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)")
_SIGNS = (
    "\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299"
    "\U0001f000-\U0001faff"
)
"""The characters that emoji are built of."""
_EMOJI = re.compile(f"[{_SIGNS}]\ufe0f?(?:\u200d[{_SIGNS}]\ufe0f?)*")
_UNITS = r"years?|yrs?|months?|mos?|weeks?|wks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m(?!o)|mo|seconds?|secs?|s"
_DURATION = rf"-?\d+(?:\.\d+)?\s*(?:{_UNITS})"
_ATOMS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\d{4}-\d\d(?:-\d\d(?:T\d\d(?::\d\d(?::\d\d(?:\.\d{3})?(?:[-+]\d\d?(?::\d\d)?|Z|\[[\w+\-/]+\])?)?)?)?)?",
        rf"{_DURATION}(?:\s*,?\s*{_DURATION})*",
        r'"(?P<quoted>(?:\\.|[^"\\])*)"',
        rf"#[\w/\-{_SIGNS}]*",
        r"!?\[\[[^\[\]]*\]\]",
        r"(?P<bool>[Tt]rue|[Ff]alse)",
        r"(?P<number>-?\d+(?:\.\d+)?)",
        r"(?P<null>null)",
    )
)
"""Date, duration, quoted text, tag, link, boolean, number, null: the first that fits is taken, as in Dataview."""
_Span = tuple[int, int, int, int]
"""Where a key begins and ends, and where its value does."""
_COMMA = re.compile(r"\s*,\s*")


def find_fields(lines: Sequence[tuple[int, str]], *, whole_line: bool = True) -> list[Field]:
    """The fields of a piece of text, in order; `lines` are its lines with their numbers.

    Bracketed fields anywhere, or else (`whole_line`) one field that takes up the whole piece.
    """
    text = "\n".join(line for _, line in lines)
    if "::" not in text or len(text) > MAX_LINE:
        return []
    masked = _CODE.sub(lambda code: code[0].replace("::", "\0\0"), text)
    found = sorted(span for opening in _CLOSING for span in _bracketed(masked, opening))
    if not found and whole_line:
        found = _whole(masked)
    fields = []
    for start, stop, begin, end in found:
        key = text[start:stop].strip()
        if name := canonical(key):
            line, _ = lines[text.count("\n", 0, begin)]
            fields.append(Field(key, name, parse_value(text[begin:end].replace("\n", " ")), line))
    return fields


def canonical(key: str) -> str:
    """The name Dataview lets one ask for: lower case, blanks as dashes, emoji kept, all other signs dropped."""
    parts = re.findall(rf"\s+|{_EMOJI.pattern}|.", key.strip(), re.DOTALL)
    return "".join("-" if part.isspace() else part.lower() if _in_name(part) else "" for part in parts)


def parse_value(text: str) -> Any:
    """What Dataview makes of a value: None, bool, int, float, text or a list of these; dates, durations, links as text.

    A list needs every one of its parts to be a literal: `1, 2` and `[[A]], [[B]]` are lists, `a, b` is text.
    """
    text = text.strip()
    if not text:
        return None
    values, position = [], 0
    while atom := _atom(text, position):
        values.append(_literal(atom))
        position = atom.end()
        if position == len(text):
            return values[0] if len(values) == 1 else values
        comma = _COMMA.match(text, position)
        if not comma:
            break
        position = comma.end()
        if position == len(text) and len(values) == 1:
            return values
    return text


def _bracketed(text: str, opening: str) -> Iterator[_Span]:
    start, misses = text.find(opening), 0
    while start >= 0 and misses < MAX_OPEN:
        after = start + 1
        middle = text.find("::", after)
        if middle < 0:
            return
        if not any(bracket in text[after:middle] for bracket in "[]()"):
            end = _closing(text, middle + 2, opening)
            if end is not None:
                yield after, middle, middle + 2, end
                after = end + 1
            else:
                misses += 1
        start = text.find(opening, after)


def _closing(text: str, start: int, opening: str) -> int | None:
    """Where the bracket around `start` closes, inner pairs and `\\]` skipped."""
    depth = 0
    for found in re.compile(rf"\\.|[\{opening}\{_CLOSING[opening]}]", re.DOTALL).finditer(text, start):
        depth += {opening: 1, _CLOSING[opening]: -1}.get(found[0], 0)
        if depth < 0:
            return found.start()
    return None


def _whole(text: str) -> list[_Span]:
    """The text as one field, if its key is made of words: `**Due date**:: tomorrow`."""
    middle = text.find("::")
    start = next((place for place in range(middle) if text[place].isalpha() or text[place] in "0123456789_"), middle)
    stop = next((place for place in range(start, middle) if not _in_key(text[place])), middle)
    if middle < 0 or text[stop:middle].strip().strip("_*~`"):
        return []
    return [(start, stop, middle + 2, len(text))]


def _in_name(sign: str) -> bool:
    return sign.isalpha() or sign in "0123456789_-" or _EMOJI.fullmatch(sign) is not None


def _in_key(sign: str) -> bool:
    return _in_name(sign) or sign.isspace() or sign in "/\ufe0f\u200d"


def _atom(text: str, position: int) -> re.Match[str] | None:
    return next((found for pattern in _ATOMS if (found := pattern.match(text, position))), None)


def _literal(atom: re.Match[str]) -> Any:
    named = atom.groupdict()
    if named.get("quoted") is not None:
        return re.sub(r'\\(["\\])', r"\1", named["quoted"])
    if named.get("bool"):
        return named["bool"].lower() == "true"
    if named.get("number"):
        number = float(named["number"])
        return int(number) if number.is_integer() else number
    return None if named.get("null") else atom[0]
