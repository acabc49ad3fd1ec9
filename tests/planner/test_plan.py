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
    assert "Marta Ruiz" in refused("meetings with Martha").hint


def test_a_person_may_be_called_by_a_part_of_the_name_that_nobody_else_has() -> None:
    whole = planned("meetings with Marta Ruiz")
    assert planned("meetings with Marta").reading == planned("meetings with Ruiz").reading == whole.reading
    two = notes(
        A={"type": "meeting", "attendees": '["[[Marta Ruiz]]"]'},
        B={"type": "meeting", "attendees": '["[[Marta Weber]]"]'},
    )
    assert "Marta" in refused("meetings with Marta", two).reason
    assert answer("meetings with Weber", two) == ["B"]
    place = notes(A={"type": "book", "author": "Jack London"}, B={"type": "trip", "city": "London"})
    with pytest.raises(LookupError, match="city"):
        answer("books by London", place)
    refused("books of Grid", notes(A={"type": "book", "client": "Grid Partners"}))


def test_what_is_overdue_is_due_before_today_and_not_said_to_be_done() -> None:
    bills = {"type": "bill", "due": "2026-03-01"}
    paid = notes(
        A={**bills, "paid": "true"}, B={**bills, "paid": "false"}, C={**bills, "due": "2026-04-01", "paid": "false"}
    )
    assert answer("overdue bills", paid) == ["B"]
    stated = notes(A={**bills, "status": "done"}, B={**bills, "status": "open"}, C={"type": "note", "status": "odd"})
    assert answer("Which bills are overdue?", stated) == ["B"]
    returned = notes(A={**bills, "returned": "2026-02-20"}, B={**bills, "returned": ""})
    assert answer("How many bills are overdue?", returned) == 1


@pytest.mark.parametrize(
    "marks",
    [{"status": "on hold"}, {"status": "open", "paid": "true"}, {"paid": "false", "delivered": "true"}, {}],
    ids=["unknown", "contrary", "half", "unsaid"],
)
def test_what_does_not_say_whether_it_is_done_is_not_called_overdue(marks: dict[str, Any]) -> None:
    others = {"status": "open", "paid": "false", "delivered": "true"}
    vault = notes(A={"type": "bill", "due": "2026-03-01", **marks}, B={"type": "order", **others})
    with pytest.raises(LookupError, match="done"):
        answer("overdue bills", vault)


def test_nothing_says_that_it_is_overdue_where_nothing_can_be_done() -> None:
    refused("overdue bills", notes(A={"type": "bill", "due": "2026-03-01"}))


def test_the_largest_of_several_currencies_is_not_compared() -> None:
    mixed = notes(
        A={"type": "bill", "amount": 5, "currency": "EUR"}, B={"type": "bill", "amount": 7, "currency": "CHF"}
    )
    with pytest.raises(LookupError, match="CHF, EUR"):
        answer("largest bill", mixed)
    assert answer("largest EUR bill", mixed) == ["A"]
    assert answer("bill with the highest amount", mixed) == ["B"]  # the ask names the number to go by


def test_what_was_spent_leaves_open_whether_it_is_paid_and_what_was_paid_does_not() -> None:
    bill = {"type": "bill", "payee": "Huber"}
    bills = notes(A={**bill, "amount": 5, "paid": "true"}, B={**bill, "amount": 7, "paid": "false"})
    assert answer("How much did we pay Huber?", bills) == 5
    with pytest.raises(LookupError, match="not paid yet"):
        answer("How much did we spend on Huber?", bills)


def test_none_of_a_count_may_be_written_as_0_and_0_of_anything_else_is_not_guessed() -> None:
    rooms = notes(
        A={"type": "room", "windows": 0, "rent": 0}, B={"type": "room", "windows": 2}, C={"type": "room", "rent": 9}
    )
    assert answer("rooms without windows", rooms) == ["A", "C"]
    assert answer("rooms with windows", rooms) == ["B"]
    for text in ("rooms without a rent", "rooms with a rent"):
        with pytest.raises(LookupError, match="A: rent is 0"):
            answer(text, rooms)


