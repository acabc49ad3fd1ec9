"""Notes that ask: each question once, its state and its answer below it, and every reason told."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from checks import COMMAND
from watching.vaults import ANSWER, QUESTION, SLOW, holds, nest, once, quicken, runs

TASK = f"- [ ] #nest {QUESTION}\n"
BLOCK = f"```nest\n{QUESTION}\n```\n"


@pytest.fixture(autouse=True)
def _quick() -> None:
    quicken()


def test_each_kind_of_question_is_answered_in_its_note_and_linked_to_its_run(ops: Path) -> None:
    (ops / "Task.md").write_text(f"# Mine\n\n{TASK}- [ ] milk\n")
    (ops / "Block.md").write_text(f"before\n\n{BLOCK}\nafter\n")
    (ops / "Property.md").write_text(f'---\nnest: "{QUESTION}"\n---\nbody\n')
    told = once(ops)
    assert told["counts"] == {"done": 3}
    assert len(runs(ops)) == 3
    for name in ("Task", "Block", "Property"):
        text = (ops / f"{name}.md").read_text()
        assert f"> - {ANSWER}" in text
        assert "> [!nest] done · [[03_Runs/" in text
        assert any(f"[[{name}]]" in run.read_text() and "nest-trigger: watch" in run.read_text() for run in runs(ops))
    assert "- [x] #nest" in (ops / "Task.md").read_text()
    assert "nest-state: done" in (ops / "Property.md").read_text()
    before = {file: file.read_bytes() for file in ops.rglob("*.md")}
    assert once(ops)["counts"] == {"done": 3}
    assert {file: file.read_bytes() for file in ops.rglob("*.md")} == before


def test_a_refusal_says_why_in_the_note(ops: Path) -> None:
    (ops / "a.md").write_text("- [ ] #nest why did it fail?\n")
    assert once(ops)["counts"] == {"refused": 1}
    text = (ops / "a.md").read_text()
    assert "- [-] #nest" in text
    assert "> [!nest] refused" in text
    assert "ask for what the notes say" in text


def test_changes_that_need_a_person_wait_and_change_nothing(ops: Path) -> None:
    before = (ops / "Projects/Lighthouse.md").read_bytes()
    (ops / "a.md").write_text("- [ ] #nest archive the note Lighthouse\n")
    told = once(ops)
    assert set(told["counts"]) & {"waiting", "refused"}
    assert (ops / "Projects/Lighthouse.md").read_bytes() == before


def test_the_answer_is_replaced_when_asked_again(ops: Path) -> None:
    note = ops / "a.md"
    note.write_text(TASK)
    once(ops)
    first = note.read_text()
    note.write_text(first.replace("[x]", "[ ]"))
    once(ops)
    assert len(runs(ops)) == 2
    assert note.read_text().count("%% nest task done") == 1
    assert note.read_text() != first
    note.write_text(note.read_text().replace("[x] #nest Which projects", "[ ] #nest How many projects"))
    once(ops)
    assert "> 7" in note.read_text() or "> 3" in note.read_text() or "refused" in note.read_text()
    assert note.read_text().count("%% nest task") == 1


def test_a_block_is_asked_again_when_it_is_changed_or_set_to_todo(ops: Path) -> None:
    note = ops / "a.md"
    note.write_text(BLOCK)
    once(ops)
    note.write_text(note.read_text().replace("%% nest block done", "%% nest block todo"))
    once(ops)
    note.write_text(note.read_text().replace(QUESTION, "List the active projects"))
    once(ops)
    assert len(runs(ops)) == 3
    assert note.read_text().count("%% nest block done") == 1


@pytest.mark.parametrize("edit", ["older", "deleted and restored", "touched"])
def test_a_note_that_comes_back_as_it_was_asks_nothing(ops: Path, edit: str) -> None:
    note = ops / "a.md"
    note.write_text(TASK)
    once(ops)
    if edit == "older":
        note.write_text(TASK)
    elif edit == "touched":
        os.utime(note)
    else:
        kept = note.read_bytes()
        note.unlink()
        once(ops)
        note.write_bytes(kept)
    assert once(ops)["counts"] == {"done": 1}
    assert len(runs(ops)) == 1
    if edit == "older":
        (row,) = [each for each in json.loads(nest(ops, "why", "a.md", "--json").stdout) if each["line"] == 1]
        assert "asked before (done" in row["why"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a.sync-conflict-20260318-101112-ABCDEFG.md", "conflict copy"),
        ("a (conflicted copy 2026-03-18).md", "conflict copy"),
        ("Plan 2.md", "copy that a sync made"),
        ("Templates/a.md", "templates"),
        ("Forms/a.md", "template"),
        ("02_System/a.md", "scripts"),
        ("03_Runs/a.md", "runs"),
        ("Diary/a.md", "private"),
        ("Archive/a.md", "protected"),
        ("Drafts/a.md", "exclude"),
    ],
)
def test_places_that_never_ask_say_why(ops: Path, path: str, reason: str) -> None:
    (ops / "Plan.md").write_text("x\n")
    (ops / ".obsidian").mkdir()
    (ops / ".obsidian/templates.json").write_text('{"folder": "Forms/"}')
    (ops / "nest.toml").write_text(
        '[vault]\nprivate = ["Diary/**"]\nprotected = ["Archive/**"]\n[watch]\nexclude = ["Drafts/**"]\n'
    )
    (ops / path).parent.mkdir(exist_ok=True)
    (ops / path).write_text(TASK)
    assert once(ops)["counts"] == {}
    assert (ops / path).read_text() == TASK
    done = nest(ops, "why", path)
    assert reason in done.stdout, done.stderr


def test_hidden_places_are_not_even_looked_at(ops: Path) -> None:
    for folder in (".trash", ".git", "a/.hidden"):
        (ops / folder).mkdir(parents=True)
        (ops / folder / "a.md").write_text(TASK)
    assert once(ops)["counts"] == {}


def test_why_tells_of_everything_in_a_note(ops: Path) -> None:
    (ops / "a.md").write_text(f"{TASK}\n> {TASK}\n```\n{TASK}```\n\n{BLOCK}")
    rows = json.loads(nest(ops, "why", "a", "--json").stdout)
    assert [(row["line"], row["state"]) for row in rows] == [
        (0, "waiting"),
        (1, "todo"),
        (3, "skipped"),
        (6, "skipped"),
        (9, "todo"),
    ]
    (ops / "b.md").write_text("nothing\n")
    assert "no block" in nest(ops, "why", "b.md").stdout
    assert nest(ops, "why", "nowhere").returncode == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("model=builtin steps=1", "done"),
        ("yes=1", "unknown option"),
        ("contract=free", "no contract"),
        ("contract=sandboxed", "cannot loosen"),
        ("contract=reviewed:sandboxed", "cannot loosen"),
        ("model=openai/gpt", "another server"),
        ("steps=many", "numbers"),
    ],
)
def test_the_options_of_a_block_narrow_only(ops: Path, options: str, said: str) -> None:
    (ops / "a.md").write_text(f"```nest {options}\n{QUESTION}\n```\n")
    once(ops)
    assert said in (ops / "a.md").read_text()


def test_an_inbox_is_asked_about_only_where_it_is_set(ops: Path) -> None:
    (ops / "In").mkdir()
    (ops / "In/a.md").write_text("hello\n")
    assert once(ops)["counts"] == {}
    (ops / "nest.toml").write_text(f'[watch]\ninbox = "In"\ninbox_ask = "{QUESTION}"\n')
    (ops / "In/b.md").write_text("hello\n")
    (ops / "In/empty.md").write_text("")
    assert once(ops)["counts"] in ({"done": 1}, {"done": 2})
    assert "nest-state: done" in (ops / "In/b.md").read_text()
    told = once(ops)
    assert "nest-state: done" in (ops / "In/a.md").read_text()
    assert (ops / "In/empty.md").read_text() == ""
    assert told["counts"] == {"done": 2}


def test_caps_of_an_hour_hold_and_are_told(ops: Path) -> None:
    quicken(per_note=2, per_vault=3)
    (ops / "a.md").write_text("".join(f"- [ ] #nest {QUESTION} {number}\n" for number in range(5)))
    (ops / "b.md").write_text("".join(f"- [ ] #nest {QUESTION} {number}\n" for number in range(5)))
    told = once(ops)
    assert told["queue"] == 7
    asked = sorted((ops / f"{name}.md").read_text().count("%% nest task") for name in "ab")
    assert asked == [1, 2]
    assert "per_note" in "".join(nest(ops, "why", f"{name}.md").stdout for name in "ab")


def test_nothing_is_asked_while_paused(ops: Path) -> None:
    (ops / "a.md").write_text(TASK)
    assert nest(ops, "pause").returncode == 0
    told = once(ops)
    assert (told["queue"], told["paused"]) == (1, True)
    assert "paused" in nest(ops, "why", "a.md").stdout
    assert (ops / "a.md").read_text() == TASK
    nest(ops, "resume")
    assert once(ops)["counts"] == {"done": 1}


def test_a_claim_of_another_machine_is_left_alone(ops: Path) -> None:
    (ops / "a.md").write_text(TASK)
    once(ops, NEST_HOST="laptop")
    text = (ops / "a.md").read_text()
    claim = (
        text.replace("[x]", "[/]").replace("nest task done", "nest task running").replace(" %%\n", " laptop %%\n", 1)
    )
    (ops / "b.md").write_text(claim)
    assert once(ops, NEST_HOST="desk")["counts"] == {"done": 1}
    assert (ops / "b.md").read_text() == claim
    assert "laptop has claimed it" in nest(ops, "why", "b.md", env={"NEST_HOST": "desk"}).stdout


def test_only_the_machine_that_is_named_watches(ops: Path) -> None:
    (ops / "nest.toml").write_text('[watch]\nhost = "desk"\n')
    (ops / "a.md").write_text(TASK)
    done = nest(ops, "watch", "--once", env={"NEST_HOST": "laptop"})
    assert done.returncode == 1
    assert "watched by desk only" in done.stderr
    assert once(ops, NEST_HOST="desk")["counts"] == {"done": 1}


def test_a_note_that_cannot_be_written_back_is_not_asked(ops: Path) -> None:
    (ops / "latin.md").write_bytes(f"é {TASK}".encode("latin-1"))
    (ops / "broken.md").write_text(f"---\nnest: {QUESTION}\na: [\n---\n")
    (ops / "nests.md").write_text(f"---\nnest: {QUESTION}\na: 'x\n  y'\n---\n")
    once(ops)
    assert (ops / "latin.md").read_bytes() == f"é {TASK}".encode("latin-1")
    assert "no UTF-8" in nest(ops, "why", "latin.md").stdout
    assert "nest-state" not in (ops / "broken.md").read_text()
    assert "cannot be read" in nest(ops, "why", "broken.md").stdout


def test_a_damaged_ledger_is_said_and_nothing_is_asked_twice(ops: Path) -> None:
    (ops / "a.md").write_text(TASK)
    once(ops)
    (file,) = Path(os.environ["NEST_STATE_DIR"]).rglob("watch.sqlite")
    for side in file.parent.glob("watch.sqlite-*"):
        side.unlink()
    file.write_bytes(b"no database" * 100)
    done = nest(ops, "watch", "--once")
    assert done.returncode == 1
    assert "ledger" in done.stderr
    file.unlink()
    assert once(ops)["counts"] == {}  # what the note says as done stays done without any ledger
    assert len(runs(ops)) == 1


def test_status_without_any_daemon(ops: Path) -> None:
    assert nest(ops, "status").stdout.startswith("not watched\n0 waiting\n")


def test_a_service_is_written_once_with_what_it_needs(ops: Path, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path / "home dir"), "NEST_HOST": 'o"d%d$'}
    shown = nest(ops, "watch", "--install-service", "--dry-run", env=env)
    assert not (tmp_path / "home dir").exists()
    done = nest(ops, "watch", "--install-service", env=env)
    (unit,) = (tmp_path / "home dir/.config/systemd/user").iterdir()
    text = unit.read_text()
    assert text in shown.stdout
    assert f'"{ops}" "watch"' in text
    assert 'Environment="NEST_HOST=o\\"d%%d$$"' in text
    assert "systemctl --user enable --now" in done.stderr
    assert "there already" in nest(ops, "watch", "--install-service", env=env).stdout
    if subprocess.run(["which", "systemd-analyze"], capture_output=True).returncode == 0:
        checked = subprocess.run(["systemd-analyze", "--user", "verify", unit], capture_output=True, text=True)
        assert "Unknown" not in checked.stderr


def test_a_hostile_note_cannot_speak_to_the_terminal_or_widen_anything(ops: Path) -> None:
    (ops / "a.md").write_text("- [ ] #nest \x1b[2J List the active projects %% /nest %% [[x]] <% tp %>\n")
    done = nest(ops, "watch", "--once")
    assert "\x1b" not in done.stderr
    text = (ops / "a.md").read_text()
    assert text.count("%% /nest %%") == 2
    assert text.count("[[") == 2
    assert holds(ops / "a.md", "[!nest]")()


def park(ops: Path, tick: bool) -> Path:
    """The note of a run that waits for a yes to its program, asked for in a note."""
    quicken()
    with (Path(os.environ["NEST_CONFIG_DIR"]) / "config.toml").open("a") as config:
        config.write(f"[review]\ntick = {str(tick).lower()}\n")
    (ops / "a.md").write_text(f"```nest contract=reviewed\n{QUESTION}\n```\n")
    assert once(ops)["counts"] == {"waiting": 1}
    assert "%% nest block waiting" in (ops / "a.md").read_text()
    return runs(ops)[0]


def test_a_ticked_box_carries_out_what_waits_and_the_asking_note_says_so(ops: Path) -> None:
    note = park(ops, True)
    text = note.read_text()
    assert text.count("- [ ] ") == 1
    note.write_text(text.replace("- [ ] ", "- [x] "))
    told = once(ops)
    assert "nest-status: ok" in note.read_text()
    asking = (ops / "a.md").read_text()
    assert "%% nest block done" in asking
    assert f"> - {ANSWER}" in asking
    assert asking.count("[!nest]") == 1
    assert once(ops)["counts"] == {"done": 1}, told


@pytest.mark.parametrize("how", ["not allowed", "changed", "copied", "turned down"])
def test_a_tick_that_comes_any_other_way_approves_nothing(ops: Path, how: str) -> None:
    note = park(ops, how != "not allowed")
    text = note.read_text().replace("- [ ] ", "- [x] ")
    if how == "changed":
        text = text.replace("final_answer", "final_answer ")
    if how == "turned down":
        nest(ops, "review", "reject", "last")
    if how == "copied":
        note = note.with_name("copy.md")
    note.write_text(text)
    done = nest(ops, "watch", "--once")
    assert "nest-status: ok" not in note.read_text()
    assert "block done" not in (ops / "a.md").read_text()
    assert how == "turned down" or "tick" in done.stderr or "not as nest wrote it" in done.stderr


SMALL_DISK = """
set -e
mount -t tmpfs -o size=2m tmpfs disk
cp -r ops disk/vault
cd disk/vault
fill() { dd if=/dev/zero of=../filler bs=4k count=2000 2>/dev/null || true; }
cp a.md ../before
{scenario}
rm ../filler
"$NEST" watch --once 2> ../second
cp a.md ../../after.md
cp ../second ../../
ls -a > ../../names
find 03_Runs -name '*.md' | wc -l > ../../runs
"""
SCENARIOS = {
    "before": 'fill; "$NEST" watch --once 2> ../../first; cmp a.md ../before',
    "meanwhile": """
