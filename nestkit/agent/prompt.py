"""An ask, the tools that fit and a few facts, in; the messages a model is told, out. *Pure* but for the prompt's file.

The ask stands in the system message, which no server drops, and once more at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nestkit.agent.quote import data_block, plain
from nestkit.model import Message
from nestkit.run import Ask, Outcome

_PROMPTS = Path(__file__).parent / "prompts"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's text, and its digest for the run's note."""

    text: str
    digest: str


def load_prompt(name: str) -> Prompt:
    """The prompt of this name as it ships."""
    text = (_PROMPTS / f"{name}.md").read_text("utf-8")
    return Prompt(text, hashlib.sha256(text.encode()).hexdigest())


def draft_prompt(ask: Ask, tools: Sequence[str], facts: str, prompt: str) -> tuple[Message, ...]:
    """The opening of a conversation: system message and ask. `tools` are lines of `signature  # summary`."""
    parts = [
        prompt.strip(),
        "Tools\n" + "\n".join(f"- {plain(line)}" for line in tools),
        f"Now it is {ask.now:%A} {ask.now.isoformat(timespec='minutes')}.",
        f"The vault\n{plain(facts)}",
        f"The ask\n{plain(ask.text)}",
    ]
    told = [f"The ask: {plain(ask.text)}"]
    if ask.note:
        told.append(f"It is asked in the note {plain(ask.note)}.")
    if ask.selection:
        told.append(data_block("selection", ask.selection))
    return (Message("system", "\n\n".join(parts)), Message("user", "\n".join(told)))


def draft_observation(number: int, outcome: Outcome) -> Message:
    """What a model is shown of a step: what was printed, the last value, the error, what was refused."""
    shown: dict[str, Any] = {}
    if outcome.output:
        shown["printed"] = outcome.output
    if outcome.value is not None and not outcome.final:
        shown["value"] = outcome.value
    if outcome.error:
        shown["error"] = outcome.error
    if outcome.refusals:
        shown["refused"] = [refusal.reason for refusal in outcome.refusals]
    advice = _advice(outcome)
    return Message("user", f"Step {number}: {data_block('outcome', shown)}\n{advice}")


def draft_correction(reason: str) -> Message:
    """What a model is told about a reply that held no program."""
    return Message("user", f"That could not be run: {plain(reason)}.\nReply with one program in a ```python fence.")


def _advice(outcome: Outcome) -> str:
    if outcome.error:
        return "Mend the error, then go on; end with final_answer(value)."
    if not outcome.output and outcome.value is None:
        return "Nothing was printed. Print what you need to see, or end with final_answer(value)."
    return "Go on, or end with final_answer(value)."
