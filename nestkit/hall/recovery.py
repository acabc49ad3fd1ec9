"""What a daemon that died had begun, in; each question to be asked, or said to be interrupted, out. Part of the hall.
*Disk*.

Nothing is run again by itself: whatever was under way may have done its work.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from nestkit.errors import NestError
from nestkit.hall.answers import read_triggers
from nestkit.hall.marking import Marking, said
from nestkit.hall.review import list_entries
from nestkit.trigger import EndState
from nestkit.watching.ledger import Asked, Ledger

if TYPE_CHECKING:
    from nestkit.nest import Nest

_ENDED: tuple[EndState, ...] = ("done", "waiting", "refused", "failed")


def recover(nest: Nest, ledger: Ledger, marking: Marking, say: Callable[[str], None]) -> None:
    """What another process began and did not end. It holds the lock no more, so it is dead."""
    for asked in ledger.begun():
        try:
            place = None if asked.kind == "automation" else marking.place(asked)
            if asked.state == "claiming":  # nothing was run yet
                if place is not None:
                    marking.release(asked)
                ledger.set_state(asked.key, "queued", claim="", claimed=0)
            else:
                _interrupted(nest, ledger, marking, asked, place, say)
        except NestError as error:  # the next start tries again
            say(f"{asked.place}: was interrupted, and that cannot be written down: {said(error)}")


def _interrupted(
    nest: Nest, ledger: Ledger, marking: Marking, asked: Asked, place: str | None, say: Callable[[str], None]
) -> None:
    """A question whose run was under way: its note may say how it ended, else it says that nobody knows."""
    asked = replace(asked, run=_broken_off(nest, asked))
    more = f"`nest review resume {asked.run}` takes it up" if asked.run else "`nest runs` shows what came of it"
    reason = f"interrupted: nest ended while this was being answered; {more}"
    ended = _ended_state(nest, asked) if place is None and asked.kind != "automation" else None
    if place is not None:
        marking.fail(asked, "failed", reason)
    known = {"reason": "" if ended else reason, "finished": time.time(), "run": asked.run}
    ledger.set_state(asked.key, ended or "interrupted", **known)
    say(f"{asked.place}: {ended or reason}")


def _broken_off(nest: Nest, asked: Asked) -> str:
    """Id of the run that was under way for this question; empty when none had begun."""
    begun = datetime.fromtimestamp(asked.claimed).astimezone()
    entries = [each for each in list_entries(nest) if each.state == "running" and each.ask == asked.text]
    return next((each.id for each in entries if datetime.fromisoformat(each.since) >= begun), "")


def _ended_state(nest: Nest, asked: Asked) -> EndState | None:
    """How the note says a question ended whose end the ledger missed."""
    try:
        found = read_triggers(nest, asked.path, nest.read_bytes(asked.path)).found
    except NestError:
        return None
    states = [each.state for each in found if each.text == asked.text and each.section is not None]
    return next((ended for ended in _ENDED if ended in states), None)
