"""Nothing runs, is called or is written before a person agreed to exactly that: the real command, a real vault."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from checks import COMMAND, NestCommand
from scripted import TIME, ask_model

from nestkit.errors import StateError, VaultError
from nestkit.hall.review import Ticked, approve, check_tick, get_entry, get_matter, list_entries, reject, resume
from nestkit.hall.traces import open_ledger
from nestkit.hall.walk import Company
from nestkit.hall.writers import Call
from nestkit.nest import Nest, open_nest
from nestkit.policy import Leave, Refusal
from nestkit.run import Ask, Run, Step
from nestkit.testing import OllamaServer

NOW = ("--now", "2026-03-18T09:00:00")
COUNT = '''"""Notes down each call, then writes.

---
nest:
  permissions: ["write:Out/**"]
---
"""
from pathlib import Path


def tick(name: str) -> str:
    """Write a note."""
    Path("Out").mkdir(exist_ok=True)
    Path(f"Out/{name}.md").write_text(name)
    return name
'''


@pytest.fixture
def here(ops: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nest]:
    """The vault open, with a script that writes; a tick is allowed by the person's own settings."""
    (ops / "02_System/count.py").write_text(COUNT)
    config = Path(os.environ["NEST_CONFIG_DIR"])
    config.mkdir(parents=True)
    (config / "config.toml").write_text("[review]\ntick = true\n")
    with open_nest(ops, ops, to_write=True) as nest:
        nest.refresh()
        yield nest


def files(vault: Path) -> dict[str, bytes]:
    """Every file of the vault but nest's own."""
    found = {file.relative_to(vault).as_posix(): file for file in vault.rglob("*") if file.is_file()}
    return {path: f.read_bytes() for path, f in found.items() if not path.startswith((".nest/", "03_Runs/"))}


def fresh(nest: Nest) -> Nest:
    """The same vault as another process would find it."""
    return open_nest(nest.root, nest.root, to_write=True)


def approve_last(nest: Nest, seal: str = "") -> Run:
    with fresh(nest) as again:
        again.refresh()
        entry = get_entry(again, "last")
        return approve(again, entry, seal or entry.digest, Company())


def reasons(nest: Nest) -> list[tuple[str, str]]:
    return [(entry.gate, entry.state) for entry in list_entries(nest)]


def test_a_reviewed_program_does_not_run_before_it_is_approved(here: Nest) -> None:
    run = ask_model(here, "print(len(list_notes()))\nfinal_answer(1)", contract="reviewed")
    assert run.status == "waiting"
    assert run.calls == ()
    assert reasons(here) == [("program", "waiting")]
    done = approve_last(here)
    assert (done.status, done.end.answer, len(done.calls)) == ("ok", 1, 1)
    assert done.path == run.path
    assert list_entries(here) == []


