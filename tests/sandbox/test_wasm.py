"""Programs in WebAssembly: nest's own child in a guest. Skipped where the engine is not installed and compiled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from programs import Run, run_in

from nestkit.errors import SandboxError
from nestkit.policy import Limits, Refusal
from nestkit.sandbox import battery, wasm
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.battery import lay_bait, read_attacks
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import Job, ToolFailed, World
from nestkit.tool import Parameter, Tool
from nestkit.vault.place import user_folders

SETUP = Setup(cache=user_folders({}).cache)
NOW = datetime.fromisoformat("2026-03-18T09:00:00+02:00")
TOOLS = (Tool("vault.give", "vault.py", "builtin", "give", (Parameter("what", "str"),)),)


def make_broker(**limits: Any) -> Broker:
    def allow(tool: Tool, arguments: Any) -> Refusal | None:
        return Refusal("not today") if arguments["what"] == "forbidden" else None

    def host(tool: Tool, arguments: Any) -> tuple[Any, tuple[str, ...]]:
        return {"title": arguments["what"], "tags": {"a"}, "size": 10**30}, ()

    return Broker(TOOLS, host=host, script=lambda *_: None, allow=allow, limits=Limits(**limits))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    if lack := wasm.find_lack(SETUP):
        pytest.skip(lack)
    with open_engine("wasm", setup=SETUP) as made:
        yield made


@pytest.fixture
def run(engine: Engine) -> Run:
    return run_in(engine, make_broker, NOW)


def test_all_of_python_runs_and_records_read_both_ways(run: Run) -> None:
    outcome = run(
        "class Note(dict):\n    @property\n    def big(self): return self['size'] > 1\n"
        "def all_of(*names):\n    for name in names: yield Note(give(name))\n"
        "found = list(all_of('x', 'y'))\nr = vault.give('z')\nprint(r.title, r['tags'])",
        "final_answer([(n['title'], n.big) for n in found])",
    )
    assert (outcome.error, outcome.value) == ("", [("x", True), ("y", True)])


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("x = 1\ngive('forbidden')", "line 2: give('forbidden')\nPermissionError: not today"),
        ("open('/etc/passwd')", "FileNotFoundError"),
        ("import socket\nsocket.socket()", "OSError"),
        ("import subprocess\nsubprocess.run(['ls'])", "OSError"),
        ("import threading\nthreading.Thread(target=print).start()", "RuntimeError"),
        ("import os\nos.fork()", "AttributeError"),
    ],
)
def test_an_error_names_the_program_s_line(run: Run, program: str, error: str) -> None:
    assert error in run(program).error


HANG = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"


@pytest.mark.parametrize(
    ("program", "limits", "limit"),
    [
        (HANG, {"step_seconds": 0.5}, "seconds"),
        ("x = [0] * 10**9", {}, "memory"),
        ("while True: print('x' * 1000)", {"output_bytes": 10_000}, "output"),
        ("for n in range(9): give('x')", {"calls": 5}, "calls"),
        ("final_answer('x' * 3_000_000)", {"message_bytes": 1 << 20}, "message"),
        ("while True: pass", {"cpu_seconds": 1, "step_seconds": 30.0}, "cpu"),
    ],
)
def test_every_limit_holds_and_is_named(run: Run, program: str, limits: dict[str, Any], limit: str) -> None:
    assert run(program, **limits).limit == limit


def test_clock_and_dice_are_the_run_s(run: Run) -> None:
    looks = (
        "import datetime, random, time, uuid\n"
        "[str(datetime.datetime.now()), str(datetime.date.today()), time.strftime('%H:%M'), str(datetime.datetime.now("
        "datetime.UTC)), random.random(), str(uuid.uuid4())]"
    )
    first, second = run(looks).value, run(looks).value
    assert first == second
    assert first[:4] == ["2026-03-18 09:00:00", "2026-03-18", "09:00", "2026-03-18 07:00:00+00:00"]


def test_it_gives_no_files_and_runs_no_scripts_by_itself(engine: Engine, tmp_path: Path) -> None:
    with (
        engine.program(make_broker(), now=NOW, seed=1, world=World(str(tmp_path))) as execute,
        pytest.raises(SandboxError, match="no files and no packages"),
    ):
        execute("1")
    with (
        Engine(wasm.open_backend("wasm", SETUP), lack="nothing isolates here") as alone,
        pytest.raises(ToolFailed, match="nothing isolates here"),
    ):
        alone.call(Job("s.py", str(tmp_path), NOW, function="f"), Limits())


DOOR = "import _host, struct\ndef frame(text): return struct.pack('>I', len(text)) + text\n"
DOORS = {
    "a forged end": ('_host.call(b\'!\' + frame(b\'{"done": {"final": true, "value": 7}}\'))\nwhile True: pass', 7),
    "a forged call": ('_host.call(b\'!\' + frame(b\'{"call": "os.system", "args": [], "kwargs": {}}\'))', None),
    "no frame": ("_host.call(b'!' + b'\\xff' * 100)", None),
    "a frame without end": ("_host.call(b'!' + struct.pack('>I', 1 << 20) + b'x')", None),
    "nothing": ("_host.call(b'')", None),
    "a wish for more than there is": ("_host.call(b'?' + b'\\xff' * 4)", None),
    "another verb": ("_host.call(b'#' * 100)", None),
    "pickle": ("_host.call(b'!' + frame(b'\\x80\\x04K\\x01.'))", None),
}


@pytest.mark.parametrize("name", DOORS)
def test_what_is_forged_at_the_door_is_only_what_a_program_may_say(engine: Engine, name: str) -> None:
    """Whoever holds the door can say anything: it gains no call that was not offered, and nest goes on."""
    program, value = DOORS[name]
    broker = make_broker(step_seconds=1.0, message_bytes=1 << 20)
    with engine.program(broker, now=NOW, seed=1) as execute:
        outcome = execute(DOOR + program)
        assert outcome.value in (value, b"")
        assert not [call for call in outcome.calls if call.allowed]
        assert 2 in [execute("1 + 1").value for _ in range(3)], "what is left of a forged talk ends with its child"


@pytest.mark.slow
@pytest.mark.parametrize("group", sorted({attack.group for attack in read_attacks()}))
def test_no_attack_gets_out(engine: Engine, group: str) -> None:
    attacks = [attack for attack in read_attacks() if attack.group == group]
    with lay_bait() as bait:
        out = {attack.name: battery.run_attack(engine, attack, bait, seconds=0.3) for attack in attacks}
    assert {name: how for name, how in out.items() if how} == {}


def test_what_is_not_compiled_is_not_compiled_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wasm, "_find_package", lambda: str(tmp_path))
    with pytest.raises(SandboxError, match="not compiled for this machine yet: `nest setup wasm`"):
        open_engine("wasm", cache=tmp_path)
    assert not [*tmp_path.iterdir()]
