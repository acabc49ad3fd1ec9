"""Notes that ask whenever something happens to others."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from watching.vaults import daemon, holds, nest, once, quicken, runs, until

from nestkit.note import Problem
from nestkit.parse.automation import parse_automation
from nestkit.trigger import Automation

FILE_IT = '''"""File notes.

---
nest:
  permissions: ["write:Log/"]
---
"""

import os
from pathlib import Path


def log(note: str) -> str:
    """Write down what happened.

    Args:
        note: Its path.
    """
    folder = Path(os.environ["VAULT_PATH"]) / "Log"
    folder.mkdir(exist_ok=True)
    number = len(list(folder.iterdir()))
    (folder / f"{number}.md").write_text(note)
    return note
'''


FILE_AWAY = '''"""File notes away.

---
nest:
  permissions: ["write:**", "delete:In/"]
---
"""

import os


def file_away(note: str) -> str:
    """Move a note among those that are done.

    Args:
        note: Its path.
    """
    os.makedirs("Done", exist_ok=True)
    os.rename(note, f"Done/{os.path.basename(note)}")
    return note


def touch_up(note: str) -> str:
    """Add a line to a note.

    Args:
        note: Its path.
    """
    with open(note, "a") as file:
        file.write("seen\\n")
    return note
'''


@pytest.fixture(autouse=True)
def _quick() -> None:
    quicken()


@pytest.fixture
def vault(ops: Path) -> Path:
    """With a tool that may write, and looked at once."""
    (ops / "02_System/logbook.py").write_text(FILE_IT)
    (ops / "02_System/Automations").mkdir()
    done = nest(ops, "trust", "logbook.log", "--yes")
    assert done.returncode == 0, done.stderr
    once(ops)
    return ops


def automate(vault: Path, **properties: object) -> None:
    lines = [f"{name}: {json.dumps(value)}" for name, value in properties.items()]
    (vault / "02_System/Automations/Log.md").write_text("\n".join(["---", *lines, "---", "Writes it down.", ""]))


def logged(vault: Path) -> list[str]:
    """What the tool wrote down."""
    return [file.read_text() for file in sorted((vault / "Log").glob("*.md"))] if (vault / "Log").exists() else []


def test_a_new_note_in_a_folder_sets_it_off_once(vault: Path) -> None:
    automate(vault, on="created", folder="In", tool="logbook.log")
    once(vault)
    (vault / "In").mkdir()
    (vault / "In/a.md").write_text("hello\n")
    (vault / "b.md").write_text("hello\n")
    once(vault)
    assert logged(vault) == ["In/a.md"]
    assert (vault / "In/a.md").read_text() == "hello\n"
    once(vault)
    assert logged(vault) == ["In/a.md"]
    shown = nest(vault, "why", "In/a.md").stdout
    assert "02_System/Automations/Log.md" in shown
    assert "carried out" in shown


@pytest.mark.parametrize(
    ("on", "before", "after", "fires"),
    [
        ("changed", "a\n", "b\n", True),
        ("changed", "a\n", "a\n", False),
        ("tagged urgent", "a\n", "a #urgent\n", True),
        ("tagged #urgent", "a\n", "---\ntags: [Urgent]\n---\n", True),
        ("tagged urgent", "a #urgent\n", "b #urgent\n", False),
        ("status becomes done", "---\nstatus: open\n---\n", "---\nstatus: Done\n---\n", True),
        ("property status becomes done", "---\nstatus: done\n---\n", "---\nstatus: done\n---\nx", False),
        ("status becomes done", "a\n", "---\nstatus: [open, done]\n---\n", True),
    ],
)
def test_what_changed_in_a_note_sets_it_off(vault: Path, on: str, before: str, after: str, fires: bool) -> None:
    (vault / "n.md").write_text(before)
    automate(vault, on=on, tool="logbook.log")
    once(vault)
    known = logged(vault)
    (vault / "n.md").write_text(before)
    once(vault)
    (vault / "n.md").write_text(after)
    once(vault)
    assert logged(vault) == known + ["n.md"] * fires


def test_a_note_that_was_moved_is_not_a_new_one(vault: Path) -> None:
    (vault / "n.md").write_text("hello, I am one of a kind\n")
    automate(vault, on="moved", folder="Done", tool="logbook.log")
    (vault / "02_System/Automations/New.md").write_text("---\non: created\nfolder: Done\ntool: logbook.log\n---\n")
    once(vault)
    (vault / "Done").mkdir()
    (vault / "n.md").rename(vault / "Done/m.md")
    once(vault)
    assert logged(vault) == ["Done/m.md"]


def test_filters_hold_and_an_ask_knows_its_note(vault: Path) -> None:
    automate(vault, on="created", tag="x", where={"kind": "a"}, ask="List the active projects")
    once(vault)
    (vault / "1.md").write_text("---\nkind: a\n---\n#x\n")
    (vault / "2.md").write_text("---\nkind: b\n---\n#x\n")
    (vault / "3.md").write_text("---\nkind: a\n---\n#y\n")
    once(vault)
    assert len(runs(vault)) == 1
    assert "[[1]]" in runs(vault)[0].read_text()


def test_what_nest_writes_sets_off_nothing(vault: Path) -> None:
    automate(vault, on="created", tool="logbook.log")
    (vault / "02_System/Automations/Changed.md").write_text("---\non: changed\ntool: logbook.log\n---\n")
    once(vault)
    (vault / "a.md").write_text("- [ ] #nest Which projects are active?\n")
    for _ in range(3):
        once(vault)
    assert logged(vault) == ["a.md"]


def test_a_tool_without_leave_waits_for_a_person(vault: Path) -> None:
    (vault / "02_System/logbook.py").write_text(FILE_IT + "# changed\n")
    automate(vault, on="created", tool="logbook.log")
    once(vault)
    (vault / "a.md").write_text("x\n")
    told = once(vault)
    assert logged(vault) == []
    assert told["last"][0]["state"] in ("waiting", "refused")


@pytest.mark.parametrize(
    ("tool", "path", "content"),
    [("filing.file_away", "Done/a.md", "letter\n"), ("filing.touch_up", "In/a.md", "letter\nseen\n")],
)
def test_an_automation_that_a_person_approves_later_leaves_the_note_it_happened_to_alone(
    vault: Path, tool: str, path: str, content: str
) -> None:
    (vault / "02_System/filing.py").write_text(FILE_AWAY)
    assert nest(vault, "trust", tool, "--yes").returncode == 0
    automate(vault, on="created", folder="In", tool=tool)
    once(vault)
    (vault / "In").mkdir()
    (vault / "In/a.md").write_text("letter\n")
    once(vault)
    done = nest(vault, "review", "approve", "last")
    assert done.returncode == 0, done.stderr
    assert "is not there" not in done.stderr
    assert (vault / path).read_text() == content


def test_a_running_daemon_takes_up_a_new_automation(vault: Path) -> None:
    with daemon(vault):
        automate(vault, on="created", folder="In", tool="logbook.log")
        until(lambda: "on" in nest(vault, "why", "02_System/Automations/Log.md").stdout)
        (vault / "In").mkdir()
        time.sleep(1.0)  # a note that is there before its automation is read sets off nothing
        (vault / "In/a.md").write_text("text\n")
        until(holds(vault / "Log/0.md", "In/a.md"))


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ("on: often\ntool: x", "none of created"),
        ("on: created", "an `ask` or a `tool`"),
        ("on: created\nask: a\ntool: b", "one of them"),
        ("on: created\nask: 3", "`ask` should be text"),
        ("on: created\nask: a\nwhere: b", "`where`"),
        ("on: [", "cannot be read"),
    ],
)
def test_an_automation_that_is_none_says_why(vault: Path, properties: str, said: str) -> None:
    (vault / "02_System/Automations/a.md").write_text(f"---\n{properties}\n---\n")
    assert said in nest(vault, "why", "02_System/Automations/a.md").stdout
    assert isinstance(parse_automation("a.md", f"---\n{properties}\n---\n"), Problem)


def test_notes_beside_automations_are_none() -> None:
    assert parse_automation("a.md", "text") is None
    assert parse_automation("a.md", "---\non: created\nask: x\nenabled: false\n---\n") is None
    found = parse_automation("a.md", '---\nOn: "tagged #Idea"\nask: "x"\nfolder: /In/\n---\n')
    assert found == Automation("a.md", "tagged", "idea", folder="In", ask="x")
