"""What people ask, walked end to end: a real vault, a real server over HTTP, a real child, a note on disk."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from checks import check_run

from nestkit.hall.walk import Company
from nestkit.nest import open_nest
from nestkit.run import Ask, Run
from nestkit.testing import OllamaServer

HERE = Path(__file__).parent
CASES = [json.loads(line) for line in (HERE / "cases/asks.jsonl").read_text("utf-8").splitlines()]
BUILTIN = [case for case in CASES if case["mode"] in ("builtin", "any")]
SCRIPTED = [case for case in CASES if case["mode"] == "scripted-model"]


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HERE / "vaults/ops", tmp_path / "vault"))


def walk(vault: Path, case: dict[str, Any], text: str, model: str = "builtin") -> Run:
    folders = {f"NEST_{name}_DIR": str(vault.parent / name) for name in ("CACHE", "STATE", "CONFIG")}
    with open_nest(vault, vault, environ=folders, to_write=True) as nest:
        nest.refresh()
        return nest.answer(Ask(text, datetime.fromisoformat(case["now"]).astimezone(), model=model), Company())


def digests(vault: Path) -> dict[str, str]:
    """Every file of the vault but nest's own, with its bytes' digest."""
    files = [file for file in vault.rglob("*") if file.is_file()]
    paths = {file.relative_to(vault).as_posix(): file for file in files}
    return {
        path: hashlib.sha256(file.read_bytes()).hexdigest()
        for path, file in paths.items()
        if not path.startswith((".nest/", "03_Runs/"))
    }


@pytest.mark.parametrize("case", BUILTIN, ids=[case["id"] for case in BUILTIN])
def test_the_planner_answers_rightly_or_refuses(case: dict[str, Any], vault: Path) -> None:
    before = digests(vault)
    for text in (case["ask"], *case.get("variants", ())):
        run = walk(vault, case, text)
        if run.status != "refused" or case["kind"] == "must-refuse":
            assert check_run(case, run) == "", text
        assert run.path is not None
        assert (vault / run.path).exists()
    assert digests(vault) == before


@pytest.mark.parametrize("case", SCRIPTED, ids=[case["id"] for case in SCRIPTED])
def test_a_model_s_programs_are_run_to_the_right_end(
    case: dict[str, Any], vault: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = {"role": "assistant", "content": f"Thought: compose.\n```python\n{case['reference']}```"}
    before = digests(vault)
    with OllamaServer(case.get("turns", [reply])) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        run = walk(vault, case, case["ask"], "ollama/scripted")
        server.check()
    assert check_run(case, run) == ""
    assert digests(vault) == before


def test_most_samples_are_answered_not_refused(vault: Path) -> None:
    answerable = [case for case in BUILTIN if case["kind"] == "builtin-answerable"]
    refused = [case["id"] for case in answerable if walk(vault, case, case["ask"]).status == "refused"]
    assert len(refused) <= 0.3 * len(answerable), refused
