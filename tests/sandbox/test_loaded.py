"""Scripts whose packages stay loaded: quick, and each call as alone and as shut in as if it were the only one."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from processes import below, is_alive, wait_until_gone

from nestkit.errors import SandboxError
from nestkit.policy import Limits
from nestkit.sandbox import loaded
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import Job, ToolFailed
from nestkit.sandbox.loaded import Loaded
from nestkit.testing import make_vault

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
PACKAGE = "import time\nLOADED = time.perf_counter_ns()\nstate = []\n"
SCRIPT = """
import datetime, os, random, sys, tempfile, threading, time
from pathlib import Path

import slow
import slow.part


def loaded() -> int:
    return slow.LOADED


def state(value: str) -> list[str]:
    slow.state.append(value)
    return slow.state


def read(path: str) -> str:
    return Path(path).read_text() if Path(path).exists() else "none"


def names() -> list[str]:
    return sorted(os.listdir("."))


def scratch() -> list[str]:
    before = os.listdir(tempfile.gettempdir())
    Path(tempfile.gettempdir(), "left").write_text("x")
    return before


def chance() -> list[object]:
    return [random.random(), os.urandom(4), datetime.datetime.now()]


def odd(kind: str) -> object:
    match kind:
        case "error":
            raise KeyError("nothing of that name")
        case "exit":
            os._exit(3)
        case "loop":
            while True:
                pass
        case "sleep":
            time.sleep(60)
        case "memory":
            return len(bytearray(900 << 20))
        case "fork":
            return os.fork()
        case "write":
            Path("Home.md").write_text("mine")
        case "thread":
            threading.Thread(target=time.sleep, args=(60,)).start()
            return "left"
        case "bad":
            return sys
        case "kill":
            os.kill(os.getppid(), 9)
