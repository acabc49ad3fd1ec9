"""The plugin's own code over what nest wrote into its settings: real node, real `nest`, a stand-in for Obsidian only.

Nothing of the plugin (obsidian-shellcommands, GPL-3.0) is in here: NEST_SHELLCOMMANDS names its folder as Obsidian
installs it, or the main.js in it; docs/obsidian.md says how to run this.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from checks import COMMAND, NestCommand
from palette.handed import HOSTILE, asked

NAMED = Path(os.environ.get("NEST_SHELLCOMMANDS") or "/nowhere")
MAIN = NAMED / "main.js" if NAMED.is_dir() else NAMED
NODE = shutil.which("node")

pytestmark = [
    pytest.mark.plugin,
    pytest.mark.skipif(not MAIN.is_file(), reason="NEST_SHELLCOMMANDS leads to no main.js of the plugin"),
    pytest.mark.skipif(NODE is None, reason="there is no node"),
]

QUESTION = "Which projects are active?"
OWN = "obsidian-shellcommands:shell-command-nest-"
ODD_SHELL = {
    "id": "odd",
    "name": "A shell of mine that escapes nothing",
    "description": "",
    "binary_path": "/bin/bash",
    "shell_arguments": ["-c", "{{!shell_command_content}}"],
    "host_platform": "linux",
    "host_platform_configurations": {},
    "shell_platform": None,
    "escaper": None,
    "path_translator": None,
    "shell_command_wrapper": None,
    "shell_command_test": None,
}
YEARS_AGO = {
    "settings_version": "0.20.0",
    "default_shells": {"linux": "odd"},
    "custom_shells": [ODD_SHELL],
    "shell_commands": [{"id": "mine", "platform_specific_commands": {"default": "touch ran"}, "alias": "Mine"}],
    "custom_variables": [{"id": "v", "name": "mine", "description": "", "default_value": None}],
    "prompts": [{"id": "p", "title": "Mine", "fields": [{"label": "?", "target_variable_id": "v"}]}],
}
"""Settings that an old plugin wrote; the new one fills them up when it first loads them."""


@pytest.fixture
def plugin(ops: Path) -> Path:
    """The plugin's folder in the vault, as Obsidian installs it."""
    folder = ops / ".obsidian/plugins/obsidian-shellcommands"
    folder.mkdir(parents=True)
    shutil.copy(MAIN, folder / "main.js")
    manifest = MAIN.with_name("manifest.json")
    said = json.loads(manifest.read_text("utf-8")) if manifest.is_file() else {"version": "0.23.0"}
    (folder / "manifest.json").write_text(
        json.dumps({**said, "id": "obsidian-shellcommands", "name": "Shell commands"})
    )
    (ops / ".obsidian/community-plugins.json").write_text('["obsidian-shellcommands"]')
    return folder


@pytest.fixture(params=["fresh", "lived in"])
def installed(request: pytest.FixtureRequest, ops: Path, plugin: Path, nest: NestCommand) -> Path:
    """The vault with nest's commands in the plugin's settings, which were there before or not."""
    if request.param == "lived in":
        (plugin / "data.json").write_text(json.dumps(YEARS_AGO, indent=2))
        assert act(ops)["saved"] == 1
    install(nest)
    return ops


def install(nest: NestCommand) -> None:
    done = nest("obsidian", "install", "--yes", "--closed")
    assert done.returncode == 0, done.stderr


