"""The text of the plugin's `data.json` and what nest wants in it, in; the new text and what became of each entry, out.
*Pure*.

Only entries whose id begins with `nest-` are touched, and of these only what nest itself wrote last: its digest is
kept by the caller. Unknown keys, order and indentation stay; `settings_version` is never changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nestkit.errors import ConfigError
from nestkit.palette.entries import PREFIX, SECTIONS, Item, Wanted

KNOWN_VERSION = "0.23.0"
"""The newest `settings_version` this writer knows. **Source**: obsidian-shellcommands 0.23.0."""

State = Literal["added", "updated", "same", "kept", "left out", "removed", "in use", "absent"]
"""`kept`: the person edited it. `left out`: the person removed it. `in use`: an entry of the person's needs it."""

_VERSION = re.compile(r"\d+(?:\.\d+){0,3}")
_SURROGATE = re.compile("[\ud800-\udfff]")

_PREVIEW = "preview_variables_in_command_palette"
_TOP: Item = {
    "settings_version": KNOWN_VERSION,
    "debug": False,
    "obsidian_command_palette_prefix": "Execute: ",
    _PREVIEW: False,
    "show_autocomplete_menu": True,
    "working_directory": "",
    "default_shells": {},
    "environment_variable_path_augmentations": {},
    "show_installation_warnings": True,
    "error_message_duration": 20,
    "notification_message_duration": 10,
    "execution_notification_mode": "disabled",
    "output_channel_clipboard_also_outputs_to_notification": True,
    "output_channel_notification_decorates_output": True,
    "enable_events": True,
    "approve_modals_by_pressing_enter_key": True,
    "command_palette": {"re_execute_last_shell_command": {"enabled": True, "prefix": "Re-execute: "}},
    "max_visible_lines_in_shell_command_fields": False,
    "shell_commands": [],
    "prompts": [],
    "builtin_variables": {},
    "custom_variables": [],
    "custom_variables_notify_changes_via": {"obsidian_uri": True, "output_assignment": True},
    "custom_shells": [],
    "output_wrappers": [],
}
"""What the plugin of that version writes when it has never been used, but for the preview, which is on then."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a settings file becomes."""

    text: str
    """The new text, whole."""
    states: Mapping[str, State]
    """`SECTION/ID` -> what became of it."""
    written: Mapping[str, str]
    """`SECTION/ID` -> digest of what nest wrote, for the next time."""


def plan_install(
    text: str | None, wanted: Wanted, written: Mapping[str, str], platform: str, *, force: bool = False
) -> Plan:
    """The settings with nest's entries in them; None for a plugin that has no file yet. Raises ConfigError."""
    settings = _read(text)
    states: dict[str, State] = {}
    digests = dict(written)
    for section in SECTIONS:
        items = _section(settings, section)
        known = {str(item.get("id")): place for place, item in enumerate(items)}
        for item in wanted[section]:
            key, place = f"{section}/{item['id']}", known.get(item["id"])
            found = None if place is None else items[place]
            item = _with_others(item, found, platform)
            states[key] = state = _state(found, item, written.get(key), force)
            if state == "added":
                items.append(item)
            elif state == "updated" and place is not None:
                items[place] = item
            if state in ("added", "updated", "same"):
                digests[key] = digest_item(item)
    return Plan(_draw(settings, text), states, digests)


def plan_uninstall(text: str | None, wanted: Wanted, written: Mapping[str, str], *, force: bool = False) -> Plan:
    """The settings without what nest wrote; what the person edited or still uses is left. Raises ConfigError."""
    if text is None:
        return Plan("", {}, {})
    settings = _read(text)
    states: dict[str, State] = {}
    left = dict(written)
    for section in SECTIONS:  # commands first: what they alone used is then free
        for item in wanted[section]:
            key = f"{section}/{item['id']}"
            items = _section(settings, section, make=False)
            found = next((each for each in items if each.get("id") == item["id"]), None)
            if found is None:
                states[key] = "absent"
            elif not force and digest_item(found) != written.get(key):
                states[key] = "kept"
            elif section != "shell_commands" and _is_used(settings, found):
                states[key] = "in use"
            else:
                states[key] = "removed"
                items.remove(found)
            if states[key] in ("absent", "removed"):
                left.pop(key, None)
    return Plan(_draw(settings, text), states, left)


