"""Containers, against a stand-in for Docker that truly runs the child, but not in a container: no daemon is here.

What is shown: the command line, the talk over the client's stdin and stdout, that nothing is pulled, that a container
is killed by its name, and that one which holds nothing is found out by the child. That Docker holds is not shown.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from nestkit.errors import NoLayers, SandboxError
from nestkit.policy import Limits
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.child.landlock import find_version
from nestkit.sandbox.container import draft_command, find_lack
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import Job, ToolFailed, World
from nestkit.testing import make_vault

IMAGE = f"python@sha256:{'0' * 64}"
NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)
WISH: dict[str, Any] = {"memory_bytes": 1 << 30, "processes": 128}


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in is first on the PATH, and its home is here."""
    (tmp_path / "bin").mkdir()
    client = tmp_path / "bin/docker"
    client.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{Path(__file__).parent / "docker.py"}" "$@"\n')
    client.chmod(0o755)
    home = tmp_path / "home"
    home.mkdir()
    (home / "images").write_text(IMAGE)
    (home / "holds").touch()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    return home


@pytest.fixture
def engine(state: Path) -> Iterator[Engine]:
    if not find_version():
        pytest.skip("the stand-in holds by Landlock, which this kernel lacks")
    with open_engine("container", image=IMAGE) as made:
        yield made


def make_broker(**limits: Any) -> Broker:
    return Broker((), host=lambda *_: (1, ()), script=lambda *_: 1, allow=lambda *_: None, limits=Limits(**limits))


def parse_command(argv: list[str]) -> tuple[dict[str, str], list[dict[str, str]], list[str]]:
    """Options, mounts, and what comes after them."""
    given, mounts, words = {}, [], argv[2:]
    while words[0].startswith("--"):
        option = words.pop(0)
        if option in ("--rm", "--interactive", "--read-only"):
            given[option] = ""
        elif option == "--mount":
            row = next(csv.reader([words.pop(0)]))
            mounts.append({part.partition("=")[0]: part.partition("=")[2] for part in row})
        else:
            given[option] = words.pop(0)
    return given, mounts, words


def test_the_command_line_gives_nothing_and_pulls_nothing() -> None:
    given, mounts, start = parse_command(draft_command("/usr/bin/docker", IMAGE, "nest-1", WISH))
    wanted = {
        "--rm": "",
        "--interactive": "",
        "--read-only": "",
        "--pull": "never",
        "--network": "none",
        "--cap-drop": "ALL",
        "--security-opt": "no-new-privileges",
        "--pids-limit": "128",
        "--user": "65534:65534",
        "--name": "nest-1",
        "--entrypoint": "python3",
    }
    assert wanted.items() <= given.items()
    assert given["--memory"] == given["--memory-swap"]
    assert not {"--privileged", "--volume", "--device", "--pid", "--publish", "--cap-add"} & given.keys()
    (child,) = mounts
    assert child["src"].endswith("/sandbox/child")
    assert "readonly" in child
    assert start[0] == IMAGE


def test_a_vault_is_bound_read_only_with_what_is_hidden_covered(tmp_path: Path) -> None:
    odd = tmp_path / 'a,"b" readonly'
    vault = make_vault(odd, {"ok.md": "", "Diary/d.md": "", "nest.toml": "", "out/x.md": ""})
    (vault / "link").symlink_to("/etc")
    wish = WISH | {
        "root": str(vault),
        "shown": str(vault),
        "read": None,
        "hide": ["Diary", "nest.toml", "link", "gone"],
        "site": [],
        "writable": ["out"],
        "scratch": str(tmp_path),
    }
    _, mounts, _ = parse_command(draft_command("docker", IMAGE, "n", wish))
    seen = {mount["dst"]: mount for mount in mounts}
    assert "readonly" in seen[str(vault)]
    assert "readonly" not in seen[f"{vault}/out"]
    assert seen[f"{vault}/Diary"]["type"] == "tmpfs"
    assert seen[f"{vault}/nest.toml"]["src"] == os.devnull
    assert f"{vault}/link" not in seen
    wish |= {"read": ["ok.md", "link"], "writable": False}
    _, some, _ = parse_command(draft_command("docker", IMAGE, "n", wish))
    assert {mount["dst"] for mount in some if mount["dst"].startswith(str(vault))} == {f"{vault}/ok.md"}


def test_programs_run_and_state_lives_on(engine: Engine) -> None:
    assert engine.title == "container (unproven)"
    with engine.program(make_broker(), now=NOW, seed=1) as execute:
        assert execute("x = 20").error == ""
        outcome = execute("import datetime\nprint(datetime.date.today())\nfinal_answer(x + 1)")
        assert (outcome.value, outcome.output) == (21, "2026-03-18\n")
        assert "Error" in execute("import os\nos.fork()").error
        assert "Error" in execute("import socket\nsocket.socket()").error


IN_ANOTHER_THREAD = """
import os, socket, time
real, said = time.sleep, []
def sleep(seconds):
    time.sleep = real
    for attempt in (os.fork, socket.socket, lambda: open("/etc/hostname")):
        try:
            said.append(attempt())
        except OSError as error:
            said.append(type(error).__name__)
    real(seconds)
time.sleep = sleep
for _ in range(100):
    if len(said) == 3: break
    real(0.05)
final_answer(said)
"""


