"""A vault and a person's folders in; the settings of both together out, as `config.py` merges them. Part of the hall.
*Disk*, reading only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nestkit.config import Config, merge_config, parse_config
from nestkit.errors import ConfigError, VaultError
from nestkit.vault.files import read_settings
from nestkit.vault.place import Folders


def read_config(root: Path, folders: Folders) -> Config:
    """The settings in force for the vault at `root`. Raises ConfigError."""
    return merge_config(_read_sections(folders.config / "config.toml"), _read_sections(root / "nest.toml"))


def read_own_config(folders: Folders) -> Config:
    """The person's own settings, with no vault's on top. Raises ConfigError."""
    return merge_config(_read_sections(folders.config / "config.toml"), {})


def _read_sections(file: Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        text = read_settings(file)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, VaultError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}", "mend it, or move it away") from None
    return parse_config(text.replace("\r\n", "\n"), str(file))
