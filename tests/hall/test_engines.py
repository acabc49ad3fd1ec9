"""Engines kept warm: one run at a time, nothing of one run in the next, gone when idle, dead or out of date."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from processes import below, wait_until_gone

from nestkit.errors import SandboxError
from nestkit.hall import engines as hall_engines
from nestkit.hall.engines import Engines
from nestkit.policy import Contract, Limits
from nestkit.run import Outcome
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import Engine, open_engine

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")


@pytest.fixture(params=["kernel-full", "kernel-lite"])
def engines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engines]:
    """Engines of one tier, kept as a daemon keeps them; no process may be left when they are done with."""

    def of_tier(**named: Any) -> Engine:
        try:
            return open_engine(**{**named, "name": request.param})
        except SandboxError as error:
            pytest.skip(str(error))

    monkeypatch.setattr(hall_engines, "open_engine", of_tier)
    before, made = below(os.getpid()), Engines()
    with made.keeping():
        yield made
    assert wait_until_gone(below(os.getpid()) - before) == set()


def broker(**limits: Any) -> Broker:
    given = Limits(**limits)
    return Broker((), host=lambda *_: (None, ()), script=lambda *_: None, allow=lambda *_: None, limits=given)


def ran(engines: Engines, *programs: str, contract: Contract = "brokered", **limits: float) -> Outcome:
    """The last outcome of one run."""
    given: Any = limits
    broker = Broker(
        (), host=lambda *_: (None, ()), script=lambda *_: None, allow=lambda *_: None, limits=Limits(**given)
    )
    engine = engines.borrow(contract)
    try:
        with engine.program(broker, now=NOW, seed=1) as execute:
            return [execute(program) for program in programs][-1]
    finally:
        engines.give_back(engine)


def parents() -> set[int]:
    return {number for number in below(os.getpid()) if b"start.py" in Path(f"/proc/{number}/cmdline").read_bytes()}


def test_the_next_run_gets_the_same_parent_and_nothing_of_the_run_before(engines: Engines) -> None:
    leaves = (
        "import builtins, sys, threading, time, json, os\nbuiltins.kept = json.kept = sys.kept = mine = 1\n"
        "json.dumps = None\nos.environ['KEPT'] = '1'\nthreading.Thread(target=time.sleep, args=(99,)).start()"
    )
    assert ran(engines, leaves).error == ""
    first = parents()
    looks = (
        "import builtins, sys, threading, json, os\nfinal_answer([hasattr(builtins, 'kept'), hasattr(json, 'kept'),"
        " hasattr(sys, 'kept'), 'mine' in dir(), json.dumps is None, 'KEPT' in os.environ, threading.active_count()])"
    )
    assert ran(engines, looks).value == [False] * 6 + [1]
    assert parents() == first, "started once"


def test_two_runs_at_a_time_never_share_one(engines: Engines) -> None:
    one, two = engines.borrow("brokered"), engines.borrow("brokered")
    assert one is not two
    engines.give_back(one)
    engines.give_back(two)
    assert len(parents()) == 2, "an outer and an inner process of the one that is kept"


def test_a_run_that_is_not_kept_for_ends_its_own(engines: Engines) -> None:
    before, own = below(os.getpid()), Engines()
    assert ran(own, "final_answer(1)").value == 1
    assert wait_until_gone(below(os.getpid()) - before) == set()


def test_another_contract_gets_another_one(engines: Engines) -> None:
    plain, tables = engines.borrow("brokered"), engines.borrow("sandboxed")
    engines.give_back(plain)
    engines.give_back(tables)
    assert engines.borrow("sandboxed") is tables
    assert engines.borrow("reviewed") is plain
    engines.give_back(plain)
    engines.give_back(tables)


def test_a_warm_parent_that_somebody_killed_is_healed_in_the_same_tier(engines: Engines) -> None:
    ran(engines, "1")
    dead = parents()
    for number in dead:
        os.kill(number, signal.SIGKILL)
    assert ran(engines, "final_answer(2)").value == 2
    assert not parents() & dead


def test_one_killed_during_a_run_ends_that_program_and_the_next_run_works(engines: Engines) -> None:
    ran(engines, "1")
    threading.Timer(0.3, lambda: [os.kill(number, signal.SIGKILL) for number in parents()]).start()
    assert "killed" in ran(engines, "import time\ntime.sleep(20)").error
    assert ran(engines, "final_answer(3)").value == 3


@pytest.mark.parametrize(
    ("program", "limit"),
    [
        ("while True: pass", "seconds"),
        (
            "import signal, time\nwhile True:\n    try:\n        time.sleep(9)\n    except BaseException: pass",
            "seconds",
        ),
        ("x = bytearray(10**9)", "memory"),
        ("print('x' * 10**7)\n" * 9, "output"),
    ],
)
def test_limits_hold_in_a_second_run_as_in_the_first(engines: Engines, program: str, limit: str) -> None:
    for _ in range(2):
        found = ran(engines, program, step_seconds=0.25, memory_bytes=300 << 20)
        assert (found.limit or ("output" if "cut" in found.output else "")) == limit


def test_one_that_still_has_a_child_is_not_kept(engines: Engines) -> None:
    engine = engines.borrow("brokered")
    with engine.program(broker(), now=NOW, seed=1) as execute:
        execute("1")
        engines.give_back(engine)
        assert engines.idle_seconds() is None
    assert parents() == set()


def _package_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    site = tmp_path / "site-packages"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    return (site / "new.py").touch


def _settings_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    setting = tmp_path / "setting"
    setting.write_text("0")
    monkeypatch.setattr(hall_engines, "_SETTINGS", str(setting))
    return lambda: void(setting.write_text("1"))


def _grown_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr(hall_engines, "_OLDEST_SECONDS", 0.0)


def void(_: object) -> None:
    pass


@pytest.mark.parametrize("prepare", [_package_installed, _settings_changed, _grown_old])
def test_one_of_yesterday_is_opened_and_proven_anew(
    engines: Engines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prepare: Callable[..., Callable[[], None]]
) -> None:
    change = prepare(tmp_path, monkeypatch)
    ran(engines, "1")
    first = parents()
    change()
    assert ran(engines, "final_answer(1)").value == 1
    assert not parents() & first


def test_what_nobody_uses_is_ended_when_its_time_is_over(engines: Engines) -> None:
    assert engines.idle_seconds() is None
    ran(engines, "1")
    left = engines.idle_seconds()
    assert left is not None
    assert 0 < left <= hall_engines.IDLE_SECONDS
    engines.close_idle()
    assert parents()
    engines.close_idle(0.0)
    assert parents() == set()
    assert engines.idle_seconds() is None
