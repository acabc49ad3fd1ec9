"""Scripts as tools: what becomes one, what does not and why, and that no script is ever run or breaks the reader."""

from __future__ import annotations

import json
import sysconfig
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.parse.script import parse_script
from nestkit.tool import Script, Tool

PACKAGE = Path(__file__).parents[2] / "nestkit"
OPS = Path(__file__).parents[1] / "vaults/ops/02_System"


def read(source: str, path: str = "02_System/demo.py") -> Script:
    return parse_script(path, dedent(source).lstrip("\n").encode())


def one(source: str, path: str = "02_System/demo.py") -> Tool:
    script = read(source, path)
    assert len(script.tools) == 1, script
    return script.tools[0]


def names(source: str, path: str = "02_System/demo.py") -> list[str]:
    return [tool.name for tool in read(source, path).tools]


OPS_TOOLS = {
    "archive_note.archive": ("archive_note.archive(note: str, year: int) -> str", "function"),
    "fx.convert": (
        "fx.convert(amount: float, source: 'EUR'|'USD'|'GBP'|'SEK', target: 'EUR'|'USD'|'GBP'|'SEK' = 'EUR') -> float",
        "function",
    ),
    "fx.known_currencies": ("fx.known_currencies() -> list[str]", "function"),
    "gantt.slack": ("gantt.slack(project: str, today: str) -> str", "click"),
    "gantt.render": ("gantt.render(status: list[str] = None, width: int = 40) -> str", "click"),
    "invoices.find_invoices": (
        "invoices.find_invoices(client: Optional[str] = None, paid: Optional[bool] = None, "
        "since: Optional[str] = None) -> list[dict]",
        "function",
    ),
    "invoices.days_outstanding": ("invoices.days_outstanding(date: str, today: str) -> int", "function"),
    "risk.score": (
        "risk.score(days_left: int, hours_logged: float, budget_hours: float = 100.0) -> Score",
        "function",
    ),
    "send_invoice": ("send_invoice(number: str, to: str) -> str", "argparse"),
    "standup": ("standup(*args: str) -> str", "program"),
    "timesheet.report": (
        "timesheet.report(since: str = None, until: str = None, format: 'text'|'json' = 'text', vault: str = '.')"
        " -> str",
        "argparse",
    ),
    "timesheet.total": ("timesheet.total(project: str, vault: str = '.') -> str", "argparse"),
    "workdays.business_days": (
        "workdays.business_days(start: str, end: str, holidays: list[str] | None = None) -> int",
        "function",
    ),
    "workdays.add_business_days": ("workdays.add_business_days(start: str, days: int) -> str", "function"),
}


def ops_scripts() -> list[Script]:
    return [parse_script(f"02_System/{file.name}", file.read_bytes()) for file in sorted(OPS.glob("*.py"))]


def test_a_working_vaults_scripts_become_these_tools() -> None:
    tools = {tool.name: (tool.signature, tool.manner) for script in ops_scripts() for tool in script.tools}
    assert tools == OPS_TOOLS


def test_a_working_vaults_scripts_have_no_problems_and_every_tool_a_summary() -> None:
    for script in ops_scripts():
        assert script.problems == ()
        assert script.summary
        assert all(tool.summary and tool.line > 1 for tool in script.tools)
        assert all(not tool.undeclared for tool in script.tools), script.path


def test_what_is_no_tool_is_listed_with_its_reason() -> None:
    others = {script.path: dict(script.others) for script in ops_scripts()}
    assert others["02_System/invoices.py"] == {
        "Invoice": "a class; a function that uses it can be a tool",
        "_vault": "private: its name begins with _",
        "_parse": "private: its name begins with _",
    }
    assert "helper of a command-line program" in others["02_System/timesheet.py"]["entries"]
    assert others["02_System/timesheet.py"]["main"] == "part of the script's command line"
    assert set(others["02_System/gantt.py"]) == {"_projects", "cli", "slack", "render_chart"}


