"""A vault out of a dict."""

from __future__ import annotations

from pathlib import Path

import pytest

from nestkit.errors import OutsideVault
from nestkit.testing import make_vault


def test_files_are_written_byte_for_byte(tmp_path: Path) -> None:
    files = {"A.md": "ünï\r\nand\n", "Deep/er/日本.md": "", "pic.png": b"\x89PNG\r\n", ".obsidian/app.json": "{}"}
    vault = make_vault(tmp_path / "vault", files)
    assert vault == tmp_path / "vault"
    written = {file.relative_to(vault).as_posix(): file.read_bytes() for file in vault.rglob("*") if file.is_file()}
    assert written == {path: text if isinstance(text, bytes) else text.encode() for path, text in files.items()}


def test_a_vault_without_files_is_a_folder(tmp_path: Path) -> None:
    assert make_vault(tmp_path / "a" / "b", {}).is_dir()


@pytest.mark.parametrize("path", ["../A.md", "a/../../A.md", "/tmp/A.md"])
def test_a_path_out_of_the_vault_writes_nothing(tmp_path: Path, path: str) -> None:
    with pytest.raises(OutsideVault, match="leads out of the vault"):
        make_vault(tmp_path / "vault", {"Fine.md": "x", path: "x"})
    assert not (tmp_path / "vault").exists()
