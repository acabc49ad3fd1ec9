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
    read: tuple[str, ...] | None = None
    """The only paths below `root` that can be opened, each a file or a whole folder; None for all but `hide`."""
    over: str = ""
    """Absolute folder whose files lie over those of `root`: what the run has staged. Needs an engine that `layers`."""
    writable: bool | tuple[str, ...] = False
    """Whether the script may change `root`, or which folders of it: a private copy, or a view that is collected."""
    network: tuple[str, ...] = ()
    """Hosts it may reach, `host` or `host:port`; an empty text for any that is not of this machine or its network."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables granted, with their values."""
    site: tuple[str, ...] = ()
    """Absolute folders of packages that the script may import."""
    run: tuple[str, ...] = ()
    """Programs it may start, by name."""
    shell: str = ""
    """The shell that runs it, by name; empty for a Python script."""
    digest: str = ""
    """SHA-256 that the script must have, in hex; empty for any."""
    modules: Mapping[str, str] | None = None
    """Path -> digest of the files of the vault that it may load besides; None for all there are."""


@dataclass(frozen=True, slots=True)
class World:
    """What a program of the contract `sandboxed` is given besides its broker.

    It runs in a scratch folder of its own, and finds the vault where the variable `VAULT_PATH` says.
    """

    root: str
    """Absolute folder with the vault's files, links in it resolved; never changed."""
    shown: str = ""
    """Absolute folder at which `root` appears; empty for its own place. Elsewhere only in `kernel-full`."""
    read: tuple[str, ...] | None = None
    """The only paths below `root` that can be opened, each a file or a whole folder; None for all but `hide`."""
    hide: tuple[str, ...] = ()
    """Paths that must not be seen: the whole of a folder, or a file."""
    over: str = ""
    """Absolute folder whose files lie over those of `root`: what the run has staged. Needs an engine that `layers`."""
    site: tuple[str, ...] = ()
    """Absolute folders of packages that it may import."""


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
