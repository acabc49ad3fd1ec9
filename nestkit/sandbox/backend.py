"""Words of this room: what a way of isolating is, seen from here, and what it is opened with. *Pure*.

A backend gives children: processes that are shut in, each with a wire to talk over and an end that is forced from
outside. How it shuts them in is its own affair; that they prove it, and how they are talked with, is the same for all.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nestkit.errors import SandboxError
from nestkit.sandbox.child.wire import Wire

MESSAGES = 16
"""A child may send as many of the largest messages in all: what the host keeps of it has an end."""


@dataclass(frozen=True, slots=True)
class End:
    """How a child ended."""

    code: int
    """Exit code; the negative number of the signal that killed it."""
    cpu_seconds: float
    memory_bytes: int


class Child(Protocol):
    """One isolated process, proven to be so."""

    wire: Wire
    folder: int
    """Descriptor of the folder in which it leaves files, or -1; it stays open when the child is gone."""
    dial: socket.socket | None
    """On which it asks for connections, if it may have any."""

    def kill(self) -> End:
        """Kill it with all below it, and return how it ended; what had ended before stays as it was."""

    def stop(self) -> None:
        """Kill it and leave the rest to whoever talks with it."""

    def wait(self, seconds: float = 0.3) -> End:
        """Return how it ended, killing it if it does not within this time."""

    def close(self) -> None:
        """Kill it and let go of its files."""

    @property
    def number(self) -> int:
        """Its process number as seen from here; 0 when it is gone, or not ours to see."""


class Backend(Protocol):
    """One way of isolating, opened."""

    tier: str
    """Its name in the table of backends."""
    layers: bool
    """Whether it can lay folders over a vault, show it elsewhere, and end a tree of processes as one."""
    runs_scripts: bool
    """Whether files and packages can be given to its children: what tools of scripts and `sandboxed` programs need."""
    dials: bool
    """Whether connections that nest has made can be passed in to a script."""
    folder: str
    """Absolute folder of its own for what is kept for a moment."""

    def spawn(self, wish: Mapping[str, Any], most: int) -> Child:
        """A child that has proven to be shut in; `most` bytes a message. Raises SandboxError."""

    def is_at_rest(self) -> bool:
        """Whether something of it is warm, and none of its children is left."""

    def close(self) -> None:
        """End every child."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a backend may be opened with; each takes what concerns it."""

    landlock: int = 6
    """The newest version of Landlock to use: for tests of what older kernels have."""
    preload: Sequence[str] = ()
    """Modules of the folders `site` that a warm parent imports ahead: only ever packages as trusted as nest itself."""
    site: Sequence[str] = ()
    image: str = ""
    """The image of a container, pinned by its digest."""
    cache: Path | None = None
    """Folder for what takes long to prepare."""


def check_holes(answer: Mapping[str, Any], tier: str) -> None:
    """Raises SandboxError when a child has found a way out of itself, lacks something, or does not say."""
    if lack := answer.get("lack"):
        raise SandboxError(f"{tier}: {lack}"[:500], "see `nest doctor`")
    holes = answer.get("holes")
    if type(holes) is not list:
        raise SandboxError(f"a child of {tier} did not start", "see `nest doctor`")
    if holes:
        raise SandboxError(f"{tier} does not hold here: {'; '.join(map(str, holes))}"[:500], "see `nest doctor`")
