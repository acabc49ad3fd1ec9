"""Thought, program, outcome, again: messages and two functions in, steps and how they ended out. *Pure*.

The loop knows `chat` and `execute` only, no server and no process. It never asks a model for closing words: out of
steps, time or tokens is no answer, and said as such.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from nestkit.agent.budget import correct_scale, fit, reserve_for
from nestkit.agent.prompt import draft_correction, draft_observation
from nestkit.agent.reply import Action, Unusable, parse_reply
from nestkit.errors import ModelError
from nestkit.model import Chat, Message, Reply
from nestkit.policy import Limits
from nestkit.run import End, Execute, Outcome, Step

_REPEATS = 2
"""How often the same program may come to the same outcome again before the run is given up."""


@dataclass(slots=True)
class _Talk:
    """The conversation so far, and what it may still cost."""

    messages: list[Message]
    limits: Limits
    chat: Chat
    scale: float = 1.0
    """Correction of the token estimate by what the server reported."""
    seen: dict[tuple[str, str, str], int] = field(default_factory=dict)
    """(program, output, error) -> how often it came."""

    def ask(self) -> Reply | End:
        """The next reply, or the end when the conversation does not fit or the server fails for good."""
        window = self.limits.tokens
        fitting = fit(self.messages, window, reserve_for(window), self.scale)
        if fitting is None:
            hint = "raise [ask] tokens, or ask about less at once"
            return End("no_answer", reason=f"the conversation does not fit the window of {window} tokens", hint=hint)
        try:
            reply = self._send(fitting)
        except ModelError as error:
            return End("error", reason=str(error), hint=error.hint)
        if reply.tokens_in:
            self.scale = correct_scale(self.scale, fitting, reply.tokens_in)
        return reply

    def _send(self, messages: Sequence[Message]) -> Reply:
        """One try, and one more when the server says it may help."""
        try:
            return self.chat(messages)
        except ModelError as error:
            if not error.again:
                raise
        return self.chat(messages)

    def is_stuck(self, program: str, outcome: Outcome) -> bool:
        """Whether this program has come to this outcome too often."""
        key = (program, outcome.output, outcome.error)
        self.seen[key] = self.seen.get(key, 0) + 1
        return self.seen[key] > _REPEATS


def steps(
    messages: Sequence[Message],
    *,
    chat: Chat,
    execute: Execute,
    limits: Limits,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[Step, None, End]:
    """Each step as it is taken; the generator's value is how they ended.

    KeyboardInterrupt passes: who walks the steps decides what becomes of them.
    """
    talk = _Talk(list(messages), limits, chat)
    begun = clock()
    for number in range(1, limits.steps + 1):
        started = clock()
        if started - begun > limits.seconds:
            return _out_of(f"{limits.seconds:g} seconds")
        reply = talk.ask()
        if isinstance(reply, End):
            return reply
        action = parse_reply(reply)
        outcome = execute(action.program) if isinstance(action, Action) else Outcome(error=action.reason)
        yield _step(number, action, outcome, reply, clock() - started)
        end = _end_after(talk, action, outcome)
        if end is not None:
            return end
        talk.messages += _next_messages(number, action, outcome, reply)
    return _out_of(f"{limits.steps} steps")


def _step(number: int, action: Action | Unusable, outcome: Outcome, reply: Reply, seconds: float) -> Step:
    program, thought = (action.program, action.thought) if isinstance(action, Action) else ("", reply.text)
    return Step(number, program, outcome, thought, reply.tokens_in, reply.tokens_out, seconds)


def _end_after(talk: _Talk, action: Action | Unusable, outcome: Outcome) -> End | None:
    """How the run ends with this step, if it does."""
    for refusal in outcome.refusals:
        if refusal.needs_person:
            return End("waiting", reason=refusal.reason, hint=refusal.hint)
    if outcome.final:
        return End("ok", outcome.value)
    text = action.program if isinstance(action, Action) else action.reason
    if talk.is_stuck(text, outcome):
        return End("no_answer", reason="the model tried the same thing again and again", hint="try another model")
    return None


def _next_messages(number: int, action: Action | Unusable, outcome: Outcome, reply: Reply) -> list[Message]:
    """What the model said, less its thinking, and what it is told."""
    if isinstance(action, Unusable):
        said = action.program and f"```python\n{action.program}\n```"
        return [Message("assistant", said or reply.text or "(nothing)"), draft_correction(action.reason)]
    said = f"{action.thought}\n```python\n{action.program}```".strip()
    return [Message("assistant", said), draft_observation(number, outcome)]


def _out_of(limit: str) -> End:
    return End("no_answer", reason=f"no answer within {limit}", hint="ask about less at once, or raise the limit")
