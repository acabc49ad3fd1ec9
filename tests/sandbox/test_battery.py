"""The battery of attacks: none gets out of any tier and contract, nearly all work where nothing isolates."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from nestkit.doors.attack import draft_battery, plain_battery
from nestkit.errors import SandboxError
from nestkit.hall.attack import Battery
from nestkit.sandbox import battery
from nestkit.sandbox.battery import Attack, Bait, lay_bait, read_attacks
from nestkit.sandbox.engine import Engine, open_engine

ATTACKS = read_attacks()
GROUPS = sorted({attack.group for attack in ATTACKS})


@pytest.fixture(scope="module")
def bait() -> Iterator[Bait]:
    with lay_bait() as laid:
        yield laid


@pytest.fixture(scope="module", params=["kernel-full", "kernel-lite", "kernel-lite, old"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each tier; the last as kernels before Landlock's sixth version have it."""
    tier, _, old = request.param.partition(",")
    try:
        made = open_engine(tier, landlock=4 if old else 6)
    except SandboxError as error:
        pytest.skip(f"this machine gives no {tier}: {error}")
    with made:
        yield made


@pytest.mark.parametrize("contract", ["brokered", "sandboxed"])
@pytest.mark.parametrize("group", GROUPS)
def test_no_attack_gets_out(engine: Engine, bait: Bait, group: str, contract: str) -> None:
    attacks = [attack for attack in ATTACKS if attack.group == group]
    sandboxed = contract == "sandboxed"
    if group == "limits" and (sandboxed or engine.landlock < 6) and engine.tier != "kernel-full":
        pytest.skip("who watches from outside is the same for all of these")
    out = {a.name: battery.run_attack(engine, a, bait, sandboxed=sandboxed, seconds=0.1) for a in attacks}
    assert {name: how for name, how in out.items() if how} == {}


@pytest.mark.parametrize("group", [group for group in GROUPS if group != "broker"])
def test_the_attacks_work_where_nothing_isolates(bait: Bait, group: str) -> None:
    tried = [attack for attack in ATTACKS if attack.group == group and attack.bare]
    usual = [attack for attack in tried if not attack.needs]
    live = [attack for attack in usual if battery.run_bare(attack, bait)]
    assert len(live) >= 0.9 * len(usual), {attack.name for attack in usual} - {attack.name for attack in live}
    if os.geteuid() == 0:
        others = [attack for attack in tried if attack.needs and battery.run_bare(attack, bait)]
        assert len(live) + len(others) >= 0.8 * len(tried)


def test_there_are_many_attacks_of_every_class() -> None:
    assert len(ATTACKS) >= 170
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    assert all(attack.code.strip() for attack in ATTACKS)


@pytest.mark.parametrize("layers", [name for name in battery.LAYERS if name != "all"])
def test_each_layer_alone_lets_something_through_that_all_together_stop(bait: Bait, layers: str) -> None:
    """A battery that finds no hole in half a wall proves nothing about a whole one."""
    quick = [attack for attack in ATTACKS if attack.group in ("files", "kernel", "network")]
    try:
        opened = battery.open_layers(layers)
    except SandboxError as error:
        pytest.skip(str(error))
    with opened as engine:
        out = [attack.name for attack in quick if battery.run_attack(engine, attack, bait)]
    assert bool(out) == (layers not in ("no Landlock", "no namespaces")), out


def test_a_report_names_what_got_out_and_counts_the_rest() -> None:
    attacks = (Attack("files/read", "1"), Attack("files/write", "1"), Attack("broker/forge", "1", bare=False))
    out = {"brokered": {"files/read": "it saw the secret"}, "sandboxed": {}, "filter alone": {"files/write": "x"}}
    report = Battery("kernel-full", attacks, frozenset({"files/read"}), out)
    lines = [*draft_battery(report)]
    assert lines[:3] == [
        "brokered, kernel-full: 1 of 3 attacks got out",
        "  OUT  files/read: it saw the secret",
        "sandboxed, kernel-full: 0 of 3 attacks got out",
    ]
    assert "1 of 2 work" in lines[3]
    assert plain_battery(report)["held"] is False


def test_a_report_on_an_interpreter_knows_one_contract_and_no_layers() -> None:
    attacks = (Attack("files/read", "1"),)
    report = Battery("monty, scripts in kernel-full", attacks, frozenset(), {"brokered": {}})
    lines = [*draft_battery(report)]
    assert lines[0] == "brokered, monty, scripts in kernel-full: 0 of 1 attacks got out"
    assert not any("sandboxed" in line for line in lines)
    assert plain_battery(report)["held"] is True


OFF = """
import subprocess, sys
from nestkit.sandbox.battery import lay_bait, read_attacks, run_attack
from nestkit.sandbox.engine import open_engine
open("/proc/sys/user/max_user_namespaces", "w").write("0")
assert subprocess.run(["unshare", "-U", "true"], stderr=subprocess.DEVNULL).returncode, "they are still on"
with lay_bait() as bait, open_engine() as engine:
    quick = [attack for attack in read_attacks() if attack.group in ("files", "network", "kernel")]
    print(engine.tier, "|", engine.weaker_because, "|", [a.name for a in quick if run_attack(engine, a, bait)])
"""


def test_with_user_namespaces_off_the_weaker_tier_holds_and_says_why_it_is_that() -> None:
    try:
        subprocess.run(["unshare", "-U", "-r", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("they are off already, or there is no unshare(1)")
    done = subprocess.run(
        ["unshare", "-U", "-r", sys.executable, "-c", OFF], capture_output=True, text=True, timeout=120
    )
    tier, why, out = done.stdout.strip().split(" | ")
    assert (tier, out) == ("kernel-lite", "[]"), done.stderr
    assert "user namespaces are switched off here" in why