def test_the_second_program_of_a_reviewed_run_waits_too(here: Nest, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = ["x = len(list_notes())\nprint(x)", "final_answer(x > 3)"]
    replies = [{"role": "assistant", "content": f"```python\n{program}\n```"} for program in turns]
    with OllamaServer(replies) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        here.answer(Ask("do it", TIME, model="ollama/scripted", contract="reviewed"), Company())
        second = approve_last(here)
        assert (second.status, len(second.steps)) == ("waiting", 2)
        assert second.matter is not None
        assert second.matter.program.strip() == turns[1]
        done = approve_last(here)
    assert (done.status, done.end.answer) == ("ok", True)
    assert len(server.requests) == 2, "what the model said before is not asked again"


def test_a_run_that_somebody_is_at_is_neither_broken_off_nor_to_be_turned_down(here: Nest) -> None:
    found: list[list[tuple[str, str]]] = []

    def look(step: Step) -> None:
        with fresh(here) as other:
            found.append(reasons(other))
            (running,) = open_ledger(other).entries()
            with pytest.raises(VaultError, match="another nest is at this run"):
                reject(other, running, Company())

    turns = [{"role": "assistant", "content": "```python\nfinal_answer(1)\n```"}]
    with OllamaServer(turns) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        run = here.answer(Ask("do it", TIME, model="ollama/scripted"), Company(on_step=look))
    assert (run.status, found) == ("ok", [[]])


def test_what_is_shown_for_approval_hides_nothing(here: Nest) -> None:
    program = "x = 1" + " " * 200 + "; append_note('Quarry', 'ab' + chr(0x202e) + 'dc')\ntаgs_ = 2\nfinal_answer(x)"
    run = ask_model(here, program, contract="reviewed")
    assert run.path is not None
    text = (here.root / run.path).read_text("utf-8")
    assert "⟦200 blanks⟧ ; append_note" in text
    assert "mixes letters of two scripts" in text
    changed = approve_last(here)
    assert (changed.status, reasons(here)) == ("waiting", [("changes", "waiting")])
    text = (here.root / run.path).read_text("utf-8")
    assert "+ab⟦U+202E⟧dc" in text
    assert "\u202e" not in text
    assert approve_last(here).status == "ok"


@pytest.mark.parametrize("program", ["move_note('Quarry', 'Done/Quarry')", "append_note('Quarry', 'more')"])
def test_a_note_that_its_own_run_changed_or_moved_tells_of_the_run_where_it_is_now(here: Nest, program: str) -> None:
    said: list[str] = []
    turns = [{"role": "assistant", "content": f"```python\nfinal_answer({program})\n```"}]
    question = Ask("do it", TIME, note=here.path_of("Quarry"), model="ollama/scripted", leave=Leave(yes=True))
    with OllamaServer(turns) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        done = here.answer(question, Company(say=said.append))
    assert (done.status, said) == ("ok", [])
    (path,) = (change.path for change in done.applied if change.kind != "delete")
    assert "(ok)" in here.read_text(path)


@pytest.mark.parametrize(
    ("program", "path", "line"),
    [
        ("append_note('Quarry', 'more')", "Quarry", "more"),
        ("set_property('Quarry', 'seen', True)", "Quarry", "seen: true"),
        ("move_note('Quarry', 'Done/Quarry')", "Done/Quarry.md", ""),
    ],
)
def test_what_waits_to_change_the_note_that_asked_is_no_conflict_with_nest_s_own_mark_in_it(
    here: Nest, program: str, path: str, line: str
) -> None:
    asking = here.path_of("Quarry")
    before = here.read_text(asking)
    turns = [{"role": "assistant", "content": f"```python\nfinal_answer({program})\n```"}]
    with OllamaServer(turns) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        waiting = here.answer(Ask("do it", TIME, note=asking, model="ollama/scripted"), Company())
    assert waiting.status == "waiting"
    assert "(waiting)" in here.read_text(asking)
    done = approve_last(here)
    assert done.status == "ok", done.end
    text = here.read_text(asking if path == "Quarry" else path)
    assert line in text.splitlines() or not line
    assert ("(ok)" in text, "(waiting)" in text) == (True, False)
    assert all(each in text.splitlines() for each in before.splitlines())


@pytest.mark.parametrize("program", ["append_note('Quarry', 'more')", "set_property('Quarry', 'seen', True)"])
@pytest.mark.parametrize("yes", [True, False])
@pytest.mark.parametrize("newline", ["\n", "\r\n", ""])
def test_what_a_run_changed_in_the_note_that_asked_can_be_undone_byte_for_byte(
    here: Nest, program: str, yes: bool, newline: str
) -> None:
    asking = here.path_of("Quarry")
    before = here.read_text(asking).rstrip("\n").replace("\n", newline or "\n").encode() + newline.encode()
    (here.root / asking).write_bytes(before)
    here.refresh()
    turns = [{"role": "assistant", "content": f"```python\nfinal_answer({program})\n```"}]
    question = Ask("do it", TIME, note=asking, model="ollama/scripted", leave=Leave(yes=yes))
    with OllamaServer(turns) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        run = here.answer(question, Company())
    run = run if yes else approve_last(here)
    assert run.status == "ok"
    assert b"[!nest]" in here.read_bytes(asking)
    here.refresh()
    assert all(each.applied for each in here.undo(run.id))
    ended = before if yes or newline else before + b"\n"  # whether a last line had an end is known no more
    assert here.read_bytes(asking) == ended


def test_what_a_person_wrote_below_the_line_of_a_run_keeps_it_from_being_undone(here: Nest) -> None:
    asking = here.path_of("Quarry")
    turns = [{"role": "assistant", "content": "```python\nfinal_answer(append_note('Quarry', 'more'))\n```"}]
    question = Ask("do it", TIME, note=asking, model="ollama/scripted", leave=Leave(yes=True))
    with OllamaServer(turns) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        run = here.answer(question, Company())
    (here.root / asking).write_text(here.read_text(asking) + "mine\n")
    edited = here.read_bytes(asking)
    here.refresh()
    assert [each.applied for each in here.undo(run.id)] == [False]
    assert here.read_bytes(asking) == edited


def test_what_a_person_edits_in_the_note_that_asked_while_its_run_waits_is_theirs(here: Nest) -> None:
    asking = here.path_of("Quarry")
    turns = [{"role": "assistant", "content": "```python\nfinal_answer(append_note('Quarry', 'more'))\n```"}]
    with OllamaServer(turns) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        here.answer(Ask("do it", TIME, note=asking, model="ollama/scripted"), Company())
    (here.root / asking).write_text(here.read_text(asking) + "mine\n")
    done = approve_last(here)
    assert done.status == "error"
    text = here.read_text(asking)
    assert ("mine" in text.splitlines(), "more" in text.splitlines()) == (True, False)


def test_an_approval_is_used_once(here: Nest) -> None:
    ask_model(here, "final_answer(1)", contract="reviewed")
    entry = get_entry(here, "last")
    assert approve(here, entry, entry.digest, Company()).status == "ok"
    with pytest.raises(StateError):
        approve(here, entry, entry.digest, Company())


@pytest.mark.parametrize("seal", ["0" * 64, "", "f" * 16])
def test_approving_something_else_runs_nothing_and_asks_again(here: Nest, seal: str) -> None:
    ask_model(here, "final_answer(count.tick('a'))", contract="reviewed")
    before = files(here.root)
    run = approve(here, get_entry(here, "last"), seal, Company())
    assert run.status == "waiting"
    assert files(here.root) == before
    assert approve_last(here).status == "ok"


def test_a_changed_script_asks_again_and_shows_the_new_version(here: Nest) -> None:
    ask_model(here, "final_answer(count.tick('a'))", contract="reviewed")
    shown = get_entry(here, "last").digest
    (here.root / "02_System/count.py").write_text(COUNT.replace("write_text(name)", "write_text('other')"))
    run = approve_last(here, shown)
    assert run.status == "waiting"
    assert "changed since" in run.end.reason
    assert not (here.root / "Out").exists()
    assert get_entry(here, "last").digest != shown
    assert approve_last(here).status == "ok"
    assert (here.root / "Out/a.md").read_text() == "other"


def test_an_approved_program_has_leave_for_what_was_shown_and_for_nothing_else(here: Nest) -> None:
    run = ask_model(here, "final_answer(eval('count' + '.tick')('a'))", contract="reviewed")
    assert run.matter is not None
    assert any("computes names" in each for each in run.matter.warnings)
    assert run.matter.effects == ()
    again = approve_last(here)
    assert (again.status, reasons(here)) == ("waiting", [("call", "waiting")])
    assert not (here.root / "Out").exists()
    assert approve_last(here).status == "ok"
    assert (here.root / "Out/a.md").exists()


def test_a_call_that_needs_leave_waits_and_what_was_called_before_is_not_called_again(here: Nest) -> None:
    (here.root / "02_System/dice.py").write_text(
        'import os, random\n\ndef roll() -> str:\n    """Roll."""\n    return os.environ["VAULT_PATH"][-3:] + "x"\n'
    )
    here.refresh()
    program = "first = dice.roll()\nsecond = count.tick(first)\nfinal_answer([first, second, dice.roll()])"
    run = ask_model(here, program)
    assert (run.status, reasons(here)) == ("waiting", [("call", "waiting")])
    assert get_matter(here, get_entry(here, "last")).call.startswith("count.tick(")
    done = approve_last(here)
    assert (done.status, done.end.answer) == ("ok", ["opsx", "opsx", "opsx"])
    trace = [json.loads(line) for line in (here.root / f".nest/runs/{run.id}.jsonl").read_text().splitlines()]
    calls = [event["call"]["tool"] for event in trace if event["event"] == "call"]
    assert calls == ["dice.roll", "count.tick", "dice.roll"], "each call was made once"


def test_changes_that_need_a_person_wait_with_their_diff_and_are_applied_on_approval(here: Nest) -> None:
    before = files(here.root)
    run = ask_model(here, "append_note('Quarry', 'one more line')\nfinal_answer('done')")
    assert (run.status, reasons(here)) == ("waiting", [("changes", "waiting")])
    assert files(here.root) == before
    assert run.path is not None
    text = (here.root / run.path).read_text("utf-8")
    assert "+one more line" in text
    assert "- [ ] Approve " in text
    done = approve_last(here)
    assert (done.status, done.end.answer) == ("ok", "done")
    assert (here.root / "Projects/Quarry.md").read_text("utf-8").endswith("one more line\n")
    assert "nest-status: ok" in (here.root / run.path).read_text("utf-8")
    here.refresh()
    here.undo(run.id)
    assert files(here.root) == before


def test_a_note_edited_while_the_change_waited_is_kept_and_nest_s_version_lies_beside_it(here: Nest) -> None:
    run = ask_model(here, "append_note('Quarry', 'mine')\nfinal_answer('done')")
    note = here.root / "Projects/Quarry.md"
    edited = note.read_bytes() + b"the person's own line\n"
    note.write_bytes(edited)
    done = approve_last(here)
    assert done.status == "error"
    assert note.read_bytes() == edited
    (proposal,) = (here.root / "Projects").glob(f"Quarry (nest {run.id}*).md")
    assert "mine" in proposal.read_text("utf-8")


def test_a_place_protected_while_the_change_waited_is_not_written(here: Nest) -> None:
    ask_model(here, "append_note('Quarry', 'x')\nfinal_answer('done')")
    before = files(here.root)
    (here.root / "nest.toml").write_text('[vault]\nprotected = ["Projects"]\n')
    run = approve_last(here)
    assert (run.status, "protected" in run.end.reason) == ("refused", True)
    assert {path: content for path, content in files(here.root).items() if path != "nest.toml"} == before


def test_turned_down_nothing_happens_and_it_cannot_be_approved_any_more(here: Nest) -> None:
    before = files(here.root)
    run = ask_model(here, "append_note('Quarry', 'x')\nfinal_answer('done')")
    entry = get_entry(here, "last")
    assert reject(here, entry, Company()).status == "refused"
    assert files(here.root) == before
    assert run.path is not None
    assert "nest-status: refused" in (here.root / run.path).read_text("utf-8")
    with pytest.raises(StateError):
        approve(here, entry, entry.digest, Company())


def test_a_month_later_the_question_is_asked_anew(here: Nest, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_model(here, "final_answer(1)", contract="reviewed")
    file = next(Path(os.environ["NEST_STATE_DIR"]).rglob("*.waiting"))
    entry = json.loads(file.read_text())
    file.write_text(json.dumps(entry | {"since": (datetime.now().astimezone() - timedelta(days=31)).isoformat()}))
    with pytest.raises(StateError, match="too long"):
        approve_last(here)


def test_a_call_by_hand_that_needs_leave_waits_too(here: Nest) -> None:
    call = Call(here.get_tool("count.tick"), ("x",), {})
    run = here.answer(Ask("call count.tick", TIME, model="builtin"), Company(), call=call)
    assert run.status == "waiting"
    assert approve_last(here).status == "ok"
    assert (here.root / "Out/x.md").exists()


def test_without_a_note_nothing_is_parked_and_nothing_runs(nest: NestCommand, ops: Path) -> None:
    done = nest("ask", "List the active projects", "--model", "builtin", *NOW, "--contract", "reviewed", "--no-note")
    assert (done.returncode, done.stdout) == (4, "")
    assert "terminal" in done.stderr
    assert not (ops / ".nest").exists()


# --- the tick


def ticked(nest: Nest, run: Run) -> bytes:
    assert run.path is not None
    return (nest.root / run.path).read_bytes().replace(b"- [ ] Approve", b"- [x] Approve", 1)


def test_a_tick_in_the_note_that_nest_wrote_approves_what_it_shows(here: Nest) -> None:
    run = ask_model(here, "final_answer(1)", contract="reviewed")
    assert run.path is not None
    assert check_tick(here, run.path, (here.root / run.path).read_bytes()) is None
    content = ticked(here, run)
    (here.root / run.path).write_bytes(content)
    found = check_tick(here, run.path, content)
    assert isinstance(found, Ticked)
    done = approve(here, get_entry(here, found.run), found.digest, Company())
    assert done.status == "ok"
    assert done.path == run.path, "the ticked note is nest's own still: it is written over"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"final_answer(1)", b"final_answer(2)"),
        (b"\n", b"\r\n"),
        (b"## To approve", b"## To approve now"),
        (b"nest-status: waiting", b"nest-status: waiting "),
        (b"nest-contract: reviewed", b"nest-contract: brokered"),
    ],
)
def test_a_tick_in_a_note_that_anybody_touched_approves_nothing(here: Nest, old: bytes, new: bytes) -> None:
    run = ask_model(here, "final_answer(1)", contract="reviewed")
    assert run.path is not None
    content = ticked(here, run)
    assert old in content
    assert isinstance(check_tick(here, run.path, content.replace(old, new, 1)), Refusal)


