"""A script's source in; the words in the code of a tool that tell what it is about, out. *Pure*.

Half of all functions have no docstring. What they are for is still said: in comments, in the texts they compare and
print, in the names they use. Good for finding a tool, never shown as its description.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from nestkit.parse.nodes import nodes_of
from nestkit.parse.source import Source

_Code = ast.FunctionDef | ast.AsyncFunctionDef | ast.Module

_COMMENT = re.compile(r"(?:^|\s)#+\s*([^\W\d].*)$")
_WORD = re.compile(r"[^\W\d_]{3,}")
_MAX_WORDS = 60
_MAX_NODES = 5_000
_MAX_TEXT = 80


def code_words(source: Source, roots: Iterable[str]) -> str:
    """Words of these functions and of the constants they use, each once, in order; without any, of all the file."""
    nodes: list[_Code] = [node for name in roots if (node := source.names.functions.get(name)) is not None]
    found: dict[str, None] = {}
    for text in _texts(source, nodes or [source.tree]):
        found |= dict.fromkeys(word.lower() for word in _WORD.findall(re.sub(r"([a-z])([A-Z])", r"\1 \2", text)))
        if len(found) >= _MAX_WORDS:
            break
    return " ".join(list(found)[:_MAX_WORDS])


def _texts(source: Source, nodes: list[_Code]) -> Iterator[str]:
    for node in nodes:
        first, last = (1, len(source.lines)) if isinstance(node, ast.Module) else (node.lineno, node.end_lineno or 0)
        yield from (found[1] for line in source.lines[first - 1 : last] if (found := _COMMENT.search(line[:500])))
    used: list[str] = []
    for node in nodes:
        for text, is_name in _spoken(node):
            yield text
            used += [text] if is_name else []
    for name in dict.fromkeys(used):
        yield source.names.imports.get(name, "").replace(".", " ")
        if (constant := source.names.assigned.get(name)) is not None:
            yield from (text for text, is_name in _spoken(constant) if not is_name)


def _spoken(root: ast.AST) -> Iterator[tuple[str, bool]]:
    """(text, whether it is a name) of all that a piece of code spells out, as far as a reader would look."""
    for count, node in enumerate(nodes_of(root)):
        if count > _MAX_NODES:
            return
        match node:
            case ast.Constant(value=str(text)) if len(text) <= _MAX_TEXT:
                yield text, False
            case ast.Name(id=name):
                yield name, True
            case ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield name, False
