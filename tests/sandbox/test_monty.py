"""Programs in Monty: the same promises as of any child, a smaller language, and no scripts where nothing isolates."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from programs import Run, run_in

from nestkit.agent.prompt import load_prompt
from nestkit.errors import NoteMissing, SandboxError
from nestkit.policy import Limits, Refusal
from nestkit.sandbox import battery, monty
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.battery import lay_bait, read_attacks
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.child.packing import CommandText, Row
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import Job, ToolFailed, World
from nestkit.tool import Parameter, Tool

if lack := monty.find_lack(Setup()):
    pytest.skip(lack, allow_module_level=True)

NOW = datetime.fromisoformat("2026-03-18T09:00:00+02:00")
ANSWERS = {
    "record": {"title": "A", "tags": ["x"], "due": date(2026, 4, 1)},
    "row": Row("Score", ("points", "level"), (7, "high")),
    "text": CommandText('{"n": 3}', 0, ""),
    "set": {1, 2},
}


def host(tool: Tool, arguments: Mapping[str, Any]) -> tuple[Any, Sequence[str]]:
    if arguments["what"] == "missing":
        raise NoteMissing("there is no note x")
    return ANSWERS[arguments["what"]], ()


def script(tool: Tool, arguments: Mapping[str, Any]) -> Any:
    return sum(arguments["numbers"])


def allow(tool: Tool, arguments: Mapping[str, Any]) -> Refusal | None:
    return Refusal("not today") if arguments.get("what") == "forbidden" else None


TOOLS = (
    Tool("vault.give", "vault.py", "builtin", "give", (Parameter("what", "str"),)),
    Tool("calc.add", "calc.py", "function", "add", (Parameter("numbers", "list[int]"),)),
)


def make_broker(**limits: Any) -> Broker:
    return Broker(TOOLS, host=host, script=script, allow=allow, limits=Limits(**limits))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with open_engine("monty") as made:
        yield made


@pytest.fixture
def run(engine: Engine) -> Run:
    return run_in(engine, make_broker, NOW)


def test_tools_are_called_by_both_names_and_answer_in_plain_types(run: Run) -> None:
    outcome = run(
        "import json\nr, s, t = give('record'), vault.give('row'), give(what='text')\n"
        "print(r['title'], r['due'].year, s[0], s.level, json.loads(t)['n'], len(give('set')))\n"
        "final_answer({'sum': calc.add([1, 2]), 'row': s, 'when': r['due']})"
    )
    assert (outcome.error, outcome.output) == ("", "A 2026 7 high 3 2\n")
    assert outcome.value == {"sum": 3, "row": (7, "high"), "when": date(2026, 4, 1)}
    assert [call.tool for call in outcome.calls] == ["vault.give"] * 4 + ["calc.add"]


def test_what_a_program_leaves_the_next_one_finds(run: Run) -> None:
    assert run("x = 20", "def f(): return x + 1", "f()").value == 21
    assert run("x = 1\nfinal_answer(x)", "x + 1").value == 2


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("give('missing')", "line 1: give('missing')\nFileNotFoundError: there is no note x"),
        ("x = 1\ngive('forbidden')", "line 2: give('forbidden')\nPermissionError: not today"),
        ("give()", "TypeError: "),
        ("1 / 0", "line 1: 1 / 0\nZeroDivisionError: division by zero"),
        ("def f():\n    yield 1", "subset of Python"),
        ("import socket", "ModuleNotFoundError"),
        ("open('/etc/passwd')", "PermissionError"),
        ("raise SystemExit('enough')", "SystemExit: enough"),
        ("x = []\nx.append(x)\nfinal_answer(x)", ""),
    ],
)
def test_an_error_names_the_program_s_line_and_nothing_of_the_machine(run: Run, program: str, error: str) -> None:
    outcome = run(program)
    assert error in outcome.error
    assert "/root" not in outcome.error
    assert "site-packages" not in outcome.error


def test_errors_of_tools_can_be_caught_by_their_built_in_type(run: Run) -> None:
    caught = "try:\n    give('missing')\nexcept FileNotFoundError as e:\n    final_answer(str(e))"
    assert run(caught).value == "there is no note x"


HANG = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"


@pytest.mark.parametrize(
    ("program", "limits", "limit"),
    [
        (HANG, {"step_seconds": 0.3}, "seconds"),
        ("while True: pass", {"cpu_seconds": 1, "step_seconds": 20.0}, "cpu"),
        ("x = [0] * 10**9", {"memory_bytes": 64 << 20}, "memory"),
        ("for n in range(10**9): print('x' * 1000)", {"output_bytes": 10_000}, "output"),
        ("for n in range(9): calc.add([n])", {"calls": 5}, "calls"),
        ("final_answer('x' * 3_000_000)", {"message_bytes": 1 << 20}, "message"),
        ("10 ** 10 ** 10", {"step_seconds": 1.0, "memory_bytes": 64 << 20}, "memory"),
    ],
)
def test_every_limit_holds_and_is_named(run: Run, program: str, limits: dict[str, Any], limit: str) -> None:
    assert run(program, **limits).limit == limit


def test_after_a_stop_the_next_program_starts_afresh(run: Run) -> None:
    assert "NameError" in run("x = 1\nwhile True: pass", "x", step_seconds=0.3).error


def test_clock_and_dice_are_the_run_s(run: Run) -> None:
    looks = "import datetime, random, time\n[str(datetime.datetime.now()), str(datetime.date.today()), random.random()]"
    first, second = run(looks).value, run(looks).value
    assert first == second
    assert first[:2] == ["2026-03-18 09:00:00", "2026-03-18"]
    begun = time.monotonic()
    assert run("import time\ntime.sleep(1000)\n1").value == 1
    assert time.monotonic() - begun < 60


def test_it_gives_no_files_so_a_sandboxed_program_is_refused_in_one_line(engine: Engine, tmp_path: Path) -> None:
    with (
        engine.program(make_broker(), now=NOW, seed=1, world=World(str(tmp_path))) as execute,
        pytest.raises(SandboxError, match="no files and no packages") as refused,
    ):
        execute("1")
    assert "--contract brokered" in refused.value.hint


def test_scripts_run_in_the_machine_s_own_sandbox_beside_it(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("def f() -> int:\n    return 41 + 1\n")
    if engine._beside is None:
        pytest.skip("this machine isolates no scripts")
    assert engine.call(Job("s.py", str(tmp_path), NOW, function="f"), Limits()) == 42
    assert engine.title.startswith("monty, scripts in kernel-")


def test_where_nothing_isolates_scripts_they_are_refused_and_built_in_tools_work(tmp_path: Path) -> None:
    backend = monty.open_backend("monty", Setup())
    with Engine(backend, lack="this machine has no Landlock") as alone:
        with pytest.raises(ToolFailed, match="this machine has no Landlock") as refused:
            alone.call(Job("s.py", str(tmp_path), NOW, function="f"), Limits())
        assert refused.value.kind == "PermissionError"
        with alone.program(make_broker(), now=NOW, seed=1) as execute:
            assert execute("give('record')['title']").value == "A"
        assert alone.title == "monty"


LEAKY = """\
class MontyCrashedError(Exception): pass
class MontyError(Exception): pass
class Session:
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def feed_run(self, text, **_):
        names = {}
        exec(text, names)
        return names["holes"]
