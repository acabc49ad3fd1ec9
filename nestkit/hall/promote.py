"""A run and a name in; its program as a script in the vault, out. Part of the hall. *Disk*."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from nestkit.change import Applied, Change
from nestkit.errors import NestError, NoteExists
from nestkit.hall.reading import read_script
from nestkit.hall.replay import Earlier
from nestkit.hall.toolbox import check_new_name
from nestkit.hall.write_back import link_to
from nestkit.runs.name import draft_id
from nestkit.runs.promote import draft_script
from nestkit.vault.apply import apply_changes

if TYPE_CHECKING:
    from nestkit.nest import Nest


def draft_promotion(nest: Nest, earlier: Earlier, name: str) -> Change:
    """The script that the program of a run becomes, as a change nobody has made yet.

    Raises NoteExists where something has this name, NestError where the program cannot be a tool.
    """
    run = earlier.run
    check_new_name(name, "", name)
    path = f"{nest.config.system}/{name}.py"
    taken = {part for tool in nest.registry.tools for part in (tool.name, tool.short, tool.name.partition(".")[0])}
    if nest.find_bytes(path) is not None or name in taken:
        raise NoteExists(f"there is something called {name} already", "choose another name with --as")
    if run.status != "ok":
        raise NestError(f"run {run.id} has no answer ({run.status}), so nothing to keep", "`nest runs` lists others")
    names = {part for tool in nest.registry.tools for part in (tool.short, tool.name.partition(".")[0])}
    text = draft_script(run, name, link_to(nest, run.path) if run.path else run.id, names)
    _check(path, text, name)
    return Change(path, None, text.encode())


def promote(nest: Nest, change: Change, say: Callable[[str], None]) -> tuple[str, tuple[Applied, ...]]:
    """(the id under which it can be undone, what became of it); the tool is the person's own, and has their leave as
    long as the script stays as it is. Raises VaultError."""
    now = datetime.now().astimezone()
    done_id = draft_id(now, "promote")
    applied = apply_changes(nest.root, done_id, [change])
    nest.refresh()
    for tool in nest.registry.tools:
        if tool.script == change.path:
            nest.trust.keep(nest.trust.wants(tool), now, say)  # the person has read it just now
    return done_id, applied


def _check(path: str, text: str, name: str) -> None:
    """Raise NestError unless the script reads as the one tool that it should be."""
    script = read_script(path, text.encode())
    found = [tool.name for tool in script.tools if tool.manner == "composed"]
    if script.problems or found != [name]:
        why = "; ".join(problem.what for problem in script.problems) or "no tool is found in it"
        raise NestError(f"the script would not read as a tool: {why}", "this is a fault of ours: please report it")
