"""Words of this room: one call of a script, and the ways in which a call or program is cut short. *Pure*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nestkit.policy import Refusal


@dataclass(frozen=True, slots=True)
class Job:
    """One call of one script, with all it may see."""

    script: str
    """Vault path."""
    root: str
    """Absolute folder with the vault's files, links in it resolved: the vault itself, or a private copy."""
    now: datetime
    """Aware; the only clock the script sees."""
    seed: int = 0
    function: str = ""
    """Name of the function to call with `arguments`; empty to run the script as a command with `argv`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    argv: tuple[str, ...] = ()
    shown: str = ""
    """Absolute folder at which `root` appears; empty for its own place. Elsewhere only in `kernel-full`."""
    system: str = "02_System"
    """Folder of the scripts, which a script may import from."""
    hide: tuple[str, ...] = ()
    """Paths that must not be seen: the whole of a folder, or a file."""
    writable: bool | tuple[str, ...] = False
    """Whether the script may change `root`, or which folders of it; only ever of a private copy."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables granted, with their values."""
    site: tuple[str, ...] = ()
    """Absolute folders of packages that the script may import."""
    run: tuple[str, ...] = ()
    """Programs it may start, by name."""
    digest: str = ""
    """SHA-256 that the script must have, in hex; empty for any."""
    modules: Mapping[str, str] | None = None
    """Path -> digest of the files of the vault that it may load besides; None for all there are."""


class ToolFailed(Exception):
    """What a tool raised: its error as a record for the wire, without paths of the machine."""

    def __init__(self, kind: str, text: str, bases: tuple[str, ...] = (), args: tuple[Any, ...] = (), place: str = ""):
        super().__init__(f"{kind}: {text}" + (f" ({place})" if place else ""))
        self.kind = kind
        """Name of the exception's type."""
        self.text = text
        self.bases = bases
        """Built-in types it stands under, nearest first."""
        self.given = args
        """The exception's own arguments, where they are plain."""
        self.place = place
        """`02_System/fx.py:27`, or empty."""

    @property
    def record(self) -> dict[str, Any]:
        """As it travels to the program."""
        return {"type": self.kind, "bases": list(self.bases), "args": list(self.given), "text": self.text}


class Refused(Exception):
    """A call that was turned down; the program sees a PermissionError, or ends where a person is needed."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Stopped(Exception):
    """A limit was reached: the program ends here."""

    def __init__(self, limit: str, why: str) -> None:
        super().__init__(why)
        self.limit = limit
