"""Somebody kills nest, the parent, a program or a tool at any moment: nothing is left, and what is left says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
from processes import below, is_alive, wait_until_gone

from nestkit.errors import SandboxError
from nestkit.policy import Limits
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import open_engine
from nestkit.sandbox.job import Job, ToolFailed
from nestkit.testing import make_vault

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
TIERS = ("kernel-full", "kernel-lite")
HOST = """
import sys
from dataclasses import replace
from datetime import datetime
from nestkit.policy import Limits
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import open_engine
from nestkit.sandbox.job import Job
from nestkit.sandbox.loaded import Loaded

vault, tier = sys.argv[1:3]
now = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
broker = Broker((), host=lambda *_: (None, ()), script=lambda *_: None, allow=lambda *_: None, limits=Limits())
print("begun", flush=True)
with open_engine(tier) as engine:
    print(engine._backend.folder, flush=True)
    with engine.program(broker, now=now, seed=1) as execute:
        execute("import threading, time\\nthreading.Thread(target=time.sleep, args=(99,)).start()")
        job = Job("02_System/t.py", vault, now, function="wait", site=(f"{vault}/site",))
        with Loaded(engine) as scripts:
            scripts.call(replace(job, function="look"), Limits())
            print("called", flush=True)
            try:
                (scripts if sys.argv[3] == "kept" else engine).call(job, Limits())
            except Exception:
                pass
"""


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    source = "import threading, time\ndef wait():\n    threading.Thread(target=time.sleep, args=(99,)).start()\n"
    return make_vault(tmp_path / "vault", {"02_System/t.py": source + "    time.sleep(99)\ndef look(): pass\n"})


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("moment", ["begun", "folder", "called", "kept"])
def test_when_nest_is_killed_all_its_children_and_folders_go(vault: Path, tier: str, moment: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOST, str(vault), tier, moment], stdout=subprocess.PIPE, text=True
    ) as host:
        assert host.stdout is not None
        said = [host.stdout.readline()]
        while moment != "begun" and (moment != "folder" or len(said) < 2) and said[-1] != "called\n":
            said.append(host.stdout.readline())
        time.sleep(0.15 if moment in ("called", "kept") else 0.03)
        children = below(host.pid)
        host.kill()
        host.wait()
    assert wait_until_gone(children) == set()
    if len(said) > 1:
        ending = time.monotonic() + 2
        while Path(said[1].strip()).exists() and time.monotonic() < ending:
            time.sleep(0.02)
        assert not Path(said[1].strip()).exists()


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.1])
def test_a_program_killed_by_somebody_says_so_and_the_run_can_go_on(tier: str, seconds: float) -> None:
    broker = Broker((), host=lambda *_: (None, ()), script=lambda *_: None, allow=lambda *_: None, limits=Limits())
    with open_engine(tier) as engine, engine.program(broker, now=NOW, seed=1) as execute:
        before = below(os.getpid())
        execute("1")
        (child,) = {number for number in below(os.getpid()) - before if is_alive(number)}
        threading.Timer(seconds, os.kill, (child, signal.SIGKILL)).start()
        outcome = execute("import time\ntime.sleep(20)")
        assert "killed" in outcome.error
        assert execute("final_answer(1)").value == 1


@pytest.mark.parametrize("tier", TIERS)
def test_a_tool_or_the_parent_killed_during_a_call_is_the_tool_s_failure(vault: Path, tier: str) -> None:
    with open_engine(tier) as engine:
        for kill_parent in (False, True):
            before = below(os.getpid())

            def kill(kill_parent: bool = kill_parent, before: set[int] = before) -> None:
                for number in [engine._backend._parent] if kill_parent else below(os.getpid()) - before:
                    os.kill(number, signal.SIGKILL)

            threading.Timer(0.3, kill).start()
            with pytest.raises(ToolFailed):
                engine.call(Job("02_System/t.py", str(vault), NOW, function="wait"), Limits())
    assert not below(os.getpid()) - before


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0], ids=["back", "ahead"])
def test_a_clock_that_jumps_neither_ends_a_program_early_nor_lets_one_go_on(
    monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    limits = Limits(step_seconds=0.5)
    broker = Broker((), host=lambda *_: (None, ()), script=lambda *_: None, allow=lambda *_: None, limits=limits)
    told, real = "import datetime, time\nfinal_answer([time.time(), datetime.datetime.now()])", time.time
    with open_engine() as engine, engine.program(broker, now=NOW, seed=1) as execute:
        first = execute(told).value
        monkeypatch.setattr(time, "time", lambda: real() + jump)
        assert execute(told).value == first
        threading.Timer(0.1, lambda: monkeypatch.setattr(time, "time", lambda: real() + 3 * jump)).start()
        begun = time.monotonic()
        assert execute("while True: pass").limit == "seconds"
        assert time.monotonic() - begun >= 0.5
        assert execute(told).value == first


@pytest.mark.parametrize("tier", TIERS)
def test_a_python_that_ends_at_once_is_said(tier: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "_base_executable", "/bin/false", raising=False)
    with pytest.raises(SandboxError, match="ended at once; does it start without environment variables"):
        open_engine(tier).close()
