"""Thought, program, outcome, again: messages and two functions in, steps and how they ended out. *Pure*.

The loop knows `chat` and `execute` only, no server and no process. It never asks a model for closing words: out of
steps, time or tokens is no answer, and said as such.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from nestkit.agent.budget import correct_scale, count_messages, fit, reserve_for
from nestkit.agent.reply import Action, Unusable
from nestkit.agent.style import STYLES
from nestkit.errors import ModelError, OutOfTime, TooLong
from nestkit.model import Chat, Left, Message, Reply
from nestkit.policy import Limits
from nestkit.run import Account, End, Execute, Outcome, Step

_REPEATS = 2
"""How often the same program may come to the same outcome again before the run is given up."""
_LEFT_OUT = re.compile(r"\.\.\.\(\d+ characters left out\)\.\.\.")


def check_answer(value: Any) -> str:
    """Why a value is no answer, in words for the model: it was copied from an outcome that had been shortened."""
    if any(_LEFT_OUT.search(text) for text in _texts(value)):
        return "it was copied from an outcome whose middle had been left out; let the program pass the value on"
    return ""


@dataclass(frozen=True, slots=True)
class Manner:
    """How the loop is to be walked."""

    style: str = "code"
    overhead: int = 0
    """Tokens sent with every request besides the messages: the descriptions of tools."""
    first: int = 1
    """Number of the first step: more than one when something was tried before."""
    check: Callable[[Any], str] = check_answer
    """Why a final value is not to be taken; empty when it is."""


@dataclass(slots=True)
class _Talk:
    """The conversation so far, and what it may still cost."""

    messages: list[Message]
    limits: Limits
    chat: Chat
    left: Left
    overhead: int
    window: int
    """Tokens that the conversation may grow to, reply included."""
    sent: int = 0
    """Tokens of the last request as estimated, not corrected."""
    scale: float = 1.0
    """Correction of the token estimate by what the server reported."""
    spent: int = 0
    """Tokens read and written so far; estimated where the server does not say."""
    unusable: int = 0
    """Replies in a row that held nothing to run."""
    seen: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """(program, output, error) -> how often it came."""

    def ask(self) -> tuple[Reply, Account] | End:
        """The next reply and its cost, or the end when nothing more may be sent or the server fails for good."""
        while True:
            asked = self._ask()
            if not isinstance(asked, TooLong):
                return asked
            if not self._learn(asked):
                return End("error", reason=str(asked), hint=asked.hint)

    def _learn(self, error: TooLong) -> bool:
        """Whether there is something in a refusal that lets the conversation be cut to what the server has."""
        before = self.window, self.scale
        self.window = min(self.window, error.window or self.window)
        if error.tokens:
            self.scale = correct_scale(self.scale, self.sent, error.tokens)
        return (self.window, self.scale) != before

    def _ask(self) -> tuple[Reply, Account] | End | TooLong:
        """One try of the same; a TooLong when what fits by our count does not fit by the server's."""
        if self.left() <= 0:
            return _out_of(f"{self.limits.seconds:g} seconds")
        taken = reserve_for(self.window) + math.ceil(self.overhead * self.scale)
        fitting = fit(self.messages, self.window, taken, self.scale)
        if fitting is None:
            return self._end_too_long()
        self.sent = count_messages(fitting) + self.overhead
        estimated = round(self.sent * self.scale)
        if self.spent + estimated > self.limits.run_tokens:
            return _out_of(f"{self.limits.run_tokens} tokens")
        begun = time.perf_counter()
        try:
            reply = self._send(fitting)
        except OutOfTime:
            return _out_of(f"{self.limits.seconds:g} seconds")
        except TooLong as error:
            return error
        except ModelError as error:
            return End("error", reason=str(error), hint=error.hint)
        account = self._book(fitting, reply, estimated, time.perf_counter() - begun)
        return reply, account

    def _send(self, messages: Sequence[Message]) -> Reply:
        """One try, and one more when the server says it may help."""
        try:
            return self.chat(messages)
        except ModelError as error:
            if not error.again:
                raise
        return self.chat(messages)

    def _book(self, sent: Sequence[Message], reply: Reply, estimated: int, seconds: float) -> Account:
        if reply.tokens_in:
            self.scale = correct_scale(self.scale, self.sent, reply.tokens_in)
        if reply.most_window:
            self.window = min(self.window, reply.most_window)
        self.spent += (reply.tokens_in or estimated) + reply.tokens_out
        shortened = sum(one != other for one, other in zip(sent, self.messages, strict=True))
        figures = (reply.tokens_in, reply.tokens_out, reply.window or self.window, shortened)
        return Account(estimated, *figures, seconds, reply.load_seconds)

    def _end_too_long(self) -> End:
        reason = f"the conversation does not fit the window of {self.window} tokens"
        if self.window < self.limits.tokens:
            hint = "the server has no longer one for this model: start it with a longer one, or choose another model"
            return End("no_answer", reason=reason, hint=hint)
        return End("no_answer", reason=reason, hint="raise [ask] tokens, or ask about less at once")

    def count(self, program: str, outcome: Outcome) -> int:
        """How often this program has come to this outcome by now."""
        key = (program, outcome.output, outcome.error)
        self.seen[key] = self.seen.get(key, 0) + 1
        return self.seen[key]