class Monty:
    def __init__(self, **_): pass
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def checkout(self, **_): return Session()
"""


def test_an_interpreter_that_lets_something_out_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its place: all of Python, which the second wall keeps from files and the network, but not from forking."""
    (tmp_path / "pydantic_monty.py").write_text(LEAKY)
    monkeypatch.setattr(monty, "_find_package", lambda: (str(tmp_path), "/bin/true"))
    with pytest.raises(SandboxError, match=r"monty does not hold here: .*fork"):
        open_engine("monty")


def test_another_release_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monty, "VERSION", "9.9.")
    with pytest.raises(SandboxError, match=r"this nest knows 9\.9\.x") as refused:
        open_engine("monty")
    assert "pip install" in refused.value.hint


MISSING = {
    "`yield`": "def f():\n    yield 1",
    "classes that inherit": "class A(ValueError): pass",
    "`del`": "x = 1\ndel x",
    "`@property`": "class A:\n    @property\n    def p(self): return 1",
    "`@classmethod`": "class A:\n    @classmethod\n    def p(cls): return 1",
    "`statistics`": "import statistics",
    "`textwrap`": "import textwrap",
    "`string`": "import string",
    "`calendar`": "import calendar",
    "`operator`": "import operator",
    "`heapq`": "import heapq",
    "`key=str.lower`": "sorted(['a'], key=str.lower)",
    "`key=d.get`": "sorted(['a'], key={'a': 1}.get)",
    "`next(x for ...)`": "next(x for x in [1])",
    "`re.sub` takes a text": "import re\nre.sub('a', lambda m: 'b', 'a')",
    "never `note.title`": "give('record').title",
}


def test_the_prompt_says_of_the_language_what_is_so(run: Run) -> None:
    told = load_prompt("monty").text
    for words, program in MISSING.items():
        assert words in told
        assert run(program).error, f"{words}: it is there after all"
    modules = told.partition("- Importable: `")[2].partition("`")[0].split()
    assert len(modules) > 15
    assert run(f"import {', '.join(modules)}\n1").error == ""
    assert run("[x for x in [1, 2] if x > 1][:1]").value == [2]


QUICK = ("broker", "introspection")


@pytest.mark.parametrize(
    "group",
    [
        pytest.param(group, marks=() if group in QUICK else pytest.mark.slow)
        for group in sorted({attack.group for attack in read_attacks()})
    ],
)
def test_no_attack_gets_out(engine: Engine, group: str) -> None:
    attacks = [attack for attack in read_attacks() if attack.group == group]
    with lay_bait() as bait:
        out = {attack.name: battery.run_attack(engine, attack, bait, seconds=0.3) for attack in attacks}
    assert {name: how for name, how in out.items() if how} == {}
