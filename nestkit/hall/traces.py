"""The id of a run in; its trace as this machine sealed it, and the ledger of this vault's runs, out. Part of the hall.
*Disk*."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from nestkit.errors import NestError, StateError
from nestkit.runs.ledger import Ledger
from nestkit.runs.trace import Recorded, parse_sealed
from nestkit.vault.append import Growing
from nestkit.vault.beneath import hold_folder, open_file
from nestkit.vault.files import read_file
from nestkit.vault.journal import is_run_id
from nestkit.vault.place import vault_key
from nestkit.vault.prune import is_pruned

if TYPE_CHECKING:
    from nestkit.nest import Nest

MOST_BYTES = 64 << 20
"""A trace that would grow beyond this is given up: the run goes on, and cannot be resumed."""
_HEAD_BYTES = 1 << 20
"""More than the first line of a trace takes."""


def trace_path(run_id: str) -> str:
    """Where the trace of a run lies."""
    return f".nest/runs/{run_id}.jsonl"


def open_ledger(nest: Nest) -> Ledger:
    """The ledger of this vault's runs. Raises StateError where it would lie inside the vault, which may come from
    anywhere."""
    state = nest.folders.state
    if nest.root == state or nest.root in state.parents:
        raise StateError(f"{state} lies in the vault itself", "set NEST_STATE_DIR to a folder outside it")
    return Ledger(state / vault_key(nest.root) / "runs")


def read_recorded(nest: Nest, run_id: str) -> Recorded:
    """What this machine recorded of a run. Raises StateError when it recorded nothing of it."""
    with suppress(NestError):
        content = read_file(nest.root, trace_path(run_id), 4 * MOST_BYTES)
        return _checked(parse_sealed(content, open_ledger(nest).key()), nest, run_id)
    if is_pruned(nest.root, run_id, "runs"):
        hint = "[keep] in your config.toml says how many are kept; the run's note is still there"
        raise StateError(f"the trace of run {run_id} was put away", hint)
    raise StateError(f"run {run_id} has no trace that this machine has sealed", "ask again")


def is_sealed_here(nest: Nest, run_id: str, key: bytes) -> bool:
    """Whether the trace of a run begins as this machine, with this key, begins the traces of this vault."""
    with suppress(NestError, OSError), hold_folder(nest.root, trace_path(run_id)) as (folder, name):
        file = open_file(folder, name, name)
        try:
            first, newline, _ = os.read(file, _HEAD_BYTES).partition(b"\n")
        finally:
            os.close(file)
        told = parse_sealed(first + newline, key)
        return told.ask.get("id") == run_id and told.ask.get("vault") == vault_key(nest.root)
    return False


def is_recorded(nest: Nest, run_id: str) -> bool:
    """Whether there is a trace of this run, whoever wrote it."""
    return is_run_id(run_id) and (nest.root / trace_path(run_id)).is_file()


def reopen(nest: Nest, run_id: str) -> tuple[Growing, Recorded]:
    """The trace of a run, open to be continued, and what stands in it. Raises StateError and VaultError."""
    key, growing = open_ledger(nest).key(), Growing(nest.root, trace_path(run_id), is_new=False)
    try:
        told = _checked(parse_sealed(growing.read(4 * MOST_BYTES), key), nest, run_id)
        growing.cut(told.size)
    except BaseException:
        growing.close()
        raise
    return growing, told


def _checked(told: Recorded, nest: Nest, run_id: str) -> Recorded:
    if told.ask.get("id") != run_id or told.ask.get("vault") != vault_key(nest.root):
        raise StateError(f"the trace of run {run_id} is not what this machine wrote", "ask again")
    return told
