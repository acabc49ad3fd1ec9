"""Asks that mean a call: the right tool with the right values, or a refusal that says what is wrong."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from planner.stand_in import Vault, read_vault

from nestkit.note import Vocabulary
from nestkit.parse.script import parse_script
from nestkit.planner.plan import Plan, plan
from nestkit.policy import Refusal
from nestkit.tool import Parameter, Tool

HERE = Path(__file__).parent
NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
PLACES = {"ops": HERE.parent / "vaults/ops", "vault": HERE.parents[1] / "vault"}
CASES = [json.loads(line) for line in (HERE / "cases/tools.jsonl").read_text("utf-8").splitlines()]
SAMPLES = {
    case["id"]: case for case in map(json.loads, (HERE.parent / "cases/asks.jsonl").read_text("utf-8").splitlines())
}


@cache
def surroundings(name: str) -> tuple[Vocabulary, tuple[Tool, ...]]:
    """What the planner is told of a vault: its words, and its scripts as the registry reads them."""
    notes = {path: text for path, text in read_vault(PLACES[name]).items() if "Broken on purpose" not in path}
    scripts = sorted((PLACES[name] / "02_System").glob("*.py"))
    tools = [tool for file in scripts for tool in parse_script(f"02_System/{file.name}", file.read_bytes()).tools]
    return Vault(notes).vocabulary(), tuple(tools)


def called(program: str) -> tuple[str, dict[str, Any]]:
    """The tool a program calls and its values, seen by running it with a stand-in that only listens."""
    calls: list[tuple[str, dict[str, Any]]] = []

    class Listener:
        def __init__(self, name: str) -> None:
            self.name = name

        def __getattr__(self, part: str) -> Listener:
            return Listener(f"{self.name}.{part}")

        def __call__(self, *values: Any, **named: Any) -> Listener:
            if not self.name.endswith(".strip"):
                calls.append((self.name, {**({"args": values[0]} if values else {}), **named}))
            return self

    class Names(dict[str, Any]):
        def __missing__(self, name: str) -> Listener:
            return Listener(name)

    exec(compile(program, "program", "exec"), {}, Names(final_answer=lambda value: None))
    return calls[0]


@pytest.mark.parametrize("case", CASES, ids=[case["ask"] for case in CASES])
def test_the_ask_means_this_call_or_none(case: dict[str, Any]) -> None:
    made = plan(case["ask"], *surroundings(case["vault"]), NOW)
    if case["tool"] is None:
        assert isinstance(made, Refusal), made
    else:
        assert isinstance(made, Plan), made
        assert made.tools == (case["tool"],)
        assert called(made.program) == (case["tool"], case["arguments"])


@pytest.mark.parametrize(
    ("sample", "tool", "arguments"),
    [
        ("b065", "fx.convert", {"amount": 120, "source": "USD", "target": "EUR"}),
        ("b066", "workdays.business_days", {"start": "2026-03-18", "end": "2026-03-31"}),
        ("b067", "workdays.add_business_days", {"start": "2026-03-18", "days": 10}),
        ("b068", "timesheet.total", {"project": "Lighthouse"}),
        ("b069", "gantt.slack", {"project": "Driftwood", "today": "2026-03-18"}),
        ("b070", "standup", {"args": "2026-03-12"}),
        ("r013", "send_invoice", {"number": "INV-004", "to": "ann@example.org"}),
        ("r014", "archive_note.archive", {"note": "Nightshade", "year": 2026}),
    ],
)
def test_every_wording_of_a_sample_means_the_same_call(sample: str, tool: str, arguments: dict[str, Any]) -> None:
    for text in (SAMPLES[sample]["ask"], *SAMPLES[sample].get("variants", ())):
        made = plan(text, *surroundings("ops"), NOW)
        assert isinstance(made, Plan), (text, made)
        assert called(made.program) == (tool, arguments)


def refusal(text: str, tools: Sequence[Tool] = (), name: str = "ops") -> Refusal:
    vocabulary, own = surroundings(name)
    made = plan(text, vocabulary, tools or own, NOW)
    assert isinstance(made, Refusal), made
    return made


def test_missing_values_are_named() -> None:
    assert "amount and source" in refusal("Convert money").reason


def test_a_value_that_is_not_offered_is_named_with_those_that_are() -> None:
    reason = refusal("How much is 100 JPY in EUR?").reason
    assert "'JPY'" in reason
    assert all(currency in reason for currency in ("EUR", "USD", "GBP", "SEK"))


def test_a_default_does_not_stand_for_the_other_of_two_alike_values() -> None:
    assert "target" in refusal("convert 10 USD").reason


def tool(name: str, summary: str, *parameters: Parameter, utterances: tuple[str, ...] = ()) -> Tool:
    return Tool(
        name,
        f"02_System/{name.partition('.')[0]}.py",
        "function",
        parameters=parameters,
        summary=summary,
        utterances=utterances,
    )


def text_of(name: str, text: str = "") -> Parameter:
    return Parameter(name, "str", {"type": "string"}, text=text)


def test_an_author_s_own_words_come_first() -> None:
    asks = tool("shout.say", "Say it louder.", text_of("words"), utterances=("shout {words}",))
    made = plan("Shout hello world", Vocabulary(), [asks], NOW)
    assert isinstance(made, Plan)
    assert made.program == "final_answer(shout.say(words='hello world'))\n"


def test_a_slot_of_an_utterance_does_not_swallow_words_that_mean_something() -> None:
    asks = tool("shout.say", "Say it louder.", text_of("words"), utterances=("shout {words}",))
    assert isinstance(plan("Shout hello but not goodbye", Vocabulary(), [asks], NOW), Refusal)


def test_two_tools_that_fit_alike_are_both_named() -> None:
    one = tool("ink.price", "The price of ink for a note.", text_of("note"))
    two = tool("paper.price", "The price of paper for a note.", text_of("note"))
    vocabulary = Vocabulary(titles={"Letter.md": "Letter"})
    made = plan("price for Letter", vocabulary, [one, two], NOW)
    assert isinstance(made, Refusal)
    assert "ink.price or paper.price" in made.reason


def test_hidden_and_built_in_tools_are_not_planned() -> None:
    built_in = Tool(
        "vault.move_note", "", "builtin", parameters=(text_of("note"), text_of("path")), summary="Move a note."
    )
    hidden = Tool("a.move", "", "function", parameters=(text_of("note"),), summary="Move a note.", hidden=True)
    vocabulary = Vocabulary(titles={"Letter.md": "Letter"})
    assert isinstance(plan("move Letter", vocabulary, [built_in, hidden], NOW), Refusal)


def test_today_is_filled_in_from_the_clock() -> None:
    age = tool("age.of", "Age of a note in days.", text_of("note"), text_of("today", "ISO date."))
    made = plan("age of Letter", Vocabulary(titles={"Letter.md": "Letter"}), [age], NOW)
    assert isinstance(made, Plan)
    assert called(made.program) == ("age.of", {"note": "Letter", "today": "2026-03-18"})
