"""Runs that wait for a person in; what they wait for, a yes or no carried out, out. Part of the hall. *Disk, Process*.

A yes is for one digest and is used once. It can come from a command, or from a ticked box in the run's note: that is
believed only for a run which this machine's ledger knows, in a note that is nest's own bytes but for the tick.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from nestkit.change import digest
from nestkit.errors import NoteMissing, StateError, VaultError
from nestkit.hall.gate import script_digests
from nestkit.hall.recording import Recording
from nestkit.hall.traces import open_ledger, read_recorded, reopen, trace_path
from nestkit.hall.walk import Company, apply_run, walk_on
from nestkit.hall.write_back import write_back
from nestkit.matter import Matter
from nestkit.policy import Refusal
from nestkit.run import Ask, End, Run
from nestkit.runs.ledger import Entry
from nestkit.runs.retold import parse_matter, parse_run
from nestkit.runs.tick import find_ticked, untick
from nestkit.vault.append import Growing
from nestkit.vault.stage import Stage

if TYPE_CHECKING:
    from nestkit.nest import Nest


@dataclass(frozen=True, slots=True)
class Ticked:
    """A box that a person ticked in the note of a parked run."""

    run: str
    digest: str
    """Of what they approved: hand it to `approve`."""


def list_entries(nest: Nest) -> list[Entry]:
    """Every run that waits, or that was broken off, the oldest first; not those that somebody is at."""
    return [entry for entry in open_ledger(nest).entries() if not is_under_way(nest, entry)]


def list_under_way(nest: Nest) -> list[Entry]:
    """Every run that somebody is at just now, the oldest first."""
    return [entry for entry in open_ledger(nest).entries() if is_under_way(nest, entry)]


def is_under_way(nest: Nest, entry: Entry) -> bool:
    """Whether another process is writing this run's trace."""
    if entry.state == "waiting":
        return False
    try:
        Growing(nest.root, trace_path(entry.id), is_new=False).close()
    except NoteMissing:
        return False
    except VaultError:
        return True
    return False


def get_entry(nest: Nest, run: str) -> Entry:
    """What waits, by its run's id, the first part of it, its note's path, or `last`; raises NoteMissing."""
    entries = list_entries(nest)
    if run == "last" and entries:
        return entries[-1]
    found = [entry for entry in entries if entry.id.startswith(run) or entry.path in (run, f"{run}.md")]
    if len(found) == 1 and run:
        return found[0]
    what = f"{run!r} fits {len(found)} runs that wait" if found else f"no run {run!r} waits on this machine"
    raise NoteMissing(what, "`nest review list` lists them")


def get_matter(nest: Nest, entry: Entry) -> Matter:
    """What a parked run waits for, its scripts as they are now. Raises StateError when its trace does not hold."""
    told = read_recorded(nest, entry.id)
    if not entry.gate or told.park is None or told.last != entry.seal:
        raise StateError(f"run {entry.id} is not parked any more, or its trace was changed", "ask again")
    return _as_now(nest, parse_matter(told))


def approve(nest: Nest, entry: Entry, seal: str, company: Company) -> Run:
    """The run after a person said yes to what has this digest.

    When that is not what waits by now (a script has changed since it was shown) nothing runs: the run waits again, with
    its note renewed. Raises StateError when the run is not to be approved at all.
    """
    if entry.gate and entry.is_late(datetime.now().astimezone()):
        raise StateError(f"run {entry.id} has waited too long", f"ask again, and `nest review reject {entry.id}`")
    if entry.state == "taken":
        return walk_on(nest, entry.id, company, approved=seal)
    matter = get_matter(nest, entry)
    if matter.digest != seal:
        return _park_again(nest, entry, matter, company)
    if not open_ledger(nest).take(entry):
        raise StateError(f"run {entry.id} was approved by somebody else just now")
    if matter.gate == "changes":
        return _finish(nest, entry, lambda run, to: apply_run(nest, replace(run, changes=matter.changes), to), company)
    return walk_on(nest, entry.id, company, approved=seal)


def reject(nest: Nest, entry: Entry, company: Company) -> Run:
    """The run after a person said no: nothing of it happens."""
    end = End("refused", reason="you turned it down" if entry.gate else "it was broken off, and you gave it up")
    try:
        read_recorded(nest, entry.id)
    except StateError:  # nothing that could ever be run: nothing to write down either
        open_ledger(nest).forget(entry.id)
        return Run(entry.id, Ask(entry.ask, datetime.fromisoformat(entry.since)), end)
    return _finish(nest, entry, lambda run, to: replace(run, end=end), company)


def resume(nest: Nest, entry: Entry, company: Company) -> Run:
    """The rest of a run that was broken off: its programs run again over what is recorded, none of it twice.

    One that was broken off after an approval goes on under that approval, as long as what it was given for is the same.
    """
    if entry.state == "waiting":
        raise StateError(f"run {entry.id} waits for a person", f"`nest review approve {entry.id}`")
    return walk_on(nest, entry.id, company, approved=entry.digest)


def check_tick(nest: Nest, path: str, content: bytes) -> Ticked | Refusal | None:
    """What a person approved by ticking the box in this note; why a tick approves nothing; None when nothing is ticked.

    For `nest watch`: `content` is the note as it is on disk now. To be believed, the note must be byte for byte what
    nest wrote but for the tick, this machine's ledger must know its run as parked, and the person's own settings must
    allow approval by tick. A box that came with a note from anywhere else approves nothing.
    """
    ticked = find_ticked(content)
    if not ticked:
        return None
    if not nest.config.tick:
        hint = "set tick = true under [review] in your own config.toml, or use `nest review approve`"
        return Refusal(f"{path}: your settings do not let a tick approve", hint)
    seal = digest(untick(content))
    for entry in list_entries(nest):
        if entry.state == "waiting" and entry.digest[:16] == ticked:
            if entry.path != path or entry.note_digest != seal or not entry.tick:
                return Refusal(f"{path}: the note is not as nest wrote it", f"`nest review show {entry.id}`")
            return Ticked(entry.id, entry.digest)
    return Refusal(f"{path}: no run of this machine waits for this tick", "`nest review list` lists those that wait")


def _as_now(nest: Nest, matter: Matter) -> Matter:
    """The matter with the versions of its scripts as they are today."""
    now = script_digests(nest)
    return replace(matter, scripts={path: now.get(path, "") for path in matter.scripts})


def _park_again(nest: Nest, entry: Entry, matter: Matter, company: Company) -> Run:
    reason = "a script has changed since it was shown: look again"
    again = End("waiting", reason=reason)
    return _finish(nest, entry, lambda run, to: replace(run, matter=matter, end=again), company)


def _finish(nest: Nest, entry: Entry, change: Callable[[Run, Recording], Run], company: Company) -> Run:
    """The run as it was recorded, changed so, and written back; none of its programs runs."""
    growing, told = reopen(nest, entry.id)
    run = parse_run(told)
    stage = Stage(nest.find_bytes, nest.protected)
    recording = Recording(nest, run, stage, live=True, keep=True)
    try:
        recording.go_on(growing, told)
        ended = replace(run.end, status="ok", reason="", hint="") if entry.gate == "changes" else run.end
        return write_back(nest, change(replace(run, matter=None, end=ended), recording), recording, company.say)
    finally:
        recording.close()
