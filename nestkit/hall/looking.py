"""Files that changed, in; their questions queued in the ledger, and what asks no more taken back, out. In the hall.
*Disk*.

A file is read once for each content it has: what it asks, what it sets off, whether a box in it says yes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from nestkit.change import digest
from nestkit.errors import NestError, NoteMissing, OutsideVault
from nestkit.hall.answers import read_triggers
from nestkit.hall.asking import why_not
from nestkit.hall.automation import Automations, automations_folder
from nestkit.hall.marking import NOTE_BYTES, Marking, said, this_host
from nestkit.hall.review import Ticked, check_tick
from nestkit.policy import Refusal
from nestkit.trigger import STATES, Section, Trigger
from nestkit.vault.files import Entry, list_files, read_file
from nestkit.watching.ledger import OPEN, Ledger, Seen

if TYPE_CHECKING:
    from nestkit.nest import Nest


class Looking:
    """The eyes of the daemon."""

    def __init__(
        self, nest: Nest, ledger: Ledger, marking: Marking, say: Callable[[str], None], later: Callable[[str], None]
    ) -> None:
        self._nest = nest
        self._ledger = ledger
        self._marking = marking
        self._say = say
        self._later = later
        self._host = this_host()
        self._first = ledger.is_new()
        self.automations = Automations(nest, ledger, say)
        self.ticks: dict[str, Seen] = {}
        """Notes of runs in which somebody said yes, and how they were then."""

    def look_at(self, paths: Sequence[str]) -> None:
        """These files; what is gone comes first, since it may be what was moved."""
        with self._ledger.writing():
            for path in sorted(paths, key=lambda path: (self._nest.root / path).exists()):
                self._look(path)

    def look_at_all(self) -> bool:
        """The whole vault against what was seen of it: what moved is looked at, what is gone forgotten.

        False when all of it is gone, which no person does and a disk that is not there does.
        """
        known, now = self._ledger.stamps(), time.time()
        settle = self._nest.config.watch.settle
        entries = [each for each in list_files(self._nest.root, self._nest.config.system) if not each.target]
        if known and not entries:
            self._say("the vault looks empty: is its disk there? Nothing is forgotten")
            return False
        with self._ledger.writing():
            for entry in entries:
                if not entry.path.lower().endswith(".md") or known.pop(entry.path, None) == _stamp(entry):
                    continue
                if 0 <= now - entry.mtime_ns / 1e9 < settle:
                    self._later(entry.path)  # somebody may be in the middle of it
                else:
                    self._look(entry.path)
            for path in known:
                self._look(path)
        self._first = False
        self._ledger.prune()
        return True

    def _look(self, path: str) -> None:
        """One note read once: its questions queued, what it does not ask any more taken back."""
        try:
            content = read_file(self._nest.root, path, NOTE_BYTES)
            found = (self._nest.root / path).lstat()
        except OutsideVault:
            return  # a link: whatever it leads to is looked at where it is
        except (NoteMissing, FileNotFoundError):
            if (seen := self._ledger.seen(path)) is not None:
                self.automations.gone(seen)
                self._ledger.forget(path)
            return
        except (NestError, OSError) as error:
            self._say(f"{path}: cannot be read: {error}")
            return
        seen = self._ledger.seen(path)
        stamp = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        now = Seen(path, *stamp, digest(content), seen.said if seen else "")
        if seen is None or seen.digest != now.digest:
            if self._nest.is_run(path) and self._is_ticked(path, content):
                self.ticks.setdefault(path, now)
                return  # it counts as seen when the yes was carried out
            if not why_not(self._nest, path):
                self._read(path, content)
                said = self.automations.look(path, content, seen, now, first=self._first)
                now = replace(now, said=said)
            elif path.startswith(automations_folder(self._nest) + "/") and not self._first:
                self.automations.reload()
        self._ledger.note_seen(now)

    def _is_ticked(self, path: str, content: bytes) -> bool:
        """Whether a person approved what waits in this run's note; a tick that approves nothing is told, once."""
        if b"[x]" not in content.lower():
            return False
        found = check_tick(self._nest, path, content)
        if isinstance(found, Refusal):
            self._say(f"{found.reason}; {found.hint}")
        return isinstance(found, Ticked)

    def _read(self, path: str, content: bytes) -> None:
        try:
            triggers = read_triggers(self._nest, path, content) if self._may_ask(path, content) else None
        except NestError as error:
            self._say(said(error))
            return
        keys = []
        for trigger in triggers.found if triggers else ():
            if trigger.kind == "inbox" and self._ledger.is_own(digest(content)):
                continue  # what a run put there is no post of anybody's
            if trigger.state == "todo":
                keys.append(trigger.key(path))
                self._ledger.enqueue(keys[-1], path, trigger.kind, trigger.line, trigger.text, time.time())
            elif trigger.section is not None:
                self._compare(trigger, trigger.section)
        self._ledger.keep_queued(path, keys)

    def _may_ask(self, path: str, content: bytes) -> bool:
        inbox = self._nest.config.watch.inbox
        return b"nest" in content.lower() or bool(inbox and path.startswith(inbox + "/"))

    def _compare(self, trigger: Trigger, section: Section) -> None:
        """Note and ledger brought to say the same of a question that was asked."""
        asked = self._ledger.find_claim(section.id)
        if asked is None or asked.state in OPEN:
            return
        if trigger.state == "running" and section.host == self._host:  # the disk was full, or an old note came back
            ended = "failed" if asked.state == "interrupted" else asked.state
            state = next(each for each in STATES if each == ended)
            self._marking.tell_end(asked, state, asked.reason or "its answer could not be written here at the time")
        elif asked.state in ("waiting", "interrupted") and trigger.state in ("done", "refused"):  # a person decided
            self._ledger.set_state(asked.key, trigger.state, finished=time.time())


def _stamp(entry: Entry) -> tuple[int, int, int, int]:
    return (entry.size, entry.mtime_ns, entry.ctime_ns, entry.inode)
