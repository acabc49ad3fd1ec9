"""A run in; what it changed taken back, its own line in the note that asked among it, out. Part of the hall. *Disk*.

A run that changed the note that asked wrote a line into it afterwards: that it waits, that it is done. Where nothing
else came after, that line is no edit of anybody's, and does not keep the rest from being taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from nestkit.change import Applied, digest
from nestkit.errors import NoteMissing, VaultError
from nestkit.hall.traces import trace_path
from nestkit.vault.apply import undo
from nestkit.vault.journal import find_journal, is_run_id
from nestkit.vault.write import write_file

if TYPE_CHECKING:
    from nestkit.nest import Nest


def undo_run(nest: Nest, run: str) -> tuple[Applied, ...]:
    """What became of each file of a run that was taken back; nothing when it had changed none.

    What was changed without a run's note is known by its whole id. Raises NoteMissing and VaultError, the latter also
    for a `last` that could be either of two.
    """
    if run == "last":
        _check_last(nest)
    try:
        path = nest.run_path(run)
        run_id = nest.run_note(path).id
    except NoteMissing:
        if not (is_run_id(run) and (nest.root / ".nest/undo" / run).is_dir()):
            raise
        return undo(nest.root, run)
    mark = f"> [!nest] [[{path.removesuffix('.md')}|".encode()
    journal = find_journal(nest.root, run_id)
    wanted = {record.path: record.after for record in journal.records if record.after} if journal else {}
    for changed, after in wanted.items():
        _rewrite(nest, changed, mark, after)
    done = undo(nest.root, run_id)
    for each in done:
        if each.applied and each.kind == "modify":
            _rewrite(nest, each.path, mark, "")
    return done


def _check_last(nest: Nest) -> None:
    """Raise VaultError where the last run by its clock, which `--now` sets, is not the one whose trace grew last."""
    ids = [str(run["id"]) for run in nest.runs()]
    grown = {}
    for run_id in filter(is_run_id, ids):
        with suppress(OSError):
            grown[run_id] = (nest.root / trace_path(run_id)).stat().st_mtime_ns
    latest = max(grown, key=lambda run_id: grown[run_id], default="")
    if latest and grown.get(ids[0], 0) < grown[latest]:
        raise VaultError(
            f"by its clock the last run is {ids[0]}, by its trace it is {latest}", "write the id of the one you mean"
        )


def _rewrite(nest: Nest, path: str, mark: bytes, wanted: str) -> None:
    """The file less its last line, where that is the run's: as the one text with the wanted digest, or any."""
    found = nest.find_bytes(path)
    if found is None or digest(found) == wanted:
        return
    for text in _without(found, mark):
        if not wanted or digest(text) == wanted:
            write_file(nest.root, path, text, digest(found))
            return


def _without(found: bytes, mark: bytes) -> Iterator[bytes]:
    """What the file may have been before its last line was the run's, the likeliest first."""
    begin = found.rfind(mark)
    if begin < 0 or len(found[begin:].splitlines()) > 1:
        return
    newline = b"\r\n" if b"\r\n" in found else b"\n"
    head = found[:begin].removesuffix(newline)
    yield head
    yield head.removesuffix(newline)
    line, bracket, _ = found[begin:].rpartition(b" (")
    yield found[:begin] + line + bracket + b"waiting)" + newline
