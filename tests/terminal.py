"""`nest` at a terminal, as a person has it: words and typed keys in; what the screen showed and the exit code out."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from checks import COMMAND


def at_terminal(words: Sequence[str], cwd: Path, typed: str = "", seconds: float = 60) -> tuple[int, str]:
    """(exit code, all that was shown) of the command with a real terminal at its three streams."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([COMMAND, *words], stdin=theirs, stdout=theirs, stderr=theirs, cwd=cwd)
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    ending = time.monotonic() + seconds
    try:
        while time.monotonic() < ending and select.select([ours], [], [], max(0.0, ending - time.monotonic()))[0]:
            try:
                shown += os.read(ours, 1 << 16)
            except OSError:  # the other side is closed: the command is done
                break
        return process.wait(10), shown.decode("utf-8", "replace").replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(ours)
