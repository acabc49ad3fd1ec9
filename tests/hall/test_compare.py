"""Runs compared as they truly were: from sealed traces, else from their notes, and that is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checks import NestCommand

ASK = ("--model", "builtin", "--now", "2026-03-18T09:00:00", "--json")


def asked(nest: NestCommand, *words: str) -> str:
    """Id of the run that came of it."""
    done = nest(*words)
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["id"])


def told(nest: NestCommand, old: str, new: str) -> dict[str, Any]:
    done = nest("diff", old, new, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [part["what"] for part in found["differences"]]


@pytest.fixture
def runs(nest: NestCommand) -> tuple[str, str]:
    """Two runs of one tool, which has another version and another answer the second time."""
    ask = ("ask", "convert 10 EUR to USD", *ASK)
    return asked(nest, *ask), asked(nest, "ask", "Which projects are active?", *ASK)


def test_two_questions_differ_in_words_program_answer_and_calls(nest: NestCommand, runs: tuple[str, str]) -> None:
    found = told(nest, *runs)
    assert not found["same"]
    assert {"ask", "reading", "answer", "program", "calls"} <= set(names(found))
    assert (found["old"]["id"], found["new"]["id"]) == runs
    assert found["old"]["seconds"] > 0
    assert told(nest, runs[1], runs[1])["same"]


def test_the_same_program_over_another_vault_differs_in_what_it_read_and_answered(
    nest: NestCommand, ops: Path, runs: tuple[str, str]
) -> None:
    (ops / "Projects/Zephyr.md").write_text("---\ntype: project\nstatus: active\n---\n")
    new = asked(nest, "replay", runs[1], "--program", "--json")
    found = told(nest, runs[1], new)
    assert names(found) == ["answer", "calls", "reads"]
    assert "+Projects/Zephyr.md" in found["differences"][-1]["diff"]
    shown = nest("diff", runs[1], new).stdout
    assert "+Projects/Zephyr.md" in shown
    assert "program:" not in shown


def test_a_tool_that_changed_in_between_is_named_by_its_versions(
    nest: NestCommand, ops: Path, runs: tuple[str, str]
) -> None:
    script = ops / "02_System/fx.py"
    script.write_text(script.read_text() + "\n# another version\n")
    found = told(nest, runs[0], asked(nest, "ask", "convert 10 EUR to USD", *ASK))
    (part,) = found["differences"]
    assert part["what"] == "tool 02_System/fx.py"
    assert len(part["old"]) == len(part["new"]) == 16
    assert part["old"] != part["new"]


def test_what_two_runs_changed_is_compared_file_by_file(nest: NestCommand, ops: Path) -> None:
    (ops / "02_System/save.py").write_text(
        '"""Saves.\n\n---\nnest:\n  permissions: ["write:Out/"]\n---\n"""\n\nfrom pathlib import Path\n\n\n'
        'def save(text: str) -> int:\n    """Save a text."""\n    Path("Out").mkdir(exist_ok=True)\n'
        '    return Path(f"Out/{len(text)}.md").write_text(text)\n'
    )
    for text in ("a", "bb"):
        assert nest("call", "save.save", "--text", text, "--yes").returncode == 0
    ids = [run["id"] for run in json.loads(nest("runs", "list", "--json").stdout)]
    found = told(nest, ids[1], ids[0])
    assert "-+++ Out/1.md" in found["differences"][-1]["diff"]
    assert "++++ Out/2.md" in found["differences"][-1]["diff"]
    assert names(found) == ["answer", "program", "calls", "changes"]


def test_without_a_trace_that_this_machine_sealed_notes_are_compared_and_that_is_said(
    nest: NestCommand, ops: Path, runs: tuple[str, str]
) -> None:
    trace = ops / f".nest/runs/{runs[0]}.jsonl"
    trace.write_bytes(trace.read_bytes().replace(b"EUR", b"GBP"))
    found = told(nest, *runs)
    assert "compared by their notes" in found["remarks"][0]
    assert {"ask", "reading", "answer", "program", "calls"} <= set(names(found))
    assert "GBP" not in json.dumps(found)
    assert "compared by their notes" in nest("diff", *runs).stderr


def test_nothing_hides_in_what_is_shown(nest: NestCommand, ops: Path, runs: tuple[str, str]) -> None:
    (ops / "Projects/Evil.md").write_text("---\ntype: project\nstatus: active\nx: 1\n---\n")
    (ops / "Projects/Evil.md").rename(ops / "Projects/E\u202evil\u200b.md")
    new = asked(nest, "replay", runs[1], "--program", "--json")
    shown = nest("diff", runs[1], new).stdout
    assert "E⟦U+202E⟧vil⟦U+200B⟧" in shown
    assert not {"\u202e", "\u200b", "\x1b"} & set(shown)


def test_a_run_that_is_not_there_is_said(nest: NestCommand, runs: tuple[str, str]) -> None:
    done = nest("diff", runs[0], "nobody")
    assert (done.returncode, "no run 'nobody'" in done.stderr) == (1, True)
