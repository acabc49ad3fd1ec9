"""What an author wrote about a function in, docstring or comment; summary, text and parameters out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_MAX_CHARS = 20_000
_MAX_LINE = 1_000
_MAX_SUMMARY = 160
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class ParameterDoc:
    """What a docstring says of one parameter."""

    type: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Doc:
    """What an author says of one function or script."""

    summary: str = ""
    """First paragraph as one line, cut after a sentence when it is long."""
    text: str = ""
    """All but the parts that became parameters and returns."""
    parameters: Mapping[str, ParameterDoc] = field(default_factory=dict)
    returns: str = ""
    """Type, as the docstring names it."""
    returns_text: str = ""


@dataclass(frozen=True, slots=True)
class _Style:
    """One convention: how it is known, and which of its lines become parameters and returns."""

    module: str
    """Of the docstring-parser package."""
    title: re.Pattern[str]
    """Begins a part that is taken out of the text; a docstring that has one is in this style."""
    end: re.Pattern[str]
    """Ends such a part."""


_PARTS = "Args|Arguments|Parameters|Params|Keyword Args|Keyword Arguments|Other Parameters|Returns|Return|Yields|Yield"
_FIELD = "param|parameter|arg|argument|key|keyword|type|returns?|rtype|yields?"
_STYLES = (
    _Style(
        "numpydoc", re.compile(rf"^(?:{_PARTS})[ \t]*\n-{{3,}}[ \t]*$", re.M), re.compile(r"\S.*\n-{3,}[ \t]*$", re.M)
    ),
    _Style("google", re.compile(rf"^(?:{_PARTS}):[ \t]*$", re.M), re.compile(r"\S")),
    _Style("rest", re.compile(rf"^:(?:{_FIELD})\b[^:\n]*:", re.M), re.compile(r"\S")),
    _Style("epydoc", re.compile(rf"^@(?:{_FIELD})\b[^:\n]*:", re.M), re.compile(r"\S")),
)
"""Tried in this order. **Source**: numpydoc's guide; Google's style guide, 3.8.3; Sphinx field lists; Epytext."""


def parse_doc(docstring: str) -> Doc:
    """A docstring's parts, in Google, NumPy, reST or Epytext form; a text in no such form is all text."""
    text = clean(docstring)
    style = next((style for style in _STYLES if style.title.search(text)), None)
    if style is None:
        return Doc(summary_of(text), text)
    rest = _without_parts(text, style)
    parsed = _parsed(text, style.module)
    if parsed is None:
        return Doc(summary_of(text), text)
    returns = parsed.returns
    return Doc(
        summary_of(rest),
        rest,
        {name: doc for meta in parsed.params if meta.args[0] != "attribute" for name, doc in _parameters(meta)},
        one_line(returns.type_name or "") if returns else "",
        (returns.description or "").strip() if returns else "",
    )


def comment_above(lines: Sequence[str], line: int) -> str:
    """The comment block that ends right above a line (counted from 1); empty when there is none."""
    first = line - 1
    while first > 0 and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return _comment(lines[first : line - 1])


def header_comment(lines: Sequence[str]) -> str:
    """The first comment block of a script, less `#!`, encoding, licence lines and PEP 723 blocks."""
    block: list[str] = []
    inside = False
    for line in lines[:500]:
        if line.startswith("# ///"):
            inside = line.startswith("# /// ")
        elif inside:
            continue
        elif line.startswith("#"):
            block.append(line)
        elif line.strip() or _comment(block):
            break
    return _comment(block)


def clean(docstring: str) -> str:
    """A docstring without its indentation, endless lines cut, every character fit for print."""
    text = docstring.split("\f")[0][:_MAX_CHARS].expandtabs()  # click ends a help text at a form feed
    first, *rest = (printable(line).rstrip()[:_MAX_LINE] for line in text.split("\n") if line.strip() != "\b")
    margin = min((len(line) - len(line.lstrip()) for line in rest if line), default=0)
    lines = "\n".join((first.lstrip(), *(line[margin:] for line in rest)))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n").rstrip()


def summary_of(text: str) -> str:
    """The first paragraph as one line; the first sentence of it, or a cut, where that is long."""
    line = one_line(re.split(r"\n[ \t]*\n|\n(?=[-*>+] |>>> |\.\. |[Uu](?:sage|SAGE)\b)", text.strip(), maxsplit=1)[0])
    if len(line) <= _MAX_SUMMARY:
        return line
    sentence = re.match(r".{15,}?[.!?](?=\s)", line)
    line = sentence[0] if sentence else line
    return line if len(line) <= _MAX_SUMMARY else line[: _MAX_SUMMARY - 3].rsplit(" ", 1)[0] + "..."


def printable(text: str) -> str:
    """The text without control characters, and without halves of characters that no file can hold."""
    return _CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")


def one_line(text: str) -> str:
    """The text's words, one blank between them."""
    return " ".join(printable(" ".join(text.split())).split())


def words_of(name: str) -> str:
    """A name split into words: `addBusiness_days` -> `Add business days`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").replace("-", " ").split()
    return " ".join(words).capitalize()


def _parsed(text: str, module: str) -> Any:
    """The package's reading in one style, or None when it cannot."""
    from importlib import import_module  # late: only scripts with such docstrings need the package

    from docstring_parser import ParseError

    try:
        return import_module(f"docstring_parser.{module}").parse(text)
    except (ParseError, ValueError, IndexError, RecursionError):
        return None


def _parameters(meta: Any) -> list[tuple[str, ParameterDoc]]:
    """One entry of a docstring; `x, y : float` speaks of two parameters."""
    doc = ParameterDoc(one_line(meta.type_name or ""), one_line(meta.description or ""))
    return [(name.strip().lstrip("*"), doc) for name in (meta.arg_name or "").split(",") if name.strip()]


def _without_parts(text: str, style: _Style) -> str:
    """The text less the lines that became parameters and returns; raises, notes and examples stay."""
    lines = text.split("\n")
    kept: list[str] = []
    inside = False
    for number, line in enumerate(lines):
        pair = "\n".join(lines[number : number + 2])
        inside = bool(style.title.match(pair)) or (inside and not style.end.match(pair))
        if not inside:
            kept.append(line)
    return clean("\n".join(kept))


def _comment(lines: Sequence[str]) -> str:
    skipped = re.compile(
        r"#!|#.*coding[:=]|#\s*(type:|noqa|pylint|mypy:|ruff:|SPDX-|Copyright\b|\(c\)|[-=#*~_]{3,}\s*$)", re.I
    )
    texts = (line.strip() for line in lines)
    return clean("\n" + "\n".join(re.sub(r"^#+:? ?", "", text) for text in texts if not skipped.match(text)))
