"""An ask in; who writes its programs, out: a model, the planner, or the person. Part of the hall. *Network*."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, NamedTuple

from nestkit.errors import NestError
from nestkit.hall.servers import Line, check_name, list_ollama, open_chat
from nestkit.policy import Refusal
from nestkit.run import Ask, End, Execute, Outcome, Step
from nestkit.runs.retold import parse_matter
from nestkit.runs.trace import Recorded
from nestkit.tool import Tool

if TYPE_CHECKING:
    from nestkit.nest import Nest


Steps = Callable[[Execute], Generator[Step, None, End]]
"""How a run is walked, once it can execute programs."""


class Call(NamedTuple):
    """One tool call that a person spelled out."""

    tool: Tool
    arguments: Sequence[Any]
    named: Mapping[str, Any]


class Rerun(NamedTuple):
    """An earlier run that is to be run once more."""

    parent: str
    """Path of its note; its id where it has none."""
    model: str = ""
    reading: str = ""
    programs: tuple[str, ...] = ()
    """What is to run; with none the program is written anew."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes the programs of a run."""

    model: str
    """`builtin`, `ollama/NAME`, `openai/NAME`, or `person`."""
    steps: Steps
    reading: str = ""
    refusal: Refusal | None = None
    """Why nobody writes anything."""
    prompt_digest: str = ""
    question: str = ""
    """What tells this question from others; empty when its program is not kept."""
    kept_from: str = ""
    """Path of the note of the run whose program is run again."""
    programs: tuple[str, ...] = ()
    """All programs, where they are known beforehand and are more than one."""


def choose_writer(
    nest: Nest, ask: Ask, line: Line, call: Call | None, ran: str = "", rerun: Rerun | None = None
) -> Writer:
    """The writer of this ask; raises ModelError when a model was named that cannot be had.

    `auto` is what the person configured, else a model that Ollama has, else the planner; the choice is said. `ran` is
    the kept program with which an earlier part of the run began, before it came to the model.
    """
    if call is not None:
        return Writer("person", _each((draft_call(call),)))
    if rerun is not None and rerun.programs:
        return _writer_again(rerun.model, rerun.programs, rerun.reading)
    name = ask.model if ask.model != "auto" else _auto_model(nest, line.say)
    if name == "builtin":
        return _planner(nest, ask)
    return _model(nest, ask, name, line, ran)


def again(told: Recorded) -> Writer | None:
    """The writer of a run whose programs are on record, for running them again; None where a model must write on."""
    if told.replies or not (told.programs or told.park):
        return None
    first = told.programs[1]["text"] if told.programs else parse_matter(told).program
    programs = tuple(map(str, told.writer.get("programs") or [first]))
    name, reading, prompt, kept_from = (
        str(told.writer.get(part, "")) for part in ("model", "reading", "prompt_digest", "kept_from")
    )
    return replace(_writer_again(name, programs, reading), prompt_digest=prompt, kept_from=kept_from)


def _writer_again(name: str, programs: tuple[str, ...], reading: str) -> Writer:
    """A writer whose programs are ready, under the name of who wrote them."""
    take = _each(programs, _refused_by_notes if name == "builtin" else _no_end)
    return Writer(name, take, reading=reading, programs=programs if len(programs) > 1 else ())


def kept_program(told: Recorded) -> str:
    """The kept program with which a run began that is on record; empty when it began with a model."""
    return str(told.programs[1]["text"]) if told.writer.get("kept_from") and told.programs else ""


def draft_call(call: Call) -> str:
    """The program that makes this one call and answers with its value."""
    arguments, named = call.arguments, call.named
    if call.tool.manner == "composed":  # no broker will see to it that the values fit
        arguments, named = (), _bound(call)
    plain = {name: value for name, value in named.items() if name.isidentifier() and not iskeyword(name)}
    odd = {name: value for name, value in named.items() if name not in plain}
    shown = [repr(value) for value in arguments] + [f"{name}={value!r}" for name, value in plain.items()]
    shown += [f"**{odd!r}"] if odd else []
    return f"final_answer({call.tool.name}({', '.join(shown)}))\n"


def _bound(call: Call) -> Mapping[str, Any]:
    """The values of a call by parameter, as the tool's types ask for them. Raises NestError."""
    from nestkit.sandbox.arguments import BadArguments, bind  # late: few tools are bound here

    try:
        return bind(call.tool, call.arguments, call.named)
    except BadArguments as error:
        raise NestError(str(error), f"`nest call {call.tool.name} --help` shows what it takes") from None


