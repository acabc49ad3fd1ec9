"""Text from anywhere, in; markdown in which none of it is alive, out. *Pure*.

A run note quotes notes, tools and models. Nothing quoted may become a link, tag, task, embed, query, template,
comment, field or trigger of its own: Obsidian and its plugins execute what they find.
"""

from __future__ import annotations

import re

from nestkit.visible import visible

_MARKUP = re.compile(r"[\\`*\[\]<>#|$^~]|%(?=[%>])|(?<=[%<])%|(?<=:):|&(?=#|\w+;)|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
"""What begins a link, tag, code, comment, field or formatting; single signs that mean nothing stay readable."""
_LINE_MARK = re.compile(r"^([ \t]*)(?:([-+=])|(\d+)([.)])(?=\s|$))", re.M)
"""What makes a line a list item, a task or the underline of a heading."""
_TEMPLATE = re.compile(r"<(\\*)%")
_TAMED = re.compile(r"<\\(\\*)%")


def draft_prose(text: str) -> str:
    """The text as plain words of a paragraph: every mark escaped, lines kept."""
    escaped = _MARKUP.sub(lambda mark: "\\" + mark[0], visible(text))
    return _LINE_MARK.sub(lambda mark: f"{mark[1]}{mark[3] or ''}\\{mark[2] or mark[4]}", escaped).replace("\t", " ")


def draft_line(text: str) -> str:
    """The text on one line."""
    return " ".join(draft_prose(text).split())


def draft_fence(text: str, language: str) -> list[str]:
    """Lines of a fenced block that the text cannot close: the fence is longer than any run of backticks inside."""
    runs = re.findall(r"`+", text)
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    body = _TEMPLATE.sub(r"<\\\1%", visible(text)).removesuffix("\n")  # Templater looks for <% even inside fences
    return [f"{fence}{language}", *body.split("\n"), fence]


def parse_fence(lines: list[str]) -> str:
    """The text of a fenced block that `draft_fence` made, its fences left out."""
    return _TAMED.sub(r"<\1%", "\n".join(lines))
