"""Programs of the contract `sandboxed`: a vault to read, packages, a scratch folder whose files come back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from nestkit.errors import NoLayers, SandboxError
from nestkit.policy import Limits
from nestkit.run import Execute, Outcome
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import World
from nestkit.testing import make_vault

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
NOTES = {
    "01_Projects/alpha.md": "alpha",
    "01_Projects/deep/beta.md": "beta",
    "Diary/today.md": "dear diary",
    "ok.md": "fine",
    ".git/config": "[core]",
}


@pytest.fixture(scope="module", params=("kernel-full", "kernel-lite"))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    try:
        made = open_engine(request.param)
    except SandboxError as error:
        pytest.skip(f"this machine gives no {request.param}: {error}")
    with made:
        yield made


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    return make_vault(tmp_path / "vault", NOTES)


Start = Callable[..., Execute]


@pytest.fixture
def start(engine: Engine, vault: Path) -> Iterator[Start]:
    """Programs in a world over the vault, with the fields and limits given."""
    with ExitStack() as opened:

        def make(limits: dict[str, Any] | None = None, **world: Any) -> Execute:
            broker = Broker(
                (),
                host=lambda *_: (None, ()),
                script=lambda *_: None,
                allow=lambda *_: None,
                limits=Limits(**{"step_seconds": 10, **(limits or {})}),
            )
            made = World(**{"root": str(vault), "hide": (".git",), **world})
            return opened.enter_context(engine.program(broker, now=NOW, seed=1, world=made))

        yield make


def read(execute: Execute, path: str) -> Outcome:
    return execute(f"import os\nfinal_answer(open(os.environ['VAULT_PATH'] + {'/' + path!r}).read())")


def test_it_reads_its_vault_and_changes_nothing_there(start: Start, vault: Path) -> None:
    execute = start()
    assert read(execute, "ok.md").value == "fine"
    for attempt in (
        "open(v + '/ok.md', 'a')",
        "open(v + '/new.md', 'w')",
        "os.remove(v + '/ok.md')",
        "os.mkdir(v + '/d')",
    ):
        assert "Error" in execute(f"import os\nv = os.environ['VAULT_PATH']\n{attempt}").error
    assert (vault / "ok.md").read_text() == "fine"
    assert {file.name for file in vault.iterdir()} == {"01_Projects", "Diary", "ok.md", ".git"}


def test_what_is_hidden_cannot_be_opened(start: Start) -> None:
    execute = start(hide=(".git", "Diary"))
    assert read(execute, "01_Projects/alpha.md").value == "alpha"
    for path in (".git/config", "Diary/today.md"):
        assert read(execute, path).error


WALKS = """
import glob, os, pathlib
v = os.environ["VAULT_PATH"]
os.chdir(v)
with os.scandir(v) as entries:
    kinds = sorted((e.name, e.path, e.is_dir(), e.is_file(), e.is_symlink(), e.stat().st_size > 0) for e in entries)
found = [
    sorted(os.listdir()), sorted(os.listdir(os.fsencode(v))), sorted(os.listdir("01_Projects/../")), kinds,
    sorted((folder, sorted(folders), sorted(files)) for folder, folders, files in os.walk(v)),
    sorted(glob.glob("**", recursive=True)), sorted(map(str, pathlib.Path(v).rglob("*"))),
    sorted(path.name for path in pathlib.Path("01_Projects").iterdir()),
    sorted(entry.name for entry in os.scandir("01_Projects")),
]
os.chdir("/run/nest-scratch" if os.path.isdir("/run/nest-scratch") else "/")
final_answer(found)
"""


@pytest.mark.parametrize(
    "seen",
    [
        {"hide": (".git", "Diary", "01_Projects/deep", "no_such_thing")},
        {"hide": (".git", "Diary/today.md", "01_Projects/deep/beta.md")},
        {"hide": (".git",)},
        {"hide": ()},
        {"hide": (".git", "Diary"), "read": ("01_Projects",)},
    ],
    ids=str,
)
def test_every_way_to_list_tells_what_is_there_less_what_is_hidden(
    start: Start, vault: Path, tmp_path: Path, seen: dict[str, Any]
) -> None:
    def is_hidden(path: str) -> bool:
        return any(f"{path}/".startswith(f"{hidden}/") for hidden in seen["hide"])

    outcome = start(**seen)(WALKS)
    assert outcome.error == ""
    bare = tmp_path / "bare"
    shutil.copytree(vault, bare, ignore=lambda folder, names: [
        name for name in names if is_hidden(os.path.relpath(f"{folder}/{name}", vault))
    ])  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", WALKS.replace("final_answer(found)", "print(repr(found))")],
        env={"VAULT_PATH": str(bare)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert repr(outcome.value) == done.stdout.strip().replace(str(bare), str(vault))


def test_the_names_of_what_is_hidden_are_held_back_by_the_kernel(start: Start, engine: Engine) -> None:
    program = """
