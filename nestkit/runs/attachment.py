"""Files that programs left behind, in; those that may lie in the vault beside the run's note, out. *Pure*.

A run's files come there unasked, like what it printed. So only what is mere data may: pictures that are what their name
says, and plain text for tables. Anything that some program would execute or follow stays in the trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from nestkit.run import Step

_PICTURES: Mapping[str, tuple[bytes, ...]] = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "webp": (b"RIFF",),
}
"""Ending -> how such a file begins."""
_TEXTS = frozenset(("csv", "tsv", "txt", "json"))
_STEM = re.compile(r"[^\w ()+,=@-]+")
_DEVICE = re.compile(r"con|prn|aux|nul|(com|lpt).", re.IGNORECASE)
"""Names that Windows keeps for devices."""
MOST_FILES = 50


def choose_files(steps: Iterable[Step]) -> tuple[dict[str, bytes], list[str]]:
    """File name -> bytes of what may be attached, the newest of each, and a sentence on each that may not."""
    left: dict[str, bytes] = {}
    for step in steps:
        left.update(step.outcome.files)
    chosen: dict[str, bytes] = {}
    remarks = []
    for path, content in sorted(left.items()):
        if why := _why_not(path, content, len(chosen)):
            remarks.append(f"{path} is not attached: {why}")
        else:
            chosen[_free(draft_name(path), chosen)] = content
    return chosen, remarks


def is_picture(path: str) -> bool:
    """Whether a note shows this file where it is embedded."""
    return path.rpartition(".")[2].lower() in _PICTURES


def draft_name(path: str) -> str:
    """A plain file name for a program's file: letters, digits and a few signs, on every system the same."""
    stem, _, ending = path.rpartition("/")[2].rpartition(".")
    stem = _STEM.sub("-", stem).strip(" -")[:60].strip(" -") or "file"
    return f"{'file ' if _DEVICE.fullmatch(stem) else ''}{stem}.{ending.lower()}"


def _why_not(path: str, content: bytes, count: int) -> str:
    ending = path.rpartition(".")[2].lower() if "." in path.rpartition("/")[2] else ""
    if count >= MOST_FILES:
        return f"{MOST_FILES} files are the most"
    if ending in _PICTURES:
        return "" if content.startswith(_PICTURES[ending]) else f"it is no {ending} inside"
    if ending not in _TEXTS:
        return "only pictures (png, jpg, gif, webp) and plain data (csv, tsv, txt, json) are"
    try:
        return "it holds no text" if "\0" in content.decode("utf-8") else ""
    except UnicodeDecodeError:
        return "it is not UTF-8 text"


def _free(name: str, taken: Mapping[str, bytes]) -> str:
    stem, _, ending = name.rpartition(".")
    number, known = 2, {each.casefold() for each in taken}
    while name.casefold() in known:
        name, number = f"{stem} {number}.{ending}", number + 1
    return name
