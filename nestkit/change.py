"""Words for changes: what a run would do to the vault's files, before anyone agreed to it. *Pure*."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Change:
    """One file, before and after."""

    path: str
    before: bytes | None
    """The bytes the run started from; None when there was no file."""
    after: bytes | None
    """None when the file goes away."""

    @property
    def kind(self) -> Literal["add", "modify", "delete"]:
        if self.before is None:
            return "add"
        return "delete" if self.after is None else "modify"

    @property
    def diff(self) -> str:
        """Unified diff for a person; one line instead for bytes that are no text."""
        try:
            old, new = (_lines(side) for side in (self.before, self.after))
        except UnicodeDecodeError:
            return f"binary file {self.path}: {len(self.before or b'')} -> {len(self.after or b'')} bytes\n"
        names = ("/dev/null" if self.before is None else self.path, "/dev/null" if self.after is None else self.path)
        return "".join(_ended(difflib.unified_diff(old, new, *names)))


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one change."""

    path: str
    kind: Literal["add", "modify", "delete"]
    applied: bool
    why: str = ""
    """Why not, when it was not."""
    proposal: str = ""
    """Where nest's version lies when the user's was kept."""


def digest(content: bytes | None) -> str:
    """SHA-256 in hex; empty for a file that is not there."""
    return "" if content is None else hashlib.sha256(content).hexdigest()


def merge(base: bytes, one: bytes, other: bytes) -> bytes | None:
    """What both made of the same bytes, line by line; None where both changed the same lines.

    Where both put something in at the same place, that of `one` stands first.
    """
    lines = base.splitlines(keepends=True)
    hunks = sorted([*_hunks(lines, one, 0), *_hunks(lines, other, 1)], key=lambda hunk: (hunk[0], hunk[1], hunk[2]))
    merged: list[bytes] = []
    done = 0
    for begin, end, _, new in hunks:
        if begin < done:
            return None
        merged += [*lines[done:begin], *new]
        done = end
    return b"".join([*merged, *lines[done:]])


def _hunks(lines: list[bytes], side: bytes, number: int) -> Iterator[tuple[int, int, int, list[bytes]]]:
    """(first line, line after the last, whose, what stands there now) of each place that differs."""
    new = side.splitlines(keepends=True)
    for kind, begin, end, first, last in difflib.SequenceMatcher(None, lines, new, autojunk=False).get_opcodes():
        if kind != "equal":
            yield begin, end, number, new[first:last]


def _lines(side: bytes | None) -> list[str]:
    return (side or b"").decode("utf-8").splitlines(keepends=True)


def _ended(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
