"""A reply's text in; the blocks of it that may be programs, and what stands around them, out. *Pure*.

Fences of any length and tag, nested or never closed; `<code>` and its like with a closer that is missing, wrong, or cut
in half by a stop sequence.
"""

from __future__ import annotations

import ast
import html
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple


class Block(NamedTuple):
    """One stretch of a reply that is set apart."""

    begin: int
    """Place of its opening mark."""
    tag: str
    """Lower case; empty when the mark carries none."""
    text: str
    end: int
    """Place behind its closing mark."""
    is_open: bool
    """Never closed, so it may go on where the reply breaks off."""


PYTHON = {"", "python", "py", "python3", "py3", "code", "tool_code", "ipython", "execute", "pycon", "repl"}
"""Tags of what may be Python."""

_MOST_BLOCKS = 40
_MOST_CLOSERS = 40
"""Closing marks that are tried for one opening mark: a longer reply is no short program."""

_FENCE = re.compile(
    r"^(?:[ \t>]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?(?=[`~])|[^`~\n]{1,200}?(?=`{3,}(?:python|py|tool_code)[ \t]*$))"
    r"(?P<mark>`{3,}|~{3,})[ \t]*(?P<tag>[\w+#.-]*)(?P<rest>[^\n`]*)$",
    re.M | re.I,
)
"""At the begin of a line or of an item of a list; behind other words only with a tag that is a program's."""
_ONE_LINE = re.compile(r"^[ \t>]*(?P<mark>`{3,})(?P<tag>\w+)[ \t](?P<body>[^\n`]+)(?P=mark)[ \t]*$", re.M)
_TAG = re.compile(
    r"<(?P<tag>code|execute|execute_ipython|python|tool_code|program|function_calls)(?:\s[^<>]{0,80})?>"
    r"|\[(?P<square>PYTHON)\]",
    re.I,
)
_CELL = re.compile(r"<\|(?:python_tag|python_start|tool_call_start)\|>")
_CELL_END = re.compile(r"<\|(?:python_end|tool_call_end)\|>")
_TURN_END = re.compile(r"\s*(?:<\|[a-zA-Z_]{2,24}\|>|<｜[^｜<>]{2,24}｜>|</s>|<end_of_turn>|<end_code>|<EOT>)\s*$")
_MOST_ENDS = 8


def find_blocks(text: str) -> list[Block]:
    """Every block in order: fences where there are any, else tags."""
    for find in (_fenced, _one_line, _tagged, _cell):
        if found := list(islice(find(text), _MOST_BLOCKS)):
            return found
    return []


def tidy(program: str) -> str:
    """A program less what came along with it: indentation, a second opening mark, prompts, entities of HTML.

    Prompts and entities are only taken off where the text is no Python as it stands.
    """
    program = _dedented(_without_mark(_dedented(program)))
    for mend in (_without_prompts, html.unescape, _without_ends, _without_odd_blanks):
        if not parses(program) and parses(mended := _dedented(mend(program))):
            return mended
    return program


def joined(programs: Sequence[str]) -> str:
    """All programs as one. One that a later one begins with is left out: run twice, a change would be made twice."""
    kept: list[str] = []
    for program in reversed([program for program in programs if program.strip()]):
        bare = _bare(program)
        if not any(later == bare or later.startswith(f"{bare}\n") for later in map(_bare, kept)):
            kept.insert(0, program)
    return "\n".join(kept)


def _bare(program: str) -> str:
    return re.sub(r"[ \t]+$", "", program.strip("\n"), flags=re.M)


def parses(text: str) -> bool:
    """Whether a text is whole Python and not nothing."""
    return bool(text.strip()) and tree_of(textwrap.dedent(text)) is not None


