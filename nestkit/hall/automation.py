"""What happened to a note, in; the automations of the vault that ask for it, queued, and carried out, out. Part of the
hall. *Disk, Process, Network*.

An automation writes nothing into the note it happened to: its run's note and `nest why` tell. What nest itself wrote
sets off none.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from nestkit.errors import NestError
from nestkit.hall.walk import Company
from nestkit.hall.writers import Call
from nestkit.index.values import has_value
from nestkit.note import Note, Problem, title_of
from nestkit.parse.automation import parse_automation
from nestkit.run import Ask, Run
from nestkit.trigger import Automation
from nestkit.vault.files import list_files, read_file
from nestkit.visible import visible
from nestkit.watching.ledger import Asked, Ledger, Seen

if TYPE_CHECKING:
    from nestkit.nest import Nest

_BYTES = 1 << 20


def automations_folder(nest: Nest) -> str:
    """Where they are."""
    return f"{nest.config.system}/Automations"


def read_automations(nest: Nest) -> list[Automation | Problem]:
    """All automations of the vault, and what is wrong with those that are none."""
    found: list[Automation | Problem] = []
    folder = automations_folder(nest) + "/"
    for entry in list_files(nest.root, nest.config.system):
        if entry.path.startswith(folder) and entry.path.lower().endswith(".md"):
            try:
                each = parse_automation(entry.path, read_file(nest.root, entry.path, _BYTES).decode("utf-8"))
            except (NestError, UnicodeDecodeError) as error:
                each = Problem(entry.path, 0, f"cannot be read: {error}")
            found += [each] if each is not None else []
    return sorted(found, key=lambda each: each.path)


class Automations:
    """Those of one vault, as they were read last."""

    def __init__(self, nest: Nest, ledger: Ledger, say: Callable[[str], None]) -> None:
        self._nest = nest
        self._ledger = ledger
        self._say = say
        self._gone: dict[str, str] = {}
        self.reload()

    def reload(self) -> None:
        """Read anew: one of their notes was changed."""
        found = read_automations(self._nest)
        self._all = [each for each in found if isinstance(each, Automation)]
        for problem in found:
            if isinstance(problem, Problem):
                self._say(f"this automation is off: {problem}")

    def gone(self, seen: Seen) -> None:
        """A note is not where it was: another of the same content may be this one, moved."""
        self._gone[seen.digest] = seen.path
        while len(self._gone) > 1000:
            self._gone.pop(next(iter(self._gone)))

    def look(self, path: str, content: bytes, before: Seen | None, now: Seen, *, first: bool) -> str:
        """What the note says, to be compared with the next time; automations that it sets off are queued.

        `first`: the vault was never looked at before, so nothing in it is new.
        """
        if not self._all:
            return ""
        note = self._nest.parse_note(path, content.decode("utf-8", "replace"))
        said = {"tags": sorted({tag.casefold() for tag in note.tags}), "properties": dict(note.properties or {})}
        if not first and not self._ledger.is_own(now.digest):
            old = self._moved_from(now.digest) if before is None else ""
            for automation in self._all:
                if self._fires(automation, note, said, before, bool(old), now) and self._fits(automation, note, said):
                    self._queue(automation, path, now.digest)
        return json.dumps(said, default=str)

    def run(self, asked: Asked) -> Run | str:
        """One automation carried out for one note, or why it is not."""
        automation = next((each for each in self._all if each.path == asked.source), None)
        if automation is None:
            return "the automation is not there any more"
        ask = Ask(
            text=_filled(automation.ask, asked.path) if automation.ask else f"call {automation.tool}",
            now=datetime.now().astimezone(),
            note=asked.path,
            marks=False,
            contract=self._nest.config.contract,
            engine=self._nest.config.engine,
            limits=self._nest.config.limits,
            trigger="watch",
        )
        call = None if automation.ask else Call(self._nest.get_tool(automation.tool), [asked.path], {})
        company = Company(say=lambda line: self._say(f"  {line}"))
        return self._nest.answer(ask, company, call=call)

    def _fires(
        self, automation: Automation, note: Note, said: dict[str, Any], before: Seen | None, moved: bool, now: Seen
    ) -> bool:
        known = json.loads(before.said) if before is not None and before.said else None
        changed = before is not None and bool(before.digest) and before.digest != now.digest
        if automation.event in ("created", "moved"):
            return before is None and moved == (automation.event == "moved")
        if automation.event == "changed":
            return changed
        if (before is not None and (known is None or not changed)) or moved:
            return False  # how it was is not known
        known = known or {"tags": [], "properties": {}}
        if automation.event == "tagged":
            return automation.name in said["tags"] and automation.name not in known["tags"]
        name, value = automation.name, automation.value
        return has_value(said["properties"], name, value) and not has_value(known["properties"], name, value)

    def _fits(self, automation: Automation, note: Note, said: dict[str, Any]) -> bool:
        inside = not automation.folder or note.path.startswith(automation.folder + "/")
        tagged = not automation.tag or automation.tag in said["tags"]
        return inside and tagged and all(has_value(said["properties"], *pair) for pair in automation.where)

    def _queue(self, automation: Automation, path: str, digest: str) -> None:
        key = hashlib.sha256("\0".join(("automation", automation.digest, path, digest)).encode()).hexdigest()
        text = automation.ask or f"tool {automation.tool}"
        self._ledger.enqueue(key, path, "automation", 0, text, time.time(), automation.path)

    def _moved_from(self, digest: str) -> str:
        """Where a note of this content was that is there no more; empty when it is new."""
        paths: Iterator[str] = iter([self._gone.pop(digest, ""), *self._ledger.paths_of(digest)])
        return next((path for path in paths if path and not (self._nest.root / path).exists()), "")


def _filled(ask: str, path: str) -> str:
    """The ask with the note's names in it, on one line and not longer than names are."""
    for name, value in (("{title}", title_of(path)), ("{path}", path)):
        ask = ask.replace(name, " ".join(visible(value).split())[:200])
    return ask
