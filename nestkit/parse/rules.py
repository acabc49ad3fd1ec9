"""Rules that Obsidian adds to CommonMark, one function each, in the order they are tried. *Pure*.

A block rule looks at a line and makes tokens of it and what follows; an inline rule looks at a position in a paragraph.
Both return whether they matched, and make no token when `silent`. Every inline token that is a link carries
`meta["offset"]`, its place in the paragraph, from which its line is counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from nestkit.parse.link import WIKILINK

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.ruler import RuleOptionsType
    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline

MATH = re.compile(r"\$(?![\s$])(?:\\.|[^$\\])+(?<!\s)\$(?!\d)|\$\$(?:\\.|[^$\\]|\$(?!\$))+\$\$", re.DOTALL)
_FENCE = re.compile(r"(?<!%)%%(?!%)")
_FOOTNOTE = re.compile(r"\[\^[^\s\]]+\]:[ \t]*")


def wikilink(state: StateInline, silent: bool) -> bool:
    """`[[target#heading|text]]`, and `![[...]]` for an embed.

    **Source**: obsidian-help, Internal links, Embed files.
    """
    found = WIKILINK.match(state.src, state.pos, state.posMax)
    if not found or not found[1].strip():
        return False
    if not silent:
        token = state.push("wikilink", "", 0)
        token.content = found[1]
        token.meta = {"offset": state.pos, "embed": found[0][0] == "!"}
    state.pos = found.end()
    return True


def math(state: StateInline, silent: bool) -> bool:
    """`$...$` and `$$...$$` inside a paragraph; nothing in it is read.

    No blank follows the opening sign and none precedes the closing one, so `$5 and $6` are prices.

    **Source**: obsidian-help, Advanced formatting syntax; Obsidian release notes 0.13.28.
    """
    if state.src[state.pos] != "$" or not (found := MATH.match(state.src, state.pos, state.posMax)):
        return False
    if not silent:
        state.push("math", "", 0).content = found[0]
    state.pos = found.end()
    return True


def comment(state: StateInline, silent: bool) -> bool:
    """The `%%` around an inline comment: it ends a run of text. What is inside is read as anything else is.

    **Source**: obsidian-tasks, recorded `comments_markdown_style.json`; release notes 1.13.2 (exactly two signs).
    """
    if state.src[state.pos] != "%" or not _FENCE.match(state.src, state.pos, state.posMax):
        return False
    if not silent:
        state.push("comment_mark", "", 0)
    state.pos += 2
    return True


def placed(rule: Callable[[StateInline, bool], bool], kind: str) -> Callable[[StateInline, bool], bool]:
    """markdown-it's rule for links or images, its token (`kind`) marked with offset and label as written."""

    def with_place(state: StateInline, silent: bool) -> bool:
        start, before = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent:
            token = next(token for token in state.tokens[before:] if token.type == kind)
            bracket = start + (kind == "image")
            label_end = state.md.helpers.parseLinkLabel(state, bracket)
            token.meta |= {"offset": start, "text": state.src[bracket + 1 : label_end]}
        return True

    return with_place


def comment_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`%%` at the start of a line up to the line with the next `%%`, or to the end: links and tags only.

    Links and tags in it are indexed, headings, lists, tasks and block ids are not. An unclosed comment hides all that
    follows, as in the editor, so that nothing in it can act.

    **Source**: obsidian-tasks, recorded `comments_markdown_style.json` and `non_tasks.json`.
    """
    first = _text(state, start)
    if not first.startswith("%%") or state.is_code_block(start) or len(_FENCE.findall(first)) != 1:
        return False
    if silent:
        return True
    last = start + 1
    while last < end and not _left(state, last) and not _FENCE.search(_text(state, last)):
        last += 1
    last += last < end and not _left(state, last)
    state.push("comment_open", "", 1).map = [start, last]
    _push_paragraphs(state, start, last)
    state.push("comment_close", "", -1)
    state.line = last
    return True


def math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`$$` at the start of a line up to the line that ends in the next `$$`; nothing in it is read.

    Without such a line it is text (inferred: losing the rest of a note to a stray `$$` helps nobody).

    **Source**: obsidian-help, Advanced formatting syntax.
    """
    first = _text(state, start)
    if not first.startswith("$$") or first.startswith("$$$") or state.is_code_block(start):
        return False
    inside = first[2:].rstrip()
    if "$$" in inside and not inside.endswith("$$"):
        return False
    last = start if "$$" in inside else _closing_math(state, start, end)
    if last is None:
        return False
    if not silent:
        state.push("math_block", "", 0).map = [start, last + 1]
        state.line = last + 1
    return True


def _closing_math(state: StateBlock, start: int, end: int) -> int | None:
    """The line that closes a block of math. Misses are kept, or many stray signs would make the search quadratic."""
    misses: dict[int, tuple[int, int]] = state.env.setdefault("no_math", {})
    known_from, known_to = misses.get(state.blkIndent, (end, end))
    if known_from <= start < known_to:
        return None
    for line in range(start + 1, end):
        if _left(state, line):
            end = line
            break
        if "$$" in (text := _text(state, line)):
            return line if text.rstrip().endswith("$$") else None
    misses[state.blkIndent] = (start, end)
    return None


def footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """`[^id]: text`: the text is read like any other, four blanks continue it.

    Without this rule CommonMark takes the line for a link definition and its links are lost.

    **Source**: obsidian-help, Basic formatting syntax (footnotes).
    """
    begin = state.bMarks[start] + state.tShift[start]
    found = _FOOTNOTE.match(state.src, begin, state.eMarks[start])
    if not found or state.is_code_block(start):
        return False
    if silent:
        return True
    kept = state.bMarks[start], state.tShift[start], state.sCount[start], state.blkIndent
    token = state.push("footnote_open", "", 1)
    state.blkIndent += 4
    state.bMarks[start], state.tShift[start], state.sCount[start] = found.end(), 0, state.blkIndent
    state.line = start
    state.md.block.tokenize(state, start, end)
    state.bMarks[start], state.tShift[start], state.sCount[start], state.blkIndent = kept
    token.map = [start, state.line]
    state.push("footnote_close", "", -1)
    return True


def add_rules(md: MarkdownIt) -> None:
    """Put the rules into their places; the order of each chain can be read from top to bottom."""
    from markdown_it.rules_inline import image, link

    may_end: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    block, inline = md.block.ruler, md.inline.ruler
    block.after("fence", "comment_block", comment_block, may_end)
    block.after("comment_block", "math_block", math_block, may_end)
    block.before("reference", "footnote", footnote, {"alt": ["paragraph", "reference"]})
    inline.after("escape", "math", math)
    inline.after("math", "comment", comment)
    inline.before("link", "wikilink", wikilink)
    inline.at("link", placed(link, "link_open"))
    inline.at("image", placed(image, "image"))


def _text(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _left(state: StateBlock, line: int) -> bool:
    """The line no longer belongs to the quote or list item that the block began in."""
    return state.sCount[line] < state.blkIndent and not state.isEmpty(line)


def _push_paragraphs(state: StateBlock, start: int, end: int) -> None:
    """One inline token for each run of lines without a blank one, whatever they look like."""
    line = start
    while line < end:
        after = line
        while after < end and not state.isEmpty(after):
            after += 1
        if after > line:
            token = state.push("inline", "", 0)
            token.content = state.getLines(line, after, state.blkIndent, False)
            token.map = [line, after]
            token.children = []
        line = after + 1
