"""A question is compiled once: the second time its program runs on today's vault, and no model is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checks import NestCommand

from nestkit.testing import OllamaServer

ASK = "How many clients are there?"
PROGRAM = "final_answer(len(list_notes(folder='Clients')))"


def turn(program: str) -> dict[str, Any]:
    return {"role": "assistant", "content": f"```python\n{program}\n```"}


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    with OllamaServer([turn(PROGRAM), *[turn("final_answer(len(list_notes(folder='Clients')) + 100)")] * 3]) as play:
        yield play


def ask(nest: NestCommand, server: OllamaServer, text: str = ASK, *words: str) -> dict[str, Any]:
    done = nest("ask", text, "--model", "ollama/scripted", "--json", *words, env={"OLLAMA_HOST": server.url})
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_the_same_ask_runs_the_kept_program_on_the_vault_as_it_is_now(
    nest: NestCommand, ops: Path, server: OllamaServer
) -> None:
    first = ask(nest, server)
    (ops / "Clients/New one.md").write_text("hello\n")
    second = ask(nest, server, "how many clients are there")
    assert len(server.requests) == 1
    assert second["answer"] == first["answer"] + 1
    assert (first["kept_from"], second["kept_from"]) == (None, first["run"])
    assert second["tokens"] == {"in": 0, "out": 0}
    note = (ops / second["run"]).read_text("utf-8")
    assert "nest-kept-from:" in note
    assert "Program kept from: [[" in note
    shown = json.loads(nest("runs", "show", "last", "--json").stdout)
    assert shown["kept_from"]


def test_it_also_answers_when_the_server_is_down(nest: NestCommand, server: OllamaServer) -> None:
    ask(nest, server)
    done = nest("ask", ASK, "--model", "ollama/scripted", env={"OLLAMA_HOST": "127.0.0.1:9"})
    assert (done.returncode, done.stdout) == (0, "3\n")
    assert "--fresh" in done.stderr


def test_fresh_asks_the_model_anew(nest: NestCommand, server: OllamaServer) -> None:
    ask(nest, server)
    assert ask(nest, server, ASK, "--fresh")["answer"] == 103
    assert ask(nest, server)["answer"] == 103, "what came last is kept"
    assert len(server.requests) == 2


@pytest.mark.parametrize("change", ["script", "property", "prompt", "trace", "model"])
def test_what_has_changed_since_sends_it_back_to_the_model(
    nest: NestCommand, ops: Path, server: OllamaServer, change: str
) -> None:
    (ops / "02_System/count.py").write_text('def count() -> int:\n    """Counts."""\n    return 3\n')
    with OllamaServer([turn("final_answer(count.count())"), turn("final_answer(count.count() + 100)")]) as play:
        first = ask(nest, play)
        if change == "script":
            (ops / "02_System/count.py").write_text('def count() -> int:\n    """Counts."""\n    return 4\n')
        elif change == "property":
            (ops / "Clients/Odd.md").write_text("---\nnever-seen: 1\n---\n")
        elif change == "prompt":
            (ops / "02_System/Prompts").mkdir()
            (ops / "02_System/Prompts/system.md").write_text("Write Python.\n")
            nest("trust", "system.md", "--yes")
        elif change == "trace":
            (ops / f".nest/runs/{first['id']}.jsonl").unlink()
        model = ("--model", "ollama/another") if change == "model" else ()
        second = ask(nest, play, ASK, *model)
    assert (first["answer"], len(play.requests)) == (3, 2)
    assert second["answer"] in (103, 104)


def test_an_error_of_the_kept_program_leaves_it_to_the_model(
    nest: NestCommand, ops: Path, server: OllamaServer
) -> None:
    program = "rows = [n.properties['country'] for n in list_notes(folder='Clients')]\nfinal_answer(len(rows))"
    with OllamaServer([turn(program), turn("final_answer(len(list_notes(folder='Clients')))")]) as play:
        ask(nest, play)
        (ops / "Clients/New one.md").write_text("without properties\n")
        told = ask(nest, play)
        again = ask(nest, play)
    assert (told["answer"], told["kept_from"], len(told["steps"])) == (4, None, 2)
    assert "KeyError" in told["steps"][0]["error"]
    assert (again["answer"], again["kept_from"]) == (4, told["run"])


def test_a_run_without_a_note_keeps_nothing(nest: NestCommand, server: OllamaServer) -> None:
    ask(nest, server, ASK, "--no-note")
    ask(nest, server)
    assert len(server.requests) == 2


def test_what_is_kept_is_listed_and_forgotten(nest: NestCommand, server: OllamaServer) -> None:
    assert "no programs are kept" in nest("runs", "cache").stdout
    ask(nest, server)
    assert ASK in nest("runs", "cache").stdout
    (kept,) = json.loads(nest("runs", "cache", "--json").stdout)
    assert (kept["program"].strip(), kept["model"]) == (PROGRAM, "ollama/scripted")
    assert nest("runs", "cache", "--forget", "zzz").stdout == "forgot 0\n"
    assert nest("runs", "cache", "--forget", kept["key"][:8]).stdout == "forgot 1\n"
    ask(nest, server)
    assert len(server.requests) == 2
    assert nest("runs", "cache", "--forget", "all").stdout == "forgot 1\n"


def test_what_is_kept_lies_outside_the_vault_and_a_copy_of_it_is_not_believed(
    nest: NestCommand, ops: Path, server: OllamaServer, tmp_path: Path
) -> None:
    ask(nest, server)
    assert not list(ops.rglob("programs/*"))
    (file,) = (tmp_path / "user/cache").rglob("programs/*.json")
    file.write_text(file.read_text("utf-8").replace("Clients", "Client\\"))
    ask(nest, server)
    assert len(server.requests) == 2


WRITER = '''"""Writes a note.

