"""A value and a JSON schema in; the value as that schema wants it, or what it should have been, out. *Pure*.

Only the part of JSON schema that types of tools are written in: type, enum, anyOf, items, prefixItems, properties,
additionalProperties, required, format and limits of number and length.
"""

from __future__ import annotations

import json
import math
import re
import reprlib
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

_TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "True or False",
    "array": "a list",
    "object": "a mapping",
    "null": "None",
}
_DURATION = "a length of time like 90 (seconds), 1:30:00 or 1h30m"
_MOMENTS: Mapping[str, tuple[Any, str]] = {
    "date": (date.fromisoformat, "a date like 2026-03-18"),
    "date-time": (datetime.fromisoformat, "a moment like 2026-03-18T09:00"),
    "time": (time.fromisoformat, "a time like 09:00"),
}
_MAX_SHOWN = 12
_MOST_DIGITS = 4300
"""Of a whole number, as for Python's own `int(text)`: `1e999999999` written out would fill the memory."""


class Misfit(Exception):
    """Says what the value should have been."""


def fit(value: Any, schema: Mapping[str, Any]) -> Any:
    """The value, turned into what the schema wants where only the writing differs (`"250"` for a number).

    A date may be text in ISO form or a date, and stays which it is: what a function makes of text is known where it is
    called.

    Raises Misfit with what was wanted.
    """
    try:
        if "anyOf" in schema:
            return _fit_any(value, schema["anyOf"])
        if "enum" in schema:
            return _fit_choice(value, schema["enum"], schema.get("x-names", {}))
        fitter = _FITTERS.get(str(schema.get("type", "")))
        return value if fitter is None else fitter(value, schema)
    except (ValueError, ArithmeticError):  # a number that cannot be written, or that compares with nothing
        raise Misfit(wanted(schema)) from None


def shown(value: object) -> str:
    """A value as Python writes it, shortened."""
    try:
        return _Short().repr(value)
    except ValueError:  # an integer of thousands of digits
        return f"a huge {type(value).__name__}"


def wanted(schema: Mapping[str, Any]) -> str:
    """What a schema takes, in words."""
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(wanted(option) for option in schema["anyOf"]))
    if "enum" in schema:
        choices = [shown(choice) for choice in schema["enum"]]
        more = [f"... ({len(choices)} in all)"] if len(choices) > _MAX_SHOWN else []
        return f"one of {', '.join(choices[:_MAX_SHOWN] + more)}"
    if schema.get("format") in _MOMENTS:
        return _MOMENTS[schema["format"]][1]
    if schema.get("format") == "duration":
        return _DURATION
    kind = _KINDS.get(str(schema.get("type", "")), "anything")
    return f"{kind} of {wanted(schema['items'])} each" if kind == "a list" and schema.get("items") else kind


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 60


def _fit_any(value: Any, options: Sequence[Mapping[str, Any]]) -> Any:
    """By the first option that takes the value as it is, else the first that takes it rewritten."""
    for exactly in (True, False):
        for option in options:
            try:
                fitted = fit(value, option)
            except Misfit:
                continue
            if not exactly or (type(fitted) is type(value) and fitted == value):
                return fitted
    raise Misfit(wanted({"anyOf": options}))


def _fit_choice(value: Any, choices: Sequence[Any], names: Mapping[str, Any]) -> Any:
    """The choice that equals the value, or that it spells: `"3"` is 3, `"eur"` is `"EUR"` when no other is, and a
    member of an enum may be given by its name."""
    for choice in choices:
        if value == choice and isinstance(value, bool) == isinstance(choice, bool):
            return choice
    if isinstance(value, str) and value in names:
        return names[value]
    spelled = (value[:200] if isinstance(value, str) else shown(value)).casefold()
    alike = [choice for choice in choices if choice is not None and str(choice).casefold() == spelled]
    if len(alike) == 1 and isinstance(value, str | int | float) and not isinstance(value, bool):
        return alike[0]
    from difflib import get_close_matches  # late: only mistakes need it

    spellings = {str(choice).casefold(): choice for choice in (*names, *choices)}
    near = get_close_matches(spelled, spellings, 1)
    guess = f" (did you mean {spellings[near[0]]!r}?)" if near else ""
    raise Misfit(wanted({"enum": choices}) + guess)


def _fit_text(value: Any, schema: Mapping[str, Any]) -> Any:
    if schema.get("format") == "duration":
        return _fit_duration(value)
    if isinstance(value, date | time):
        return value if schema.get("format") in _MOMENTS else value.isoformat()
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and "format" not in schema:
        value = str(value) if isinstance(value, Decimal) else repr(value)
    if schema.get("format") == "binary" and isinstance(value, bytes | bytearray):
        return bytes(value)
    if not isinstance(value, str):
        raise Misfit(wanted(schema))
    reader = _MOMENTS.get(str(schema.get("format", "")))
    if reader is not None:
        try:
            reader[0](value[:10] if schema["format"] == "date" and re.match(r".{10}[T ]", value) else value)
        except ValueError:
            raise Misfit(wanted(schema)) from None
    return value


