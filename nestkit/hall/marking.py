"""What is asked in a note and how far it is, in; its claim, its answer or its failure written into that note, out. Part
of the hall. *Disk*.

Every write is drafted from the note as it is at that moment: a question is known by what it says, an answer by its id.
Whatever else somebody wrote meanwhile stays.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from nestkit.change import digest
from nestkit.errors import NestError, NoteMissing, VaultError
from nestkit.hall.answers import STATE_OF, draft_callout, end_section, find_owner, read_triggers
from nestkit.hall.walk import Mark
from nestkit.hall.write_back import rewrite
from nestkit.run import Run
from nestkit.runs.quiet import draft_line
from nestkit.trigger import Trigger, TriggerState
from nestkit.vault.files import list_files, read_file
from nestkit.vault.property import set_property
from nestkit.watching.ledger import Asked, Ledger
from nestkit.watching.mark import release, safe_host, write_state
from nestkit.watching.source import why_no_source

if TYPE_CHECKING:
    from nestkit.nest import Nest

_AGAIN = {
    "task": "untick it to ask again",
    "block": "write `todo` for the state in the line above to ask again",
}
NOTE_BYTES = 2 << 20
"""Of a note that may ask; a longer one is not read."""


def this_host(environ: Mapping[str, str] = os.environ) -> str:
    """This machine's name, as claims carry it; NEST_HOST sets another."""
    return safe_host(environ.get("NEST_HOST") or platform.node() or "here")


class Marking:
    """The pen of the daemon."""

    def __init__(self, nest: Nest, ledger: Ledger, say: Callable[[str], None]) -> None:
        self._nest = nest
        self._ledger = ledger
        self._say = say
        self._host = this_host()

    def claim(self, asked: Asked, claim: str) -> Trigger | None:
        """The question as it stands claimed in its note; None when it does not stand there to be asked any more."""
        claimed: list[Trigger] = []

        def draft(path: str, before: bytes) -> bytes | None:
            claimed.clear()
            found = read_triggers(self._nest, path, before).found
            trigger = next((each for each in found if each.state == "todo" and each.key(path) == asked.key), None)
            if trigger is None:
                return None
            claimed.append(trigger)
            now = datetime.now().astimezone()
            lines = [f"> [!nest] running since {now:%H:%M} on {draft_line(self._host)}"]
            return self._written(path, before, trigger, "running", claim, lines, self._host)

        path = rewrite(self._nest, lambda: asked.path, draft)
        return claimed[0] if path and claimed else None

    def mark(self, asked: Asked) -> Mark:
        """How the note of a claimed question tells of its run."""

        def draft(run: Run, path: str, before: bytes) -> bytes | None:
            state = STATE_OF[run.status]
            return self._ended(asked, path, before, state, run.id, draft_callout(run, state))

        return Mark(lambda: self.place(asked), draft)

    def fail(self, asked: Asked, state: TriggerState, reason: str) -> str | None:
        """Path of the note that now says how a claim ended without a run's note; None when its mark is gone."""
        lines = [f"> [!nest] {state}", f"> {draft_line(reason)}"]
        if asked.run_path:
            lines[0] += f" · [[{asked.run_path.removesuffix('.md')}]]"
        again = _AGAIN.get(asked.kind, "set nest-state to todo to ask again")
        lines += [f"> {again}"] if state == "failed" else []
        id = asked.run or asked.claim
        return rewrite(
            self._nest,
            lambda: self.place(asked),
            lambda path, before: self._ended(asked, path, before, state, id, lines),
        )

    def tell_end(self, asked: Asked, state: TriggerState, reason: str) -> None:
        """The same for a note that may be in nobody's power to write: that is said, and goes no further."""
        if asked.kind == "automation":
            return  # it writes nothing into the note it happened to
        try:
            self.fail(asked, state, reason)
        except NestError as error:
            self._say(f"{asked.path}: its state could not be written: {said(error)}")

    def release(self, asked: Asked) -> None:
        """A claim of which nothing was run, taken back."""

        def draft(path: str, before: bytes) -> bytes | None:
            owner = find_owner(read_triggers(self._nest, path, before), asked.claim)
            if owner is None:
                return None
            return self._bytes(path, before, release(before.decode(), owner, set_property).encode())

        rewrite(self._nest, lambda: self.place(asked), draft)

    def is_claimed(self, asked: Asked) -> bool:
        """Whether the claim still stands in its note."""
        try:
            return asked.claim.encode() in read_file(self._nest.root, asked.path, NOTE_BYTES)
        except NoteMissing:
            return self.place(asked) is not None
        except VaultError:
            return False

    def place(self, asked: Asked) -> str | None:
        """Path of the note in which the claim stands, wherever it was moved; None when it stands nowhere."""
        mark = asked.claim.encode()
        for path in chain((asked.path,), self._others()):
            try:
                if mark in read_file(self._nest.root, path, NOTE_BYTES):
                    return path
            except (NoteMissing, VaultError):
                continue
        return None

    def _others(self) -> Iterator[str]:
        """Every other note it may have gone to; listed only once somebody looks for it there."""
        for entry in list_files(self._nest.root, self._nest.config.system):
            if not why_no_source(entry.path) and not self._nest.is_run(entry.path):
                yield entry.path

    def _ended(
        self, asked: Asked, path: str, before: bytes, state: TriggerState, id: str, lines: Sequence[str]
    ) -> bytes | None:
        after = end_section(self._nest, path, before, asked.claim, state, id, lines)
        return None if after is None else self._bytes(path, before, after)

    def _written(
        self,
        path: str,
        before: bytes,
        trigger: Trigger,
        state: TriggerState,
        id: str,
        lines: Sequence[str],
        host: str = "",
    ) -> bytes:
        return self._bytes(
            path, before, write_state(before.decode(), trigger, state, id, lines, set_property, host).encode()
        )

    def _bytes(self, path: str, before: bytes, after: bytes) -> bytes:
        """The bytes about to be written, known as nest's own unless they carry what was not looked at yet."""
        seen = self._ledger.seen(path)
        if seen is not None and (seen.digest == digest(before) or self._ledger.is_own(digest(before))):
            self._ledger.note_own(digest(after))
        return after


def said(error: NestError) -> str:
    """An error on one line, with what to do."""
    return f"{error}; {error.hint}" if error.hint else str(error)