"$NEST" watch --once 2> ../../first &
until grep -q 'running since' a.md; do sleep 0.05; done
fill
wait
""",
}


@pytest.mark.parametrize(("when", "said"), [("before", "cannot be claimed"), ("meanwhile", "could not be")])
def test_a_full_disk_loses_nothing_and_is_made_up_for(ops: Path, tmp_path: Path, when: str, said: str) -> None:
    (tmp_path / "disk").mkdir()
    tried = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "x", tmp_path / "disk"], capture_output=True)
    if tried.returncode:
        pytest.skip("this machine lets nobody make a small disk")
    (ops / "02_System/slow.py").write_text(SLOW)
    (ops / "a.md").write_text("mine\n\n- [ ] #nest take a while\n\nmine too\n")
    script = SMALL_DISK.replace("{scenario}", SCENARIOS[when])
    done = subprocess.run(
        ["unshare", "-rm", "bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "OLLAMA_HOST": "127.0.0.1:9", "NEST": str(COMMAND)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "after.md").read_text()
    assert said in (tmp_path / "first").read_text()
    assert text.startswith("mine\n\n- [")
    assert text.endswith("mine too\n")
    assert ".nest-" not in (tmp_path / "names").read_text()
    assert "running" not in text
    if when == "before":
        assert "> 7" in text
    else:
        assert "could not be kept" in text or "> 7" in text or "could not be written" in text
    assert int((tmp_path / "runs").read_text()) <= 1
