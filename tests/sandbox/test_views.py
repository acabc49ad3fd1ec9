"""What a script's tool sees of the vault and what of its doings is staged: alike over a layer and on a full copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

import nestkit.hall.engines
import nestkit.hall.workshop
from nestkit.errors import SandboxError
from nestkit.hall.walk import Company
from nestkit.nest import open_nest
from nestkit.policy import Leave
from nestkit.run import Ask, Run
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.testing import OllamaServer, make_vault

HEAD = '''"""A tool.

---
nest:
  permissions: ["{effects}"]
---
"""
import os, shutil
from pathlib import Path


def act():
'''
NOTES = {
    "a.md": "a\n",
    "Notes/b.md": "b\n",
    "Notes/deep/c.md": "c\n",
    "Notes/deep/d.md": "d\n",
    "Out/old.md": "old\n",
    "Diary/today.md": "dear diary\n",
    "nest.toml": '[vault]\nprivate = ["Diary/**"]\n',
    ".obsidian/app.json": "{}",
}

Ways = Callable[..., Run]


@pytest.fixture(scope="module", params=["layer", "copy"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """One that lays folders over a vault, and one that cannot."""
    try:
        made = open_engine("kernel-full" if request.param == "layer" else "kernel-lite")
    except SandboxError as error:
        pytest.skip(str(error))
    with made:
        yield made


@pytest.fixture
def call(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ways:
    """The run of a program that calls `tool.act()`, whose body and effects are given."""
    tmp_path.chmod(0o755)
    monkeypatch.setattr(nestkit.hall.engines, "open_engine", lambda **_: engine)
    monkeypatch.setattr(Engine, "close", lambda self: None)  # one for all of these runs

    def make(body: str, effects: str = "write", program: str = "final_answer(tool.act())") -> Run:
        source = HEAD.format(effects=effects) + "".join(f"    {line}\n" for line in body.split("\n"))
        vault = make_vault(tmp_path / "vault", NOTES | {"02_System/tool.py": source})
        folders = {f"NEST_{name}_DIR": str(tmp_path / name) for name in ("CACHE", "STATE", "CONFIG")}
        turn = {"role": "assistant", "content": f"<code>\n{program}\n</code>"}
        with OllamaServer([turn]) as server, open_nest(vault, vault, environ=folders, to_write=True) as nest:
            monkeypatch.setenv("OLLAMA_HOST", server.url)
            nest.refresh()
            now = datetime.fromisoformat("2026-03-18T09:00:00+00:00")
            return nest.answer(
                Ask("try it", now, model="ollama/scripted", leave=Leave(yes=True)), Company(), apply=False
            )

    return make


def changes(run: Run) -> dict[str, bytes | None]:
    assert run.status == "ok", (run.end, [step.outcome.error for step in run.steps])
    return {change.path: change.after for change in run.changes}


DOINGS = [
    ("Path('a.md').write_text('A')", {"a.md": b"A"}),
    ("Path('a.md').write_text('a\\n')", {}),
    ("with open('a.md', 'a') as f: f.write('more')", {"a.md": b"a\nmore"}),
    ("Path('New').mkdir()\nPath('New/n.md').write_text('n')", {"New/n.md": b"n"}),
    ("os.makedirs('Empty/folder')", {}),
    ("os.remove('Notes/b.md')", {"Notes/b.md": None}),
    ("shutil.rmtree('Notes')", {"Notes/b.md": None, "Notes/deep/c.md": None, "Notes/deep/d.md": None}),
    (
        "shutil.rmtree('Notes')\nos.mkdir('Notes')\nPath('Notes/b.md').write_text('new')",
        {"Notes/b.md": b"new", "Notes/deep/c.md": None, "Notes/deep/d.md": None},
    ),
    ("os.rename('a.md', 'z.md')", {"a.md": None, "z.md": b"a\n"}),
    ("Path('Notes/b.md').rename('a.md')", {"Notes/b.md": None, "a.md": b"b\n"}),
    (
        "os.rename('Notes/deep', 'Notes/low')",
        {"Notes/deep/c.md": None, "Notes/deep/d.md": None, "Notes/low/c.md": b"c\n", "Notes/low/d.md": b"d\n"},
    ),
    (
        "Path('Notes/deep').rename('Moved')",
        {"Notes/deep/c.md": None, "Notes/deep/d.md": None, "Moved/c.md": b"c\n", "Moved/d.md": b"d\n"},
    ),
    (
        "shutil.move('Notes/deep', 'Moved')",
        {"Notes/deep/c.md": None, "Notes/deep/d.md": None, "Moved/c.md": b"c\n", "Moved/d.md": b"d\n"},
    ),
    ("shutil.copytree('Notes/deep', 'Copy')", {"Copy/c.md": b"c\n", "Copy/d.md": b"d\n"}),
    ("Path('tmp').write_text('x')\nos.replace('tmp', 'a.md')", {"a.md": b"x"}),
    (
        "shutil.rmtree('Notes/deep')\nPath('Notes/deep').write_text('x')",
        {"Notes/deep": b"x", "Notes/deep/c.md": None, "Notes/deep/d.md": None},
    ),
    ("Path('x.md').write_text('x')\nos.remove('x.md')", {}),
    ("os.utime('a.md')\nos.chmod('a.md', 0o600)", {}),
    ("os.truncate('a.md', 0)", {"a.md": b""}),
    ("with open('a.md', 'r+') as f: f.truncate(1)", {"a.md": b"a"}),
]


@pytest.mark.parametrize(("body", "expected"), DOINGS, ids=[row[0].split("\n")[0] for row in DOINGS])
def test_what_a_script_did_becomes_its_changes(
    engine: Engine, call: Ways, body: str, expected: dict[str, bytes | None]
) -> None:
    if "truncate('a.md', 0)" in body and not engine.layers:
        pytest.skip("without namespaces truncate(2) is refused: Landlock cannot see it in every version")
    assert changes(call(body)) == expected


REFUSED = [
    ("Path('Notes/b.md').write_text('x')", "write:Out/**", "Notes/b.md"),
    ("Path('a.md').write_text('x')", "write:Out/**", "a.md"),
    ("os.mkdir('.obsidian')\nPath('.obsidian/app.json').write_text('x')", "write", ".obsidian"),
    ("Path('nest.toml').write_text('x')", "write", "nest.toml"),
    ("Path('02_System/tool.py').write_text('x')", "write", "02_System/tool.py"),
    ("os.makedirs('Diary', exist_ok=True)\nPath('Diary/today.md').write_text('x')", "write", "Diary/today.md"),
    ("Path('A.md').write_text('x')", "write", "letter case"),
    ("Path('CON.md').write_text('x')", "write", "CON.md"),
    ("os.symlink('a.md', 'link.md')", "write", "Errno"),
    ("os.mkfifo('pipe')", "write", "Errno"),
    ("os.remove('a.md')\nos.mkdir('a.md')\nPath('a.md/in.md').write_text('x')", "write", "a.md"),
]


@pytest.mark.parametrize(("body", "effects", "said"), REFUSED, ids=[row[0].split("\n")[0] for row in REFUSED])
def test_what_a_script_may_not_do_fails_the_call_and_nothing_is_staged(
    call: Ways, body: str, effects: str, said: str
) -> None:
    run = call(body, effects)
    assert run.status != "ok"
    assert not run.changes
    assert said in run.steps[0].outcome.error, run.steps[0].outcome.error


def test_a_script_writes_what_it_declares(call: Ways) -> None:
    body = "Path('Out/new.md').write_text('x')\nPath('Out/deep').mkdir()\nPath('Out/deep/y.md').write_text('y')"
    assert changes(call(body, "write:Out/**")) == {"Out/new.md": b"x", "Out/deep/y.md": b"y"}
    body = "Path('Fresh').mkdir(exist_ok=True)\nPath('Fresh/new.md').write_text('x')"
    assert changes(call(body, "write:Fresh/")) == {"Fresh/new.md": b"x"}


def test_what_is_private_is_gone(call: Ways) -> None:
    run = call("return [os.path.exists('Diary/today.md'), sorted(p for p in os.listdir('.') if p[0] != '.')]", "write")
    seen, names = run.end.answer
    assert seen is False
    assert "Diary" not in names
    assert call("return Path('Diary/today.md').read_text()", "read").status != "ok"


def test_a_script_reads_only_what_it_declares(call: Ways) -> None:
    assert call("return Path('Notes/deep/c.md').read_text()", "read:Notes/deep/**").end.answer == "c\n"
    for other in ("a.md", "Notes/b.md", "Diary/today.md", ".obsidian/app.json"):
        assert call(f"return Path('{other}').read_text()", "read:Notes/deep/**").status != "ok", other


def test_a_script_reads_what_the_run_has_staged(call: Ways) -> None:
    program = (
        "write_note('Notes/b.md', 'staged', overwrite=True)\nwrite_note('Fresh/n.md', 'fresh')\n"
        "final_answer(tool.act())"
    )
    body = "return [Path('Notes/b.md').read_text().strip(), Path('Fresh/n.md').read_text().strip()]"
    for effects in ("read", "write"):
        run = call(body, effects, program)
        assert run.end.answer == ["staged", "fresh"], (run.end, run.steps[0].outcome.error)
        assert set(changes(run)) == {"Notes/b.md", "Fresh/n.md"}


def test_one_tool_s_changes_are_seen_by_the_next_call(call: Ways) -> None:
    body = (
        "p = Path('Out/count.md')\np.write_text(str(int(p.read_text()) + 1 if p.exists() else 1))\nreturn p.read_text()"
    )
    run = call(body, "write:Out/**", "tool.act()\ntool.act()\nfinal_answer(tool.act())")
    assert run.end.answer == "3"
    assert changes(run) == {"Out/count.md": b"3"}


def test_a_file_changed_in_the_vault_meanwhile_is_a_conflict(
    call: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Engine._await

    def late(self: Engine, *args: object) -> object:
        value = real(self, *args)  # type: ignore[arg-type]
        (tmp_path / "vault/a.md").write_text("somebody else\n")
        return value

    monkeypatch.setattr(Engine, "_await", late)
    run = call("Path('a.md').write_text('x')")
    assert run.status != "ok"
    assert "while the script ran" in run.steps[0].outcome.error


def test_over_a_layer_no_file_of_the_vault_is_copied(
    engine: Engine, call: Ways, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not engine.layers:
        pytest.skip("this engine needs the copy")
    monkeypatch.setattr(nestkit.hall.workshop, "make_view", None)
    assert changes(call("Path('a.md').write_text('A')")) == {"a.md": b"A"}


def test_the_kernel_itself_keeps_a_script_to_the_folders_it_declares(call: Ways) -> None:
    body = "try: Path('a.md').write_text('x')\nexcept PermissionError: return 'denied'"
    assert call(body, "write:Out/**").end.answer == "denied"
