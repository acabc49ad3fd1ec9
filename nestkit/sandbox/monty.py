"""Programs in Monty, which knows a subset of Python and has no way out of itself: its children out. *Process*.

Monty runs in a process of ours, and its worker in one below that; both are ended from outside. What a program may do it
does by calling the broker. Scripts cannot run here. For systems that have no isolation of their own, and on request.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nestkit.errors import SandboxError
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.process import ColdBackend, ProcessChild, find_package, start_command

VERSION = "1.4."
"""The releases it is written for: its interface changes between minor ones."""
_HINT = "python3 -m pip install 'nestkit[monty]'"


class Monty(ColdBackend):
    """The parent of its children."""

    tier = "monty"

    def __init__(self) -> None:
        self._site, self._binary = _find_package()
        super().__init__()

    def spawn(self, wish: Mapping[str, Any], most: int) -> ProcessChild:
        """A child whose interpreter was seen to open, reach and start nothing. Raises SandboxError."""
        given = {"site": self._site, "binary": self._binary}
        return self.start(start_command(sys.executable, "in_monty"), {**wish, **given}, most)


def open_backend(name: str, setup: Setup) -> Monty:
    """Raises SandboxError where Monty is not installed, or is another one."""
    if lack := find_lack(setup):
        raise SandboxError(f"{name} cannot be had here: {lack}", _HINT)
    return Monty()


def find_lack(setup: Setup) -> str:
    """What is missing."""
    try:
        _find_package()
    except SandboxError as error:
        return str(error)
    return ""


def _find_package() -> tuple[str, str]:
    """Folder of the package, and its interpreter's file; nothing of it is loaded here. Raises SandboxError."""
    site = find_package("pydantic_monty", "pydantic-monty", VERSION, _HINT)
    beside = Path(sysconfig.get_path("scripts")) / "monty"
    binary = str(beside) if beside.is_file() else shutil.which("monty")
    if not binary or not os.path.isabs(binary):
        raise SandboxError("the interpreter of pydantic-monty is not there", _HINT)
    return site, binary
