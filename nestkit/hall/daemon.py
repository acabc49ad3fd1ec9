"""`nest watch`: what happens in a vault, in; questions in notes asked once, their answers below them, out. Part of the
hall. *Disk, Process, Network*.

    event -> Settling -> look -> Ledger (queue) -> claim in the note -> walk -> answer in the note

One process does one thing after the other. Whatever dies on the way is found again by what note and ledger say.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nestkit.change import digest
from nestkit.errors import NestError
from nestkit.hall.answers import STATE_OF
from nestkit.hall.asking import draft_ask, pause_file, seal, watch_folder
from nestkit.hall.looking import Looking
from nestkit.hall.marking import NOTE_BYTES, Marking, said, this_host
from nestkit.hall.recovery import recover
from nestkit.hall.review import Ticked, approve, check_tick, get_entry
from nestkit.hall.walk import Company
from nestkit.run import Run
from nestkit.trigger import EndState, Trigger
from nestkit.vault.files import read_file
from nestkit.watching.events import Watching
from nestkit.watching.ledger import Asked, Ledger, Seen, open_ledger
from nestkit.watching.lock import hold_watch
from nestkit.watching.settling import WHOLE, Settling

if TYPE_CHECKING:
    from nestkit.nest import Nest

_HOUR = 3600.0
_AGAIN_SECONDS = 60.0
"""How long a claim that could not be written waits for another try."""


class Daemon:
    """One vault being watched, by one process at a time."""

    def __init__(self, nest: Nest, say: Callable[[str], None]) -> None:
        self.nest = nest
        self.say = say
        self.host = this_host()
        self.ledger: Ledger
        self.settling = Settling(nest.root, nest.config.watch.settle)
        self.stopping = False
        self._busy = False
        self._later: dict[str, float] = {}
        self._next_whole = 0.0

    @contextmanager
    def open(self) -> Iterator[Daemon]:
        """Nobody else watches meanwhile. Raises Watched, and NestError where another machine is to do it."""
        only = self.nest.config.watch.host
        if only and only != self.host:
            raise NestError(f"this vault is watched by {only} only, and this is {self.host}", "change [watch] host")
        told = {"pid": os.getpid(), "host": self.host, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        folder = watch_folder(self.nest)
        with hold_watch(folder, told), self.nest.engines.keeping():
            self.ledger = open_ledger(folder / "watch.sqlite")
            try:
                self.marking = Marking(self.nest, self.ledger, self.say)
                recover(self.nest, self.ledger, self.marking, self.say)
                self.ledger.look_anew(seal(self.nest))
                self.looking = Looking(self.nest, self.ledger, self.marking, self.say, self.settling.add)
                yield self
            finally:
                self.ledger.close()

    def drain(self) -> None:
        """Everything that is there is looked at and asked, then it ends."""
        self._look([WHOLE])
        while not self.stopping:
            now = time.monotonic()
            self._look(self.settling.take(now))
            if self._ask_next():
                continue
            wait = self.settling.wait_seconds(now)
            if wait is None:
                break
            time.sleep(min(wait + 0.01, 1.0))

    def serve(self, poll_seconds: float = 0.0) -> None:
        """Until it is told to stop: by SIGTERM or SIGINT what runs is finished, by a second one it is cancelled."""
        control = pause_file(self.nest).parent
        bell = self.settling.bell
        watching = Watching(
            self.nest.root, self.settling.add, poll_seconds=poll_seconds, control=control, ring=bell.set
        )
        with self._signals():
            try:
                watching.start()
                self._look([WHOLE])
                self.say(f"watching {self.nest.root}")
                while not self.stopping:
                    bell.wait(self._wait_seconds())
                    bell.clear()
                    self.nest.engines.close_idle()
                    if time.monotonic() >= self._next_whole:
                        self.settling.add(WHOLE)
                    paths = self.settling.take(time.monotonic())
                    if WHOLE in paths:
                        watching.follow()
                    try:
                        self._look(paths)
                        if self._ask_next():
                            bell.set()
                    except sqlite3.OperationalError as error:  # without a ledger nothing may be asked
                        self.say(f"the ledger cannot be written: {error}; all is tried again in a minute")
                        self._next_whole = time.monotonic() + _AGAIN_SECONDS
            finally:
                watching.stop()
                self.say("stopped")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        def stop(number: int, frame: object) -> None:
            if self.stopping and self._busy:
                raise KeyboardInterrupt
            self.stopping = True
            self.settling.bell.set()

        before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _wait_seconds(self) -> float:
        now = time.monotonic()
        waits = [self._next_whole - now, self.settling.wait_seconds(now), self.nest.engines.idle_seconds()]
        if not self.paused and (self._later or self.ledger.queue(limit=1)):
            waits.append(self._next_ask_seconds())
        return max(0.0, min(wait for wait in waits if wait is not None))

    @property
    def paused(self) -> bool:
        return pause_file(self.nest).exists()

    def _look(self, paths: Sequence[str]) -> None:
        if not paths:
            return
        if WHOLE in paths:
            self._next_whole = time.monotonic() + self.nest.config.watch.reconcile
            if not self.looking.look_at_all():
                return
        else:
            self.looking.look_at(paths)
        self._refresh()

    def _refresh(self) -> None:
        """The index brought up to date; a disk that is full is said, and the next look tries again."""
        try:
            self.nest.refresh()
        except sqlite3.OperationalError as error:
            self.say(f"the index cannot be brought up to date: {error}")

    # asking

    def _ask_next(self) -> bool:
        """Whether a question was taken up: the oldest that waits and may be asked now."""
        if self.paused or self.stopping:
            return False
        if ticks := self.looking.ticks:
            self._approve(*ticks.popitem())
            return True
        number = 0
        while page := self.ledger.queue(number):
            for asked in page:
                if self._due_seconds(asked) <= 0:
                    self._later.pop(asked.key, None)
                    self._ask(asked)
                    return True
            number = page[-1].number
        return False

    def _approve(self, path: str, seen: Seen) -> None:
        """A yes carried out: looked at again first, since the note may have changed while it waited."""
        self._busy = True
        try:
            ticked = check_tick(self.nest, path, read_file(self.nest.root, path, NOTE_BYTES))
            if isinstance(ticked, Ticked):
                self.say(f"{path}: approved by its tick")
                self.nest.refresh()
                run = approve(self.nest, get_entry(self.nest, ticked.run), ticked.digest, Company(say=self.say))
                self.say(f"{path}: {run.status}{': ' + run.end.reason if run.end.reason else ''}")
        except (NestError, KeyboardInterrupt) as error:
            self.say(f"{path}: not carried out: {said(error) if isinstance(error, NestError) else 'stopped'}")
        finally:
            self._busy = False
        self.ledger.note_seen(seen)

    def _due_seconds(self, asked: Asked) -> float:
        """How long until a question may be asked, by the caps of an hour and after a failed claim."""
        watch, now = self.nest.config.watch, time.time()
        waits = [self._later.get(asked.key, 0.0) - time.monotonic()]
        for most, path in ((watch.per_note, asked.path), (watch.per_vault, None)):
            claims = [at for at in self.ledger.claims_since(now - _HOUR, path) if at <= now]
            if len(claims) >= most:
                waits.append(claims[-most] + _HOUR - now if most > 0 else _HOUR)
        return max(waits)

    def _next_ask_seconds(self) -> float:
        return max(0.0, min((self._due_seconds(asked) for asked in self.ledger.queue()), default=_HOUR))

    def _ask(self, asked: Asked) -> None:
        """One question from its claim to its end; whatever goes wrong is written down, and goes no further."""
        claim = f"{datetime.now():%Y%m%d-%H%M%S}-{os.urandom(4).hex()}"
        asked = replace(asked, claim=claim, claimed=time.time())
        self.ledger.set_state(asked.key, "claiming", claim=claim, claimed=asked.claimed)
        if asked.kind == "automation":
            self._carry_out(asked, lambda: self._automate(asked))
            return
        try:
            trigger = self.marking.claim(asked, claim)
        except NestError as error:
            self.ledger.set_state(asked.key, "queued", claim="", claimed=0, reason=f"cannot be claimed: {said(error)}")
            self._later[asked.key] = time.monotonic() + _AGAIN_SECONDS
            self.say(f"{asked.place}: cannot be claimed: {said(error)}")
            return
        if trigger is None:
            self.ledger.drop(asked.key)
            return
        self._carry_out(asked, lambda: self._walk(asked, trigger))

    def _carry_out(self, asked: Asked, act: Callable[[], None]) -> None:
        self.ledger.set_state(asked.key, "running")
        self.say(f"{asked.place}: asking: {asked.text[:80]}")
        self._busy = True
        try:
            act()
        except KeyboardInterrupt:
            self._end(asked, "failed", "stopped before it was done")
        except NestError as error:
            self._end(asked, "failed", said(error))
        except Exception as error:  # a fault of ours must not take the daemon down, nor leave a note running
            self.say(traceback.format_exc())
            self._end(asked, "failed", f"a bug of ours: {type(error).__name__}: {error}")
        finally:
            self._busy = False

    def _automate(self, asked: Asked) -> None:
        self.nest.refresh()
        run = self.looking.automations.run(asked)
        if isinstance(run, str):
            self._close(asked, "refused", run, None)
            return
        self._note_own(run)
        self._close(asked, STATE_OF[run.status], run.end.reason, run)

    def _note_own(self, run: Run) -> None:
        for change in run.changes:
            self.ledger.note_own(digest(change.after))

    def _walk(self, asked: Asked, trigger: Trigger) -> None:
        ask = draft_ask(self.nest, asked.path, trigger)
        if isinstance(ask, str):
            self._end(asked, "refused", ask)
            return
        self.nest.refresh()
        mark = self.marking.mark(asked)
        told: list[str] = []

        def say(line: str) -> None:
            told.append(line)
            self.say(f"  {line}")

        run = self.nest.answer(ask, Company(say=say, mark=mark))
        self._note_own(run)
        if run.path is None and run.status == "ok":
            self._end(asked, "failed", f"it was answered, and the answer could not be kept: {' '.join(told[-1:])}")
            return
        if run.path is None or self.marking.is_claimed(asked):  # no note came of it, or it could not be marked
            self._end(asked, STATE_OF[run.status], run.end.reason or "see the run", run)
        else:
            self._close(asked, STATE_OF[run.status], run.end.reason, run)

    def _end(self, asked: Asked, state: EndState, reason: str, run: Run | None = None) -> None:
        if run is not None:
            asked = replace(asked, run=run.id, run_path=run.path or "")
        self._close(asked, state, reason, run)
        self.marking.tell_end(asked, state, reason)

    def _close(self, asked: Asked, state: EndState, reason: str, run: Run | None) -> None:
        known = {"run": run.id, "run_path": run.path or ""} if run else {}
        self.ledger.set_state(asked.key, state, reason=reason, finished=time.time(), **known)
        self.say(f"{asked.place}: {state}{': ' + reason if reason else ''}")
