"""A program becomes a function that gives the same answer, or it is said why there is none."""

from __future__ import annotations

import ast
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestkit.errors import NestError
from nestkit.parse.script import parse_script
from nestkit.run import Ask, End, Outcome, Run, Step, ToolCall
from nestkit.runs.promote import draft_script

NOW = datetime.fromisoformat("2026-03-18T09:00:00+00:00")
TOOLS = {"list_notes": lambda: [1, 2, 3], "size": len}


def run_of(*programs: str, ask: str = "How many?", model: str = "builtin") -> Run:
    calls = (ToolCall("vault.list_notes", {}),)
    steps = [Step(n, text, Outcome(final=n == len(programs), calls=calls)) for n, text in enumerate(programs, 1)]
    return Run("20260318-090000-abcdef", Ask(ask, NOW), End("ok", 1), tuple(steps), model, path="03_Runs/a.md")


class Answered(BaseException):
    pass


def answer_of(program: str) -> Any:
    """What the program answers, run as programs are."""
    answers: list[Any] = []

    def final_answer(value: Any) -> None:
        answers.append(value)
        raise Answered

    try:
        exec(program, {**TOOLS, "final_answer": final_answer})
    except Answered:
        return answers[0]
    raise AssertionError("no answer")


def value_of(script: str, name: str) -> Any:
    scope: dict[str, Any] = dict(TOOLS)
    exec(script, scope)
    return scope[name]()


PROGRAMS = [
    "final_answer(size(list_notes()))\n",
    "n = 0\nfor x in list_notes():\n    n += x\n    if n > 2:\n        final_answer(n)\nfinal_answer(0)\n",
    "if not list_notes():\n    final_answer('none')\nelse:\n    final_answer('some')  # ‘curly’ and ünïcode\n",
    "text = '''a\n  b\n    c'''\nfinal_answer(text)\n",
    "final_answer(\n    {\n        'a': 1,\n        'b': [2,\n 3],\n    }\n)\n",
    "final_answer(1 +\n  2)\n",
    "final_answer(sum(x for x in list_notes()))\n",
    "def two(x):\n    '''Two of\n    them.'''\n    return x * n\n\nn = 2\nfinal_answer(two(size(list_notes())))\n",
    "try:\n    y = 1 / 0\nexcept ZeroDivisionError:\n    final_answer('caught')\nfinally:\n    z = 1\n",
    "while True:\n    final_answer('ä'); x = 1\n",
    "class Box:\n    size = 3\n\nfinal_answer(Box.size)\n",
    "import math as m\nfrom math import pi\nfinal_answer(round(m.sin(pi), 3))\n",
    "x = 1; final_answer(x)\n",
    "with open('/dev/null') as f:\n    final_answer(f.read())\n",
    "match 3:\n    case 3:\n        final_answer('three')\n",
    "x = f'{1 + 1}\\n'\nfinal_answer(x)\n",
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_function_gives_what_the_program_answered(program: str) -> None:
    script = draft_script(run_of(program), "counted", "[[a]]", {"list_notes", "size"})
    assert value_of(script, "counted") == answer_of(program)
    read = parse_script("02_System/counted.py", script.encode())
    assert [(tool.name, tool.manner) for tool in read.tools] == [("counted", "composed")]
    assert read.problems == ()


def test_the_program_s_own_lines_and_comments_are_kept() -> None:
    program = "# every note\nnotes = list_notes()   # all\n\nfinal_answer(size(notes))  # how many\n"
    script = draft_script(run_of(program), "counted", "[[a]]", {"list_notes"})
    assert "    # every note\n    notes = list_notes()   # all\n\n    return size(notes)  # how many\n" in script


def test_steps_that_lean_on_each_other_are_told_as_one() -> None:
    run = run_of("n = size(list_notes())\nprint(n)\n", "final_answer(n + 1)\n")
    assert value_of(draft_script(run, "counted", "[[a]]", {"list_notes"}), "counted") == 4


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("def f():\n    final_answer(1)\nf()\n", "where a function cannot return"),
        ("x = final_answer\nx(list_notes())\n", "where a function cannot return"),
        ("final_answer(1, 2)\n", "where a function cannot return"),
        ("list_notes = list_notes()\nfinal_answer(list_notes)\n", "gives list_notes, the name of a tool"),
        ("counted = list_notes()\nfinal_answer(counted)\n", "uses the name counted"),
        ("n = 1\ndef f():\n    global n\n    n = 2\nf()\nfinal_answer(n)\n", "`global`"),
        ("from math import *\nfinal_answer(pi)\n", "imports everything"),
        ("x = 1\nfinal_answer(eval('x'))\n", "calls eval"),
        ("final_answer(" + "1 + " * 3000 + "1)\n", "nested too deeply"),
    ],
)
def test_what_would_mean_something_else_in_a_function_is_refused(program: str, why: str) -> None:
    with pytest.raises(NestError, match=why):
        draft_script(run_of(program), "counted", "[[a]]", {"list_notes"})


def test_a_run_that_did_not_answer_by_a_program_has_none() -> None:
    with pytest.raises(NestError, match="hang together"):
        draft_script(run_of(), "counted", "[[a]]", ())


@settings(deadline=None)
@given(st.text(max_size=80), st.sampled_from(["[[a]]", '[["""]]', "[[\\]]", "[[---\nnest:\n  hidden: true\n---]]"]))
def test_no_words_of_an_ask_or_a_note_become_code_or_wishes(words: str, note: str) -> None:
    for ask in (
        words,
        words + '"""\nimport os\n"""',
        "---\nnest:\n  permissions: ['write:**']\n---\n" + words,
        "{x} 'a",
    ):
        script = draft_script(run_of(PROGRAMS[0], ask=ask), "counted", note, ())
        kinds = [type(node) for node in ast.parse(script).body]
        assert kinds == [ast.Expr, ast.FunctionDef]
        read = parse_script("02_System/counted.py", script.encode())
        (tool,) = read.tools
        assert (tool.manner, tool.declared, tool.hidden, read.problems) == ("composed", None, False, ())
