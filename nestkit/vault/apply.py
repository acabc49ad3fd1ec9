"""A run's change set in; all of its files on disk or none, what became of each, and the way back, out. *Disk*.

The order is what makes it whole: mark the run open, record every file before and after, lay the new files beside the
old ones, and only then rename, one by one. Whoever finds the mark still there (a crash, a power cut) takes back from
the record what was renamed, unless everything was. Undoing a run is the same walk, so it may be broken off as well.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from nestkit.change import Applied, Change, digest
from nestkit.errors import NoteChanged, NoteExists, NoteMissing, OutsideVault, VaultError
from nestkit.vault.beneath import drop_folders, hold_folder, make_folders, read_digest, told
from nestkit.vault.journal import (
    Journal,
    Record,
    check_run_id,
    drop_journal,
    find_journal,
    find_open,
    hold_lock,
    mark_closed,
    mark_open,
    read_image,
    write_journal,
)
from nestkit.vault.names import NAME_BYTES, check_writable, fold
from nestkit.vault.prune import UNDO, is_pruned, prune_undo
from nestkit.vault.write import drop, put, write_file, write_temp

_LOST = (NoteChanged, NoteExists, NoteMissing)
"""How compare-and-swap says that somebody else was quicker; the file is untouched then."""


def apply_changes(root: Path, run_id: str, changes: Iterable[Change]) -> tuple[Applied, ...]:
    """What became of each change, sorted by path: all applied, or none.

    Each file is compared with the bytes the run started from. When one is another by now, no file is touched, and
    nest's version of that one lies beside it as `NAME (nest RUN).md`. A file that already is what the run wants
    counts as applied. Raises VaultError when the disk refuses; then the vault is as it was.
    """
    todo = _checked(changes)
    if not todo:
        return ()
    with hold_lock(root):
        _recover(root)
        conflicts = _conflicts(root, todo)
        if conflicts:
            return _kept_back(root, check_run_id(run_id), todo, conflicts)
        missing = [change for change in todo if read_digest(root, change.path) != digest(change.after)]
        if missing and find_journal(root, run_id) is not None:
            raise VaultError(f"run {run_id} has been applied before", "undo it first, or ask again")
        try:
            _apply(root, check_run_id(run_id), missing)
        except _LOST as error:  # somebody was quicker in the last moment
            late = _conflicts(root, todo) or {missing[0].path: str(error)}
            return _kept_back(root, run_id, todo, late)
        with suppress(VaultError):  # room that is not won back now is won back by the next run
            prune_undo(root, time.time(), spare=run_id)
    return tuple(Applied(change.path, change.kind, applied=True) for change in todo)


def recover(root: Path) -> list[str]:
    """What was broken off and is in order again, a sentence for each; call it before anything is written.

    The vault is brought back to before the run, or is left when every file was in place already. A file that somebody
    has edited since keeps that edit, and is named.
    """
    if find_open(root) is None:
        return []
    with hold_lock(root):
        return _recover(root)


def undo(root: Path, run_id: str) -> tuple[Applied, ...]:
    """What became of each file when a run was taken back, sorted by path.

    A file comes back only where it is still what nest wrote; any other is left, with the reason. Raises VaultError
    when nothing is kept of this run.
    """
    _kept_journal(root, run_id)
    with hold_lock(root):
        _recover(root)
        journal = _kept_journal(root, run_id)
        mark_open(root, run_id)
        kept = _take_back(root, journal)
    return tuple(
        Applied(record.path, _undone(record), record.path not in kept, kept.get(record.path, ""))
        for record in journal.records
    )


def _checked(changes: Iterable[Change]) -> list[Change]:
    todo = sorted((change for change in changes if change.before != change.after), key=lambda change: change.path)
    for change in todo:
        if (refusal := check_writable(change.path)) is not None:
            raise OutsideVault(refusal.reason, refusal.hint)
    if len({fold(change.path) for change in todo}) < len(todo):
        raise VaultError("two changes of this run name the same file")
    return todo


def _conflicts(root: Path, changes: Sequence[Change]) -> dict[str, str]:
    """Path -> reason, for each file that is neither what the run started from nor what it wants."""
    found: dict[str, str] = {}
    for change in changes:
        try:
            now = read_digest(root, change.path)
        except VaultError as error:
            found[change.path] = str(error)
            continue
        if now not in (digest(change.before), digest(change.after)):
            what = "was moved or deleted" if not now else "was changed" if change.before is not None else "was made"
            found[change.path] = f"{what} by somebody else while the run was under way"
    return found


def _apply(root: Path, run_id: str, changes: Sequence[Change]) -> None:
    """Everything, or nothing and the error."""
    if not changes:
        return
    mark_open(root, run_id)
    journal, begun = None, 0
    try:
        journal = write_journal(root, run_id, changes)
        _lay_out(root, run_id, changes)
        for begun, change in enumerate(changes, start=1):
            with told(change.path), hold_folder(root, change.path) as (folder, name):
                if change.after is None:
                    drop(folder, name, change.path, digest(change.before))
                else:
                    put(folder, _temp(run_id, begun - 1), name, change.path, digest(change.before))
        _flush(root, changes)
    except BaseException as error:
        untouched = 1 if begun and isinstance(error, _LOST) else 0  # the file that was somebody else's
        _forget(root, run_id) if journal is None else _take_back(root, journal, begun - untouched)
        raise
    mark_closed(root)


def _lay_out(root: Path, run_id: str, changes: Sequence[Change]) -> None:
    """The new files beside the old ones, under hidden names: what can run out of room does so here."""
    for number, change in enumerate(changes):
        if change.after is not None:
            with told(change.path):
                make_folders(root, change.path)
                with hold_folder(root, change.path) as (folder, name):
                    write_temp(folder, _temp(run_id, number), change.after, name)


def _flush(root: Path, changes: Sequence[Change]) -> None:
    for path in {change.path.rpartition("/")[0]: change.path for change in changes}.values():
        with told(path), hold_folder(root, path) as (folder, _):
            os.fsync(folder)


def _recover(root: Path) -> list[str]:
    run_id = find_open(root)
    if run_id is None:
        return []
    try:
        journal = find_journal(root, run_id)
    except VaultError as error:  # an empty or damaged mark or record: nothing can be taken back from it
        mark_closed(root)
        return [f"a run was broken off, and {error}"] if run_id else []
    if journal is None:
        _forget(root, run_id)
        return [f"run {run_id} was broken off before it changed anything"]
    if all(_now(root, record.path) == record.after for record in journal.records):
        _sweep(root, journal)
        mark_closed(root)
        return [f"run {run_id} was broken off when every file was in place: it counts as applied"]
    kept = _take_back(root, journal)
    told_of = [f"{path} {why}; what it was before lies in .nest/undo/{run_id}" for path, why in kept.items()]
    return [f"run {run_id} was broken off: the vault is as it was before", *told_of]


def _take_back(root: Path, journal: Journal, begun: int | None = None) -> Mapping[str, str]:
    """Bring the first `begun` files back, or all, and close the run; path -> reason for those that stay.

    What stays is what is neither nest's version nor the one before, since somebody has edited it, and what has lost its
    image. Any other trouble is raised, and leaves the run open for the next try.
    """
    _sweep(root, journal)
    kept: dict[str, str] = {}
    for number, record in reversed(list(enumerate(journal.records[:begun]))):
        now = _now(root, record.path)
        if now == record.before:
            continue
        kept[record.path] = "was edited since nest wrote it, and stays as it is"
        if now == record.after:
            try:
                _restore(root, journal, number)
                del kept[record.path]
            except _LOST as error:
                kept[record.path] = f"stays as it is: {error}"
    drop_folders(root, journal.folders)
    if kept:
        mark_closed(root)
    else:
        _forget(root, journal.run_id)
    return kept


def _restore(root: Path, journal: Journal, number: int) -> None:
    record, temp = journal.records[number], _temp(journal.run_id, number)
    content = read_image(root, journal, number) if record.before else None
    with told(record.path):
        if content is not None:
            make_folders(root, record.path)
        with hold_folder(root, record.path) as (folder, name):
            if content is None:
                drop(folder, name, record.path, record.after)
            else:
                write_temp(folder, temp, content, name)
                os.chmod(temp, record.mode, dir_fd=folder)
                put(folder, temp, name, record.path, record.after)
            os.fsync(folder)


def _sweep(root: Path, journal: Journal) -> None:
    """Remove what was laid out and never put in place."""
    for number, record in enumerate(journal.records):
        with suppress(VaultError), told(record.path), hold_folder(root, record.path) as (folder, _):
            os.unlink(_temp(journal.run_id, number), dir_fd=folder)


def _kept_journal(root: Path, run_id: str) -> Journal:
    journal = find_journal(root, run_id)
    if journal is None and is_pruned(root, run_id):
        raise VaultError(f"what was kept to undo run {run_id} was put away", UNDO.text)
    if journal is None:
        raise VaultError(f"nothing is kept to undo run {run_id}", "only applied runs can be undone, and only once")
    return journal


def _forget(root: Path, run_id: str) -> None:
    with told(".nest/undo"):
        drop_journal(root, run_id)
    mark_closed(root)


def _now(root: Path, path: str) -> str | None:
    """Digest of the file as it is; None for what is no ordinary file by now."""
    try:
        return read_digest(root, path)
    except VaultError:
        return None


def _temp(run_id: str, number: int) -> str:
    return f".nest-{run_id}-{number}.tmp"


def _undone(record: Record) -> Literal["add", "modify", "delete"]:
    if not record.before:
        return "delete"
    return "modify" if record.after else "add"


def _kept_back(root: Path, run_id: str, changes: Sequence[Change], conflicts: Mapping[str, str]) -> tuple[Applied, ...]:
    other = f"left as it was, since {next(iter(conflicts))} could not be changed"
    return tuple(
        Applied(change.path, change.kind, False, conflicts.get(change.path, other), proposal)
        for change in changes
        for proposal in [_propose(root, run_id, change) if change.path in conflicts else ""]
    )


def _propose(root: Path, run_id: str, change: Change) -> str:
    """Where nest's version lies, beside the user's; empty when it has none or there is no place for it."""
    if change.after is None:
        return ""
    folder, slash, name = change.path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    for again in ("", *(f" {number}" for number in range(2, 10))):
        tail = f" (nest {run_id}{again}){dot}{ending}"
        short = stem.encode()[: NAME_BYTES - len(tail.encode())].decode(errors="ignore").rstrip()
        path = f"{folder}{slash}{short}{tail}"
        try:
            write_file(root, path, change.after)
        except NoteExists:
            if _now(root, path) == digest(change.after):
                return path
        except VaultError:
            return ""
        else:
            return path
    return ""
