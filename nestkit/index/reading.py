"""Files to read in, what each says as rows for the index out; whatever is wrong with one is its own problem. *Disk*.

How bytes are got and how they become words is handed in, so the index knows neither the disk nor a parser.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from nestkit.change import digest
from nestkit.index.drafts import NoteRows, ScriptRows, draft_note, draft_script
from nestkit.note import Note, Problem
from nestkit.tool import SCRIPT_SUFFIXES, Script

MAX_NOTE_BYTES = 2 << 20
"""Obsidian has not indexed larger notes since 1.6.0."""
_SETTLE_NS = 2_000_000_000
"""A file written this recently may change again within the same tick of a coarse clock: look again next time."""


@dataclass(frozen=True, slots=True)
class Readers:
    """How files become words."""

    read: Callable[[Iterable[str]], Iterable[bytes | Exception]]
    """The bytes of each path, or why there are none."""
    note: Callable[[str, str], Note]
    canvas: Callable[[str, str], Note]
    script: Callable[[str, bytes], Script]
    system: str
    """Folder whose Python and shell files are scripts."""
    now_ns: Callable[[], int] = time.time_ns
    """The clock that tells whether a file's times can still be those of another change."""


class Item(NamedTuple):
    """One file that has to be read."""

    id: int
    path: str
    source: str
    """Path to read from: another than `path` where that is a link."""
    kind: str
    digest: str
    """Of what was read last time; empty when nothing was."""
    newest_ns: int
    """The later of the times at which its bytes and its inode changed."""


class Reading(NamedTuple):
    """What one file says."""

    id: int
    path: str
    digest: str
    """Of the bytes; or why it could not be read."""
    settled: bool
    """Whether its size and times prove that it is still the same when next looked at."""
    rows: NoteRows | ScriptRows | None
    """None when the bytes are those of last time."""


Batch = Sequence[Item]
ReadAll = Callable[[Iterable[Batch], int], Iterator[Sequence[Reading]]]
"""Batches, and how many files they hold, to the readings of each batch in order."""


def kind_of(path: str, system: str) -> str:
    """`note`, `canvas`, `script` or `other`, by name and place."""
    lower = path.lower()
    if lower.endswith(".md"):
        return "note"
    if lower.endswith(".canvas"):
        return "canvas"
    return "script" if lower.endswith(SCRIPT_SUFFIXES) and path.startswith(system + "/") else "other"


def read_batch(batch: Batch, readers: Readers) -> list[Reading]:
    """The readings of a batch, in order."""
    begun = readers.now_ns()
    readings = []
    for item, content in zip(batch, readers.read([item.source for item in batch]), strict=True):
        if isinstance(content, bytes):
            seal = digest(content)
            rows = None if seal == item.digest else _rows(item, content, readers)
            settled = begun - item.newest_ns - _SETTLE_NS >= 0  # a time to come proves nothing either
            readings.append(Reading(item.id, item.path, seal, settled, rows))
        else:
            why = content.strerror if isinstance(content, OSError) and content.strerror else str(content)
            seal = f"cannot be read: {why}"
            rows = None if seal == item.digest else _unreadable(item, seal)
            readings.append(Reading(item.id, item.path, seal, False, rows))
    return readings


def _rows(item: Item, content: bytes, readers: Readers) -> NoteRows | ScriptRows:
    if item.kind == "script":
        return draft_script(readers.script(item.path, content))
    return draft_note(_parse(item, content, readers))


def _parse(item: Item, content: bytes, readers: Readers) -> Note:
    path = item.path
    if len(content) > MAX_NOTE_BYTES:
        what = f"larger than {MAX_NOTE_BYTES >> 20} MB: Obsidian does not index it, nor does nest; split it"
        return Note(path, problems=(Problem(path, 0, what),))
    try:
        text = content.decode("utf-8")
        broken = None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = content.decode("utf-8", "replace")
        broken = Problem(path, line, "not UTF-8 here; unreadable characters are replaced while reading")
    try:
        note = (readers.canvas if item.kind == "canvas" else readers.note)(path, text)
    except Exception as error:  # a fault of ours must not keep every other note from being found
        note = Note(path, problems=(Problem(path, 0, f"nest failed to read it, please report: {error!r}"),))
    return note if broken is None else replace(note, problems=(*note.problems, broken))


def _unreadable(item: Item, what: str) -> NoteRows | ScriptRows:
    problems = (Problem(item.path, 0, what),)
    if item.kind == "script":
        return draft_script(Script(item.path, "", problems=problems))
    return draft_note(Note(item.path, problems=problems))
