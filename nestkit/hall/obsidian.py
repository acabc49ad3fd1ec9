"""A vault in; nest's commands in its Obsidian's palette, or taken out of it. Part of the hall. *Disk, Process*."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nestkit.change import digest
from nestkit.errors import ConfigError, NestError, NoteMissing
from nestkit.palette.entries import Wanted, draft_wanted
from nestkit.palette.settings import Plan, State, check_preview, plan_install, plan_uninstall
from nestkit.palette.surroundings import App, Home, Plugin, find_app, find_home
from nestkit.vault.files import read_file
from nestkit.vault.place import vault_key
from nestkit.vault.write import write_file

if TYPE_CHECKING:
    from nestkit.nest import Nest

_MAX_BYTES = 16 << 20
_MEMORY = "obsidian.json"


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done to the plugin's settings."""

    remove: bool = False
    force: bool = False
    """Entries that the person edited or removed are written anew, or taken out, all the same."""
    config_folder: str = ""
    program: str = ""
    """Absolute path of `nest`; empty for the one that runs now."""


@dataclass(frozen=True, slots=True)
class Look:
    """How things stand before anything is done."""

    home: Home
    app: App
    plan: Plan
    before: bytes | None
    """The settings file as it is; None when there is none yet."""
    diff: str
    """Of the settings file, empty when nothing would change."""
    remarks: tuple[str, ...] = ()
    """What a person should know."""
    reloads: bool = field(default=False)
    """A running Obsidian can be asked to take the settings up again."""


def wanted_here(program: str = "") -> Wanted:
    """The entries for this machine."""
    program = program or str(own_program())
    if "{{" in program or "\n" in program:
        raise ConfigError(f"{program!r} cannot stand in a command of the plugin's", "name another path with --program")
    return draft_wanted(program, _platform())


def look(nest: Nest, request: Request) -> Look:
    """What the request would do. Raises ConfigError for settings nest does not understand, and changes nothing."""
    app = find_app()
    return _weigh(nest, request, app, app.running is not False and Plugin(nest.root).answers())


def _weigh(nest: Nest, request: Request, app: App, reloads: bool) -> Look:
    home = find_home(nest.root, request.config_folder)
    before = _read_settings(nest.root, home)
    if before is None and home.installed and not request.remove:
        _check_fresh(home)
    text = None if before is None else _decode(before)
    wanted, written = wanted_here(request.program), _read_memory(nest)
    if request.remove:
        plan = plan_uninstall(text, wanted, written, force=request.force)
    else:
        plan = plan_install(text, wanted, written, _platform(), force=request.force)
    remarks = _remarks(app) if request.remove else (*_remarks(app), *check_preview(plan.text))
    return Look(home, app, plan, before, _diff(home.path, text, plan.text), remarks, reloads)


def carry_out(nest: Nest, request: Request, *, closed: bool = False) -> Look:
    """The request done, or refused with the reason; `closed`: somebody is sure that Obsidian is not running.

    The settings are copied beside themselves first, written whole, read again and compared. Raises ConfigError.
    """
    seen = look(nest, request)
    if not (seen.home.installed and seen.home.enabled) and not request.remove:
        what = "not enabled" if seen.home.installed else "not installed"
        raise ConfigError(
            f"the plugin Shell commands is {what} in this vault; nothing was changed",
            "get it under Settings, Community plugins; `nest obsidian install --print` shows what would go in",
        )
    if not seen.diff:
        _write_memory(nest, seen.plan.written)
        return seen
    if not closed and seen.app.running is not False and not seen.reloads:
        sure = "Obsidian is running" if seen.app.running else f"Obsidian may be running ({seen.app.why})"
        raise ConfigError(
            f"{sure}, and would write its own settings over these; nothing was changed",
            "quit Obsidian and try again; if it is closed for certain, add --closed",
        )
    with Plugin(nest.root).let_go() if seen.reloads and not closed else nullcontext():
        seen = _weigh(nest, request, seen.app, seen.reloads)  # what a plugin that lets go may have written is kept
        _replace(nest.root, seen)
    _write_memory(nest, seen.plan.written)
    return seen


