"""An unquoted scalar in, the value it means in YAML 1.2's core schema out. *Pure*.

**Source**: YAML 1.2.2, 10.3; numbers as npm yaml 2.7 makes them.
"""

from __future__ import annotations

import re
from typing import Any

_NULL = re.compile(r"(?:~|[Nn]ull|NULL)?")
_BOOL = re.compile(r"[Tt]rue|TRUE|[Ff]alse|FALSE")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_NAN = re.compile(r"\.(?:nan|NaN|NAN)")


def core_value(text: str) -> Any:
    """What an unquoted scalar means in the core schema: None, bool, int, float, or the text itself.

    Numbers are JavaScript's: whole ones come out as int, and beyond 2**53 they lose the digits that the app loses.
    """
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text[0] in "tT"
    if _NUMBER.fullmatch(text):
        return _whole(float(text))
    if _OCTAL.fullmatch(text) or _HEX.fullmatch(text):
        return _digits(text)
    if infinite := _INFINITE.fullmatch(text):
        return float(infinite[1] + "inf")
    return float("nan") if _NAN.fullmatch(text) else text


def _digits(text: str) -> int | float:
    try:
        return _whole(float(int(text, 0)))
    except OverflowError:
        return float("inf")


def _whole(number: float) -> int | float:
    return int(number) if number.is_integer() and abs(number) < 1e21 else number
