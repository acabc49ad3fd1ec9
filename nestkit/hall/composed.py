"""A program in; the scripts' functions that it calls and that are run as part of it, out. Part of the hall. *Disk*.

A promoted program is a function over the vault's tools: it has no use for a sandbox of its own, since all that it does
goes through the same broker, under the same contract, as the program that calls it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nestkit.change import digest
from nestkit.errors import NoteChanged
from nestkit.hall.gate import script_digests

if TYPE_CHECKING:
    from nestkit.nest import Nest
    from nestkit.tool import Tool


def find_composed(nest: Nest, program: str) -> list[tuple[Tool, str]]:
    """Each composed tool that a program names, and those that they name in turn, with the source of its script.

    Raises NoteChanged for one that is not as it was read.
    """
    tools = tuple(tool for tool in nest.registry.tools if tool.manner == "composed")
    found: dict[str, tuple[Tool, str]] = {}
    waiting = [program] if tools else []
    while waiting:
        named = _find_named(waiting.pop())
        for tool in tools:
            if tool.name in named and tool.name not in found:
                found[tool.name] = tool, _read(nest, tool.script)
                waiting.append(found[tool.name][1])
    return list(found.values())


def _find_named(program: str) -> set[str]:
    """Names that a program reads and gives no value of its own; none of a text that is no program."""
    try:
        nodes = [*ast.walk(ast.parse(program))]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return {node.id for node in names if isinstance(node.ctx, ast.Load)} - own


def _read(nest: Nest, path: str) -> str:
    content = nest.read_bytes(path)
    if digest(content) != script_digests(nest)[path]:
        raise NoteChanged(f"{path} has changed since it was read", "ask again")
    return content.decode("utf-8", "replace")