---
nest:
  permissions: ["write:Out/**"]
---
"""
from pathlib import Path


def put(name: str) -> str:
    """Write a note."""
    Path("Out").mkdir(exist_ok=True)
    Path(f"Out/{name}.md").write_text(name)
    return name
'''


def test_a_run_that_waits_after_its_kept_program_failed_goes_on_where_it_stopped(nest: NestCommand, ops: Path) -> None:
    (ops / "02_System/writer.py").write_text(WRITER)
    program = "rows = [n.properties['country'] for n in list_notes(folder='Clients')]\nfinal_answer(len(rows))"
    with OllamaServer([turn(program), turn("print(len(list_notes()))"), turn("final_answer(put('a'))")]) as play:
        ask(nest, play)
        (ops / "Clients/New one.md").write_text("without properties\n")
        told = ask(nest, play)
        assert (told["status"], len(play.requests)) == ("waiting", 3), told
        assert not (ops / "Out").exists()
        done = nest("review", "approve", "last", env={"OLLAMA_HOST": play.url})
        assert len(play.requests) == 3, "what the model said is on record"
    assert done.returncode == 0, done.stderr
    assert (ops / "Out/a.md").read_text() == "a"
    shown = json.loads(nest("runs", "show", "last", "--json").stdout)
    assert (shown["status"], len(shown["story"]), shown["kept_from"]) == ("ok", 3, "")


def test_a_kept_program_that_waits_for_review_is_still_known_as_kept(nest: NestCommand, server: OllamaServer) -> None:
    first = ask(nest, server, ASK, "--contract", "reviewed")
    assert first["status"] == "waiting"
    nest("review", "approve", "last", env={"OLLAMA_HOST": server.url})
    second = ask(nest, server, ASK, "--contract", "reviewed")
    assert (second["status"], len(server.requests)) == ("waiting", 1)
    done = nest("review", "approve", "last", env={"OLLAMA_HOST": server.url})
    assert done.returncode == 0, done.stderr
    shown = json.loads(nest("runs", "show", "last", "--json").stdout)
    assert (shown["status"], bool(shown["kept_from"]), len(server.requests)) == ("ok", True, 1)
