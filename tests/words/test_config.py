"""Settings: checked key by key, and a vault may narrow but never widen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.config import Config, Servers, merge_config, parse_config
from nestkit.errors import ConfigError
from nestkit.policy import Limits


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "not TOML"),
        ("[nowhere]\n", "unknown section [nowhere]"),
        ("vault = 3\n", "unknown section [vault]"),
        ("[vault]\nsystm = 'a'\n", "unknown key vault.systm"),
        ("[vault]\nprivate = 'a'\n", "vault.private should be a list of texts"),
        ("[vault]\nprivate = [1]\n", "vault.private should be a list of texts"),
        ("[ask]\nsteps = 1.5\n", "ask.steps should be a whole number"),
        ("[ask]\nsteps = true\n", "ask.steps should be a whole number"),
        ("[ask]\ncontract = 'none'\n", "ask.contract should be one of brokered, sandboxed, reviewed"),
        ("[ask]\nengine = 'docker'\n", "ask.engine should be one of auto, kernel-full"),
        ("[ask]\nimage = 3\n", "ask.image should be text"),
        ("[model]\nthink = 'deeply'\n", "model.think should be one of"),
        ("[limits]\nmemory = 3\n", "unknown key limits.memory"),
        ("[limits]\nmemory_bytes = -1\n", "limits.memory_bytes should be a number from 0 up"),  # to a kernel, no limit
        ("[vault]\nruns = '.git'\n", "vault.runs should be a folder of the vault"),
        ("[vault]\nruns = '../x'\n", "vault.runs should be a folder of the vault"),
        ("[vault]\nruns = '/'\n", "vault.runs should be a folder of the vault"),
        ("[vault]\nsystem = 'a/../../b'\n", "vault.system should be a folder of the vault"),
        ("[vault]\nsystem = '.obsidian/plugins'\n", "vault.system should be a folder of the vault"),
        ("[limits]\nseconds = nan\n", "limits.seconds should be a number from 0 up"),
        ("[ask]\nsteps = -3\n", "ask.steps should be a number from 0 up"),
        ("[watch]\nsettle = inf\n", "watch.settle should be a number from 0 up"),
    ],
)
def test_what_is_wrong_is_said_with_the_file(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config(text, "nest.toml")
    assert said in str(error.value)
    assert "nest.toml" in str(error.value)


def test_without_files_everything_has_its_default() -> None:
    assert merge_config({}, {}) == Config()


def test_a_vault_names_its_folders_and_hides_its_notes() -> None:
    config = merge_config({"vault": {"private": ["Mine/**"]}}, {"vault": {"runs": "/Runs/", "private": ["Diary/**"]}})
    assert (config.runs, config.private) == ("Runs", ("Mine/**", "Diary/**"))


EVIL = {"host": "http://evil.example", "openai": "http://evil.example/v1", "openai_key": "env:HOME"}


@pytest.mark.parametrize("mine", ["auto", "kernel-full", "monty"])
@pytest.mark.parametrize("theirs", ["auto", "kernel-lite", "monty", "container"])
def test_a_vault_cannot_choose_what_isolates(mine: str, theirs: str) -> None:
    own = {"ask": {"engine": mine, "image": "a@sha256:1"}}
    config = merge_config(own, {"ask": {"engine": theirs, "image": "evil@sha256:2"}})
    assert (config.engine, config.image) == (mine, "a@sha256:1")


def test_a_vault_cannot_choose_a_server_or_a_key() -> None:
    assert merge_config({}, {"model": EVIL}).servers == Servers()
    mine = {"model": {"host": "http://mine", "openai_key": "env:MINE"}}
    assert merge_config(mine, {"model": EVIL}).servers == Servers(host="http://mine", openai_key="env:MINE")


@pytest.mark.parametrize(
    ("mine", "theirs", "in_force"),
    [
        ("auto", "ollama/small", "ollama/small"),
        ("auto", "builtin", "builtin"),
        ("auto", "openai/dear", "auto"),
        ("ollama/mine", "ollama/theirs", "ollama/theirs"),
        ("ollama/mine", "openai/dear", "ollama/mine"),
        ("openai/mine", "builtin", "builtin"),
        ("builtin", "ollama/theirs", "builtin"),
        ("builtin", "auto", "builtin"),
    ],
)
def test_a_vault_may_name_a_model_but_lead_to_no_other_server(mine: str, theirs: str, in_force: str) -> None:
    assert merge_config({"ask": {"model": mine}}, {"ask": {"model": theirs}}).model == in_force


@pytest.mark.parametrize(
    ("mine", "theirs", "in_force"),
    [
        ("brokered", "sandboxed", "brokered"),
        ("brokered", "reviewed", "reviewed"),
        ("reviewed", "brokered", "reviewed"),
        ("sandboxed", "brokered", "brokered"),
        ("sandboxed", "reviewed:sandboxed", "reviewed:sandboxed"),
        ("brokered", "reviewed:sandboxed", "reviewed"),
    ],
)
def test_a_vault_may_only_choose_the_stricter_contract(mine: str, theirs: str, in_force: str) -> None:
    assert merge_config({"ask": {"contract": mine}}, {"ask": {"contract": theirs}}).contract == in_force


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_vault_can_lower_a_limit_and_never_raise_one(steps: int, calls: int, theirs: int) -> None:
    mine = {"ask": {"steps": steps}, "limits": {"calls": calls}}
    limits = merge_config(mine, {"ask": {"steps": theirs}, "limits": {"calls": theirs}}).limits
    assert limits.steps == min(steps, theirs)
    assert limits.calls == min(calls, theirs)


def test_the_person_s_own_limits_may_be_raised() -> None:
    assert merge_config({"limits": {"calls": 9999}}, {}).limits == Limits(calls=9999)
