"""A run as a note: the answer first, everything linked, and the way back."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from nestkit.change import Applied, Change
from nestkit.parse.note import parse_note as parse_markdown
from nestkit.run import Ask, End, Outcome, Run, Step, ToolCall
from nestkit.runs.note import RunNote, StepNote, draft_note, note_of, parse_note

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")


def make_run(**changes: Any) -> Run:
    call = ToolCall("fx.convert", {"amount": 250, "source": "GBP"}, seconds=0.01, reads=("Notes/A.md",))
    outcome = Outcome("printed\n", 294.12, final=True, calls=(call,), seconds=0.02)
    run = {
        "id": "20260318-090000-ab12",
        "ask": Ask("Convert 250 GBP to EUR", NOW, note="00_Inbox/Q.md"),
        "end": End("ok", 294.12),
        "steps": (Step(1, "final_answer(fx.convert(250, 'GBP'))\n", outcome, tokens_in=10, tokens_out=5),),
        "model": "builtin",
        "tier": "kernel-full",
        "reading": "fx.convert with amount = 250",
        "tool_digests": {"02_System/fx.py": "ab" * 32},
        "seconds": 0.1234,
    }
    return Run(**{**run, **changes})


def link(path: str) -> str:
    return f"[[{path.rpartition('/')[2].removesuffix('.md')}]]"


def draft(run: Run) -> str:
    return draft_note(note_of(run, link))


def read(text: str) -> RunNote:
    found = parse_note(text, parse_markdown("R.md", text).properties or {})
    assert found is not None
    return found


def test_the_answer_comes_first() -> None:
    body = draft(make_run()).partition("\n---\n")[2].strip()
    assert body.startswith("294.12\n")


def test_tools_and_notes_read_are_live_links_in_properties_and_body() -> None:
    links = {found.target for found in parse_markdown("R.md", draft(make_run())).links}
    assert links == {"fx.py", "A", "Q"}


def test_the_properties_are_flat_and_of_obsidian_s_kinds() -> None:
    properties = parse_markdown("R.md", draft(make_run())).properties or {}
    assert properties["nest-status"] == "ok"
    assert properties["nest-tools"] == ["[[fx.py]]"]
    assert properties["nest-seconds"] == 0.12
    assert all(name.startswith("nest-") for name in properties)
    assert not any(isinstance(value, dict) for value in properties.values())


def test_a_run_without_answer_says_why_and_gives_none() -> None:
    text = draft(make_run(end=End("refused", reason="I do not know *why*", hint="ask [[less]]"), steps=()))
    assert "> [!warning] Refused\n> I do not know \\*why\\*\n> ask \\[\\[less\\]\\]" in text
    assert "Answer as data" not in text


def test_changes_are_shown_as_a_diff_that_cannot_close_its_fence() -> None:
    change = Change("A.md", b"old\n", b"```\nnew [[x]]\n")
    text = draft(make_run(changes=(change,), applied=(Applied("A.md", "modify", applied=True),)))
    assert "````diff\n" in text
    assert "x" not in {found.target for found in parse_markdown("R.md", text).links}


def test_an_answer_counted_by_days_or_pairs_is_kept_with_its_keys_as_text() -> None:
    answer = {date(2026, 3, 18): 2, ("a", 1): {None: [{b"x": 1}]}}
    call = ToolCall("fx.count", {"by": {("a", 1): 2}})
    run = make_run(end=End("ok", answer), steps=(Step(1, "x", Outcome(calls=(call,))),))
    told = note_of(run, link)
    assert json.loads(told.answer) == {"2026-03-18": 2, "('a', 1)": {"None": [{"b'x'": 1}]}}
    assert "- 2026-03-18: 2\n" in draft_note(told)
    assert "('a', 1)" in told.story[0].calls[0]


def test_a_note_that_is_no_run_is_none() -> None:
    assert parse_note("text", {"nest-id": 5}) is None
    assert parse_note("text", {}) is None


words = st.text(max_size=60)
calls = st.builds(ToolCall, words, st.dictionaries(words, words | st.integers(), max_size=2), error=words)
outcomes = st.builds(Outcome, words, error=words, calls=st.tuples(calls), seconds=st.floats(0, 1000))
answers = st.recursive(st.none() | st.booleans() | st.integers() | words, lambda inner: st.lists(inner, max_size=3))
ends = st.builds(End, st.just("ok"), answers) | st.builds(
    End, st.sampled_from(["refused", "error"]), reason=words, hint=words
)


@given(program=words, outcome=outcomes, end=ends, reading=words, ask=words)
def test_run_to_note_and_back_loses_nothing_the_note_shows(
    program: str, outcome: Outcome, end: End, reading: str, ask: str
) -> None:
    run = make_run(ask=Ask(ask, NOW), end=end, steps=(Step(1, program, outcome),), reading=reading)
    told = note_of(run, link)
    again = read(draft_note(told))
    assert draft_note(again) == draft_note(told)
    assert (again.ask, again.answer, again.status) == (told.ask, told.answer, told.status)
    assert [step.program for step in again.story] == [step.program for step in told.story]


@given(st.builds(StepNote, program=words, output=words, error=words, seconds=st.just(0.5)))
def test_nothing_in_a_step_is_alive(step: StepNote) -> None:
    text = draft_note(RunNote("id", "ok", "ask", "2026-03-18T09:00:00", "brokered", story=(step,)))
    note = parse_markdown("R.md", text)
    assert (note.links, note.tags, note.tasks, note.fields, note.blocks) == ((), (), (), (), ())
