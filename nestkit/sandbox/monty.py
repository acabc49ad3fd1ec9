"""Programs in Monty, which knows a subset of Python and has no way out of itself: its children out. *Process*.

Monty runs in a process of ours, and its worker in one below that; both are ended from outside. What a program may do it
does by calling the broker. Scripts cannot run here. For systems that have no isolation of their own, and on request.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Mapping
from importlib import metadata, util
from pathlib import Path
from typing import Any

from nestkit.errors import SandboxError
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.bait import Bait
from nestkit.sandbox.process import CHILDREN, ProcessChild, open_talk

VERSION = "1.4."
"""The releases it is written for: its interface changes between minor ones."""
_PACKAGE = "pydantic_monty"
_HINT = "python3 -m pip install 'nestkit[monty]'"
_START_SECONDS = 20.0


class Monty:
    """The parent of its children."""

    tier = "monty"
    layers = False
    runs_scripts = False
    dials = False

    def __init__(self) -> None:
        self._site, self._binary = _find_package()
        self._bait = Bait()
        self.folder = self._bait.folder

    def spawn(self, wish: Mapping[str, Any], most: int) -> ProcessChild:
        """A child whose interpreter was seen to open, reach and start nothing. Raises SandboxError."""
        argv = [sys.executable, "-I", "-S", "-X", "utf8", str(CHILDREN / "in_monty.py")]
        child = ProcessChild(argv, {"PYTHONHASHSEED": "0"})
        given = {"site": self._site, "binary": self._binary, "bait": self._bait.wish}
        open_talk(child, {**wish, **given}, most, self.tier, _START_SECONDS)
        return child

    def is_at_rest(self) -> bool:
        """Never: nothing of it is warm."""
        return False

    def close(self) -> None:
        """Nothing but its bait outlives a child."""
        self._bait.close()


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
    spec = util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise SandboxError("the package pydantic-monty is not installed", _HINT)
    found = metadata.version("pydantic-monty")
    if not found.startswith(VERSION):
        raise SandboxError(f"pydantic-monty {found} is installed, and this nest knows {VERSION}x", _HINT)
    beside = Path(sysconfig.get_path("scripts")) / "monty"
    binary = str(beside) if beside.is_file() else shutil.which("monty")
    if not binary:
        raise SandboxError("the interpreter of pydantic-monty is not there", _HINT)
    return str(Path(spec.origin).parent.parent), binary
