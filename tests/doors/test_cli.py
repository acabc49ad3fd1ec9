"""The other commands, and what each says of bad input: one line, what to do, the right exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from checks import COMMAND, NestCommand


def test_the_help_names_every_command(nest: NestCommand) -> None:
    done = nest("--help")
    for command in ("ask", "find", "show", "resolve", "tools", "call", "runs", "index", "init", "doctor"):
        assert f"\n  {command} " in done.stdout
        assert nest(command, "--help").returncode == 0


@pytest.mark.parametrize("group", ["show", "prompt", "tools", "runs", "obsidian", "review"])
def test_what_a_command_of_a_group_does_is_said_whole(nest: NestCommand, group: str) -> None:
    commands = nest(group, "--help").stdout.partition("Commands:")[2]
    assert commands.strip()
    assert "..." not in commands


def test_a_place_without_notes_is_no_vault(nest: NestCommand, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = nest("ask", "anything", cwd=empty)
    assert done.returncode == 1
    assert "no vault" in done.stderr
    assert "nest init" in done.stderr
    assert len(done.stderr.splitlines()) == 2


def test_a_vault_that_is_not_there_is_said(nest: NestCommand, tmp_path: Path) -> None:
    done = nest("--vault", str(tmp_path / "nowhere"), "show", "notes")
    assert done.returncode == 1
    assert "is not there" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--vault", "{ops}", "show", "notes", "--tag", "client"),
        ("show", "notes", "--tag", "client", "--vault", "{ops}"),
        ("show", "--vault={ops}", "notes", "--tag", "client"),
        ("-C", "{ops}", "show", "notes", "--tag", "client"),
    ],
)
def test_the_vault_may_be_named_anywhere(nest: NestCommand, ops: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = nest(*(word.format(ops=ops) for word in words), cwd=tmp_path)
    assert done.stdout.count("Clients/") == 3, done.stderr


def test_the_vault_may_be_named_by_the_environment(nest: NestCommand, ops: Path, tmp_path: Path) -> None:
    assert nest("show", "notes", "--tag", "client", cwd=tmp_path, env={"NEST_VAULT": str(ops)}).stdout.count("\n") == 3


def test_a_folder_of_notes_can_be_looked_at_and_not_written(nest: NestCommand, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "A.md").write_text("[[B]]")
    assert json.loads(nest("show", "unresolved", "--json", cwd=plain).stdout)[0]["target"] == "B"
    done = nest("ask", "list all notes", "--model", "builtin", cwd=plain)
    assert done.returncode == 1
    assert "nest init" in done.stderr
    assert [file.name for file in plain.iterdir()] == ["A.md"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[ask\n", "not TOML"),
        ("[ask]\nsteps = 'many'\n", "ask.steps should be a whole number"),
        ("[ask]\nstep = 3\n", "unknown key ask.step"),
        ("[aks]\n", "unknown section [aks]"),
        ("[ask]\ncontract = 'free'\n", "ask.contract should be one of"),
    ],
)
def test_bad_settings_are_one_line_with_the_file(nest: NestCommand, ops: Path, text: str, said: str) -> None:
    (ops / "nest.toml").write_text(text)
    done = nest("show", "notes")
    assert done.returncode == 1
    assert said in done.stderr
    assert "nest.toml" in done.stderr


def test_an_unreadable_note_is_a_problem_and_the_rest_goes_on(nest: NestCommand, ops: Path) -> None:
    os.mkfifo(ops / "pipe.md")
    (ops / "broken.md").write_text("---\na: [\n---\n#found\n")
    problems = json.loads(nest("show", "problems", "--json").stdout)
    assert {problem["path"] for problem in problems} == {"pipe.md", "broken.md"}
    assert nest("show", "notes", "--tag", "found").stdout == "broken.md\n"


def test_a_wrong_name_says_the_nearest(nest: NestCommand) -> None:
    done = nest("show", "links", "Lighthose")
    assert done.returncode == 1
    assert "did you mean Lighthouse" in done.stderr


def test_facts_are_shown_for_people_too(nest: NestCommand) -> None:
    assert "README.md" in nest("show", "backlinks", "Sandpiper").stdout.splitlines()[-1]
    assert "[ ] migrate DNS" in nest("show", "tasks", "Lighthouse").stdout
    assert nest("resolve", "README", "lighthouse").stdout == "Projects/Lighthouse.md\n"
    assert nest("find", "legal").stdout.startswith("Projects/Cartographer.md:12: ")
    assert nest("show", "notes", "--where", "status=active", "--folder", "Projects").stdout.count("\n") == 3


def test_tools_are_listed_found_shown_and_checked(nest: NestCommand) -> None:
    assert "fx.convert" in nest("tools").stdout
    assert nest("tools", "convert", "money").stdout.startswith("fx.convert")
    shown = nest("tools", "show", "gantt.slack").stdout
    assert "--today" in shown or "today" in shown
    assert json.loads(nest("tools", "show", "convert", "--json").stdout)["name"] == "fx.convert"
    assert nest("tools", "check").returncode in (0, 1)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("fx.convert", "--amount", "250", "--source", "GBP"), "294.12"),
        (("convert", "250", "GBP"), "294.12"),
        (("gantt.slack", "--project", "Driftwood", "--today", "2026-03-18"), "13"),
        (("timesheet.total", "--project", "Lighthouse"), "23.5"),
        (("standup", "2026-03-12"), "2026-03-12\n- Sandpiper: 2h\n- Lighthouse: 2h"),
        (("workdays.business_days", "--start", "2026-03-18", "--end=2026-03-31"), "9"),
    ],
)
def test_a_tool_is_called_with_its_values(nest: NestCommand, words: tuple[str, ...], answer: str) -> None:
    done = nest("call", *words)
    assert (done.returncode, done.stdout.strip()) == (0, answer), done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fx.convert", "--amount", "250", "--from", "GBP"), "source"),
        (("fx.convert", "--amount", "much", "--source", "GBP"), "amount"),
        (("fx.convert", "--amount", "1", "--source", "GPB"), "GBP"),
        (("fx.covert",), "fx.convert"),
    ],
)
def test_a_wrong_call_names_the_right_words(nest: NestCommand, words: tuple[str, ...], said: str) -> None:
    done = nest("call", *words)
    assert done.returncode == 1
    assert said in done.stderr


def test_runs_are_listed_newest_first_and_shown(nest: NestCommand) -> None:
    for now in ("2026-03-18T09:00:00", "2026-03-18T10:00:00"):
        nest("ask", "List the active projects", "--model", "builtin", "--now", now)
    runs = json.loads(nest("runs", "--json").stdout)
    assert [run["path"][-40:-36] for run in runs] == sorted((run["path"][-40:-36] for run in runs), reverse=True)
    assert "1000" in nest("runs", "list").stdout.splitlines()[0]
    assert "nest-status: ok" in nest("runs", "show", "last").stdout
    told = json.loads(nest("runs", "show", runs[1]["id"], "--json").stdout)
    assert told["status"] == "ok"
    assert "final_answer" in told["story"][0]["program"]
    assert nest("runs", "show", "nothing").returncode == 1


def test_init_makes_a_nest_and_touches_nothing_that_is_there(nest: NestCommand, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "Note.md").write_text("hello world")
    assert nest("init", "--dry-run", cwd=folder).stdout.startswith("would make")
    assert [file.name for file in folder.iterdir()] == ["Note.md"]
    assert nest("init", cwd=folder).returncode == 0
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert "already" in nest("init", cwd=folder).stdout
    assert {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()} == before
    assert (folder / "Note.md").read_text() == "hello world"
    assert nest("call", "words.count_words", cwd=folder).stdout.splitlines()[-1] == "Note: 2"


def test_init_offers_tables_for_obsidian_that_are_sound_yaml(nest: NestCommand, ops: Path) -> None:
    import yaml

    assert not (ops / "02_System/Tools.base").exists()
    assert nest("init", "--bases").returncode == 0
    for path in ("03_Runs/Runs.base", "02_System/Tools.base"):
        base = yaml.safe_load((ops / path).read_text())
        assert {view["type"] for view in base["views"]} == {"table"}
        assert all(view["name"] and view["order"] and view["filters"]["and"] for view in base["views"])
    assert "already" in nest("init", "--bases").stdout


def test_index_says_what_it_holds_and_can_be_rebuilt(nest: NestCommand) -> None:
    told = json.loads(nest("index", "--json").stdout)
    assert told["notes"] > 20
    assert json.loads(nest("index", "--rebuild", "--json").stdout)["changed"] == told["changed"]
    assert json.loads(nest("index", "--json").stdout)["changed"] == 0


def test_doctor_proves_the_isolation_and_says_what_to_do(nest: NestCommand) -> None:
    done = nest("doctor", "--json", env={"OLLAMA_HOST": "127.0.0.1:9"})
    findings = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert findings["isolation"]["good"]
    assert "kernel-" in findings["isolation"]["finding"]
    assert not findings["models"]["good"]
    assert findings["models"]["hint"]
    assert done.returncode == 0


def test_doctor_tells_of_the_palette_and_the_daemon(nest: NestCommand, ops: Path) -> None:
    plugin = ops / ".obsidian/plugins/obsidian-shellcommands"
    plugin.mkdir(parents=True)
    (plugin / "manifest.json").write_text('{"version": "0.23.0"}')
    (ops / ".obsidian/community-plugins.json").write_text('["obsidian-shellcommands"]')

    def found(what: str) -> dict[str, object]:
        findings = json.loads(nest("doctor", "--json", env={"OLLAMA_HOST": "127.0.0.1:9"}).stdout)
        return next(finding for finding in findings if finding["what"] == what)

    assert "nest obsidian install" in str(found("palette")["hint"])
    nest("obsidian", "install", "--yes", "--closed")
    assert found("palette")["finding"] == "7 of nest's commands are in Obsidian's palette"
    assert found("watch")["finding"] == "not watched"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(nest: NestCommand, shell: str) -> None:
    assert "_NEST_COMPLETE" in nest("completion", shell).stdout


def test_completion_knows_the_commands(nest: NestCommand) -> None:
    env = {"_NEST_COMPLETE": "bash_complete", "COMP_WORDS": "nest re", "COMP_CWORD": "1"}
    assert "resolve" in nest(env=env).stdout


def test_a_reader_that_leaves_early_is_no_error(ops: Path) -> None:
    assert os.system(f"cd '{ops}' && '{COMMAND}' show notes | head -1 > /dev/null") == 0


def test_what_a_note_spells_for_a_terminal_is_shown_not_sent(nest: NestCommand, ops: Path) -> None:
    (ops / "esc.md").write_text("- [ ] \x1b[2Jgone\n")
    assert "\x1b" not in nest("show", "tasks", "esc").stdout
