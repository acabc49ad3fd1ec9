"""The loop over functions: how it goes on, how it ends, what the model is told."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import pytest

from nestkit.agent.loop import count_down, steps
from nestkit.errors import ModelError, Unreachable
from nestkit.model import Message, Reply
from nestkit.policy import Limits, Refusal
from nestkit.run import End, Outcome, Step

OPENING = (Message("system", "You write programs. The ask: count."), Message("user", "The ask: count."))


class Played:
    """A chat that plays replies in order and keeps what it was told."""

    def __init__(self, *replies: str | Reply | ModelError) -> None:
        self.replies = list(replies)
        self.told: list[tuple[Message, ...]] = []

    def __call__(self, messages: Sequence[Message]) -> Reply:
        self.told.append(tuple(messages))
        reply = self.replies.pop(0)
        if isinstance(reply, ModelError):
            raise reply
        return reply if isinstance(reply, Reply) else Reply(reply)


def fence(program: str) -> str:
    return f"Thought.\n```python\n{program}\n```"


def run(program: str) -> Outcome:
    """Runs nothing: `final N` is an answer, all else is printed."""
    if "final" in program:
        return Outcome(value=42, final=True)
    return Outcome(output=program)


def walk(chat: Played, execute: Callable[[str], Outcome] = run, **limits: float) -> tuple[list[Step], End]:
    taken: list[Step] = []
    walked: Generator[Step, None, End] = steps(OPENING, chat=chat, execute=execute, limits=Limits(**limits))  # type: ignore[arg-type]
    while True:
        try:
            taken.append(next(walked))
        except StopIteration as stop:
            return taken, stop.value


def test_a_final_answer_ends_the_run() -> None:
    taken, end = walk(Played(fence("look()"), fence("final()")))
    assert end == End("ok", 42)
    assert [step.number for step in taken] == [1, 2]
    assert taken[0].thought == "Thought."


def test_what_was_printed_is_told_to_the_model() -> None:
    chat = Played(fence("look()"), fence("final()"))
    walk(chat)
    said, told = chat.told[1][-2:]
    assert (said.role, told.role) == ("assistant", "user")
    assert "look()" in told.content


def test_out_of_steps_is_no_answer_and_no_closing_word_is_asked_for() -> None:
    chat = Played(*(fence(f"look({n})") for n in range(5)))
    taken, end = walk(chat, steps=3)
    assert (end.status, len(taken), len(chat.told)) == ("no_answer", 3, 3)
    assert "3 steps" in end.reason


def test_out_of_time_is_no_answer() -> None:
    ticks = iter(range(0, 1000, 10))
    walked = steps(
        OPENING,
        chat=Played(fence("a()"), fence("b()")),
        execute=run,
        limits=Limits(seconds=15),
        left=count_down(15, lambda: next(ticks)),
    )
    next(walked)
    with pytest.raises(StopIteration) as stop:
        next(walked)
    assert stop.value.value.status == "no_answer"


def test_the_same_thing_again_and_again_is_given_up() -> None:
    _, end = walk(Played(*[fence("look()")] * 8))
    assert end.status == "no_answer"
    assert "again and again" in end.reason


def test_a_reply_without_program_is_corrected_and_counts_as_a_step() -> None:
    chat = Played("I think it is 42.", fence("final()"))
    taken, end = walk(chat)
    assert (end.status, len(taken), taken[0].program) == ("ok", 2, "")
    assert "no program" in chat.told[1][-1].content


def test_half_a_program_is_never_run() -> None:
    ran: list[str] = []

    def execute(program: str) -> Outcome:
        ran.append(program)
        return run(program)

    walk(Played(Reply("```python\nx = 1\nfinal", cut=True), fence("final()")), execute)
    assert ran == ["final()\n"]


def test_a_server_that_fails_once_is_tried_again() -> None:
    _, end = walk(Played(ModelError("runner died", again=True), fence("final()")))
    assert end.status == "ok"


@pytest.mark.parametrize(
    "errors", [[Unreachable("gone")], [ModelError("died", again=True), ModelError("died", again=True)]]
)
def test_a_server_that_stays_down_ends_the_run_with_its_error(errors: list[ModelError]) -> None:
    taken, end = walk(Played(*errors))
    assert (taken, end.status) == ([], "error")


def test_a_call_that_needs_a_person_leaves_the_run_waiting() -> None:
    refusal = Refusal("it wants to write", "say yes", needs_person=True)
    _, end = walk(Played(fence("archive()")), lambda program: Outcome(refusals=(refusal,), error="PermissionError"))
    assert end == End("waiting", reason="it wants to write", hint="say yes")


def test_a_plain_refusal_is_told_to_the_model_which_may_go_on() -> None:
    outcomes = iter(
        [Outcome(refusals=(Refusal("no network"),), error="PermissionError: no network"), Outcome(final=True)]
    )
    chat = Played(fence("get()"), fence("final()"))
    _, end = walk(chat, lambda program: next(outcomes))
    assert end.status == "ok"
    assert "no network" in chat.told[1][-1].content


def test_thinking_never_goes_back_into_the_conversation() -> None:
    chat = Played(Reply(f"<think>secret plan</think>{fence('look()')}", thinking="deeper plan"), fence("final()"))
    walk(chat)
    assert not any("plan" in message.content for message in chat.told[1])


def test_a_long_talk_keeps_the_system_message_and_the_ask() -> None:
    chat = Played(*(fence(f"look({n})") for n in range(6)), fence("final()"))
    _, end = walk(
        chat, lambda program: run(program) if "final" in program else Outcome(output="x y " * 3000), tokens=6000
    )
    assert end.status == "ok"
    assert all(told[:2] == OPENING for told in chat.told)


def test_a_talk_that_cannot_fit_is_refused_before_it_is_sent() -> None:
    chat = Played(fence("final()"))
    taken, end = walk(chat, tokens=20)
    assert (taken, end.status, chat.told) == ([], "no_answer", [])


def test_an_interrupt_passes_through() -> None:
    def execute(program: str) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk(Played(fence("look()")), execute)