"""
NOTES = {"S/tool.py": SCRIPT, "Home.md": "home", "Diary/secret.md": "mine", ".nest/x": "x", "D/a.md": "a"}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    try:
        made = open_engine("kernel-full")
    except SandboxError as error:
        pytest.skip(str(error))
    with made:
        yield made


@pytest.fixture
def site(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    folder = tmp_path / "site"
    make_vault(folder, {"slow/__init__.py": PACKAGE, "slow/part.py": "VALUE = 1\n"})
    return folder


@pytest.fixture
def job(tmp_path: Path, site: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(loaded, "_RECENT_NS", 0)  # a vault that was made just now counts as one that stands still
    vault = make_vault(tmp_path / "vault", NOTES)
    return Job("S/tool.py", str(vault), NOW, 7, system="S", site=(str(site),), hide=(".nest", "Diary"))


def keepers(engine: Engine) -> list[int]:
    """Children of the inner of the two parents that are not dead already."""
    (inner,) = children(engine._backend._parent)
    return [number for number in children(inner) if is_alive(number)]


def children(number: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{number}/task/{number}/children").read_text().split()]


Call = Callable[..., Any]


@pytest.fixture
def call(engine: Engine, job: Job) -> Iterator[Call]:
    """A function of the script called, its packages staying loaded; none of its children may be left afterwards."""
    with Loaded(engine) as scripts:

        def make(function: str, limits: Limits = Limits(), seconds: float | None = None, **arguments: Any) -> Any:  # noqa: B008
            return scripts.call(replace(job, function=function, arguments=arguments), limits, seconds)

        yield make
    assert keepers(engine) == []


def test_packages_are_loaded_once_and_what_a_call_does_to_them_ends_with_it(call: Call) -> None:
    assert call("loaded") == call("loaded")
    assert [call("state", value=value) for value in "abc"] == [["a"], ["b"], ["c"]]


def test_what_a_call_left_in_its_scratch_folder_no_other_finds(call: Call) -> None:
    first = call("loaded")
    assert [call("scratch"), call("scratch")] == [[], []]
    assert call("loaded") != first, "a new one was begun"


def test_the_clock_and_chance_of_each_call_are_those_of_a_call_alone(engine: Engine, call: Call, job: Job) -> None:
    alone = engine.call(replace(job, function="chance"), Limits())
    assert [call("chance"), call("chance")] == [alone, alone]


def told(act: Callable[[], Any]) -> tuple[str, str]:
    try:
        return "value", repr(act())
    except ToolFailed as error:
        return error.kind, error.text


@pytest.mark.parametrize("kind", ["error", "exit", "memory", "fork", "write", "thread", "bad", "other"])
def test_whatever_a_call_does_is_told_as_of_a_call_alone_and_the_next_one_works(
    engine: Engine, call: Call, job: Job, kind: str
) -> None:
    limits = Limits(memory_bytes=400 << 20)
    call("loaded")
    alone = told(lambda: engine.call(replace(job, function="odd", arguments={"kind": kind}), limits))
    assert told(lambda: call("odd", limits, kind=kind)) == alone
    assert call("read", path="Home.md") == "home"


def test_a_call_cannot_reach_what_it_was_forked_from(call: Call) -> None:
    assert told(lambda: call("odd", kind="kill"))[0] == "PermissionError"
    assert call("read", path="Home.md") == "home"


@pytest.mark.parametrize("kind", ["loop", "sleep"])
def test_a_call_that_takes_too_long_is_stopped_with_all_it_came_from(engine: Engine, call: Call, kind: str) -> None:
    call("loaded")
    assert told(lambda: call("odd", seconds=0.3, kind=kind))[0] == "TimeoutError"
    assert keepers(engine) == []
    assert call("read", path="Home.md") == "home"


def test_the_processor_time_of_each_call_is_limited(call: Call) -> None:
    kind, text = told(lambda: call("odd", Limits(cpu_seconds=1), kind="loop"))
    assert (kind, text) == ("TimeoutError", "S/tool.py used all its 1 seconds of processor time")


def _in_place(vault: Path) -> None:
    (vault / "Home.md").write_text("changed")


def _replaced(vault: Path) -> None:
    (vault / "D/new").write_text("changed")
    (vault / "D/new").rename(vault / "Home.md")


def _folder_replaced(vault: Path) -> None:
    (vault / "D").rename(vault / "E")
    (vault / "D").mkdir()
    (vault / "D/b.md").write_text("changed")


def _added(vault: Path) -> None:
    (vault / "D/b.md").write_text("changed")


def _gone(vault: Path) -> None:
    (vault / "D/a.md").unlink()


@pytest.mark.parametrize("change", [_in_place, _replaced, _folder_replaced, _added, _gone])
def test_a_vault_that_changes_between_two_calls_is_seen_as_it_is(
    call: Call, job: Job, change: Callable[[Path], None]
) -> None:
    vault = Path(job.root)
    paths = ("Home.md", "D/a.md", "D/b.md", "E/a.md", "Diary/secret.md", ".nest/x")
    for number in range(2):
        seen = [(call("read", path=path), call("names")) for path in paths]
        names = sorted(entry.name for entry in vault.iterdir() if entry.name not in job.hide)
        real = [(vault / path).read_text() if (vault / path).exists() else "none" for path in paths]
        real = ["none" if path.startswith(job.hide) else text for path, text in zip(paths, real, strict=True)]
        assert seen == [(text, names) for text in real]
        if number == 0:
            change(vault)


def test_what_changed_just_now_is_not_taken_for_standing_still(
    call: Call, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded, "_RECENT_NS", 10**18)
    assert call("loaded") != call("loaded")


def test_a_script_that_changed_is_loaded_anew_and_checked(call: Call, job: Job, engine: Engine) -> None:
    call("loaded")
    changed = Path(job.root, "S/tool.py")
    changed.write_text(f"{SCRIPT}\ndef more():\n    return 'new'\n")
    assert call("more") == "new"
    with Loaded(engine) as scripts, pytest.raises(ToolFailed, match="has changed since it was read"):
        scripts.call(replace(job, function="loaded", digest="0" * 64), Limits())


@pytest.mark.parametrize("which", ["keeper", "fork", "parent"])
def test_whoever_is_killed_it_is_told_and_the_next_call_works(call: Call, engine: Engine, which: str) -> None:
    call("loaded")
    (keeper,) = keepers(engine)

    def kill() -> None:
        at = {"keeper": {keeper}, "fork": below(keeper), "parent": {engine._backend._parent}}
        for number in at[which]:
            os.kill(number, signal.SIGKILL)

    threading.Timer(0.3, kill).start()
    assert told(lambda: call("odd", kind="sleep"))[0] == "RuntimeError"
    assert call("read", path="Home.md") == "home"


def test_no_more_than_three_are_kept_and_one_script_never_meets_another(engine: Engine, job: Job) -> None:
    vault = Path(job.root)
    with Loaded(engine) as scripts:
        stamps = set()
        for number in range(5):
            (vault / f"S/tool{number}.py").write_text(SCRIPT)
            stamps.add(scripts.call(replace(job, script=f"S/tool{number}.py", function="loaded"), Limits()))
            assert len(keepers(engine)) <= 3
        assert len(stamps) == 5, "each has loaded for itself"


def test_what_writes_connects_or_starts_programs_has_a_child_for_one_call(engine: Engine, job: Job) -> None:
    with Loaded(engine) as scripts:
        for more in ({"network": ("example.org",)}, {"run": ("true",)}, {"writable": True}):
            given: Any = more
            scripts.call(replace(job, function="loaded", **given), Limits())
            assert keepers(engine) == []
        scripts.call(replace(job, function="loaded"), Limits(), collect=lambda folder: None)
        assert keepers(engine) == []


HOSTILE = """
import os, socket, sys, threading

