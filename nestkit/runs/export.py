"""The turns of a run in; one record of a file that models are trained or judged with, out. *Pure*."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nestkit.model import Message
from nestkit.run import Run

_SPEAKERS = {"user": "human", "assistant": "gpt", "system": "system", "tool": "human"}


def draft_turns(run: Run, observe: Callable[[int, Any], Message]) -> list[Message]:
    """What was asked, each program with the thought before it, and what each came to, up to the last program.

    `observe` gives what a model is told of an outcome, by number of the step.
    """
    selection = f"\n\n{run.ask.selection}" if run.ask.selection else ""
    turns = [Message("user", run.ask.text + selection)]
    written = [step for step in run.steps if step.program]
    for step in written:
        said = f"{step.thought}\n```python\n{step.program.rstrip(chr(10))}\n```".strip()
        turns.append(Message("assistant", said))
        if step is not written[-1]:
            turns.append(observe(step.number, step.outcome))
    return turns


def draft_record(run: Run, turns: Sequence[Message], form: str) -> dict[str, Any]:
    """One run as one record of this form: `messages` as OpenAI's chat files have it, or `sharegpt`.

    **Source**: platform.openai.com, "Supervised fine-tuning", data format; the ShareGPT files' `conversations`.
    """
    about = {"id": run.id, "status": run.status, "model": run.model}
    return {**FORMS[form](turns), "nest": about}


def _messages(turns: Sequence[Message]) -> dict[str, Any]:
    return {"messages": [{"role": turn.role, "content": turn.content} for turn in turns]}


def _sharegpt(turns: Sequence[Message]) -> dict[str, Any]:
    return {"conversations": [{"from": _SPEAKERS[turn.role], "value": turn.content} for turn in turns]}


FORMS: Mapping[str, Callable[[Sequence[Message]], dict[str, Any]]] = {"messages": _messages, "sharegpt": _sharegpt}
"""Name -> how the turns are told."""
