"""Markdown text in, tokens of blocks and of paragraphs out, by CommonMark with Obsidian's additions. *Pure*.

markdown-it-py does the work in two steps that are taken apart here: blocks first, then only those paragraphs that can
hold a link or tag. The parsers are made once, on first use.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from nestkit.parse.rules import add_rules

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_BLOCK_LEVEL = 100
"""Quotes and lists in one another (a list counts twice); what lies deeper is reported and not read."""
MAX_INLINE_LEVEL = 20
"""CommonMark's preset for brackets in one another."""

References = dict[str, Any]
"""Link definitions of a note, which its paragraphs need."""


def parse_blocks(text: str) -> tuple[list[Token], References]:
    """Tokens of all blocks, in order; `token.map` holds first line and the one after the last, counted from 0."""
    md = _parser(MAX_BLOCK_LEVEL)
    tokens: list[Token] = []
    references: References = {}
    md.block.parse(text, md, references, tokens)
    return tokens, references


def parse_inline(text: str, references: References | None = None) -> list[Token]:
    """Tokens of one paragraph, heading or cell. Links by reference have `meta["label"]`."""
    md = _parser(MAX_INLINE_LEVEL)
    tokens: list[Token] = []
    md.inline.parse(text, md, {} if references is None else references, tokens)
    return tokens


@cache
def _parser(level: int) -> MarkdownIt:
    from markdown_it import MarkdownIt  # late: reading a settings file needs no markdown

    md = MarkdownIt("commonmark", {"maxNesting": level, "store_labels": True}).enable(["table", "strikethrough"])
    md.normalizeLink = _as_written  # type: ignore[method-assign,assignment]
    md.validateLink = bool  # type: ignore[method-assign,assignment]
    add_rules(md)
    return md


def _as_written(destination: str) -> str:
    return destination