def tries(**acts):
    found = {}
    for name, act in acts.items():
        try:
            act()
            found[name] = "out"
        except BaseException as error:
            found[name] = type(error).__name__
    return found

def unshare():
    import ctypes
    if ctypes.CDLL(None).unshare(0x10000000):
        raise OSError("refused")

FOUND = tries(
    read=lambda: open(@OUTSIDE@).read(),
    write=lambda: open("Home.md", "w"),
    make=lambda: os.mkdir("Made"),
    hidden=lambda: open("Diary/secret.md").read(),
    connect=lambda: socket.create_connection(("127.0.0.1", @PORT@), 1),
    start=lambda: os.execv("/bin/true", ["true"]),
    signal=lambda: os.kill(@PID@, 0),
    names=lambda: unshare(),
    package=lambda: open(__file__, "a"),
)
if os.fork() == 0:
    import time
    while True:
        time.sleep(1)
LOADED = 1
"""


def test_a_package_that_means_harm_finds_what_it_would_find_in_a_call_and_nothing_outlives_the_run(
    engine: Engine, job: Job, site: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_text("secret")
    outside.chmod(0o644)
    (Path(job.root) / "S/tool.py").write_text("import slow\ndef found():\n    return slow.FOUND\n")
    before = below(os.getpid())
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = HOSTILE.replace("@OUTSIDE@", repr(str(outside))).replace("@PORT@", str(server.getsockname()[1]))
        (site / "slow/__init__.py").write_text(code.replace("@PID@", str(os.getpid())))
        with Loaded(engine) as scripts:
            found = scripts.call(replace(job, function="found"), Limits())
            assert len(below(os.getpid()) - before) >= 2
    assert wait_until_gone(below(os.getpid()) - before) == set()
    assert "out" not in found.values(), found
    assert len(found) == 9
    assert not (Path(job.root) / "Made").exists()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("while True: pass", "TimeoutError"),
        ("import os\nos._exit(0)", "RuntimeError"),
        ("held = [bytearray(1 << 20) for _ in range(1000)]", "MemoryError"),
        ("raise SystemExit(4)", "RuntimeError"),
        ("raise ValueError('no')", "ValueError"),
        ("import os\nheld = bytearray(b'x') * (150 << 20)\nfor _ in range(9):\n    if os.fork() == 0:\n"
         "        held = bytearray(b'x') * (150 << 20)\n        while True: pass\nwhile True: pass", "MemoryError"),
    ],
)  # fmt: skip
def test_a_package_that_cannot_be_loaded_fails_the_call_and_only_that(
    engine: Engine, job: Job, site: Path, code: str, kind: str
) -> None:
    (site / "slow/__init__.py").write_text(code)
    limits = Limits(memory_bytes=600 << 20)
    with Loaded(engine) as scripts:
        found = told(
            lambda: scripts.call(replace(job, function="loaded"), limits, 0.5 if kind == "TimeoutError" else 4.0)
        )
        assert found[0] == kind, found
        (site / "slow/__init__.py").write_text(PACKAGE)
        assert scripts.call(replace(job, function="read", arguments={"path": "Home.md"}), limits) == "home"


@pytest.mark.parametrize(
    "start",
    ["threading.Thread(target=lock.acquire, daemon=True).start()", "_thread.start_new_thread(lock.acquire, ())"],
)
def test_a_package_with_a_thread_of_its_own_is_loaded_for_each_call_and_keeps_it(
    call: Call, job: Job, site: Path, start: str
) -> None:
    more = f"import threading, _thread\nlock = _thread.allocate_lock()\nlock.acquire()\n{start}\n"
    asks = "\n\ndef taken() -> bool:\n    slow.lock.release()\n    time.sleep(0.3)\n    return slow.lock.locked()\n"
    (site / "slow/__init__.py").write_text(PACKAGE + more)
    Path(job.root, "S/tool.py").write_text(SCRIPT + asks)
    assert call("loaded") != call("loaded")
    assert call("taken"), "the thread is there, and was waiting for it"


BURNS = """
import os
if os.fork() == 0:
    os.fork()
    while True:
        if os.fork() == 0:
            end = time.process_time() + 0.1
            while time.process_time() < end:
                pass
            os._exit(0)
        os.wait()
