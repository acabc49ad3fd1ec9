"""How a battery of attacks fared, as lines and as JSON. *Pure*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nestkit.hall.attack import Battery

_CONTRACTS = ("brokered", "sandboxed")


def _contracts(battery: Battery) -> list[str]:
    """Those that were attacked: not every engine has both."""
    return [contract for contract in _CONTRACTS if contract in battery.out]


def draft_battery(battery: Battery) -> Iterator[str]:
    """A verdict for each contract, each attack that got out, and a table: how many of each class got out of what."""
    tried = [attack for attack in battery.attacks if attack.bare]
    for contract in _contracts(battery):
        count = len(battery.out[contract])
        yield f"{contract}, {battery.tier}: {count} of {len(battery.attacks)} attacks got out"
        yield from (f"  OUT  {name}: {how}" for name, how in battery.out[contract].items())
    yield f"{len(battery.live)} of {len(tried)} work on this machine where nothing isolates; the rest need nest, or"
    yield "rights and parts of the kernel that are not here"
    yield ""
    layers = [name for name in battery.out if name not in _CONTRACTS]
    yield f"{'got out of':<20}" + "".join(f"{group:>15}" for group in battery.groups)
    yield _row("nothing isolates", [sum(name.startswith(f"{g}/") for name in battery.live) for g in battery.groups])
    for name in layers:
        yield _row(name, [battery.count_out(name, group) for group in battery.groups])
    yield _row("attacks in all", [sum(a.group == group for a in battery.attacks) for group in battery.groups])


def plain_battery(battery: Battery) -> dict[str, Any]:
    """The same for programs."""
    return {
        "tier": battery.tier,
        "attacks": len(battery.attacks),
        "live": sorted(battery.live),
        "out": battery.out,
        "held": not any(battery.out[contract] for contract in _contracts(battery)),
    }


def _row(name: str, counts: list[int]) -> str:
    return f"{name:<20}" + "".join(f"{count:>15}" for count in counts)
