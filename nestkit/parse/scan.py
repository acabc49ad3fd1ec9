"""The text under a note's properties in, the same pieces as `parse_pieces` out, many times faster; or None. *Pure*.

Most notes are made of few kinds of blocks, each told by how its lines begin. Those are read here, block by block, with
expressions. Whatever this file is not certain of makes it give the whole note up (None), and the full parser reads it.
A rule here therefore never has to be complete, only right where it answers: tests hold both readings equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from nestkit.parse.pieces import Item, Kind, Piece, Pieces, read_inline
from nestkit.parse.scan_inline import scan_inline

START = (
    r"(?:[^\W\d_]"  # a letter of any script
    r"|\d(?!\d*[.)][ \t\n])"  # a digit, unless it numbers a list
    r"|[!\"'(),.;?/@{}&\]\\]"
    r"|\[!?\[|\[[^\[\]\\\n]*\](?!:)|<https?://"  # a link, box or callout; `[x]:` would define a link or footnote
    r"|\*{1,3}(?=[^\s*])|_{1,3}(?=[^\s_])|`{1,2}(?!`)|~{1,2}(?!~)"
    r"|\#+(?=[^\#\s])|=+(?=[^=\s])|[-+](?=[^\s\-+:|])|:(?=[^\s\-:|])|\$(?!\$)|%(?!%)"
    r"|[^\x00-\x7f\s])"
)
"""How a line begins that is text and nothing else, wherever it stands."""

_DULL = re.compile(rf"(?:(?:[ ]{{0,3}}(?![\[\#]){START}[^\n\[\#^]*\n)+(?=[ \t]*(?:\n|\Z))|[ \t]*\n)+")
"""Whole paragraphs that tell nothing, for there is no link, tag or id in them, and blank lines."""
_BLOCK = re.compile(
    rf"""
    (?P<paragraph>(?P<text>[ ]{{0,3}}{START}[^\n]*\n(?:[ \t]*{START}[^\n]*\n)*)
        (?P<under>[ ]{{0,3}}(?:=+|-+)[ \t]*\n)?)
    |(?P<heading>(?P<hashes>\#{{1,6}})[ \t]+(?P<title>[^\s\#^][^\n]*)\n)
    |(?P<list>[ ]{{0,3}}(?:[-*+]|1[.)])[ ]{{1,4}}{START})
    |(?P<numbered>[ ]{{0,3}}\d{{1,9}}[.)][ ]{{1,4}}{START})
    |(?P<quote>(?:>[^\n]*\n)+)
    |(?P<code>(?:[ ]{{4}}|\t)[ \t]*[^\s|][^\n|]*\n(?:(?:[ ]{{4}}|\t)[^\n|]*\n|[ \t]*\n)*)
    |(?P<fence>[ ]{{0,3}}(?P<ticks>`{{3,}}|~{{3,}})[^`~|\n]*\n)
    |(?P<table>\|(?P<head>[^\n]*)\n\|(?P<rule>[ :|-]+)\n(?P<rows>(?:\|[^\n]*\n)*))
    |(?P<html><!--[^|\n]*\n)
    |(?P<math>\$\$(?!\$)[^|\n]*\n)
    |(?P<footnote>\[\^[^\s\]]+\]:[ ]+(?P<note>{START}[^\n]*)\n)
    |(?P<rule_off>(?:-{{3,}}|\*{{3,}}|_{{3,}})[ \t]*\n)
    """,
    re.VERBOSE,
)
_ITEM = re.compile(rf"([ \t]*)(?:[-*+]|(\d{{1,9}})([.)]))( {{1,4}})({START}[^\n]*)\n")
_MORE = re.compile(rf"([ \t]*)({START}[^\n]*)\n")
_BLANKS = re.compile(r"(?:[ \t]*\n)+")
_GOES_ON = re.compile(r"(?:[ \t]*\n)*(?:[ ]{4}|[ ]{0,3}\t)[ \t]*\S")
"""Text so far to the right that it belongs to the footnote above."""
_QUOTE_MARK = re.compile(r"^> ?", re.MULTILINE)
_BAR = re.compile(r"(?<!\\)\|")
_DASHES = re.compile(r":?-+:?")

_MAX_QUOTES, _MAX_ITEMS = 4, 20
"""In one another; the full parser has a limit of its own for deeper ones."""
_MAX_ROWS = 1000


class _Uncertain(Exception):
    """The full parser has to read this note."""


@dataclass(slots=True)
class _Open:
    """A list item that is open, and where text that belongs to it begins."""

    column: int
    item: Item
    mark: str
    """`-` for every bullet, `.` or `)` for a number: what a next number has to agree with."""


@dataclass(slots=True)
class _Scan:
    """One text being read: a body, or what stands in a quote of it."""

    found: Pieces
    text: str
    """Ends in a line break."""
    line: int
    """Line of the file at which `at` stands."""
    first_line: int
    """Line of the file on which the body begins."""
    quote_line: int | None = None
    """First line of the outermost quote around."""
    depth: int = 0
    at: int = 0

    def pass_to(self, end: int, *, silent: bool = False) -> None:
        """Go on to `end`; lines that are `silent` hold none of the note's own fields."""
        count = self.text.count("\n", self.at, end)
        if silent:
            place = self.line - self.first_line
            self.found.passed.update(range(place, place + count))
        self.line += count
        self.at = end

    def piece(self, kind: Kind, text: str, line: int, item: Item | None = None, level: int = 0) -> Piece:
        """A piece of this text, its links and tags read."""
        block_line = item.line if item is not None else self.quote_line or line
        made = Piece(kind, text, line, block_line, level)
        if ("[[" in text or "](" in text or "#" in text) and not scan_inline(made):
            read_inline(made, {})
        self.found.pieces.append(made)
        if item is not None:
            item.pieces.append(made)
        return made


