"""An ask in; who writes its programs, out: a model, the planner, or the person. Part of the hall. *Network*."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple

from nestkit.desk import Desk
from nestkit.note import Vocabulary
from nestkit.policy import Refusal
from nestkit.run import Ask, End, Execute, Outcome, Step
from nestkit.tool import Tool

if TYPE_CHECKING:
    from nestkit.nest import Nest

PROMPT_TOOLS = 8
"""Tools told to a model in full; it finds the rest with `find_tools`."""


class Call(NamedTuple):
    """One tool call that a person spelled out."""

    tool: Tool
    arguments: Sequence[Any]
    named: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes the programs of a run."""

    model: str
    """`builtin`, `ollama/NAME`, or `person`."""
    steps: Callable[[Execute], Generator[Step, None, End]]
    reading: str = ""
    refusal: Refusal | None = None
    """Why nobody writes anything."""
    prompt_digest: str = ""


def choose_writer(nest: Nest, ask: Ask, desk: Desk, say: Callable[[str], None], call: Call | None) -> Writer:
    """The writer of this ask; raises ModelError when a model was named that cannot be had.

    `auto` is what the person configured, else a model that Ollama has, else the planner; the choice is said.
    """
    if call is not None:
        return Writer("person", _once(draft_call(call)))
    name = ask.model if ask.model != "auto" else nest.config.model
    if name == "auto":
        name = _found_model(nest, say)
    if name == "builtin":
        return _planner(nest, ask)
    return _model(nest, ask, desk, name)


def draft_call(call: Call) -> str:
    """The program that makes this one call and answers with its value."""
    plain = {name: value for name, value in call.named.items() if name.isidentifier() and not iskeyword(name)}
    odd = {name: value for name, value in call.named.items() if name not in plain}
    shown = [repr(value) for value in call.arguments] + [f"{name}={value!r}" for name, value in plain.items()]
    shown += [f"**{odd!r}"] if odd else []
    return f"final_answer({call.tool.name}({', '.join(shown)}))\n"


def _found_model(nest: Nest, say: Callable[[str], None]) -> str:
    host, models = list_ollama(os.environ, nest.config.host)
    if not models:
        say("no model set up; the built-in planner answers")
        return "builtin"
    say(f"model: ollama/{models[0]} (at {host}; --model chooses another)")
    return f"ollama/{models[0]}"


def list_ollama(environ: Mapping[str, str], configured: str = "") -> tuple[str, tuple[str, ...]]:
    """(address, names of its models, the newest first) of the Ollama server; no names when none answers."""
    from nestkit.agent.ollama import default_host, list_models

    host = configured or default_host(environ)
    return host, list_models(host)


def _planner(nest: Nest, ask: Ask) -> Writer:
    from nestkit.planner.plan import plan

    if ask.selection:
        refusal = Refusal("the built-in planner cannot read a selection", "choose a model: --model ollama/NAME")
        return Writer("builtin", _once(""), refusal=refusal)
    made = plan(ask.text, nest.vocabulary(), nest.registry.tools, ask.now, ask.note)
    if isinstance(made, Refusal):
        return Writer("builtin", _once(""), refusal=made)
    return Writer("builtin", _once(made.program, _refused_by_notes), reading=made.reading)


def _model(nest: Nest, ask: Ask, desk: Desk, name: str) -> Writer:
    from nestkit.agent.loop import steps
    from nestkit.agent.ollama import default_host, ollama_chat
    from nestkit.agent.prompt import draft_prompt, load_prompt

    server, _, model = name.partition("/")
    if server != "ollama" or not model:
        reason = f"there is no model called {name!r}"
        return Writer(name, _once(""), refusal=Refusal(reason, "use builtin, auto, or ollama/NAME"))
    prompt = load_prompt("system")
    messages = draft_prompt(ask, desk.tool_lines(ask.text, PROMPT_TOOLS), draft_facts(nest.vocabulary()), prompt.text)
    chat = ollama_chat(model, nest.config.host or default_host(os.environ), ask.limits)

    def write(execute: Execute) -> Generator[Step, None, End]:
        return steps(messages, chat=chat, execute=execute, limits=ask.limits)

    return Writer(name, write, prompt_digest=prompt.digest)


def draft_facts(vocabulary: Vocabulary) -> str:
    """What a model should know of the vault before it writes: how its notes are sorted and named, in a few lines."""
    properties = sorted(vocabulary.properties.items(), key=lambda item: (-item[1].count, item[0]))[:20]
    kinds = ", ".join(f"{name} ({words.kinds[0]})" for name, words in properties if words.kinds)
    rows = [
        ("notes", str(len(vocabulary.titles))),
        ("folders", ", ".join(vocabulary.folders[:20])),
        ("tags", ", ".join(f"#{tag}" for tag in vocabulary.tags[:20])),
        ("properties", kinds),
    ]
    return "\n".join(f"{name}: {text}" for name, text in rows if text)


def _refused_by_notes(outcome: Outcome) -> End | None:
    """The refusal in an outcome: the planner's programs raise LookupError where the notes cannot bear an answer."""
    kind, colon, reason = outcome.error.strip().rpartition("\n")[2].partition(": ")
    return End("refused", reason=reason) if kind == "LookupError" and colon else None


def _once(
    program: str, find_end: Callable[[Outcome], End | None] = lambda outcome: None
) -> Callable[[Execute], Generator[Step, None, End]]:
    """Steps of a program that is ready: one, and its outcome is the end, as `find_end` reads it or as it stands."""

    def take(execute: Execute) -> Generator[Step, None, End]:
        begun = time.perf_counter()
        outcome = execute(program)
        yield Step(1, program, outcome, seconds=time.perf_counter() - begun)
        return find_end(outcome) or _end_of(outcome)

    return take


def _end_of(outcome: Outcome) -> End:
    for refusal in outcome.refusals:
        return End("waiting" if refusal.needs_person else "refused", reason=refusal.reason, hint=refusal.hint)
    if outcome.final:
        return End("ok", outcome.value)
    if outcome.limit:
        return End("no_answer", reason=outcome.error or f"stopped at the limit: {outcome.limit}")
    return End(
        "error", reason=outcome.error.strip().splitlines()[-1] if outcome.error else "the program gave no answer"
    )
