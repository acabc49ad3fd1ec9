"""A run is told as the conversation that it was."""

from __future__ import annotations

import json
from datetime import datetime

from checks import NestCommand

from nestkit.agent.prompt import draft_observation
from nestkit.run import Ask, End, Outcome, Run, Step
from nestkit.runs.export import FORMS, draft_record, draft_turns

NOW = datetime.fromisoformat("2026-03-18T09:00:00+00:00")
STEPS = (
    Step(1, "print(1)\n", Outcome(output="1\n"), thought="I look."),
    Step(2, "", Outcome(error="no program")),
    Step(3, "final_answer(2)\n", Outcome(value=2, final=True)),
)
RUN = Run("R1", Ask("How many?", NOW, selection="these"), End("ok", 2), STEPS, "ollama/m")


def test_question_programs_and_what_they_came_to_follow_one_another() -> None:
    turns = draft_turns(RUN, draft_observation)
    assert [turn.role for turn in turns] == ["user", "assistant", "user", "assistant"]
    assert turns[0].content == "How many?\n\nthese"
    assert turns[1].content == "I look.\n```python\nprint(1)\n```"
    assert turns[2].content.startswith("Step 1: ")
    assert "1" in turns[2].content
    assert turns[3].content == "```python\nfinal_answer(2)\n```"


def test_every_form_holds_the_same_words_and_says_whose_they_are() -> None:
    turns = draft_turns(RUN, draft_observation)
    records = {form: draft_record(RUN, turns, form) for form in FORMS}
    assert records["messages"]["messages"][0] == {"role": "user", "content": "How many?\n\nthese"}
    assert records["sharegpt"]["conversations"][1] == {"from": "gpt", "value": turns[1].content}
    assert [each["nest"] for each in records.values()] == [{"id": "R1", "status": "ok", "model": "ollama/m"}] * 2


def test_the_command_prints_a_line_a_run_and_says_which_it_could_not(nest: NestCommand) -> None:
    assert nest("ask", "Which projects are active?", "--model", "builtin").returncode == 0
    assert nest("ask", "Why is the sky?", "--model", "builtin").returncode == 3
    ids = [run["id"] for run in json.loads(nest("runs", "list", "--json").stdout)]
    done = nest("export", *reversed(ids), "nobody")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    told = json.loads(line)
    assert told["nest"]["id"] == ids[1]
    assert "list_notes" in told["messages"][1]["content"]
    assert "ran no program" in done.stderr
    assert "no run 'nobody'" in done.stderr
