"""A script's bytes in, what it offers out; a large file is read by a child with ceilings. In the hall. *Process*.

Python's own parser takes time with the square of the length of some texts, and up to a kilobyte of memory for a byte
of others. For a file of ordinary size that is nothing; a large one is therefore read where time and memory can be
taken away.
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from nestkit.note import Problem
from nestkit.tool import Script

LARGE_BYTES = 1 << 16
"""Up to here the worst file known takes 0.4 seconds and 60 MB."""
CPU_SECONDS = 10
MEMORY_BYTES = 1 << 30

_START = "import sys; sys.path[:0] = [sys.argv[1]]; from nestkit.hall.reading import serve; serve(*sys.argv[2:])"


def read_script(path: str, source: bytes) -> Script:
    """The script, or the problem that keeps it from being read; never an exception."""
    if len(source) > LARGE_BYTES:
        return _read_apart(path, source)
    return _read_here(path, source)


def serve(path: str, seconds: str, memory: str) -> None:
    """The child's part: ceilings first, then the bytes from stdin, then the script as JSON to stdout."""
    import resource  # only where there are such ceilings

    ceilings = {resource.RLIMIT_CPU: int(seconds), resource.RLIMIT_AS: int(memory), resource.RLIMIT_CORE: 0}
    for kind, most in ceilings.items():
        with suppress(ValueError, OSError):  # a system may not know one of them, or have set a lower one
            resource.setrlimit(kind, (most, most))
    script = _read_here(path, sys.stdin.buffer.read())
    sys.stdout.write(json.dumps(asdict(script)))
    sys.stdout.flush()


def _read_here(path: str, source: bytes) -> Script:
    from nestkit.parse.script import parse_script  # late: only a changed script pays for the parser

    try:
        return parse_script(path, source)
    except Exception as error:  # a fault of ours must not keep every other script from being found
        what = f"nest failed to read it, please report: {type(error).__name__}: {error}"
        return Script(path, sha256(source).hexdigest(), problems=(Problem(path, 0, what),))


def _read_apart(path: str, source: bytes) -> Script:
    import subprocess  # late, like the parser

    from nestkit.index.registry import script_from

    ceilings = (str(CPU_SECONDS), str(MEMORY_BYTES))
    command = [sys.executable, "-I", "-c", _START, str(Path(__file__).parents[2]), path, *ceilings]
    try:
        done = subprocess.run(command, input=source, capture_output=True, timeout=4 * CPU_SECONDS, check=True, env={})
        return script_from(json.loads(done.stdout))
    except (subprocess.SubprocessError, OSError, ValueError):
        what = (
            f"takes more than {CPU_SECONDS} seconds or {MEMORY_BYTES >> 20} MB to be read; "
            "move its data to another file, or make it smaller"
        )
        return Script(path, sha256(source).hexdigest(), problems=(Problem(path, 0, what),))
