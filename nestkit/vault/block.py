"""A note's text in; its block of properties as lines, with the lines that each key owns, out. *Pure*.

No YAML parser, but a reader of the part of YAML it is certain about, for the sake of one promise: an edit of one key
changes no other. What it cannot read for certain, or Obsidian would not accept, is `BrokenBlock`, with the line.
**Source**: YAML 1.2.2, chapters 6 to 8; where a block begins and ends: help.obsidian.md, "Properties".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import NoReturn

from nestkit.errors import VaultError

_OPEN = re.compile(r"\ufeff?---[ \t]*(?:\r?\n|\Z)")
_CLOSE = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
_LINE = re.compile(r"[^\n]*\n")
_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
"""What YAML forbids, or what one reader takes for the end of a line and the next does not."""
_DOUBLE = r"(?:[^\"\\]|\\[0abtnvfre \"/\\N_LP]|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*"
_SINGLE = r"(?:[^']|'')*"
_INSIDE = {'"': re.compile(_DOUBLE), "'": re.compile(_SINGLE)}
_QUOTED = f"\"{_DOUBLE}\"|'{_SINGLE}'"
_FIRST = r"(?:[^ \-?:,\[\]{}#&*!|>'\"%@`]|[-?:](?=[^ ]))"
_KEY = re.compile(rf"((?:{_QUOTED}) *|{_FIRST}(?:[^:#]|:(?=[^ ])|(?<=[^ ])#){{0,1023}}?):(?= |$)")
_PLAIN = re.compile(_FIRST)
_WORD = "[A-Za-z0-9_-]+"
_ALIAS = re.compile(rf"\*({_WORD})(?= *$| +#)")
_TAIL = re.compile(r" *(?:$|(?<= )#)")
_HEADER = re.compile(r"[|>](?:[+-]?(?P<width>[1-9])?|(?P<first>[1-9])[+-])(?= |$)")
_TAG = f"!!?(?:{_WORD})?"
_PROPERTIES = re.compile(rf"(?:{_TAG} +(?=&))?(?:&(?P<anchor>{_WORD})|{_TAG})(?: +|$)(?![&!])")
_STOP = r"(?=[ ,\[\]{}]|$)"
_FLOW = re.compile(
    rf" +|(?P<quoted>{_QUOTED})|(?P<open>[\[{{])|(?P<close>[\]}}])|(?P<comma>,)"
    rf"|(?P<colon>:{_STOP}|(?<=[\"']):)|(?P<plain>[^ ,\[\]{{}}\"'#][^ ,\[\]{{}}]*?(?=:{_STOP}|[ ,\[\]{{}}]|$))"
)
_DEPTH = 50


class BrokenBlock(VaultError):
    """The properties cannot be read for certain, so nothing in them is changed."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}", "mend the properties at the top of the note by hand, then try again")
        self.line = line


@dataclass(frozen=True, slots=True)
class Key:
    """One top-level key with its value."""

    name: str
    first: int
    """Index of its first line in `Block.lines`."""
    end: int
    """Index after the last line of its value; blank lines and comments below it are nobody's."""
    head: str
    """The key up to its colon, as written."""
    gap: str
    """Blanks after the colon."""
    value: str
    """The value as written, when it stands on the key's own line in full; else empty."""
    tail: str
    """Blanks and comment after the value, or after the colon when the value stands below."""
    below: bool
    """The value stands on lines of its own, below the key's."""
    anchored: bool
    """Others may refer to something in this value."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of properties; opening, lines and rest together are the text."""

    opening: str
    lines: tuple[str, ...]
    """With their line ends."""
    rest: str
    """The closing fence and the body."""
    keys: tuple[Key, ...]


def find_block(text: str) -> Block | None:
    """The block of properties a note begins with, or None. Raises BrokenBlock."""
    opening = _OPEN.match(text)
    if opening is None:
        return None
    closing = _CLOSE.search(text, opening.end())
    if closing is None:
        raise BrokenBlock(1, "the block of properties is never closed")
    lines = tuple(_LINE.findall(text, opening.end(), closing.start()))
    return Block(opening[0], lines, text[closing.start() :], _Reader(lines).read())


