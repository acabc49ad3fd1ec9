"""Going through a tree quickly gives what going through it slowly gives."""

from __future__ import annotations

import ast
import sysconfig
import warnings
from pathlib import Path

from nestkit.parse.nodes import nodes_of

OPERATORS = (ast.operator, ast.unaryop, ast.cmpop, ast.boolop, ast.expr_context)


def test_the_nodes_of_a_tree_are_those_of_the_standard_walk_less_operators() -> None:
    odd = "match x:\n case {1: y, **z}: pass\n case P(1, a=2) as b: pass\n case [*_]: pass\n case None: pass\n"
    odd += "def f(a, /, *b, c=1, d, **e): global g; return {**a, 1: b}, [x async for x in y if z], lambda *a: 1\n"
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))[::2]
    for text in (odd, *(file.read_bytes() for file in files)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        slow = [node for node in ast.walk(tree) if not isinstance(node, OPERATORS)]
        quick = nodes_of(tree)
        assert len(slow) == len(quick)
        assert all(one is other for one, other in zip(slow, quick, strict=True))
