"""A script that asks for packages in; the folders it imports them from, or why not, out. In the hall. *Disk*.

A script without dependencies imports what is installed beside nest, and so does one whose dependencies are met by
that. Any other gets a folder of its own with what it asks for and nothing else, shared by all that ask for the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from nestkit.sandbox.packages import Shelf, find_uv, fits_python, is_beside, shown_index
from nestkit.tool import Script

if TYPE_CHECKING:
    from nestkit.nest import Nest


class Packages:
    """The packages of one vault's scripts; what is built serves every vault."""

    def __init__(self, nest: Nest) -> None:
        self._shelf = Shelf(nest.folders.cache / "packages", nest.folders.state / "locks", nest.config.index)
        self._found: dict[tuple[str, ...], tuple[str, ...]] = {}

    def find(self, script: Script) -> tuple[str, ...] | None:
        """Absolute folders that the script imports packages from; None when they must be prepared first."""
        if self.refuse(script):
            return None
        wanted = script.dependencies
        if wanted not in self._found:
            if all(map(is_beside, wanted)):
                self._found[wanted] = beside()
            elif site := self._shelf.find(wanted):
                self._found[wanted] = (str(site),)
        return self._found.get(wanted)

    def refuse(self, script: Script) -> str:
        """Why nothing is ever prepared for this script; empty when it can be."""
        if script.refused_packages:
            return f"its packages are not prepared because of {script.refused_packages}; `nest tools check` says more"
        if not fits_python(script.requires_python):
            version = ".".join(map(str, sys.version_info[:3]))
            return f"it needs Python {script.requires_python}, and nest runs on {version}"
        return ""

    @property
    def source(self) -> str:
        """Where they would be fetched from, fit to be shown."""
        return shown_index(self._shelf.index)

    @property
    def builder(self) -> str:
        """Absolute path of the program that builds them; empty when it is not there."""
        return find_uv()

    def prepare(self, script: Script, say: Callable[[str], None]) -> None:
        """Build what the script needs, with a line of progress; nothing when it is there. Raises SandboxError."""
        if self.find(script) is None and not self.refuse(script):
            self._shelf.build(script.dependencies, say)


def beside() -> tuple[str, ...]:
    """Folders of the packages that are installed beside nest."""
    return tuple(folder for folder in sys.path if folder.endswith(("site-packages", "dist-packages")))
