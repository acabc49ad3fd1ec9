"""A run and the note that asked, in; the answer between marks below its question, as bytes to be written, out. Part of
the hall. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nestkit.errors import VaultError
from nestkit.parse.trigger import parse_triggers
from nestkit.run import Run, Status
from nestkit.runs.note import draft_answer, note_of
from nestkit.runs.quiet import draft_line
from nestkit.trigger import EndState, Trigger, Triggers, TriggerState
from nestkit.vault.property import set_property
from nestkit.visible import visible
from nestkit.watching.mark import release, write_section, write_state

if TYPE_CHECKING:
    from nestkit.nest import Nest

_ALIVE = re.compile(r"[\[\]|%<>#^`*_~\\$={}]|(?<=:):")
"""What means something within a link's text, where nothing can be escaped."""
_ANSWER_LINES = 40
_LINE_CHARS = 2_000

STATE_OF: Mapping[Status, EndState] = {
    "ok": "done",
    "waiting": "waiting",
    "refused": "refused",
    "no_answer": "failed",
    "error": "failed",
    "cancelled": "failed",
}
"""How a run ended -> what the note says."""


def read_triggers(nest: Nest, path: str, content: bytes) -> Triggers:
    """What asks in these bytes of a note. Raises VaultError when they are no UTF-8: they could not be written back."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VaultError(f"{path} is no UTF-8 text (byte {error.start})", "save it as UTF-8") from None
    watch = nest.config.watch
    inbox = watch.inbox_ask if watch.inbox and path.startswith(watch.inbox + "/") else ""
    return parse_triggers(path, text, inbox)


def find_owner(triggers: Triggers, id: str) -> Trigger | None:
    """The question above the answer with this id."""
    return next((each for each in triggers.found if each.section and each.section.id == id), None)


def end_section(
    nest: Nest, path: str, before: bytes, known_as: str, state: TriggerState, id: str, lines: Sequence[str]
) -> bytes | None:
    """The note with another answer between the marks that carry `known_as`; None when there are none.

    A question that was changed meanwhile is not given another's answer: it is to be asked, as it stands now.
    """
    if known_as.encode() not in before:
        return None
    triggers = read_triggers(nest, path, before)
    section = next((each for each in triggers.sections if each.id == known_as), None)
    owner = find_owner(triggers, known_as)
    if section is None:
        return None
    if owner is not None and owner.digest != section.asked:
        return release(before.decode(), owner, set_property).encode()
    if owner is not None:
        try:
            return write_state(before.decode(), owner, state, id, lines, set_property).encode()
        except VaultError:  # the properties were broken meanwhile; the answer is not lost for that
            pass
    return write_section(before.decode(), section, state, id, lines).encode()


def draft_callout(run: Run, state: str) -> list[str]:
    """A run's answer as lines of a callout, cut to what a note can bear, with a link to all of it."""
    note = note_of(run, lambda path: path)
    if note.answer:
        lines = draft_answer(note).split("\n")
    else:
        lines = [draft_line(text) for text in (note.reason, note.hint) if text]
    if len(lines) > _ANSWER_LINES:
        lines = [*lines[:_ANSWER_LINES], f"… {len(lines) - _ANSWER_LINES} lines more in the run"]
    link = f" · {run_link(run)}" if run.path else ""
    return [f"> [!nest] {state}{link}", *(f"> {line[:_LINE_CHARS]}" for line in lines)]


def run_link(run: Run) -> str:
    """A link to the run's note, with the question as its text."""
    target = (run.path or "").removesuffix(".md")
    alias = " ".join(_ALIVE.sub("", visible(run.ask.text)).split())[:80] or "answer"
    return f"[[{target}|{alias}]]"
