"""A script with dependencies, from the first refusal to the offline run; the vault decides nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from checks import NestCommand
from terminal import at_terminal
from wheels import write_wheel

from nestkit.testing import OllamaServer, make_vault

SCRIPT = '''# /// script
# requires-python = ">=3.11"
# dependencies = ["tiny>=1"]
# ///
"""Tiny."""


def value() -> int:
    """The value of the package."""
    import tiny

    return tiny.VALUE


def spoil() -> str:
    """Try to change the package for whoever comes next."""
    import os
    import tiny

    try:
        os.truncate(tiny.__file__, 0)
    except OSError as error:
        return type(error).__name__
    return "spoiled"


def others() -> str:
    """Try to load what nest itself is made of."""
    try:
        import click
    except ImportError as error:
        return str(error)
    return "loaded"
'''


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder of wheels, set as the person's index."""
    write_wheel(tmp_path / "index", "tiny", "1.0", {"tiny.py": "VALUE = 42\n"})
    (tmp_path / "user/config").mkdir(parents=True)
    (tmp_path / "user/config/config.toml").write_text(f'[packages]\nindex = "{tmp_path / "index"}"\n')
    return tmp_path / "index"


@pytest.fixture
def vault(ops: Path) -> Path:
    shutil.rmtree(ops)
    return make_vault(ops, {"02_System/tiny_tool.py": SCRIPT, "note.md": "x"})


def test_nothing_is_fetched_without_leave(vault: Path, nest: NestCommand, index: Path, tmp_path: Path) -> None:
    done = nest("call", "tiny_tool.value")
    assert (done.returncode, done.stdout) == (4, "")
    assert "tiny>=1" in done.stderr
    assert "nest trust tiny_tool.value" in done.stderr
    assert not (tmp_path / "user/cache/packages").exists()


def test_after_a_yes_it_is_built_with_a_line_and_works_offline(vault: Path, nest: NestCommand, index: Path) -> None:
    done = nest("call", "tiny_tool.value", "--yes")
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    assert f"preparing packages: tiny>=1 (from {index})" in done.stderr
    shutil.rmtree(index)
    again = nest("call", "tiny_tool.value")
    assert (again.returncode, again.stdout, "preparing" in again.stderr) == (0, "42\n", False)


def test_at_a_terminal_the_person_is_told_from_where(vault: Path, index: Path) -> None:
    code, shown = at_terminal(["call", "tiny_tool.value"], vault, "y\n")
    assert (code, shown.splitlines()[-1]) == (0, "42"), shown
    assert f"have packages fetched from {index}: tiny>=1" in shown


def test_doctor_says_which_scripts_lack_their_packages(vault: Path, nest: NestCommand, index: Path) -> None:
    def told() -> dict[str, str]:
        found = json.loads(nest("doctor", "--json", env={"OLLAMA_HOST": "127.0.0.1:9"}).stdout)
        return next(finding for finding in found if finding["what"] == "packages")

    assert (told()["good"], "tiny_tool" in told()["finding"], "nest trust" in told()["hint"]) == (False, True, True)
    nest("trust", "tiny_tool.value", "--yes")
    assert told()["good"] is True


def test_trust_prepares_ahead(vault: Path, nest: NestCommand, index: Path) -> None:
    assert nest("trust", "tiny_tool", "--yes").returncode == 0
    shutil.rmtree(index)
    assert nest("call", "tiny_tool.value").stdout == "42\n"


def test_packages_are_read_only_and_no_others_are_there(vault: Path, nest: NestCommand, index: Path) -> None:
    nest("trust", "tiny_tool.value", "--yes")
    assert nest("call", "tiny_tool.others").stdout == "No module named 'click'\n"
    assert "Error" in nest("call", "tiny_tool.spoil", "--yes").stdout
    assert nest("call", "tiny_tool.value").stdout == "42\n"


