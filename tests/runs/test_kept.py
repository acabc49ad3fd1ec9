"""What of a run is kept: programs that would be right again, never an answer in disguise."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from nestkit.note import PropertyWords, Vocabulary
from nestkit.run import Ask, End, Outcome, Run, Step, ToolCall
from nestkit.runs.kept import draft_key, find_kept

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
VOCABULARY = Vocabulary(
    titles={"Projects/Lighthouse.md": "Lighthouse", "Clients/Casa Verde.md": "Casa Verde"},
    aliases={"LH": "Projects/Lighthouse.md"},
    folders=("Projects",),
    tags=("urgent",),
    properties={"status": PropertyWords(("text",), ("active", "done"), 3), "due": PropertyWords(("date",), (), 1)},
)


def run_of(*steps: tuple[str, str], ask: str = "How many projects are active?", **fields: object) -> Run:
    """A run of steps (program, printed); the last one answers. A printed text that begins with `!` is an error."""
    taken = []
    for number, (program, printed) in enumerate(steps, 1):
        failed = printed.startswith("!")
        outcome = Outcome(
            output="" if failed else printed,
            error=printed if failed else "",
            final=number == len(steps),
            calls=(ToolCall("vault.list_notes", {}),),
        )
        taken.append(Step(number, program, outcome))
    run = Run(
        "20260318-090000-abcdef", Ask(ask, NOW), End("ok", 1), tuple(taken), "ollama/m", path="r.md", question="k"
    )
    return replace(run, **fields)  # type: ignore[arg-type]


ONE = "final_answer(len(list_notes(where={'status': 'active'})))"

KEPT = {
    "a program that looks up and counts": [(ONE, "")],
    "a last program that stands by itself": [("print(list_notes())", "3 active"), (ONE, "")],
    "a look first whose outcome only told the keys": [
        ("rows = list_notes()\nprint(rows[0])", "{'amount': 12, 'status': 'active'}"),
        ("final_answer(sum(row['amount'] for row in rows))", ""),
    ],
    "a failed first try that the last program leaves behind": [
        ("x = list_notes(tagg='a')", "!TypeError: no parameter"),
        ("x = list_notes()\nfinal_answer(len(x))", ""),
    ],
}


@pytest.mark.parametrize("steps", KEPT.values(), ids=KEPT.keys())
def test_it_is_kept(steps: list[tuple[str, str]]) -> None:
    kept = find_kept(run_of(*steps), VOCABULARY)
    assert kept is not None
    assert kept.day == ""
    assert kept.program.endswith(steps[-1][0].splitlines()[-1]) or kept.program.endswith("\n")


def test_steps_that_build_on_each_other_are_kept_as_one_program() -> None:
    kept = find_kept(run_of(("rows = list_notes()", ""), ("final_answer(len(rows))", "")), VOCABULARY)
    assert kept is not None
    assert kept.program == "rows = list_notes()\nfinal_answer(len(rows))\n"


LEFT = {
    "an answer that was typed": [("list_notes()\nfinal_answer(3)", "")],
    "a sentence that was typed": [("list_notes()\nfinal_answer('there are three')", "")],
    "a number that an earlier step had shown": [("print(len(list_notes()))", "37"), ("n = 37\nfinal_answer(n)", "")],
    "a text that an earlier step had shown": [
        ("print(list_notes())", "Petrov owes 400"),
        ("who = 'petrov'\nfinal_answer(search(who))", ""),
    ],
    "the name of a note that nobody asked for": [
        ("final_answer([slack(p) for p in ['Lighthouse', 'Driftwood']])", ""),
    ],
    "the path of a note that nobody asked for": [("final_answer(read_note('Projects/Lighthouse.md'))", "")],
    "an alias that nobody asked for": [("final_answer(read_note('LH'))", "")],
    "what a failed step may have left behind": [
        ("rows = []\nrows.append(1)\n1 / 0", "!ZeroDivisionError"),
        ("final_answer(len(rows) + len(list_notes()))", ""),
    ],
    "a sum that goes on from a failed step": [
        ("total = 1\n1 / 0", "!ZeroDivisionError"),
        ("total += len(list_notes())\nfinal_answer(total)", ""),
    ],
}


@pytest.mark.parametrize("steps", LEFT.values(), ids=LEFT.keys())
def test_it_is_not_kept(steps: list[tuple[str, str]]) -> None:
    assert find_kept(run_of(*steps), VOCABULARY) is None


def test_a_name_that_the_ask_says_may_stand_in_the_program() -> None:
    steps = ("final_answer(read_note('Lighthouse'))", "")
    assert find_kept(run_of(steps, ask="What does lighthouse say?"), VOCABULARY) is not None


@pytest.mark.parametrize(
    ("program", "ask", "day"),
    [
        ("final_answer(days('2026-03-18'))", "How late is it today?", "2026-03-18"),
        ("import datetime\nfinal_answer(days(datetime.date(2026, 3, 18)))", "How late?", "2026-03-18"),
        ("final_answer(logged(month='March'))", "Hours this month", "2026-03-18"),
        ("final_answer(days('2026-03-18'))", "How many days since 2026-03-18?", ""),
        ("import datetime\nfinal_answer(days(datetime.date.today().isoformat()))", "How late is it today?", ""),
    ],
)
def test_a_date_that_the_ask_does_not_say_binds_the_program_to_its_day(program: str, ask: str, day: str) -> None:
    kept = find_kept(run_of((program, ""), ask=ask), VOCABULARY)
    assert kept is not None
    assert kept.day == day


@pytest.mark.parametrize(
    "fields",
    [
        {"end": End("no_answer")},
        {"path": None},
        {"question": ""},
        {"ask": Ask("x", NOW, selection="some text")},
        {"changes": (object(),)},
    ],
)
def test_only_a_run_that_answered_and_changed_nothing_is_kept(fields: dict[str, object]) -> None:
    assert find_kept(replace(run_of((ONE, "")), **fields), VOCABULARY) is None  # type: ignore[arg-type]


def test_a_program_that_called_no_tool_is_not_kept() -> None:
    run = run_of((ONE, ""))
    bare = replace(run.steps[0], outcome=replace(run.steps[0].outcome, calls=()))
    assert find_kept(replace(run, steps=(bare,)), VOCABULARY) is None


def key(text: str, vocabulary: Vocabulary = VOCABULARY, **fields: str) -> str:
    given = {"model": "ollama/m", "prompt_digest": "p", "builtin_digest": "b", **fields}
    return draft_key(Ask(text, NOW), vocabulary=vocabulary, **given)


@pytest.mark.parametrize("text", ["how many notes", "How  many notes?", " How many notes. "])
def test_the_same_question_has_the_same_key(text: str) -> None:
    assert key(text) == key("How many notes")


@pytest.mark.parametrize("text", ["How many Notes", "How many notes are there", "How many notés"])
def test_another_question_has_another_key(text: str) -> None:
    assert key(text) != key("How many notes")


def test_the_key_changes_with_prompt_model_tools_and_shape_but_not_with_values() -> None:
    status = VOCABULARY.properties["status"]
    more_values = replace(VOCABULARY, properties={**VOCABULARY.properties, "status": replace(status, count=9)})
    more_names = replace(VOCABULARY, properties={**VOCABULARY.properties, "owner": status})
    same = [key("x"), key("x", more_values)]
    others = [key("x", more_names), *(key("x", **{name: "?"}) for name in ("model", "prompt_digest", "builtin_digest"))]
    assert len({*same}) == 1
    assert len({*same, *others}) == 5
