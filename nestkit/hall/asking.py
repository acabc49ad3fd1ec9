"""A note's path, or a question in it, in; why it may not ask, or the ask that it spells, out. Part of the hall. *Disk*,
reading only."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nestkit.change import digest
from nestkit.errors import VaultError
from nestkit.policy import CONTRACTS, Limits, narrow
from nestkit.run import Ask
from nestkit.trigger import Trigger
from nestkit.vault.files import read_settings
from nestkit.vault.names import matches_any
from nestkit.vault.place import vault_key
from nestkit.watching.log import open_log
from nestkit.watching.source import find_original, why_no_source

if TYPE_CHECKING:
    from nestkit.nest import Nest

_RULES = 1
"""Version of what counts as a trigger: after a change of it every note is read again."""


def watch_folder(nest: Nest) -> Path:
    """Where ledger, lock and log of this vault are: the user's, never the vault's."""
    return nest.folders.state / vault_key(nest.root)


def open_watch_log(nest: Nest) -> Callable[[str], None]:
    """A log of this vault that rotates."""
    return open_log(watch_folder(nest))


def pause_file(nest: Nest) -> Path:
    """While it is there, nothing is asked."""
    return watch_folder(nest) / "control" / "paused"


def draft_ask(nest: Nest, path: str, trigger: Trigger) -> Ask | str:
    """The ask that a trigger spells, or why it is refused: a note can narrow what a person set, never widen it."""
    options: dict[str, str] = {}
    for word in trigger.options.split():
        name, equals, value = word.partition("=")
        if not equals or name not in ("model", "contract", "steps", "seconds"):
            return f"unknown option {word[:40]!r}; there are model=, contract=, steps=, seconds="
        options[name] = value
    contract = options.get("contract", nest.config.contract)
    if contract not in CONTRACTS:
        return f"no contract {contract[:40]!r}; there are {', '.join(CONTRACTS)}"
    if narrow(nest.config.contract, contract) != contract:
        return f"a note cannot loosen the contract {nest.config.contract} to {contract}"
    model, mine = options.get("model", "auto"), nest.config.model.partition("/")
    if model not in ("auto", "builtin") and model.partition("/")[0] != (mine[0] if mine[1] else "ollama"):
        return f"a note cannot choose another server: {model[:40]!r}"
    try:
        steps, seconds = int(options.get("steps", 10**6)), float(options.get("seconds", 1e9))
    except ValueError:
        return "steps and seconds are numbers"
    own = nest.config.limits
    limits: Limits = replace(own, steps=min(own.steps, max(1, steps)), seconds=min(own.seconds, max(1.0, seconds)))
    return Ask(
        text=trigger.text,
        now=datetime.now().astimezone(),
        note=path,
        model=model,
        contract=contract,
        engine=nest.config.engine,
        limits=limits,
        trigger="watch",
    )


def why_not(nest: Nest, path: str) -> str:
    """Why nothing in this note is ever asked; empty when it may be."""
    if why := why_no_source(path):
        return why
    if nest.is_run(path) or matches_any(path, (nest.config.system,)):
        return "it is in the folder of runs" if nest.is_run(path) else "it is in the folder of scripts"
    if matches_any(path, nest.config.watch.exclude):
        return "[watch] exclude names it"
    if nest.is_private(path):
        return "it is private, and would be read"
    if matches_any(path, nest.protected):
        return "it is protected, so its state could not be written"
    if matches_any(path, template_globs(nest)):
        return "it is a template"
    if (nest.root / path).is_symlink():
        return "it is a link, and nest writes through none"
    original = find_original(path)
    if original and (nest.root / original).is_file():
        return f"it looks like a copy that a sync made of {original}"
    return ""


def template_globs(nest: Nest) -> tuple[str, ...]:
    """Where the app and its plugins keep templates, by their own settings."""

    found = []
    for file, keys in (
        ("templates.json", ("folder",)),
        ("daily-notes.json", ("template",)),
        ("plugins/templater-obsidian/data.json", ("templates_folder",)),
        ("plugins/quickadd/data.json", ("templateFolderPath",)),
    ):
        try:
            settings = json.loads(read_settings(nest.root / ".obsidian" / file))
        except (OSError, ValueError, VaultError, RecursionError):
            continue
        for key in keys:
            value = settings.get(key) if isinstance(settings, dict) else None
            if isinstance(value, str) and value.strip("/ "):
                folder = value.strip("/ ")
                found += [f"/{folder}", f"/{folder}.md"]
    return tuple(found)


def seal(nest: Nest) -> str:
    """What decides, beside a note itself, whether it asks."""
    config = nest.config
    parts = (_RULES, config.watch, config.system, config.runs, config.private, config.protected)
    return digest(repr((*parts, template_globs(nest))).encode())
