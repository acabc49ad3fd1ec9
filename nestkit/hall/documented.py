"""Scripts in; the same with what the vault's notes say of them, and the groups they form, out. In the hall. *Disk*."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from nestkit.errors import NestError
from nestkit.index import tool_notes
from nestkit.note import Problem
from nestkit.tool import Group, Script

if TYPE_CHECKING:
    from nestkit.nest import Nest


def documented(nest: Nest, scripts: Sequence[Script]) -> tuple[list[Script], list[Group], list[Problem]]:
    """(the scripts, the groups, what is wrong with the notes). Private notes and run notes say nothing."""
    known = {script.path: script for script in scripts}
    problems: list[Problem] = []
    for found in tool_notes.find_documenting(nest.index, nest.config.system):
        if found.script in known and not _is_silent(nest, found.note):
            from nestkit.parse.tool_note import ToolNote, add_note  # late: most vaults have no such note

            note = ToolNote(found.note, found.properties, found.body, found.tool)
            known[found.script], wrong = add_note(known[found.script], note, _lines_of(nest, found.note))
            problems += wrong
    groups: list[Group] = []
    for found in tool_notes.find_skills(nest.index, nest.config.system):
        if not _is_silent(nest, found.note):
            from nestkit.parse.skill import parse_skill

            group, wrong = parse_skill(found.note, found.properties, found.body, _lines_of(nest, found.note))
            groups.append(group)
            problems += wrong
    return list(known.values()), groups, problems


def group_of(path: str, groups: Sequence[Group], system: str) -> str:
    """Name of the group a script belongs to: the nearest skill above it, else its folder below the scripts' folder."""
    above = [group for group in groups if path.startswith(group.folder + "/")]
    if above:
        return max(above, key=lambda group: len(group.folder)).name
    folder = path.rpartition("/")[0]
    return folder.removeprefix(system).strip("/")


def group_text(nest: Nest, name: str) -> str:
    """The text of a group's `SKILL.md` with its tools in one line each; empty when there is no group of that name."""
    from nestkit.parse.tool_text import draft_tool_line

    group = next((group for group in nest.registry.groups if name in (group.name, group.folder)), None)
    if group is None or any(tool.name == name for tool in nest.registry.tools):
        return ""
    lines = [
        draft_tool_line(tool)
        for tool in nest.registry.tools
        if group_of(tool.script, nest.registry.groups, nest.config.system) == group.name
    ]
    shown = "\n".join(("Tools:", *(f"  {line}" for line in lines))) if lines else ""
    parts = (f"{group.name}: {group.summary}", group.text, shown, f"In {group.path}.")
    return "\n\n".join(part for part in parts if part)


def _is_silent(nest: Nest, path: str) -> bool:
    return nest.is_private(path) or nest.is_run(path)


def _lines_of(nest: Nest, path: str) -> Callable[[str], int]:
    """Where a property stands in a note; only a problem asks, so the note is read only then."""

    def line_of(name: str) -> int:
        try:
            lines = nest.read_text(path).split("\n")
        except NestError:
            return 0
        pattern = re.compile(rf"[\"']?{re.escape(name)}[\"']?\s*:", re.I)
        return next((number for number, line in enumerate(lines, start=1) if pattern.match(line)), 1)

    return line_of
