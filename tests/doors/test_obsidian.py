"""nest's commands in Obsidian's palette: put in, run as the plugin runs them, taken out; real shells, real files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from checks import NestCommand
from palette.format import check_settings
from palette.handed import HOSTILE, asked

from nestkit.palette.surroundings import Plugin, _list_proc, find_home

PLUGIN = ".obsidian/plugins/obsidian-shellcommands"
LIVED_IN = {
    "settings_version": "0.23.0",
    "working_directory": "/somewhere/else",
    "shell_commands": [{"id": "mine", "platform_specific_commands": {"default": "make"}, "alias": "Make"}],
    "prompts": [],
    "future": {"kept": True},
    "custom_variables": [],
}


@pytest.fixture
def data(ops: Path) -> Path:
    """Where the plugin keeps its settings, in a vault that Obsidian has opened."""
    plugin = ops / PLUGIN
    plugin.mkdir(parents=True)
    (plugin / "manifest.json").write_text('{"id": "obsidian-shellcommands", "version": "0.23.0"}')
    (ops / ".obsidian/community-plugins.json").write_text('["obsidian-shellcommands"]')
    return plugin / "data.json"


def lived_in(data: Path) -> bytes:
    data.write_text(json.dumps(LIVED_IN, indent=2))
    return data.read_bytes()


def install(nest: NestCommand, *more: str) -> subprocess.CompletedProcess[str]:
    return nest("obsidian", "install", "--yes", "--closed", *more)


def test_a_fresh_plugin_gets_commands_that_it_reads_whole(nest: NestCommand, data: Path) -> None:
    done = install(nest)
    assert done.returncode == 0, done.stderr
    assert check_settings(json.loads(data.read_text())) == []
    assert list(data.parent.glob("*backup*")) == []


def test_settings_in_use_are_copied_and_only_added_to(nest: NestCommand, data: Path) -> None:
    before = lived_in(data)
    data.chmod(0o640)
    assert install(nest).returncode == 0
    (backup,) = data.parent.glob("data.nest-backup-*.json")
    assert backup.read_bytes() == before
    assert data.stat().st_mode & 0o777 == 0o640
    found = json.loads(data.read_text())
    assert [*found][:3] == [*LIVED_IN][:3]
    assert found["shell_commands"][0] == LIVED_IN["shell_commands"][0]  # type: ignore[index]
    after = data.read_bytes()
    again = install(nest)
    assert again.stdout == "nothing to change\n"
    assert data.read_bytes() == after
    assert len(list(data.parent.glob("*backup*"))) == 1
    assert nest("obsidian", "status").returncode == 0
    assert nest("obsidian", "uninstall", "--yes", "--closed").returncode == 0
    assert data.read_bytes() == before
    assert nest("obsidian", "status").returncode == 1


def test_without_a_terminal_it_only_shows_what_it_would_do(nest: NestCommand, data: Path) -> None:
    before = lived_in(data)
    done = nest("obsidian", "install")
    assert done.stdout.startswith("--- .obsidian/plugins/obsidian-shellcommands/data.json")
    assert '+      "id": "nest-ask",' in done.stdout
    assert "--yes" in done.stderr
    assert data.read_bytes() == before
    assert nest("obsidian", "install", "--dry-run", "--yes").stdout == done.stdout
    assert not list(data.parent.glob("*backup*"))


def test_what_was_edited_is_left_until_told_otherwise(nest: NestCommand, data: Path) -> None:
    install(nest)
    text = data.read_text().replace('"alias": "nest: ask"', '"alias": "Frag nach"')
    data.write_text(text)
    done = install(nest, "--program", "/opt/other/nest")
    assert "nest-ask was edited by you" in done.stderr
    assert "Frag nach" in data.read_text()
    assert "edited by you" in nest("obsidian", "status").stdout
    assert install(nest, "--force").returncode == 0
    assert "Frag nach" not in data.read_text()


@pytest.mark.parametrize(
    ("enabled", "installed", "said"),
    [("[]", True, "not enabled"), ('["obsidian-shellcommands"]', False, "not installed")],
)
def test_without_the_plugin_nothing_is_changed(
    nest: NestCommand, ops: Path, data: Path, enabled: str, installed: bool, said: str
) -> None:
    (ops / ".obsidian/community-plugins.json").write_text(enabled)
    if not installed:
        shutil.rmtree(data.parent)
    done = install(nest)
    assert (done.returncode, said in done.stderr, "--print" in done.stderr) == (1, True, True)
    assert not data.exists()
    printed = json.loads(nest("obsidian", "install", "--print").stdout)
    assert len(printed["shell_commands"]) == 7


@pytest.mark.parametrize("text", ['{"settings_version": "9.0.0"}', "{broken", "\xff\xfe"])
def test_settings_it_does_not_understand_are_refused_in_one_line(nest: NestCommand, data: Path, text: str) -> None:
    data.write_bytes(text.encode("latin-1"))
    done = install(nest)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    assert data.read_bytes() == text.encode("latin-1")


def test_a_plugin_of_another_version_without_settings_is_refused(nest: NestCommand, data: Path) -> None:
    (data.parent / "manifest.json").write_text('{"version": "0.19.1"}')
    done = install(nest)
    assert "no settings yet" in done.stderr
    assert not data.exists()


def test_a_link_in_place_of_the_settings_is_not_followed(nest: NestCommand, data: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(json.dumps(LIVED_IN))
    data.symlink_to(elsewhere)
    assert install(nest).returncode == 1
    assert elsewhere.read_text() == json.dumps(LIVED_IN)


def test_a_renamed_folder_of_settings_is_found(nest: NestCommand, ops: Path, data: Path) -> None:
    (ops / ".obsidian").rename(ops / ".config-mine")
    (ops / ".config-mine/core-plugins.json").write_text("[]")
    (ops / "nest.toml").write_text("")
    assert install(nest).returncode == 0
    assert find_home(ops).folder == ".config-mine"
    assert (ops / ".config-mine/plugins/obsidian-shellcommands/data.json").exists()


# Obsidian itself: a real process of that name, and a stand-in for its command line that does what the real one does.


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Path]:
    """A program called obsidian, running."""
    file = Path(shutil.copy(shutil.which("sleep") or "/bin/sleep", tmp_path / "obsidian"))
    process = subprocess.Popen([file, "60"])
    while not Path(f"/proc/{process.pid}/cmdline").read_bytes():  # for a moment within exec(2) there is none
        time.sleep(0.01)
    yield file
    process.kill()
    process.wait()


def test_a_running_obsidian_is_seen_and_refused(nest: NestCommand, data: Path, app: Path) -> None:
    before = lived_in(data)
    assert any(name.endswith("/obsidian") for name in _list_proc(Path("/proc")) or ())
    done = nest("obsidian", "install", "--yes")
    assert done.returncode == 1
    assert "Obsidian is running" in done.stderr
    assert "quit Obsidian" in done.stderr
    assert data.read_bytes() == before


_STAND_IN = """#!/bin/sh
# obsidian vault=NAME COMMAND [id=...]: an app that writes its old settings when the plugin is disabled
echo "$@" >> {log}
case "$2" in
version) echo 1.12.7 ;;
plugin:disable) [ -e {stuck} ] && exit 1; echo '{settings}' > {data} ;;
plugin:enable) cp {data} {seen} ;;
esac
"""


def test_a_running_obsidian_with_a_command_line_lets_go_and_takes_up_again(
    nest: NestCommand, ops: Path, data: Path, app: Path, tmp_path: Path
) -> None:
    lived_in(data)
    later = json.dumps({**LIVED_IN, "edited_in_the_app": 1})
    log, seen, stuck = tmp_path / "log", tmp_path / "seen", tmp_path / "stuck"
    program = tmp_path / "bin/obsidian"
    program.parent.mkdir()
    program.write_text(_STAND_IN.format(log=log, stuck=stuck, settings=later, data=data, seen=seen))
    program.chmod(0o755)
    env = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    stuck.touch()
    refused = nest("obsidian", "install", "--yes", env=env)
    assert "did not disable" in refused.stderr
    assert json.loads(data.read_text()) == LIVED_IN
    stuck.unlink()
    done = nest("obsidian", "install", "--yes", env=env)
    assert done.returncode == 0, done.stderr
    words = [line.split()[1:] for line in log.read_text().splitlines()]
    assert words[-2:] == [
        ["plugin:disable", "id=obsidian-shellcommands"],
        ["plugin:enable", "id=obsidian-shellcommands"],
    ]
    taken_up = json.loads(seen.read_text())
    assert taken_up["edited_in_the_app"] == 1
    assert any(entry["id"] == "nest-ask" for entry in taken_up["shell_commands"])
    assert Plugin(ops).vault == "ops"


# The commands, run as the plugin runs them: variables put in by its rule, stdin raw, a shell, a bare environment.

SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh") if shutil.which(shell)]


def run_command(data: Path, name: str, shell: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """As the plugin does: a backslash before everything but letters, digits and _; a newline as the two characters."""
    entries = {entry["id"]: entry for entry in json.loads(data.read_text())["shell_commands"]}
    entry = entries[f"nest-{name}"]
    vault = data.parents[3]
    values = {"vault_path": str(vault), **variables}

    def put_in(template: str, escape: bool) -> str:
        def value(match: re.Match[str]) -> str:
            raw = values[match[1]]
            return re.sub(r"[^A-Za-z0-9_]", lambda c: "\\n" if c[0] == "\n" else "\\" + c[0], raw) if escape else raw

        return re.sub(r"\{\{([\w:]+)\}\}", value, template)

    stdin = entry["input_contents"]["stdin"]
    environment = {k: v for k, v in os.environ.items() if k.startswith("NEST_") or k == "HOME"}
    return subprocess.run(
        [shell, "-c", put_in(entry["platform_specific_commands"]["linux"], True)],
        input=None if stdin is None else put_in(stdin, False).encode("utf-8"),
        stdin=subprocess.DEVNULL if stdin is None else None,
        cwd=vault.parent,
        env={**environment, "PATH": "/usr/bin:/bin", "OLLAMA_HOST": "127.0.0.1:9"},
        capture_output=True,
        timeout=60,
    )


@pytest.mark.parametrize("selection", HOSTILE, ids=range(len(HOSTILE)))
def test_a_selection_reaches_the_ask_unchanged_and_runs_nothing(
    nest: NestCommand, ops: Path, data: Path, selection: str
) -> None:
    install(nest)
    before = {file.name for file in (*ops.iterdir(), *ops.parent.iterdir())}
    question = "Which projects are active?"
    done = run_command(data, "ask-selection", SHELLS[-1], _nest_question=question, selection=selection)
    (path,) = done.stdout.decode().splitlines()
    ask = asked(ops, path)
    assert (ask["text"], ask["selection"]) == (question, selection)
    assert {file.name for file in (*ops.iterdir(), *ops.parent.iterdir())} - before <= {".nest", "03_Runs"}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_question_is_asked_from_each_shell_and_its_answer_opens(
    nest: NestCommand, ops: Path, data: Path, shell: str
) -> None:
    install(nest)
    question = "List the active projects; $(touch pwned) `touch pwned` '\""
    done = run_command(data, "ask", shell, _nest_question=question)
    (path,) = done.stdout.decode().splitlines()  # one line, path only: what the channel open-files takes
    assert ":" not in path
    assert asked(ops, path)["text"] == question
    assert not list(ops.parent.rglob("pwned"))


@pytest.mark.parametrize("name", ["Plain", 'a b\'s "c" $(touch pwned)', "-n; touch pwned", "ü `touch pwned` & x"])
def test_a_note_of_any_name_asks(nest: NestCommand, ops: Path, data: Path, name: str) -> None:
    (ops / f"{name}.md").write_text("hello\n")
    install(nest)
    variables = {"_nest_question": "Which projects are active?", "file_path:relative": f"{name}.md"}
    done = run_command(data, "ask-note", SHELLS[0], **variables)
    assert done.returncode == 0, done.stderr
    assert asked(ops, done.stdout.decode().strip())["note"] == f"{name}.md"
    assert "[!nest]" in (ops / f"{name}.md").read_text()
    assert not list(ops.parent.rglob("pwned"))


def test_the_other_commands_do_what_they_say(nest: NestCommand, ops: Path, data: Path) -> None:
    install(nest)
    assert run_command(data, "review", "sh").stderr.decode() == "no run is waiting\n"
    assert b"notes" in run_command(data, "index", "sh").stdout
    path = run_command(data, "ask", "sh", _nest_question="Which projects are active?").stdout
    assert run_command(data, "last", "sh").stdout == path
    (ops / "02_System/size.py").write_text(
        'def size(note: str) -> str:\n    """Letters of a note.\n\n    Args:\n        note: Its path.\n    """\n'
        "    return note + 'é' * 100_000\n"
    )
    done = run_command(data, "call", "sh", _nest_tool="size.size", **{"file_path:relative": "README.md"})
    assert done.stdout.startswith(b"README.md"), done.stderr
    assert 59_000 < len(done.stdout) < 61_000
    assert b"characters more" in done.stdout


@pytest.mark.parametrize("name", ["--yes=1.md", "--vault=x.md", "--.md"])
def test_a_note_named_like_an_option_is_a_note(nest: NestCommand, ops: Path, data: Path, name: str) -> None:
    install(nest)
    (ops / "02_System/log.py").write_text(
        'def log(note: str = "") -> None:\n    """Logs.\n\n    ---\n    nest:\n      permissions: [write:Log.md]\n'
        '    ---\n    """\n    open("Log.md", "w").write(note)\n'
    )
    (ops / name).write_text("a note")
    done = run_command(data, "call", "sh", _nest_tool="log.log", **{"file_path:relative": name})
    assert b"that takes a person's yes" in done.stderr, (done.stdout, done.stderr)
    assert not (ops / "Log.md").exists()


def test_an_address_that_opens_a_run_is_printed(nest: NestCommand, ops: Path) -> None:
    nest("ask", "Which projects are active?", "--model", "builtin", "--now", "2026-03-18T09:00:00")
    done = nest("runs", "open", "last", "--print", "uri")
    asked = nest("ask", "Which projects are active?", "--model", "builtin", "--print", "uri")
    assert asked.stdout.startswith("obsidian://open?vault=ops&file=03_Runs%2F")
    assert done.stdout.startswith("obsidian://open?vault=ops&file=03_Runs%2F2026%2F03%2F2026-03-18%200900%20Which")