def act(vault: Path, *, shell: str = "/bin/bash", **person: Any) -> dict[str, Any]:
    """What the plugin did: loaded as by a desktop's Obsidian, its palette and a menu opened, one thing chosen."""
    folders = {name: value for name, value in os.environ.items() if name.startswith("NEST_") and "_DIR" in name}
    done = subprocess.run(
        [str(NODE), Path(__file__).with_name("obsidian.cjs"), vault],
        input=json.dumps(person),
        env={**folders, "HOME": str(vault.parent), "PATH": "/usr/bin:/bin", "SHELL": shell},
        cwd=vault.parent,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert not list(vault.parent.rglob("pwned"))
    assert done.returncode == 0, done.stderr
    did: dict[str, Any] = json.loads(done.stdout)
    assert did["failed"] == []
    return did


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_plugin_takes_the_settings_as_they_are(installed: Path, plugin: Path) -> None:
    before = files(plugin)
    did = act(installed)
    assert (did["saved"], did["said"], did["markup"], did["windows"], did["ran"]) == (0, [], [], [], [])
    assert files(plugin) == before


def test_every_command_stands_in_the_palette_and_two_in_the_menu(installed: Path) -> None:
    did = act(installed)
    names = {name.removeprefix(OWN): said for name, said in did["commands"].items() if name.startswith(OWN)}
    assert names == {
        "ask": "Shell commands: Execute: nest: ask",
        "ask-selection": "Shell commands: Execute: nest: ask about the selection",
        "ask-note": "Shell commands: Execute: nest: ask about this note",
        "call": "Shell commands: Execute: nest: run a tool on this note",
        "review": "Shell commands: Execute: nest: review waiting runs",
        "last": "Shell commands: Execute: nest: open the last run",
        "index": "Shell commands: Execute: nest: index",
    }
    assert did["menu"] == ["nest: ask about the selection", "nest: ask about this note"]


def test_what_is_taken_out_is_gone_for_the_plugin_too(installed: Path, plugin: Path, nest: NestCommand) -> None:
    assert nest("obsidian", "status").returncode == 0
    act(installed)
    assert nest("obsidian", "status").returncode == 0  # the plugin changed nothing that would look like an edit
    assert nest("obsidian", "uninstall", "--yes", "--closed").returncode == 0
    before = files(plugin)
    did = act(installed)
    assert [name for name in did["commands"] if "nest" in name] == []
    assert (did["saved"], did["menu"], files(plugin)) == (0, [], before)


def only_nest(did: dict[str, Any], vault: Path) -> str:
    """The one command that was started, which is nest's, in a shell whose escaping is known."""
    (ran,) = did["ran"]
    assert (ran["way"], ran["words"], ran["shell"], ran["cwd"]) == ("spawn", [], "/bin/bash", str(vault))
    assert ran["command"].startswith(f"{COMMAND} --vault ")
    return str(ran["command"])


@pytest.mark.parametrize("question", [QUESTION, "List notes; $(touch pwned) `touch pwned` '\" \\ > pwned"])
def test_a_question_is_asked_as_it_was_typed_and_its_note_opens(installed: Path, question: str) -> None:
    did = act(installed, command="nest-ask", answer=question)
    only_nest(did, installed)
    (path,) = did["opened"]
    assert asked(installed, path)["text"] == question
    assert (did["said"], did["markup"], did["windows"], did["saved"]) == ([], [], [], 0)


def test_a_prompt_that_is_closed_starts_nothing(installed: Path) -> None:
    assert act(installed, command="nest-ask")["ran"] == []


@pytest.mark.parametrize("selection", HOSTILE, ids=range(len(HOSTILE)))
def test_a_selection_reaches_the_ask_unchanged_and_runs_nothing(
    ops: Path, plugin: Path, nest: NestCommand, selection: str
) -> None:
    install(nest)
    before = {file.name for file in (*ops.iterdir(), *ops.parent.iterdir())}
    did = act(ops, command="nest-ask-selection", answer=QUESTION, note="README.md", selection=selection)
    command = only_nest(did, ops)
    (path,) = did["opened"]
    ask = asked(ops, path)
    assert (ask["text"], ask["selection"]) == (QUESTION, selection)
    assert len(command) < 1_000
    assert {file.name for file in (*ops.iterdir(), *ops.parent.iterdir())} - before <= {".nest", "03_Runs"}


def test_the_plugin_fills_in_no_more_of_a_selection_than_the_question(
    ops: Path, plugin: Path, nest: NestCommand
) -> None:
    """Its variables are put in one after the other: where a selection spells the prompt's own, the question is put."""
    install(nest)
    spelled = "{{clipboard}} {{environment:HOME}} {{_nest_tool}} {{selection}} {{_nest_question}}"
    did = act(ops, command="nest-ask-selection", answer=QUESTION, note="README.md", selection=spelled)
    ask = asked(ops, did["opened"][0])
    assert (ask["text"], ask["selection"]) == (QUESTION, spelled.replace("{{_nest_question}}", QUESTION))


def test_a_variable_that_was_typed_is_filled_in_by_the_plugin(installed: Path) -> None:
    did = act(installed, command="nest-ask", answer="Who links to {{file_name}}?", note="README.md")
    assert asked(installed, did["opened"][0])["text"] == "Who links to README.md?"


def test_without_a_selection_it_is_said_and_nothing_starts(installed: Path) -> None:
    did = act(installed, command="nest-ask-selection", answer=QUESTION, note="README.md")
    assert did["ran"] == []
    assert "Nothing is selected" in did["said"][0]


@pytest.mark.parametrize("name", ["Plain", 'a b\'s "c" $(touch pwned)', "-n; touch pwned", "ü `touch pwned` & x"])
def test_a_note_of_any_name_asks_from_palette_and_menu(installed: Path, name: str) -> None:
    (installed / f"{name}.md").write_text("hello\n")
    for way in ({"command": "nest-ask-note"}, {"menu": "nest: ask about this note"}):
        did = act(installed, answer=QUESTION, note=f"{name}.md", **way)
        only_nest(did, installed)
        (path,) = did["opened"]
        assert asked(installed, path)["note"] == f"{name}.md"
    assert "[!nest]" in (installed / f"{name}.md").read_text()


def test_a_hotkey_asks_about_the_note_that_is_open_or_the_person_was_told(
    installed: Path, nest: NestCommand, request: pytest.FixtureRequest
) -> None:
    (installed / "Other.md").write_text("hello\n")
    told = "Preview variables" in nest("obsidian", "status").stdout
    did = act(installed, command="nest-ask-note", answer=QUESTION, before="README.md", note="Other.md")
    assert asked(installed, did["opened"][0])["note"] == ("README.md" if told else "Other.md")
    assert told == ("lived" in request.node.name)


def test_a_desktop_whose_shell_the_plugin_does_not_know_can_ask(ops: Path, plugin: Path, nest: NestCommand) -> None:
    install(nest)
    did = act(ops, shell="/usr/bin/fish", command="nest-ask", answer=QUESTION)
    only_nest(did, ops)
    assert len(did["opened"]) == 1


def test_a_refusal_opens_its_note_and_says_no_more(installed: Path) -> None:
    did = act(installed, command="nest-ask", answer="Paint the fence")
    assert len(did["opened"]) == 1
    assert (did["said"], did["markup"], did["windows"]) == ([], [], [])


def test_the_last_run_opens_and_nothing_that_waits_is_said(installed: Path, nest: NestCommand) -> None:
    ask = act(installed, command="nest-ask", answer=QUESTION)
    assert act(installed, command="nest-last")["opened"] == ask["opened"]
    (window,) = act(installed, command="nest-review")["windows"]
    assert window == {"title": "nest: review waiting runs", "texts": ["no run is waiting\n"]}
    assert "notes" in act(installed, command="nest-index")["markup"][0]


MARKUP = '<img src="//example.org/seen"> \x1b[31m<b>red</b>\x1b[0m'
TOOLS = f"""def tell(note: str) -> str:
    \"\"\"Tell.\"\"\"
    return {MARKUP!r} + note


def fail(note: str) -> str:
    \"\"\"Fail.\"\"\"
    raise ValueError({MARKUP!r} + note)
"""


@pytest.mark.parametrize("tool", ["tell", "fail", "nothing"])
def test_what_a_tool_says_is_shown_as_text_and_never_drawn(installed: Path, nest: NestCommand, tool: str) -> None:
    (installed / "02_System/hostile.py").write_text(TOOLS)
    did = act(installed, command="nest-call", answer=f"hostile.{tool}", note="README.md")
    only_nest(did, installed)
    direct = nest("call", f"hostile.{tool}", "README.md")
    (window,) = did["windows"]
    assert window == {"title": "nest: run a tool on this note", "texts": [direct.stdout or direct.stderr]}
    assert did["markup"] == []


def test_a_refused_call_is_said(installed: Path) -> None:
    (installed / "02_System/asks.py").write_text(
        '"""Asks.\n\n---\nnest:\n  permissions: [network]\n---\n"""\n\n\ndef send(note: str) -> str:\n    """Send."""\n'
        "    return note\n"
    )
    did = act(installed, command="nest-call", answer="asks.send", note="README.md")
    (window,) = did["windows"]
    assert "network" in window["texts"][0]


def test_settings_that_are_broken_are_said_as_text(installed: Path) -> None:
    (installed / "nest.toml").write_text('"<img src=//example.org/seen>" = 1\n')
    did = act(installed, command="nest-ask", answer=QUESTION)
    (window,) = did["windows"]
    assert "example.org" in window["texts"][0]
    assert (did["markup"], did["opened"]) == ([], [])
