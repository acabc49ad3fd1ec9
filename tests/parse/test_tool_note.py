"""Notes about tools: they add text, examples and ways to ask, and narrow powers; they widen nothing."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.note import Problem
from nestkit.parse.script import parse_script
from nestkit.parse.skill import parse_skill
from nestkit.parse.tool_note import ToolNote, add_note
from nestkit.tool import Effect, Script, Tool

SOURCE = '''
"""Reports.
---
nest:
  permissions: ["write:Reports/**", network, "env:KEY"]
  confirm: write
  timeout: 20
---
"""
def weekly(day: str, loud: bool = False) -> str:
    """Write the report of a week."""
def monthly(month: int) -> str: ...
def _hidden(): ...
'''
PATH = "02_System/reports.py"
NOTE = "02_System/Using reports.md"


READING = SOURCE.replace('permissions: ["write:Reports/**", network, "env:KEY"]', "permissions: [read]")


def document(
    properties: dict[str, Any], body: str = "", tool: str = "", source: str = SOURCE
) -> tuple[Script, list[Problem]]:
    script = parse_script(PATH, source.encode())
    return add_note(script, ToolNote(NOTE, properties, dedent(body), tool), lambda key: len(key))


def told(properties: dict[str, Any], source: str = SOURCE) -> list[str]:
    script, _ = document(properties, source=source)
    return [str(effect) for effect in script.tools[0].effects]


def test_a_note_adds_its_text_its_examples_and_its_ways_to_ask() -> None:
    script, problems = document(
        {"utterances": ["report for {day}"], "examples": ['weekly("2026-01-01") -> "done"'], "other": [1]},
        source=READING,
        body="""
        Weeks begin on Monday. %% not for others %%

        ```python
        weekly("2026-03-02")
        [monthly(n) for n in range(3)] -> ["a", "b", "c"]
        # a comment with a call: weekly("x")
        print("no tool")
        ```
        """,
    )
    weekly, monthly = script.tools
    assert problems == []
    assert "Write the report of a week.\n\nWeeks begin on Monday." in weekly.text
    assert "not for others" not in weekly.text
    assert weekly.utterances == ("report for {day}",)
    assert [example.call for example in weekly.examples] == ['weekly("2026-01-01")', 'weekly("2026-03-02")']
    assert [(e.call, e.result) for e in monthly.examples] == [("[monthly(n) for n in range(3)]", '["a", "b", "c"]')]
    assert (weekly.notes, weekly.summary) == ((NOTE,), "Write the report of a week.")
    assert {example.note for example in weekly.examples} == {NOTE}


def test_a_note_leads_no_question_to_a_tool_that_does_more_than_read() -> None:
    script, problems = document({"utterances": ["report for {day}"]})
    assert script.tools[0].utterances == ()
    assert [(problem.line, "only in its script" in problem.what) for problem in problems] == [(10, True)]


def test_what_a_note_took_away_does_not_come_back_as_seen_in_the_code() -> None:
    tool = Tool("a.f", "a.py", "function", declared=(Effect("write", "A/x.md"),), found=(Effect("write"),))
    note = ToolNote("n.md", {"permissions": ["write:A/B/**"]}, "")
    assert add_note(Script("a.py", "", (tool,)), note, len)[0].tools[0].effects == ()


def test_a_note_may_speak_of_one_function_alone() -> None:
    script, _ = document({"confirm": "always"}, "Only this.", tool="monthly")
    assert [tool.confirm for tool in script.tools] == ["write", "always"]
    assert [tool.notes for tool in script.tools] == [(), (NOTE,)]


def test_a_note_about_what_is_not_there_is_a_problem() -> None:
    script, problems = document({}, tool="yearly")
    assert script == parse_script(PATH, SOURCE.encode())
    assert problems == [Problem(NOTE, 4, "speaks of 'yearly', but 02_System/reports.py has weekly, monthly")]


@pytest.mark.parametrize(
    ("permissions", "left"),
    [
        (["write", "network", "env:KEY"], ["write:Reports/**", "network", "env:KEY"]),
        (["write:Reports/**"], ["write:Reports/**"]),
        (["write:Reports/2026/**"], ["write:Reports/2026/**"]),
        (["write:Elsewhere/**"], []),
        (["write:Report*/**"], []),
        (["network:example.com"], ["network:example.com"]),
        (["read"], []),
        ([], []),
        (["env:OTHER"], []),
        (["nonsense"], []),
        (["delete", "run:git"], []),
    ],
)
def test_a_note_narrows(permissions: list[str], left: list[str]) -> None:
    assert told({"permissions": permissions}) == left


def test_a_note_narrows_what_only_the_code_shows_too() -> None:
    source = "def f():\n    open('a', 'w')\n    __import__('os').system('ls')\nimport os\ndef g(): os.system('ls')"
    assert told({}, source) == ["write:a"]
    assert told({"permissions": ["read"]}, source) == []


@pytest.mark.parametrize(
    ("properties", "line", "what"),
    [
        ({"permissions": ["write", "delete"]}, 11, "delete is not what the script asks for"),
        ({"permissions": ["fly"]}, 11, "unknown permission"),
        ({"confirm": "perhaps"}, 7, "never, write or always"),
        ({"timeout": "soon"}, 7, "number of seconds"),
        ({"utterances": ["x {nothing}"]}, 10, "only in its script"),
        ({"examples": ["yearly()"]}, 8, "calls no tool"),
    ],
)
def test_what_is_wrong_with_a_note_is_said_with_its_line(properties: dict[str, Any], line: int, what: str) -> None:
    [problem] = document(properties)[1]
    assert (problem.path, problem.line) == (NOTE, line)
    assert what in problem.what


EFFECTS = st.builds(
    Effect,
    st.sampled_from(["read", "write", "delete", "network", "env", "run"]),
    st.sampled_from(["", "A/**", "A/B/**", "A/x.md", "B/**", "KEY"]),
)
WISHES = st.fixed_dictionaries(
    {},
    optional={
        "permissions": st.lists(EFFECTS.map(str), max_size=4),
        "confirm": st.sampled_from(["never", "write", "always", "x"]),
        "hidden": st.booleans(),
        "timeout": st.sampled_from([1, 1000, "x"]),
    },
)


def covers(outer: Effect, inner: Effect) -> bool:
    same = outer.kind == inner.kind
    return same and (outer.scope in ("", inner.scope) or inner.scope.startswith(outer.scope.removesuffix("**")))


@given(st.none() | st.lists(EFFECTS, max_size=4), st.lists(EFFECTS, max_size=4), WISHES)
def test_no_note_widens_anything(declared: list[Effect] | None, found: list[Effect], wishes: dict[str, Any]) -> None:
    kept = None if declared is None else tuple(declared)
    tool = Tool("a.f", "a.py", "function", declared=kept, found=tuple(found), confirm="write", timeout=20)
    script, _ = add_note(Script("a.py", "", (tool,)), ToolNote("n.md", wishes, ""), lambda key: 0)
    after = script.tools[0]
    for effect in after.effects:
        assert any(covers(before, effect) for before in tool.effects)
    assert after.confirm in ("write", "always")
    assert (after.timeout or 99) <= 20


def test_a_skill_is_a_group_with_its_text() -> None:
    properties = {"name": "pdf-forms", "description": "Fill forms.\nAnd read them.", "license": "MIT"}
    group, problems = parse_skill("02_System/pdf/SKILL.md", properties, "\n# How\nSteps.\n", len)
    assert problems == []
    assert (group.name, group.folder, group.summary) == ("pdf-forms", "02_System/pdf", "Fill forms. And read them.")
    assert group.text == "# How\nSteps."


@pytest.mark.parametrize(
    ("properties", "lines"),
    [
        (None, [4, 11]),
        ({"name": "PDF Forms", "description": "x"}, [4]),
        ({"name": "a" * 65, "description": "x"}, [4]),
        ({"name": "a", "description": "x" * 1025}, [11]),
        ({"name": "a", "description": ["x"]}, [11]),
    ],
)
def test_a_skill_that_breaks_the_format_is_a_problem_and_still_a_group(properties: Any, lines: list[int]) -> None:
    group, problems = parse_skill("02_System/pdf/SKILL.md", properties, "", len)
    assert [problem.line for problem in problems] == lines
    assert group.name in ("pdf", "a")
