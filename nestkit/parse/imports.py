"""A script's tree in, the modules it could load out: what a grant for it must cover besides its own bytes. *Pure*."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nestkit.parse.nodes import nodes_of

_MAX_IMPORTS = 500


def find_imports(tree: ast.AST) -> tuple[str, ...]:
    """Dotted names of all that the file imports, wherever in it, each with what stands above it, sorted.

    `from a import b` may load `a.b`, so that counts; of a relative import the part that is written. Names that are
    only known when the script runs are not found: the child that runs it refuses those.
    """
    found = {".".join(parts[:end]) for parts in _imported(tree) for end in range(1, len(parts) + 1)}
    return tuple(sorted(found)[:_MAX_IMPORTS])


def _imported(tree: ast.AST) -> Iterator[list[str]]:
    for node in nodes_of(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.split(".") for alias in names)
            case ast.ImportFrom(module=module, names=names):
                above = module.split(".") if module else []
                yield from ([*above, *([] if alias.name == "*" else [alias.name])] for alias in names)