import ctypes, os
v = os.environ["VAULT_PATH"]
libc = ctypes.CDLL(None, use_errno=True)
def opens(path):
    handle = libc.open(path.encode(), os.O_RDONLY | os.O_DIRECTORY)
    return handle if handle >= 0 else os.strerror(ctypes.get_errno())
room = ctypes.create_string_buffer(65536)
held = [opens(f"{v}{name}") for name in ("", "/Diary", "/.git", "/01_Projects")]
number = {"x86_64": 217, "aarch64": 61}[os.uname().machine]
raw = [room.raw[:libc.syscall(number, h, room, 65536)] if isinstance(h, int) else b"" for h in held]
final_answer([any(secret in part for part in raw for secret in (b"today", b"config", b"Diary", b".git")), len(raw[3])])
"""
    told, length = start(hide=(".git", "Diary"))(program).value
    assert not told
    assert length > 0, "what is not hidden can be listed by anybody"


def test_without_namespaces_a_guessed_name_can_still_be_confirmed(start: Start, engine: Engine) -> None:
    program = "import os\nfinal_answer(os.path.exists(os.environ['VAULT_PATH'] + '/Diary/today.md'))"
    assert start(hide=("Diary",))(program).value == (engine.tier == "kernel-lite"), "docs/security.md says which"


def test_only_the_declared_paths_can_be_opened(start: Start) -> None:
    execute = start(read=("01_Projects/deep", "ok.md"))
    assert read(execute, "01_Projects/deep/beta.md").value == "beta"
    assert read(execute, "ok.md").value == "fine"
    for path in ("01_Projects/alpha.md", "Diary/today.md", ".git/config"):
        assert read(execute, path).error


def test_files_of_the_scratch_folder_come_back_when_new_or_changed(start: Start) -> None:
    execute = start()
    first = execute(
        "import os\nopen('a.txt', 'w').write('1')\nos.mkdir('sub')\nopen('sub/b.bin', 'wb').write(bytes(9))"
    )
    assert first.error == ""
    assert first.files == {"a.txt": b"1", "sub/b.bin": bytes(9)}
    assert execute("1").files == {}
    assert execute("open('a.txt', 'a').write('2')\nfinal_answer(os.listdir('.'))").files == {"a.txt": b"12"}


def test_what_is_no_ordinary_file_stays_behind(start: Start) -> None:
    outcome = start()(
        "import os\nopen('ok.txt', 'w').write('x')\nopen('.hidden', 'w').write('x')\n"
        "open('two\\nlines', 'w').write('x')\nopen('a\\u202eb', 'w').write('x')\n"
        "links = lambda: os.symlink('/etc/passwd', 'l'), lambda: os.mkfifo('p'), lambda: os.link('ok.txt', 'm')\n"
        "for make in links:\n    try: make()\n    except OSError: pass"
    )
    assert outcome.files == {"ok.txt": b"x"}
    assert "two" in outcome.output
    assert "no name for a file" in outcome.output


@pytest.mark.parametrize(
    ("program", "limits"),
    [
        ("for n in range(50): open(f'{n}.txt', 'w').write('x')", {"scratch_files": 20}),
        ("for n in range(4):\n  with open(f'{n}.bin', 'wb') as f: f.write(bytes(400_000))", {"scratch_bytes": 1 << 20}),
        ("with open('big.bin', 'wb') as f: f.write(bytes(3 << 20))", {"scratch_bytes": 1 << 20}),
        (
            "import time\nfor n in range(400):\n"
            "  with open(f'.{n}', 'wb') as f: f.write(bytes(500_000))\n  time.sleep(0.01)",
            {"scratch_bytes": 4 << 20},
        ),
    ],
)
def test_a_scratch_folder_has_its_limits_and_names_them(start: Start, program: str, limits: dict[str, Any]) -> None:
    outcome = start(limits)(program)
    assert outcome.limit == "scratch", outcome.error


def test_a_stopped_program_takes_its_files_with_it(start: Start) -> None:
    execute = start({"step_seconds": 0.5})
    assert execute("open('a.txt', 'w').write('1')\nwhile True: pass").files == {}
    assert execute("import os\nfinal_answer(os.listdir('.'))").value == [".tmp"]


def test_it_imports_the_packages_it_was_given(start: Start, tmp_path: Path) -> None:
    make_vault(tmp_path / "site", {"charts/__init__.py": "def draw():\n    return 'drawn'\n"})
    assert start(site=(str(tmp_path / "site"),))("import charts\nfinal_answer(charts.draw())").value == "drawn"
    assert "ModuleNotFoundError" in start()("import charts").error


def test_it_has_no_network_no_environment_and_starts_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEST_CANARY_ENV", "secret")
    execute = start()
    assert "NEST_CANARY_ENV" not in execute("import os\nfinal_answer(sorted(os.environ))").value
    for attempt in (
        "import socket\nsocket.socket()",
        "import os\nos.fork()",
        "import subprocess\nsubprocess.run(['ls'])",
    ):
        assert "Error" in execute(attempt).error
    assert execute("import os\nfinal_answer(os.path.exists('/etc/passwd') and open('/etc/passwd').read())").value in (
        False,
        None,
    )


def test_staged_files_lie_over_the_vault(engine: Engine, start: Start, tmp_path: Path) -> None:
    over = make_vault(tmp_path / "over", {"ok.md": "staged", "New/n.md": "new"})
    if not engine.layers:
        with pytest.raises(NoLayers):
            start(over=str(over))("1")
        return
    execute = start(over=str(over), hide=("01_Projects/alpha.md", ".git"))
    assert [read(execute, path).value for path in ("ok.md", "New/n.md", "01_Projects/deep/beta.md")] == [
        "staged",
        "new",
        "beta",
    ]
    assert read(execute, "01_Projects/alpha.md").error


def test_nothing_of_a_scratch_folder_is_left_on_the_disk(engine: Engine, start: Start) -> None:
    start()("open('kept.txt', 'w').write('1')")
    folder = Path(engine._backend.folder)
    assert folder.is_dir()
    assert not [*folder.rglob("kept.txt")] or engine.tier == "kernel-lite"


def test_what_is_slow_to_import_is_there_already(vault: Path, tmp_path: Path, engine: Engine) -> None:
    site = make_vault(tmp_path / "site", {"slow.py": "import os\nborn = os.environ.get('VAULT_PATH', 'before')\n"})
    broker = Broker((), host=lambda *_: (None, ()), script=lambda *_: None, allow=lambda *_: None, limits=Limits())
    folders = (str(site),)
    world = World(str(vault), site=folders)
    ending, found = time.monotonic() + 10, ""
    with open_engine(engine.tier, preload=("slow", "nothing_of_this_name"), site=folders) as other:
        while found != "before" and time.monotonic() < ending:
            with other.program(broker, now=NOW, seed=1, world=world) as execute:
                found = execute("import slow, sys\nfinal_answer(slow.born)").value
        assert found == "before"
        with other.program(broker, now=NOW, seed=1) as execute:  # the contract that gives no packages finds no file
            assert execute("import sys\nfinal_answer([p for p in sys.path if 'site' in p])").value == []
