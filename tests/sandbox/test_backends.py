"""The table of backends: what is tried unasked where, and that every name a person may write is a row."""

from __future__ import annotations

import pytest

from nestkit.errors import SandboxError
from nestkit.policy import ENGINES
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.backends import BACKENDS, find_rows
from nestkit.sandbox.engine import open_engine


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