_CLOCK = re.compile(r"(?:(?P<days>-?\d+) days?, )?(?P<hours>\d+):(?P<minutes>\d\d)(?::(?P<seconds>\d\d(?:\.\d+)?))?")
_SPELLED = re.compile(
    r"p?(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?t?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+(?:\.\d+)?)s)?"
)


def _fit_duration(value: Any) -> timedelta:
    """A length of time out of seconds, `1:30:00` (as Python prints it too), `1h30m`, or ISO 8601's `PT1H30M`."""
    if isinstance(value, timedelta):
        return value
    text = value.strip().lower() if isinstance(value, str) else value
    if isinstance(text, str) and (found := _CLOCK.fullmatch(text) or _SPELLED.fullmatch(text)) and text.strip("pt"):
        return timedelta(**{unit: float(number) for unit, number in found.groupdict().items() if number})
    try:
        return timedelta(seconds=float(_fit_number(text, {"type": "number"})))
    except (Misfit, ArithmeticError):
        raise Misfit(_DURATION) from None


def _fit_whole(value: Any, schema: Mapping[str, Any]) -> int:
    try:
        if isinstance(value, str):
            value = int(value)
        if isinstance(value, Decimal) and value.adjusted() > _MOST_DIGITS:
            raise Misfit(wanted(schema))
        if isinstance(value, float | Decimal) and value == int(value):
            value = int(value)
    except (ValueError, OverflowError):  # no number; endless
        raise Misfit(wanted(schema)) from None
    if not isinstance(value, int) or isinstance(value, bool):
        raise Misfit(wanted(schema))
    return int(_within(value, schema))


def _fit_number(value: Any, schema: Mapping[str, Any]) -> Any:
    """Whole numbers stay whole: a function that counts with them may need them so."""
    if isinstance(value, str):
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            raise Misfit(wanted(schema)) from None
        if not number.is_finite():
            raise Misfit(wanted(schema))
        if schema.get("format") == "decimal":
            return value.strip()
        value = int(value) if re.fullmatch(r"\s*[+-]?\d{1,300}\s*", value) else float(number)
        if math.isinf(value):
            raise Misfit(wanted(schema))
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Misfit(wanted(schema))
    if isinstance(value, Decimal) and schema.get("format") != "decimal":
        value = float(value)
    return _within(value, schema)


def _within(value: Any, schema: Mapping[str, Any]) -> Any:
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    if not least <= value <= most:
        raise Misfit(
            f"{wanted(schema)} from {least} to {most}".replace("from -inf to", "up to").replace(" to inf", " up")
        )
    return value


def _fit_truth(value: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(value, str) and value.strip().lower() in _TRUTHS:
        return _TRUTHS[value.strip().lower()]
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise Misfit(wanted(schema))


def _fit_none(value: Any, schema: Mapping[str, Any]) -> None:
    if value is not None and not (isinstance(value, str) and value.strip().lower() in ("none", "null", "")):
        raise Misfit(wanted(schema))


def _fit_list(value: Any, schema: Mapping[str, Any]) -> list[Any]:
    """A list; a single value makes a list of one, text in brackets is read as JSON."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _json(value, list)
    if value is None or (isinstance(value, Mapping) and schema.get("items", {}).get("type") != "object"):
        raise Misfit(wanted(schema))
    items = list(value) if isinstance(value, list | tuple | Set) else [value]
    first, each = schema.get("prefixItems", ()), schema.get("items", {})
    least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
    if not least <= len(items) <= most:
        count = f"{least}" if least == most else f"at least {least}"
        raise Misfit(f"a list of {count}, here {len(items)}")
    return [fit(item, first[number] if number < len(first) else each) for number, item in enumerate(items)]


def _fit_mapping(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = _json(value, dict)
    if not isinstance(value, Mapping):
        raise Misfit(wanted(schema))
    missing = [key for key in schema.get("required", ()) if key not in value]
    if missing:
        raise Misfit(f"a mapping with {', '.join(map(repr, schema['required']))}")
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    return {key: _fit_held(key, held, properties.get(key, others)) for key, held in value.items()}


def _fit_held(key: Any, value: Any, schema: Any) -> Any:
    try:
        return fit(value, schema) if isinstance(schema, Mapping) else value
    except Misfit as misfit:
        raise Misfit(f"a mapping with {misfit} under {shown(key)}") from None


def _json(text: str, kind: type) -> Any:
    """JSON in a text of a command line; the text itself when it is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, kind) else text


_FITTERS: Mapping[str, Any] = {
    "string": _fit_text,
    "integer": _fit_whole,
    "number": _fit_number,
    "boolean": _fit_truth,
    "null": _fit_none,
    "array": _fit_list,
    "object": _fit_mapping,
}