def test_a_program_s_tools_are_prepared_before_it_runs_and_only_those_it_names(
    vault: Path, nest: NestCommand, index: Path, tmp_path: Path
) -> None:
    (tmp_path / "user/config/config.toml").write_text(f'[packages]\nfetch = "always"\nindex = "{index}"\n')
    told = []
    for program in ("final_answer(1)", "final_answer(value())"):
        with OllamaServer([{"role": "assistant", "content": f"```python\n{program}\n```"}]) as server:
            words = ("ask", "try it", "--model", "ollama/scripted", "--no-note")
            done = nest(*words, env={"OLLAMA_HOST": server.url})
        told.append((done.stdout, "preparing packages" in done.stderr))
    assert told == [("1\n", False), ("42\n", True)]


def test_a_program_that_calls_often_has_the_packages_loaded_once_even_after_it_changed_something(
    vault: Path, nest: NestCommand, index: Path
) -> None:
    stamped = "import time\nVALUE = 42\nLOADED = time.perf_counter_ns()\n"
    write_wheel(index, "tiny", "1.1", {"tiny.py": stamped})
    script = next((vault / "02_System").glob("*.py"))
    script.write_text(f"{SCRIPT}\n\ndef loaded() -> int:\n    import tiny\n\n    return tiny.LOADED\n")
    program = (
        "stamps = {loaded() for _ in range(4)}\nwrite_note('New', 'x')\nfinal_answer([len(stamps), value(), value()])"
    )
    with OllamaServer([{"role": "assistant", "content": f"```python\n{program}\n```"}]) as server:
        done = nest("ask", "try it", "--model", "ollama/scripted", "--yes", env={"OLLAMA_HOST": server.url})
    assert done.stdout.split() == ["1", "42", "42"], done.stderr
    assert (vault / "New.md").read_text() == "x"


@pytest.mark.parametrize(
    ("block", "why"),
    [
        ('# dependencies = ["tiny @ file:///tmp/tiny.whl"]', "the dependency 'tiny @ file:///tmp/tiny.whl'"),
        ('# dependencies = ["tiny @ https://example.org/tiny.whl"]', "the dependency"),
        ('# dependencies = ["./tiny"]', "the dependency './tiny'"),
        ('# dependencies = ["--index-url=https://example.org", "tiny"]', "the dependency '--index-url"),
        ('# dependencies = ["tiny"]\n# [tool.uv]\n# index-url = "https://example.org"', "[tool.uv]"),
        ('# dependencies = ["tiny"]\n# requires-python = ">=4"', "it needs Python >=4"),
        ('# dependencies = ["tiny"]\n# ///\n# x\n\n# /// script\n# dependencies = []', "two script blocks"),
    ],
)
def test_where_packages_come_from_is_not_for_a_script_to_say(
    vault: Path, nest: NestCommand, index: Path, tmp_path: Path, block: str, why: str
) -> None:
    text = f"# /// script\n{block}\n# ///\n\ndef value():\n    import tiny\n    return tiny.VALUE\n"
    (vault / "02_System/tiny_tool.py").write_text(text)
    done = nest("call", "tiny_tool.value", "--yes")
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert why in done.stderr
    assert not (tmp_path / "user/cache/packages").exists()


def test_a_vault_s_settings_can_forbid_fetching_and_change_nothing_else(
    vault: Path, nest: NestCommand, index: Path, tmp_path: Path
) -> None:
    write_wheel(vault / "wheels", "tiny", "9", {"tiny.py": "VALUE = 'theirs'\n"})
    (vault / "nest.toml").write_text(f'[packages]\nfetch = "always"\nindex = "{vault / "wheels"}"\n')
    assert nest("call", "tiny_tool.value").returncode == 4
    assert nest("call", "tiny_tool.value", "--yes").stdout == "42\n"


def test_a_failed_build_is_one_problem_and_other_tools_go_on(vault: Path, nest: NestCommand, index: Path) -> None:
    shutil.rmtree(index)
    index.mkdir()
    (vault / "02_System/fine.py").write_text("def fine():\n    return 'fine'\n")
    done = nest("call", "tiny_tool.value", "--yes", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["status"]) == (1, "error")
    assert "packages could not be prepared" in told["reason"]
    assert "tiny" in told["reason"]
    assert nest("call", "fine.fine").stdout == "fine\n"
