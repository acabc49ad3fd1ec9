"""The table of backends: what is tried unasked where, and that every name a person may write is a row."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from nestkit.errors import SandboxError
from nestkit.policy import ENGINES, Limits
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.backends import BACKENDS, find_rows, get_row
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import open_engine
from nestkit.sandbox.job import Job, ToolFailed

NOW = datetime(2026, 3, 18, 9, tzinfo=UTC)


def test_every_engine_that_can_be_asked_for_has_a_row() -> None:
    assert {"auto", *(row.name for row in BACKENDS)} == set(ENGINES)
    for row in BACKENDS:
        assert isinstance(row.find_lack(Setup()), str)
        assert row.does


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("linux", ["kernel-full", "kernel-lite"]),
        ("darwin", ["seatbelt"]),
        ("win32", ["wasm", "monty"]),
        ("freebsd14", ["wasm", "monty"]),
    ],
)
def test_unasked_a_system_gets_its_own_or_where_it_has_none_an_interpreter(platform: str, names: list[str]) -> None:
    assert [row.name for row in find_rows("auto", platform)] == names


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(SandboxError, match="there is no engine 'docker'") as refused:
        open_engine("docker")
    assert "container" in refused.value.hint


@pytest.mark.parametrize("name", ["seatbelt", "container", "monty", "wasm"])
def test_what_was_asked_for_and_is_not_here_is_never_replaced(name: str) -> None:
    try:
        with open_engine(name) as made:
            assert made.tier == name
    except SandboxError as error:
        assert str(error)


def test_a_machine_without_the_kernel_s_walls_refuses_and_names_the_way_on() -> None:
    with pytest.raises(SandboxError, match="this kernel has no Landlock") as refused:
        open_engine(landlock=0)
    assert "--engine NAME" in refused.value.hint


def test_there_an_interpreter_runs_programs_and_no_scripts(tmp_path: Path) -> None:
    if lack := get_row("monty").find_lack(Setup()):
        pytest.skip(lack)
    (tmp_path / "s.py").write_text("def f() -> int:\n    return 1\n")
    broker = Broker((), host=lambda *_: (1, ()), script=lambda *_: 1, allow=lambda *_: None, limits=Limits())
    with open_engine("monty", landlock=0) as engine:
        assert (engine.title, engine.layers) == ("monty", False)
        with engine.program(broker, now=NOW, seed=1) as execute:
            assert execute("sum([1, 2])").value == 3
        with pytest.raises(ToolFailed, match=r"s\.py cannot run here: .*this kernel has no Landlock") as refused:
            engine.call(Job("s.py", str(tmp_path), NOW, function="f"), Limits())
        assert refused.value.kind == "PermissionError"