def test_a_ticked_box_from_anywhere_else_approves_nothing(here: Nest, tmp_path: Path) -> None:
    run = ask_model(here, "final_answer(1)", contract="reviewed")
    assert run.path is not None
    content = ticked(here, run)
    assert isinstance(check_tick(here, "Projects/Copy.md", content), Refusal), "a copy elsewhere"
    digits = b"0123456789abcdef"
    assert isinstance(check_tick(here, run.path, b"- [x] Approve " + digits + b"\n"), Refusal)
    assert check_tick(here, run.path, b"> - [x] Approve " + digits + b"\n") is None, "quoted: no box of ours"
    shutil.rmtree(os.environ["NEST_STATE_DIR"])
    assert isinstance(check_tick(here, run.path, content), Refusal), "this machine knows of no such run"


def test_a_vault_cannot_allow_ticks(ops: Path) -> None:
    (ops / "nest.toml").write_text("[review]\ntick = true\n")
    with open_nest(ops, ops, to_write=True) as nest:
        nest.refresh()
        run = ask_model(nest, "final_answer(1)", contract="reviewed")
        assert run.path is not None
        assert isinstance(check_tick(nest, run.path, ticked(nest, run)), Refusal)


def test_what_is_too_long_for_a_note_has_no_box(here: Nest) -> None:
    run = ask_model(here, f"text = {'a b ' * 30_000!r}\nfinal_answer(len(text))", contract="reviewed")
    assert run.status == "waiting"
    assert run.path is not None
    assert "- [ ]" not in (here.root / run.path).read_text("utf-8")
    assert approve_last(here).status == "ok"


