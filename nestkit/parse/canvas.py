"""Text of a canvas in, its links out: a Note. *Pure*.

**Source**: JSON Canvas 1.0; Obsidian release notes 1.12.0 (file cards are links), 1.13.7 (links in text cards are).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nestkit.link import Link
from nestkit.note import Note, Problem
from nestkit.parse.link import split_link


def parse_canvas(path: str, text: str) -> Note:
    """Links of file cards and text cards in the order of the cards, all on line 1; edges, groups and tags count not.

    The body is the text of the cards, for search. An empty file is a new canvas; a broken one is a problem.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        return Note(path)
    import json  # late: most notes are no canvas

    try:
        canvas = json.loads(text)
    except json.JSONDecodeError as error:
        return Note(path, problems=(Problem(path, error.lineno, f"not a canvas: {error.msg}"),))
    except (ValueError, RecursionError):
        return Note(path, problems=(Problem(path, 0, "not a canvas: nested too deep, or a number too long"),))
    nodes = canvas.get("nodes", []) if isinstance(canvas, dict) else None
    if not isinstance(nodes, list):
        return Note(path, problems=(Problem(path, 1, "not a canvas: `nodes` should be a list"),))
    cards = [node for node in nodes if isinstance(node, dict)]
    links = tuple(link for card in cards for link in _links(path, card))
    return Note(path, links=links, body="\n\n".join(filter(None, map(_text, cards))))


def _text(card: dict[str, Any]) -> str:
    text = card.get("text") if card.get("type") == "text" else None
    return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else ""


def _links(path: str, card: dict[str, Any]) -> Iterator[Link]:
    file, subpath = card.get("file"), card.get("subpath")
    if card.get("type") == "file" and isinstance(file, str) and file:
        _, heading, block = split_link(subpath if isinstance(subpath, str) else "")
        yield Link(file, 1, heading, block)
    elif text := _text(card):
        from nestkit.parse.body import parse_body  # late: many canvases hold files only

        for link in parse_body(path, text, 1).links:
            yield Link(link.target, 1, link.heading, link.block, link.alias, link.embed)
