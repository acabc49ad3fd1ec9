"""What every test may use: a vault, the real command, and no settings of the person who runs the tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from checks import COMMAND, NestCommand


@pytest.fixture(autouse=True)
def _own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """nest's folders below the test's own, and no server of this machine."""
    for name in ("CACHE", "STATE", "CONFIG"):
        monkeypatch.setenv(f"NEST_{name}_DIR", str(tmp_path / "user" / name.lower()))
    for name in ("NEST_VAULT", "OLLAMA_HOST", "OLLAMA_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ops(tmp_path: Path) -> Path:
    """A scratch copy of the small working vault of the ask samples."""
    return Path(shutil.copytree(Path(__file__).parent / "vaults/ops", tmp_path / "ops"))


@pytest.fixture
def nest(ops: Path) -> NestCommand:
    """Run `nest` in the vault as a person would: nest("ask", "...", stdin="", cwd=..., env={...})."""

    def run(
        *words: str, stdin: str = "", cwd: Path = ops, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **(env or {})}
        return subprocess.run(
            [COMMAND, *words], input=stdin, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60
        )

    return run
