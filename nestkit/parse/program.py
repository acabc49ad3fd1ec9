"""A script in; the one tool of a plain program, `if __name__ == "__main__":` without a parser, out. *Pure*."""

from __future__ import annotations

import ast

from nestkit.parse.nodes import nodes_of
from nestkit.parse.source import Draft, Reading, Source
from nestkit.tool import Parameter, Tool

ARGUMENTS = Parameter(
    name="args",
    type="str",
    schema={"type": "array", "items": {"type": "string"}},
    required=False,
    kind="rest",
    text="Words of the command line.",
)
"""The one parameter of a program whose command line nobody described."""
_TESTS = frozenset(("unittest.main", "doctest.testmod", "doctest.testfile", "pytest.main"))


def read_program(source: Source) -> Reading:
    """The script itself as a tool that takes `args`; nothing where no code runs as a program."""
    start = source.guard or _reads_arguments(source)
    if start is None:
        return Reading()
    if isinstance(start, ast.If) and _only_tests(start, source):
        return Reading(others=((source.name, "its __main__ block only runs its tests"),))
    tool = Tool(source.name, source.path, "program", parameters=(ARGUMENTS,), returns="str", line=start.lineno)
    return Reading((Draft(tool),), is_program=True)


def _only_tests(guard: ast.If, source: Source) -> bool:
    calls = [node for statement in guard.body for node in nodes_of(statement) if isinstance(node, ast.Call)]
    return any(source.names.dotted(call.func) in _TESTS for call in calls)


def _reads_arguments(source: Source) -> ast.stmt | None:
    """The first statement outside functions that reads `sys.argv`: a program without a `__main__` block."""
    for statement in source.tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for node in nodes_of(statement):
            if isinstance(node, ast.Attribute | ast.Name) and source.names.dotted(node) == "sys.argv":
                return statement
    return None
