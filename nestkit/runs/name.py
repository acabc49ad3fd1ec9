"""An ask and a time, in; the run's id and the path of its note, out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from nestkit.visible import normal_form

_SLUG_CHARS = 60
_FORBIDDEN = re.compile(r'[#^\[\]|\\/:*"<>?%`{}\x00-\x1f\x7f]')
"""Characters that Obsidian, Windows or Android refuse in a name, and those that would need escaping in a link."""


def draft_id(now: datetime, tick: str) -> str:
    """`YYYYMMDD-HHMMSS-TICK`: sorts by time; the tick tells two runs of one second apart."""
    return f"{now:%Y%m%d-%H%M%S}-{tick}"


def draft_path(folder: str, ask: str, now: datetime, taken: Callable[[str], bool]) -> str:
    """`FOLDER/YYYY/MM/YYYY-MM-DD HHmm slug.md`, with a number when the name is taken."""
    base = f"{folder}/{now:%Y/%m/%Y-%m-%d %H%M} {draft_slug(ask)}".rstrip()
    path, number = f"{base}.md", 2
    while taken(path):
        path, number = f"{base} {number}.md", number + 1
    return path


def draft_slug(ask: str) -> str:
    """The first words of an ask as part of a file name; `ask` when no character of it may stand there."""
    text = _FORBIDDEN.sub(" ", normal_form("NFC", ask))
    text = " ".join("".join(c for c in text if c.isprintable()).split())
    if len(text) > _SLUG_CHARS:
        text = text[:_SLUG_CHARS].rpartition(" ")[0] or text[:_SLUG_CHARS]
    return text.strip(" .-,;") or "ask"
