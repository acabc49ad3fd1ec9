"""An ask, the tools that fit and a few facts, in; the messages a model is told, out. *Pure* but for the prompts' files.

The ask stands in the system message, which no server drops, and once more at the end.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nestkit.agent.budget import count_tokens
from nestkit.agent.quote import data_block, plain, shorten
from nestkit.model import Message
from nestkit.policy import has_world
from nestkit.run import Ask, Outcome

PROMPTS = {"code": "system", "json": "json"}
"""Style -> name of its prompt; a note of that name in the vault's `Prompts` folder takes its place."""

TOOL_TOKENS = 1100
"""What the lines of all tools may take: one with forty parameters must not push out the ask."""
_LINE_CHARS = 600
_ASK_CHARS = 1000
"""Of a longer ask only the beginning is said twice."""
_WORLD = (
    "In this run programs may do more than said above\n"
    '- They can read the vault\'s files below `os.environ["VAULT_PATH"]`, and import installed packages.\n'
    "- What they save in the working folder (pictures as png or jpg, tables as csv) is attached to the answer.\n"
    "- The vault itself is changed by tools only."
)
"""What a program that has a world is told of it."""
LANGUAGES = ("monty",)
"""Ways to run programs that know only a part of Python; each has a prompt of its name that says which."""
_FILES = Path(__file__).parent / "prompts"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's text, and its digest for the run's note."""

    text: str
    digest: str
    source: str = ""
    """Path of the note that it stands in; empty for the one that ships."""


def load_prompt(name: str, find_note: Callable[[str], tuple[str, str] | None] = lambda name: None) -> Prompt:
    """The prompt of this name: the vault's own when `find_note` has one (its path and text), else as it ships."""
    found = find_note(name)
    source, text = found if found else ("", (_FILES / f"{name}.md").read_text("utf-8"))
    return Prompt(text, hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(), source)


def draft_prompt(
    ask: Ask, tools: Sequence[str], facts: Mapping[str, Any], prompt: str, language: str = ""
) -> tuple[Message, ...]:
    """The opening of a conversation: system message and ask.

    `tools` are lines of `signature  # summary`; `language` says which part of Python programs are limited to.
    """
    parts = [
        prompt.strip(),
        language.strip(),
        "Tools\n" + "\n".join(f"- {line}" for line in fit_lines(tools)) if tools else "",
        _WORLD if has_world(ask.contract) else "",
        f"Now it is {ask.now:%A} {ask.now.isoformat(timespec='minutes')}.",
        f"The vault in short: {data_block('vault', facts)}" if facts else "",
        f"The ask\n{plain(ask.text)}",
    ]
    told = [f"The ask: {shorten(plain(ask.text), _ASK_CHARS)}"]
    if ask.note:
        told.append(f"It is asked in the note {data_block('path', ask.note)}.")
    if ask.selection:
        told.append(data_block("selection", ask.selection))
    return (Message("system", "\n\n".join(filter(None, parts))), Message("user", "\n".join(told)))


def fit_lines(lines: Sequence[str], most_tokens: int = TOOL_TOKENS) -> list[str]:
    """The first lines that together take no more than so many tokens; no line may take all of it."""
    kept: list[str] = []
    for line in lines:
        line = " ".join(shorten(plain(line), _LINE_CHARS).split())
        most_tokens -= count_tokens(line) + 2
        if most_tokens < 0:
            break
        kept.append(line)
    return kept


def draft_outcome(outcome: Outcome) -> str:
    """What a model is shown of a step, as data: what was printed, the last value, the error, what was refused."""
    shown: dict[str, Any] = {}
    if outcome.output:
        shown["printed"] = outcome.output
    if outcome.value is not None and not outcome.final:
        shown["value"] = outcome.value
    if outcome.error:
        shown["error"] = outcome.error
    if outcome.refusals:
        shown["refused"] = [refusal.reason for refusal in outcome.refusals]
    return data_block("outcome", shown)


def draft_observation(number: int, outcome: Outcome, *, again: bool = False) -> Message:
    """What a model is told after a program; `again` when the same program has come to the same outcome before."""
    return Message("user", f"Step {number}: {draft_outcome(outcome)}\n{_advice(outcome, again)}")


def draft_result(
    call: tuple[str, Mapping[str, Any]] | None, number: int, outcome: Outcome, *, again: bool = False
) -> Message:
    """What a model is told after a call of the JSON style."""
    advice = "Go on, or call final_answer." if not outcome.error else "Mend the error, then go on."
    told = f"Step {number}: {draft_outcome(outcome)}\n{_AGAIN if again else advice}"
    return Message("tool", told, call) if call else Message("user", told)


PROGRAM_FORM: Mapping[str, Any] = {
    "type": "object",
    "properties": {"thought": {"type": "string"}, "code": {"type": "string"}},
    "required": ["thought", "code"],
}
"""What the server holds a reply to when a model does not manage by itself."""


def draft_correction(reason: str, style: str = "code", *, again: bool = False) -> Message:
    """What a model is told about a reply that held nothing to run; `again` when the one before held nothing either."""
    told = f"That could not be run: {plain(reason)}."
    if style == "json":
        return Message("user", f"{told}\nReply with one call of a tool.")
    if again:
        wanted = 'Reply with one JSON object: {"thought": "one sentence", "code": "the whole program"}.'
        return Message("user", f"{told}\n{wanted}", form=PROGRAM_FORM)
    return Message("user", f"{told}\nReply with one program in a ```python fence.")


_AGAIN = "You did exactly this before and it came to the same: do something else, or finish."


def _advice(outcome: Outcome, again: bool) -> str:
    if again:
        return _AGAIN
    if outcome.error:
        return "Mend the error, then go on; end with final_answer(value)."
    if outcome.value is not None and not outcome.output:
        return "If that value is the answer, end with final_answer(value); else go on."
    if not outcome.output:
        return "Nothing was printed. Print what you need to see, or end with final_answer(value)."
    return "Go on, or end with final_answer(value)."
