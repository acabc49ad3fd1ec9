"""`nest tools`: the table, a page on one tool, what is wrong with all of them, and a new one."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from checks import NestCommand


def write(ops: Path, path: str, text: str) -> None:
    file = ops / "02_System" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(dedent(text).lstrip("\n"))


def check(nest: NestCommand, *words: str) -> list[dict[str, Any]]:
    done = nest("tools", "check", "mine", *words, "--json")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    graver = [finding for finding in found if not finding["is_advice"]]
    assert done.returncode == (1 if graver or ("--strict" in words and found) else 0), done.stderr
    return found


def test_tools_stand_under_their_groups_and_the_built_in_ones_last(nest: NestCommand, ops: Path) -> None:
    write(ops, "pdf/SKILL.md", "---\nname: pdf-forms\ndescription: Fill forms.\n---\nFirst read, then fill.\n")
    write(ops, "pdf/scripts/forms.py", "def fill_form(name: str) -> str:\n    'Fill one form.'\n")
    write(ops, "money/rates.py", "def rate(): 'A rate.'")
    shown = nest("tools").stdout
    titles = [line for line in shown.splitlines() if line.endswith(":") or line.startswith("pdf-forms:")]
    assert titles == ["money:", "pdf-forms: Fill forms.", "built in:"]
    assert shown.index("fx.convert") < shown.index("money:") < shown.index("  forms.fill_form")
    groups = {tool["name"]: tool["group"] for tool in json.loads(nest("tools", "--json").stdout)}
    assert groups["forms.fill_form"] == "pdf-forms"
    assert (groups["rates.rate"], groups["fx.convert"], groups["vault.search"]) == ("money", "", "built in")


def test_the_text_of_a_skill_is_told_on_demand(nest: NestCommand, ops: Path) -> None:
    write(ops, "pdf/SKILL.md", "---\nname: pdf-forms\ndescription: Fill forms.\n---\nFirst read, then fill.\n")
    write(ops, "pdf/scripts/forms.py", "def fill_form(name: str) -> str:\n    'Fill one form.'\n")
    assert "First read" not in nest("tools").stdout
    page = nest("tools", "show", "pdf-forms").stdout
    for part in ("pdf-forms: Fill forms.", "First read, then fill.", "fill_form(name: str) -> str # Fill one form."):
        assert part in page


def test_what_is_no_tool_is_listed_with_its_reason(nest: NestCommand, ops: Path) -> None:
    write(ops, "mine.py", "f = lambda x: x\nclass A: pass\n")
    listed = json.loads(nest("tools", "--all", "--json").stdout)["others"]
    assert {(each["name"], each["script"]) for each in listed} >= {
        ("f", "02_System/mine.py"),
        ("A", "02_System/mine.py"),
    }
    assert "f is no tool: a lambda" in nest("tools", "--all").stdout


def test_a_page_tells_effects_and_the_line_that_shows_them(nest: NestCommand, ops: Path) -> None:
    write(
        ops,
        "mine.py",
        '''
        """Mine.
        ---
        nest:
          permissions: ["write:Out/"]
        ---
        """
        from pathlib import Path
        import os
        def save(name: str) -> None:
            """Save it."""
            Path("Out/x.md").write_text(os.environ["WHO"])
        ''',
    )
    tool = json.loads(nest("tools", "show", "mine.save", "--json").stdout)
    assert [(why["effect"], why["declared"], why["granted"], why["line"]) for why in tool["why"]] == [
        ("write:Out/**", True, False, 11),
        ("env:WHO", False, False, 11),
    ]
    page = nest("tools", "show", "save").stdout
    assert "env:WHO (seen in the code, not declared; a person is asked) because of line 11: Path(" in page
    assert nest("trust", "mine.save", "--yes").returncode == 0
    assert "write:Out/** (declared; granted)" in nest("tools", "show", "save").stdout


def test_a_page_tells_notes_and_runs_but_nothing_private(nest: NestCommand, ops: Path) -> None:
    (ops / "nest.toml").write_text('[vault]\nprivate = ["Secret/**"]\n')
    (ops / "Secret").mkdir()
    (ops / "Secret/plan.md").write_text("[[fx.py]] for the secret plan\n---\n")
    (ops / "Secret/about.md").write_text(
        '---\ntool: "[[fx.py]]"\nutterances: ["secret {amount}"]\n---\nSecret words.\n'
    )
    (ops / "How.md").write_text("Rates come from [[fx.py]].\n")
    write(ops, "fx.md", "Rates of the day before.\n")
    assert nest("ask", "convert 250 GBP to EUR", "--model", "builtin").returncode == 0
    tool = json.loads(nest("tools", "show", "fx.convert", "--json").stdout)
    assert {"path": "How.md", "line": 1, "context": "Rates come from [[fx.py]]."} in tool["mentions"]
    assert [run["ask"] for run in tool["runs"]] == ["convert 250 GBP to EUR"]
    assert tool["notes"] == ["02_System/fx.md"]
    page = nest("tools", "show", "fx.convert").stdout
    assert "Rates of the day before." in page
    assert "ecret" not in page + json.dumps(tool)


def test_a_note_narrows_what_the_tool_may_do_when_it_is_called(nest: NestCommand, ops: Path) -> None:
    head = "from pathlib import Path\ndef save() -> str:\n    'Save.'\n"
    write(ops, "mine.py", f"{head}    Path('x.md').write_text('x')\n    return 'saved'\n")
    assert nest("call", "mine.save", "--yes").stdout == "saved\n"
    (ops / "x.md").unlink()
    (ops / "Narrow.md").write_text('---\ntool: "[[mine.py]]"\npermissions: [read]\n---\n')
    done = nest("call", "mine.save")
    assert done.returncode == 1, done.stdout
    assert not (ops / "x.md").exists()


EXAMPLE = 'def f():\n    """F.\n    ---\n    nest:\n      examples: ["{}"]\n    ---\n    """\n'


@pytest.mark.parametrize(
    ("source", "kind", "line", "what", "paste"),
    [
        ("def f(:\n", "script", 1, "not Python", ""),
        ('"""A.\n---\nnest:\n  colour: red\n---\n"""\ndef f(): "F."\n', "script", 4, "unknown key 'colour'", ""),
        (
            "import requests\ndef f():\n    'F.'\n    requests.get('https://a.org/x')\n",
            "effect",
            4,
            "mine.f seems to network:a.org",
            '---\nnest:\n  permissions: ["network:a.org"]\n---',
        ),
        (EXAMPLE.format("f() -> 2") + "    return 3\n", "example", 1, "gave 3, not 2", ""),
        (EXAMPLE.format("f(1)"), "example", 1, "f(1)", ""),
        (EXAMPLE.format("f()") + "    1 / 0\n", "example", 1, "division by zero", ""),
    ],
)
def test_what_is_wrong_fails_the_check(
    nest: NestCommand, ops: Path, source: str, kind: str, line: int, what: str, paste: str
) -> None:
    write(ops, "mine.py", source)
    [finding] = check(nest)
    assert (finding["kind"], finding["line"], finding["paste"]) == (kind, line, paste)
    assert what in finding["what"]
    assert not finding["is_advice"]


@pytest.mark.parametrize(
    ("source", "kind", "line", "what"),
    [
        ("def monthly_sum(x: int, y=2) -> float: pass\n", "docs", 1, "nothing says what mine.monthly_sum does"),
        ("def list(): 'List.'\n", "name", 1, "list is Python's own name"),
        ("def match(): 'Match.'\n", "name", 1, "match is a word of Python"),
        ("def describe(): 'Describe.'\n", "name", 1, "describe is a function of every program"),
        ("def convert(): 'Convert.'\n", "name", 1, "fx.convert ends in the same name"),
        ("def f():\n    'F.'\n    return input('who?')\n", "prompt", 3, "input() waits at a keyboard"),
        (
            '"""F.\n---\nnest:\n  permissions: ["write:Out/"]\n  examples: ["f()"]\n---\n"""\ndef f(): "F."\n',
            "example",
            8,
            "takes a person's yes",
        ),
    ],
)
def test_what_could_be_better_is_advice_and_fails_only_when_strict(
    nest: NestCommand, ops: Path, source: str, kind: str, line: int, what: str
) -> None:
    write(ops, "mine.py", source)
    assert [finding["kind"] for finding in check(nest, "--strict")] == [kind]
    [finding] = check(nest)
    assert (finding["kind"], finding["line"], finding["is_advice"]) == (kind, line, True)
    assert what in finding["what"]


def test_a_docstring_is_ready_to_be_pasted(nest: NestCommand, ops: Path) -> None:
    source = "def sum_up(area: str, since: str = '2026', kind='a', *rest) -> float:\n    return 1.0\n"
    write(ops, "mine.py", source)
    [finding] = check(nest)
    body = "\n".join(f"    {line}".rstrip() for line in finding["paste"].splitlines())
    write(ops, "mine.py", source.replace("    return", f"{body}\n    return"))
    assert check(nest) == []
    page = nest("tools", "show", "mine.sum_up").stdout
    assert "since (str, default '2026'): ... By default '2026'." in page


def test_a_block_of_permissions_is_ready_to_be_pasted(nest: NestCommand, ops: Path) -> None:
    source = (
        "import os, subprocess, shutil\n"
        "def f():\n    'F.'\n    open('a.md', 'w')\n    open(f(), 'w')\n    subprocess.run(['git', 'log'])\n"
        "def g():\n    'G.'\n    shutil.rmtree('Old')\n    return os.environ['KEY']\n"
    )
    write(ops, "mine.py", source)
    found = check(nest)
    assert [finding["kind"] for finding in found] == ["effect"] * 5
    assert len({finding["paste"] for finding in found}) == 1
    write(ops, "mine.py", f'"""Mine.\n{found[0]["paste"]}\n"""\n{source}')
    assert check(nest) == []


def test_a_name_in_two_scripts_is_said_for_both_and_bound_to_neither(nest: NestCommand, ops: Path) -> None:
    write(ops, "mine.py", "def f() -> str:\n    'F.'\n    return 'mine'\n")
    write(ops, "deep/mine.py", "def f() -> str:\n    'F.'\n    return 'deep'\n")
    found = check(nest)
    assert [(finding["path"], finding["kind"]) for finding in found] == [
        ("02_System/deep/mine.py", "name"),
        ("02_System/mine.py", "name"),
    ]
    assert "is also in 02_System/deep/mine.py" in found[1]["what"]
    done = nest("call", "mine.f")
    assert done.returncode == 1
    assert done.stdout == ""


def test_examples_see_the_clock_they_are_given_and_keep_nothing(nest: NestCommand, ops: Path) -> None:
    write(
        ops,
        "mine.py",
        '''
        """Mine.
        ---
        nest:
          examples: ["mine.day() -> 2026-03-18", "[n for n in range(3)] == [0, 1, 2] and day()"]
        ---
        """
        from datetime import date
        def day() -> date:
            """Today."""
            return date.today()
        ''',
    )
    assert check(nest, "--now", "2026-03-18T12:00") == []
    assert [finding["kind"] for finding in check(nest, "--now", "2026-03-19T12:00")] == ["example"]
    assert check(nest, "--no-examples") == []
    assert list((ops / "03_Runs").rglob("*.md")) == []


@pytest.mark.parametrize("manner", ["function", "argparse", "click", "shell"])
def test_a_new_tool_passes_the_strict_check_and_can_be_called(nest: NestCommand, ops: Path, manner: str) -> None:
    (ops / "nest.toml").write_text("")
    path = nest("tools", "new", "mine", "--as", manner).stdout.strip()
    before = (ops / path).read_bytes()
    assert check(nest, "--strict") == []
    if manner != "shell":
        assert nest("call", "mine", "one two two", "--unique").stdout == "2\n"
    again = nest("tools", "new", "mine", "--as", manner)
    assert again.returncode == 1
    assert "already" in again.stderr
    assert (ops / path).read_bytes() == before


def test_a_file_that_is_there_is_never_overwritten(nest: NestCommand, ops: Path) -> None:
    (ops / "nest.toml").write_text("")
    write(ops, "mine.py", "def f(): 'F.'\n")
    done = nest("tools", "new", "mine.g")
    assert done.returncode == 1
    assert "already there" in done.stderr
    assert (ops / "02_System/mine.py").read_text() == "def f(): 'F.'\n"


@pytest.mark.parametrize(
    "name", ["json", "list", "../x", "a/b", "1st", "_x", "test_x", "a.b.c", "a.class", "vault", ""]
)
def test_a_name_that_would_hide_something_or_cannot_be_called_is_refused(
    nest: NestCommand, ops: Path, name: str
) -> None:
    (ops / "nest.toml").write_text("")
    files = sorted(ops.rglob("*"))
    done = nest("tools", "new", name)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    assert sorted(ops.rglob("*")) == files


def test_a_tool_that_asks_at_the_keyboard_fails_with_what_it_asked(nest: NestCommand, ops: Path) -> None:
    write(ops, "mine.py", "def f() -> str:\n    'F.'\n    return input('Your name? ')\n")
    write(ops, "plain.py", "if __name__ == '__main__':\n    print('hello', input('Your name? '))\n")
    write(
        ops,
        "clicked.py",
        """
        import click
        @click.command()
        def main():
            "Drop all."
            click.confirm("Really", abort=True)
        main()
        """,
    )
    for name, asked in (("mine.f", "Your name?"), ("plain", "Your name?"), ("clicked", "Really [y/N]:")):
        done = nest("call", name)
        assert (done.returncode, done.stdout) == (1, "")
        assert f"nobody is there to answer {asked!r}; give it as a parameter" in done.stderr


def test_an_example_gets_no_leave_that_a_person_gave_for_their_own_asks(nest: NestCommand, ops: Path) -> None:
    source = "import os\ndef key() -> str:\n    'The key.'\n    return os.environ['SECRET']\n"
    write(ops, "mine.py", f'"""Mine.\n---\nnest:\n  permissions: ["env:SECRET"]\n---\n"""\n{source}')
    assert nest("trust", "mine.key", "--yes").returncode == 0
    assert nest("call", "mine.key", env={"SECRET": "xyzzy"}).stdout == "xyzzy\n"
    (ops / "From a stranger.md").write_text('---\ntool: "[[mine.py]]"\n---\n```python\nkey() -> "guess"\n```\n')
    done = nest("tools", "check", "mine", env={"SECRET": "xyzzy"})
    assert "takes a person's yes (call it yourself: nest call mine.key)" in done.stdout
    assert "xyzzy" not in done.stdout + done.stderr


def test_what_a_shell_script_should_declare_is_ready_for_its_head(nest: NestCommand, ops: Path) -> None:
    write(ops, "mine.sh", "#!/bin/sh\n# Count.\nls | wc -l\n")
    paste = check(nest)[0]["paste"]
    assert paste.splitlines()[1] == "# nest:"
    write(ops, "mine.sh", f"#!/bin/sh\n# Count.\n{paste}\nls | wc -l\n")
    assert check(nest) == []
