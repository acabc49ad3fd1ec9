"""What a hostile program tries: held by looking at the world afterwards, and shown to work where nothing holds it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from processes import below

import nestkit.hall.engines
from nestkit.errors import SandboxError
from nestkit.hall.walk import Company
from nestkit.nest import open_nest
from nestkit.policy import Contract, Leave, Limits
from nestkit.run import Ask, Run
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.backends import get_row
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.testing import OllamaServer, make_vault
from nestkit.vault.place import user_folders

CASES = [
    json.loads(line) for line in (Path(__file__).parent.parent / "cases/escapes.jsonl").read_text("utf-8").splitlines()
]
CONTRACTS: dict[int, Contract] = {1: "sandboxed", 2: "brokered", 3: "reviewed"}
SETUP = Setup(cache=user_folders({}).cache)
INTERPRETERS = tuple(name for name in ("monty", "wasm") if not get_row(name).find_lack(SETUP))
"""They run programs of the contracts that give no files."""
ENGINES = ("kernel-full", "kernel-lite", *INTERPRETERS)
ROWS = [
    (engine, CONTRACTS[number], case)
    for engine in ENGINES
    for case in CASES
    for number in case["contracts"]
    if engine not in INTERPRETERS or CONTRACTS[number] != "sandboxed"
]
MARKERS = ("<|im_start|>", "<|im_end|>", "</tool_response>", "</code>\\n<code>")
"""What must not stand whole in what a model is told of a program's doings."""
TOKEN = "NESTCANARY-5f1d"
NOTES = {
    "ok.md": "fine",
    "01_Projects/alpha.md": "alpha",
    "03_Notes/a.md": "a",
    "out/x.md": "x",
    "02_System/daily_report.py": 'def report() -> str:\n    """A report."""\n    return "r"\n',
    ".obsidian/app.json": "{}",
}


@dataclass
class World:
    """A vault, a canary outside it, listeners, and how it all was before."""

    vault: Path
    outside: Path
    port: int
    hits: list[bytes]

    def fill(self, code: str) -> str:
        """The program with its places filled in."""
        places = {
            "CANARY_FILE": self.outside / "canary.txt",
            "VAULT": self.vault,
            "HOST_FLAG": self.outside / "flag",
            "REAL_HOME": self.outside / "home",
            "EVIL_SDIST": self.outside / "evil",
            "TCP_PORT": self.port,
            "HOST_PID": os.getpid(),
            "RUN_ID": "run1",
        }
        return re.sub(r"@@([A-Z_]+)@@", lambda place: str(places[place[1]]), code)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    tmp_path.chmod(0o755)
    vault = make_vault(tmp_path / "vault", NOTES)
    outside = make_vault(
        tmp_path / "outside",
        {"canary.txt": TOKEN, "home/.ssh/id_canary": TOKEN, "home/.netrc": TOKEN, "evil/setup.py": ""},
    )
    (vault / "03_Notes/link_abs.md").symlink_to(outside / "canary.txt")
    (vault / "03_Notes/link_rel.md").symlink_to("../../outside/canary.txt")
    (vault / "03_Notes/linkdir").symlink_to(outside)
    (vault / "03_Notes/chain1.md").symlink_to("link_abs.md")
    hits: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_listen, args=(listener, hits), daemon=True).start()
        yield World(vault, outside, listener.getsockname()[1], hits)
        listener.shutdown(socket.SHUT_RDWR)


def _listen(listener: socket.socket, hits: list[bytes]) -> None:
    while True:
        try:
            link, _ = listener.accept()
        except OSError:
            return
        with link:
            hits.append(b"hit")


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    try:
        made = open_engine(request.param, setup=SETUP)
    except SandboxError as error:
        pytest.skip(f"this machine gives no {request.param}: {error}")
    with made:
        yield made


