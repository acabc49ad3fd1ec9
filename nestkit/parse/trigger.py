"""Path and text of a note in; what in it asks, and what only looks like it, out. *Pure*.

What counts is what Obsidian shows as the note's own text: nothing in code, quotes, comments, math, HTML, an embed or an
answer of nest's. In doubt it does not count, and says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from nestkit.parse.frontmatter import parse_properties, split_frontmatter
from nestkit.trigger import STATES, Section, Skipped, Trigger, Triggers, TriggerState

if TYPE_CHECKING:
    from markdown_it.token import Token

_TASK = re.compile(r"\[(.)\][ \t]+#nest(?=\s|$)[ \t]*(.*)", re.IGNORECASE)
_BULLET = re.compile(r"(?:[-*+]|\d{1,9}[.)])[ \t]+")
_BEGINS = re.compile(r"(?:`{3,}|~{3,})[ \t]*nest(?=\s|$)|\[.\][ \t]+#nest(?=\s|$)", re.IGNORECASE)
_BLOCK_ID = re.compile(r"\^[A-Za-z0-9-]+")
_OPEN = re.compile(
    rf"^[ \t]*%% nest (block|task|property|inbox|automation) ({'|'.join(STATES)}) ([\w-]+) ([0-9a-f]{{16}})"
    r"(?: ([\w.-]+))? %%[ \t]*$"
)
_CLOSE = re.compile(r"^[ \t]*%% /nest %%[ \t]*$")
_MERGE = tuple(re.compile(mark, re.MULTILINE) for mark in (r"^<<<<<<< ", r"^=======\r?$", r"^>>>>>>> "))
_COMMENT = re.compile(r"(?<!%)%%(?!%)")
_CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
_LINE_END = re.compile(r"\r\n?|\n")
_LINE_CHARS = 2_000
"""Longer lines are not looked at as closely: in them every comment sign counts, code or not."""
_CHARS = 20_000
"""Longer questions are refused as such: nobody writes them by hand."""
_CLOSED = frozenset(("fence", "code_block", "math_block", "html_block", "comment_open"))
"""Blocks whose lines are not the note's own text."""


def parse_triggers(path: str, text: str, inbox: str = "") -> Triggers:
    """What asks in a note; `inbox` is what every note of its folder asks, if any."""
    split = split_frontmatter(text)
    lines = _LINE_END.split(text.removeprefix("\ufeff"))
    properties = parse_properties(path, split.yaml)
    values = {name.casefold(): value for name, value in (properties.values or {}).items()}
    if "nest-id" in values:
        return _none(lines, "this is the note of a run")
    if _is_merge(text):
        return _none(lines, "an unresolved merge stands in this note")
    sections = tuple(_sections(lines))
    found: list[Trigger] = []
    skipped: list[Skipped] = []
    if any(_looks(line) for line in lines):
        for each in _in_body(split.body, split.body_line, lines, sections):
            (found if isinstance(each, Trigger) else skipped).append(each)  # type: ignore[arg-type]
    line = properties.lines.get("nest", 1)
    for each in _of_note(values, split.body, inbox, line):
        (found if isinstance(each, Trigger) else skipped).append(each)  # type: ignore[arg-type]
    if properties.problems and re.search(r"^nest:", split.yaml or "", re.MULTILINE | re.IGNORECASE):
        skipped.append(Skipped(properties.problems[0].line, "nest:", properties.problems[0].what))
    told = {trigger.line for trigger in found} | {each.line for each in skipped}
    for number, text_line in enumerate(lines, start=1):
        if number >= split.body_line and number not in told and _looks(text_line) and not _is_closing(text_line):
            skipped.append(Skipped(number, text_line.strip()[:60], "it stands in code, a comment, math or HTML"))
    whole = [_with_section(trigger, sections, lines) for trigger in found]
    return Triggers(tuple(whole), tuple(sorted(skipped, key=lambda each: each.line)), sections)


def _looks(line: str) -> bool:
    """Whether a line begins like a trigger, in whatever lists and quotes."""
    text = line[:_LINE_CHARS].lstrip(" \t>")
    while (bullet := _BULLET.match(text)) is not None:
        text = text[bullet.end() :].lstrip(" \t>")
    return _BEGINS.match(text) is not None


def _is_merge(text: str) -> bool:
    """Whether the three marks of a merge that nobody resolved stand in it, one after the other."""
    place = 0
    for mark in _MERGE:
        found = mark.search(text, place)
        if found is None:
            return False
        place = found.end()
    return True


def _none(lines: Sequence[str], why: str) -> Triggers:
    looks = (Skipped(number, line.strip()[:60], why) for number, line in enumerate(lines, start=1) if _looks(line))
    return Triggers(skipped=(Skipped(0, "", why), *looks))


def _is_closing(line: str) -> bool:
    return not line.strip(" \t>`~")


def _sections(lines: Sequence[str]) -> Iterator[Section]:
    """Answers of nest's: a mark, and the closing mark before the next one."""
    begun: tuple[int, re.Match[str]] | None = None
    for number, line in enumerate(lines, start=1):
        if "%%" not in line:
            continue
        if mark := _OPEN.match(line):
            begun = number, mark
        elif begun is not None and _CLOSE.match(line):
            first, mark = begun
            yield Section(mark[1], cast(TriggerState, mark[2]), mark[3], mark[4], mark[5] or "", first, number)
            begun = None


