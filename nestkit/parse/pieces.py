"""The text under a note's properties in, its paragraphs, headings and cells out, with where each stands. *Pure*.

markdown-it's tokens are walked once; what comes out is flat, and every fact about a note can be read off it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from nestkit.link import Link
from nestkit.parse.link import parse_destination, parse_link_text
from nestkit.parse.markdown import MAX_BLOCK_LEVEL, References, parse_blocks, parse_inline
from nestkit.parse.tag import find_tags

if TYPE_CHECKING:
    from markdown_it.token import Token

_HOLDERS = frozenset(("blockquote", "list_item", "footnote"))
_NO_FIELDS = frozenset(("fence", "code_block", "math_block", "bullet_list_open", "ordered_list_open"))
"""Blocks whose lines hold none of the note's own fields: code of all kinds, and lists, which are read by item."""

Kind = Literal["paragraph", "heading", "cell", "comment"]
_KINDS: dict[str, Kind] = {
    "paragraph_open": "paragraph",
    "heading_open": "heading",
    "td_open": "cell",
    "th_open": "cell",
}


@dataclass(slots=True, eq=False)
class Item:
    """A list item."""

    line: int
    parent_line: int | None
    """Line of the item it is nested in."""
    pieces: list[Piece] = field(default_factory=list)
    """Its own text, without that of the items nested in it."""


@dataclass(slots=True, eq=False)
class Piece:
    """A stretch of text that holds no blocks."""

    kind: Kind
    text: str
    """Lines as they stand, without the marks of quotes, lists and headings."""
    line: int
    block_line: int
    """First line of the block that an id at the end of this piece names."""
    level: int = 0
    """Of a heading."""
    links: Sequence[Link] = ()
    tags: Sequence[str] = ()


@dataclass(slots=True)
class Pieces:
    """All of a body."""

    pieces: list[Piece] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    """All lines as they stand."""
    passed: set[int] = field(default_factory=set)
    """Places in `lines` that hold none of the note's own fields."""
    too_deep: int | None = None
    """Line of the first block that is nested too deep to be read."""


@dataclass(slots=True)
class _Holder:
    """A quote, list item, footnote or the body itself, while it is open."""

    kind: str
    line: int
    level: int
    """Level of the blocks in it."""
    item: Item | None = None
    current: int | None = None
    before: int | None = None
    """Line of the block before the current one."""


def parse_pieces(text: str, first_line: int) -> Pieces:
    """Everything of a body in document order; lines are those of the file it begins in at `first_line`."""
    tokens, references = parse_blocks(text)
    found = Pieces(lines=text.split("\n"))
    holders = [_Holder("body", first_line, 0)]
    for token, previous in zip(tokens, [None, *tokens], strict=False):
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if token.type == "inline" and previous is not None:
            _add_piece(found, token, previous, holders, references, first_line)
        elif token.nesting < 0 and kind in _HOLDERS:
            holders.pop()
        elif token.nesting >= 0 and token.map is not None:
            line = first_line + token.map[0]
            if token.level == holders[-1].level:
                holders[-1].before, holders[-1].current = holders[-1].current, line
            if token.type in _NO_FIELDS:
                found.passed.update(range(*token.map))
            elif kind in _HOLDERS:
                _open_holder(found, kind, line, token.level + 1, holders)
    return found


def _open_holder(found: Pieces, kind: str, line: int, level: int, holders: list[_Holder]) -> None:
    item = holders[-1].item
    if kind == "list_item":
        item = Item(line, item.line if item else None)
        found.items.append(item)
    if level >= MAX_BLOCK_LEVEL and found.too_deep is None:
        found.too_deep = line
    holders.append(_Holder(kind, line, level, item))


def _add_piece(
    found: Pieces, token: Token, before: Token, holders: list[_Holder], references: References, first_line: int
) -> None:
    text, line = token.content, first_line + (token.map[0] if token.map else 0)
    piece = Piece(_KINDS.get(before.type, "comment"), text, line, _block_line(text, line, holders))
    piece.level = int(before.tag[1]) if piece.kind == "heading" else 0
    if "[[" in text or "](" in text or "#" in text:  # nothing else can make a link or tag
        read_inline(piece, references)
    found.pieces.append(piece)
    if (item := holders[-1].item) is not None:
        item.pieces.append(piece)


def read_inline(piece: Piece, references: References) -> None:
    """Put the links and tags of its text into the piece."""
    links: list[Link] = []
    tags: list[str] = []
    line, seen = piece.line, 0
    for inline in parse_inline(piece.text, references):
        if inline.type == "text":
            tags += find_tags(inline.content)
        elif "offset" in inline.meta:
            line += piece.text.count("\n", seen, inline.meta["offset"])
            seen = inline.meta["offset"]
            links += as_link(inline, line)
    piece.links, piece.tags = links, tags


def as_link(token: Token, line: int) -> list[Link]:
    """The link an inline token on that line stands for, if there is one that stays in the vault.

    Links by reference are none: Obsidian keeps them apart (obsidian-api, `referenceLinks`).
    """
    if token.type == "wikilink":
        read = parse_link_text(token.content)
    elif "label" in token.meta:
        read = None
    else:
        place = parse_destination(str(token.attrs.get("href") or token.attrs.get("src") or ""))
        read = (place, token.meta["text"]) if place else None
    if read is None:
        return []
    (target, heading, block), alias = read
    return [Link(target, line, heading, block, alias, token.meta.get("embed", token.type == "image"))]


def _block_line(text: str, line: int, holders: list[_Holder]) -> int:
    """First line of what an id names: the list item or outermost quote around the text, else the text itself.

    An id that stands alone names the block before it.

    **Source**: obsidian-help, Internal links (ids of list items, quotes and tables).
    """
    before = holders[-1].before
    if before is not None and text.startswith("^") and len(text.split()) == 1:
        return before
    for holder in reversed(holders):
        if holder.kind == "blockquote":
            line = holder.line
        else:
            return holder.line if holder.kind == "list_item" and holder is holders[-1] else line
    return line