def test_nests_own_script_is_read_by_the_same_reader() -> None:
    script = parse_script("vault.py", (PACKAGE / "scripts/vault.py").read_bytes())
    assert script.problems == ()
    assert {"vault.list_notes", "vault.read_note", "vault.set_property", "vault.describe"} <= {
        tool.name for tool in script.tools
    }
    for tool in script.tools:
        assert tool.summary and tool.returns, tool.name
        assert "_vault" not in {parameter.name for parameter in tool.parameters}
        assert all(parameter.type and parameter.text for parameter in tool.parameters), tool.name
        assert not tool.undeclared


def test_a_tool_knows_the_digest_of_its_script() -> None:
    source = b"def f(): pass\n"
    assert parse_script("a.py", source).digest == sha256(source).hexdigest()
    assert parse_script("a.py", b"\0").digest == sha256(b"\0").hexdigest()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f(): pass", ["demo.f"]),
        ("async def f(): pass", ["demo.f"]),
        ("def _f(): pass", []),
        ("class A: pass", []),
        ("x = 1\nimport os", []),
        ("def f(): pass\ndef f(x): pass", ["demo.f"]),
        ("try:\n    def f(): pass\nexcept Exception:\n    def g(): pass", ["demo.f", "demo.g"]),
        ("def f():\n    def g(): pass", ["demo.f"]),
        ("from typing import overload\n@overload\ndef f(x: int): ...\ndef f(x): pass", ["demo.f"]),
        ("from contextlib import contextmanager\n@contextmanager\ndef f(): yield", []),
        ("import pytest\n@pytest.fixture\ndef f(): pass", []),
        ("if __name__ == '__main__':\n    print(1)", ["demo"]),
        ("if '__main__' == __name__:\n    print(1)", ["demo"]),
        ("def f(): pass\nif __name__ == '__main__':\n    f()", ["demo"]),
        ("def f(x: int):\n    'Doc.'\nif __name__ == '__main__':\n    f(1)", ["demo", "demo.f"]),
        ("def f() -> int:\n    'Doc.'\nif __name__ == '__main__':\n    f()", ["demo", "demo.f"]),
        ("def main(x: int):\n    'Doc.'\nif __name__ == '__main__':\n    main(1)", ["demo"]),
        ("def f(): pass\nif __name__ == '__main__':\n    import doctest\n    doctest.testmod()", ["demo.f"]),
        ("import sys\nprint(sys.argv[1])", ["demo"]),
        ("from sys import argv\nday = argv[1]", ["demo"]),
        ("import sys\ndef f(): return sys.argv", ["demo.f"]),
    ],
)
def test_what_becomes_a_tool(source: str, found: list[str]) -> None:
    assert names(source) == found


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("02_System/test_fx.py", "tests"),
        ("02_System/fx_test.py", "tests"),
        ("02_System/conftest.py", "tests"),
        ("02_System/pkg/__init__.py", "package"),
        ("02_System/_common.py", "private"),
    ],
)
def test_some_files_are_no_scripts_by_their_name(path: str, why: str) -> None:
    script = read("def f(): pass", path)
    assert script.tools == ()
    assert why in script.others[0][1]


def test_a_script_without_anything_to_call_says_so() -> None:
    assert "nothing to call" in read("print('hello')").others[0][1]


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/b/my-tool.py", "my_tool.f"), ("2024.py", "_2024.f"), ("class.py", "class_.f"), ("übung.py", "übung.f")],
)
def test_a_file_name_becomes_a_python_name(path: str, name: str) -> None:
    assert names("def f(): pass", path) == [name]


def test_two_things_of_one_name_are_a_problem() -> None:
    script = read(
        """
        import argparse
        def total(x: int) -> int:
            "Doc."
        p = argparse.ArgumentParser()
        s = p.add_subparsers()
        s.add_parser("total")
        s.add_parser("to-tal")
        s.add_parser("to_tal")
        p.parse_args()
        """
    )
    assert [tool.name for tool in script.tools] == ["demo.total", "demo.to_tal"]
    assert [problem.line for problem in script.problems] == [8, 2]