def test_a_checkbox_that_notes_have_is_one_that_is_ticked() -> None:
    owners = notes(A={"type": "owner", "news": "true"}, B={"type": "owner", "news": "false"}, C={"type": "owner"})
    assert answer("owners with news", owners) == ["A"]
    assert answer("owners without news", owners) == ["B", "C"]


def test_a_deed_is_done_on_its_day() -> None:
    days = {"A": "2026-03-17", "B": "2026-03-18", "C": "2026-03-19", "D": ""}
    medicines = notes(**{title: {"type": "medicine", "expires": day} for title, day in days.items()})
    assert answer("expired medicines", medicines) == answer("medicines that have expired", medicines) == ["A", "B"]
    assert answer("medicines that have not expired", medicines) == ["C", "D"]


def test_what_names_no_number_or_day_of_its_own_goes_by_the_one_before() -> None:
    car = {"type": "car", "date": "2020-01-01", "amount": 1}
    cars = notes(
        A={**car, "bought": "2023-05-01", "length": 4},
        B={**car, "bought": "2025-05-01", "length": 9},
        C={**car, "bought": "2020-05-01", "length": 20},
    )
    assert answer("cars bought in 2025 or 2023", cars) == ["A", "B"]
    assert answer("cars with a length over 5 and under 15", cars) == ["B"]
    assert answer("cars with a length over 15 or under 5", cars) == ["A", "C"]
    refused("cars bought in 2025 and 2023", cars)


def test_the_best_of_places_is_not_the_highest() -> None:
    refused("race with the best place", notes(A={"type": "race", "place": 1}))
    assert answer(
        "race with the best rating", notes(A={"type": "race", "rating": 1}, B={"type": "race", "rating": 5})
    ) == ["B"]


@pytest.mark.parametrize(
    "text", ["longest note", "the three shortest notes", "largest file", "which note is the longest?"]
)
def test_the_longest_note_is_not_that_of_the_longest_book(text: str) -> None:
    books = notes(A={"type": "book", "pages": 300, "amount": 1}, B={"type": "book", "pages": 200, "amount": 2})
    refused(text, books)
    assert planned(text.replace("note", "book").replace("file", "book"), books)


def test_with_somebody_in_one_of_several_parts_is_not_guessed() -> None:
    job = {"type": "job", "team": '["[[Ann Lee]]"]', "lead": '"[[Bo Ek]]"'}
    with pytest.raises(LookupError, match="team and lead"):
        answer("jobs with Bo Ek", notes(A=job, B={"type": "job", "team": '["[[Bo Ek]]"]'}))


def test_tasks_for_a_note_in_which_none_stands_are_not_none() -> None:
    vault = Vault({"Pip.md": "A rabbit.\n", "Plan.md": "- [ ] weigh Pip\n"})
    assert answer("tasks in Pip", vault) == []
    with pytest.raises(LookupError, match=r"Pip\.md"):
        answer("tasks for Pip", vault)


def test_people_with_tasks_are_not_notes_with_tasks() -> None:
    ann = "---\ntype: person\n---\n"
    owned = Vault({"Ann.md": ann + "- [ ] call [owner:: Bea]\n", "Bea.md": ann})
    unowned = Vault({"Ann.md": ann, "Plan.md": "- [ ] ask Ann\n"})
    for vault in (owned, unowned):
        with pytest.raises(LookupError, match="belong"):
            answer("who has open tasks", vault)


def test_a_title_without_its_date_is_no_name_where_another_note_is_called_so() -> None:
    vault = Vault({"Bella.md": "---\nowner: Omar\n---\n", "2026-01-09 Bella.md": "", "2026-01-10 Rufus.md": ""})
    assert answer("owner of Bella", vault) == "Omar"
    assert answer("What links to Rufus?", vault) == []


def test_a_doctor_may_be_called_so() -> None:
    visits = notes(A={"type": "visit", "seen-by": "Dr Ben Frost"}, B={"type": "visit", "seen-by": "Dr Amy Stone"})
    for text in ("visits by Dr Frost", "visits by Frost", "visits by Ben"):
        assert answer(text, visits) == ["A"]


