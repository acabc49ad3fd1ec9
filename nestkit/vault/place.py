"""Where somebody stands in; the vault they mean, and the folders nest keeps of its own, out. *Disk*."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nestkit.errors import NoVault

_MARKED_FOLDERS = (".obsidian", ".nest", "02_System")
_MARKED_FILE = "nest.toml"
_NOTES = (".md", ".canvas")
_LEVELS = 3
_ENTRIES = 2_000
"""How many names are looked at before a folder counts as no vault: `nest` may be typed anywhere."""


@dataclass(frozen=True, slots=True)
class Place:
    """A vault's root on this machine."""

    root: Path
    """Absolute, links resolved."""
    marked: bool
    """It says itself that it is a vault; else it is only a folder with notes."""


@dataclass(frozen=True, slots=True)
class Folders:
    """The user's folders for nest, absolute; none of them need be there yet."""

    cache: Path
    """Rebuilt when lost: the index, tool environments."""
    state: Path
    """Grants, the ledger of triggers, the log."""
    config: Path
    """`config.toml`."""


def find_vault(start: Path, named: Path | None = None) -> Place:
    """The vault somebody means who stands in `start`, or who named it.

    A named folder is taken as it is. Else the nearest folder from `start` upwards with a mark (`.obsidian`, `.nest`,
    `02_System`, `nest.toml`), the home folder at the highest; else `start` itself when it holds notes. Raises NoVault.
    """
    if named is not None:
        return _named_place(named)
    here = Path(os.path.realpath(start))
    home = _home()
    for folder in (here, *here.parents):
        if _is_marked(folder):
            return Place(folder, marked=True)
        if folder == home:
            break
    if here != home and here not in home.parents and here.parent != here and _holds_notes(here):
        return Place(here, marked=False)
    raise NoVault(
        f"no vault here or above ({here})",
        "run `nest init` to make this folder one, or name yours with --vault DIR or NEST_VAULT",
    )


def user_folders(environment: Mapping[str, str] = os.environ) -> Folders:
    """Where nest keeps what is not the vault's: the system's customary places, or NEST_CACHE_DIR, NEST_STATE_DIR and
    NEST_CONFIG_DIR."""
    cache, state, config = (environment.get(f"NEST_{kind}_DIR", "") for kind in ("CACHE", "STATE", "CONFIG"))
    if not (cache and state and config):
        from platformdirs import PlatformDirs  # late: costs as much as listing a thousand notes

        usual = PlatformDirs("nest", appauthor=False)
        cache, state = cache or usual.user_cache_dir, state or usual.user_state_dir
        config = config or usual.user_config_dir
    return Folders(*(Path(os.path.realpath(Path(folder).expanduser())) for folder in (cache, state, config)))


def vault_key(root: Path) -> str:
    """A short name for this vault among others on this machine; the same as long as the vault stays where it is."""
    return hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:16]


def _named_place(named: Path) -> Place:
    root = Path(os.path.realpath(named.expanduser()))
    if not root.is_dir():
        what = "is a file, not a folder" if root.exists() else "is not there"
        raise NoVault(f"{named} {what}", "name a folder with --vault DIR or NEST_VAULT; `nest init DIR` makes one")
    return Place(root, _is_marked(root))


def _home() -> Path:
    try:
        return Path(os.path.realpath(Path.home()))
    except RuntimeError:  # no HOME and no such user
        return Path("/")


def _is_marked(folder: Path) -> bool:
    try:
        return any((folder / name).is_dir() for name in _MARKED_FOLDERS) or (folder / _MARKED_FILE).is_file()
    except PermissionError:  # a folder above that we may not look into
        return False


def _holds_notes(folder: Path) -> bool:
    """Whether a note lies within three levels, as far as the first few thousand names tell."""
    level, left = [folder], _ENTRIES
    for _ in range(_LEVELS):
        below: list[Path] = []
        for place in level:
            for name, is_folder in _listed(place, left):
                left -= 1
                if is_folder:
                    below.append(place / name)
                elif name.lower().endswith(_NOTES):
                    return True
        level = below
    return False


def _listed(folder: Path, most: int) -> list[tuple[str, bool]]:
    found: list[tuple[str, bool]] = []
    try:
        with os.scandir(folder) as listing:
            for item in listing:
                if len(found) >= most:
                    break
                if not item.name.startswith("."):
                    found.append((item.name, item.is_dir(follow_symlinks=False)))
    except OSError:
        pass  # a folder we may not look into holds no notes for us
    return found
