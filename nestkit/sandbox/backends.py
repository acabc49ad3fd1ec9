"""The table of backends: a name, or this machine, in; which to try, in which order, out. *Pure*.

A new way to isolate is one file beside this one and one row here. On a system with rows of its own the first of them
that proves itself is taken, and no other: what is weaker, or another language, comes on request only.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nestkit.errors import SandboxError
from nestkit.policy import ENGINES
from nestkit.sandbox.backend import Backend, Setup


@dataclass(frozen=True, slots=True)
class Row:
    """One backend."""

    name: str
    """As it is asked for, and as the run's note names it."""
    module: str
    """Module that has `open_backend(name, setup)` and `find_lack(setup)`."""
    system: str = ""
    """Beginning of the `sys.platform` on which it is tried unasked; empty for nowhere."""
    elsewhere: bool = False
    """Whether it is tried unasked on systems that have no row of their own."""
    proven: bool = True
    """Whether the battery of attacks was run on it as it is used."""
    does: str = ""
    """What it isolates, in a few words."""

    def open(self, setup: Setup) -> Backend:
        """Raises SandboxError where it cannot be had."""
        opened: Backend = self._loaded().open_backend(self.name, setup)
        return opened

    def find_lack(self, setup: Setup) -> str:
        """What is missing here for it, and what to do; empty when it is worth a try. Starts nothing."""
        return str(self._loaded().find_lack(setup))

    @property
    def title(self) -> str:
        """Its name, and whether to trust it."""
        return self.name if self.proven else f"{self.name} (unproven)"

    def _loaded(self) -> Any:
        return importlib.import_module(f"nestkit.sandbox.{self.module}")


BACKENDS: Sequence[Row] = (
    Row("kernel-full", "kernel", "linux", does="programs and scripts; namespaces, Landlock, a system call filter"),
    Row("kernel-lite", "kernel", "linux", does="the same without namespaces"),
    Row("seatbelt", "seatbelt", "darwin", proven=False, does="programs and scripts; a Seatbelt profile"),
    Row("wasm", "wasm", elsewhere=True, does="programs, in a Python that has no files, network or processes"),
    Row("monty", "monty", elsewhere=True, does="programs, in a subset of Python that has no files or network"),
    Row("container", "container", proven=False, does="programs and scripts; Docker or Podman, an image you pinned"),
)
"""Strongest first."""


def find_rows(name: str = "auto", platform: str = sys.platform) -> Sequence[Row]:
    """The rows to try, strongest first: the one named, else those of this system. Raises SandboxError."""
    if name != "auto":
        found = [row for row in BACKENDS if row.name == name]
        if not found:
            raise SandboxError(f"there is no engine {name!r}", f"known: {', '.join(ENGINES)}")
        return found
    own = [row for row in BACKENDS if row.system and platform.startswith(row.system)]
    return own or [row for row in BACKENDS if row.elsewhere]


def get_row(name: str) -> Row:
    """The row of this backend. Raises SandboxError."""
    return find_rows(name)[0]
