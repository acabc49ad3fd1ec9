"""Command lines of tools, taken apart again by argparse and click themselves."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.parse.script import parse_script
from nestkit.sandbox.arguments import BadArguments, bind
from nestkit.sandbox.command import command_line
from nestkit.tool import Parameter, Tool

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=8).filter("--".__ne__)
WORD = TEXT.filter(lambda text: not text.startswith("-"))
"""One of many values behind an option: argparse has no way to write a dash there."""

Spec = tuple[str, Any]
"""(arguments of add_argument or a decorator, strategy for a value)"""

ARGPARSE_OPTIONS: dict[str, Spec] = {
    "text": ("'--text'", TEXT),
    "short": ("'-s', dest='short'", TEXT),
    "whole": ("'--whole', type=int", st.integers()),
    "ratio": ("'-r', '--ratio', type=float", st.floats(allow_nan=False)),
    "level": ("'--level', choices=['lo', 'hi', '-x']", st.sampled_from(["lo", "hi", "-x"])),
    "day": ("'--day', type=date.fromisoformat", st.dates()),
    "pair": ("'--pair', nargs=2, type=float", st.lists(st.floats(0, 9), min_size=2, max_size=2)),
    "many": ("'--many', nargs='*'", st.lists(WORD, max_size=3)),
    "some": ("'--some', nargs='+'", st.lists(WORD, min_size=1, max_size=3)),
    "tag": ("'--tag', action='append'", st.lists(TEXT, min_size=1, max_size=3)),
    "verbose": ("'-v', '--verbose', action='count', default=0", st.integers(0, 4)),
    "on": ("'--on', action='store_true'", st.booleans()),
    "cache": ("'--no-cache', action='store_false', dest='cache'", st.booleans()),
    "fmt": ("'--fmt', action=argparse.BooleanOptionalAction", st.booleans()),
    "truth": ("'--truth', type=bool", st.booleans()),
    "data": ("'--data', type=json.loads", st.dictionaries(TEXT, st.integers(), max_size=2)),
}
ARGPARSE_VALUES: dict[str, Spec] = {
    "first": ("'first'", TEXT),
    "second": ("'second', type=int", st.integers()),
    "rest": ("'rest', nargs='*'", st.lists(TEXT, min_size=1, max_size=3)),
}
CLICK_OPTIONS: dict[str, Spec] = {
    "text": ("option('--text')", TEXT),
    "short": ("option('-s', 'short')", TEXT),
    "whole": ("option('--whole', type=int)", st.integers()),
    "ratio": ("option('-r', '--ratio', type=float)", st.floats(allow_nan=False)),
    "level": ("option('--level', type=click.Choice(['lo', 'hi', '-x']))", st.sampled_from(["lo", "hi", "-x"])),
    "pair": ("option('--pair', nargs=2)", st.lists(TEXT, min_size=2, max_size=2).map(tuple)),
    "tag": ("option('--tag', multiple=True)", st.lists(TEXT, min_size=1, max_size=3).map(tuple)),
    "verbose": ("option('-v', '--verbose', count=True)", st.integers(0, 4)),
    "on": ("option('--on', is_flag=True)", st.booleans()),
    "shout": ("option('--shout/--no-shout', default=None)", st.booleans()),
    "truth": ("option('--truth', type=bool)", st.booleans()),
}
CLICK_VALUES: dict[str, Spec] = {
    "first": ("argument('first')", TEXT),
    "second": ("argument('second', type=int)", st.integers()),
    "rest": ("argument('rest', nargs=-1)", st.lists(TEXT, min_size=1, max_size=3).map(tuple)),
}


def drawn(draw: Callable[[Any], Any], specs: dict[str, Spec]) -> dict[str, Any]:
    return {name: draw(specs[name][1]) for name in draw(st.lists(st.sampled_from(sorted(specs)), unique=True))}


def only_tool(source: str) -> Tool:
    script = parse_script("demo.py", source.encode())
    assert script.problems == ()
    return script.tools[0]


def argparse_program(options: dict[str, Any], values: dict[str, Any], parents: dict[str, Any]) -> str:
    specs = ARGPARSE_OPTIONS | ARGPARSE_VALUES
    lines = [
        "import argparse, json",
        "from datetime import date",
        "parser = argparse.ArgumentParser()",
        "leaf = parser",
    ]
    if parents:
        lines += [f"parser.add_argument({specs[name][0]})" for name in parents]
        lines += ["commands = parser.add_subparsers(dest='command')", "leaf = commands.add_parser('do-it')"]
    lines += [f"leaf.add_argument({ARGPARSE_OPTIONS[name][0]})" for name in options]
    lines += [f"leaf.add_argument({ARGPARSE_VALUES[name][0]})" for name in values]
    return "\n".join(lines)


@st.composite
def argparse_calls(draw: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    given_options = drawn(draw, ARGPARSE_OPTIONS)
    names = sorted(given_options)
    parents = {n: given_options[n] for n in names if draw(st.booleans()) and n not in ("many", "some")}
    options = {n: given_options[n] for n in names if n not in parents}
    count = draw(st.integers(0, 3))
    values = {n: draw(ARGPARSE_VALUES[n][1]) for n in list(ARGPARSE_VALUES)[:count]}
    if "first" in values and parents and draw(st.booleans()):
        parents["first"] = values.pop("first")
    return options, values, parents


@given(argparse_calls())
def test_argparse_reads_back_what_was_bound(call: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]) -> None:
    options, values, parents = call
    source = argparse_program(options, values, parents)
    tool = only_tool(f"{source}\nparser.parse_args()")
    scope: dict[str, Any] = {}
    exec(source, scope)
    wanted = {**options, **values, **parents}
    line = command_line(tool, bind(tool, (), wanted))
    found = vars(scope["parser"].parse_args(line))
    assert {name: found[name] for name in wanted} == wanted


@st.composite
def click_calls(draw: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    options = drawn(draw, CLICK_OPTIONS)
    parents = {
        f"up_{name}": value for name, value in drawn(draw, CLICK_OPTIONS).items() if name in ("text", "on", "tag")
    }
    values = {n: draw(CLICK_VALUES[n][1]) for n in list(CLICK_VALUES)[: draw(st.integers(0, 3))]}
    return options, values, parents


@given(click_calls())
def test_click_reads_back_what_was_bound(call: tuple[dict[str, Any], dict[str, Any], dict[str, Any]]) -> None:
    options, values, parents = call
    decorators = [CLICK_OPTIONS[name][0] for name in options] + [CLICK_VALUES[name][0] for name in values]
    above = [CLICK_OPTIONS[name[3:]][0].replace("'--", "'--up-") for name in parents]
    source = "\n".join(
        [
            "import click\nSEEN = {}\n@click.group()",
            *(f"@click.{decorator}" for decorator in above),
            "def cli(**given): SEEN.update(given)\n@cli.command()",
            *(f"@click.{decorator}" for decorator in decorators),
            "def do_it(**given): SEEN.update(given)",
        ]
    )
    tool = only_tool(f"{source}\ncli()")
    scope: dict[str, Any] = {}
    exec(source, scope)
    wanted = {**options, **values, **parents}
    line = command_line(tool, bind(tool, (), wanted))
    scope["cli"].main(line, standalone_mode=False)
    assert {name: scope["SEEN"][name] for name in wanted} == wanted


def built(calls: str, **arguments: Any) -> list[str]:
    tool = only_tool(f"import argparse\np = argparse.ArgumentParser()\n{calls}\np.parse_args()")
    return command_line(tool, bind(tool, (), arguments))


@pytest.mark.parametrize(
    ("calls", "arguments", "line"),
    [
        ("p.add_argument('x')", {"x": "a"}, ["a"]),
        ("p.add_argument('x')", {"x": "-a"}, ["--", "-a"]),
        ("p.add_argument('--x')", {"x": "-a"}, ["--x=-a"]),
        ("p.add_argument('-x', '--long')", {"long": 3}, ["--long=3"]),
        ("p.add_argument('-x')", {"x": "-a"}, ["-x=-a"]),
        ("p.add_argument('--x', type=float)", {"x": 0.1}, ["--x=0.1"]),
        ("p.add_argument('--x')", {"x": date(2026, 3, 18)}, ["--x=2026-03-18"]),
        ("p.add_argument('--x')", {"x": None}, []),
        ("p.add_argument('--x', action='store_true')", {"x": False}, []),
        ("p.add_argument('--x', action='store_true')", {"x": "true"}, ["--x"]),
        ("p.add_argument('--x', action='store_false')", {"x": False}, ["--x"]),
        ("p.add_argument('-v', action='count')", {"v": 3}, ["-v", "-v", "-v"]),
        ("p.add_argument('--x', nargs='?', const='c')", {"x": "d"}, ["--x=d"]),
        (
            "p.add_argument('--x', nargs='*')\np.add_argument('y')",
            {"x": ["a", "b"], "y": "c"},
            ["--x", "a", "b", "--", "c"],
        ),
        (
            "p.add_argument('--x', nargs='*')\np.add_argument('--z')\np.add_argument('y')",
            {"x": ["a", "b"], "y": "c", "z": 1},
            ["--x", "a", "b", "--z=1", "c"],
        ),
        ("p.add_argument('x', nargs=argparse.REMAINDER)", {"x": ["ls", "-l"]}, ["ls", "-l"]),
    ],
)
def test_a_command_line_is_written_so(calls: str, arguments: dict[str, Any], line: list[str]) -> None:
    assert built(calls, **arguments) == line


def test_a_parents_option_stands_before_the_sub_command() -> None:
    source = "p.add_argument('--db')\nq = p.add_subparsers().add_parser('a').add_subparsers().add_parser('b')\n"
    calls = f"{source}q.add_argument('--x')\nq.add_argument('y')"
    assert built(calls, db="d", x="e", y="f") == ["--db=d", "a", "b", "--x=e", "f"]


def test_an_option_that_would_swallow_the_sub_command_is_refused() -> None:
    calls = "p.add_argument('--x', nargs='*')\np.add_argument('--z')\np.add_subparsers().add_parser('a')"
    with pytest.raises(BadArguments, match="'x' would take the sub-command 'a'"):
        built(calls, x=["b", "c"])
    assert built(calls, x=["b"]) == ["--x=b", "a"]
    assert built(calls, x=["b", "c"], z="d") == ["--x", "b", "c", "--z=d", "a"]


def test_a_value_behind_one_that_was_left_out_is_refused() -> None:
    with pytest.raises(BadArguments, match="'y' together with 'x'"):
        built("p.add_argument('x', nargs='?')\np.add_argument('y', nargs='?')", y="b")
    assert built("p.add_argument('x', nargs='?')\np.add_argument('y')", y="b") == ["b"]


def test_a_value_that_argparse_would_drop_is_refused() -> None:
    for calls in ("p.add_argument('x')", "p.add_argument('--x')", "p.add_argument('--x', action='append')"):
        with pytest.raises(BadArguments, match="argparse drops"):
            built(calls, x="--")
    assert built("p.add_argument('x', nargs=argparse.REMAINDER)", x=["a", "--"]) == ["a", "--"]


def test_a_nul_character_is_refused() -> None:
    with pytest.raises(BadArguments, match="NUL"):
        built("p.add_argument('x')", x="a\0b")


def test_an_option_that_click_takes_by_its_short_name_alone() -> None:
    tool = only_tool("import click\n@click.command()\n@click.option('-x')\ndef f(x): pass\nf()")
    assert command_line(tool, {"x": "-a"}) == ["-x", "-a"]


OPS = Path(__file__).parents[1] / "vaults/ops"


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("timesheet.total", {"project": "Lighthouse"}, "23.5"),
        ("timesheet.report", {"since": "2026-03-16", "format": "json", "vault": "."}, '"Lighthouse"'),
        ("gantt.slack", {"project": "Driftwood", "today": "2026-03-18"}, "13"),
        ("gantt.render", {"status": ["active"], "width": 12}, "Lighthouse"),
        ("standup", {"args": ["2026-03-12"]}, "Sandpiper: 2h"),
    ],
)
def test_the_programs_of_a_working_vault_take_their_command_lines(
    name: str, arguments: dict[str, Any], expected: str
) -> None:
    file = OPS / "02_System" / f"{name.partition('.')[0]}.py"
    tool = next(t for t in parse_script(f"02_System/{file.name}", file.read_bytes()).tools if t.name == name)
    command = [sys.executable, "-B", str(file), *command_line(tool, bind(tool, (), arguments))]
    done = subprocess.run(command, cwd=OPS, capture_output=True, text=True, timeout=30, check=True)
    assert expected in done.stdout


def test_a_program_gets_its_words_as_they_are() -> None:
    words = Parameter("args", "str", {"type": "array", "items": {"type": "string"}}, required=False, kind="rest")
    standup = Tool("standup", "standup.py", "program", parameters=(words,))
    assert command_line(standup, {"args": ["--", "-x", "2026-03-12"]}) == ["--", "-x", "2026-03-12"]
    assert command_line(standup, {}) == []


def test_values_that_are_no_text_travel_as_json() -> None:
    assert json.loads(built("p.add_argument('x', type=__import__('json').loads)", x="{}")[0]) == {}
    tool = only_tool(
        "import argparse, json\np = argparse.ArgumentParser()\np.add_argument('x', type=json.loads)\np.parse_args()"
    )
    [word] = command_line(tool, bind(tool, ({"a": [1, None]},), {}))
    assert json.loads(word) == {"a": [1, None]}
