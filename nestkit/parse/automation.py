"""Text of a note in `Automations/` in; when it asks and what, or what is wrong with it, out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from nestkit.note import Problem
from nestkit.parse.frontmatter import parse_properties, split_frontmatter
from nestkit.trigger import EVENTS, Automation, Event

_BECOMES = re.compile(r"(?:property +)?(?P<name>\S.*?) +becomes +(?P<value>\S.*)", re.IGNORECASE)
_TAGGED = re.compile(r"tagged +#?(?P<name>\S+)", re.IGNORECASE)
_TEXTS = ("on", "folder", "tag", "ask", "tool")
_FORMS = "created, changed, moved, tagged TAG, or PROPERTY becomes VALUE"


def parse_automation(path: str, text: str) -> Automation | Problem | None:
    """What a note automates; a Problem with its line; None when it automates nothing or says `enabled: false`."""
    properties = parse_properties(path, split_frontmatter(text).yaml)
    if properties.problems:
        return properties.problems[0]
    values = {name.casefold(): value for name, value in (properties.values or {}).items()}
    if "on" not in values or values.get("enabled") is False:
        return None
    lines = {name.casefold(): line for name, line in properties.lines.items()}
    for name in _TEXTS:
        if name in values and not (isinstance(values[name], str) and values[name].strip()):
            return Problem(path, lines.get(name, 1), f"`{name}` should be text")
    event = _event(values["on"].strip())
    if event is None:
        return Problem(path, lines["on"], f"`on: {values['on']}` is none of {_FORMS}")
    if ("ask" in values) == ("tool" in values):
        return Problem(path, lines["on"], "an automation has an `ask` or a `tool`, one of them")
    where = values.get("where", {})
    if not isinstance(where, Mapping):
        return Problem(path, lines.get("where", 1), "`where` should be properties with values, one below the other")
    return Automation(
        path,
        *event,
        folder=_text(values, "folder").strip("/"),
        tag=_text(values, "tag").removeprefix("#").casefold(),
        where=tuple((str(name), str(value)) for name, value in where.items()),
        ask=_text(values, "ask"),
        tool=_text(values, "tool").removeprefix("[[").removesuffix("]]"),
    )


def _event(on: str) -> tuple[Event, str, str] | None:
    if found := _BECOMES.fullmatch(on):
        return "becomes", found["name"], found["value"]
    if found := _TAGGED.fullmatch(on):
        return "tagged", found["name"].casefold(), ""
    return (cast(Event, on.lower()), "", "") if on.lower() in EVENTS[:3] else None


def _text(values: Mapping[str, Any], name: str) -> str:
    return str(values.get(name, "")).strip()
