"""Programs of earlier runs, kept in the user's cache: found, written, listed, forgotten. Part of the hall. *Disk*.

They lie outside the vault, since a vault from somebody else must not bring programs with it; each holds only as long as
the trace of the run that found it is in this vault.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from nestkit.run import Ask, Run
from nestkit.runs.kept import Kept, draft_key, find_kept, parse_kept
from nestkit.tool import Script

if TYPE_CHECKING:
    from nestkit.nest import Nest

_MOST = 500
"""Programs kept; the oldest go first."""


def key_of(nest: Nest, ask: Ask, model: str, prompt_digest: str) -> str:
    """The key of this ask; empty for one whose program is never kept."""
    if ask.selection:
        return ""
    builtin = next(script.digest for script in nest.registry.scripts if _is_builtin(script))
    return draft_key(ask, model, prompt_digest, builtin, nest.vocabulary())


def find_program(nest: Nest, key: str, ask: Ask) -> Kept | None:
    """The program kept under this key, if it still holds; one that does not is forgotten."""
    file = _file(nest, key)
    kept = _read(file)
    if kept is None:
        return None
    if not _holds(nest, kept):
        file.unlink(missing_ok=True)
        return None
    return kept if kept.day in ("", ask.now.date().isoformat()) else None


def keep_program(nest: Nest, run: Run) -> None:
    """Keep what is worth keeping of a run; that the cache cannot be written costs nobody anything."""
    kept = find_kept(run, nest.vocabulary())
    if kept is None or not _trace(nest, kept).exists():
        return
    file = _file(nest, kept.key)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = file.with_suffix(f".{os.getpid()}.new")
        fresh.write_text(json.dumps(asdict(kept), ensure_ascii=False), "utf-8")
        fresh.replace(file)
        oldest_first = sorted(file.parent.glob("*.json"), key=lambda each: each.stat().st_mtime)
        for each in oldest_first[:-_MOST]:
            each.unlink(missing_ok=True)


def list_programs(nest: Nest) -> list[Kept]:
    """All that are kept for this vault and still hold, the newest first."""
    found = [kept for file in _folder(nest).glob("*.json") if (kept := _read(file)) and _holds(nest, kept)]
    return sorted(found, key=lambda kept: (kept.created, kept.key), reverse=True)


def forget_programs(nest: Nest, begin: str) -> int:
    """How many were forgotten: all whose key begins so."""
    files = [file for file in _folder(nest).glob("*.json") if file.stem.startswith(begin)]
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def _is_builtin(script: Script) -> bool:
    return any(tool.manner == "builtin" for tool in script.tools)


def _holds(nest: Nest, kept: Kept) -> bool:
    """Whether the scripts that it calls are as they were, and the run that found it is still there."""
    digests = {script.path: script.digest for script in nest.registry.scripts}
    return _trace(nest, kept).exists() and all(digests.get(path) == seal for path, seal in kept.scripts.items())


def _trace(nest: Nest, kept: Kept) -> Path:
    return nest.root / f".nest/runs/{kept.run}.jsonl"


def _folder(nest: Nest) -> Path:
    return Path(nest.index_file).parent / "programs"


def _file(nest: Nest, key: str) -> Path:
    return _folder(nest) / f"{key}.json"


def _read(file: Path) -> Kept | None:
    try:
        return parse_kept(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