"""
"""No process of it ever uses much."""


def test_a_package_that_goes_on_working_between_calls_is_ended_by_the_processor_time_of_the_calls(
    engine: Engine, job: Job, site: Path
) -> None:
    (site / "slow/__init__.py").write_text(f"{PACKAGE}{BURNS}")
    with Loaded(engine) as scripts:
        limits = Limits(cpu_seconds=1)
        assert told(lambda: scripts.call(replace(job, function="odd", arguments={"kind": "sleep"}), limits))[1] == (
            "S/tool.py used all its 1 seconds of processor time"
        )
        assert keepers(engine) == []
        assert scripts.call(replace(job, function="read", arguments={"path": "Home.md"}), limits) == "home"


@pytest.mark.parametrize(
    "forged",
    [
        [{"ended": [127, 0.5, 1]}],
        [{"ended": [1 << 80, 0.5, 1]}],
        [{"ended": [0, 0.5]}],
        [{"ended": "now"}],
        [{"loaded": True}, {"ended": [127, 0.5, 1]}],
        [{"loaded": True}, {"ended": [9, -1.0, -(1 << 70)]}],
        [{"loaded": True}, {"ended": [9, 1e308, 1 << 70]}],
        [{"loaded": True}, {"value": {"$": "no"}}],
        [{"loaded": True}, {"holes": []}],
        [{"loaded": 1}],
        [{}],
        [{"loaded": True}, {"value": 1}, {"ended": [127, 0.5, 1], "clean": True}],
    ],
    ids=str,
)
def test_whatever_a_package_says_in_the_keeper_s_name_is_an_answer_or_a_failure(
    engine: Engine, job: Job, site: Path, forged: list[dict[str, Any]]
) -> None:
    frames = b"".join(len(text).to_bytes(4, "big") + text for text in (json.dumps(each).encode() for each in forged))
    (site / "slow/__init__.py").write_text(f"{PACKAGE}import os\nos.write(3, {frames!r})\n")
    with Loaded(engine) as scripts:
        for _ in range(3):
            kind, text = told(lambda: scripts.call(replace(job, function="loaded"), Limits()))
            assert kind in ("value", "RuntimeError", "MemoryError", "TimeoutError")
            assert kind != "value" or {"value": 1} in forged
            assert str(job.root) not in text
        (site / "slow/__init__.py").write_text(PACKAGE)
        (Path(job.root) / "S/other.py").write_text(SCRIPT)
        assert scripts.call(replace(job, script="S/other.py", function="names"), Limits())


def test_without_layers_each_call_is_made_alone(job: Job) -> None:
    with open_engine("kernel-lite") as lite, Loaded(lite) as scripts:
        before = below(os.getpid())
        assert isinstance(scripts.call(replace(job, function="loaded"), Limits()), int)
        assert below(os.getpid()) == before


def test_a_large_argument_and_a_large_answer_pass_as_ever(engine: Engine, call: Call, job: Job) -> None:
    long = "x" * (3 << 20)
    assert call("state", value=long) == [long]
    few = Limits(message_bytes=1 << 20)
    alone = told(lambda: engine.call(replace(job, function="state", arguments={"value": long}), few))
    assert told(lambda: call("state", few, value=long)) == alone
    assert call("state", few, value="short") == ["short"]
