"""The documentation is true: every command in it runs over a scratch copy of the example vault."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from checks import COMMAND

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```sh(?: (?P<mark>skip|exit=\d+))?\n(?P<lines>.*?)^```$", re.M | re.S)


def blocks() -> list[tuple[str, str, int]]:
    """(page and number, shell lines, exit code of the last) of every block that is to be run."""
    found = []
    for page in PAGES:
        for number, block in enumerate(BLOCK.finditer(page.read_text("utf-8")), start=1):
            if block["mark"] != "skip":
                code = int((block["mark"] or "exit=0").removeprefix("exit="))
                found.append((f"{page.name} {number}", block["lines"], code))
    return found


@pytest.mark.parametrize(("lines", "code"), [b[1:] for b in blocks()], ids=[b[0] for b in blocks()])
def test_the_commands_of_the_documentation_run(lines: str, code: int, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "vault", tmp_path / "vault")
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", lines],
        cwd=tmp_path / "vault",
        env={**os.environ, "PATH": path, "OLLAMA_HOST": "127.0.0.1:9"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == code, f"{done.stdout}\n{done.stderr}"


SCREEN = re.compile(r"^```console\n(?P<text>.*?)^```$", re.M | re.S)
STEP = re.compile(r"^\$ (?P<command>.*<<'END'\n(?:.*\n)*?END|.*)\n(?P<shown>(?:(?!\$ ).*\n)*)", re.M)


def screens() -> list[tuple[str, list[tuple[str, str]]]]:
    """(page and number, (command, what is shown below it) one after the other) of every screen."""
    return [
        (f"{page.name} {number}", STEP.findall(screen["text"]))
        for page in PAGES
        for number, screen in enumerate(SCREEN.finditer(page.read_text("utf-8")), start=1)
    ]


def as_pattern(shown: str) -> str:
    """Three dots stand for lines left out or, within a line, for a part of it."""
    parts = re.split(r"(^\.\.\.\n|\.\.\.)", shown, flags=re.M)
    return "".join({"...\n": r"(?:.*\n)*?", "...": ".*?"}.get(part, re.escape(part)) for part in parts)


@pytest.mark.parametrize("steps", [s[1] for s in screens()], ids=[s[0] for s in screens()])
def test_the_screens_of_the_documentation_are_what_one_sees(steps: list[tuple[str, str]], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "vault", tmp_path / "vault")
    path = f"{COMMAND.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "OLLAMA_HOST": "127.0.0.1:9"}
    assert steps
    for command, shown in steps:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=tmp_path / "vault",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
        )
        assert re.fullmatch(as_pattern(shown), done.stdout), f"{command}\nshows\n{done.stdout}\nnot\n{shown}"
        assert done.returncode == 0 or shown not in ("", "...\n"), f"{command}\n{done.stdout}"


def test_every_command_is_told_of_in_the_documentation() -> None:
    text = "".join(page.read_text("utf-8") for page in PAGES)
    shown = subprocess.run([COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  ([a-z]+) {2,}", shown.partition("Commands:")[2], re.M)
    assert len(commands) >= 10
    assert [name for name in commands if f"nest {name}" not in text] == []


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_setting_is_told_of() -> None:
    from nestkit.config import KNOWN

    text = (ROOT / "docs/settings.md").read_text("utf-8")
    missing = [f"{section}.{key}" for section, keys in KNOWN.items() for key in keys if key not in text]
    assert missing == []


def test_the_attacks_and_escapes_are_as_many_as_the_page_on_security_says() -> None:
    from nestkit.sandbox.battery import read_attacks

    text = " ".join((ROOT / "docs/security.md").read_text("utf-8").split())
    attacks = read_attacks()
    lines = (ROOT / "tests/cases/escapes.jsonl").read_text("utf-8").splitlines()
    escapes = [json.loads(line) for line in lines]
    assert f"battery of {len(attacks)} attacks" in text
    assert f"of the {sum(attack.bare for attack in attacks)} that can be tried" in text
    for group, count in Counter(attack.group for attack in attacks).items():
        assert f"{group} ({count})" in text
    assert f"runs {len(escapes)} escapes" in text
    for number, contract in enumerate(("sandboxed", "brokered", "reviewed"), start=1):
        assert f"| `{contract}` | 0 of {sum(number in case['contracts'] for case in escapes)} |" in text
    assert f"twenty classes: {', '.join(sorted({case['class'] for case in escapes}))}." in text


def test_the_demo_of_the_readme_answers_and_shows_its_run_note() -> None:
    done = subprocess.run(["bash", "docs/demo.sh"], cwd=ROOT, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    assert "nest-status: ok" in done.stdout
    assert "84.25" in done.stdout