class _Reader:
    """Walks the lines of one block. Every method that reads a node returns the index after the node's last line."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        rows = [line.removesuffix("\n").removesuffix("\r").rstrip(" ") for line in lines]
        self.texts = [row.lstrip(" ") for row in rows]
        self.indents = [len(row) - len(text) for row, text in zip(rows, self.texts, strict=True)]
        self.anchors: set[str] = set()
        for index, row in enumerate(rows):
            if "\t" in row:
                self.refuse(index, "a tab; YAML wants blanks")
            if _ODD.search(row):
                self.refuse(index, "a character that YAML does not allow")

    def read(self) -> tuple[Key, ...]:
        keys: list[Key] = []
        names: set[str] = set()
        at = self.next_row(0)
        while at < len(self.texts):
            if self.indents[at] or self.texts[at][:4].rstrip() in ("---", "..."):
                self.refuse(at, "is not indented like a property" if self.indents[at] else "ends the block early")
            name, head, rest = self.key(at, names)
            anchors = len(self.anchors)
            end, tail = self.value(at, rest, 0, 0, in_map=True)
            gap = rest[: len(rest) - len(rest.lstrip(" "))]
            value = rest[len(gap) : len(rest) - len(tail)] if end == at + 1 and tail != rest else ""
            below, anchored = end > at + 1 and tail == rest, len(self.anchors) > anchors
            keys.append(Key(name, at, end, head, gap, value, tail, below, anchored))
            at = self.next_row(end)
        return tuple(keys)

    def refuse(self, index: int, what: str) -> NoReturn:
        raise BrokenBlock(index + 2, what)  # the fence is line 1

    def next_row(self, index: int) -> int:
        """The next line that is neither blank nor a comment."""
        while index < len(self.texts) and (not self.texts[index] or self.texts[index][0] == "#"):
            index += 1
        return index

    def key(self, index: int, names: set[str]) -> tuple[str, str, str]:
        """Name, text up to the colon, and the rest of the line; the name joins those its map has already."""
        text = self.texts[index]
        match = _KEY.match(text)
        if match is None:
            self.refuse(index, "no `name: value`" if text[0] not in "[{" else "one {...} or [...] for the whole block")
        name = match[1].rstrip(" ")
        if name[0] == "'":
            name = name[1:-1].replace("''", "'")
        elif name[0] == '"':
            try:
                name = json.loads(name)
            except ValueError:
                self.refuse(index, "a name with escapes that only some readers know")
        if name in names:
            self.refuse(index, f"{name!r} stands there twice, so Obsidian reads none of the properties")
        names.add(name)
        return name, match[0], text[match.end() :]

    def node(self, index: int, parent: int, depth: int) -> int:
        """A value on lines of its own, indented deeper than `parent`."""
        if depth > _DEPTH:
            self.refuse(index, "lists and maps nested too deep")
        if _is_item(self.texts[index]):
            return self.sequence(index, depth)
        if _KEY.match(self.texts[index]):
            return self.mapping(index, depth)
        return self.value(index, " " + self.texts[index], parent, depth, in_map=False)[0]

    def mapping(self, index: int, depth: int) -> int:
        indent, names, end = self.indents[index], set[str](), index
        while index < len(self.texts) and self.indents[index] == indent:
            _, _, rest = self.key(index, names)
            end, _ = self.value(index, rest, indent, depth, in_map=True)
            index = self.following(end, indent)
        return end

    def sequence(self, index: int, depth: int) -> int:
        indent, end = self.indents[index], index
        while index < len(self.texts) and self.indents[index] == indent and _is_item(self.texts[index]):
            rest = self.texts[index][1:]
            inner = rest.lstrip(" ")
            if _is_item(inner) or _KEY.match(inner):  # `- name: value`: a node that begins within the line
                self.indents[index] += 1 + len(rest) - len(inner)
                self.texts[index] = inner
                end = self.node(index, indent, depth + 1)
            else:
                end, _ = self.value(index, rest, indent, depth, in_map=False)
            index = self.following(end, indent)
        return end

    def following(self, end: int, indent: int) -> int:
        index = self.next_row(end)
        if index < len(self.texts) and self.indents[index] > indent:
            self.refuse(index, "is indented deeper than what it belongs to")
        return index

    def value(self, index: int, rest: str, parent: int, depth: int, *, in_map: bool) -> tuple[int, str]:
        """Any value; also what stands after it on its last line, or after the colon when it stands below."""
        text = rest.lstrip(" ")
        if not text or text[0] == "#":
            return self.below(index, parent, depth, in_map), rest
        properties = _PROPERTIES.match(text)
        if properties:
            text = text[properties.end() :]
            self.anchor(index, properties["anchor"], text)
            if not text or text[0] == "#":
                return self.below(index, parent, depth, in_map), text and f" {text}"
        if text[0] in "|>":
            return self.literal(index, text, parent)
        if text[0] in "\"'":
            return self.quoted(index, text, parent)
        if text[0] in "[{":
            return self.flow(index, text, parent)
        return self.plain(index, text, parent)

    def anchor(self, index: int, name: str | None, text: str) -> None:
        """Remember an anchor (or a tag, without name) that the value `text` carries, here or on the lines below."""
        below = self.next_row(index + 1)
        again = text[:1] in ("", "#") and below < len(self.texts) and self.texts[below][0] in "&!"
        if name in self.anchors or text[:1] == "*" or again:
            self.refuse(index, "an anchor or tag set twice, or set on a reference")
        self.anchors |= {name} if name else set()

    def below(self, index: int, parent: int, depth: int, in_map: bool) -> int:
        below = self.next_row(index + 1)
        if below < len(self.texts):
            if self.indents[below] > parent:
                return self.node(below, parent, depth + 1)
            if in_map and self.indents[below] == parent and _is_item(self.texts[below]):
                return self.sequence(below, depth + 1)
        return index + 1

    def plain(self, index: int, text: str, parent: int) -> tuple[int, str]:
        alias = _ALIAS.match(text)
        if alias and alias[1] not in self.anchors:
            self.refuse(index, f"{alias[0]} refers to nothing above it")
        if not alias and not _PLAIN.match(text):
            self.refuse(index, f"a value that begins with {text[0]} needs quotes")
        tail = self.plain_line(index, text)
        end = index + 1
        while not tail:
            below = end
            while below < len(self.texts) and not self.texts[below]:
                below += 1
            if below == len(self.texts) or self.indents[below] <= parent or self.texts[below][0] == "#":
                break
            tail = self.plain_line(below, self.texts[below])
            end = below + 1
        return end, tail

    def plain_line(self, index: int, text: str) -> str:
        """The comment after a line of plain text, with the blanks before it."""
        body = text.partition(" #")[0].rstrip(" ")
        if ": " in body or body.endswith(":"):
            self.refuse(index, "a colon within a value needs quotes around the value")
        return text[len(body) :]

    def quoted(self, index: int, text: str, parent: int) -> tuple[int, str]:
        inside, start = _INSIDE[text[0]], 1
        quote = text[0]
        while True:
            match = inside.match(text, start)
            stop = match.end() if match else start
            if text[stop : stop + 1] == quote:
                return index + 1, self.tail(index, text[stop + 1 :])
            if text[stop:] not in ("", "\\"):
                self.refuse(index, "an escape that YAML does not know")
            index, start = self.continued(index, parent, "a quote"), 0
            text = self.texts[index]

    def continued(self, index: int, parent: int, what: str, may_close: bool = False) -> int:
        """The next line, which must belong to a value that is not finished yet."""
        index += 1
        if index == len(self.texts):
            self.refuse(index - 1, f"{what} that is never closed")
        text, indent = self.texts[index], self.indents[index]
        if text and indent <= parent and not (may_close and indent == parent and text[0] in "]}"):
            self.refuse(index, f"{what} is not closed before this line")
        return index

    def flow(self, index: int, text: str, parent: int) -> tuple[int, str]:
        """`[...]` or `{...}`, over as many lines as it takes."""
        at, before = 0, ""
        open_: list[str] = []  # the bracket that closes each, with a colon once its entry has one
        while True:
            while at < len(text) and not (text[at] == "#" and text[at - 1 : at] in ("", " ")):
                match = _FLOW.match(text, at)
                kind = match.lastgroup if match else ""
                if match is None or not _may_follow(kind, before, match[0]) or (kind == "colon" and ":" in open_[-1]):
                    self.refuse(index, f"{text[at]} at a place in brackets where YAML does not allow it")
                at = match.end()
                if kind is None:
                    continue
                before = kind
                if kind == "open":
                    open_.append({"[": "]", "{": "}"}[match[0]])
                elif kind in ("colon", "comma"):
                    open_[-1] = open_[-1][0] + match[0].strip(",")
                elif kind == "close":
                    if match[0] != open_.pop()[0]:
                        self.refuse(index, f"{match[0]} closes what it did not open")
                    if not open_:
                        return index + 1, self.tail(index, text[at:])
            index, at = self.continued(index, parent, "a bracket", may_close=True), 0
            text = self.texts[index]

    def literal(self, index: int, text: str, parent: int) -> tuple[int, str]:
        """`|` or `>`: every deeper line, whatever it looks like."""
        header = _HEADER.match(text)
        if header is None:
            self.refuse(index, f"{text.split(' ')[0]} is no block of text that YAML knows")
        width = header["width"] or header["first"]
        tail, end, indent = self.tail(index, text[header.end() :]), index + 1, parent + int(width) if width else 0
        for below in range(end, len(self.texts)):
            if self.texts[below]:
                indent = indent or self.indents[below]
                comment = self.texts[below][0] == "#" and self.indents[below] < indent
                if self.indents[below] <= parent or comment:
                    break
                if self.indents[below] < indent:
                    self.refuse(below, "is indented less than the text it belongs to")
                end = below + 1
        return end, tail

    def tail(self, index: int, text: str) -> str:
        if not _TAIL.match(text):
            self.refuse(index, f"text after the end of a value: {text.strip()[:40]}")
        return text


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _may_follow(kind: str | None, before: str, text: str) -> bool:
    """Whether a token may stand in brackets after another; None is a blank."""
    if kind in ("quoted", "open"):
        return before not in ("plain", "quoted", "close")
    if kind == "plain":
        return before == "plain" or (before not in ("quoted", "close") and text[0] not in "@`%|>?:#&*!" and text != "-")
    if kind in ("comma", "colon"):
        return before not in ("", "open", "comma") and not kind == before == "colon"
    return True
