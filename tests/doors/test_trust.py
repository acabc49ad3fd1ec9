"""Leave for more than reading: asked once, shown whole, kept outside the vault, gone when anything changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from checks import NestCommand
from terminal import at_terminal

from nestkit.testing import make_vault

KEEP = '''"""Keep a line.

---
nest:
  permissions: ["write:Kept/"]
---
"""
from pathlib import Path

from helper import dressed


def keep(text: str) -> str:
    """Keep a text in Kept/."""
    Path("Kept").mkdir(exist_ok=True)
    Path("Kept", "line.md").write_text(dressed(text))
    return "kept"
'''
HELPER = "def dressed(text):\n    return f'- {text}'\n"
SNEAK = '''"""Writes and says nothing of it."""
from pathlib import Path


def sneak() -> None:
    Path("note.md").write_text("sneaked")


def look() -> list[str]:
    """Names of the notes."""
    return sorted(path.name for path in Path(".").glob("*.md"))
'''
CALL = ("call", "keep.keep", "--text", "one")


@pytest.fixture
def vault(ops: Path) -> Path:
    shutil.rmtree(ops)
    files = {"02_System/keep.py": KEEP, "02_System/helper.py": HELPER, "02_System/sneak.py": SNEAK, "note.md": "mine"}
    return make_vault(ops, files)


def grants_file(tmp_path: Path) -> Path:
    (file,) = (tmp_path / "user/state").rglob("grants.json")
    return file


def test_without_leave_a_tool_that_writes_waits_and_says_how_to_give_it(nest: NestCommand, vault: Path) -> None:
    done = nest(*CALL)
    assert (done.returncode, done.stdout) == (4, "")
    assert "nest trust keep.keep" in done.stderr
    assert not (vault / "Kept").exists()


def test_what_is_granted_runs_without_being_asked_again(nest: NestCommand, vault: Path) -> None:
    given = nest("trust", "keep.keep", "--yes")
    assert (given.returncode, given.stdout) == (0, "keep.keep: granted\n")
    done = nest(*CALL)
    assert (done.returncode, done.stdout) == (0, "kept\n"), done.stderr
    assert (vault / "Kept/line.md").read_text() == "- one"


def test_before_leave_is_given_the_effects_lines_and_files_are_shown(vault: Path) -> None:
    code, shown = at_terminal(["trust", "keep.keep"], vault, "n\n")
    assert code == 4
    for told in (
        "write and change files in Kept/",
        '02_System/keep.py:16  Path("Kept", "line.md").write_text(dressed(text))',
        "with the same leave for what it may load or start: 02_System/helper.py",
        "[y/N]",
        "nothing was granted",
    ):
        assert told in shown, shown


def test_undeclared_effects_are_asked_for_and_named_as_such(vault: Path, nest: NestCommand) -> None:
    assert nest("call", "sneak.sneak").returncode == 4
    code, shown = at_terminal(["trust", "sneak"], vault, "y\n")
    assert code == 0, shown
    assert "(seen in the code, not declared)" in shown
    assert "02_System/sneak.py:6" in shown
    assert "sneak.look only reads: it needs no leave" in shown


def test_a_yes_at_the_first_call_is_leave_for_the_next_ones(vault: Path, nest: NestCommand) -> None:
    code, shown = at_terminal(CALL, vault, "y\n")
    assert (code, "Allow this, now and until the script changes?" in shown) == (0, True), shown
    assert nest(*CALL).returncode == 0
    listed = json.loads(nest("trust", "--list", "--json").stdout)
    assert [(grant["tool"], grant["effects"], grant["state"]) for grant in listed] == [
        ("keep.keep", ["write:Kept/**"], "in force")
    ]


def test_a_no_at_the_first_call_runs_nothing_and_grants_nothing(vault: Path, nest: NestCommand) -> None:
    code, shown = at_terminal(CALL, vault, "n\n")
    assert code != 0
    assert "did not allow" in shown
    assert not (vault / "Kept").exists()
    assert nest("trust").stdout == "nothing is granted in this vault\n"


def test_leave_by_yes_is_for_one_run_only(vault: Path, nest: NestCommand) -> None:
    assert nest(*CALL, "--yes").returncode == 0
    assert nest("trust", "--list", "--json").stdout == "[]\n"


def _edit_script(vault: Path) -> None:
    (vault / "02_System/keep.py").write_text(KEEP + "\n# a word more\n")


def _edit_helper(vault: Path) -> None:
    (vault / "02_System/helper.py").write_text("def dressed(text):\n    return 'something else'\n")


def _shadow_a_module(vault: Path) -> None:
    (vault / "02_System/pathlib.py").write_text("Path = None\n")


def _widen(vault: Path) -> None:
    (vault / "02_System/keep.py").write_text(KEEP.replace("write:Kept/", "write:**"))


@pytest.mark.parametrize("change", [_edit_script, _edit_helper, _shadow_a_module, _widen])
def test_anything_that_changed_asks_again(vault: Path, nest: NestCommand, change: Callable[[Path], None]) -> None:
    nest("trust", "keep", "--yes")
    change(vault)
    done = nest(*CALL)
    assert done.returncode == 4, done.stderr
    assert not (vault / "Kept").exists()
    (grant,) = json.loads(nest("trust", "--list", "--json").stdout)
    assert grant["state"] == "changed since: asks again"


def test_a_file_that_the_leave_does_not_cover_is_not_loaded(vault: Path, nest: NestCommand) -> None:
    late = KEEP.replace(
        "from helper import dressed", "import importlib\ndressed = importlib.import_module('hel' + 'per').dressed"
    )
    (vault / "02_System/keep.py").write_text(late)
    nest("trust", "keep", "--yes")
    done = nest(*CALL)
    assert done.returncode == 1
    assert "02_System/helper.py may not be loaded" in done.stderr
    assert not (vault / "Kept").exists()


def test_a_tool_that_only_reads_may_load_whatever_the_vault_has(vault: Path, nest: NestCommand) -> None:
    (vault / "02_System/late.py").write_text(
        "import importlib\n\ndef go():\n    return importlib.import_module('hel' + 'per').dressed('x')\n"
    )
    assert nest("call", "late.go").stdout == "- x\n"


def test_leave_is_taken_back(vault: Path, nest: NestCommand) -> None:
    nest("trust", "keep", "--yes")
    assert nest("trust", "--revoke", "02_System/keep.py").stdout == "keep.keep: taken back\n"
    assert nest(*CALL).returncode == 4
    again = nest("trust", "--revoke", "keep")
    assert (again.returncode, "nothing was granted to 'keep'" in again.stderr) == (1, True)


def test_all_leave_is_taken_back_at_once(vault: Path, nest: NestCommand) -> None:
    nest("trust", "keep", "--yes")
    nest("trust", "sneak", "--yes")
    assert nest("trust", "--revoke", "--all").stdout.count("taken back") == 2
    assert nest("trust").stdout == "nothing is granted in this vault\n"


def test_a_vault_from_elsewhere_carries_no_leave(vault: Path, nest: NestCommand, tmp_path: Path) -> None:
    nest("trust", "keep", "--yes")
    copy = Path(shutil.copytree(vault, tmp_path / "copy"))
    state = Path(shutil.copytree(tmp_path / "user/state", copy / ".nest/state"))
    assert nest(*CALL, cwd=copy).returncode == 4
    assert nest("trust", "--list", "--json", cwd=copy).stdout == "[]\n"
    done = nest(*CALL, cwd=copy, env={"NEST_STATE_DIR": str(state)})
    assert done.returncode == 4
    assert "lies inside the vault" in done.stderr
    (copy / "nest.toml").write_text("[trust]\nkeep = true\n")
    assert nest(*CALL, cwd=copy).returncode == 1


def test_no_leave_is_kept_where_a_vault_could_have_brought_it(vault: Path, nest: NestCommand) -> None:
    done = nest("trust", "keep", "--yes", env={"NEST_STATE_DIR": str(vault / "state")})
    assert done.returncode == 1
    assert "lies inside the vault" in done.stderr


def test_the_grants_are_for_their_owner_alone(vault: Path, nest: NestCommand, tmp_path: Path) -> None:
    nest("trust", "keep", "--yes")
    file = grants_file(tmp_path)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    file.chmod(0o666)
    done = nest(*CALL)
    assert done.returncode == 4
    assert "others could have written it" in done.stderr


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 1, "grants": [{}]}', b"\xff", b"[" * 100_000])
def test_damaged_grants_grant_nothing_and_are_kept_aside(
    vault: Path, nest: NestCommand, tmp_path: Path, damage: bytes
) -> None:
    nest("trust", "keep", "--yes")
    file = grants_file(tmp_path)
    file.write_bytes(damage)
    assert nest(*CALL).returncode == 4
    assert nest("trust", "keep", "--yes").returncode == 0
    assert file.with_name("grants.json.bad").read_bytes() == damage
    assert nest(*CALL).returncode == 0


def test_leave_without_a_terminal_and_without_yes_is_not_given(vault: Path, nest: NestCommand) -> None:
    done = nest("trust", "keep", stdin="y\n")
    assert (done.returncode, done.stdout) == (4, "")
    assert nest("trust").stdout == "nothing is granted in this vault\n"


def test_nothing_in_a_script_hides_from_who_gives_leave(vault: Path) -> None:
    hidden = SNEAK.replace('write_text("sneaked")', f'write_text("a"){" " * 300}; \x1b[2K\u202eos')
    (vault / "02_System/sneak.py").write_text(hidden.replace("; \x1b[2K\u202eos", "  # \x1b[2K\u202eharmless"))
    _, shown = at_terminal(["trust", "sneak.sneak"], vault, "n\n")
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert 'Path("note.md").write_text("a") ⟦302 blanks⟧ # ⟦U+001B⟧[2K⟦U+202E⟧harmless' in shown


def test_letters_that_pretend_are_named(vault: Path) -> None:
    (vault / "02_System/sneak.py").write_text(SNEAK.replace("sneak", "sne\u0430k"))
    _, shown = at_terminal(["trust", "sneak"], vault, "n\n")
    assert "careful: " in shown
    assert "U+0430" in shown


STARTS = '''"""Starts a program.

