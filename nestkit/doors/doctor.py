"""This machine and this vault, in; findings a person can act on, out. *Disk, Process, Network*."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nestkit.config import Config
from nestkit.doors.machine import explain
from nestkit.errors import NestError
from nestkit.hall.engines import list_engines, own_setup
from nestkit.hall.obsidian import Request, look
from nestkit.hall.servers import check_name, list_ollama
from nestkit.hall.tryout import try_model
from nestkit.hall.upkeep import clear_all
from nestkit.hall.watched import watch_status
from nestkit.nest import Nest, open_nest


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    good: bool
    finding: str
    hint: str = ""
    grave: bool = False
    """Whether nest cannot do its work without it."""


Models = Literal["none", "one", "all"]
"""Which models are tried: none, the one that an ask would take, every one."""


def examine(
    start: Path, named: Path | None, models: Models = "none", say: Callable[[str], None] = lambda line: None
) -> list[Finding]:
    """What works here, in the order in which an ask needs it. `say` is told what is being tried."""
    try:
        nest = open_nest(start, named, say=lambda line: None)
    except Exception as error:
        return [_trouble("vault", error), *_isolation(), *_models(Config(), models, say)]
    with nest:
        looks = (("index", _index), ("tools", _tools), ("packages", _packages))
        found = [_tried(name, look, nest) for name, look in looks]
        looks = (("palette", _palette), ("watch", _watch), ("left over", _left_behind))
        beside = [_tried(name, look, nest) for name, look in looks]
        looked = [*found, *_isolation(), *_models(nest.config, models, say), *beside]
        return [_vault(nest), *_folders(nest), *looked]


def _vault(nest: Nest) -> Finding:
    hint = "" if os.access(nest.root, os.W_OK) else "it may not be written: runs leave no note and change nothing"
    return Finding("vault", not hint, str(nest.root), hint)


def _folders(nest: Nest) -> Iterator[Finding]:
    """The folder of the person's own state, where it cannot be written; the cache's is the index's matter."""
    folder = nest.folders.state
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        finding = f"{folder} cannot be written: no leave is kept, nothing can wait or be watched"
        yield Finding("folders", False, finding, "see who owns it, or set NEST_STATE_DIR")


def _tried(name: str, look: Callable[[Nest], Finding], nest: Nest) -> Finding:
    try:
        return look(nest)
    except Exception as error:
        return _trouble(name, error)


def _trouble(name: str, error: Exception) -> Finding:
    """What was expected to go wrong, or what the machine denies, as a finding; a bug goes on as what it is."""
    if isinstance(error, NestError):
        return Finding(name, False, str(error), error.hint, grave=True)
    if (told := explain(error)) is None:
        raise error
    return Finding(name, False, *told, grave=True)


def _index(nest: Nest) -> Finding:
    done = nest.refresh()
    counts = nest.counts()
    problems = counts["problems"]
    finding = f"{counts['notes']} notes, {counts['links']} links, {done.seconds:.3f} s; in {nest.index_file}"
    return Finding("index", not problems, finding, f"{problems} problems: `nest show problems`" if problems else "")


def _tools(nest: Nest) -> Finding:
    registry = nest.registry
    problems = nest.check_tools()
    finding = f"{len(registry.tools)} tools in {len(registry.scripts)} scripts"
    return Finding("tools", not problems, finding, f"{len(problems)} remarks: `nest tools check`" if problems else "")


def _packages(nest: Nest) -> Finding:
    """Whether every script has the packages it asks for."""
    asking = [script for script in nest.registry.scripts if script.dependencies]
    waiting = [script for script in asking if nest.packages.find(script) is None]
    if not waiting:
        return Finding("packages", True, f"{len(asking)} scripts ask for packages, and have them")
    names = ", ".join(script.path.rpartition("/")[2].removesuffix(".py") for script in waiting[:5])
    what = f"{len(waiting)} of {len(asking)} scripts that ask for packages do not have them: {names}"
    refused = next((f"{script.path}: {why}" for script in waiting if (why := nest.packages.refuse(script))), "")
    hint = refused or "`nest trust NAME` shows and prepares them"
    if not refused and not nest.packages.builder:
        hint = "they are prepared by uv, which is not installed: python3 -m pip install uv"
    return Finding("packages", False, what, hint)