def test_a_script_with_hundreds_of_functions_gives_the_first_and_says_so() -> None:
    script = parse_script("a.py", "\n".join(f"def f{n}(): pass" for n in range(300)).encode())
    assert len(script.tools) == 200
    assert "more than 200 tools" in script.problems[0].what


@pytest.mark.parametrize(
    ("source", "summary"),
    [
        ('"""About\nthe script."""\ndef f(): pass', "About the script."),
        ("#!/usr/bin/env python\n# coding: utf-8\n# About the script.\ndef f(): pass", "About the script."),
        ("# SPDX-License-Identifier: MIT\n\n# About the script.\n", "About the script."),
        ("# /// script\n# dependencies = []\n# ///\n# About the script.\n", "About the script."),
        ('def f():\n    "Does it."', "Does it."),
        ("def f(): pass\ndef g(): pass", "Demo"),
    ],
)
def test_what_a_script_says_of_itself(source: str, summary: str) -> None:
    assert read(source).summary == summary


@pytest.mark.parametrize(
    ("source", "summary"),
    [
        ('def days_left():\n    """Days before\n    the deadline.\n\n    More."""', "Days before the deadline."),
        ("# Days before\n# the deadline.\n@cache\ndef days_left(): pass", "Days before the deadline."),
        ("# not this\n\ndef days_left(): pass\ndef g(): pass", "Days left"),
        ('"""The script."""\ndef days_left(): pass', "The script."),
        ('"""The script."""\ndef days_left(): pass\ndef g(): pass', "Days left"),
        ("def daysLeft(): pass\ndef g(): pass", "Days Left".capitalize()),
    ],
)
def test_a_function_is_described_by_docstring_comment_script_or_name(source: str, summary: str) -> None:
    assert read(source).tools[0].summary == summary


# hostile files


@pytest.mark.parametrize(
    "line",
    [
        "open(TRACE, 'w').close()",
        "import os; os.makedirs(TRACE)",
        "raise SystemExit(3)",
        "import os; os._exit(3)",
        "import time; time.sleep(600)",
        "while True: pass",
        "def f(x=open(TRACE, 'w')): pass",
        "def f(x: open(TRACE, 'w')): pass",
        "@open(TRACE, 'w').write\ndef f(): pass",
        "class A(type(open(TRACE, 'w'))): pass",
        "import argparse\np = argparse.ArgumentParser(description=open(TRACE, 'w').name)\np.parse_args()",
        "import click\n@click.command(name=open(TRACE, 'w').name)\ndef f(): pass\nf()",
        'f"""{open(TRACE, 1)}"""',
    ],
)
def test_no_line_of_a_script_is_ever_run(line: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    source = line.replace("TRACE", repr(str(trace)))
    assert parse_script("a.py", source.encode()).problems == ()
    assert not trace.exists()


DEEP = "nested too deeply"


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        (b"def f(:\n", 1, "not Python"),
        (b"x = 1\n  y = 2\n", 2, "not Python"),
        (b"print 'hello'\n", 1, "not Python"),
        (b"x = 1\ny = '\0'\n", 2, "NUL"),
        (b"x = 1\ny = '\xff'\n", 2, "not utf-8 text"),
        (b"# coding: no-such-thing\n", 0, "not Python"),
        (b"# coding: punycode\nx = 1\n", 1, "cannot be decoded"),
        (b"# coding: zip\nx = 1\n", 1, "cannot be decoded"),
        (b"\xef\xbb\xbf# coding: latin-1\n", 0, "not Python"),
        (b"#" * (1 << 20) + b"\n", 0, "larger than 1 MiB"),
        (b"x = " + b"-" * 100_000 + b"1", 0, DEEP),
        (b"x = " + b"a" + b".b" * 100_000, 0, DEEP),
        (b"x = 1" + b"+1" * 100_000, 0, DEEP),
        (b"x = " + b"(" * 500 + b")" * 500, 1, "not Python"),
        (b"".join(b" " * n + b"if 1:\n" for n in range(200)), 101, "not Python"),
        (b"x = " + b"9" * 5000, 1, "not Python"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_of_that_file(source: bytes, line: int, what: str) -> None:
    script = parse_script("02_System/bad.py", source)
    assert script.tools == ()
    [problem] = script.problems
    assert (problem.path, problem.line) == ("02_System/bad.py", line)
    assert what in problem.what


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("# coding: latin-1\ndef f():\n    'é'".encode("latin-1"), "é"),
        ("# vim: set fileencoding=cp1252 :\ndef f():\n    '€'".encode("cp1252"), "€"),
        ("\ufeffdef f():\n    'é'".encode(), "é"),
        (b"def f():\r\n    'a'\r\n", "a"),
        (b"def f():\r    'a'\r", "a"),
        (b"\x0cdef f():\n    'a\\d'", "a\\d"),
        (b"def f():\n    '\\ud800 \\x1b[31m'", "? [31m"),
    ],
)
def test_encodings_and_line_ends_are_read_as_python_reads_them(source: bytes, text: str) -> None:
    assert parse_script("a.py", source).tools[0].summary == text


