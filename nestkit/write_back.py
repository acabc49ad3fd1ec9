"""A finished run in; its note, its trace and the asking note's mark on disk, out. Part of the hall. *Disk*."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from nestkit.change import digest
from nestkit.errors import NestError, NoteChanged, NoteExists
from nestkit.note import title_of
from nestkit.run import Run
from nestkit.runs.name import draft_path
from nestkit.runs.note import draft_note, note_of
from nestkit.runs.quiet import draft_line
from nestkit.runs.trace import draft_trace
from nestkit.vault.write import write_file

if TYPE_CHECKING:
    from nestkit.nest import Nest

_TRIES = 5
"""How often a name or a note that somebody else takes at the same moment is tried again."""


def write_back(nest: Nest, run: Run, say: Callable[[str], None]) -> Run:
    """The run with its note's path. Trouble with the disk is said and costs no answer: the run comes back as it is."""
    try:
        run = _write_note(nest, run)
    except NestError as error:
        say(f"the run note could not be written: {error}")
        return run
    try:
        _write_trace(nest, run)
        if run.ask.note:
            _write_mark(nest, run, run.ask.note)
    except NestError as error:
        say(f"{error}; the run note is {run.path}")
    return run


def note_text(nest: Nest, run: Run) -> str:
    """The text of the run's note."""
    return draft_note(note_of(run, lambda path: link_to(nest, path)))


def link_to(nest: Nest, path: str) -> str:
    """A link that leads to this file and no other: its name where that is unique, else its path."""
    if any(character in path for character in "#^[]|"):
        return f"[{title_of(path)}]({quote(path)})"
    name = title_of(path)
    return f"[[{name if nest.resolves_only_to(name, path) else path.removesuffix('.md')}]]"


def _write_note(nest: Nest, run: Run) -> Run:
    content = note_text(nest, run).encode()
    for _ in range(_TRIES):
        path = draft_path(nest.config.runs, run.ask.text, run.ask.now, lambda path: (nest.root / path).exists())
        try:
            write_file(nest.root, path, content, None)
        except NoteExists:
            continue
        return replace(run, path=path)
    raise NoteExists(f"no free name for the run's note in {nest.config.runs}", "ask again")


def _write_trace(nest: Nest, run: Run) -> None:
    write_file(nest.root, f".nest/runs/{run.id}.jsonl", draft_trace(run).encode(), None)
    if not (nest.root / ".nest/.gitignore").exists():
        write_file(nest.root, ".nest/.gitignore", b"*\n", None)


def _write_mark(nest: Nest, run: Run, asking: str) -> None:
    """One line at the end of the asking note, linking to the answer; every other byte stays."""
    for attempt in range(_TRIES):
        before = nest.read_bytes(asking)
        try:
            write_file(nest.root, asking, before + _mark(run, before), digest(before))
        except NoteChanged:
            if attempt == _TRIES - 1:
                raise
            continue
        return


def _mark(run: Run, before: bytes) -> bytes:
    newline = "\r\n" if b"\r\n" in before else "\n"
    gap = "" if not before or before.endswith(b"\n") else newline
    target = (run.path or "").removesuffix(".md")
    alias = draft_line(run.ask.text).replace("|", "").replace("\\", "")[:80]
    return f"{gap}{newline}> [!nest] [[{target}|{alias}]] ({run.status}){newline}".encode()
