"""The two manners in which a model acts, Python programs or single JSON calls, as one table for the loop. *Pure*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nestkit.agent.prompt import draft_correction, draft_observation, draft_result
from nestkit.agent.reply import Action, Unusable, parse_call, parse_reply
from nestkit.model import Message, Reply
from nestkit.run import Outcome


@dataclass(frozen=True, slots=True)
class Style:
    """What the loop needs to know of a manner."""

    parse: Callable[[Reply], Action | Unusable]
    answer: Callable[[int, Action, Outcome, Reply, bool], list[Message]]
    """Number, action, outcome, reply, whether it all happened before -> what was said, and what is told."""
    correct: Callable[[Unusable, Reply, bool], list[Message]]
    """The same of a reply that held nothing to run; the last says that the one before held nothing either."""


def _code_answer(number: int, action: Action, outcome: Outcome, reply: Reply, again: bool) -> list[Message]:
    """What the model said, less its thinking, and what came of it."""
    said = f"{action.thought}\n```python\n{action.program}```".strip()
    return [Message("assistant", said), draft_observation(number, outcome, again=again)]


def _json_answer(number: int, action: Action, outcome: Outcome, reply: Reply, again: bool) -> list[Message]:
    """The one call that was made, in the protocol's own form, and its result."""
    call = _call_of(reply)
    said = Message("assistant", action.thought, call) if call else Message("assistant", reply.text)
    return [said, draft_result(call, number, outcome, again=again)]


def _call_of(reply: Reply) -> tuple[str, Mapping[str, Any]] | None:
    name, arguments = reply.tool_calls[0] if reply.tool_calls else ("", "")
    return None if isinstance(arguments, str) else (name, arguments)


def _code_correct(wrong: Unusable, reply: Reply, again: bool) -> list[Message]:
    said = wrong.program and f"```python\n{wrong.program}\n```"
    return [Message("assistant", said or reply.text or "(nothing)"), draft_correction(wrong.reason, again=again)]


def _json_correct(wrong: Unusable, reply: Reply, again: bool) -> list[Message]:
    return [Message("assistant", reply.text or "(nothing)"), draft_correction(wrong.reason, "json")]


STYLES: Mapping[str, Style] = {
    "code": Style(parse_reply, _code_answer, _code_correct),
    "json": Style(parse_call, _json_answer, _json_correct),
}
