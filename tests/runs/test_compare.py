"""Two runs differ in what is named, and in nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nestkit.runs.compare import Summary, compare

RUN = Summary(
    "1",
    {"ask": "how many", "model": "builtin", "answer": "3"},
    programs=("x = 1\nfinal_answer(x)\n",),
    tools={"02_System/fx.py": "a" * 64},
    calls=("fx.convert(amount=1)\n  -> 2",),
    reads=("a.md", "b.md"),
    changes="--- a.md\n+++ a.md\n-old\n+new\n",
    figures={"seconds": 1.0},
)


def test_runs_that_differ_in_what_they_cost_only_are_the_same() -> None:
    assert compare(RUN, replace(RUN, id="2", figures={"seconds": 9.0})) == []


@pytest.mark.parametrize(
    ("change", "what", "shown"),
    [
        ({"facts": {**RUN.facts, "answer": "4"}}, "answer", ("3", "4")),
        ({"facts": {**RUN.facts, "model": ""}}, "model", ("builtin", "")),
        ({"facts": {**RUN.facts, "ask": "how\nmany"}}, "ask", ("-how many", "+how", "+many")),
        ({"programs": ("x = 2\nfinal_answer(x)\n",)}, "program", ("-x = 1", "+x = 2")),
        ({"programs": (RUN.programs[0], "y = 3")}, "program", ("+# step 2", "+y = 3")),
        ({"tools": {"02_System/fx.py": "b" * 64}}, "tool 02_System/fx.py", ("a" * 16, "b" * 16)),
        ({"tools": {}}, "tool 02_System/fx.py", ("a" * 16, "not called")),
        ({"calls": ("fx.convert(amount=1)\n  -> 3",)}, "calls", ("-  -> 2", "+  -> 3")),
        ({"reads": ("b.md", "c.md")}, "reads", ("-a.md", "+c.md")),
        ({"changes": ""}, "changes", ("-+new",)),
    ],
)
def test_what_differs_is_named_with_both_sides(change: dict[str, Any], what: str, shown: tuple[str, ...]) -> None:
    (part,) = compare(RUN, replace(RUN, **change))
    assert part.what == what
    lines = part.diff.split("\n") if part.diff else [part.old, part.new]
    assert [line for line in shown if line not in lines] == []


def test_what_is_too_long_to_be_compared_is_said_to_differ() -> None:
    many = "".join(f"+{number}\n" for number in range(30_000))
    (part,) = compare(RUN, replace(RUN, changes=many))
    assert (part.what, part.diff) == ("changes", "")
    assert "too many" in part.new


def test_the_order_in_which_notes_were_read_tells_nothing_apart() -> None:
    assert compare(RUN, replace(RUN, reads=("b.md", "a.md"))) == []
