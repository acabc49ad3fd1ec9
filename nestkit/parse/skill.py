"""A `SKILL.md` in; the group of tools it describes, and problems, out. *Pure*.

**Source**: the Agent Skills format: a folder with `SKILL.md`, whose properties `name` (64 characters, lower case and
dashes) and `description` (1,024 characters) are always told, and whose body is read on demand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from nestkit.note import Problem
from nestkit.parse.docstring import one_line
from nestkit.tool import Group

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_NAME = 64
_MAX_DESCRIPTION = 1_024


def parse_skill(
    path: str, properties: Mapping[str, Any] | None, body: str, line_of: Callable[[str], int]
) -> tuple[Group, list[Problem]]:
    """The group, named after its folder where its own name is unfit; `line_of` tells where a property stands."""
    folder = path.rpartition("/")[0]
    problems = []
    name, description = ((properties or {}).get(key) for key in ("name", "description"))
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        what = f"a skill needs a name of lower-case words joined by dashes, at most {_MAX_NAME} characters"
        problems.append(Problem(path, line_of("name"), f"{what}; {folder.rpartition('/')[2]!r} is used"))
        name = folder.rpartition("/")[2]
    if not isinstance(description, str) or not description.strip() or len(description) > _MAX_DESCRIPTION:
        what = f"a skill needs a description of at most {_MAX_DESCRIPTION:,} characters, by which it is found"
        problems.append(Problem(path, line_of("description"), what))
    summary = one_line(str(description or ""))[:_MAX_DESCRIPTION]
    return Group(name, folder, path, summary, body.strip()), problems
