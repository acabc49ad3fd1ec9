"""Readings, programs and refusals of the ops vault and of vaults made for one rule each."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from planner.stand_in import Vault, read_vault

from nestkit.planner.plan import Plan, plan
from nestkit.policy import Refusal

HERE = Path(__file__).parent
READINGS = [line.strip() for line in (HERE / "cases/readings.txt").read_text("utf-8").splitlines()]
"""An ask, and on the next line its reading."""
NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")


@cache
def ops() -> Vault:
    return Vault(read_vault(HERE.parent / "vaults/ops"))


def planned(text: str, vault: Vault | None = None, note: str | None = None) -> Plan:
    made = plan(text, (vault or ops()).vocabulary(), (), NOW, note)
    assert isinstance(made, Plan), made
    return made


def refused(text: str, vault: Vault | None = None) -> Refusal:
    made = plan(text, (vault or ops()).vocabulary(), (), NOW)
    assert isinstance(made, Refusal), made
    return made


def answer(text: str, vault: Vault | None = None, note: str | None = None) -> Any:
    return (vault or ops()).run(planned(text, vault, note).program)


def notes(**properties: dict[str, Any]) -> Vault:
    """A vault of notes with these properties, by title."""
    lines = {title: "\n".join(f"{name}: {value}" for name, value in own.items()) for title, own in properties.items()}
    return Vault({f"{title}.md": f"---\n{head}\n---\n" for title, head in lines.items()})


# ── what a plan says ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("ask", "reading"), list(zip(READINGS[::2], READINGS[1::2], strict=True)))
def test_the_reading_says_what_was_understood(ask: str, reading: str) -> None:
    assert planned(ask).reading == reading


def test_a_program_is_short_python_over_the_built_in_tools() -> None:
    assert planned("How many people are there?").program == (
        "notes = list_notes(where={'type': 'person'})\nfinal_answer(len(notes))\n"
    )
    assert planned("overdue tasks").tools == ("vault.tasks",)


def test_this_note_is_the_one_that_asks() -> None:
    assert answer("deadline of this note", note="Projects/Driftwood.md") == "2026-03-31"
    assert "INV-007" in answer("what links here", note="Projects/Driftwood.md")
    assert isinstance(plan("what links here", ops().vocabulary(), (), NOW), Refusal)


def test_an_empty_answer_is_an_answer_where_the_property_is_known() -> None:
    assert answer("invoices over 100000") == []
    assert answer("How many meetings were there in January 2026?") == 0


# ── what is refused, and how ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ask", "word"),
    [
        ("Why is Quarry late?", "why"),
        ("projects with a mascot", "mascot"),
        ("projects that are not", "not"),
        ("total weight of the invoices", "weight"),
        ("Which project is best?", "best"),
        ("invoices in December", "December"),
        ("summarise Lighthouse", "summarise"),
    ],
)
def test_a_refusal_names_what_is_not_explained(ask: str, word: str) -> None:
    assert word.casefold() in refused(ask).reason.casefold()
    assert "nest doctor" in refused(ask).hint


def test_a_name_that_is_only_nearly_there_is_suggested_never_taken() -> None:
    assert "Lighthouse" in refused("deadline of Lighthuose").hint
    assert "Marta Ruiz" in refused("meetings with Marta").hint


def test_an_empty_ask_and_an_endless_one_are_refused() -> None:
    assert "empty" in refused("?").reason
    assert "too many" in refused("projects " * 80).reason


def test_and_mixed_with_or_is_not_guessed() -> None:
    refused("projects that are active and high priority or due in April 2026")


def test_a_sum_in_a_currency_might_be_a_conversion() -> None:
    refused("total of the invoices in GBP")
    assert answer("invoices in GBP") == ["INV-003", "INV-004"]


# ── what only the notes can tell, the program finds out ──────────────────────────────────────────────────────────────


def stops(text: str, vault: Vault) -> str:
    with pytest.raises(LookupError) as raised:
        answer(text, vault)
    return str(raised.value)


def test_amounts_in_several_currencies_are_not_added() -> None:
    assert "EUR, GBP, USD" in stops("sum of the unpaid invoices", ops())


def test_a_property_that_none_of_these_notes_has_is_no_reason_to_say_none() -> None:
    assert "none of these has country" in stops("projects in Sweden", ops())


def test_a_value_of_two_properties_is_settled_by_the_notes_or_not_at_all() -> None:
    apart = notes(
        A={"type": "task", "effort": "high"}, B={"type": "risk", "impact": "high"}, C={"type": "risk", "impact": "low"}
    )
    assert answer("high risks", apart) == ["B"]
    together = notes(A={"type": "risk", "effort": "high", "impact": "low"}, B={"type": "risk", "impact": "high"})
    assert "effort and impact" in stops("high risks", together)


def test_a_number_that_is_none_stops_the_sum() -> None:
    vault = notes(A={"type": "bill", "amount": 5}, B={"type": "bill", "amount": "about ten"})
    assert "B: amount" in stops("sum of the bills", vault)


def test_a_tag_and_a_folder_of_one_name_must_agree() -> None:
    alike = Vault({"Books/A.md": "---\ntags: [book]\n---\n", "Books/B.md": "---\ntags: [book]\n---\n"})
    assert answer("How many books are there?", alike) == 2
    apart = Vault({"Books/A.md": "---\ntags: [book]\n---\n", "B.md": "---\ntags: [book]\n---\n"})
    assert "say which" in stops("How many books are there?", apart)


def test_a_folder_with_a_note_about_itself_is_no_sort_of_notes() -> None:
    vault = Vault({"Books/Books.md": "Index", "Books/Emma.md": "x"})
    refused("How many books are there?", vault)
    assert answer("How many notes are in the folder Books?", vault) == 2


def test_a_shared_place_in_a_top_list_is_not_settled_by_chance() -> None:
    vault = notes(A={"type": "book", "rating": 9}, B={"type": "book", "rating": 8}, C={"type": "book", "rating": 8})
    assert answer("top 3 books by rating", vault) == ["A", "B", "C"]
    assert "place 2 is shared" in stops("top 2 books by rating", vault)


def test_all_that_share_the_first_place_are_named() -> None:
    vault = notes(A={"type": "book", "rating": 8}, B={"type": "book", "rating": 8}, C={"type": "book", "rating": 7})
    assert answer("Which book has the highest rating?", vault) == ["A", "B"]


def test_tasks_that_are_due_and_done_are_asked_about() -> None:
    vault = Vault({"A.md": "- [x] old [due:: 2026-03-17]\n- [ ] new [due:: 2026-03-19]\n"})
    assert "open tasks" in stops("tasks due this week", vault)
    assert answer("open tasks due this week", vault) == ["new [due:: 2026-03-19] (A)"]


def test_my_tasks_are_not_everyone_s() -> None:
    refused("my open tasks")
    alone = Vault({"A.md": "- [ ] rest\n"})
    assert answer("my open tasks", alone) == ["rest (A)"]


def test_a_day_that_is_no_iso_day_stops_the_comparison_and_words_do_not() -> None:
    vague = notes(A={"type": "trip", "date": "2026-03-01"}, B={"type": "trip", "date": "TBD"})
    assert answer("trips before April 2026", vague) == ["A"]
    odd = notes(A={"type": "trip", "date": "2026-03-01"}, B={"type": "trip", "date": "3.4.2026"})
    assert "B: date" in stops("trips before April 2026", odd)


def test_links_print_as_titles_and_inline_fields_count_like_properties() -> None:
    vault = Vault(
        {
            "Books/Emma.md": '---\ntype: book\nauthor: "[[Authors/Jane Austen|Austen]]"\n---\nrating:: 9\n',
            "Authors/Jane Austen.md": "",
        }
    )
    assert answer("author of Emma", vault) == "Jane Austen"
    assert answer("books by Jane Austen with a rating above 8", vault) == ["Emma"]
    assert answer("How many books per author?", vault) == {"Jane Austen": 1}


def test_names_in_any_letters_and_with_blanks_are_one_name() -> None:
    vault = Vault(
        {
            "A.md": "---\ntype: trip\nStart Date: 2026-05-01\n---\n",
            "B.md": "---\ntype: trip\nstart date: 2025-05-01\n---\n",
        }
    )
    assert answer("trips with a start date after 2025", vault) == ["A"]
