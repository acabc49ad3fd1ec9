"""An ask in; the prompts a model is told, the vault's own note only where the person trusts it, out. Part of the hall.
*Disk*, reading only.

What a model is told first steers all that it writes, and a vault received from somebody else may bring such a note. So
it counts as scripts do: after the person's yes, for these very bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from nestkit.agent.prompt import LANGUAGES, PROMPTS, Prompt, load_prompt
from nestkit.change import digest
from nestkit.errors import NestError
from nestkit.policy import Wants
from nestkit.run import Ask
from nestkit.sandbox.backends import find_rows

if TYPE_CHECKING:
    from nestkit.nest import Nest

_PROMPT_BYTES = 32_000
_NAMES = (*PROMPTS.values(), *LANGUAGES)


class PromptNote(NamedTuple):
    """A note that would take a prompt's place."""

    text: str
    """Its body, as a model would be told it."""
    wants: Wants
    """What the person's leave is tied to: tool and script are the note's path."""


class Chosen(NamedTuple):
    """What a model is told first."""

    prompt: Prompt
    """Its digest covers the language too."""
    language: str
    """What must be said of a language that is not all of Python; mostly empty."""
    untrusted: tuple[str, ...]
    """Paths of the vault's own notes that were left out."""


def choose_prompts(nest: Nest, ask: Ask) -> Chosen:
    """The prompts of this ask."""
    prompt, untrusted = _choose(nest, PROMPTS[ask.style])
    engine = find_rows(ask.engine)[0].name
    if engine not in LANGUAGES or ask.style == "json":
        return Chosen(prompt, "", untrusted)
    language, more = _choose(nest, engine)
    both = hashlib.sha256(f"{prompt.digest} {language.digest}".encode()).hexdigest()
    return Chosen(replace(prompt, digest=both), language.text, untrusted + more)


def _choose(nest: Nest, name: str) -> tuple[Prompt, tuple[str, ...]]:
    """(the prompt of this name, path of the vault's own note that the person does not trust, mostly none)."""
    note = find_prompt_note(nest, prompt_path(nest, name))
    if note is None:
        return load_prompt(name), ()
    path = note.wants.script
    if not nest.trust.holds(note.wants):
        return load_prompt(name), (path,)
    return load_prompt(name, lambda _: (path, note.text)), ()


def prompt_path(nest: Nest, name: str) -> str:
    """Where the note stands that takes the place of the prompt of this name."""
    return f"{nest.config.system}/Prompts/{name}.md"


def find_prompt_note(nest: Nest, path: str) -> PromptNote | None:
    """The note at this path, trusted or not; None when there is none, it is private, empty, or no prompt's place."""
    if path not in (prompt_path(nest, name) for name in _NAMES) or nest.is_private(path):
        return None
    try:
        content = nest.find_bytes(path)
    except NestError:
        return None
    text = nest.parse_note(path, content[:_PROMPT_BYTES].decode("utf-8", "replace")).body.strip() if content else ""
    if not content or not text:
        return None
    found = digest(content)
    lines = tuple((path, number, line) for number, line in enumerate(text.splitlines(), 1))
    return PromptNote(f"{text}\n", Wants(path, path, (), found, {path: found}, lines))


def find_named(nest: Nest, name: str) -> PromptNote | None:
    """The note somebody means by its path or by the name of its file."""
    paths = [prompt_path(nest, prompt) for prompt in _NAMES]
    meant = next((path for path in paths if name in (path, path.rpartition("/")[2])), "")
    return find_prompt_note(nest, meant)


def draft_advice(path: str) -> str:
    """One line on a note that is not trusted."""
    return f"prompt: as it ships; {path} counts once you trust it: nest trust {path}"
