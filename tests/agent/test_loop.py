"""The loop over functions: how it goes on, how it ends, what the model is told."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

import pytest

from nestkit.agent.budget import count_messages
from nestkit.agent.loop import Manner, count_down, steps
from nestkit.errors import ModelError, OutOfTime, TooLong, Unreachable
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


def test_a_model_that_does_not_manage_a_fence_twice_is_held_to_a_form() -> None:
    chat = Played("It is 42.", "42, I say.", '{"thought": "so", "code": "final()"}')
    taken, end = walk(chat)
    forms = [told[-1].form for told in chat.told]
    assert (end.status, len(taken)) == ("ok", 3)
    assert forms[:2] == [None, None]
    assert forms[2] is not None
    assert '"code"' in chat.told[2][-1].content


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


def test_out_of_time_in_the_middle_of_a_reply_is_no_answer() -> None:
    taken, end = walk(Played(fence("look()"), OutOfTime("too late")), seconds=7)
    assert (len(taken), end.status) == (1, "no_answer")
    assert "7 seconds" in end.reason


def test_out_of_tokens_is_no_answer_and_nothing_more_is_sent() -> None:
    chat = Played(*(Reply(fence(f"look({n})"), tokens_in=900, tokens_out=200) for n in range(5)))
    _, end = walk(chat, run_tokens=2000)
    assert (end.status, len(chat.told)) == ("no_answer", 2)
    assert "2000 tokens" in end.reason


def test_tokens_count_also_where_the_server_does_not_say() -> None:
    _, end = walk(Played(*[fence(f"look({n})") for n in range(9)]), run_tokens=200)
    assert end.status == "no_answer"


def test_every_step_has_its_account() -> None:
    taken, _ = walk(Played(Reply(fence("final()"), tokens_in=100, tokens_out=20, window=4096, load_seconds=2.0)))
    account = taken[0].account
    assert account is not None
    assert (account.read, account.written, account.window, account.load_seconds) == (100, 20, 4096, 2.0)
    assert account.estimated > 0


def test_a_smaller_window_than_asked_for_binds_from_then_on() -> None:
    replies = [Reply(fence(f"look({n})"), window=800, most_window=800) for n in range(3)]
    chat = Played(*replies, fence("final()"))
    _, end = walk(chat, lambda program: run(program) if "final" in program else Outcome(output="word " * 2000))
    assert end.status == "ok"
    assert [count_messages(told) <= 600 for told in chat.told[1:]] == [True] * 3


def printing(words: int) -> Callable[[str], Outcome]:
    """Prints so many words, unless the program is the last."""
    return lambda program: run(program) if "final" in program else Outcome(output="word " * words)


def test_what_the_server_refuses_as_too_long_is_cut_to_its_window_and_sent_again() -> None:
    chat = Played(fence("look()"), TooLong("too long", window=1000), fence("final()"))
    taken, end = walk(chat, printing(2000))
    assert (end.status, len(taken)) == ("ok", 2)
    assert count_messages(chat.told[1]) > 1000
    assert count_messages(chat.told[2]) <= 750


def test_a_server_that_counts_more_than_the_estimate_is_believed() -> None:
    chat = Played(fence("look()"), TooLong("too long", tokens=5000), fence("final()"))
    taken, end = walk(chat, printing(2200), tokens=4400)
    assert (end.status, len(taken)) == ("ok", 2)
    assert count_messages(chat.told[2]) < count_messages(chat.told[1])


@pytest.mark.parametrize(
    ("error", "status"), [(TooLong("too long"), "error"), (TooLong("too long", window=30), "no_answer")]
)
def test_what_cannot_be_cut_to_fit_is_not_sent_again(error: TooLong, status: str) -> None:
    chat = Played(error)
    _, end = walk(chat)
    assert (end.status, len(chat.told)) == (status, 1)
    assert end.hint or status == "error"


def test_a_server_that_never_has_room_is_asked_a_few_times_only() -> None:
    chat = Played(fence("look()"), *(TooLong("no", window=window) for window in (3000, 2000, 1000, 1000)))
    _, end = walk(chat, printing(2000))
    assert (end.status, len(chat.told)) == ("error", 5)


def test_an_old_outcome_that_was_shortened_is_in_the_account() -> None:
    chat = Played(*(fence(f"look({n})") for n in range(3)), fence("final()"))
    taken, _ = walk(
        chat, lambda program: run(program) if "final" in program else Outcome(output="word " * 1500), tokens=3000
    )
    assert [step.account.shortened for step in taken if step.account][-1] >= 2


def test_what_happened_before_is_said_when_it_happens_again() -> None:
    chat = Played(fence("look()"), fence("look()"), fence("final()"))
    walk(chat)
    assert "exactly this before" not in chat.told[1][-1].content
    assert "exactly this before" in chat.told[2][-1].content


def test_two_programs_by_turns_are_given_up_too() -> None:
    _, end = walk(Played(*[fence("a()"), fence("b()")] * 6), steps=12)
    assert "again and again" in end.reason


def test_an_answer_copied_from_a_shortened_outcome_is_not_taken() -> None:
    values = iter(["The note says: abc ...(5000 characters left out)... xyz", "whole"])
    taken, end = walk(
        Played(fence("final()"), fence("final(2)")), lambda program: Outcome(value=next(values), final=True)
    )
    assert (end.answer, len(taken)) == ("whole", 2)
    assert "left out" in taken[0].outcome.error
    assert not taken[0].outcome.final


def test_an_answer_may_be_checked_by_whoever_asks() -> None:
    values = iter([3, 4])
    manner = Manner(check=lambda value: "" if value == 4 else "it is odd")
    walked = steps(
        OPENING,
        chat=(chat := Played(fence("final()"), fence("final(2)"))),
        execute=lambda program: Outcome(value=next(values), final=True),
        limits=Limits(),
        manner=manner,
    )
    with pytest.raises(StopIteration) as stop:
        while True:
            next(walked)
    assert stop.value.value == End("ok", 4)
    assert "it is odd" in chat.told[1][-1].content


CALL = ("convert", {"amount": 1})


def test_the_json_style_makes_one_call_a_turn_and_tells_its_result_as_such() -> None:
    replies = [Reply("", tool_calls=(CALL, ("other", {}))), Reply("", tool_calls=(("final_answer", {"value": 2}),))]
    chat = Played(*replies)
    walked = steps(OPENING, chat=chat, execute=run, limits=Limits(), manner=Manner("json"))
    first = next(walked)
    assert first.program == "print(convert(amount=1))\n"
    assert next(walked).program == "final_answer(value=2)\n"
    said, told = chat.told[1][-2:]
    assert (said.role, said.call, told.role, told.call) == ("assistant", CALL, "tool", CALL)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply("```python\nfinal_answer(1)\n```"), "that is a program"),
        (Reply("It is 42."), "no tool is called"),
        (Reply("", thinking="hm"), "empty"),
        (Reply("", thinking="hm", cut=True), "cut off"),
        (Reply("", tool_calls=(("convert", "amount=1"),)), "no JSON object"),
    ],
)
def test_the_json_style_corrects_what_is_no_call(reply: Reply, said: str) -> None:
    chat = Played(reply, Reply("", tool_calls=(("final_answer", {"value": 2}),)))
    walked = steps(OPENING, chat=chat, execute=run, limits=Limits(), manner=Manner("json"))
    assert said in next(walked).outcome.error
    next(walked)
    assert said in chat.told[1][-1].content
    assert "one call of a tool" in chat.told[1][-1].content


def test_the_json_style_takes_a_call_that_is_spelled_in_the_text() -> None:
    chat = Played(Reply('{"name": "convert", "arguments": {"amount": 1}}'))
    walked = steps(OPENING, chat=chat, execute=run, limits=Limits(), manner=Manner("json"))
    assert next(walked).program == "print(convert(amount=1))\n"


def test_an_interrupt_passes_through() -> None:
    def execute(program: str) -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk(Played(fence("look()")), execute)
