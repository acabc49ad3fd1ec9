"""`nest call`: values as people type them reach the script as its types ask for; answers come back whole."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from checks import NestCommand

from nestkit.doors.call import parse_values
from nestkit.hall.walk import Company
from nestkit.hall.writers import Call, draft_call
from nestkit.nest import Nest, open_nest
from nestkit.parse.script import parse_script
from nestkit.run import Ask, Run
from nestkit.testing import OllamaServer

VAULT = Path(__file__).parent.parent / "vaults/calls"
NOW = datetime.fromisoformat("2026-03-18T09:00:00+00:00")


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(VAULT, tmp_path_factory.mktemp("calls") / "vault"))


@pytest.fixture
def opened(vault: Path) -> Iterator[Nest]:
    with open_nest(vault) as nest:
        nest.refresh()
        yield nest


def call(nest: Nest, line: tuple[str, ...]) -> Run:
    tool = nest.get_tool(line[0])
    values, rest, _ = parse_values(line[1:], tool)
    ask = Ask(text="call", now=NOW, model="builtin", limits=nest.config.limits)
    return nest.answer(ask, Company(), call=Call(tool, rest, values), keep=False)


CONVERTED = [
    (("day", "--value", "2026-03-04"), "datetime.date(2026, 3, 4)"),
    (("day", "2026-03-04"), "datetime.date(2026, 3, 4)"),
    (("moment", "--value", "2026-03-04T10:00"), "datetime.datetime(2026, 3, 4, 10, 0)"),
    (("moment", "--value", "2026-03-04"), "datetime.datetime(2026, 3, 4, 0, 0)"),
    (("moment", "--value", "2026-03-04T10:00Z"), "datetime.datetime(2026, 3, 4, 10, 0, tzinfo=datetime.timezone.utc)"),
    (("clock", "--value", "10:30"), "datetime.time(10, 30)"),
    (("span", "--value", "90"), "datetime.timedelta(seconds=90)"),
    (("span", "--value", "1:30:00"), "datetime.timedelta(seconds=5400)"),
    (("span", "--value", "2 days, 0:00:01"), "datetime.timedelta(days=2, seconds=1)"),
    (("span", "--value", "1h30m"), "datetime.timedelta(seconds=5400)"),
    (("span", "--value", "P1DT2H"), "datetime.timedelta(days=1, seconds=7200)"),
    (("money", "--value", "1.10"), "Decimal('1.10')"),
    (("whole", "--value", "12"), "12"),
    (("whole", "--value", "-5"), "-5"),
    (("whole", "--value=-5"), "-5"),
    (("real", "--value", "1e3"), "1000.0"),
    (("on",), "False"),
    (("on", "--value"), "True"),
    (("on", "--value", "no"), "False"),
    (("on", "--no-value"), "False"),
    (("off", "--no-value"), "False"),
    (("off", "--value=false"), "False"),
    (("colour", "--value", "g"), "Colour.GREEN"),
    (("colour", "--value", "RED"), "Colour.RED"),
    (("maybe_colour", "--value", "GREEN"), "Colour.GREEN"),
    (("level", "--value", "HIGH"), "<Level.HIGH: 2>"),
    (("level", "--value", "1"), "<Level.LOW: 1>"),
    (("literal", "--value", "3"), "3"),
    (("literal", "--value", "B"), "'b'"),
    (("texts", "--value", "a", "--value", "b c"), "['a', 'b c']"),
    (("texts", "--value", "a"), "['a']"),
    (("texts", "--value=--a"), "['--a']"),
    (("texts", "--", "--a"), "['--a']"),
    (
        ("days", "--value", "2026-01-01", "--value", "2026-01-02"),
        "[datetime.date(2026, 1, 1), datetime.date(2026, 1, 2)]",
    ),
    (("numbers", "--value", "[1, 2, 2]"), "{1, 2}"),
    (("pair", "--value", "1", "--value", "2026-01-01"), "(1, datetime.date(2026, 1, 1))"),
    (("many", "--value", "1", "--value", "2.50"), "(Decimal('1'), Decimal('2.50'))"),
    (("mapping", "--value", '{"a": 1}'), "{'a': 1}"),
    (("dated", "--value", '{"a": "2026-01-01"}'), "{'a': datetime.date(2026, 1, 1)}"),
    (("maybe",), "None"),
    (("maybe", "--value", "3"), "3"),
    (("either", "--value", "3"), "'3'"),
    (("noted", "--value", "3"), "3"),
    (("rest", "1", "2"), "(1, 2)"),
    (("options", "--a", "1", "--b=2"), "{'a': 1, 'b': 2}"),
    (
        ("item", "--value", '{"name": "a", "due": "2026-01-01"}'),
        "Item(name='a', due=datetime.date(2026, 1, 1), tags=set())",
    ),
    (
        ("items", "--value", '[{"name": "a", "due": "2026-01-01", "tags": ["x"]}]'),
        "[Item(name='a', due=datetime.date(2026, 1, 1), tags={'x'})]",
    ),
    (("row", "--value", '{"a": "1", "b": "x"}'), "{'a': 1, 'b': 'x'}"),
    (("anything", "--value", "3"), "'3'"),
    (("raw", "--value", "abc"), "b'abc'"),
    (("reserved", "--yes", "a", "--json", "3", "--verbose"), ["a", 3, True]),
    (("keywords", "--from", "x", "--class", "3"), ["x", 3]),
    (("later", "--value", "1"), 2),
    (("counted",), [1, 2]),
    (("printed",), "hello\n"),
    (("opened", "--path", "Notes/Other.md"), ["Notes/Other.md", True]),
    (("opened", "--path", "Weather station"), ["Notes/Weather station.md", True]),
    (("opened", "--path", "[[weather station|the station]]"), ["Notes/Weather station.md", True]),
    (("opened", "--path", "Nowhere"), ["Nowhere", False]),
    (("several", "--paths", "Other", "--paths", "Nowhere"), ["Notes/Other.md", "Nowhere"]),
    (("read_file", "--filename", "Other"), "Notes/Other.md"),
    (("made", "--output", "Other"), "Other"),
    (("named", "--note", "[[Weather station#Top]]"), "Weather station"),
    (("named", "--note", "Weather station"), "Weather station"),
]


def asked(vault: Path, nest: NestCommand, program: str) -> subprocess.CompletedProcess[str]:
    """What `nest ask` does with this program of a model."""
    with OllamaServer([{"role": "assistant", "content": f"```python\n{program}\n```"}]) as server:
        words = ("ask", "try them", "--model", "ollama/scripted", "--no-note", "--json")
        return nest(*words, cwd=vault, env={"OLLAMA_HOST": server.url})


def test_values_reach_the_script_as_its_types_ask_for(vault: Path, nest: NestCommand, opened: Nest) -> None:
    calls = []
    for line, _ in CONVERTED:
        tool = opened.get_tool(f"kinds.{line[0]}")
        values, rest, _ = parse_values(line[1:], tool)
        calls.append(draft_call(Call(tool, rest, values)).removeprefix("final_answer(").removesuffix(")\n"))
    told = json.loads(asked(vault, nest, "final_answer([\n" + ",\n".join(calls) + "])").stdout)
    assert told["status"] == "ok", told["reason"]
    for (line, wanted), found in zip(CONVERTED, told["answer"], strict=True):
        assert (line, found) == (line, wanted)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("day", "--value", "04/03/2026"), "value should be a date like 2026-03-18, not '04/03/2026'"),
        (("whole", "--value", "1.5"), "value should be a whole number"),
        (("span", "--value", "soon"), "value should be a length of time"),
        (("colour", "--value", "GREN"), "did you mean 'GREEN'?"),
        (("literal", "--value", "c"), "one of 'a', 'b', 3"),
        (("days", "--value", "2026-01-01", "--value", "x"), "value should be a date"),
        (("mapping", "--value", '{"a": "x"}'), "value should be a mapping with a whole number under 'a'"),
        (("item", "--value", '{"nam": "a"}'), "a mapping with 'name', 'due'"),
        (
            ("currency", "--amount", "3", "--source-curency", "x"),
            "did you mean 'convert_amount' and 'source_currency'?",
        ),
        (("currency", "--convert-amount", "3"), "is missing 'source_currency'"),
        (("later", "--valu", "3"), "did you mean 'value'?"),
    ],
)
def test_a_value_that_does_not_fit_names_the_parameter_and_what_it_takes(
    opened: Nest, line: tuple[str, ...], said: str
) -> None:
    run = call(opened, (f"kinds.{line[0]}", *line[1:]))
    assert (run.status, said in run.end.reason) == ("error", True), run.end.reason


def test_every_plain_value_survives_the_way_back(vault: Path, nest: NestCommand) -> None:
    told = json.loads(nest("call", "kinds.results", "--json", cwd=vault).stdout)
    assert told == {
        "date": "2026-01-02",
        "moment": "2026-01-02T03:04:00",
        "time": "01:02:00",
        "span": "1 day, 0:00:00",
        "decimal": "1.20",
        "set": [1, 2],
        "frozen": ["a", "b"],
        "bytes": "AP8=",
        "item": {"name": "a", "due": "2026-01-01", "tags": ["x"]},
        "point": {"x": 1, "y": "2.5"},
        "enum": "r",
        "tuple": [1, 2],
        "counter": {"a": 2, "b": 1},
        "path": "Notes/Other.md",
        "endless": "inf",
        "keys": {"1": "a", "[1, 2]": "b", "2026-01-01": 3},
    }


PROGRAM = """
from datetime import date, datetime, timedelta
from decimal import Decimal
r = kinds.results()
assert r["date"] == date(2026, 1, 2) and r["moment"] == datetime(2026, 1, 2, 3, 4) and r["span"] == timedelta(days=1)
assert r["decimal"] == Decimal("1.20") and r["set"] == {1, 2} and r["frozen"] == frozenset("ab")
assert r["bytes"] == b"\\x00\\xff" and r["point"].y == Decimal("2.5") and r["point"] == (1, Decimal("2.5"))
assert r["item"]["due"] == r["item"].due == date(2026, 1, 1) and r["tuple"] == (1, 2) and r["keys"][1, 2] == "b"
assert kinds.day(date(2026, 3, 4)) == "datetime.date(2026, 3, 4)"
assert kinds.span(timedelta(hours=1)) == "datetime.timedelta(seconds=3600)"
assert kinds.numbers({2, 1}) == "{1, 2}" and kinds.money(Decimal("0.10")) == "Decimal('0.10')"
assert kinds.later(1) == 2
text = fails(number=3)
assert text.json()["number"] == 3 and text.returncode == 0 and text.stderr == "careful"
text = half()
assert (text, text.returncode, text.stderr) == ("partial\\n", 2, "why")
try:
    fails(fail=True)
