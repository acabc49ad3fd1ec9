"""What a script may load, read from its text."""

from __future__ import annotations

import ast

import pytest

from nestkit.hall.trust import loaded_by
from nestkit.parse.imports import find_imports
from nestkit.parse.script import parse_script
from nestkit.tool import Script


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import a", ("a",)),
        ("import a.b.c as d, e", ("a", "a.b", "a.b.c", "e")),
        ("from a import b", ("a", "a.b")),
        ("from a.b import *", ("a", "a.b")),
        ("from . import a", ("a",)),
        ("from ..a import b", ("a", "a.b")),
        ("def f():\n    if x:\n        import a\n    class C:\n        from b import c", ("a", "b", "b.c")),
        ("x = 1", ()),
    ],
)
def test_every_import_counts_wherever_it_stands(source: str, found: tuple[str, ...]) -> None:
    assert find_imports(ast.parse(source)) == found


def _scripts(files: dict[str, str]) -> list[Script]:
    return [parse_script(path, text.encode()) for path, text in files.items()]


@pytest.mark.parametrize(
    ("source", "loaded"),
    [
        ("import lib.deep", ["S/lib/__init__.py", "S/lib/deep.py", "S/other/_private.py"]),
        ("from lib import deep", ["S/lib/__init__.py", "S/lib/deep.py", "S/other/_private.py"]),
        ("import lib", ["S/lib/__init__.py"]),
        ("import _private", ["S/other/_private.py"]),
        ("import json", []),
        ("import main", []),
    ],
)
def test_what_is_loaded_is_followed_through_packages_private_files_and_circles(source: str, loaded: list[str]) -> None:
    scripts = _scripts(
        {
            "S/main.py": source,
            "S/lib/__init__.py": "",
            "S/lib/deep.py": "from .. import main\nimport _private",
            "S/other/_private.py": "",
            "S/broken.py": "def (",
        }
    )
    assert [script.path for script in loaded_by(scripts[0], scripts)] == loaded