@pytest.mark.parametrize(
    "source",
    [
        "A = tuple[{0}]\n" + "\n".join(f"A{n} = tuple[{', '.join([f'A{n + 1}'] * 50)}]" for n in range(10)),
        "\n".join(f"A{n} = (A{n + 1}, A{n + 1})" for n in range(60)) + "\nA60 = ''",
        "A0 = 'x'\n" + "\n".join(f"A{n + 1} = A{n} + A{n}" for n in range(60)),
        "A0 = list['A0']",
        "class A0(A0): x: 'A0'",
        "A0 = 0x" + "f" * 100_000,
        "from typing import Literal\nA0 = Literal[" + ", ".join(map(str, range(5000))) + "]",
    ],
)
def test_a_type_or_constant_that_grows_without_end_is_cut(source: str) -> None:
    script = parse_script("a.py", f"{source}\ndef f(x: A0, y=A0) -> A0: pass".encode())
    assert len(json.dumps(asdict(script))) < 20_000


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(source: bytes) -> None:
    assert parse_script("a.py", source).path == "a.py"


PIECES = st.sampled_from(
    [
        *("import argparse, click, typer", "p = argparse.ArgumentParser()", "p.add_argument('--x', nargs='*')"),
        *(
            "s = p.add_subparsers()",
            "q = s.add_parser('x')",
            "for i in (1, 2):\n    p.add_argument(f'-{i}')",
            "p.parse_args()",
        ),
        *(
            "@click.group()",
            "@click.option('--x/--no-x')",
            "@cli.command('y')",
            "def cli(x, *a, y=1, **k): pass",
            "cli()",
        ),
        *(
            "app = typer.Typer()",
            "@app.command()",
            "class A(Enum):\n    X = 1",
            "A = list[A]",
            "def f(a: A = A) -> A: ...",
        ),
        *(
            '"""Doc.\n---\nnest:\n  permissions: [x]\n---\n"""',
            "# /// script\n# x = 1\n# ///",
            "if __name__ == '__main__':\n    f()",
        ),
        *(
            "open(A, f'{A}').write_text()",
            "set_defaults(func=f)",
            "p.set_defaults(func=f, **{})",
            "add(*a, **k)",
            "A.B = 1",
        ),
    ]
)


@given(st.lists(PIECES | st.text(max_size=20), max_size=12).map("\n".join))
def test_no_text_breaks_the_reader(source: str) -> None:
    script = parse_script("02_System/a.py", source.encode("utf-8", "surrogatepass"))
    json.dumps(asdict(script))
    for tool in script.tools:
        assert tool.name == "a" or tool.name.startswith("a.")
        assert tool.signature and tool.summary and "\n" not in tool.summary


def test_the_standard_library_is_read_without_an_exception() -> None:
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[:150]
    scripts = [parse_script(file.name, file.read_bytes()) for file in files]
    assert len(scripts) > 100
    assert sum(len(script.tools) for script in scripts) > 300
    assert not [script.problems for script in scripts if any("not Python" in p.what for p in script.problems)]
