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

MAX_TEXT = 20_000
"""Characters of one paragraph; in a longer one, signs that never close could be looked for too often."""

_SIGN = re.compile(r"[\[`$]")
_CODE = re.compile(r"(`+)(?!`)(?s:.+?)(?<!`)\1(?!`)")
_TICKS = re.compile("`+")
_LINK = re.compile(r"\[([^\[\]`<$*_~!&%\n]*)\]\(([^\s\x00-\x1f\x7f()<>&]*)\)")
_HARD = re.compile(r"\\|<[A-Za-z/!?]")
"""An escape, a tag of HTML or an address in angle brackets."""
_SPLITS_TEXT = re.compile(r"[*~%;](?:==)?#|(?<!\w)_|_(?!\w)")
"""Signs that may end a run of text right before a `#`, where it begins a tag; an underline may end the tag too."""


def scan_inline(piece: Piece) -> bool:
    """Whether the piece could be read; when not, it is as it was."""
    text = piece.text
    if len(text) > MAX_TEXT or _HARD.search(text):
        return False
    links: list[Link] = []
    tags: list[str] = []
    at = end = 0  # where to look on, and where the last part that is no text ended
    while (sign := _SIGN.search(text, at)) is not None:
        at = sign.start()
        embed = at > end and text[at - 1] == "!"
        found = _part_at(text, at)
        if found is None:
            at = found_ticks.end() if (found_ticks := _TICKS.match(text, at)) else at + 1
            continue
        if not _read_run(text[end : at - embed], tags):
            return False
        at = end = found.end()
        if found.re is WIKILINK:
            links.append(_wikilink(found[1], piece.line + text.count("\n", 0, at), embed))
        elif found.re is _LINK:
            label, destination = found.groups()
            if not embed:
                tags += find_tags(label)
            if place := parse_destination(destination):
                links.append(Link(place[0], piece.line + text.count("\n", 0, at), *place[1:], label, embed))
    if not _read_run(text[end:], tags):
        return False
    piece.links, piece.tags = links, tags
    return True


def _part_at(text: str, at: int) -> re.Match[str] | None:
    """The code, math, wikilink or link that begins with the sign at this place."""
    sign = text[at]
    if sign == "[":
        found = WIKILINK.match(text, at)
        return found if found is not None and found[1].strip() else _LINK.match(text, at)
    return (_CODE if sign == "`" else MATH).match(text, at)


def _wikilink(inside: str, line: int, embed: bool) -> Link:
    if "|" not in inside and "#" not in inside:
        return Link(inside.strip(), line, embed=embed)
    read = parse_link_text(inside)
    assert read is not None, "it is not blank"
    (target, heading, block), alias = read
    return Link(target, line, heading, block, alias, embed)


def _read_run(run: str, tags: list[str]) -> bool:
    """Whether the text between two parts holds nothing but text; the tags in it are added."""
    if "](" in run:
        return False
    if "#" in run:
        if _SPLITS_TEXT.search(run):
            return False
        for row in run.split("\n") if "\n" in run else (run,):
            tags += find_tags(row)
    return True
