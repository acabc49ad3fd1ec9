"""A path as somebody spelled it in, why it may not be read or written out. *Pure*."""

from __future__ import annotations

import re
from functools import lru_cache
from unicodedata import normalize

from nestkit.errors import OutsideVault
from nestkit.policy import PROTECTED, Refusal

PATH_CHARS = 1024
"""Longer paths are refused: every system nest runs on has a ceiling, and the lowest (macOS) is this one."""
NAME_BYTES = 255
"""Longest name of one file in UTF-8 (`NAME_MAX`, limits.h(0p)); the same for APFS and NTFS within a few."""

ODD_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff]")
"""Control characters, backslash (a separator elsewhere), and bytes that are no UTF-8 (PEP 383 surrogates)."""
_DECEIVING = re.compile("[\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]")
"""Characters that reorder or hide what a person reads in a name; joiners stay, emoji and scripts need them."""
_IGNORED = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
"""Characters that HFS+ leaves out when it compares names, so that `.g\u200cit` is `.git` (git, CVE-2014-9390)."""
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
"""Device names of Windows, with any extension. **Source**: learn.microsoft.com, "Naming Files, Paths"."""


def check_path(path: object) -> Refusal | None:
    """Why this text cannot be a vault path at all; None when it can.

    A vault path is relative, `/` between parts, no part empty, `.` or `..`. Only exact `str` counts: a subclass
    could answer differently each time it is looked at.
    """
    if type(path) is not str:
        return Refusal(f"a path is plain text, not {type(path).__name__}")
    if not path:
        return Refusal("the path is empty", "name a note, such as Projects/Plan.md")
    if len(path) > PATH_CHARS:
        return Refusal(f"{shown(path)}: the path is longer than {PATH_CHARS} characters")
    if ODD_NAME.search(path):
        return Refusal(f"{shown(path)}: control characters, backslashes and broken text cannot stand in a path")
    if path[0] in "/~":
        return Refusal(f"{shown(path)}: leads out of the vault", "write it from the root, without a leading / or ~")
    if any(part in ("", ".", "..") for part in path.split("/")):
        return Refusal(f"{shown(path)}: empty, `.` and `..` parts lead nowhere", "write the plain path from the root")
    return None


def check_writable(path: object, protected: tuple[str, ...] = PROTECTED) -> Refusal | None:
    """Why no program or tool may write this path; None when it may.

    Stricter than `check_path`: only ordinary names that mean the same file on every system, and nothing under
    `protected` (globs as in `matches_any`, compared without case and Unicode form).
    """
    if (refusal := check_path(path)) is not None:
        return refusal
    assert isinstance(path, str)
    for part in path.split("/"):
        if why := _odd_part(part):
            return Refusal(f"{shown(path)}: {why}")
    if matches_any(path, protected):
        return Refusal(f"{shown(path)}: this place is protected", "let a person change it by hand")
    return None


def fold(path: str) -> str:
    """The form in which two spellings of one file are equal: without case, Unicode form and ignored characters.

    **Source**: Unicode 3.13, D145 (canonical caseless matching); case-insensitive disks compare so or nearly so.
    """
    if path.isascii():
        return path.lower()
    return normalize("NFC", normalize("NFD", _IGNORED.sub("", path)).casefold())


def matches_any(path: str, globs: tuple[str, ...]) -> bool:
    """Whether a glob takes in the path, or a folder it lies in; letter case and Unicode form do not count.

    `*` and `?` stay within a part, `**` crosses parts. A glob without `/` fits at any depth (`Diary`,
    `*.secret.md`), one with `/` is read from the root. In doubt it matches, since globs here hide or protect.
    """
    return bool(globs) and _compiled(globs).match(fold(path)) is not None


def require_path(path: str) -> str:
    """The path itself. Raises OutsideVault when it is none."""
    if (refusal := check_path(path)) is not None:
        raise OutsideVault(refusal.reason, refusal.hint)
    return path


def shown(path: str) -> str:
    """A path fit for one line of an error: shortened, and nothing in it can hide or reorder."""
    text = path if len(path) <= 120 else f"{path[:80]}…{path[-30:]}"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def _odd_part(part: str) -> str:
    plain = _IGNORED.sub("", part)
    if plain.startswith("."):
        return "names with a leading dot belong to other programs"
    if not plain or part[-1] == "." or part != part.rstrip():
        return "a name may not end in a dot or a blank"
    if ":" in part:
        return "a name may not hold a colon"  # an alternate stream on NTFS; Obsidian refuses it everywhere
    if _DECEIVING.search(part):
        return "invisible and direction-changing characters cannot stand in a name"
    if _RESERVED.match(part):
        return f"{part} is a device name on Windows"
    if len(part.encode("utf-8")) > NAME_BYTES:
        return f"a name may not be longer than {NAME_BYTES} bytes"
    return ""


@lru_cache(maxsize=64)
def _compiled(globs: tuple[str, ...]) -> re.Pattern[str]:
    plain = [fold(glob).strip("/") for glob in globs]
    return re.compile("|".join(_regex(glob) for glob in plain if glob) or "(?!)", re.DOTALL)


def _regex(glob: str) -> str:
    marks = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(marks.get(piece) or re.escape(piece) for piece in re.split(r"(\*\*/|\*\*|\*|\?)", glob))
    anchor = "" if "/" in glob else "(?:.*/)?"
    return f"{anchor}{body}(?:/.*)?\\Z"
