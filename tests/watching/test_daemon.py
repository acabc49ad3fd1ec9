"""A daemon that runs: what it sees, how it stops, and that there is one of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from processes import below, wait_until_gone
from watching.vaults import ANSWER, QUESTION, SLOW, daemon, holds, nest, once, quicken, runs, until

TASK = f"- [ ] #nest {QUESTION}\n"
DONE = "%% nest task done"


@pytest.fixture(autouse=True)
def _quick() -> None:
    quicken()


def in_place(file: Path, text: str) -> None:
    file.write_text(text)


def renamed(file: Path, text: str) -> None:
    temp = file.with_name(".save.tmp")
    temp.write_text(text)
    temp.replace(file)


def from_outside(file: Path, text: str) -> None:
    temp = file.parents[1].with_name("outside the vault.md")
    temp.write_text(text)
    temp.replace(file)


def like_vim(file: Path, text: str) -> None:
    backup = file.with_name(f"{file.name}~")
    if file.exists():
        file.rename(backup)
    file.write_text(text)
    backup.unlink(missing_ok=True)


def like_syncthing(file: Path, text: str) -> None:
    temp = file.with_name(f".syncthing.{file.name}.tmp")
    temp.write_text(text)
    os.utime(temp, (1_700_000_000, 1_700_000_000))
    temp.rename(file)


def in_pieces(file: Path, text: str) -> None:
    with file.open("w") as writer:
        for character in text:
            writer.write(character)
            writer.flush()
            time.sleep(0.01)


def clock_set_back(file: Path, text: str) -> None:
    file.write_text(text)
    os.utime(file, (1_000_000_000, 1_000_000_000))


def clock_set_forward(file: Path, text: str) -> None:
    file.write_text(text)
    os.utime(file, (4_000_000_000, 4_000_000_000))


def folder_moved_in(file: Path, text: str) -> None:
    folder = file.parent.parent / ".outside"
    folder.mkdir()
    (folder / file.name).write_text(text)
    folder.rename(file.parent / "moved in")


def folder_renamed(file: Path, text: str) -> None:
    (file.parent / "before").mkdir()
    (file.parent / "before" / file.name).write_text(text)
    (file.parent / "before").rename(file.parent / "after")


WRITERS = [
    in_place,
    renamed,
    from_outside,
    like_vim,
    like_syncthing,
    in_pieces,
    clock_set_back,
    clock_set_forward,
    folder_moved_in,
    folder_renamed,
]


@pytest.mark.parametrize("words", [(), ("--poll", "--poll-seconds", "0.2")], ids=["events", "poll"])
def test_every_writer_of_notes_is_seen_and_each_question_asked_once(ops: Path, words: tuple[str, ...]) -> None:
    with daemon(ops, *words):
        for writer in WRITERS:
            folder = ops / writer.__name__
            folder.mkdir()
            time.sleep(0.05)
            writer(folder / "note.md", TASK)
        until(lambda: len(runs(ops)) >= len(WRITERS))
        notes = [file for writer in WRITERS for file in (ops / writer.__name__).rglob("*.md")]
        until(lambda: all(holds(file, DONE, ANSWER)() for file in notes), 60)
    assert len(notes) == len(runs(ops)) == len(WRITERS)
    assert once(ops)["counts"] == {"done": len(WRITERS)}


def test_a_note_that_is_edited_while_it_is_answered_keeps_every_edit(ops: Path) -> None:
    note = ops / "a.md"
    questions = "".join(f"- [ ] #nest {QUESTION} {number}\n" for number in range(4))
    with daemon(ops):
        note.write_text(f"top\n{questions}bottom\n")
        for number in range(12):
            until(lambda: note.exists())
            text = note.read_text()
            temp = note.with_name(".edit.tmp")
            temp.write_text(text + f"edit {number}\n")
            if note.read_text() == text:  # as an editor that looks before it saves
                temp.replace(note)
            time.sleep(0.05)
        kept = [line for line in note.read_text().splitlines() if line.startswith("edit ")]
        until(lambda: note.read_text().count("%% /nest %%") == 4)
        until(lambda: "running" not in note.read_text())
    text = note.read_text()
    assert [line for line in text.splitlines() if line.startswith("edit ")] == kept
    assert text.startswith("top\n- [-] #nest")
    assert text.count("%% nest task refused") == 4


def test_a_question_that_is_changed_while_it_is_answered_is_asked_as_it_stands(ops: Path) -> None:
    (ops / "02_System/slow.py").write_text(SLOW)
    note = ops / "a.md"
    with daemon(ops):
        note.write_text("```nest\ntake a while\n```\n")
        until(holds(note, "running since"))
        note.write_text(note.read_text().replace("take a while", QUESTION))
        until(holds(note, ANSWER, "%% nest block done"))
    text = note.read_text()
    assert text.count("%% nest block") == 1
    assert "> 7" not in text


def test_a_note_that_is_moved_while_it_is_answered_gets_its_answer(ops: Path) -> None:
    (ops / "02_System/slow.py").write_text(SLOW)
    with daemon(ops):
        (ops / "a.md").write_text("```nest\ntake a while\n```\n")
        until(holds(ops / "a.md", "running since"))
        (ops / "Elsewhere").mkdir()
        (ops / "a.md").rename(ops / "Elsewhere/b.md")
        until(holds(ops / "Elsewhere/b.md", "%% nest block done", "> 7"))
    assert not (ops / "a.md").exists()
    assert len(runs(ops)) == 1


def test_one_watches_and_the_other_says_who_does(ops: Path) -> None:
    with daemon(ops) as first:
        done = nest(ops, "watch", "--once")
        assert done.returncode == 1
        assert f"process {first.pid} on " in done.stderr
        told = json.loads(nest(ops, "status", "--json").stdout)
        assert told["running"]["pid"] == first.pid
    assert json.loads(nest(ops, "status", "--json").stdout)["running"] is None


def test_pause_and_resume_reach_a_daemon_that_runs(ops: Path) -> None:
    with daemon(ops):
        nest(ops, "pause")
        (ops / "a.md").write_text(TASK)
        until(lambda: "1 waiting" in nest(ops, "status").stdout)
        assert (ops / "a.md").read_text() == TASK
        nest(ops, "resume")
        until(holds(ops / "a.md", DONE))


def test_sigterm_lets_what_runs_come_to_its_end(ops: Path) -> None:
    (ops / "02_System/slow.py").write_text(SLOW)
    (ops / "a.md").write_text(f"```nest\ntake a while\n```\n\n{TASK}")
    with daemon(ops) as process:
        until(holds(ops / "a.md", "running since"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    text = (ops / "a.md").read_text()
    assert "running" not in text
    assert "> 7" in text
    assert TASK in text  # the next one is left for the next time


def test_a_daemon_at_rest_does_nothing(ops: Path) -> None:
    with daemon(ops) as process:
        time.sleep(1.0)
        before = _switches(process.pid)
        time.sleep(2.0)
        assert _switches(process.pid) - before <= 2


def _switches(pid: int) -> int:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    texts = [(task / "status").read_text() for task in tasks]
    return sum(int(line.split()[1]) for text in texts for line in text.splitlines() if line.startswith("voluntary"))


def test_a_burst_of_writes_is_worked_off_and_ends(ops: Path) -> None:
    with daemon(ops):
        folder = ops / "burst"
        folder.mkdir()
        for number in range(1500):
            (folder / f"{number % 500}.md").write_text(f"text {number}\n")
        (folder / "0.md").write_text(TASK)
        until(holds(folder / "0.md", DONE))
    assert len(runs(ops)) == 1
    assert (
        "burst/499.md"
        in subprocess.run(["grep", "-rl", "text 1499", "."], cwd=ops, capture_output=True, text=True).stdout
    )


def test_events_that_the_system_dropped_are_made_up_for(ops: Path) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 50_000:
        pytest.skip("this system keeps more events than a test should make")
    (ops / "Many").mkdir()
    with daemon(ops) as process:
        process.send_signal(signal.SIGSTOP)
        for number in range(most + 200):
            (ops / f"Many/{number % 400}.txt").touch()
        (ops / "Many/a.md").write_text(TASK)
        process.send_signal(signal.SIGCONT)
        until(holds(ops / "Many/a.md", DONE))


def test_a_folder_that_is_moved_out_asks_no_more(ops: Path, tmp_path: Path) -> None:
    with daemon(ops):
        nest(ops, "pause")
        (ops / "Out").mkdir()
        (ops / "Out/a.md").write_text(TASK)
        until(lambda: "1 waiting" in nest(ops, "status").stdout)
        (ops / "Out").rename(tmp_path / "outside")
        until(lambda: "0 waiting" in nest(ops, "status").stdout)
        nest(ops, "resume")
    assert (tmp_path / "outside/a.md").read_text() == TASK


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_another_branch_of_ten_thousand_notes_is_checked_out(ops: Path) -> None:
    def git(*words: str) -> None:
        identity = {
            "GIT_AUTHOR_NAME": "t",
            "GIT_AUTHOR_EMAIL": "t@t",
            "GIT_COMMITTER_NAME": "t",
            "GIT_COMMITTER_EMAIL": "t@t",
        }
        done = subprocess.run(["git", *words], cwd=ops, env={**os.environ, **identity}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    git("init", "-q", "-b", "one")
    (ops / ".gitignore").write_text(".nest/\n03_Runs/\n")
    for branch in ("one", "two"):
        if branch == "two":
            git("checkout", "-q", "-b", "two")
        for number in range(10_000):
            file = ops / f"Many/{number % 100}/{number}.md"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{branch} {number}\n")
        for number in range(3):
            (ops / f"Many/{number}/{number}.md").write_text(TASK if branch == "two" else "nothing yet\n")
        git("add", "-A")
        git("commit", "-qm", branch)
    git("checkout", "-q", "one")
    with daemon(ops):
        git("checkout", "-q", "two")
        asked = [ops / f"Many/{number}/{number}.md" for number in range(3)]
        until(lambda: all(holds(file, DONE)() for file in asked), 300)
        git("stash", "-q")
        git("checkout", "-q", "one")
        git("checkout", "-q", "two")  # the questions as they were before their answers
        time.sleep(5)
    assert len(runs(ops)) == 3
    assert once(ops)["counts"] == {"done": 3}


def test_a_question_that_was_interrupted_can_be_taken_up_again(ops: Path) -> None:
    (ops / "02_System/slow.py").write_text(SLOW)
    note = ops / "a.md"
    note.write_text("```nest\ntake a while\n```\n")
    with daemon(ops) as process:
        until(holds(note, "running since"))
        until(lambda: "take a while" in nest(ops, "review", "list").stdout)
        process.kill()
        process.wait()
    assert once(ops)["counts"] == {"interrupted": 1}
    assert holds(note, "%% nest block failed", "interrupted", "nest review resume")()
    assert len(runs(ops)) == 0
    done = nest(ops, "review", "resume", "last")
    assert holds(note, "%% nest block done", "> 7")(), done.stderr
    assert note.read_text().count("[!nest]") == 1
    assert once(ops)["counts"] == {"done": 1}


def test_odd_names_and_links_stop_nothing(ops: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text(TASK)
    with daemon(ops):
        (ops / os.fsdecode(b"\xff\xfe.md")).write_text(TASK)
        (ops / "a\nb.md").write_text(TASK)
        (ops / "out.md").symlink_to(outside)
        (ops / "in.md").symlink_to(ops / "README.md")
        (ops / "folder.md").mkdir()
        os.mkfifo(ops / "pipe.md")
        (ops / "closed.md").write_text(TASK)
        (ops / "last.md").write_text(TASK)
        until(lambda: all(holds(ops / name, DONE)() for name in ("closed.md", "last.md")))
    assert outside.read_text() == TASK
    assert len(runs(ops)) == 2


def test_a_vault_whose_disk_went_away_is_not_forgotten(ops: Path) -> None:
    (ops / "02_System/Automations").mkdir()
    (ops / "02_System/Automations/a.md").write_text(f"---\non: created\nask: {QUESTION}\n---\n")
    once(ops)
    (ops / ".nest").mkdir()
    away = ops.with_name("away")
    away.mkdir()
    for each in [*ops.iterdir()]:
        if each.name[0] != ".":
            each.rename(away / each.name)
    assert "looks empty" in nest(ops, "watch", "--once").stderr
    for each in [*away.iterdir()]:
        each.rename(ops / each.name)
    assert once(ops)["counts"] == {}


def test_the_isolation_stays_warm_between_questions_is_healed_when_killed_and_goes_with_the_daemon(ops: Path) -> None:
    def ask(name: str) -> set[int]:
        (ops / f"{name}.md").write_text(TASK)
        until(holds(ops / f"{name}.md", DONE))
        return below(process.pid)

    with daemon(ops) as process:
        assert below(process.pid) == set(), "none before the first question"
        first = ask("a")
        assert len(first) == 2
        assert ask("b") == first
        before = sum(map(_switches, first))
        time.sleep(1.0)
        assert sum(map(_switches, first)) == before, "nobody wakes up for nothing"
        for number in first:
            os.kill(number, signal.SIGKILL)
        second = ask("c")
        assert len(second) == 2
        assert not second & first
    assert wait_until_gone(second) == set()
    with daemon(ops) as process:
        third = ask("d")
        process.kill()
    assert wait_until_gone(third) == set()
