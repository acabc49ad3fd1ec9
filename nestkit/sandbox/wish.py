"""What a child is asked for, as it is sent: a program or a call, what it may see, its ceilings. *Disk*."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from nestkit.policy import Limits
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.child.packing import pack
from nestkit.sandbox.job import Job, World

_PROGRAMS = ("/usr/local/bin", "/usr/bin", "/bin")


def draft_ceilings(limits: Limits, *, cpu_seconds: int = 0) -> dict[str, int]:
    """What the kernel is to hold each process to."""
    return {
        "cpu_seconds": cpu_seconds or limits.cpu_seconds,
        "memory_bytes": limits.memory_bytes,
        "processes": limits.processes,
        "open_files": limits.open_files,
    }


def draft_moment(now: datetime, seed: int) -> dict[str, Any]:
    """The run's clock and dice."""
    offset = now.utcoffset()
    if offset is None:
        raise ValueError("the run's clock must know its zone")
    return {"now": now.timestamp(), "offset": int(offset.total_seconds()), "seed": seed}


def wish_for_program(broker: Broker) -> dict[str, Any]:
    """A child for programs without a world: its tools' names and its ceilings."""
    limits = broker.limits
    return {
        "kind": "program",
        "tools": broker.names,
        "output_bytes": limits.output_bytes,
        **draft_ceilings(limits),
    }


def wish_for_world(world: World, limits: Limits, scratch: str) -> dict[str, Any]:
    """What such a child is given besides; `scratch` is the folder it works in."""
    return {
        **_sight(world),
        "script": "",
        "writable": False,
        "collect": False,
        "run": [],
        "network": [],
        "scratch": scratch,
        "scratch_bytes": limits.scratch_bytes,
        "file_bytes": limits.scratch_bytes,
    }


def wish_for_job(job: Job, limits: Limits, scratch: str) -> dict[str, Any]:
    """A child for one call of a script."""
    return {
        **_sight(job),
        **draft_ceilings(limits),
        **draft_moment(job.now, job.seed),
        "kind": "call",
        "script": job.script,
        "system": job.system,
        "writable": job.writable if isinstance(job.writable, bool) else list(job.writable),
        "run": find_programs(job.run),
        "network": list(job.network),
        "environment": dict(job.environment),
        "function": job.function,
        "arguments": pack(dict(job.arguments)),
        "argv": list(job.argv),
        "shell": job.shell,
        "digest": job.digest,
        "modules": None if job.modules is None else dict(job.modules),
        "scratch": scratch,
        "scratch_bytes": limits.scratch_bytes,
        "file_bytes": limits.staged_bytes,
    }


def _sight(job: Job | World) -> dict[str, Any]:
    """What of the vault, and of packages, is to be seen."""
    return {
        "root": job.root,
        "shown": job.shown or job.root,
        "read": None if job.read is None else list(job.read),
        "hide": list(job.hide),
        "over": job.over,
        "site": [os.path.realpath(folder) for folder in job.site],
    }


def find_programs(names: Sequence[str]) -> list[str]:
    """The files that must be executable for these programs to start: themselves, what interprets them, the loaders."""
    known = [name for name in names if os.path.dirname(name) in ("", *_PROGRAMS)]  # never `./x` of the vault or of ours
    found = [os.path.realpath(file) for name in known if (file := shutil.which(name, path=":".join(_PROGRAMS)))]
    if not found:
        return []
    for file in list(found):
        with open(file, "rb") as program:
            first = program.readline(256)
        words = [os.fsdecode(word) for word in first[2:].split()] if first.startswith(b"#!") else []
        if words:
            found.append(os.path.realpath(words[0]))
            if words[0].endswith("/env") and words[1:]:
                found += find_programs(words[1:2])
    loaders = [str(loader) for place in ("lib", "lib64", "lib/*") for loader in Path("/").glob(f"{place}/ld-*.so*")]
    return [*dict.fromkeys([*found, *map(os.path.realpath, loaders)])]