def check_preview(text: str) -> list[str]:
    """What a person should know of a plugin that fills in note and selection when its palette opens.

    **Source**: what it filled in then it keeps until a command is run; a hotkey pressed later gets it.
    """
    if not text or not _read(text).get(_PREVIEW, True):
        return []
    return [
        "with a hotkey the plugin can hand over the note and the selection of the moment when the palette was last"
        " opened: turn off “Preview variables in command palette and menus” in its settings, under Variables"
    ]


def digest_item(item: Item) -> str:
    """What tells whether an entry is still as nest wrote it: SHA-256 of its values, their order left out."""
    return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()


def _state(found: Item | None, wanted: Item, digest: str | None, force: bool) -> State:
    if found is None:
        return "left out" if digest is not None and not force else "added"
    if found == wanted:
        return "same"
    return "updated" if force or digest_item(found) == digest else "kept"


def _with_others(item: Item, found: Item | None, platform: str) -> Item:
    """The entry with the commands that another machine wrote for its own system."""
    theirs = (found or {}).get("platform_specific_commands")
    if "platform_specific_commands" not in item or not isinstance(theirs, dict):
        return item
    mine = item["platform_specific_commands"]
    others = {name: text for name, text in theirs.items() if name not in ("default", platform)}
    return {**item, "platform_specific_commands": {**mine, **others}}


def _is_used(settings: Item, item: Item) -> bool:
    """Whether anything else in the settings speaks of this prompt or variable."""
    rest = {name: [each for each in settings.get(name, []) if each is not item] for name in SECTIONS}
    text = json.dumps(rest, ensure_ascii=False)
    marks = [json.dumps(item["id"])] + [f"{{{{{sign}_{item['name']}}}}}" for sign in ("", "!") if "name" in item]
    return any(mark in text for mark in marks)


def _read(text: str | None) -> Item:
    if text is None:
        return json.loads(json.dumps(_TOP))  # type: ignore[no-any-return]
    try:
        settings = json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise ConfigError(
            f"data.json cannot be read: {error}", "mend it, or let the plugin write it anew; nothing was changed"
        ) from None
    if not isinstance(settings, dict):
        raise ConfigError("data.json holds no settings", "let the plugin write it anew; nothing was changed")
    version = settings.get("settings_version")
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        what = "says no settings_version" if version is None else f"says settings_version {version!r}"
        raise ConfigError(f"data.json {what}", "open the plugin's settings in Obsidian once, so that it writes them")
    if _numbers(version) > _numbers(KNOWN_VERSION):
        raise ConfigError(
            f"data.json is of version {version}; nest knows it up to {KNOWN_VERSION}",
            "`nest obsidian install --print` shows the entries, to be put in by hand",
        )
    return settings


def _section(settings: Item, name: str, *, make: bool = True) -> list[Item]:
    items = settings.setdefault(name, []) if make else settings.get(name, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ConfigError(f"data.json: {name} is no list of entries", "mend it in Obsidian; nothing was changed")
    ids = [item.get("id") for item in items if str(item.get("id")).startswith(PREFIX)]
    if len(ids) != len(set(ids)):
        raise ConfigError(f"data.json: an entry of nest's stands twice in {name}", "delete one of the two in Obsidian")
    return items


def _unique(pairs: list[tuple[str, Any]]) -> Item:
    if len(pairs) != len(dict(pairs)):
        raise ValueError("a name stands there twice")
    return dict(pairs)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _draw(settings: Item, text: str | None) -> str:
    """As the plugin writes it, or indented as the file is; text outside the braces stays."""
    if text is None:
        return _dump(settings, 2)
    bare = text.strip("\ufeff \t\r\n")
    begin = text.index(bare)
    return text[:begin] + _dump(settings, _indent(bare)) + text[begin + len(bare) :]


def _indent(text: str) -> int | str | None:
    first = text[1:].lstrip("\r\n")
    blanks = first[: len(first) - len(first.lstrip(" \t"))]
    if "\n" not in text:
        return None
    return "\t" if blanks.startswith("\t") else len(blanks) or 2


def _dump(settings: Item, indent: int | str | None) -> str:
    """JSON as `JSON.stringify` writes it: nothing escaped but what has to be."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(settings, ensure_ascii=False, indent=indent, separators=separators)
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)
