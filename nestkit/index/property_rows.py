"""Properties of a note in, rows of what each holds out, so that a filter reads an index and not every note. *Pure*."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from nestkit.index.text import plain
from nestkit.index.values import comparable, scalars_of, text_of

TABLE = """
CREATE TABLE property_values (          -- a row for each value, and one for a property that holds none
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    name_key TEXT NOT NULL,             -- lower case
    position INTEGER NOT NULL,          -- order among the values of this name
    text TEXT,                          -- as people type it, cut; NULL for a map and where there is no value
    value,                              -- number or ISO date: what < and > compare; else NULL
    PRIMARY KEY (file, name_key, position)
) WITHOUT ROWID;
"""
INDEXES = """
CREATE INDEX property_texts ON property_values (name_key, text);
CREATE INDEX property_numbers ON property_values (name_key, value) WHERE value IS NOT NULL;
"""

MAX_TEXT = 200
"""Longer texts are kept cut: who looks for one has to compare the whole."""

ValueRow = tuple[str, int, str | None, float | str | None]
"""name_key, position, text, value."""


def draft_values(properties: Mapping[str, Any] | None) -> list[ValueRow]:
    """The rows of a note's properties, in order."""
    rows: list[ValueRow] = []
    seen: Counter[str] = Counter()
    for name, value in (properties or {}).items():
        key = plain(name.lower())
        for scalar in list(scalars_of(value)) or [{}]:
            is_map = isinstance(scalar, Mapping)
            text = None if is_map else plain(text_of(scalar)[:MAX_TEXT])
            order = None if is_map else comparable(scalar)
            rows.append((key, seen[key], text, order[:MAX_TEXT] if isinstance(order, str) else order))
            seen[key] += 1
    return rows
