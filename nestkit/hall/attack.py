"""This machine's isolation in; what a battery of attacks made of it, by layer, out. Part of the hall. *Process*."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from nestkit.errors import SandboxError
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.battery import LAYERS, Attack, Bait, lay_bait, open_layers, read_attacks, run_attack, run_bare
from nestkit.sandbox.engine import Engine, open_engine

_TIMED = ("limits", "broker")
"""Groups that no layer stops, but what watches from outside: the same in all of them."""


@dataclass(frozen=True, slots=True)
class Battery:
    """How the attacks fared."""

    tier: str
    attacks: tuple[Attack, ...]
    live: frozenset[str]
    """Names of those that work where nothing isolates."""
    out: dict[str, dict[str, str]]
    """What was attacked (a contract, or some of the layers) -> name of each attack that got out -> how."""

    @property
    def groups(self) -> list[str]:
        return sorted({attack.group for attack in self.attacks})

    def count_out(self, what: str, group: str) -> int:
        return sum(name.startswith(f"{group}/") for name in self.out[what])


def attack_isolation(say: Callable[[str], None], name: str = "auto", setup: Setup | None = None) -> Battery:
    """Every attack on programs of both contracts in the engine of this name, and, where that is the kernel's, on parts
    of it too.

    Raises SandboxError where nothing isolates.
    """
    attacks = read_attacks()
    out: dict[str, dict[str, str]] = {}
    with lay_bait() as bait:
        with open_engine(name, setup=setup) as engine:
            tier = engine.title
            for contract in ("brokered", "sandboxed") if engine.gives_files else ("brokered",):
                say(f"{len(attacks)} attacks on {contract} programs, {tier}")
                out[contract] = _run_all(engine, attacks, bait, sandboxed=contract == "sandboxed")
        quick = [attack for attack in attacks if attack.group not in _TIMED]
        for layer, opened in _open_all() if tier.startswith("kernel-") else ():
            say(f"{len(quick)} attacks, {layer}")
            with opened:
                out[layer] = _run_all(opened, quick, bait)
        tried = [attack for attack in attacks if attack.bare]
        say(f"{len(tried)} attacks where nothing isolates")
        live = frozenset(attack.name for attack in tried if run_bare(attack, bait))
    return Battery(tier, attacks, live, out)


def _run_all(engine: Engine, attacks: Sequence[Attack], bait: Bait, *, sandboxed: bool = False) -> dict[str, str]:
    found = {attack.name: run_attack(engine, attack, bait, sandboxed=sandboxed) for attack in attacks}
    return {name: how for name, how in found.items() if how}


def _open_all() -> Iterator[tuple[str, Engine]]:
    for name in LAYERS:
        try:
            yield name, open_layers(name)
        except SandboxError:
            continue  # this machine has no such layer
