"""An ask in; the opening of a conversation about it, as a model would get it, out. Part of the hall. *Disk*."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nestkit.agent.budget import count_messages, reserve_for
from nestkit.agent.prompt import Prompt, draft_prompt
from nestkit.agent.schema import Schemas, draft_schemas
from nestkit.hall.prompts import choose_prompts
from nestkit.hall.servers import SCHEMA_TOKENS
from nestkit.model import Message
from nestkit.note import Vocabulary
from nestkit.run import Ask
from nestkit.tool import Tool

if TYPE_CHECKING:
    from nestkit.nest import Nest

PROMPT_TOOLS = 8
"""Tools that fit an ask, told to a model in full; it finds the rest with `find_tools`."""
_ALWAYS = {
    "code": ("vault.list_notes", "vault.read_note", "vault.search"),
    "json": ("vault.list_notes", "vault.read_note", "vault.search", "vault.find_tools", "vault.describe"),
}
"""Told whatever the ask says."""
_WORD_CHARS = 60
_MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class Opening:
    """What goes out first."""

    messages: tuple[Message, ...]
    prompt: Prompt
    tools: list[Tool]
    """For calling by JSON; none where the prompt tells of them."""
    untrusted: tuple[str, ...] = ()
    """Paths of the vault's own prompts that were left out, since nobody trusts them."""


def draft_opening(nest: Nest, ask: Ask) -> Opening:
    """The opening of this ask, the vault's own prompt in it where it has one."""
    chosen = choose_prompts(nest, ask)
    found = nest.find_tools(ask.text, PROMPT_TOOLS)
    tools = found + [tool for tool in nest.registry.tools if tool.name in _ALWAYS[ask.style] and tool not in found]
    lines = [] if ask.style == "json" else [_tool_line(tool) for tool in tools]
    messages = draft_prompt(ask, lines, draft_facts(nest.vocabulary()), chosen.prompt.text, chosen.language)
    return Opening(messages, chosen.prompt, tools if ask.style == "json" else [], chosen.untrusted)


def describe_opening(nest: Nest, ask: Ask) -> dict[str, Any]:
    """What would be sent for this ask, with an estimate of its tokens; nothing is sent.

    **Shape**: `{style, prompt, untrusted: [path], digest, messages: [{role, content, tokens}], tools: [name],
    tool_tokens, tokens, window, reserve, fits}`; `prompt` is the path of the vault's own or null.
    """
    opening = draft_opening(nest, ask)
    schemas = draft_schemas(opening.tools, SCHEMA_TOKENS) if opening.tools else Schemas()
    window, reserve = ask.limits.tokens, reserve_for(ask.limits.tokens)
    tokens = count_messages(opening.messages) + schemas.tokens
    told = [{"role": m.role, "content": m.content, "tokens": count_messages([m])} for m in opening.messages]
    return {
        "style": ask.style,
        "prompt": opening.prompt.source or None,
        "untrusted": list(opening.untrusted),
        "digest": opening.prompt.digest,
        "messages": told,
        "tools": list(schemas.names.values()),
        "tool_tokens": schemas.tokens,
        "tokens": tokens,
        "window": window,
        "reserve": reserve,
        "fits": tokens <= window - reserve,
    }


def draft_facts(vocabulary: Vocabulary) -> dict[str, Any]:
    """What a model should know of the vault before it writes: how its notes are sorted and named."""
    properties = sorted(vocabulary.properties.items(), key=lambda item: (-item[1].count, item[0]))
    kinds = {_word(name): words.kinds[0] for name, words in properties[:_MOST_WORDS] if words.kinds}
    facts = {
        "notes": len(vocabulary.titles),
        "folders": [_word(folder) for folder in vocabulary.folders[:_MOST_WORDS]],
        "tags": [_word(tag) for tag in vocabulary.tags[:_MOST_WORDS]],
        "properties": kinds,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _word(text: str) -> str:
    return text if len(text) <= _WORD_CHARS else f"{text[: _WORD_CHARS - 1]}…"


def _tool_line(tool: Tool) -> str:
    """Signature, summary and the first example of its script in one line."""
    from nestkit.parse.tool_text import draft_tool_line

    first = next((each for each in tool.examples if not each.note), None)  # a note's words are no part of the orders
    example = f" e.g. {first.call} -> {first.result}".removesuffix(" -> ") if first else ""
    return draft_tool_line(tool) + example