def _auto_model(nest: Nest, say: Callable[[str], None]) -> str:
    """The model of an ask that names none: as set, if its server is there; else the newest that Ollama has."""
    named = nest.config.model
    if named != "auto" and not named.startswith("ollama/"):
        return named
    host, models = list_ollama(nest.config.servers)
    if not models:
        say("no model set up; the built-in planner answers" if named == "auto" else _gone(host, named))
        return "builtin"
    if named == "auto":
        named = f"ollama/{models[0]}"
        say(f"model: {named} (at {host}; --model chooses another)")
    return named


def _gone(host: str, name: str) -> str:
    return f"no model server at {host} for {name}; the built-in planner answers"


def _planner(nest: Nest, ask: Ask) -> Writer:
    from nestkit.planner.plan import plan

    if ask.selection:
        refusal = Refusal("the built-in planner cannot read a selection", "choose a model: --model ollama/NAME")
        return Writer("builtin", _each(()), refusal=refusal)
    made = plan(ask.text, nest.vocabulary(), nest.registry.tools, ask.now, ask.note)
    if isinstance(made, Refusal):
        return Writer("builtin", _each(()), refusal=made)
    return Writer("builtin", _each((made.program,), _refused_by_notes), reading=made.reading)


def _model(nest: Nest, ask: Ask, name: str, line: Line, ran: str) -> Writer:
    """A model, or the program that it wrote when it was asked the same before; `ran` as of `choose_writer`."""
    from nestkit.hall.kept import find_program, forget_programs, key_of
    from nestkit.hall.prompts import choose_prompts, draft_advice

    if refusal := check_name(name, nest.config.servers):
        return Writer(name, _each(()), refusal=refusal)
    prompt, _, untrusted = choose_prompts(nest, ask)
    for said in [f"prompt: {prompt.source}"] * bool(prompt.source) + [draft_advice(path) for path in untrusted]:
        line.say(said)
    question = key_of(nest, ask, name, prompt.digest)
    kept = find_program(nest, question, ask) if question and not ask.fresh else None
    program, kept_from = (kept.program, kept.path) if kept else (ran, "")
    if kept:
        line.say(f"the program of {kept.path} is run again; --fresh asks the model anew")

    def write(execute: Execute) -> Generator[Step, None, End]:
        if not program:
            return (yield from _converse(nest, ask, name, line)(execute))
        begun = time.perf_counter()
        outcome = execute(program)
        yield Step(1, program, outcome, seconds=time.perf_counter() - begun)
        if outcome.final or any(refusal.needs_person for refusal in outcome.refusals):
            return _end_of(outcome)
        forget_programs(nest, question)
        line.say("the kept program does not work any more; the model is asked")
        return (yield from _converse(nest, ask, name, line, first=2)(execute))

    return Writer(name, write, prompt_digest=prompt.digest, question=question, kept_from=kept_from)


def _converse(nest: Nest, ask: Ask, name: str, line: Line, *, first: int = 1) -> Steps:
    """Steps of a conversation with a model; the first request goes out with the first of them."""

    def write(execute: Execute) -> Generator[Step, None, End]:
        from nestkit.agent.loop import Manner, steps
        from nestkit.hall.opening import draft_opening

        opening = draft_opening(nest, ask)
        said, overhead = open_chat(name, nest.config.servers, ask.limits, line, opening.tools)
        chat, manner = line.record(said), Manner(ask.style, overhead, first)
        walked = steps(opening.messages, chat=chat, execute=execute, limits=ask.limits, left=line.left, manner=manner)
        return (yield from walked)

    return write


def _refused_by_notes(outcome: Outcome) -> End | None:
    """The refusal in an outcome: the planner's programs raise LookupError where the notes cannot bear an answer."""
    kind, colon, reason = outcome.error.strip().rpartition("\n")[2].partition(": ")
    return End("refused", reason=reason) if kind == "LookupError" and colon else None


def _no_end(outcome: Outcome) -> End | None:
    """Every outcome stands for itself."""
    return None


def _each(programs: Sequence[str], find_end: Callable[[Outcome], End | None] = _no_end) -> Steps:
    """Steps of programs that are ready, up to one that answers or waits: the last outcome is the end, as `find_end`
    reads it or as it stands."""

    def take(execute: Execute) -> Generator[Step, None, End]:
        outcome = Outcome()
        for number, program in enumerate(programs, start=1):
            begun = time.perf_counter()
            outcome = execute(program)
            yield Step(number, program, outcome, seconds=time.perf_counter() - begun)
            if outcome.final or any(refusal.needs_person for refusal in outcome.refusals):
                break
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