---
nest:
  permissions: ["run:sh"]
---
"""
import subprocess


def start() -> str:
    """Run the other script."""
    return subprocess.run(["sh", "02_System/other.sh"], capture_output=True, text=True).stdout
'''


@pytest.mark.parametrize("name", ["start.start", "outer"])
def test_leave_to_start_programs_ends_when_any_script_changes(vault: Path, nest: NestCommand, name: str) -> None:
    (vault / "02_System/start.py").write_text(STARTS)
    (vault / "02_System/outer.sh").write_text("#!/bin/sh\n# Outer.\n. 02_System/other.sh\n")
    (vault / "02_System/other.sh").write_text("#!/bin/sh\n# Other.\necho first\n")
    assert nest("trust", name, "--yes").returncode == 0
    first = nest("call", name)
    assert (first.returncode, first.stdout) == (0, "first\n"), first.stderr
    (vault / "02_System/other.sh").write_text("#!/bin/sh\n# Other.\necho second\n")
    assert nest("call", name).returncode == 4


def test_confirm_always_asks_before_every_call_whatever_was_granted(vault: Path, nest: NestCommand) -> None:
    always = KEEP.replace('["write:Kept/"]', '["write:Kept/"]\n  confirm: always')
    (vault / "02_System/keep.py").write_text(always)
    given = nest("trust", "keep", "--yes")
    assert "confirm: always" in given.stderr
    assert nest(*CALL).returncode == 4
    code, shown = at_terminal(CALL, vault, "y\n")
    assert (code, "Allow this call?" in shown) == (0, True), shown


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("trust", "nobody"), 1, "no tool called 'nobody'"),
        (("trust", "--revoke"), 2, "--revoke takes NAME"),
        (("trust", "list_notes"), 0, "only reads"),
    ],
)
def test_wrong_use_is_one_line(vault: Path, nest: NestCommand, words: tuple[str, ...], code: int, said: str) -> None:
    done = nest(*words)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done


def test_two_who_give_leave_at_once_lose_nothing(vault: Path, nest: NestCommand, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        codes = list(pool.map(lambda name: nest("trust", name, "--yes").returncode, ("keep", "sneak")))
    assert codes == [0, 0]
    kept = json.loads(grants_file(tmp_path).read_text())["grants"]
    assert [grant["tool"] for grant in kept] == ["keep.keep", "sneak.sneak"]
    assert not list(grants_file(tmp_path).parent.glob("*.tmp"))
