"""A piece of text in, its links and tags put into it without the full parser; or nothing done. *Pure*.

Code, math, wikilinks and plain markdown links are told by their signs from left to right, as the full parser does.
Where other signs could make a difference, the answer is False and the full parser reads the piece.
"""

from __future__ import annotations

import re

from nestkit.link import Link
from nestkit.parse.link import WIKILINK, parse_destination, parse_link_text
from nestkit.parse.pieces import Piece
from nestkit.parse.rules import MATH
from nestkit.parse.tag import find_tags

_PARTS = re.compile(
    r"(?P<code>(?<!`)(?P<ticks>`+)(?!`)(?s:.+?)(?<!`)(?P=ticks)(?!`))"
    rf"|(?P<math>(?s:{MATH.pattern}))"
    rf"|(?P<wikilink>{WIKILINK.pattern})"
    r"|(?P<image>!)?\[(?P<label>[^\[\]`<$*_~!&%\n]*)\]\((?P<place>[^\s\x00-\x1f\x7f()<>&]*)\)"
)
_HARD = re.compile(r"\\|<[A-Za-z/!?]")
"""An escape, a tag of HTML or an address in angle brackets."""
_PARTS_TEXT = re.compile(r"\*|~~|%%|&[#A-Za-z]|(?<!\w)_|_(?!\w)")
"""Signs that may end a run of text, which decides whether a `#` behind them begins a tag."""


def scan_inline(piece: Piece) -> bool:
    """Whether the piece could be read; when not, it is as it was."""
    text, line = piece.text, piece.line
    if _HARD.search(text):
        return False
    links: list[Link] = []
    tags: list[str] = []
    end = 0
    for part in _PARTS.finditer(text):
        if part.start() > end and not _read_run(text[end : part.start()], tags):
            return False
        line += text.count("\n", end, part.start())
        end = part.end()
        if (kind := part.lastgroup) == "wikilink":
            link = _wikilink(part[0], line)
            if link is None:
                return False
            links.append(link)
        elif kind == "place":
            if part["image"] is None:
                tags += find_tags(part["label"])
            if place := parse_destination(part["place"]):
                links.append(Link(*place[:1], line, *place[1:], part["label"], part["image"] is not None))
        line += text.count("\n", part.start(), end)
    if end < len(text) and not _read_run(text[end:], tags):
        return False
    piece.links += links
    piece.tags += tags
    return True


def _wikilink(text: str, line: int) -> Link | None:
    embed = text[0] == "!"
    inside = text[3:-2] if embed else text[2:-2]
    if "|" not in inside and "#" not in inside:
        target = inside.strip()
        return Link(target, line, embed=embed) if target else None
    read = parse_link_text(inside)
    return None if read is None else Link(read[0][0], line, read[0][1], read[0][2], read[1], embed)


def _read_run(run: str, tags: list[str]) -> bool:
    """Whether the text between two parts holds nothing but text; the tags in it are added."""
    if "](" in run:
        return False
    if "#" in run:
        if _PARTS_TEXT.search(run):
            return False
        for row in run.split("\n") if "\n" in run else (run,):
            tags += find_tags(row)
    return True