def _palette(nest: Nest) -> Finding:
    """nest's commands in Obsidian; a vault without Obsidian lacks nothing."""
    try:
        seen = look(nest, Request())
    except NestError as error:
        return Finding("palette", True, f"not set up: {error}")
    if not (seen.home.installed and seen.home.enabled):
        return Finding("palette", True, "not set up: the plugin Shell commands is not installed and enabled")
    there = sum(
        key.startswith("shell_commands/") and state in ("same", "kept") for key, state in seen.plan.states.items()
    )
    hint = "; ".join(seen.remarks) or (
        "`nest obsidian install` adds them or brings them up to date" if seen.diff else ""
    )
    return Finding("palette", not hint, f"{there} of nest's commands are in Obsidian's palette", hint)


def _watch(nest: Nest) -> Finding:
    try:
        told = watch_status(nest)
    except NestError as error:
        return Finding("watch", False, str(error), error.hint)
    who = told["running"]
    finding = f"watched by process {who['pid']} since {who['since']}" if who else "not watched"
    finding += f", {told['queue']} questions wait" if told["queue"] else ""
    problems = told["problems"]
    return Finding("watch", not problems, finding, f"{len(problems)} problems: `nest status`" if problems else "")


def _left_behind(nest: Nest) -> Finding:
    """What killed nests left: copies of notes should lie nowhere for long."""
    done = clear_all(nest)
    cleared = [
        f"{number} {what} of nests that were killed: cleared away"
        for number, what in ((done.folders, "temporary folders"), (len(done.removed), "temporary files in the vault"))
        if number
    ]
    left = [f"{done.stuck} temporary folders cannot be removed"] if done.stuck else []
    left += [f"{path} is another machine's, an older nest's or in use" for path in done.left]
    hint = "remove what no running nest is writing" if left else ""
    return Finding("left over", not left, "; ".join([*cleared, *left]) or "nothing that killed nests left", hint)


_STATES = {
    "proven": "proven just now by trying to break out",
    "unproven": "holds against its own attacks; never yet run on such a machine by those who wrote it",
    "absent": "absent",
    "broken": "does not hold",
}


def _isolation() -> Iterator[Finding]:
    """What programs run in, and every other way there is."""
    try:
        found = list(list_engines(own_setup()))
    except NestError as error:
        yield Finding("isolation", False, str(error), error.hint, grave=True)
        return
    if own := next((each for each in found if each.unasked), None):
        yield Finding("isolation", True, f"{own.name}, {_STATES[own.state]}")
    else:
        why = "; ".join(f"{each.name}: {each.why}" for each in found if each.state != "absent" and each.why)
        hint = "programs need Linux 5.13 or newer with Landlock; or `nest ask --engine NAME` with one of these"
        yield Finding("isolation", False, why or "nothing here isolates programs unasked", hint, grave=True)
    for each in found:
        said = f"{each.name}: {_STATES[each.state]}{f': {each.why}' if each.why else ''}"
        yield Finding("engine", each.state != "broken", said if each.state == "absent" else f"{said}; {each.does}")


def _models(config: Config, which: Models, say: Callable[[str], None]) -> Iterator[Finding]:
    host, names = list_ollama(config.servers)
    if names:
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        yield Finding("models", True, f"Ollama at {host}: {shown}; and the built-in planner")
    else:
        hint = "install Ollama and pull a model, or set OLLAMA_HOST; without one the built-in planner answers"
        yield Finding("models", False, f"no model at {host}", hint)
    for name in _to_try(config, names, which):
        try:
            verdict = try_model(name, config.servers, config.limits, say)
        except NestError as error:
            yield Finding("model", False, f"{name}: {error}", error.hint)
            continue
        yield Finding("model", verdict.good, verdict.draft(), verdict.advice())


def _to_try(config: Config, names: Sequence[str], which: Models) -> list[str]:
    """Models to try: the one that an ask would take, then the others."""
    installed = [f"ollama/{name}" for name in names]
    named = [] if config.model in ("auto", "builtin") else [config.model]
    if check_name(named[0], config.servers) if named else None:
        named = []
    everything = list(dict.fromkeys([*named, *installed]))
    return {"none": [], "one": everything[:1], "all": everything}[which] if config.model != "builtin" else []
