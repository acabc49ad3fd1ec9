"""What dies in a run of another interpreter: its process, the one below it, nest itself. All of it really killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from processes import below, wait_until_gone

from nestkit.policy import Limits
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.backends import get_row
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import open_engine
from nestkit.vault.place import user_folders

SETUP = Setup(cache=user_folders({}).cache)
NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
BROKER = """
import sys, threading, time
from datetime import UTC, datetime
from pathlib import Path
from nestkit.policy import Limits
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import open_engine
broker = Broker((), host=None, script=None, allow=None, limits=Limits(step_seconds=60))
with open_engine(sys.argv[1], cache=Path(sys.argv[2])) as engine:
    with engine.program(broker, now=datetime(2026, 3, 18, 9, tzinfo=UTC), seed=1) as execute:
        execute("1")
        threading.Timer(0.5, print, ("busy",), {"flush": True}).start()
        execute("while True: pass")
"""


@pytest.fixture(params=["monty", "wasm"])
def name(request: pytest.FixtureRequest) -> str:
    if lack := get_row(request.param).find_lack(SETUP):
        pytest.skip(lack)
    return str(request.param)


def test_when_nest_is_killed_everything_below_it_ends(name: str) -> None:
    nest = subprocess.Popen([sys.executable, "-c", BROKER, name, str(SETUP.cache)], stdout=subprocess.PIPE)
    assert nest.stdout is not None
    assert nest.stdout.readline() == b"busy\n"
    others = below(nest.pid)
    assert others
    nest.kill()
    nest.wait()
    nest.stdout.close()
    assert wait_until_gone(others, 5.0) == set(), "something went on without nest"


@pytest.mark.parametrize("which", ["the process", "the interpreter below it"])
def test_when_an_interpreter_is_killed_the_program_ends_clearly_and_the_next_one_starts_afresh(
    name: str, which: str
) -> None:
    broker = Broker((), host=lambda *_: (1, ()), script=lambda *_: 1, allow=lambda *_: None, limits=Limits())
    before = below(os.getpid())
    with open_engine(name, setup=SETUP) as engine, engine.program(broker, now=NOW, seed=1) as execute:
        others = below(os.getpid()) - before
        assert execute("x = 1\nx").value == 1
        mine = below(os.getpid()) - before - others
        (host,) = (number for number in mine if not any(number in below(other) for other in mine))
        victims = [host] if which == "the process" else sorted(below(host))
        if not victims:
            pytest.skip("it has none below it")
        threading.Timer(0.5, lambda: [os.kill(number, signal.SIGKILL) for number in victims]).start()
        outcome = execute("while True: pass")
        assert "Stopped: the interpreter crashed or was killed" in outcome.error
        assert "NameError" in execute("x").error
        assert execute("1 + 1").value == 2
