"""A finished run in; its note, its trace and the asking note's mark on disk, out. Part of the hall. *Disk*."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from nestkit.change import digest
from nestkit.errors import NestError, NoteChanged, NoteExists, NoteMissing
from nestkit.hall.answers import STATE_OF, draft_callout, end_section, run_link
from nestkit.hall.recording import Recording
from nestkit.note import title_of
from nestkit.run import Run
from nestkit.runs.attachment import choose_files
from nestkit.runs.ledger import Entry
from nestkit.runs.name import draft_path
from nestkit.runs.note import draft_note, note_of
from nestkit.runs.quiet import draft_line
from nestkit.runs.tick import draft_tick, untick
from nestkit.vault.write import write_file

if TYPE_CHECKING:
    from nestkit.hall.walk import Mark
    from nestkit.nest import Nest

_ALIVE = re.compile(r"[#^\[\]|`<>$\\]|%%|::")
"""What ends a link, or would be alive in one: a file may be called `<%* ... %>.md`."""
_TRIES = 5
"""How often a name or a note that somebody else takes at the same moment is tried again."""


def write_back(nest: Nest, run: Run, recording: Recording, say: Callable[[str], None], mark: Mark | None = None) -> Run:
    """The run with its note's path. Trouble with the disk is said and costs no answer: the run comes back as it is."""
    run = _park(nest, run, recording, say) if run.matter else run
    before, written = run.path, run.path
    try:
        run = _attach(nest, run, say) if run.status == "ok" else run
        run = _write_note(nest, run, recording)
        written = run.path
    except NestError as error:
        say(f"the run note could not be written: {error}")
    if recording.trouble:
        say(f"this run has no trace: {recording.trouble}" + (f"; the run note is {written}" if written else ""))
    try:
        if run.ask.note and run.ask.marks and written:
            _write_mark(nest, run, run.ask.note, before, mark, recording)
    except NestError as error:
        say(f"{error}; the run note is {written}")
    if run.matter is None:
        recording.end(run)
    return run


def _park(nest: Nest, run: Run, recording: Recording, say: Callable[[str], None]) -> Run:
    """The run on record as waiting; one that cannot be resumed waits for nothing, and says so."""
    assert run.matter is not None
    if not recording.park(run):
        say(f"it cannot be approved later: {recording.trouble}")
        return replace(run, matter=None)
    hint = f"`nest review show {run.id}` shows it, `nest review approve {run.id}` says yes"
    hint += f"; or {run.end.hint}" if run.matter.gate == "call" and run.end.hint else ""
    return replace(run, end=replace(run.end, hint=hint))


def _attach(nest: Nest, run: Run, say: Callable[[str], None]) -> Run:
    """The run with the files of its programs beside where its note will be."""
    chosen, remarks = choose_files(run.steps)
    for remark in remarks:
        say(remark)
    folder = f"{nest.config.runs}/{run.ask.now:%Y/%m}/files {run.id}"
    for name, content in chosen.items():
        with suppress(NoteExists):  # it is there since before a crash, or somebody's: then the link leads to theirs
            write_file(nest.root, f"{folder}/{name}", content)
    return replace(run, files=tuple(f"{folder}/{name}" for name in chosen))


def note_text(nest: Nest, run: Run) -> str:
    """The text of the run's note."""
    return draft_note(note_of(run, lambda path: link_to(nest, path)))


def link_to(nest: Nest, path: str) -> str:
    """A link that leads to this file and no other: its name where that is unique, else its path."""
    if _ALIVE.search(path) or not path.isprintable():
        return f"[{draft_line(title_of(path))}]({quote(path)})"
    name = title_of(path)
    return f"[[{name if nest.resolves_only_to(name, path) else path.removesuffix('.md')}]]"


def _write_note(nest: Nest, run: Run, recording: Recording) -> Run:
    """The run's note, new or in place of the one that said it waits; a note that somebody edited meanwhile stays."""
    content = note_text(nest, run).encode()
    seals = {note["digest"] for note in recording.told.notes if note["path"] == run.path}
    if run.path and _is_as_written(nest, run.path, seals):
        _announce(run, run.path, content, recording)
        with suppress(NoteChanged):
            write_file(nest.root, run.path, content, digest(nest.read_bytes(run.path)))
            return run
    for _ in range(_TRIES):
        path = draft_path(nest.config.runs, run.ask.text, run.ask.now, lambda path: (nest.root / path).exists())
        _announce(run, path, content, recording)
        try:
            write_file(nest.root, path, content, None)
        except NoteExists:
            continue
        return replace(run, path=path)
    raise NoteExists(f"no free name for the run's note in {nest.config.runs}", "ask again")