def test_the_box_is_no_task_of_the_person_s(here: Nest) -> None:
    ask_model(here, "final_answer(1)", contract="reviewed")
    here.refresh()
    run = ask_model(here, "final_answer([t['text'] for t in tasks() if 'Approve' in t['text']])")
    assert run.end.answer == []


# --- a trace that is not what this machine wrote


@pytest.mark.parametrize("harm", ["program", "cut", "gone", "link", "older"])
def test_a_trace_that_somebody_touched_runs_nothing(here: Nest, tmp_path: Path, harm: str) -> None:
    run = ask_model(here, "final_answer('mine')", contract="reviewed")
    trace = here.root / f".nest/runs/{run.id}.jsonl"
    content = trace.read_bytes()
    if harm == "program":
        trace.write_bytes(content.replace(b"final_answer('mine')", b"final_answer('evil')"))
    elif harm == "cut":
        trace.write_bytes(content[:-30])
    elif harm == "older":
        trace.write_bytes(content[: content[:-1].rfind(b"\n") + 1])
    else:
        trace.unlink()
        (tmp_path / "elsewhere").write_bytes(content)
        if harm == "link":
            trace.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StateError):
        approve_last(here)


def test_another_vault_s_parked_run_means_nothing_here(here: Nest, tmp_path: Path) -> None:
    ask_model(here, "final_answer(1)", contract="reviewed")
    copy = Path(shutil.copytree(here.root, tmp_path / "copy"))
    with open_nest(copy, copy, to_write=True) as other:
        assert list_entries(other) == []


