"""Properties of a note in; its tags, aliases and property links out. *Pure*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from nestkit.link import Link


def find_property_tags(properties: Mapping[str, Any] | None) -> list[str]:
    """Tags of the property `tags` (in any case): one text or a list of texts, a leading `#` dropped.

    Anything but text is ignored, and so is a text with a blank or comma in it: `tags: a, b` gives none.

    **Source**: Obsidian release notes 0.9.16, 1.9.3; obsidian-tasks, recorded
    `yaml_tags_with_two_values_on_one_line.json`; obsidian-api `parseFrontMatterTags`.
    """
    names = (text.removeprefix("#").rstrip("/") for text in _texts(properties, "tags"))
    return [name for name in names if name and not any(sign.isspace() or sign == "," for sign in name)]


def find_aliases(properties: Mapping[str, Any] | None) -> list[str]:
    """Other names of the note: the property `aliases`, one text or a list of texts; blank ones do not count.

    **Source**: obsidian-help, Aliases; Obsidian release notes 0.11.13; obsidian-api `parseFrontMatterAliases`.
    """
    return [text for text in _texts(properties, "aliases") if text]


def find_property_links(properties: Mapping[str, Any] | None, lines: Mapping[str, int]) -> list[Link]:
    """Links that are the whole of a text, in order; `lines` tells where each key stands.

    **Source**: obsidian-help, Properties (links in quotes); obsidian-tasks, recorded `link_in_yaml.json`; Obsidian
    release notes 1.11.0 (markdown links too).
    """
    found = []
    for key, text in _leaves(properties or {}, ""):
        found += [replace(link, key=key) for link in _whole_link(text, lines.get(key, 1))]
    return found


def _texts(properties: Mapping[str, Any] | None, name: str) -> list[str]:
    value = next((value for key, value in (properties or {}).items() if key.lower() == name), None)
    values = value if isinstance(value, list) else [value]
    return [text.strip() for text in values if isinstance(text, str)]


def _leaves(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
        return
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from _leaves(part, f"{key}.{name}" if key else str(name))


def _whole_link(text: str, line: int) -> list[Link]:
    if not (text.startswith("[") and text.endswith(("]]", ")"))):
        return []
    from nestkit.parse.markdown import parse_inline  # late: most properties are no links
    from nestkit.parse.pieces import as_link

    tokens = parse_inline(text)
    outer = [token.type for token in tokens if token.level == 0]
    return as_link(tokens[0], line) if outer in (["wikilink"], ["link_open", "link_close"]) else []