def _announce(run: Run, path: str, content: bytes, recording: Recording) -> None:
    """Say where the note is about to be written, so that whoever finds it knows whether it is nest's own."""
    seal = recording.note(path, digest(content))
    if run.matter is not None:
        recording.put(
            Entry(
                id=run.id,
                ask=run.ask.text,
                since=datetime.now().astimezone().isoformat(),
                gate=run.matter.gate,
                reason=run.end.reason,
                digest=run.matter.digest,
                seal=seal,
                path=path,
                note_digest=digest(content),
                tick=draft_tick(run.matter.digest) if run.matter.is_short else "",
                state="waiting",
            )
        )


def _is_as_written(nest: Nest, path: str, seals: set[str]) -> bool:
    """Whether the note is what nest wrote there, but for a tick."""
    found = nest.find_bytes(path)
    return found is not None and not seals.isdisjoint((digest(found), digest(untick(found))))


def _write_mark(nest: Nest, run: Run, asking: str, before: str | None, mark: Mark | None, recording: Recording) -> None:
    """What the asking note tells of the run, in its own way or as one line at its end; every other byte stays.

    An answer of this run that stands between marks is replaced there; so is the line that said the run waits.
    """

    written: list[tuple[bytes, bytes]] = []

    def draft(path: str, found: bytes) -> bytes | None:
        drafted = _draft_mark(nest, run, path, found, before, mark)
        written[:] = [(found, drafted)] if drafted is not None else []
        return drafted

    place = rewrite(nest, mark.place if mark else lambda: _find_moved(run, asking), draft)
    if run.matter is not None and place == asking:
        recording.note_mark(*written[0])


def _draft_mark(nest: Nest, run: Run, path: str, found: bytes, before: str | None, mark: Mark | None) -> bytes | None:
    if mark is not None:
        return mark.draft(run, path, found)
    state = STATE_OF[run.status]
    below = end_section(nest, path, found, run.id, state, run.id, draft_callout(run, state))
    return _marked(run, found, before) if below is None else below


def _find_moved(run: Run, path: str) -> str | None:
    """Where a note is after what the run itself did to it; None when the run took it away."""
    before = next((change.before for change in run.changes if change.path == path and change.after is None), None)
    if before is None or not run.applied or not all(done.applied for done in run.applied):
        return path
    found = [change.path for change in run.changes if change.kind == "add" and change.after == before]
    return found[0] if len(found) == 1 else None


def rewrite(nest: Nest, place: Callable[[], str | None], draft: Callable[[str, bytes], bytes | None]) -> str | None:
    """Path of the note that now holds what `draft` makes of its bytes; None when it is gone or was to be left.

    Whoever writes meanwhile is not overwritten: the note is read and drafted anew. Raises NoteChanged when that never
    ends, NoteMissing and VaultError.
    """
    for attempt in range(_TRIES):
        path = place()
        if path is None:
            return None
        try:
            before = nest.read_bytes(path)
            after = draft(path, before)
            if after is None or after == before:
                return None
            write_file(nest.root, path, after, digest(before))
        except (NoteChanged, NoteMissing):
            if attempt == _TRIES - 1:
                raise
            continue
        return path
    return None


def _marked(run: Run, found: bytes, before: str | None) -> bytes:
    if before:
        waiting = replace(run, path=before, end=replace(run.end, status="waiting"))
        old, new = (_mark(each, b"").strip() for each in (waiting, run))
        if found.count(old) == 1:
            return found.replace(old, new)
    return found if _mark(run, b"").strip() in found else found + _mark(run, found)


def _mark(run: Run, before: bytes) -> bytes:
    newline = "\r\n" if b"\r\n" in before else "\n"
    gap = "" if not before or before.endswith(b"\n") else newline
    return f"{gap}{newline}> [!nest] {run_link(run)} ({run.status}){newline}".encode()
