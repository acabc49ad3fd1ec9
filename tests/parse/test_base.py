"""What is wrong with a base file, and where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.doors.init import BASES
from nestkit.parse.base import find_base_problems

SOUND = """filters:
  and:
    - file.hasTag("book")
    - 'status != "done"'
formulas:
  price: (price / age).toFixed(2)
properties:
  formula.price:
    displayName: "Price"
views:
  - type: table
    name: Shelf
    order: [file.name, formula.price]
"""


@pytest.mark.parametrize(
    "text", ["", "\n", "# nothing yet\n", SOUND, "\ufeff" + SOUND, 'filters: file.inFolder("a")\n', *BASES.values()]
)
def test_a_sound_base_has_no_problem(text: str) -> None:
    assert find_base_problems("B.base", text) == []


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("filters: x\nviews: 'open\n", 2, "not closed"),
        ("views: []\nviews: []\n", 2, "twice"),
        ("- a\n", 1, "should be a map"),
        ("just text", 1, "should be a map"),
        ("\n\nviews:\n  a: 1\n", 3, "`views` should be a list"),
        ("views:\n  - type: table\n  - name: x\n", 3, "a view should be"),
        ("filters: [a]\n", 1, "`filters` should be"),
        ("formulas: x\n", 1, "`formulas` should be"),
    ],
)
def test_a_broken_base_is_a_problem_with_its_line(text: str, line: int, word: str) -> None:
    problem = find_base_problems("B.base", text)[0]
    assert (problem.path, problem.line) == ("B.base", line)
    assert word in problem.what


@given(
    st.text()
    | st.lists(st.sampled_from(["views:", "- a", "  ", "\n", "type: table", "[", "{", ":", "filters: x"])).map("".join)
)
def test_any_text_is_read(text: str) -> None:
    assert all(problem.line >= 1 for problem in find_base_problems("B.base", text))
