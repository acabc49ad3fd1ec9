"""A vault's root in; where its settings lie, which plugins it has, whether Obsidian runs, out. *Disk, Process*, reading
only; `Plugin` alone asks a running Obsidian to let go of the plugin and to take it up again."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nestkit.errors import ConfigError

PLUGIN = "obsidian-shellcommands"
_SECONDS = 20
_MOST_BYTES = 1 << 20
_NAMES = re.compile(
    r"(^|[/\\])(Obsidian|obsidian)(-[\d.]+)?(\.AppImage|\.exe)?$|md\.obsidian\.Obsidian|/Obsidian\.app/"
)
"""How the app's process is called: by itself, as AppImage, in Flatpak, on macOS."""


@dataclass(frozen=True, slots=True)
class Home:
    """A vault's folder of settings."""

    folder: str
    """Vault-relative; `.obsidian` unless the vault has another."""
    installed: bool
    enabled: bool
    version: str
    """Of the plugin, empty when it is not installed."""

    @property
    def path(self) -> str:
        """The plugin's settings, vault-relative."""
        return f"{self.folder}/plugins/{PLUGIN}/data.json"


@dataclass(frozen=True, slots=True)
class App:
    """Obsidian as far as it can be seen from here."""

    running: bool | None
    """None when it cannot be told."""
    why: str
    boxed: str = ""
    """Flatpak or snap, which keep the app from programs of the host."""


def find_home(root: Path, named: str = "") -> Home:
    """Where Obsidian keeps this vault's settings. Raises ConfigError when there is none, or more than one."""
    folders = [named] if named else sorted(_config_folders(root))
    if named and not (root / named).is_dir():
        raise ConfigError(f"{named} is no folder of this vault", "name the one Obsidian uses, with --config-folder")
    if not folders:
        raise ConfigError("Obsidian has never opened this vault", "open it there once, then install the plugin")
    if len(folders) > 1 and ".obsidian" not in folders:
        raise ConfigError(f"settings in {' and '.join(folders)}", "name the one that counts with --config-folder")
    folder = ".obsidian" if ".obsidian" in folders else folders[0]
    manifest = _read_json(root / folder / "plugins" / PLUGIN / "manifest.json")
    enabled = _read_json(root / folder / "community-plugins.json")
    version = str(manifest.get("version", "")) if isinstance(manifest, dict) else ""
    return Home(folder, isinstance(manifest, dict), isinstance(enabled, list) and PLUGIN in enabled, version)


def find_app(environ: Mapping[str, str] = os.environ) -> App:
    """Whether Obsidian is running, on any vault; None is said wherever a look might miss it."""
    names = _list_proc(Path("/proc")) if sys.platform.startswith("linux") else _list_processes()
    found = next((name for name in names or () if _NAMES.search(name)), "")
    boxed = next((kind for kind, mark in (("Flatpak", "md.obsidian"), ("snap", "/snap/")) if mark in found), "")
    boxed = boxed or _installed_box(Path(environ.get("HOME", "/")))
    if found:
        return App(True, f"{found.rpartition('/')[2]} is running", boxed)
    if names is None:
        return App(None, "the list of processes cannot be read", boxed)
    if sys.platform.startswith("linux") and _is_box():
        return App(None, "in a container or in WSL, where programs outside cannot be seen", boxed)
    return App(False, "no such process", boxed)


class Plugin:
    """The official command line of a running Obsidian, where there is one."""

    def __init__(self, root: Path) -> None:
        self.program = shutil.which("obsidian-cli") or shutil.which("obsidian")
        self.vault = root.name

    def answers(self) -> bool:
        """Whether it is there and knows this vault."""
        return self.program is not None and self._ask("version") is not None

    @contextmanager
    def let_go(self) -> Iterator[None]:
        """The plugin disabled meanwhile, so that it neither holds nor writes settings. Raises ConfigError."""
        if self._ask("plugin:disable", f"id={PLUGIN}") is None:
            raise ConfigError(
                "Obsidian did not disable the plugin", "quit Obsidian, then try again; nothing was changed"
            )
        try:
            yield
        finally:
            back = self._ask("plugin:enable", f"id={PLUGIN}")
        if back is None:
            raise ConfigError("the plugin could not be enabled again", "enable it in Obsidian's settings by hand")

    def _ask(self, *words: str) -> str | None:
        assert self.program is not None
        try:
            done = subprocess.run(
                [self.program, f"vault={self.vault}", *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        failed = done.returncode != 0 or done.stdout.lstrip().lower().startswith("error")
        return None if failed else done.stdout


def _config_folders(root: Path) -> Iterator[str]:
    """Folders that look like Obsidian's: it can be renamed, to a name with a leading dot."""
    with os.scandir(root) as listing:
        for item in listing:
            looks_so = item.name == ".obsidian" or Path(item.path, "core-plugins.json").is_file()
            if item.name.startswith(".") and looks_so and item.is_dir(follow_symlinks=False):
                yield item.name


def _read_json(file: Path) -> object:
    try:
        ordinary = file.is_file() and file.stat().st_size < _MOST_BYTES  # a pipe would hold us, a device never ends
        return json.loads(file.read_text("utf-8-sig")) if ordinary else None
    except (OSError, ValueError, RecursionError):
        return None


def _is_box() -> bool:
    if Path("/.dockerenv").exists() or Path("/run/.containerenv").exists():
        return True
    try:
        return "microsoft" in Path("/proc/version").read_text("utf-8").lower()
    except OSError:
        return True


def _installed_box(home: Path) -> str:
    if (home / ".var/app/md.obsidian.Obsidian").is_dir():
        return "Flatpak"
    return "snap" if (home / "snap/obsidian").is_dir() else ""


def _list_proc(proc: Path) -> list[str] | None:
    """Programs of all processes, by path and by first word; None when others' processes are hidden."""
    found = []
    try:
        numbers = [item for item in proc.iterdir() if item.name.isdigit()]
    except OSError:
        return None
    if proc / "1" not in numbers:  # mounted with hidepid, or a namespace of our own
        return None
    for number in numbers:
        try:
            words = (number / "cmdline").read_bytes().split(b"\0")
            found += [os.fsdecode(words[0]), (number / "comm").read_text("utf-8", "replace").strip()]
            found += ["obsidian" for word in words[1:] if word.endswith(b"app.asar") and b"obsidian" in word.lower()]
        except OSError:
            continue  # gone since it was listed
    return found


def _list_processes() -> list[str] | None:
    words = ["tasklist", "/fo", "csv", "/nh"] if sys.platform == "win32" else ["ps", "-axo", "comm="]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return [line.partition('","')[0].strip('"') for line in done.stdout.splitlines()]
