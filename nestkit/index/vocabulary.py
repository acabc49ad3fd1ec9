"""All notes, in; the words the vault can be asked about, out; counted once per change. *Disk*."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import Any

from nestkit.index.drafts import to_json
from nestkit.index.facts import list_tasks
from nestkit.index.rows import generation
from nestkit.index.store import Index
from nestkit.note import PropertyWords, Vocabulary, title_of

_VALUES = 500
_VALUE_CHARS = 100
_LINK = re.compile(r"\[\[([^\]|#]+)[^\]]*\]\]")

KindOf = Callable[[str, Any], str]
"""Property name and value to its kind, by Obsidian's rules; handed in by the hall."""


def read_vocabulary(
    index: Index, kind_of: KindOf, is_private: Callable[[str], bool], without: str, seal: str
) -> Vocabulary:
    """The vault's words without those of private notes and of the folder `without`; kept in the index until a file or
    the `seal` changes.

    `seal` stands for the settings that decide about kinds and privacy.
    """
    now = f"{generation(index)} {seal}"
    row = index.one("SELECT value FROM meta WHERE key = 'vocabulary'")
    if row is not None:
        kept = json.loads(str(row[0]))
        if kept["now"] == now:
            return _rebuilt(kept)
    made = _count(index, kind_of, is_private, without)
    text = to_json({**asdict(made), "now": now})
    with contextlib.suppress(sqlite3.OperationalError):  # another process is writing: it will be counted again
        index.connection.execute("INSERT OR REPLACE INTO meta VALUES ('vocabulary', ?)", (text,))
    return made


def _rebuilt(kept: Mapping[str, Any]) -> Vocabulary:
    words = {name: _words(kept[name]) for name in ("properties", "fields")}
    return Vocabulary(
        titles=kept["titles"],
        aliases=kept["aliases"],
        folders=tuple(kept["folders"]),
        tags=tuple(kept["tags"]),
        properties=words["properties"],
        task_fields={name: tuple(values) for name, values in kept["task_fields"].items()},
        fields=words["fields"],
    )


def _words(kept: Mapping[str, Any]) -> dict[str, PropertyWords]:
    return {name: PropertyWords(tuple(w["kinds"]), tuple(w["values"]), w["count"]) for name, w in kept.items()}


class _Tally:
    """What one property holds, while it is being counted."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.values: Counter[str] = Counter()
        self.count = 0

    def add(self, kind: str, value: Any) -> None:
        self.count += 1
        self.kinds[kind] += 1
        self.values.update(text for item in (value if isinstance(value, list) else [value]) if (text := _as_word(item)))

    def words(self) -> PropertyWords:
        kinds = tuple(kind for kind, _ in self.kinds.most_common())
        return PropertyWords(kinds, tuple(value for value, _ in self.values.most_common(_VALUES)), self.count)


def _count(index: Index, kind_of: KindOf, is_private: Callable[[str], bool], without: str) -> Vocabulary:
    titles: dict[str, str] = {}
    aliases: dict[str, str] = {}
    tags: dict[str, str] = {}
    properties: dict[str, _Tally] = {}
    fields: dict[str, _Tally] = {}
    query = (
        "SELECT f.path, n.properties, n.aliases, n.tags, n.fields FROM notes n JOIN files f ON f.id = n.file"
        " WHERE f.kind = 'note' AND substr(f.path, 1, ?) <> ? ORDER BY f.path"
    )
    for path, own, names, tagged, inline in index.connection.execute(query, (len(without) + 1, f"{without}/")):
        if is_private(path):
            continue
        titles[path] = title_of(path)
        for alias in json.loads(names):
            aliases.setdefault(alias, path)
        for tag in json.loads(tagged):
            tags.setdefault(tag.lower(), tag)
        for name, value in json.loads(own or "{}").items():
            properties.setdefault(name, _Tally()).add(kind_of(name, value), value)
        for field in json.loads(inline):
            fields.setdefault(field["canonical"], _Tally()).add(kind_of("", field["value"]), field["value"])
    return Vocabulary(
        titles,
        aliases,
        tuple(sorted({folder for path in titles for folder in _folders(path)})),
        tuple(tags[key] for key in sorted(tags)),
        {name: tally.words() for name, tally in properties.items()},
        _task_fields(index, titles.keys()),
        {name: tally.words() for name, tally in fields.items()},
    )


def _task_fields(index: Index, paths: Collection[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, Counter[str]] = {}
    for path, task in list_tasks(index):
        for field in task.fields if path in paths else ():
            found.setdefault(field.canonical, Counter())[_as_word(field.value)] += 1
    return {name: tuple(value for value, _ in counts.most_common(_VALUES)) for name, counts in found.items()}


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _as_word(value: Any) -> str:
    """A value as one would say it: a link as its target's title, whole numbers plain; empty for what nobody says."""
    if value is None or isinstance(value, (dict, list, bool)):
        return ""
    text = str(value).strip()
    if linked := _LINK.fullmatch(text):
        text = title_of(linked[1].strip())
    return text if len(text) <= _VALUE_CHARS else ""