def tree_of(text: str) -> ast.Module | None:
    """The syntax tree, or None when it is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _fenced(text: str) -> Iterator[Block]:
    place = 0
    while opening := _FENCE.search(text, place):
        body, place, is_open = _body(text, opening)
        tag = re.sub(r"^(python|py)[\d.]+$", r"\1", opening["tag"].lower())
        yield Block(opening.start(), tag, body, place, is_open)


def _body(text: str, opening: re.Match[str]) -> tuple[str, int, bool]:
    """The text up to the closing fence that makes it whole Python, else up to the first one."""
    begin = min(opening.end() + 1, len(text))
    mark = opening["mark"]
    closer = re.compile(rf"^[ \t>]*{re.escape(mark[0])}{{{len(mark)},}}[ \t]*(?=\n|$|<)", re.M)
    ends = [end for _, end in zip(range(_MOST_CLOSERS), closer.finditer(text, begin), strict=False)]
    for end in ends:
        if parses(text[begin : end.start()]):
            return text[begin : end.start()], end.end(), False
    if ends and not _FENCE.match(text, begin):  # a second opening mark right below the first closes nothing
        return text[begin : ends[0].start()], ends[0].end(), False
    if ends:
        return text[begin : ends[0].start()], ends[-1].end(), False
    inline = re.search(rf"{re.escape(mark)}\s*$", text[begin:])
    half = re.search(rf"^{re.escape(mark[0])}{{1,{len(mark) - 1}}}\s*$", text[begin:], re.M)
    stop = inline or half
    return (text[begin : begin + stop.start()] if stop else text[begin:]), len(text), stop is None


def _one_line(text: str) -> Iterator[Block]:
    """A whole fence on one line."""
    for found in _ONE_LINE.finditer(text):
        yield Block(found.start(), found["tag"].lower(), found["body"].strip(), found.end(), False)


def _tagged(text: str) -> Iterator[Block]:
    place = 0
    while opening := _TAG.search(text, place):
        closing = rf"</?{opening['tag']}>" if opening["tag"] else r"\[/PYTHON\]"
        closer = re.compile(closing, re.I).search(text, opening.end())
        rest = text[opening.end() : closer.start() if closer else len(text)]
        half = None if closer else re.search(r"<(?:/\w*)?\s*$", rest)
        place = closer.end() if closer else len(text)
        yield Block(opening.start(), "", rest[: half.start()] if half else rest, place, closer is None and half is None)


def _cell(text: str) -> Iterator[Block]:
    """What follows the mark by which Llama or LFM begins a program."""
    if opening := _CELL.search(text):
        closer = _CELL_END.search(text, opening.end())
        end = closer.start() if closer else len(text)
        yield Block(opening.start(), "", text[opening.end() : end], end, False)


def _dedented(program: str) -> str:
    return textwrap.dedent(program.expandtabs(4) if "\t" in program else program).strip("\n")


def _without_mark(program: str) -> str:
    """Without a fence, or a bare word such as `python`, on its first line."""
    first, _, rest = program.partition("\n")
    opening = _FENCE.fullmatch(first)
    word = opening["tag"] if opening else first.strip()
    if rest and word.lower() in PYTHON and (opening or word):
        return re.sub(r"\n[ \t]*(?:`{3,}|~{3,})[ \t]*$", "", rest)
    return program


def _without_prompts(program: str) -> str:
    """Without the prompts of an interactive session; what it printed there is left out."""
    if not program.lstrip().startswith(">>>"):
        return program
    lines = [re.match(r"\s*(?:>>>|\.\.\.)(?: (.*)|$)", line) for line in program.split("\n")]
    return "\n".join(line[1] or "" for line in lines if line)


def _without_ends(program: str) -> str:
    """Without the marks by which models end a turn."""
    for _ in range(_MOST_ENDS):
        program, count = _TURN_END.subn("", program)
        if not count:
            break
    return program


def _without_odd_blanks(program: str) -> str:
    """With blanks where lines begin with characters that only look like some."""
    return re.sub(
        r"^[ \t\u00a0\u200b\u2060\ufeff]+",
        lambda lead: lead[0].replace("\u00a0", " ").translate({0x200B: None, 0x2060: None, 0xFEFF: None}),
        program,
        flags=re.M,
    )
