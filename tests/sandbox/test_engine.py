"""Programs and tools in real isolated children: what works, what fails, what is stopped and named."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from programs import Run, run_in

from nestkit.errors import NoteMissing, SandboxError
from nestkit.parse.script import parse_script
from nestkit.policy import Limits, Refusal
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import Job, ToolFailed
from nestkit.tool import Tool

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
TIERS = ("kernel-full", "kernel-lite")

SCRIPT = b'''"""Host tools of these tests."""


def echo(value=None):
    """The value itself."""


def convert(amount: float, source: str, target: str = "EUR") -> float:
    """Convert money."""


def missing(note: str):
    """A note that is not there."""


def forbidden():
    """Never allowed."""


def guarded():
    """Needs a person."""
'''
TOOLS = tuple(replace(tool, manner="builtin") for tool in parse_script("t.py", SCRIPT).tools)


def host(tool: Tool, arguments: Mapping[str, Any]) -> tuple[Any, Sequence[str]]:
    if tool.target == "missing":
        raise NoteMissing(f"no note called {arguments['note']!r}", "did you mean B?")
    if tool.target == "convert":
        return round({"GBP": 1 / 0.85}[arguments["source"]] * arguments["amount"], 2), ("Rates.md",)
    return arguments.get("value"), ()


def allow(tool: Tool, arguments: Mapping[str, Any]) -> Refusal | None:
    if tool.target == "forbidden":
        return Refusal("not today")
    return Refusal("a person must say yes", needs_person=True) if tool.target == "guarded" else None


def make_broker(**limits: Any) -> Broker:
    def script(tool: Tool, arguments: Mapping[str, Any]) -> Any:
        raise AssertionError("there is no script here")

    return Broker(TOOLS, host=host, script=script, allow=allow, limits=Limits(**limits))


@pytest.fixture(scope="module", params=TIERS)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    try:
        made = open_engine(request.param)
    except SandboxError as error:
        pytest.skip(f"this machine gives no {request.param}: {error}")
    with made:
        yield made


@pytest.fixture
def run(engine: Engine) -> Run:
    return run_in(engine, make_broker, NOW)


def test_this_machine_isolates_somehow() -> None:
    with open_engine() as made:
        assert made.tier in TIERS


def test_a_final_answer_is_the_outcome(run: Run) -> None:
    outcome = run("print('look')\nfinal_answer({'a': [1, 2.5, None]})\nprint('never')")
    assert (outcome.final, outcome.value, outcome.output) == (True, {"a": [1, 2.5, None]}, "look\n")


def test_state_lives_on_from_step_to_step(run: Run) -> None:
    assert run("x = 20", "def f(): return x + 1", "f()").value == 21


def test_the_last_expression_is_shown(run: Run) -> None:
    outcome = run("a = 1\na + 1")
    assert (outcome.final, outcome.value) == (False, 2)


FULL_PYTHON = {
    "generators": "def g():\n    yield from range(3)\nfinal_answer(list(g()))",
    "match": "match {'a': 1}:\n    case {'a': n}: final_answer([n])",
    "dataclasses": "from dataclasses import dataclass\n@dataclass\nclass P: x: int\nfinal_answer([P(3).x])",
    "inheritance": "class A:\n    def f(self): return 1\n"
    "class B(A):\n    def f(self): return super().f() + 1\nfinal_answer([B().f()])",
    "async": "import asyncio\nasync def f(): return 5\nfinal_answer([asyncio.run(f())])",
    "walrus": "final_answer([n for x in (1, 2) if (n := x * 2) > 2])",
    "the standard library": "import json, statistics, textwrap, decimal, csv, difflib, uuid\nfinal_answer([1])",
    "with and try": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    final_answer([str(e)])",
    "for else": "for x in ():\n    pass\nelse:\n    final_answer([1])",
    "print to a string": "import io\nb = io.StringIO()\nprint('a', 'b', sep='-', file=b)\nfinal_answer([b.getvalue()])",
}


@pytest.mark.parametrize("program", FULL_PYTHON.values(), ids=FULL_PYTHON.keys())
def test_programs_are_full_python(run: Run, program: str) -> None:
    outcome = run(program)
    assert outcome.final, outcome.error


def test_an_answer_cannot_be_swallowed(run: Run) -> None:
    assert run("try:\n    final_answer(1)\nexcept Exception:\n    final_answer(2)").value == 1


def test_tools_are_plain_functions_under_both_names(run: Run) -> None:
    outcome = run("final_answer([convert(250, 'GBP'), t.convert(amount=250, source='GBP')])")
    assert outcome.value == [294.12, 294.12]
    assert [call.tool for call in outcome.calls] == ["t.convert", "t.convert"]
    assert outcome.calls[0].reads == ("Rates.md",)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("x = 1\nx.nothing", "line 2"),
        ("convert(250, from_currency='GBP')", "source"),
        ("convrt(1)", "convert"),
        ("convert(250, 'YEN')", "KeyError"),
        ("missing('A')", "no note called 'A'"),
        ("open('/etc/passwd')", "Error"),
        ("def f(:\n  pass", "SyntaxError"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("final_answer(print)", "TypeError"),
    ],
)
def test_an_error_says_what_is_wrong_and_the_run_can_go_on(run: Run, program: str, said: str) -> None:
    outcome = run("kept = 5", program)
    assert said in outcome.error
    assert not outcome.final
    assert run("kept = 5", program, "final_answer(kept)").value == 5


@pytest.mark.parametrize(
    ("program", "values"),
    [
        ("rows = [{'a': 1}, {'b': 2}]\nfor r in rows:\n    r['a']", "where r = {'b': 2}"),
        ("def half(n):\n    return 1 / n\nhalf(0)", "where n = 0"),
        ("x = 'y' * 500\nint(x)", f"where x = '{'y' * 79}... (str)"),
        ("class A:\n    def __repr__(self): raise SystemExit\na = A()\na + 1", "where a = <A that cannot be shown>"),
    ],
)
def test_an_error_shows_the_values_of_its_line(run: Run, program: str, values: str) -> None:
    assert values in run(program).error.splitlines()


def test_an_error_without_values_shows_none(run: Run) -> None:
    for program in ("1 / 0", "unknown + 1", "echo(nobody=1)"):
        assert "where " not in run(program).error


def test_an_error_shows_no_path_of_the_machine(run: Run) -> None:
    for program in ("1 / 0", "missing('A')", "import json\njson.loads('{')", "convert(1, 'YEN')"):
        assert "/" not in run(program).error.replace("1 / 0", "")


def test_a_tool_s_error_keeps_its_kind(run: Run) -> None:
    program = "try:\n    missing('A')\nexcept FileNotFoundError:\n    final_answer('kind')"
    assert run(program).value == "kind"


def test_a_refusal_is_a_permission_error_with_its_reason(run: Run) -> None:
    outcome = run("try:\n    forbidden()\nexcept PermissionError as error:\n    final_answer(str(error))")
    assert (outcome.value, [refusal.reason for refusal in outcome.refusals]) == ("not today", ["not today"])
    assert outcome.calls[0].allowed is False


def test_a_call_that_needs_a_person_ends_the_program_whatever_it_catches(run: Run) -> None:
    outcome = run("try:\n    guarded()\nexcept BaseException:\n    final_answer('went on')")
    assert not outcome.final
    assert outcome.refusals[0].needs_person


def test_the_clock_is_the_run_s_and_chance_is_seeded(run: Run) -> None:
    program = (
        "import datetime, time, random\n"
        "final_answer([str(datetime.date.today()), datetime.datetime.now().hour, time.time(), random.random()])"
    )
    first, second = run(program).value, run(program).value
    assert first == second
    assert (first[0], first[2]) == ("2026-03-18", NOW.timestamp())


LIMITS = [
    ("while True: pass", {"step_seconds": 0.5}, "seconds"),
    ("import time\ntime.sleep(30)", {"step_seconds": 0.5}, "seconds"),
    (
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        {"step_seconds": 0.5},
        "seconds",
    ),
    ("x = 'a' * 10**10", {"memory_bytes": 256 << 20}, "memory"),
    ("while True: print('flood' * 1000)", {"output_bytes": 10_000}, "output"),
    ("while True: echo(1)", {"calls": 20}, "calls"),
    ("echo('x' * 10_000_000)", {"message_bytes": 1 << 20}, "message"),
    ("sum(i * i for i in range(10**10))", {"cpu_seconds": 1, "step_seconds": 20}, "cpu"),
    (
        "import threading, time\nfor _ in range(500): threading.Thread(target=time.sleep, args=(9,)).start()",
        {"processes": 20, "step_seconds": 20},
        "processes",
    ),
    ("import os\nwhile True: os.dup(0)", {"open_files": 40}, "files"),
    ("import os\nwhile True: os.pipe()", {"open_files": 40}, "files"),
]


@pytest.mark.parametrize(("program", "limits", "name"), LIMITS, ids=[f"{row[2]} {n}" for n, row in enumerate(LIMITS)])
def test_each_limit_ends_the_program_and_is_named(run: Run, program: str, limits: dict[str, Any], name: str) -> None:
    begun = time.monotonic()
    outcome = run(program, **limits)
    assert not outcome.final
    if name == "memory":
        assert "memory" in outcome.error.lower()
    elif name == "message":
        assert "limit" in outcome.error
    else:
        assert outcome.limit == name, outcome.error
    assert time.monotonic() - begun < 15


def test_without_namespaces_64_files_are_open_at_a_time(run: Run, engine: Engine) -> None:
    outcome = run("import os\nfor _ in range(64): os.dup(0)")
    assert outcome.limit == ("files" if engine.tier == "kernel-lite" else ""), outcome.error


def test_long_output_is_cut_and_said(run: Run) -> None:
    outcome = run("print('x' * 50_000)", output_bytes=1000)
    assert len(outcome.output) < 1200
    assert "more characters" in outcome.output


def test_after_a_stopped_program_the_next_one_starts_afresh(run: Run) -> None:
    outcome = run("x = 1", "while True: pass", "final_answer('x' in globals())", step_seconds=0.4)
    assert outcome.value is False


def descendants() -> set[int]:
    """Processes below this one."""
    found, todo = set(), [os.getpid()]
    while todo:
        parent = todo.pop()
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            todo += [child for child in map(int, task.read_text().split()) if child not in found]
            found |= set(todo)
    return found


def test_leaving_an_engine_leaves_no_process(engine: Engine) -> None:
    before = descendants()
    with open_engine(engine.tier) as other, other.program(make_broker(step_seconds=0.3), now=NOW, seed=1) as execute:
        execute("import threading, time\nfor _ in range(3): threading.Thread(target=time.sleep, args=(60,)).start()")
        execute("while True: pass")
    assert descendants() <= before


def test_a_killed_parent_is_started_again_with_the_same_tier(engine: Engine, run: Run) -> None:
    assert run("final_answer(1)").value == 1
    os.kill(engine._backend._parent, signal.SIGKILL)
    time.sleep(0.3)  # until it is gone, with all below it
    assert run("final_answer(2)").value == 2


TOOL_SCRIPT = '''"""Tools of these tests."""
import asyncio, collections, dataclasses, datetime, decimal, enum, os, sys
from pathlib import Path

Score = collections.namedtuple("Score", "value level")


@dataclasses.dataclass
class Invoice:
    number: str
    paid: bool


def plain(a, b=2):
    return a + b


async def later(x):
    await asyncio.sleep(0)
    return x


def records():
    return [Score(0.3, "low"), Invoice("I-1", True), {"d": datetime.date(2026, 1, 2), "m": decimal.Decimal("1.5")}]


def place():
    return [os.getcwd() == os.environ["VAULT_PATH"], Path(__file__).name, sorted(p.name for p in Path(".").glob("*"))]


def read(path):
    return Path(path).read_text()


def write(path):
    Path(path).write_text("written")


def scratch():
    import tempfile
    with tempfile.NamedTemporaryFile("w+") as file:
        file.write("kept")
        file.seek(0)
        return file.read()


class Level(enum.Enum):
    LOW = "low"


def kinds(day: datetime.date, at: "datetime.datetime | None", sum: decimal.Decimal, file: Path, tags: set[str],
          days: list[datetime.date], level: Level, plain: str):
    return [type(v).__name__ for v in (day, at, sum, tags, days[0], level, plain)] + [isinstance(file, Path)]


def neighbour():
    import helper
    return helper.NAME


def environment():
    return dict(os.environ)


def connect(port):
    import socket
    socket.create_connection(("127.0.0.1", port), 1)


def start():
    import subprocess
    return subprocess.run(["/bin/true"]).returncode


def fail():
    raise KeyError("JPY")


if __name__ == "__main__":
    if sys.argv[1:] == ["bad"]:
        print("it broke", file=sys.stderr)
        sys.exit(3)
    print("args", *sys.argv[1:])
'''


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    (folder / "02_System").mkdir(parents=True)
    (folder / "02_System/tools.py").write_text(TOOL_SCRIPT)
    (folder / "02_System/helper.py").write_text("NAME = 'helper'\n")
    (folder / "Note.md").write_text("hello")
    (folder / ".nest").mkdir()
    (folder / ".nest/secret").write_text("secret")
    (folder / "Private.md").write_text("private")
    tmp_path.chmod(0o755)
    return folder


@pytest.fixture
def call(engine: Engine, vault: Path) -> Callable[..., Any]:
    def make(
        function: str = "", argv: tuple[str, ...] = (), job: Mapping[str, Any] | None = None, **arguments: Any
    ) -> Any:
        made = Job(
            "02_System/tools.py", str(vault), NOW, function=function, arguments=arguments, argv=argv, **(job or {})
        )
        return engine.call(made, Limits(tool_seconds=5))

    return make


def test_functions_are_called_by_name_and_async_ones_awaited(call: Callable[..., Any]) -> None:
    assert call("plain", a=1) == 3
    assert call("later", x=[1]) == [1]


def test_values_become_what_the_annotations_ask_for(call: Callable[..., Any]) -> None:
    day = "2026-03-18"
    given = {"day": day, "at": "2026-03-18T09:00", "sum": "1.50", "file": "a.md", "tags": ["a"], "days": [day]}
    found = call("kinds", **given, level="low", plain=day)
    assert found == ["date", "datetime", "Decimal", "set", "date", "Level", "str", True]
    unfit = call("kinds", **{**given, "day": "soon", "at": None}, level="none", plain=day)
    assert (unfit[0], unfit[1], unfit[5]) == ("str", "NoneType", "str")


def test_results_come_back_as_plain_values(call: Callable[..., Any]) -> None:
    score, invoice, values = call("records")
    assert (score[0], score.level) == (0.3, "low")
    assert invoice["number"] == "I-1"
    assert (str(values["d"]), str(values["m"])) == ("2026-01-02", "1.5")


def test_a_script_runs_in_its_vault_with_its_neighbours(call: Callable[..., Any]) -> None:
    in_vault, name, names = call("place")
    assert (in_vault, name) == (True, "tools.py")
    assert "Note.md" in names
    assert call("neighbour") == "helper"
    assert call("scratch") == "kept"


def test_a_script_reads_its_vault_and_writes_nothing(call: Callable[..., Any], vault: Path) -> None:
    assert call("read", path="Note.md") == "hello"
    with pytest.raises(ToolFailed):
        call("write", path="Note.md")
    with pytest.raises(ToolFailed):
        call("write", path="New.md")
    assert (vault / "Note.md").read_text() == "hello"
    assert not (vault / "New.md").exists()


def test_hidden_places_cannot_be_read(call: Callable[..., Any]) -> None:
    for path in (".nest/secret", "Private.md"):
        with pytest.raises(ToolFailed):
            call("read", job={"hide": (".nest", "Private.md")}, path=path)


def test_a_private_copy_may_be_written(call: Callable[..., Any], vault: Path) -> None:
    call("write", job={"writable": True}, path="New.md")
    assert (vault / "New.md").read_text() == "written"


def test_a_script_has_no_environment_but_what_it_was_given(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEST_CANARY_ENV", "secret")
    found = call("environment", job={"environment": {"WEATHER_KEY": "given"}})
    assert found["WEATHER_KEY"] == "given"
    assert "NEST_CANARY_ENV" not in found


def test_a_script_has_no_network_and_starts_nothing(call: Callable[..., Any]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(ToolFailed):
        call("connect", port=listener.getsockname()[1])
    with pytest.raises(ToolFailed):
        call("start")


def test_a_script_s_error_keeps_kind_text_and_place(call: Callable[..., Any]) -> None:
    with pytest.raises(ToolFailed) as failed:
        call("fail")
    assert (failed.value.kind, failed.value.given) == ("KeyError", ("JPY",))
    assert failed.value.place.startswith("02_System/tools.py:")


def test_a_command_gives_its_text_and_a_failing_one_its_last_word(call: Callable[..., Any]) -> None:
    text = call(argv=("a", "--b"))
    assert (text, text.returncode) == ("args a --b\n", 0)
    with pytest.raises(ToolFailed, match="it broke"):
        call(argv=("bad",))


def test_a_script_that_changed_since_it_was_read_is_not_run(call: Callable[..., Any]) -> None:
    with pytest.raises(ToolFailed, match="changed"):
        call("plain", job={"digest": "0" * 64}, a=1)


def test_a_tool_that_hangs_is_stopped(engine: Engine, vault: Path) -> None:
    (vault / "02_System/slow.py").write_text("import time\ndef f():\n    time.sleep(60)\n")
    with pytest.raises(ToolFailed, match="took longer"):
        engine.call(Job("02_System/slow.py", str(vault), NOW, function="f"), Limits(), 0.5)


@pytest.fixture
def shell(engine: Engine, vault: Path) -> Callable[..., Any]:
    if engine.tier == "kernel-lite":
        pytest.skip("without namespaces no program is started")

    def make(text: str, *argv: str, name: str = "sh", run: tuple[str, ...] = ("sh",)) -> Any:
        (vault / "02_System/run.sh").write_text(text)
        return engine.call(
            Job("02_System/run.sh", str(vault), NOW, argv=argv, run=run, shell=name), Limits(tool_seconds=5)
        )

    return make


def test_a_shell_script_is_run_by_the_shell_it_was_granted(shell: Callable[..., Any]) -> None:
    text = shell('printf "%s;" "$@"; echo complaint >&2; pwd >/dev/null', "a b", "-n", "$HOME")
    assert (str(text), text.returncode, text.stderr) == ("a b;-n;$HOME;", 0, "complaint")


def test_a_shell_script_that_fails_raises_what_it_complained_of(shell: Callable[..., Any]) -> None:
    with pytest.raises(ToolFailed, match="no such thing"):
        shell("echo no such thing >&2; exit 3")
    assert shell("echo part; exit 3").returncode == 3


def test_a_shell_script_starts_no_program_that_was_not_granted(shell: Callable[..., Any]) -> None:
    assert str(shell("date >/dev/null 2>&1 && echo ran || echo refused")) == "refused\n"
    assert str(shell("date >/dev/null 2>&1 && echo ran || echo refused", run=("sh", "date"))) == "ran\n"
    assert str(shell("echo x > /etc/x || echo refused; echo x > 02_System/x || echo refused")) == "refused\nrefused\n"


def test_a_shell_that_is_not_there_is_said(shell: Callable[..., Any]) -> None:
    with pytest.raises(ToolFailed, match="there is no nosuchsh on this machine"):
        shell("echo", name="nosuchsh", run=("nosuchsh",))