def steps(
    messages: Sequence[Message],
    *,
    chat: Chat,
    execute: Execute,
    limits: Limits,
    left: Left | None = None,
    manner: Manner | None = None,
) -> Generator[Step, None, End]:
    """Each step as it is taken; the generator's value is how they ended.

    KeyboardInterrupt passes: who walks the steps decides what becomes of them.
    """
    manner = manner or Manner()
    style = STYLES[manner.style]
    talk = _Talk(list(messages), limits, chat, left or count_down(limits.seconds), manner.overhead, limits.tokens)
    for number in range(manner.first, manner.first + limits.steps):
        begun = time.perf_counter()
        asked = talk.ask()
        if isinstance(asked, End):
            return asked
        reply, account = asked
        action = style.parse(reply)
        outcome = _outcome(action, execute, manner)
        yield _step(number, action, outcome, reply, account, time.perf_counter() - begun)
        end = _end_after(outcome)
        if end is not None:
            return end
        times = talk.count(action.program if isinstance(action, Action) else action.reason, outcome)
        if times > _REPEATS:
            return End("no_answer", reason="the model tried the same thing again and again", hint="try another model")
        if isinstance(action, Action):
            talk.messages += style.answer(number, action, outcome, reply, times > 1)
            talk.unusable = 0
        else:
            talk.messages += style.correct(action, reply, talk.unusable > 0)
            talk.unusable += 1
    return _out_of(f"{limits.steps} steps")


def count_down(seconds: float, clock: Callable[[], float] = time.monotonic) -> Left:
    """What is left of so many seconds from now on."""
    end = clock() + seconds
    return lambda: end - clock()


def _outcome(action: Action | Unusable, execute: Execute, manner: Manner) -> Outcome:
    """What came of the action, its answer taken back when it is none."""
    if isinstance(action, Unusable):
        return Outcome(error=action.reason)
    outcome = execute(action.program)
    wrong = manner.check(outcome.value) if outcome.final else ""
    return replace(outcome, final=False, value=None, error=f"the answer was not taken: {wrong}") if wrong else outcome


def _step(
    number: int, action: Action | Unusable, outcome: Outcome, reply: Reply, account: Account, seconds: float
) -> Step:
    program, thought = (action.program, action.thought) if isinstance(action, Action) else ("", reply.text)
    return Step(number, program, outcome, thought, reply.tokens_in, reply.tokens_out, seconds, account)


def _end_after(outcome: Outcome) -> End | None:
    """How the run ends with this outcome, if it does."""
    for refusal in outcome.refusals:
        if refusal.needs_person:
            return End("waiting", reason=refusal.reason, hint=refusal.hint)
    return End("ok", outcome.value) if outcome.final else None


def _out_of(limit: str) -> End:
    return End("no_answer", reason=f"no answer within {limit}", hint="ask about less at once, or raise the limit")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
