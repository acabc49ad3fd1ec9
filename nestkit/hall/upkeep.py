"""What old and killed runs left in a vault, in; traces that outlived their use put away, temporary files removed, out.
Part of the hall. *Disk*.

Looked after now and then by whoever ends a run, never by a command that only looks.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nestkit.errors import NestError
from nestkit.hall.kept import list_programs
from nestkit.hall.traces import is_sealed_here, open_ledger, trace_path
from nestkit.runs.ledger import KEEP
from nestkit.sandbox.temporary import clear_abandoned
from nestkit.vault.journal import hold_lock
from nestkit.vault.leftover import clear_temps
from nestkit.vault.prune import Rule, prune_traces

if TYPE_CHECKING:
    from nestkit.nest import Nest


def trace_rule(nest: Nest) -> Rule:
    """How many traces are kept."""
    return Rule(nest.config.keep.trace_days, nest.config.keep.trace_mb << 20)


def put_away_traces(nest: Nest) -> list[str]:
    """The runs whose traces were put away by the rule.

    Never those that wait or are under way, nor those whose program is kept; one that another machine wrote may wait
    there as long as an approval may come. Raises VaultError while somebody else writes to the vault.
    """
    ledger = open_ledger(nest)
    spared = {entry.id for entry in ledger.entries()} | {kept.run for kept in list_programs(nest)}
    key = ledger.key()

    def is_spared(run_id: str) -> bool:
        return run_id in spared or not (is_sealed_here(nest, run_id, key) or _is_past_waiting(nest, run_id))

    with hold_lock(nest.root, seconds=0.0):
        return prune_traces(nest.root, trace_rule(nest), time.time(), is_spared)


@dataclass(frozen=True, slots=True)
class Cleared:
    """What nests that were killed had left behind."""

    folders: int
    """Temporary folders that are gone now."""
    stuck: int
    """Those that could not be removed."""
    removed: tuple[str, ...]
    """Paths of temporary files in the vault that are gone now."""
    left: tuple[str, ...]
    """Those that are not certainly ours and abandoned."""


def clear_all(nest: Nest) -> Cleared:
    """What was left behind on this machine and in this vault, removed where that is certain; as of the last refresh."""
    folders, stuck = clear_abandoned()
    removed, left = clear_left_behind(nest)
    return Cleared(folders, stuck, tuple(removed), tuple(left))


def clear_left_behind(nest: Nest) -> tuple[list[str], list[str]]:
    """Paths of the temporary files that were removed, and of those that were left, as of the last refresh."""
    if not nest.temps:
        return [], []
    try:
        with hold_lock(nest.root, seconds=0.0):
            removed, left = clear_temps(nest.root, nest.temps)
    except NestError:  # somebody is writing: they may be in use
        return [], list(nest.temps)
    nest.temps[:] = left
    return removed, left


def _is_past_waiting(nest: Nest, run_id: str) -> bool:
    with suppress(OSError):
        written = (nest.root / trace_path(run_id)).lstat().st_mtime
        return time.time() - written > KEEP.total_seconds()
    return True