@pytest.fixture
def nest_with(engine: Engine, world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    """What comes of a program that a scripted model writes, through the whole product, under a contract."""
    monkeypatch.setattr(nestkit.hall.engines, "open_engine", lambda **_: engine)
    monkeypatch.setattr(Engine, "close", lambda self: None)  # one for all of these runs

    def run(program: str, contract: Contract = "brokered") -> Told:
        folders = {f"NEST_{name}_DIR": str(world.outside.parent / name) for name in ("CACHE", "STATE", "CONFIG")}
        limits = Limits(steps=2, step_seconds=1.5, memory_bytes=512 << 20)
        turns = [program, "final_answer('a second, clean program')"]
        with (
            OllamaServer([{"role": "assistant", "content": f"<code>\n{text}\n</code>"} for text in turns]) as server,
            open_nest(world.vault, world.vault, environ=folders, to_write=True) as nest,
        ):
            monkeypatch.setenv("OLLAMA_HOST", server.url)
            nest.refresh()
            now = datetime.fromisoformat("2026-03-18T09:00:00+00:00")
            ask = Ask("try it", now, model="ollama/scripted", contract=contract, limits=limits, leave=Leave(yes=True))
            answered = nest.answer(ask, Company(review=lambda matter: True))
            server.check()
        told = [str(message["content"]) for message in server.prompts[-1]] if len(server.prompts) > 1 else []
        return Told(answered, "\n".join(text for text in told[2:] if program not in text))

    return run


@dataclass
class Told:
    """A run, and what its model was told of the first program."""

    run: Run
    transcript: str

    @property
    def all(self) -> str:
        """All that came of it: prints, errors, values, the end."""
        outcomes = [step.outcome for step in self.run.steps]
        left = [json.dumps([outcome.output, outcome.error, repr(outcome.value)]) for outcome in outcomes]
        return "\n".join([*left, repr(self.run.end)])


def snapshot(world: World) -> dict[str, bytes]:
    """Every file but nest's own and what a run may write."""
    kept = {}
    for file in [*world.vault.rglob("*"), *world.outside.rglob("*")]:
        path = file.relative_to(world.vault.parent).as_posix()
        if file.is_file() and not path.startswith(("vault/.nest/", "vault/03_Runs/", "vault/out/")):
            kept[path] = file.read_bytes()
    return kept


@pytest.mark.parametrize(
    ("engine", "contract", "case"),
    [
        pytest.param(*row, marks=pytest.mark.slow if row[0] in INTERPRETERS and row[1] == "reviewed" else ())
        for row in ROWS
    ],
    ids=[f"{engine}-{contract}-{case['id']}" for engine, contract, case in ROWS],
    indirect=["engine"],
)
def test_an_escape_is_held(
    contract: Contract,
    case: dict[str, Any],
    world: World,
    nest_with: Callable[..., Told],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NEST_CANARY_ENV", TOKEN)
    before, others, begun = snapshot(world), below(os.getpid()), time.monotonic()
    told = nest_with(world.fill(case["code"]), contract)
    assert told.run.steps, "nothing was run: nothing was held"
    kind = case["oracle"]["type"]
    if kind == "review_not_flagged":
        assert "not run" in told.run.steps[0].outcome.error
    if kind == "host_state_changed":
        assert told.run.end.answer == "a second, clean program"
    if kind == "transcript_boundary_broken":
        assert [mark for mark in MARKERS if mark in told.transcript] == []
        assert len(told.run.steps) == 2
    notes = [file.read_text("utf-8") for file in (world.vault / "03_Runs").rglob("*.md")]
    assert TOKEN not in "".join([told.all, *notes])
    assert kind != "output_has" or "ESCAPED-run1" not in "".join(step.outcome.output for step in told.run.steps)
    assert snapshot(world) == before
    assert world.hits == []
    assert time.monotonic() - begun < 2 + 8, "it outlived its wall limit"
    ending = time.monotonic() + 2
    while not below(os.getpid()) <= others and time.monotonic() < ending:
        time.sleep(0.02)
    assert below(os.getpid()) <= others, "something outlived the run"
    assert not (world.outside / "flag").exists()


ABUSES = {
    "absolute path": "read_note(@@CANARY_FILE@@)",
    "dots": "read_note('../outside/canary.txt')",
    "dots inside": "read_note('03_Notes/../../outside/canary.txt')",
    "sibling with the same beginning": "read_note('../vault-secret/canary.md')",
    "link to outside": "read_note('03_Notes/link_abs.md')",
    "link to a folder outside": "read_note('03_Notes/linkdir/canary.txt')",
    "chain of links": "read_note('03_Notes/chain1.md')",
    "home": "read_note('~/.ssh/id_canary')",
    "NUL": "read_note('ok.md\\0/../../outside/canary.txt')",
    "backslashes": "read_note('..\\\\outside\\\\canary.txt')",
    "file address": "read_note('file://' + @@CANARY_FILE@@)",
    "text that changes its mind": "class T(str):\n    def __eq__(self, other): return True\n"
    "    __hash__ = str.__hash__\nread_note(T('../outside/canary.txt'))",
    "search for it": "search('NESTCANARY')",
    "list it": "list_notes(folder='../outside')",
    "link that leads there": "resolve('../outside/canary.txt', 'ok.md')",
    "private note": "read_note('Diary/secret.md')",
    "private note by another case": "read_note('diary/SECRET.md')",
    "private note by search": "search('secretword')",
    "private note by its links": "backlinks('Diary/secret.md')",
    "write outside": "write_note('../outside/flag', 'x')",
    "write by absolute path": "write_note(@@FLAG@@, 'x')",
    "write through a link": "write_note('03_Notes/linkdir/new.md', 'x')",
    "write over a link": "write_note('03_Notes/link_abs.md', 'x', overwrite=True)",
    "write a plugin": "write_note('.obsidian/plugins/p/main.js', 'x')",
    "write a plugin by another case": "write_note('.Obsidian/plugins/p/main.js', 'x')",
    "write a plugin past joiners": "write_note('.obs\\u200cidian/app.json', 'x')",
    "write a script": "write_note('02_System/daily_report.py', 'x', overwrite=True)",
    "write a script by another case": "write_note('02_system/new.py', 'x')",
    "write the settings": "write_note('nest.toml', '[vault]\\nprivate = []')",
    "write git": "write_note('.git/hooks/post-commit', 'x')",
    "move out": "move_note('ok.md', '../outside/flag')",
    "move a script": "move_note('02_System/daily_report.py', 'ok2.md')",
    "property of a script": "set_property('02_System/daily_report.py', 'x', 1)",
    "append to the settings": "append_note('nest.toml', 'x')",
    "device name": "write_note('CON.md', 'x')",
    "alternate stream": "write_note('ok.md:stream', 'x')",
    "name without end": "write_note('x' * 5000 + '.md', 'x')",
    "accents taken apart": "write_note('02_System/daily_report.py'.replace('a', 'a\\u0301'), 'x')",
    "unknown keyword": "read_note('ok.md', root='/')",
}


@pytest.mark.parametrize("engine", ENGINES, indirect=True)
def test_tools_give_nothing_away_however_they_are_asked(
    engine: Engine, world: World, nest_with: Callable[..., Told]
) -> None:
    """One program that tries all of them: what a refusal leaves behind helps no later attempt either."""
    make_vault(world.outside.parent / "vault-secret", {"canary.md": TOKEN})
    make_vault(world.vault, {"Diary/secret.md": f"secretword {TOKEN}\n"})
    (world.vault / "nest.toml").write_text('[vault]\nprivate = ["Diary/**"]\n')
    before = snapshot(world)
    places = {"@@CANARY_FILE@@": str(world.outside / "canary.txt"), "@@FLAG@@": str(world.outside / "flag")}
    lines = []
    abuses = {n: a for n, a in ABUSES.items() if engine.tier != "monty" or "class " not in a}
    for name, attempt in abuses.items():
        for place, file in places.items():
            attempt = attempt.replace(place, repr(file))
        *head, call = attempt.split("\n")
        lines += [*head, f"try: print({name!r}, {call})", f"except BaseException as e: print({name!r}, type(e), e)"]
    told = nest_with("\n".join(lines))
    output = told.run.steps[0].outcome.output
    assert all(f"{name} " in output for name in abuses), "not all of them were tried"
    notes = [file.read_text("utf-8") for file in (world.vault / "03_Runs").rglob("*.md")]
    assert TOKEN not in "".join([told.all, told.transcript, *notes])
    for file in places.values():
        output = output.replace(file, "")
    assert str(world.outside.parent) not in output, "an error shows where things lie on this machine"
    changed = {path for path, _ in snapshot(world).items() ^ before.items()}
    assert changed <= {"vault/nest.toml.md"}, changed  # a new note of that name is a note like any other


LIVE = ["output_has_token", "host_path_changed", "listener_hit"]
CONTROLS = [
    case
    for case in CASES
    if case["class"] != "supply-chain"
    and case["oracle"]["type"] in LIVE
    and not re.search(r"read_note|write_note|final_answer|socket\.AF_INET6|os\.write\(fd", case["code"])
    and case["id"] not in ("frame-getframe-walk", "dunder-subclasses-popen", "imp-importlib-spec")
]
"""Those that need neither a tool, nor a broker, nor something of the host's already loaded."""


@pytest.mark.parametrize("case", CONTROLS, ids=[case["id"] for case in CONTROLS])
def test_the_same_escape_works_where_nothing_holds_it(case: dict[str, Any], world: World, tmp_path: Path) -> None:
    before = snapshot(world)
    file = tmp_path / "program.py"
    file.write_text(world.fill(case["code"]))
    done = subprocess.run(
        [sys.executable, file],
        cwd=world.vault,
        env={**os.environ, "NEST_CANARY_ENV": TOKEN, "HOME": str(world.outside / "home")},
        capture_output=True,
        text=True,
        timeout=30,
    )
    time.sleep(0.1)
    assert TOKEN in done.stdout or snapshot(world) != before or world.hits, done.stderr
