"""Name and value of a property in, its kind out: what Obsidian shows it as. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

KINDS = ("text", "list", "number", "checkbox", "date", "datetime", "empty", "object")
"""**Source**: obsidian-help, Properties (property types)."""

ALWAYS_LISTS = frozenset(("tags", "aliases", "cssclasses"))
_WIDGETS = {"multitext": "list", "tags": "list", "aliases": "list"} | {
    kind: kind for kind in ("text", "number", "checkbox", "date", "datetime")
}
"""Names in `types.json` -> kinds."""
_ALSO_FITS = {
    "text": ("date", "datetime", "number", "checkbox"),
    "list": ("text", "date", "datetime", "number"),
    "date": ("datetime",),
    "datetime": ("date",),
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?(?:Z|[-+]\d\d:?\d\d)?", re.ASCII)


def property_kind(name: str, value: Any, kinds: Mapping[str, str] | None = None) -> str:
    """One of `KINDS`. The kind set for the name in the whole vault (`kinds`) wins; else the value's own shape shows.

    `tags`, `aliases` and `cssclasses` are lists whatever they hold.

    **Source**: obsidian-help, Properties; Obsidian release notes 1.9.0.
    """
    if name.lower() in ALWAYS_LISTS:
        return "list"
    return (kinds or {}).get(name.lower()) or value_kind(value)


def value_kind(value: Any) -> str:
    """One of `KINDS`, by the shape of the value alone. Dates are ISO days that exist; a time follows a `T`."""
    if isinstance(value, str):
        day = _DATE.match(value)
        if day is None or not _exists(day[0]):
            return "text"
        return "date" if day.end() == len(value) else "datetime" if _TIME.fullmatch(value, day.end()) else "text"
    if isinstance(value, bool):
        return "checkbox"
    if isinstance(value, (int, float)):
        return "number"
    if value is None:
        return "empty"
    return "object" if isinstance(value, Mapping) else "list"


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def parse_kinds(text: str) -> Mapping[str, str]:
    """Lower-cased property name -> kind, from `.obsidian/types.json`; what cannot be read sets no kind.

    **Source**: Obsidian's own file, written by "Property type" in the app: `{"types": {"due": "date"}}`.
    """
    import json  # late: only the vault's one settings file needs it

    try:
        types = json.loads(text.removeprefix("\ufeff")).get("types", {})
        return {name.lower(): _WIDGETS[widget] for name, widget in types.items() if widget in _WIDGETS}
    except (ValueError, AttributeError, TypeError, RecursionError):
        return {}


def fits_kind(value: Any, kind: str) -> bool:
    """Whether the app takes the value for one of that kind; an empty one fits all, and one text is a list of one."""
    own = value_kind(value)
    return own in ("empty", kind) or own in _ALSO_FITS.get(kind, ())
