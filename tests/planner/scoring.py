"""A planned answer and what was expected, in; right or wrong, out."""

from __future__ import annotations

from typing import Any


def agrees(check: str, found: Any, expected: Any) -> bool:
    """Whether an answer is what the case expects."""
    if check == "number":
        return not isinstance(found, str) and abs(float(found) - expected) <= 0.01
    if check == "text":
        return str(found).casefold() == str(expected).casefold()
    if check == "set":
        return _folded(found) == _folded(expected) and len(_listed(found)) == len(expected)
    if check == "ordered":
        return list(map(str, _listed(found))) == expected
    if check == "map":
        return _map(found) == _map(expected)
    if check == "keys":
        return _folded(found) == _folded(expected)
    if check == "contains":
        return len(found) == len(expected) and all(any(part in each for each in found) for part in expected)
    raise ValueError(check)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | dict) else [value]


def _folded(value: Any) -> set[str]:
    return {str(each).casefold() for each in _listed(value)}


def _map(value: dict[str, Any]) -> dict[str, Any]:
    return {
        key: sorted(held) if isinstance(held, list) else round(held, 2) if isinstance(held, float) else held
        for key, held in value.items()
    }
