"""A vault in; who watches it, what was asked, and why something was not, out. Part of the hall. *Disk*, reading only,
beside a daemon that works; and the service that starts one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nestkit.change import digest
from nestkit.errors import NestError
from nestkit.hall.answers import read_triggers
from nestkit.hall.asking import pause_file, watch_folder, why_not
from nestkit.hall.automation import automations_folder, read_automations
from nestkit.hall.marking import said, this_host
from nestkit.note import Problem
from nestkit.trigger import Skipped, Trigger
from nestkit.vault.place import vault_key
from nestkit.watching.ledger import OPEN, Asked, Ledger, open_ledger
from nestkit.watching.lock import find_watcher
from nestkit.watching.log import LOG
from nestkit.watching.service import Service, draft_service, write_service

if TYPE_CHECKING:
    from nestkit.nest import Nest


def watch_status(nest: Nest, limit: int = 10) -> dict[str, Any]:
    """`{running, paused, host, only, queue, counts, last, problems, log}`."""
    folder = watch_folder(nest)
    with _ledger(nest) as ledger:
        waiting = ledger.queue(limit=limit) if ledger else []
        counts = ledger.counts() if ledger else {}
        last = ledger.last(limit) if ledger else []
        problems = [f"{a.place}: {a.reason}" for a in waiting if a.reason]
        problems += [f"{a.place}: {a.state}: {a.reason}" for a in last if a.state in ("failed", "interrupted")]
    return {
        "running": find_watcher(folder),
        "paused": pause_file(nest).exists(),
        "host": this_host(),
        "only": nest.config.watch.host,
        "queue": counts.get("queued", 0),
        "counts": counts,
        "waiting": [asked_record(asked) for asked in waiting],
        "last": [asked_record(asked) for asked in last],
        "problems": problems,
        "log": str(folder / LOG),
    }


def asked_record(asked: Asked) -> dict[str, Any]:
    """`{path, line, kind, text, state, run, reason, queued, finished}`, times as ISO text."""
    times = {name: _iso(getattr(asked, name)) for name in ("queued", "claimed", "finished")}
    names = ("path", "line", "kind", "text", "source", "state", "run", "run_path", "reason")
    return {name: getattr(asked, name) for name in names} | times


def why(nest: Nest, path: str) -> list[dict[str, Any]]:
    """`{line, what, state, why}` of everything in a note that asks or looks like it; line 0 concerns the whole note."""
    if path.startswith(automations_folder(nest) + "/"):
        return _why_automation(nest, path)
    if reason := why_not(nest, path):
        return [_row(0, path, "skipped", reason)]
    content = nest.read_bytes(path)
    try:
        triggers = read_triggers(nest, path, content)
    except NestError as error:
        return [_row(0, path, "skipped", said(error))]
    with _ledger(nest) as ledger:
        rows = [_told(nest, ledger, path, trigger) for trigger in triggers.found]
        seen = ledger.seen(path) if ledger else None
        automated = [each for each in (ledger.of_note(path) if ledger else []) if each.kind == "automation"]
    rows += [_skipped(each) for each in triggers.skipped]
    rows += [_row(0, f"{each.source}: {each.text}", each.state, _automated(each)) for each in automated]
    if not rows:
        rows = [_row(0, path, "nothing", "no block `nest`, no task #nest, no property nest: stands in it")]
    elif any(trigger.state == "todo" for trigger in triggers.found) and find_watcher(watch_folder(nest)) is None:
        rows.append(_row(0, path, "waiting", "nobody watches this vault: start `nest watch`"))
    elif seen is None or seen.digest != digest(content):
        rows.append(_row(0, path, "waiting", "the note was changed and is not settled yet"))
    return sorted(rows, key=lambda row: row["line"])


def _why_automation(nest: Nest, path: str) -> list[dict[str, Any]]:
    """What an automation waits for, or what is wrong with it."""
    found = next((each for each in read_automations(nest) if each.path == path), None)
    if found is None:
        return [_row(0, path, "off", "it has no `on`, or says `enabled: false`")]
    if isinstance(found, Problem):
        return [_row(found.line, path, "off", found.what)]
    more = {"tagged": f"tagged {found.name}", "becomes": f"one whose {found.name} becomes {found.value}"}
    event = more.get(found.event, found.event)
    where = f" in {found.folder}" if found.folder else ""
    return [_row(0, path, "on", f"when a note{where} is {event}: {found.ask or f'tool {found.tool}'}")]


def _automated(asked: Asked) -> str:
    if asked.state in OPEN:
        return f"set off at {_iso(asked.queued)}"
    return (
        f"carried out at {_iso(asked.finished)}"
        + (f", run {asked.run}" if asked.run_path else "")
        + (f": {asked.reason}" if asked.reason else "")
    )


def own_service(nest: Nest, program: str) -> Service:
    """What would start `nest watch` for this vault with the desktop."""
    name = f"{nest.root.name.lower().replace(' ', '-') or 'vault'}-{vault_key(nest.root)[:6]}"
    safe = "".join(character for character in name if character.isascii() and (character.isalnum() or character == "-"))
    return draft_service(Path.home(), safe, program, nest.root, os.environ, watch_folder(nest) / LOG)


def write_own_service(service: Service) -> bool:
    """Whether it was written; False when it is there already."""
    return write_service(service)


_SAID = {
    "running": "somebody set it to running",
    "waiting": "it waits for a person: `nest runs show` tells for what",
    "done": "it is done",
    "failed": "it failed",
    "refused": "it was refused",
}


def _told(nest: Nest, ledger: Ledger | None, path: str, trigger: Trigger) -> dict[str, Any]:
    asked = ledger.find(trigger.key(path)) if ledger else None
    section, reason = trigger.section, ""
    if trigger.state == "running" and section is not None:
        mine = section.host == this_host()
        reason = "it is being answered" if mine else f"{section.host or 'another machine'} has claimed it"
        known = ledger.find_claim(section.id) if ledger and mine else None
        if mine and (known is None or known.state not in OPEN):
            reason = "a claim of this machine that its ledger does not know; set it to todo to ask again"
    elif trigger.state != "todo":
        reason = _SAID[trigger.state] + (f"; run {section.id}" if section else "")
    elif asked is None:
        reason = "it is to be asked"
    elif asked.state == "queued":
        reason = f"it waits since {_iso(asked.queued)}" + (f": {asked.reason}" if asked.reason else "")
        reason += "; asking is paused: `nest resume`" if pause_file(nest).exists() else _capped(nest, ledger, path)
    elif asked.state in OPEN:
        reason = "it is being answered"
    else:
        how = f"it was asked before ({asked.state}{f', run {asked.run}' if asked.run else ''})"
        reason = f"{how}, and an older note is no reason to ask again; change its words to ask anew"
    return _row(trigger.line, f"{trigger.kind}: {trigger.text[:80]}", trigger.state, reason)


def _capped(nest: Nest, ledger: Ledger | None, path: str) -> str:
    since, watch = datetime.now(UTC).timestamp() - 3600, nest.config.watch
    if ledger is not None and len(ledger.claims_since(since, path)) >= watch.per_note:
        return f"; this note has asked {watch.per_note} times within an hour (per_note)"
    if ledger is not None and len(ledger.claims_since(since)) >= watch.per_vault:
        return f"; this vault has asked {watch.per_vault} times within an hour (per_vault)"
    return ""


def _skipped(each: Skipped) -> dict[str, Any]:
    return _row(each.line, each.what, "skipped", each.why)


def _row(line: int, what: str, state: str, reason: str) -> dict[str, Any]:
    return {"line": line, "what": what, "state": state, "why": reason}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().isoformat(timespec="seconds") if seconds else ""


@contextmanager
def _ledger(nest: Nest) -> Iterator[Ledger | None]:
    """The vault's ledger, or None when nothing was ever watched."""
    file = watch_folder(nest) / "watch.sqlite"
    if not file.exists():
        yield None
        return
    ledger = open_ledger(file)
    try:
        yield ledger
    finally:
        ledger.close()
