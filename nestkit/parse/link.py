"""What stands between the brackets of a link in, its target, subpath and display text out. *Pure*."""

from __future__ import annotations

import re
from typing import NamedTuple

WIKILINK = re.compile(r"!?\[\[(?!\[)(\|?[^\[\]|\n]*(?:\|(?:(?!\]\]|\[\[).)*)?)\]\]")
"""One wikilink or embed; group 1 is its inside. A target holds no bracket; neither part holds a line break.

**Source**: obsidian-help, Internal links (characters a name may not hold); release notes 0.7.6 (adjacent links) and
1.5.0 (an unclosed `[[` does not reach into the next line).
"""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:|//")


class Place(NamedTuple):
    """Where a link leads, as written."""

    target: str
    """Path or name; empty for the note itself."""
    heading: tuple[str, ...]
    block: str | None


def split_link(link: str) -> Place:
    """`Note#H#Sub` as path, headings and block id.

    The first `#` ends the path, each further one goes a level deeper; `#^id` alone is a block.

    **Source**: obsidian-help, Internal links; obsidian-api `parseLinktext`.
    """
    path, _, subpath = link.partition("#")
    parts = tuple(part for part in (piece.strip() for piece in subpath.split("#")) if part)
    if len(parts) == 1 and parts[0].startswith("^") and len(parts[0]) > 1:
        return Place(path.strip(), (), parts[0][1:])
    return Place(path.strip(), parts, None)


def parse_link_text(inner: str) -> tuple[Place, str | None] | None:
    """Place and display text of a wikilink's inside; None when nothing stands there.

    The display text is all after the first `|` that is not the first character, so `[[|x]]` links to a name. A
    backslash before the `|` only protects a table cell.

    **Source**: obsidian-tasks, recorded `all_link_types.json` (`[[#heading||text]]`); obsidian-help, Advanced
    formatting syntax (`\\|` in tables).
    """
    if not inner.strip():
        return None
    bar = inner.find("|", 1)
    if bar < 0:
        return split_link(inner), None
    return split_link(inner[:bar].removesuffix("\\")), inner[bar + 1 :].strip()


def parse_destination(destination: str) -> Place | None:
    """Where a markdown link leads; None for nothing and for what leaves the vault (`https:`, `mailto:`, `obsidian:`).

    Path and headings are percent-decoded apart, so that `%23` stays in the name. What does not decode stays as it is.

    **Source**: obsidian-help, Internal links; obsidian-tasks, recorded `link_in_task_markdown_link.json` and
    `link_in_task_html.json` (an external link is none of the cache's links).
    """
    if not destination or _SCHEME.match(destination):
        return None
    place = split_link(destination)
    block = None if place.block is None else _decoded(place.block)
    return Place(_decoded(place.target), tuple(map(_decoded, place.heading)), block)


def _decoded(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote  # late: few links need it

    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text
