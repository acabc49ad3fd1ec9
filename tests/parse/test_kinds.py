"""Kinds of properties: by the name in the whole vault, or by the shape of the value."""

from __future__ import annotations

from typing import Any

import pytest

from nestkit.parse.kind import KINDS, parse_kinds, property_kind
from nestkit.parse.misfit import find_misfits

TYPES = """{"types": {
    "Due": "date", "at": "datetime", "n": "number", "t": "text", "many": "multitext",
    "done": "checkbox", "aliases": "aliases", "odd": "colour"
}}"""


def test_the_vaults_own_kinds_are_read() -> None:
    expected = {
        "due": "date",
        "at": "datetime",
        "n": "number",
        "t": "text",
        "many": "list",
        "done": "checkbox",
        "aliases": "list",
    }
    assert parse_kinds(TYPES) == expected
    assert set(expected.values()) < set(KINDS)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", '{"types": []}', '{"types": {"a": 1}}', '{"types": {"a": []}}', "[" * 100_000]
)
def test_a_broken_file_sets_no_kinds(text: str) -> None:
    assert parse_kinds(text) == {}


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        ("DUE", "soon", "date"),
        ("due", None, "date"),
        ("free", None, "empty"),
        ("free", True, "checkbox"),
        ("free", 0, "number"),
        ("free", [], "list"),
        ("free", {}, "object"),
        ("free", "2024-02-29T10:00:00Z", "datetime"),
        ("free", "2024-02-30T10", "text"),
        ("free", " 2024-02-28", "text"),
        ("tags", "a", "list"),
        ("Aliases", None, "list"),
        ("cssclasses", 1, "list"),
    ],
)
def test_the_name_comes_before_the_shape(name: str, value: Any, kind: str) -> None:
    assert property_kind(name, value, parse_kinds(TYPES)) == kind


def test_a_value_that_does_not_fit_its_kind_is_a_problem() -> None:
    text = "---\nok: 1\ndue: soon\nn: x\nat: 2024-01-01\nt: 5\nmany: one\ndone:\n---\n"
    problems = tuple(find_misfits("A.md", text, parse_kinds(TYPES)))
    assert [(problem.line, problem.what.split("`")[1]) for problem in problems] == [(3, "due"), (4, "n")]
    assert find_misfits("A.md", text, {}) == []


def test_lists_by_name_are_expected_to_be_lists_or_text() -> None:
    assert [p.line for p in find_misfits("A.md", "---\ntags: {a: 1}\naliases: x\n---\n", {})] == [2]
