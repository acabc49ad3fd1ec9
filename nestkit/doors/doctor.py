"""This machine and this vault, in; findings a person can act on, out. *Disk, Process, Network*."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nestkit.config import Servers
from nestkit.errors import NestError
from nestkit.nest import Nest, open_nest
from nestkit.servers import list_ollama
from nestkit.workshop import probe_isolation


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    good: bool
    finding: str
    hint: str = ""
    grave: bool = False
    """Whether nest cannot do its work without it."""


def examine(start: Path, named: Path | None) -> list[Finding]:
    """What works here, in the order in which an ask needs it."""
    try:
        nest = open_nest(start, named, say=lambda line: None)
    except NestError as error:
        return [Finding("vault", False, str(error), error.hint, grave=True), _isolation(), _models(Servers())]
    with nest:
        looks = (("index", _index), ("tools", _tools))
        found = [_tried(name, look, nest) for name, look in looks]
        return [Finding("vault", True, str(nest.root)), *found, _isolation(), _models(nest.config.servers)]


def _tried(name: str, look: Callable[[Nest], Finding], nest: Nest) -> Finding:
    try:
        return look(nest)
    except NestError as error:
        return Finding(name, False, str(error), error.hint, grave=True)


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


def _isolation() -> Finding:
    try:
        tier = probe_isolation()
    except NestError as error:
        return Finding("isolation", False, str(error), error.hint, grave=True)
    return Finding("isolation", True, f"{tier}, proven just now by trying to break out")


def _models(servers: Servers) -> Finding:
    host, models = list_ollama(servers)
    if models:
        shown = ", ".join(models[:8]) + (f" and {len(models) - 8} more" if len(models) > 8 else "")
        return Finding("models", True, f"Ollama at {host}: {shown}; and the built-in planner")
    hint = "install Ollama and pull a model, or set OLLAMA_HOST; without one the built-in planner answers"
    return Finding("models", False, f"no model at {host}", hint)