def kept_by_person(states: Mapping[str, State]) -> list[tuple[str, State]]:
    """Entries that were left as they are, and why."""
    return [(key, state) for key, state in states.items() if state in ("kept", "left out", "in use")]


def _replace(root: Path, seen: Look) -> None:
    path, content = seen.home.path, seen.plan.text.encode("utf-8")
    if seen.before is not None:
        stamp = datetime.now().strftime("%Y%m%d-%H%M%S-%f")
        write_file(root, f"{path.removesuffix('.json')}.nest-backup-{stamp}.json", seen.before)
    write_file(root, path, content, digest(seen.before) if seen.before is not None else None)
    if read_file(root, path, _MAX_BYTES) != content:
        raise ConfigError(f"{path} is not what was just written", "is Obsidian running? Close it and try again")


def _read_settings(root: Path, home: Home) -> bytes | None:
    try:
        return read_file(root, home.path, _MAX_BYTES)
    except NoteMissing:
        return None


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"data.json is no UTF-8: {error}", "let the plugin write it anew; nothing was changed"
        ) from None


def _check_fresh(home: Home) -> None:
    """A plugin that never wrote settings takes those of its own version only."""
    numbers = [int(part) if part.isdigit() else 0 for part in home.version.split(".")[:2]]
    if numbers != [0, 23]:
        raise ConfigError(
            f"the plugin (version {home.version or 'unknown'}) has no settings yet",
            "open its settings in Obsidian once, so that it writes them; then try again",
        )


def _diff(path: str, before: str | None, after: str) -> str:
    if before == after or (before is None and not after):
        return ""
    old, new = ((text or "").splitlines(keepends=True) for text in (before, after))
    lines = difflib.unified_diff(old, new, path if before is not None else "/dev/null", path)
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _remarks(app: App) -> tuple[str, ...]:
    if not app.boxed:
        return ()
    way = "flatpak override --user --talk-name=org.freedesktop.Flatpak md.obsidian.Obsidian"
    more = (
        f"; for Flatpak, `{way}` and `flatpak-spawn --host` before each command let it out"
        if app.boxed != "snap"
        else ""
    )
    return (
        f"Obsidian from {app.boxed} cannot start programs of this machine, so the commands will not find nest{more}",
    )


def _platform() -> str:
    return sys.platform if sys.platform in ("win32", "darwin") else "linux"


def own_program() -> Path:
    """The command `nest` as it was called, else the one beside this Python."""
    called = Path(sys.argv[0])
    if called.name.removesuffix(".exe") == "nest" and called.is_file():
        return Path(os.path.realpath(called.parent)) / called.name  # a link in ~/.local/bin outlives what it leads to
    beside = Path(sys.executable).with_name("nest.exe" if sys.platform == "win32" else "nest")
    if not beside.is_file():
        raise ConfigError("the command `nest` is not where this Python is", "name it with --program PATH")
    return beside


def _state_folder(nest: Nest) -> Path:
    return nest.folders.state / vault_key(nest.root)


def _read_memory(nest: Nest) -> dict[str, str]:
    try:
        found = json.loads((_state_folder(nest) / _MEMORY).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _write_memory(nest: Nest, written: Mapping[str, str]) -> None:
    folder = _state_folder(nest)
    if _read_memory(nest) == written:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = (folder / _MEMORY).read_bytes() if (folder / _MEMORY).exists() else None
        content = json.dumps(written, indent=2).encode()
        write_file(folder, _MEMORY, content, digest(before) if before is not None else None)
    except OSError as error:
        raise NestError(
            f"{folder} cannot be written: {error.strerror}", "set NEST_STATE_DIR to a folder of yours"
        ) from None
