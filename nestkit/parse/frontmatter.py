"""A block of properties in; its values, their lines and what is wrong with it out. *Pure*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nestkit.note import Problem
from nestkit.parse.fence import Split, split_frontmatter
from nestkit.parse.scan_yaml import scan_properties

__all__ = ["Properties", "Split", "parse_properties", "split_frontmatter"]

_HINTS = {
    "mapping values are not allowed": "put the value in quotes",
    "cannot start any token": "put the value in quotes; indent with blanks, not tabs",
    "stands twice": "keep one of them",
    "did not find expected key": "check quotes and indentation above it",
}


@dataclass(frozen=True, slots=True)
class Properties:
    """What a block of properties says."""

    values: Mapping[str, Any] | None = None
    """None when there is no block, nothing in it, or it is not valid."""
    lines: Mapping[str, int] = field(default_factory=dict)
    """Dotted key (`up`, `rel.0`) -> line of the file."""
    problems: tuple[Problem, ...] = ()


def parse_properties(path: str, yaml: str | None) -> Properties:
    """Properties of the block that `split_frontmatter` found in the note at `path`.

    A block that cannot be read, or that is no map, is a problem with its line and gives no properties, as in the app.

    **Source**: Obsidian release notes 1.4.2 (unsupported shapes are invalid); see `yaml12` for the values.
    """
    if yaml is None or not yaml.strip():
        return Properties()
    if (scanned := scan_properties(yaml)) is not None:
        return Properties(scanned[0], {key: line + 1 for key, line in scanned[1].items()})
    from nestkit.parse.yaml12 import PropertiesHandler, YamlError  # late: it loads PyYAML

    try:
        read = PropertiesHandler().read(yaml)
    except YamlError as error:
        return Properties(problems=(Problem(path, error.line + 1, _sentence(str(error))),))
    if isinstance(read.value, dict):
        return Properties(read.value, {key: line + 1 for key, line in read.lines.items()})
    if read.value is None:
        return Properties()
    shape = "a list" if isinstance(read.value, list) else "plain text"
    what = f"properties should be written `name: value`, one to a line; this block is {shape}"
    return Properties(problems=(Problem(path, 2, what),))


def _sentence(error: str) -> str:
    hint = next((hint for part, hint in _HINTS.items() if part in error), "")
    return f"the properties cannot be read: {error}" + (f"; {hint}" if hint else "")
