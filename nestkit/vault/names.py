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
    if not globs:
        return False
    quick, slow = _compiled(globs)
    folded = fold(path)
    return quick.match(folded) is not None or any(_fits(glob, folded) for glob in slow)


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
def _compiled(globs: tuple[str, ...]) -> tuple[re.Pattern[str], tuple[tuple[str, ...], ...]]:
    """A pattern for most of these globs, and the others in pieces: no setting of a vault may take for ever to match."""
    plain = [fold(glob).strip("/") for glob in globs]
    whole = [_RUN.sub("**/", glob if "/" in glob else f"**/{glob}") for glob in plain if glob]
    quick = [pattern for glob in whole if (pattern := _regex(glob))]
    slow = tuple(tuple(filter(None, _PIECES.split(glob))) for glob in whole if not _regex(glob))
    return re.compile("|".join(quick) or "(?!)", re.DOTALL), slow


_RUN = re.compile(r"(?:\*\*/){2,}")
_PIECES = re.compile(r"(\*\*/|\*\*|\*|\?|.)", re.DOTALL)


def _regex(glob: str) -> str:
    """A pattern that looks at no letter too often; empty where there is none.

    What stands between two `**/` is whole folders: where it comes first is as good as any place behind that, so it is
    never looked for again (an atomic group).
    """
    texts = re.split(r"(\*\*/|\*\*)", glob)
    marks, chunks = texts[1::2], texts[::2]
    whole_folders = all(before == "" or before.endswith("/") for before in chunks[: len(marks)])
    if "**" in marks[:-1] or (marks and marks[-1] == "**" and chunks[-1]) or not whole_folders:
        if len(marks) > 2:
            return ""
        body = _chunk(chunks[0])
        body += "".join({"**/": "(?:.*/)?", "**": ".*"}[m] + _chunk(c) for m, c in zip(marks, chunks[1:], strict=True))
        return f"{body}(?:/.*)?\\Z"
    body = _chunk(chunks[0])
    for number, (mark, chunk) in enumerate(zip(marks, chunks[1:], strict=True), start=1):
        if mark == "**":
            body += ".*"
        else:
            body += f"(?>(?:.*?/)??{_chunk(chunk)})" if number < len(marks) else f"(?:.*/)?{_chunk(chunk)}"
    return f"{body}(?:/.*)?\\Z"


def _chunk(glob: str) -> str:
    """Text without `**`; what stands between two `*` of one name is taken where it comes first."""
    parts = []
    for part in glob.split("/"):
        first, *rest = ("".join("[^/]" if c == "?" else re.escape(c) for c in text) for text in part.split("*"))
        between = "".join(f"(?>[^/]*?{text})" for text in rest[:-1])
        parts.append(f"{first}{between}[^/]*{rest[-1]}" if rest else first)
    return "/".join(parts)


def _fits(glob: tuple[str, ...], path: str) -> bool:
    """Whether a glob in pieces takes in the path, by all places in it that can be reached letter by letter."""
    end = 2 * len(glob)

    def reach(places: set[int]) -> set[int]:
        """With what lies behind pieces that may be empty; an odd place is inside of a `**/` and must leave by a `/`."""
        for place in sorted(places):
            while not place % 2 and place < end and glob[place // 2] in ("**/", "**", "*"):
                place += 2
                places.add(place)
        return places

    here = reach({0})
    for letter in path:
        if end in here and letter == "/":
            return True
        after: set[int] = set()
        for place in here - {end}:
            piece = glob[place // 2]
            if piece == "**" or (piece == "*" and letter != "/"):
                after.add(place)
            elif piece == "**/":
                after |= {place // 2 * 2 + 1} | ({place // 2 * 2 + 2} if letter == "/" else set())
            elif piece == letter or (piece == "?" and letter != "/"):
                after.add(place + 2)
        here = reach(after)
    return end in here
