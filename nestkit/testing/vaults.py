"""A vault out of a dict: paths and their text in, a folder out. *Disk*."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from nestkit.errors import OutsideVault


def make_vault(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """The folder, made even when there are no files, with each file written byte for byte.

    Text becomes UTF-8 with its newlines as they are, on every system. Raises OutsideVault for a path that is not
    vault-relative; nothing is written then.
    """
    for path in files:
        if PurePosixPath(path).is_absolute() or Path(path).is_absolute() or ".." in PurePosixPath(path).parts:
            raise OutsideVault(f"{path!r} leads out of the vault", "name files from the vault's root: Folder/Note.md")
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return folder
