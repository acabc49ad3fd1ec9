"""A program kept as a script is a tool like any other: found, called, asked for by its question; and no way around."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from checks import NestCommand
from scripted import ask_model
from terminal import at_terminal

from nestkit.hall.replay import get_earlier, replay_exact
from nestkit.hall.review import approve, get_entry
from nestkit.hall.walk import Company
from nestkit.nest import Nest, open_nest

ASK = ("ask", "Which projects are active?", "--model", "builtin")
BY_HAND = '''"""Notes of a folder.

---
nest:
  program: true
---
"""


def in_folder(folder: str, most: int = 3) -> list[str]:
    """Titles of the notes of a folder.

    Args:
        folder: Its path.
        most: So many.
    """
    return [note["title"] for note in list_notes(folder=folder)][:most]
'''


@pytest.fixture
def answer(nest: NestCommand) -> str:
    """What the question of these tests is answered with; its run is the last one."""
    done = nest(*ASK)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def promote(nest: NestCommand, name: str = "active_projects") -> dict[str, Any]:
    done = nest("promote", "last", "--as", name, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def opened(ops: Path) -> Nest:
    nest = open_nest(ops, ops, to_write=True)
    nest.refresh()
    return nest


def test_a_promoted_program_is_found_called_asked_for_and_undone(nest: NestCommand, ops: Path, answer: str) -> None:
    told = promote(nest)
    assert (told["path"], told["applied"]) == ("02_System/active_projects.py", True)
    text = (ops / told["path"]).read_text()
    assert text.startswith('"""Which projects are active?\n\nKept from the run [[')
    assert "the program was written by the built-in planner." in " ".join(text.split())
    assert "active_projects" in nest("tools", "active projects").stdout
    assert nest("tools", "check", "active_projects").returncode == 0
    assert nest("call", "active_projects").stdout == answer
    asked = json.loads(nest(*ASK, "--json").stdout)
    assert "active_projects()" in asked["steps"][0]["program"]
    assert [call["tool"] for call in asked["steps"][0]["calls"]] == ["vault.list_notes"]
    (ops / "Projects/Zephyr.md").write_text("---\ntype: project\nstatus: active\n---\n")
    assert "Zephyr" in nest("call", "active_projects").stdout
    assert nest("undo", told["undo"]).returncode == 0
    assert not (ops / told["path"]).exists()


def test_it_is_shown_first_and_written_after_a_yes_only(nest: NestCommand, ops: Path, answer: str) -> None:
    file = ops / "02_System/mine.py"
    refused = nest("promote", "last", "--as", "mine")
    assert (refused.returncode, file.exists()) == (3, False)
    assert "+def mine():" in refused.stdout
    assert nest("promote", "last", "--as", "mine", "--dry-run").returncode == 0
    assert not file.exists()
    code, screen = at_terminal(("promote", "last", "--as", "mine"), ops, "n\n")
    assert (code, file.exists()) == (3, False)
    assert "Write 02_System/mine.py?" in screen
    assert at_terminal(("promote", "last", "--as", "mine"), ops, "y\n")[0] == 0
    assert file.exists()


@pytest.mark.parametrize("name", ["fx", "list_notes", "vault", "json", "class", "Not a name", "../evil", "_x", "tasks"])
def test_no_name_is_taken_twice_or_hides_anything(nest: NestCommand, ops: Path, answer: str, name: str) -> None:
    before = {file: file.read_bytes() for file in ops.rglob("*.py")}
    done = nest("promote", "last", "--as", name, "--yes")
    assert (done.returncode, done.stdout) == (1, "")
    assert {file: file.read_bytes() for file in ops.rglob("*.py")} == before


def test_a_file_that_is_there_is_never_overwritten(nest: NestCommand, ops: Path, answer: str) -> None:
    (ops / "02_System/notes_only.py").write_text("# mine\n")
    assert nest("promote", "last", "--as", "notes_only", "--yes").returncode == 1
    assert (ops / "02_System/notes_only.py").read_text() == "# mine\n"


def test_a_program_of_a_model_may_call_it_and_replays_when_it_is_gone(
    nest: NestCommand, ops: Path, answer: str
) -> None:
    promote(nest)
    with opened(ops) as here:
        run = ask_model(here, "print(len(active_projects()))", "final_answer([n.upper() for n in active_projects()])")
        assert (run.status, run.end.answer) == ("ok", answer.upper().splitlines())
        assert list(run.tool_digests) == ["02_System/active_projects.py"]
    (ops / "02_System/active_projects.py").unlink()
    with opened(ops) as here:
        done = replay_exact(here, get_earlier(here, run.id))
    assert (done.difference, done.calls) == (None, 2)
    assert done.remarks == ("02_System/active_projects.py is not there any more",)


def test_a_script_that_came_from_somewhere_acts_in_nobody_s_name_before_a_yes(
    nest: NestCommand, ops: Path, answer: str
) -> None:
    promote(nest)
    script = ops / "02_System/active_projects.py"
    script.write_text(script.read_text().replace("    notes =", "    append_note('README', 'x')\n    notes =", 1))
    refused = nest("call", "active_projects")
    assert refused.returncode == 4
    assert "calls other tools in your name" in refused.stderr
    assert nest("trust", "active_projects", "--yes").returncode == 0
    waiting = nest("call", "active_projects")
    assert waiting.returncode == 4
    assert "it would change README.md" in waiting.stderr


def test_under_review_all_of_it_is_shown_and_a_change_asks_again(nest: NestCommand, ops: Path, answer: str) -> None:
    promote(nest)
    with opened(ops) as here:
        waiting = ask_model(here, "final_answer(active_projects())", contract="reviewed")
        assert (waiting.status, waiting.matter and waiting.matter.gate) == ("waiting", "program")
        assert waiting.matter is not None
        assert "notes = list_notes(" in waiting.matter.program
        done = approve(here, get_entry(here, "last"), waiting.matter.digest, Company())
        assert (done.status, done.end.answer) == ("ok", answer.splitlines())
        again = ask_model(here, "final_answer(active_projects())", contract="reviewed")
    script = ops / "02_System/active_projects.py"
    script.write_text(script.read_text().replace("return [", "return ['other'] + ["))
    with opened(ops) as here:
        entry = get_entry(here, "last")
        assert entry.id == again.id
        assert approve(here, entry, entry.digest, Company()).status == "waiting"


def test_one_written_by_hand_takes_parameters_that_are_fitted_and_checked(nest: NestCommand, ops: Path) -> None:
    (ops / "02_System/in_folder.py").write_text(BY_HAND)
    assert nest("trust", "in_folder", "--yes").returncode == 0
    found = nest("call", "in_folder", "--folder", "Projects", "--most", "2")
    assert (found.returncode, len(found.stdout.splitlines())) == (0, 2)
    wrong = nest("call", "in_folder", "--folder", "Projects", "--most", "many")
    assert (wrong.returncode, "most should be" in wrong.stderr) == (1, True)
    with opened(ops) as here:
        hidden = ask_model(here, "final_answer(eval('in_' + 'folder')('Projects'))")
    assert hidden.status != "ok"
    assert "is part of a program" in hidden.steps[0].outcome.error


def test_a_program_that_does_not_call_it_needs_no_leave_for_it(nest: NestCommand, ops: Path) -> None:
    (ops / "02_System/in_folder.py").write_text(BY_HAND)
    with opened(ops) as here:
        run = ask_model(here, "this is no program", "in_folder = 3\nfinal_answer(in_folder + 1)")
    assert (run.status, run.end.answer) == ("ok", 4)


def test_only_a_script_with_one_function_of_its_own_name_is_run_as_part_of_programs(
    nest: NestCommand, ops: Path
) -> None:
    (ops / "02_System/other_name.py").write_text(BY_HAND)
    done = nest("tools", "check", "other_name")
    assert done.returncode == 1
    assert "one function, called other_name" in done.stdout


def test_a_trace_of_somebody_else_is_not_promoted(nest: NestCommand, ops: Path, answer: str) -> None:
    (trace,) = (ops / ".nest/runs").glob("*.jsonl")
    trace.write_bytes(trace.read_bytes().replace(b"'active'", b"'paused'"))
    done = nest("promote", "last", "--as", "mine", "--yes")
    assert (done.returncode, (ops / "02_System/mine.py").exists()) == (1, False)
