"""A script's bytes in, its text, lines and tree out, or what is wrong with it; nothing in it is run. *Pure*."""

from __future__ import annotations

import ast
import codecs
import io
import tokenize
import warnings
from dataclasses import dataclass, field

from nestkit.note import Problem
from nestkit.parse.metadata import Wishes
from nestkit.parse.names import Names, is_main_guard, names_in, script_name
from nestkit.tool import Tool

MAX_BYTES = 1 << 20
TOO_DEEP = "nested too deeply, or too large, to be read; simplify its longest expression"
_SLOW_CODECS = frozenset(("punycode", "idna"))
"""Text encodings whose decoding takes time with the square of the length."""


@dataclass(frozen=True, slots=True)
class Source:
    """One script, read."""

    path: str
    name: str
    """The file's name without `.py`, as a Python name: the first part of its tools' names."""
    lines: tuple[str, ...]
    tree: ast.Module
    names: Names

    @property
    def guard(self) -> ast.If | None:
        """The `if __name__ == "__main__":` block."""
        return next((node for node in self.tree.body if isinstance(node, ast.If) and is_main_guard(node)), None)

    def problem(self, line: int, what: str) -> Problem:
        return Problem(self.path, line, what)


@dataclass(frozen=True, slots=True)
class Draft:
    """A tool as one manner reads it, before effects and metadata of the whole script are added."""

    tool: Tool
    runs: tuple[str, ...] = ()
    """Names at the top of the file that a call runs."""
    wishes: Wishes = field(default_factory=Wishes)
    """Of a `nest:` block of its own."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one manner finds in a script."""

    drafts: tuple[Draft, ...] = ()
    others: tuple[tuple[str, str], ...] = ()
    problems: tuple[Problem, ...] = ()
    claimed: frozenset[str] = frozenset()
    """Functions that belong to its command line, so that they are no tools of their own."""
    summary: str = ""
    """What the program as a whole says of itself."""
    is_program: bool = False
    """The script is a command line of this manner."""


def parse_source(path: str, source: bytes) -> Source | Problem:
    """The script, or the one problem that keeps it from being read.

    **Source** of the rule for encodings: PEP 263, as `tokenize.open` follows it.
    """
    if len(source) > MAX_BYTES:
        return Problem(path, 0, f"larger than {MAX_BYTES >> 20} MiB; move its data to another file")
    if b"\0" in source:
        line = source[: source.index(b"\0")].count(b"\n") + 1
        return Problem(path, line, "holds a NUL byte, so it is no Python; save it as UTF-8 text")
    try:
        text = _decoded(source)
        tree = _tree(text)
        names = names_in(tree)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        return Problem(path, line, f"not {error.encoding} text; save it as UTF-8, or name its encoding in line 1")
    except SyntaxError as error:
        return Problem(path, error.lineno or 0, f"not Python: {error.msg}")
    except (LookupError, ValueError) as error:
        return Problem(path, 1, f"cannot be decoded: {error}")
    except (RecursionError, MemoryError):
        return Problem(path, 0, TOO_DEEP)
    return Source(path, script_name(path), tuple(text.split("\n")), tree, names)


def _decoded(source: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    if codecs.lookup(encoding).name in _SLOW_CODECS:
        raise LookupError(f"{encoding} is no encoding for scripts")
    text = source.decode(encoding)
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _tree(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)