def _with_section(trigger: Trigger, sections: Sequence[Section], lines: Sequence[str]) -> Trigger:
    """The trigger with the answer that stands right below it, or anywhere when it concerns the whole note."""
    for section in sections:
        below = (
            trigger.last
            and not "".join(lines[trigger.last : section.first - 1]).strip()
            and section.first > trigger.last
        )
        if section.kind == trigger.kind and (below or not trigger.last):
            return replace(trigger, section=section)
    return trigger


def _of_note(values: dict[str, object], body: str, inbox: str, line: int) -> Iterator[Trigger | Skipped]:
    written = str(values.get("nest-state") or "").strip().casefold()
    value = values.get("nest")
    if isinstance(value, str) and value.strip() and value.strip().casefold() not in STATES:
        yield _fit(Trigger("property", value.strip(), line, 0, written=written))
    elif "nest" in values:
        yield Skipped(line, f"nest: {value}"[:60], "it is no question; write one, in quotes")
    if inbox and not body.strip():
        yield Skipped(0, "inbox", "the note is empty")
    elif inbox:
        yield Trigger("inbox", inbox, 1, 0, written=written)


def _fit(trigger: Trigger) -> Trigger | Skipped:
    if len(trigger.text) > _CHARS:
        return Skipped(trigger.line, trigger.text[:60], f"the question is longer than {_CHARS:,} characters")
    return trigger


def _in_body(
    body: str, first_line: int, lines: Sequence[str], sections: Sequence[Section]
) -> Iterator[Trigger | Skipped]:
    from nestkit.parse.markdown import parse_blocks  # late: most notes hold nothing that looks like a trigger

    tokens, _ = parse_blocks(body)
    hidden = {place for token in tokens if token.type in _CLOSED and token.map for place in range(*token.map)}
    own = {number for section in sections for number in range(section.first, section.last + 1)}
    comments = _open_comments(lines, first_line, hidden, own)
    holders: list[str] = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if kind in ("blockquote", "list_item", "footnote") and token.nesting:
            holders = [*holders, kind] if token.nesting > 0 else holders[:-1]
        each = (
            _read_fence(token, first_line, lines)
            if token.type == "fence"
            else _read_task(token, before, first_line, lines)
        )
        if each is not None:
            yield _checked(each, holders, own, comments[each.line])


def _checked(each: Trigger | Skipped, holders: list[str], own: set[int], comment: int) -> Trigger | Skipped:
    """The trigger, or why its place makes it none."""
    what = each.text if isinstance(each, Trigger) else each.what
    if each.line in own:
        return Skipped(each.line, what[:60], "it stands in an answer of nest's")
    if "blockquote" in holders:
        return Skipped(each.line, what[:60], "it stands in a quote")
    if "footnote" in holders:
        return Skipped(each.line, what[:60], "it stands in a footnote")
    if comment:
        return Skipped(each.line, what[:60], f"it stands in a %% comment that begins on line {comment}")
    return each if isinstance(each, Skipped) else _fit(each)


def _read_fence(token: Token, first_line: int, lines: Sequence[str]) -> Trigger | Skipped | None:
    word, _, options = token.info.strip().partition(" ")
    if word.casefold() != "nest" or token.map is None:
        return None
    first, last = first_line + token.map[0], first_line + token.map[1] - 1
    opening, closing = lines[first - 1], lines[last - 1].strip()
    what = opening.strip()
    if last == first or set(closing) != {token.markup[0]} or len(closing) < len(token.markup):
        return Skipped(first, what, "the block is not closed")
    if not token.content.strip():
        return Skipped(first, what, "the block is empty")
    indent = re.sub(r"[^ \t]", " ", opening[: opening.index(token.markup)])
    return Trigger("block", token.content.strip(), first, last, options.strip(), indent)


def _read_task(token: Token, before: Token | None, first_line: int, lines: Sequence[str]) -> Trigger | Skipped | None:
    """A task whose text begins with the tag: `before` opens its paragraph, which begins on the item's own line."""
    if token.type != "inline" or before is None or before.type != "paragraph_open" or token.map is None:
        return None
    task = _TASK.match(token.content.partition("\n")[0])
    first, last = first_line + token.map[0], first_line + token.map[1] - 1
    line = lines[first - 1]
    if task is None or not re.match(r"[\s>]*(?:[-*+]|\d+[.)])[ \t]+.*?\[.\]", line):
        return None
    last = next(
        (n - 1 for n in range(first + 1, last + 1) if _OPEN.match(lines[n - 1])), last
    )  # the mark is not its text
    text = task[2].strip()
    rest, blank, last_word = text.rpartition(" ")
    if blank and _BLOCK_ID.fullmatch(last_word):
        text = rest.strip()
    if not text:
        return Skipped(first, line.strip()[:60], "there is no question after #nest")
    indent = re.sub(r"[^ \t]", " ", line[: line.index(f"[{task[1]}]")])
    return Trigger("task", text, first, last, indent=indent, box=task[1])


def _open_comments(lines: Sequence[str], first_line: int, hidden: set[int], own: set[int]) -> list[int]:
    """For each line, where a comment begins that is still open there; 0 when there is none.

    Comments may span paragraphs in the editor, so every sign counts, code left out.
    """
    begun, found = 0, [0] * (len(lines) + 1)
    for number in range(first_line, len(lines) + 1):
        found[number] = begun
        if "%%" in lines[number - 1] and number - first_line not in hidden and number not in own:
            line = lines[number - 1]
            for _ in _COMMENT.finditer(_CODE.sub("", line) if len(line) <= _LINE_CHARS else line):
                begun = 0 if begun else number
    return found