def scan_pieces(text: str, first_line: int) -> Pieces | None:
    """Everything of a body that can tell something, in document order; None when the full parser has to read it.

    Paragraphs and cells without link, tag and block id are left out: nothing is read off them.
    """
    found = Pieces(lines=text.split("\n"))
    try:
        _scan(_Scan(found, text if text.endswith("\n") else text + "\n", first_line, first_line))
    except _Uncertain:
        return None
    return found


def _scan(scan: _Scan) -> None:
    text, before = scan.text, "blank"
    while True:
        if (dull := _DULL.match(text, scan.at)) is not None:
            if before in _MAY_FOLLOW and not _BLANKS.match(text, scan.at):
                raise _Uncertain
            scan.pass_to(dull.end())
            before = "blank"
        if scan.at == len(text):
            return
        block = _BLOCK.match(text, scan.at)
        if block is None or (kind := block.lastgroup or "") not in _MAY_FOLLOW.get(before, _BLOCKS):
            raise _Uncertain
        before = _BLOCKS[kind](scan, block)


def _paragraph(scan: _Scan, block: re.Match[str]) -> str:
    text, underline = block["text"], block["under"]
    if underline is not None:
        if "|" in text:
            raise _Uncertain  # it may be the head of a table
        scan.piece("heading", text.strip(), scan.line, level=1 if "=" in underline else 2)
    elif "[[" in text or "](" in text or "#" in text or "^" in text:
        scan.piece("paragraph", text.strip(), scan.line)
    scan.pass_to(block.end())
    return "paragraph" if underline is None else "heading"


def _heading(scan: _Scan, block: re.Match[str]) -> str:
    title = block["title"].strip()
    if title[-1] == "#" and (bare := title.rstrip("#"))[-1:] in (" ", "\t"):
        title = bare.strip()
    scan.piece("heading", title, scan.line, level=len(block["hashes"]))
    scan.pass_to(block.end())
    return "table" if "|" in title else "heading"  # it may be the head of one


def _footnote(scan: _Scan, block: re.Match[str]) -> str:
    scan.piece("paragraph", block["note"].strip(), scan.line)
    scan.pass_to(block.end())
    if _GOES_ON.match(scan.text, scan.at):
        raise _Uncertain
    return "footnote"


def _code(scan: _Scan, block: re.Match[str]) -> str:
    scan.pass_to(block.end(), silent=True)
    return "blank"


def _rule_off(scan: _Scan, block: re.Match[str]) -> str:
    scan.pass_to(block.end())
    return "rule_off"


def _fence(scan: _Scan, block: re.Match[str]) -> str:
    closing = _closing_fence(block["ticks"]).search(scan.text, block.end())
    scan.pass_to(closing.end() if closing else len(scan.text), silent=True)
    return "fence"


@cache
def _closing_fence(ticks: str) -> re.Pattern[str]:
    return re.compile(rf"^ {{0,3}}{ticks[0]}{{{len(ticks)},}}[ \t]*\n", re.MULTILINE)


def _html(scan: _Scan, block: re.Match[str]) -> str:
    closing = scan.text.find("-->", scan.at)
    if closing < 0:
        raise _Uncertain
    scan.pass_to(scan.text.index("\n", closing) + 1)
    return "html"


def _math(scan: _Scan, block: re.Match[str]) -> str:
    closing = scan.text.find("$$", scan.at + 2)
    end = scan.text.find("\n", closing) + 1
    if closing < 0 or not scan.text[closing:end].rstrip().endswith("$$"):
        raise _Uncertain
    scan.pass_to(end, silent=True)
    return "math"


def _table(scan: _Scan, block: re.Match[str]) -> str:
    rows = [block["head"], *block["rows"].removesuffix("\n").split("\n")] if block["rows"] else [block["head"]]
    marks = _cells(block["rule"])
    if len(rows) > _MAX_ROWS or len(_cells(rows[0])) != len(marks) or not all(map(_DASHES.fullmatch, marks)):
        raise _Uncertain
    for place, row in enumerate(rows):
        for cell in _cells(row)[: len(marks)] if "[[" in row or "](" in row or "#" in row else ():
            scan.piece("cell", cell, scan.line + (place and place + 1))
    scan.pass_to(block.end())
    return "table"


