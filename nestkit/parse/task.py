"""The text of a task in, what the Tasks plugin's marks on it say out. *Pure*."""

from __future__ import annotations

import re

from nestkit.note import Field
from nestkit.parse.field import canonical

_DATE = r"\ufe0f? *(\d{4}-\d{2}-\d{2})"
_ID = r"[a-zA-Z0-9_-]+"
_DATES = {
    "due": re.compile(f"[📅📆🗓]{_DATE}"),
    "scheduled": re.compile(f"[⏳⌛]{_DATE}"),
    "start": re.compile(f"🛫{_DATE}"),
    "created": re.compile(f"➕{_DATE}"),
    "done": re.compile(f"✅{_DATE}"),
    "cancelled": re.compile(f"❌{_DATE}"),
}
_AT_END = {name: re.compile(f"(?:{pattern.pattern})$") for name, pattern in _DATES.items()} | {
    "priority": re.compile(r"([🔺⏫🔼🔽⏬])\ufe0f?$"),
    "recurrence": re.compile(r"🔁\ufe0f? ?([a-zA-Z0-9, !]+)$"),
    "on completion": re.compile(r"🏁\ufe0f? *([a-zA-Z]+)$"),
    "depends on": re.compile(rf"⛔\ufe0f? *({_ID}(?: *, *{_ID} *)*)$"),
    "id": re.compile(rf"🆔\ufe0f? *({_ID})$"),
}
_PASSED = re.compile(r"#[^ !@#$%^&*(),.?\":{}|<>]+|\^[a-zA-Z0-9-]+")
"""A tag or block id at the end: the marks before it still count."""
_SIGN = re.compile("[📅📆🗓⏳⌛🛫➕✅❌🔺⏫🔼🔽⏬🔁🏁⛔🆔]")
"""One of them begins every mark."""
_MAX_MARKS = 20
"""On one task, as in Tasks."""
_PRIORITIES = {"🔺": "highest", "⏫": "high", "🔼": "medium", "🔽": "low", "⏬": "lowest"}


def find_marks(text: str, line: int) -> list[Field]:
    """Marks of a task as fields, in order: dates as ISO text, priority in words, `depends on` as a list of ids.

    All marks are read backwards from the end of the line, tags and a block id among them, as Tasks does; a date that
    stands further forward counts as well, as it does for Dataview.

    **Source**: obsidian-tasks, docs "Tasks Emoji Format" and what `DefaultTaskSerializer.ts` accepts; Dataview, docs
    "Metadata on tasks" (emoji shorthands).
    """
    if text.isascii() or not _SIGN.search(text):
        return []
    marks: dict[str, tuple[int, str]] = {}
    rest = _without_tail(text)
    for _ in range(_MAX_MARKS):
        name, hit = _last_mark(rest)
        if hit is None:
            break
        marks[name] = hit.start(), hit[1].strip()
        rest = _without_tail(rest[: hit.start()])
    for name, pattern in _DATES.items():
        if name not in marks and (hit := pattern.search(rest)):
            marks[name] = hit.start(), hit[1]
    return [_field(name, value, line) for name, (_, value) in sorted(marks.items(), key=lambda item: item[1])]


def _last_mark(text: str) -> tuple[str, re.Match[str] | None]:
    return next(((name, hit) for name, pattern in _AT_END.items() if (hit := pattern.search(text))), ("", None))


def _without_tail(text: str) -> str:
    text = text.rstrip()
    while _PASSED.fullmatch(last := text.rpartition(" ")[2]):
        text = text[: -len(last)].rstrip()
    return text


def _field(name: str, value: str, line: int) -> Field:
    if name == "priority":
        value = _PRIORITIES[value]
    ids = [part.strip() for part in value.split(",")] if name == "depends on" else None
    return Field(name, canonical(name), ids or value, line)