def test_days_are_notes_named_for_one_and_never_those_of_the_calendar() -> None:
    log = Vault(
        {
            "2026-03-14.md": "mood:: 5\n",
            "2026-03-16.md": "mood:: 4\n",
            "2026-03-17 Walk.md": "mood:: 5\n",
            "Plan.md": "---\ndate: 2026-03-16\n---\nmood:: 5\n",
        }
    )
    assert answer("days with mood above 4", log) == answer("On which days was my mood 5?", log) == ["2026-03-14"]
    assert answer("day with the lowest mood", log) == ["2026-03-16"]
    for text in (
        "days",
        "how many days",
        "How many days between 2026-03-01 and 2026-03-31?",
        "last day",
        "days in March 2026",
    ):
        refused(text, log)


def test_two_readings_that_say_the_same_are_one() -> None:
    lab = Vault({"Scope.md": "---\ntags: [equipment, electric]\n---\n", "Burner.md": "---\ntags: [equipment]\n---\n"})
    assert answer("electric equipment", lab) == ["Scope"]


def test_a_birthday_comes_round_every_year() -> None:
    friends = notes(A={"type": "friend", "birthday": "1990-03-20"}, B={"type": "friend", "birthday": "1991-05-01"})
    for text in (
        "friends with a birthday in March",
        "friends whose birthday is today",
        "which friend has birthday next",
    ):
        refused(text, friends)
    assert answer("friends with a birthday in March 1990", friends) == ["A"]
    assert answer("friends with a birthday before 1991", friends) == ["A"]


def test_what_none_of_the_notes_can_say_is_not_said_of_any() -> None:
    vault = notes(A={"type": "paper"}, B={"type": "book", "finished": "2026-01-01"}, C={"type": "book", "finished": ""})
    assert answer("books not finished yet", vault) == ["C"]
    for text in ("papers not finished yet", "papers finished in 2025 or finished in 2026"):
        with pytest.raises(LookupError, match="none of these has finished"):
            answer(text, vault)


def test_a_deed_that_only_a_checkbox_tells_of_has_no_day() -> None:
    exams = notes(
        A={"type": "exam", "date": "2026-02-01", "graded": "true"},
        B={"type": "exam", "date": "2026-02-02", "graded": "false"},
    )
    assert answer("graded exams in February", exams) == answer("exams in February that are graded", exams) == ["A"]
    refused("exams graded in February", exams)
    refused("exams not graded in February", exams)


def test_sorts_joined_by_and_before_their_noun_may_be_either_or_both() -> None:
    courses = Vault({"A.md": "---\ntags: [course, arts]\n---\n", "B.md": "---\ntags: [course, science]\n---\n"})
    refused("arts and science courses", courses)
    assert answer("arts or science courses", courses) == ["A", "B"]
    assert answer("courses tagged arts and science", courses) == []


def test_another_value_than_one_named_is_a_value() -> None:
    cars = notes(A={"type": "car", "class": "A"}, B={"type": "car", "class": "B"}, C={"type": "car", "class": ""})
    assert answer("cars with class A", cars) == ["A"]
    assert answer("cars with a class other than A", cars) == ["B"]


@pytest.mark.parametrize("text", ["repairs per status", "cost of repairs", "cost of all repairs"])
def test_a_sum_or_a_count_that_could_be_a_list_is_not_guessed(text: str) -> None:
    repairs = notes(
        A={"type": "repair", "cost": 5, "status": "done"}, B={"type": "repair", "cost": 7, "status": "planned"}
    )
    assert "2 ways" in refused(text, repairs).reason


def test_the_next_lies_ahead_and_the_last_and_the_first_do_not() -> None:
    days = ["2026-01-01", "2026-03-01", "2026-05-01", "2026-07-01"]
    trips = notes(**{f"T{at}": {"type": "trip", "ends": day} for at, day in enumerate(days)})
    assert answer("Which trip ends next?", trips) == ["T2"]
    assert answer("Which trip ended last?", trips) == ["T1"]
    assert answer("Which trip ended first?", trips) == ["T0"]


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