def test_the_thread_that_looks_after_nest_is_shut_in_as_well(engine: Engine) -> None:
    """A filter holds the thread that set it and those it begins: code lent to an older thread would be free."""
    with engine.program(make_broker(), now=NOW, seed=1) as execute:
        outcome = execute(IN_ANOTHER_THREAD)
    assert outcome.error == ""
    assert outcome.value == ["PermissionError"] * 3


def test_a_hang_is_killed_by_the_container_s_name(engine: Engine, state: Path) -> None:
    with engine.program(make_broker(step_seconds=0.5), now=NOW, seed=1) as execute:
        assert execute("while True: pass").limit == "seconds"
        assert execute("1 + 1").value == 2
    kills = [words for words in map(json.loads, (state / "log").read_text().splitlines()) if words[0] == "kill"]
    assert len(kills) >= 3
    assert not [*state.glob("nest-*")]


def test_a_script_reads_its_vault_and_gives_its_value(engine: Engine, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    vault = make_vault(tmp_path / "vault", {"ok.md": "fine", "02_System/s.py": SCRIPT})
    job = Job("02_System/s.py", str(vault), NOW, function="read", arguments={"path": "ok.md"})
    assert engine.call(job, Limits()) == "fine"
    with pytest.raises(ToolFailed, match="Permission"):
        engine.call(Job("02_System/s.py", str(vault), NOW, function="write", arguments={"path": "n.md"}), Limits())
    with pytest.raises(ToolFailed, match="network"):
        engine.call(Job("02_System/s.py", str(vault), NOW, function="read", network=("x.org",)), Limits())
    with pytest.raises(ToolFailed, match="git"):
        engine.call(Job("02_System/s.py", str(vault), NOW, function="read", run=("git",)), Limits())
    with pytest.raises(NoLayers):
        engine.call(job, Limits(), collect=lambda folder: None)


SCRIPT = """\
import os
def read(path: str) -> str:
    return open(os.path.join(os.environ["VAULT_PATH"], path)).read()
def write(path: str) -> None:
    open(os.path.join(os.environ["VAULT_PATH"], path), "w").write("x")
"""


def test_a_sandboxed_program_leaves_files(engine: Engine, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    vault = make_vault(tmp_path / "vault", {"ok.md": "fine"})
    with engine.program(make_broker(), now=NOW, seed=1, world=World(str(vault))) as execute:
        outcome = execute("import os\nopen('a.txt', 'w').write(open(os.environ['VAULT_PATH'] + '/ok.md').read())")
    assert (outcome.error, outcome.files) == ("", {"a.txt": b"fine"})


def test_a_container_that_holds_nothing_is_found_out(state: Path) -> None:
    (state / "holds").unlink()
    with pytest.raises(SandboxError, match="container does not hold here: read a file outside"):
        open_engine("container", image=IMAGE)


@pytest.mark.parametrize(
    ("image", "spoil", "why"),
    [
        ("", "", "no image is named"),
        ("python:3.12", "", "is not pinned by a digest"),
        (f"python@sha256:{'1' * 64}", "", "is not here"),
        (f"--privileged@sha256:{'1' * 64}", "", "is not pinned"),
        (IMAGE, "dead", "Cannot connect to the Docker daemon"),
    ],
)
def test_what_is_missing_is_one_clear_line(state: Path, image: str, spoil: str, why: str) -> None:
    if spoil:
        (state / spoil).touch()
    with pytest.raises(SandboxError, match=why) as refused:
        open_engine("container", image=image)
    assert refused.value.hint
    assert "\n" not in str(refused.value)
    assert why in find_lack(Setup(image=image))
    if not spoil:
        assert "run" not in (state / "log").read_text()


def test_a_daemon_elsewhere_is_refused(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
    with pytest.raises(SandboxError, match="a daemon elsewhere"):
        open_engine("container", image=IMAGE)


KILLED = """
import sys, threading
from datetime import UTC, datetime
from nestkit.policy import Limits
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import open_engine
broker = Broker((), host=None, script=None, allow=None, limits=Limits(step_seconds=60, cpu_seconds=60))
with open_engine("container", image=sys.argv[1]) as engine:
    with engine.program(broker, now=datetime(2026, 3, 18, 9, tzinfo=UTC), seed=1) as execute:
        execute("1")
        threading.Timer(1.0, print, ("here",), {"flush": True}).start()
        execute("while True: pass")
"""


def test_what_a_killed_nest_left_running_the_next_one_kills(engine: Engine, state: Path) -> None:
    nest = subprocess.Popen([sys.executable, "-c", KILLED, IMAGE], stdout=subprocess.PIPE)
    assert nest.stdout is not None
    assert nest.stdout.readline() == b"here\n"
    nest.kill()
    nest.wait()
    nest.stdout.close()
    (left,) = state.glob("nest-*")
    number = json.loads(left.read_text())["pid"]
    with open_engine("container", image=IMAGE):
        pass
    ending = time.monotonic() + 10
    while Path(f"/proc/{number}").exists() and time.monotonic() < ending:
        time.sleep(0.05)
    assert not Path(f"/proc/{number}").exists()
    assert ["kill", left.name] in map(json.loads, (state / "log").read_text().splitlines())