def _cells(row: str) -> list[str]:
    """What stands between the bars of a row, whose first bar is at its start or already taken off."""
    cells = _BAR.split(row.strip().removeprefix("|"))
    if cells[-1].strip() == "":
        cells.pop()
    return [cell.replace("\\|", "|").strip() for cell in cells]


def _quote(scan: _Scan, block: re.Match[str]) -> str:
    if scan.depth == _MAX_QUOTES or "\t" in block[0]:
        raise _Uncertain
    inside = _QUOTE_MARK.sub("", block[0])
    outermost = scan.quote_line or scan.line
    _scan(_Scan(scan.found, inside, scan.line, scan.first_line, outermost, scan.depth + 1))
    scan.pass_to(block.end())
    return "quote"


def _list(scan: _Scan, block: re.Match[str]) -> str:
    """All items from here on, those nested in one another too, up to the first line that belongs to none."""
    text, begin, last = scan.text, scan.line, scan.line
    reading = _ListReading(scan)
    while True:
        if (found := _ITEM.match(text, scan.at)) is not None:
            reading.open_item(found)
        elif (found := _MORE.match(text, scan.at)) is not None:
            if not reading.add_text(found):
                break
        elif (found := _BLANKS.match(text, scan.at)) is not None:
            reading.close_text()
            scan.pass_to(found.end())
            continue
        else:
            break
        last = scan.line
        scan.line += 1
        scan.at = found.end()
    touching = reading.close_text()
    if text[scan.at : scan.at + 1] in (" ", "\t"):
        raise _Uncertain
    scan.found.passed.update(range(begin - scan.first_line, last + 1 - scan.first_line))
    return "list" if touching else "blank"


@dataclass(slots=True)
class _ListReading:
    """The items that are open at one place of a list, and the text being gathered for the innermost."""

    scan: _Scan
    open: list[_Open] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    line: int = 0
    """On which the text begins."""

    def open_item(self, found: re.Match[str]) -> None:
        """**Source**: CommonMark, 5.2 and 5.3: an item belongs to the one whose text begins no further to the right."""
        indent, number, delimiter, blanks, text = found.groups()
        touching = bool(self.lines) and self.close_text()
        column = _columns(indent)
        sibling = self._close_beyond(column)
        outer = self.open[-1] if self.open else None
        if column - (outer.column if outer else 0) >= 4 or len(self.open) == _MAX_ITEMS:
            raise _Uncertain  # code, or text of the paragraph above
        if number and touching and int(number) != 1 and (sibling is None or sibling.mark != delimiter):
            raise _Uncertain  # only a 1 may interrupt a paragraph
        item = Item(self.scan.line, outer.item.line if outer else None)
        self.scan.found.items.append(item)
        width = len(number) + 1 if number else 1
        self.open.append(_Open(column + width + len(blanks), item, delimiter or "-"))
        self.lines, self.line = [text], self.scan.line

    def add_text(self, found: re.Match[str]) -> bool:
        """Whether the line is text of an item: of the paragraph being read, or a further one of an item around."""
        column = _columns(found[1])
        if not self.lines:
            self._close_beyond(column)
            if not self.open:
                return False
            if column - self.open[-1].column >= 4:
                raise _Uncertain
            self.lines, self.line = [found[2]], self.scan.line
            return True
        left = column - self.open[-1].column
        if left > 0 and "\t" in found[1]:
            raise _Uncertain
        self.lines.append(" " * left + found[2])
        return True

    def close_text(self) -> bool:
        """Whether there was text being read; it is a piece of the innermost item now."""
        if not self.lines:
            return False
        text = self.lines[0] if len(self.lines) == 1 else "\n".join(self.lines)
        self.scan.piece("paragraph", text.strip(), self.line, self.open[-1].item)
        self.lines = []
        return True

    def _close_beyond(self, column: int) -> _Open | None:
        """The last item closed because this column is left of its text."""
        closed = None
        while self.open and column < self.open[-1].column:
            closed = self.open.pop()
        return closed


def _columns(indent: str) -> int:
    return len(indent.expandtabs(4)) if "\t" in indent else len(indent)


_BLOCKS: dict[str, Callable[[_Scan, re.Match[str]], str]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "list": _list,
    "numbered": _list,
    "quote": _quote,
    "code": _code,
    "fence": _fence,
    "table": _table,
    "html": _html,
    "math": _math,
    "footnote": _footnote,
    "rule_off": _rule_off,
}
_INTERRUPTS = frozenset(("heading", "fence", "html"))
_MAY_FOLLOW = {
    "paragraph": _INTERRUPTS | {"list", "quote"},
    "list": _INTERRUPTS | {"quote"},
    "quote": frozenset(("heading",)),
    "table": frozenset[str](),
    "footnote": frozenset[str](),
}
"""What may follow without a blank line between and is certain not to continue or change what stands before it."""
