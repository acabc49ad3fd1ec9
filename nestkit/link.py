"""Words for links: what stands in a note, before anyone looked where it leads. *Pure*."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Link:
    """One link or embed as it stands in a note, a property or a canvas card."""

    target: str
    """Name or vault path as written (percent-decoded in markdown links); empty for a link within the note."""
    line: int
    """Counted from 1; for a property link the line of its key, for a canvas 1."""
    heading: tuple[str, ...] = ()
    """`[[Note#A#B]]` gives ("A", "B"); each further one is nested in the one before."""
    block: str | None = None
    """Block id without its caret."""
    alias: str | None = None
    """Display text: all after the first `|`, or the text of a markdown link; of an embed also its size."""
    embed: bool = False
    key: str | None = None
    """Dotted key (`up`, `rel.0`) of a property link; None in the body."""

    @property
    def subpath(self) -> str:
        """The part from the first `#` on, as Obsidian writes it; empty when there is none."""
        if self.block is not None:
            return f"#^{self.block}"
        return "".join(f"#{part}" for part in self.heading)


@dataclass(frozen=True, slots=True)
class Backlink:
    """How often one note links to another, and where it does so first."""

    source: str
    count: int
    line: int
    """Line of the first of these links in the source."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A link target that no file answers to."""

    source: str
    target: str
    """As typed, without subpath and `.md`."""
    count: int
    line: int