except RuntimeError as error:
    assert str(error) == "the last line", error
try:
    kinds.currency(amount=3)
except TypeError as error:
    assert "convert_amount" in str(error)
final_answer(uses.total())
"""


def test_the_same_tools_answer_a_program_with_values_of_their_kinds(vault: Path, nest: NestCommand) -> None:
    told = json.loads(asked(vault, nest, PROGRAM).stdout)
    assert (told["status"], told["answer"]) == ("ok", 83), told["steps"]


@pytest.mark.parametrize(("name", "answer"), [("uses.total", 83), ("more.more", 42)])
def test_scripts_import_each_other_through_packages_and_relatively(opened: Nest, name: str, answer: int) -> None:
    run = call(opened, (name,))
    assert run.end.answer == answer, run.end.reason


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (("-n", "3"), {"number": 3}),
        (("--number=3", "-v", "-v"), {"number": 3, "verbose": 2}),
        (("--names", "a", "b", "--number", "2"), {"names": ["a", "b"], "number": 2}),
        (("--no-colour",), {"colour": False}),
        (("--colour",), {"colour": True}),
    ],
)
def test_a_command_line_takes_its_own_options(opened: Nest, words: tuple[str, ...], given: dict[str, object]) -> None:
    run = call(opened, ("fails", *words))
    assert run.status == "ok", run.end.reason
    assert given.items() <= json.loads(run.end.answer).items()


def test_a_command_that_printed_and_failed_shows_both_and_fails(vault: Path, nest: NestCommand) -> None:
    done = nest("call", "half", cwd=vault)
    assert (done.returncode, done.stdout) == (1, "partial\n")
    assert "ended with code 2: why" in done.stderr


def test_help_shows_what_the_tool_takes_and_runs_nothing(vault: Path, nest: NestCommand) -> None:
    done = nest("call", "kinds.currency", "--convert-amount", "x", "--help", cwd=vault)
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == (
        "usage: nest call kinds.currency --convert-amount FLOAT --source-currency STR [--target STR]"
    )
    assert "convert_amount (float)" in done.stdout


def test_an_option_without_its_value_is_wrong_use(vault: Path, nest: NestCommand) -> None:
    done = nest("call", "kinds.whole", "--value", cwd=vault)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--value needs a value (int)" in done.stderr


def test_a_note_s_name_is_no_leave(vault: Path, nest: NestCommand) -> None:
    done = nest("call", "kinds.whole", "--yes=1.md", cwd=vault)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--yes takes no value, not '1.md'" in done.stderr


@pytest.mark.parametrize(
    ("words", "values", "rest", "own"),
    [
        (("1", "--b", "2", "3"), {"b": "2"}, ["1", "3"], {}),
        (("--a", "1", "--a", "2", "--a", "3"), {"a": ["1", "2", "3"]}, [], {}),
        (("--a", "", "-1"), {"a": ""}, ["-1"], {}),
        (
            ("--yes", "--now", "2026-01-01", "--dry-run"),
            {},
            [],
            {"yes": "true", "now": "2026-01-01", "dry_run": "true"},
        ),
        (("--c", "x", "y"), {"c": "true"}, ["x", "y"], {}),
        (("--", "--yes", "--a"), {}, ["--yes", "--a"], {}),
        (("--unknown", "v", "--other"), {"unknown": "v", "other": "true"}, [], {}),
        (("--yes=no", "--dry-run", "false", "--json=on"), {}, [], {"json": "on"}),
    ],
)
def test_words_become_values(
    words: tuple[str, ...], values: dict[str, object], rest: list[str], own: dict[str, str]
) -> None:
    (tool,) = parse_script("t.py", b"def t(a, b, c: bool = False): ...").tools
    assert parse_values(words, tool) == (values, rest, own)