def test_a_state_folder_inside_the_vault_parks_nothing(ops: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEST_STATE_DIR", str(ops / "state"))
    said: list[str] = []
    with open_nest(ops, ops, to_write=True) as nest:
        nest.refresh()
        run = nest.answer(
            Ask("List the active projects", TIME, "", model="builtin", contract="reviewed"), Company(said.append)
        )
    assert run.status == "waiting"
    assert run.matter is None
    assert any("lies in the vault" in line for line in said)


# --- at a terminal


def at_terminal(vault: Path, *words: str, answer: str) -> tuple[int, str, str]:
    """(exit code, stdout, what the terminal showed) of a command whose questions get this answer."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *words], cwd=vault, stdin=slave, stderr=slave, stdout=subprocess.PIPE, env=os.environ.copy()
    )
    os.close(slave)
    os.write(master, answer.encode())
    out, _ = process.communicate(timeout=60)
    shown = b""
    try:
        while part := os.read(master, 1 << 16):
            shown += part
    except OSError:  # how a terminal says that its other end is gone
        pass
    os.close(master)
    return process.returncode, out.decode(), shown.decode()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 3), ("\n", 3)])
def test_a_person_at_a_terminal_sees_the_program_and_says_yes_or_no(ops: Path, answer: str, code: int) -> None:
    asked = ("ask", "List the active projects", "--model", "builtin", *NOW, "--contract", "reviewed")
    found = at_terminal(ops, *asked, answer=answer)
    assert found[0] == code
    assert "Run this program? [y/N]" in found[2]
    assert "list_notes(where=" in found[2]
    assert bool(found[1]) == (code == 0)


def test_approving_at_a_terminal_shows_it_first(ops: Path, nest: NestCommand) -> None:
    nest("ask", "List the active projects", "--model", "builtin", *NOW, "--contract", "reviewed")
    code, out, shown = at_terminal(ops, "review", "approve", "last", answer="n\n")
    assert (code, out) == (4, "")
    assert "list_notes(where=" in shown
    code, out, _ = at_terminal(ops, "review", "approve", "last", answer="y\n")
    assert (code, sorted(out.splitlines())) == (0, ["Driftwood", "Lighthouse", "Sandpiper"])


def test_the_command_lists_shows_approves_and_rejects_for_programs_too(nest: NestCommand) -> None:
    asked = ("ask", "List the active projects", "--model", "builtin", *NOW, "--contract", "reviewed")
    assert json.loads(nest("review", "list", "--json").stdout) == []
    assert nest(*asked).returncode == 4
    (entry,) = json.loads(nest("review", "--json").stdout)
    shown = json.loads(nest("review", "show", entry["id"], "--json").stdout)
    assert (shown["gate"], shown["hash"], shown["change_set"]) == ("program", entry["digest"], [])
    assert nest("review", "approve", entry["id"], "--hash", "0" * 64).returncode == 4
    seal = json.loads(nest("review", "show", "last", "--json").stdout)["hash"]
    done = json.loads(nest("review", "approve", "last", "--hash", seal, "--json").stdout)
    assert (done["status"], sorted(done["answer"])) == ("ok", ["Driftwood", "Lighthouse", "Sandpiper"])
    assert nest("review", "approve", entry["id"]).returncode == 1
    nest(*asked)
    assert json.loads(nest("review", "reject", "last", "--json").stdout)["status"] == "refused"


def test_a_run_that_waits_is_not_taken_up_without_a_yes(here: Nest) -> None:
    ask_model(here, "final_answer(1)", contract="reviewed")
    with pytest.raises(StateError, match="waits for a person"):
        resume(here, get_entry(here, "last"), Company())
