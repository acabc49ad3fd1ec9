"""A script's lines in; what its PEP 723 block says of Python, packages and nest, and problems out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nestkit.note import Problem
from nestkit.parse.metadata import MAX_CHARS, UNREADABLE, Item, Wishes, Wrong, read_wishes

_REQUIREMENT = re.compile(
    r"(?!.*--)[A-Za-z0-9][\w.-]*\s*(\[[\w\s,.-]*\])?\s*\(?\s*([<>=!~]=?=?\s*[\w.*+!-]+\s*,?\s*)*\)?\s*(;[\w\s.'\"<>=!~(),-]*)?",
    re.ASCII,
)
"""A name with versions and markers. **Source**: PEP 508. Its direct references (`name @ https://...`) are refused: they
would fetch and build code from anywhere."""


@dataclass(frozen=True, slots=True)
class Environment:
    """What a script's PEP 723 block says."""

    dependencies: tuple[str, ...] = ()
    requires_python: str = ""
    wishes: Wishes = field(default_factory=Wishes)
    refused: str = ""
    """What in it only the person may decide: direct references, where packages come from."""


def parse_environment(lines: Sequence[str], path: str) -> tuple[Environment, list[Problem]]:
    """What a script's PEP 723 block says of its Python, packages and, under `[tool.nest]`, of nest."""
    blocks = [(first, block) for kind, first, block in inline_blocks(lines) if kind == "script"]
    if len(blocks) > 1:
        line = blocks[1][0]
        return Environment(wishes=UNREADABLE, refused="two script blocks"), [
            Problem(path, line, "a second `# /// script` block; PEP 723 allows one, keep one")
        ]
    if not blocks:
        return Environment(), []
    first, block = blocks[0]
    try:
        table = _toml("\n".join(block), first)
    except Wrong as wrong:
        return Environment(wishes=UNREADABLE, refused="an unreadable script block"), [
            Problem(path, wrong.line, str(wrong))
        ]
    return _environment(table, block, path, first)


def inline_blocks(lines: Sequence[str]) -> Iterator[tuple[str, int, list[str]]]:
    """(type, first line of the content, content) of each `# /// TYPE` block.

    **Source**: PEP 723. The same blocks as its reference expression finds, in one pass: of several closing lines in one
    run of comments the last one counts.
    """
    number = 0
    while number < len(lines):
        opening = re.fullmatch(r"# /// ([a-zA-Z0-9-]+)", lines[number])
        number += 1
        if opening is None:
            continue
        first, end = number, number
        while number < len(lines) and (lines[number] == "#" or lines[number].startswith("# ")):
            end = number if lines[number] == "# ///" else end
            number += 1
        if end > first:
            yield opening[1], first + 1, [line[2:] for line in lines[first:end]]
            number = end + 1


def _environment(
    table: Mapping[str, Any], block: Sequence[str], path: str, first: int
) -> tuple[Environment, list[Problem]]:
    problems = []
    for key in table.keys() - {"dependencies", "requires-python", "tool"}:
        problems.append(Problem(path, _line_of(key, block, first), f"unknown key {key!r} in the script block"))
    kept = []
    refused = ""
    given = table.get("dependencies", [])
    for requirement in given if isinstance(given, list) else [given]:
        if isinstance(requirement, str) and len(requirement) < 300 and _REQUIREMENT.fullmatch(requirement.strip()):
            kept.append(requirement.strip())
        else:
            what = f"dependency {str(requirement)[:80]!r} should be a package name with versions"
            refused = refused or f"the dependency {str(requirement)[:80]!r}"
            problems.append(Problem(path, _line_of("dependencies", block, first), what))
    python = table.get("requires-python", "")
    if not isinstance(python, str):
        problems.append(Problem(path, _line_of("requires-python", block, first), "requires-python should be text"))
        python = ""
    tools = table.get("tool", {})
    nest = tools.get("nest", {}) if isinstance(tools, dict) else {}
    if isinstance(tools, dict) and "uv" in tools:
        what = "[tool.uv] is not obeyed: where packages come from is the person's own setting; take it out"
        problems.append(Problem(path, _line_of("tool.uv", block, first), what))
        refused = refused or "[tool.uv]"
    if not isinstance(nest, dict):
        problems.append(Problem(path, first, "[tool.nest] should be a table"))
        nest = {}
    wishes, more = read_wishes(
        {key: _toml_item(value, _line_of(key, block, first)) for key, value in nest.items()}, path
    )
    return Environment(tuple(kept), python, wishes, refused), problems + more


def _toml(text: str, first: int) -> dict[str, Any]:
    import tomllib  # late: most scripts have no block

    if len(text) > MAX_CHARS:
        raise Wrong(first, "the script block is too long")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+)", str(error))
        raise Wrong(first + int(at[1]) - 1 if at else first, f"the script block is not TOML: {error}") from None
    except RecursionError:
        raise Wrong(first, "the script block is nested too deeply") from None


def _toml_item(value: Any, line: int) -> Item:
    if isinstance(value, list):
        return Item([_toml_item(part, line) for part in value], line)
    if isinstance(value, dict):
        return Item({str(key): _toml_item(part, line) for key, part in value.items()}, line)
    return Item(value, line)


def _line_of(key: str, block: Sequence[str], first: int) -> int:
    """The line on which a key is set; TOML's own reader does not tell."""
    found = (number for number, line in enumerate(block) if re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[.=]", line))
    return first + next(found, 0)
