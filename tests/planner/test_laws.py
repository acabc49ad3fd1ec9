"""What holds for every ask: no word is passed over, nothing crashes, and reading and program come from one query."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planner.stand_in import Vault, read_vault

from nestkit.note import Vocabulary
from nestkit.planner import conditions, questions
from nestkit.planner.grammar import forms, known_words
from nestkit.planner.parts import PARTS
from nestkit.planner.patterns import Choice, Part, Piece, Row
from nestkit.planner.plan import Plan, plan
from nestkit.policy import Refusal

HERE = Path(__file__).parent
NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
VAULT = Vault(read_vault(HERE / "vaults/library.txt"))
WORDS = VAULT.vocabulary()

ASKS = [
    "books by Le Guin",
    "How many books have I finished?",
    "average rating of finished books",
    "Which book has the highest rating?",
    "top 3 books by rating",
    "papers with more than 100 citations",
    "sessions in February 2026",
    "Who attended The Lathe of Heaven evening?",
    "open tasks in chapters",
    "notes tagged #to-cite",
    "backlinks of Koch 2019 soil memory",
    "number of books by author",
    "deadline of Thesis",
    "books without a rating",
]
OPERATORS = [
    "not", "never", "no", "without", "except", "only", "largest", "most", "least", "average", "total", "since",
    "before", "per", "or", "neither", "more than", "half", "almost", "unless", "second", "too", "all but", "next",
]  # fmt: skip
SAME = {"top 3 books by largest rating", "top 3 books by most rating", "total number of books by author"}
"""Where the operator only says again what is there."""


def reading(text: str) -> str | None:
    made = plan(text, WORDS, (), NOW)
    return made.reading if isinstance(made, Plan) else None


@pytest.mark.parametrize("ask", ASKS)
def test_an_operator_put_in_anywhere_is_heard_or_refused(ask: str) -> None:
    words, before = ask.split(), reading(ask)
    assert before is not None
    for operator in OPERATORS:
        for place in range(len(words) + 1):
            text = " ".join([*words[:place], operator, *words[place:]])
            assert text in SAME or reading(text) != before, text


@pytest.mark.parametrize("ask", ASKS)
def test_a_word_that_nobody_knows_is_refused_by_name(ask: str) -> None:
    made = plan(f"{ask.rstrip('?')} quixotically", WORDS, (), NOW)
    assert isinstance(made, Refusal)
    assert "quixotically" in made.reason


VOCABULARY = sorted(
    {word for ask in ASKS for word in ask.split()}
    | set(OPERATORS)
    | {"#to-cite", '"walls"', "2026-01-01", "(", ")", ","}
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(VOCABULARY), max_size=9).map(" ".join))
def test_no_row_of_words_breaks_the_planner_and_every_plan_is_python(text: str) -> None:
    made = plan(text, WORDS, (), NOW)
    if isinstance(made, Plan):
        ast.parse(made.program)
        assert "final_answer(" in made.program
        assert made.reading
    else:
        assert made.reason
        assert "nest doctor" in made.hint


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_no_text_at_all_breaks_the_planner(text: str) -> None:
    assert isinstance(plan(text, WORDS, (), NOW), Plan | Refusal)


def test_names_of_a_hostile_vault_stay_data() -> None:
    path = "x'); final_answer('owned.md"
    vocabulary = Vocabulary(titles={path: "Owned"}, folders=("a'b",))
    made = plan("what links to Owned", vocabulary, (), NOW)
    assert isinstance(made, Plan)
    texts = [node.value for node in ast.walk(ast.parse(made.program)) if isinstance(node, ast.Constant)]
    assert path in texts
    calls = [node for node in ast.walk(ast.parse(made.program)) if isinstance(node, ast.Call)]
    assert [c.func.id for c in calls if isinstance(c.func, ast.Name)].count("final_answer") == 1


# ── the grammar's own data ───────────────────────────────────────────────────────────────────────────────────────────


def parts_of(piece: Piece) -> Iterator[Part]:
    if isinstance(piece, Part):
        yield piece
    elif isinstance(piece, Row | Choice):
        for each in piece.pieces if isinstance(piece, Row) else piece.rows:
            yield from parts_of(each)


NESTED = {"after", "before", "when", "order", "group", "selection", "short", "plural", "loose", "modifiers"}
NESTED |= {"notes", "tasks", "joinable", "pergroup"}


def test_every_form_has_a_maker_and_names_only_parts_that_there_are() -> None:
    for part, each in forms().items():
        makers = questions.MAKERS if part == "ask" else conditions.MAKERS
        for form in each:
            assert form.make in makers or part in ("when", "order", "group", "pergroup"), form.make
            for slot in parts_of(form.row):
                assert slot.rule in PARTS or slot.rule in NESTED, slot.rule


def test_every_maker_and_every_part_is_used_by_some_form() -> None:
    made = {form.make for each in forms().values() for form in each}
    assert made >= {*questions.MAKERS, *conditions.MAKERS}
    slots = {slot.rule for each in forms().values() for form in each for slot in parts_of(form.row)}
    assert slots >= PARTS.keys()


def test_the_words_of_the_forms_are_known_words() -> None:
    assert {"how", "many", "overdue", "sorted", "backlinks"} <= known_words()
