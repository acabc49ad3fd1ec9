"""How an ask is cut, how words are brought to one form, and which days people mean."""

from __future__ import annotations

from datetime import date

import pytest

from nestkit.planner.dates import find_spans
from nestkit.planner.language import root, singular
from nestkit.planner.words import expand, phrase, tokenise, typed

TODAY = date(2026, 3, 18)


@pytest.mark.parametrize(
    ("text", "norms"),
    [
        ("Which projects are on-hold?", ["which", "projects", "are", "on", "hold"]),
        ("What's INV-004's amount?!", ["what", "'s", "inv", "004", "'s", "amount"]),
        ("over 10,000 or 2.5k", ["over", "10000", "or", "2500"]),
        ("the 12th of 2026-03", ["the", "12", "of", "2026-03"]),
        ("#Wiki/Old tasks, 5 > 3", ["wiki/old", "tasks", ",", "5", ">", "3"]),
        ('say "Decision: Yes"', ["say", "Decision: Yes"]),
        ("[[Projects/Tern|the fix]]", ["Projects/Tern"]),
        ("to ann@example.org", ["to", "ann@example.org"]),
        ("Petrov & Sons", ["petrov", "&", "sons"]),
        ("Cafe\u0301", ["café"]),
    ],
)
def test_an_ask_is_cut_into_words_numbers_days_and_quotations(text: str, norms: list[str]) -> None:
    assert [token.norm for token in tokenise(text)] == norms


def test_contractions_are_spelled_out() -> None:
    assert expand("Which aren't done, and can’t be e-mailed?") == "Which are not done, and can not be emailed?"


def test_tokens_remember_what_was_typed() -> None:
    text = "find Ops Weekly now"
    assert typed(text, tokenise(text)[1:3]) == "Ops Weekly"


def test_a_name_is_cut_like_an_ask() -> None:
    assert phrase("2026-03-12 Ops weekly") == ("2026-03-12", "ops", "weekly")


@pytest.mark.parametrize(
    ("plural", "word"),
    [
        ("invoices", "invoice"),
        ("people", "person"),
        ("categories", "category"),
        ("boxes", "box"),
        ("dishes", "dish"),
        ("potatoes", "potato"),
        ("statuses", "status"),
        ("status", "status"),
        ("class", "class"),
        ("shelves", "shelf"),
        ("bus", "bus"),
    ],
)
def test_a_plural_is_brought_to_its_singular(plural: str, word: str) -> None:
    assert singular(plural) == word


@pytest.mark.parametrize(
    ("verb", "noun"),
    [
        ("attended", "attendees"),
        ("rated", "rating"),
        ("directed", "director"),
        ("located", "location"),
        ("owns", "owner"),
    ],
)
def test_a_verb_and_the_property_made_of_it_have_one_root(verb: str, noun: str) -> None:
    assert root(verb) == root(noun)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-03-12", "2026-03-12", "2026-03-12"),
        ("2026-03", "2026-03", "2026-03"),
        ("March 2026", "2026-03", "2026-03"),
        ("Mar 2026", "2026-03", "2026-03"),
        ("march 12, 2026", "2026-03-12", "2026-03-12"),
        ("12 March 2026", "2026-03-12", "2026-03-12"),
        ("12th of March 2026", "2026-03-12", "2026-03-12"),
        ("9 to 15 March 2026", "2026-03-09", "2026-03-15"),
        ("2024", "2024", "2024"),
        ("1970s", "1970", "1979"),
        ("today", "2026-03-18", "2026-03-18"),
        ("yesterday", "2026-03-17", "2026-03-17"),
        ("this week", "2026-03-16", "2026-03-22"),
        ("last week", "2026-03-09", "2026-03-15"),
        ("next month", "2026-04", "2026-04"),
        ("last year", "2025", "2025"),
        ("last 7 days", "2026-03-11", "2026-03-18"),
        ("next two weeks", "2026-03-18", "2026-04-01"),
        ("Q1 2026", "2026-01", "2026-03"),
        ("2026-W12", "2026-03-16", "2026-03-22"),
        ("February", "2026-02", "2026-02"),
    ],
)
def test_days_as_people_write_them(text: str, first: str, last: str) -> None:
    tokens = tokenise(text)
    spans = dict(find_spans(tokens, 0, TODAY))
    assert (spans[len(tokens)].first, spans[len(tokens)].last) == (first, last)


@pytest.mark.parametrize("text", ["2026-02-30", "2026-13", "30 February 2026", "2026-W60", "last 3 months", "03/04/26"])
def test_what_is_no_day_or_not_one_day_is_not_read_as_one(text: str) -> None:
    tokens = tokenise(text)
    assert len(tokens) not in dict(find_spans(tokens, 0, TODAY))


def test_a_month_without_its_year_that_has_not_begun_is_marked() -> None:
    assert dict(find_spans(tokenise("May"), 0, TODAY))[1].ahead
    assert not dict(find_spans(tokenise("March"), 0, TODAY))[1].ahead
