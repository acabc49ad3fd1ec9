"""A note's text and a trigger in it, in; the text with the trigger's state and answer written beside it, out. *Pure*.

Only the brackets of a task, the lines between nest's own marks and the property `nest-state` change; every other byte
stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from nestkit.trigger import BOXES, Section, Trigger, TriggerState

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_BOX = re.compile(r"\[.\](?=[ \t]+#nest(?:\s|$))", re.IGNORECASE)
_HOST = re.compile(r"[^\w.-]+")

SetProperty = Callable[[str, str, object], str]


def write_state(
    text: str,
    trigger: Trigger,
    state: TriggerState,
    id: str,
    answer: Sequence[str],
    set_property: SetProperty,
    host: str = "",
) -> str:
    """The text in which the trigger is in this state, with `answer` (lines of a callout) below it.

    `host` is named while it runs. Raises what `set_property` raises for a note whose properties are broken.
    """
    lines = _LINE.findall(text)
    end = "\r\n" if any(line.endswith("\r\n") for line in lines[:1]) else "\n"
    opening = f"%% nest {trigger.kind} {state} {id} {trigger.digest}{' ' * bool(host)}{safe_host(host)} %%"
    block = [opening, *answer, *([""] if trigger.kind != "task" else []), "%% /nest %%"]
    drawn = [f"{trigger.indent}{line}".rstrip(" \t") + end for line in block]
    lines = _boxed(lines, trigger, state)
    if trigger.section is not None:
        first, last = trigger.section.first - 1, trigger.section.last
    else:
        first = last = trigger.last or len(lines)
        if first and not lines[first - 1].endswith(("\n", "\r")):
            lines[first - 1] += end
        if not trigger.last and first and lines[first - 1].strip():
            drawn.insert(0, end)
    text = "".join([*lines[:first], *drawn, *lines[last:]])
    return text if trigger.last else set_property(text, "nest-state", state)


def write_section(text: str, section: Section, state: TriggerState, id: str, answer: Sequence[str]) -> str:
    """The text with this answer in place of what stands between the marks, when its question is not to be found."""
    lines = _LINE.findall(text)
    first = lines[section.first - 1]
    indent, end = first[: len(first) - len(first.lstrip())], first[len(first.rstrip()) :]
    block = [f"%% nest {section.kind} {state} {id} {section.asked} %%", *answer, "", "%% /nest %%"]
    drawn = [f"{indent}{line}".rstrip(" \t") + end for line in block]
    return "".join([*lines[: section.first - 1], *drawn, *lines[section.last :]])


def release(text: str, trigger: Trigger, set_property: SetProperty) -> str:
    """The text with a claim taken back: the question is to be asked, nothing stands below it."""
    lines = _boxed(_LINE.findall(text), trigger, "todo")
    if trigger.section is not None:
        del lines[trigger.section.first - 1 : trigger.section.last]
    text = "".join(lines)
    return text if trigger.last else set_property(text, "nest-state", "todo")


def safe_host(host: str) -> str:
    """A machine's name as it may stand in a mark."""
    return _HOST.sub("-", host)[:64]


def _boxed(lines: list[str], trigger: Trigger, state: TriggerState) -> list[str]:
    """The lines with the task's brackets in this state."""
    if trigger.kind != "task":
        return lines
    box = next(box for box, each in BOXES.items() if each == state)
    line = _BOX.sub(f"[{box}]", lines[trigger.line - 1], count=1)
    return [*lines[: trigger.line - 1], line, *lines[trigger.line :]]
