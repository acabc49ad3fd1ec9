"""Where a link leads: Obsidian's rules over the names of all files. *Pure* but for the look-up handed in.

**Source** of the rules: Obsidian help, "Internal links"; obsidian-api `getFirstLinkpathDest`; recorded link tables of
the Tasks plugin's test vault. Where copies tie, recorded data settle it: `Archive/` before `Research/`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from nestkit.visible import normal_form


class Candidate(NamedTuple):
    """A file that may answer to a link."""

    id: int
    path: str
    path_key: str


Named = Callable[[str], Iterable[Candidate]]
"""The files whose last part has this key."""


@dataclass(frozen=True, slots=True)
class Resolved:
    dest: Candidate | None
    others: tuple[str, ...] = ()
    """Paths of the other files that answer to the same words: the link is ambiguous."""


NOWHERE = Resolved(None)


def key_of(text: str) -> str:
    """How names are compared: no-break spaces as spaces, NFC, lower case.

    Lower-casing happens with the extension in place: a Greek final sigma is one only at the end of a word.
    """
    if text.isascii():
        return text.lower()
    return normal_form("NFC", text.replace("\u00a0", " ")).lower()


def name_key_of(target: str) -> str:
    """Key under which a link's possible files are found: the last part, read as a note's name."""
    return key_of(target.rstrip("/").rpartition("/")[2] + ".md")


def resolve(source: str, target: str, named: Named) -> Resolved:
    """Where `target` (a link without its subpath), written in `source`, leads.

    An empty target is the note itself. `/x` is read from the root only, `./x` and `../x` from the note's folder.
    Otherwise a full path wins, then every file whose path ends in the target at a folder boundary; among several
    those beside or below the source, then the shortest path, then the first by alphabet.
    """
    if not target:
        return next(
            (Resolved(file) for file in named(key_of(source.rpartition("/")[2])) if file.path == source), NOWHERE
        )
    if target.startswith("/"):
        return _exact(target.lstrip("/"), named)
    if target.startswith(("./", "../")):
        joined = posixpath.normpath(posixpath.join(source.rpartition("/")[0], target))
        return NOWHERE if joined.startswith("..") else _exact(joined, named)
    return _by_suffix(source, target, named)


def _exact(path: str, named: Named) -> Resolved:
    for key in _keys(path):
        for file in named(key.rpartition("/")[2]):
            if file.path_key == key:
                return Resolved(file)
    return NOWHERE


def _by_suffix(source: str, target: str, named: Named) -> Resolved:
    found: dict[int, Candidate] = {}
    full: Candidate | None = None
    for key in _keys(target):
        for file in named(key.rpartition("/")[2]):
            if file.path_key == key:
                full = full or file
            if file.path_key == key or file.path_key.endswith("/" + key):
                found[file.id] = file
        if found:
            break
    if not found:
        return NOWHERE
    best = full or min(found.values(), key=lambda file: _rank(source, file))
    return Resolved(best, tuple(sorted(file.path for file in found.values() if file.id != best.id)))


def _keys(path: str) -> tuple[str, ...]:
    """The path as it stands and as a note's; a name without a dot is a note's name first.

    So `chart.png` is the picture even where there is a note `chart.png.md`, and `chart` the note.
    """
    plain, note = key_of(path), key_of(path + ".md")
    return (plain, note) if "." in plain.rpartition("/")[2] else (note, plain)


def _rank(source: str, file: Candidate) -> tuple[bool, int, str]:
    folder = key_of(source.rpartition("/")[0])
    near = not folder or file.path_key.startswith(folder + "/")
    return (not near, len(file.path), file.path)
