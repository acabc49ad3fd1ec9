"""`nest ask`: a question in; the answer on stdout, everything else on stderr. *Disk, Process, Network*."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, cast

import click

from nestkit.doors.printing import (
    engine_option,
    hint,
    json_option,
    note_place,
    open_here,
    plain,
    print_json,
    print_lines,
)
from nestkit.doors.steps import Screen
from nestkit.hall.walk import Company
from nestkit.hall.writers import Call
from nestkit.matter import Matter, draft_matter
from nestkit.nest import Nest
from nestkit.policy import CONTRACTS, Contract, Leave, Refusal, Wants
from nestkit.run import EXIT_CODES, Ask, Run, Step
from nestkit.tool import Tool

STYLES = ("code", "json")
_PLACES = ("path", "link", "uri")
_PRINTS = ("answer", *_PLACES, "json", "markdown")


@click.command("ask", short_help="Ask a question; the answer comes back as a linked note.")
@click.argument("text", nargs=-1, required=True)
@click.option("--note", "-n", help="The note that asks; a link to the answer is added at its end.")
@click.option("--selection", metavar="-", help="`-`: text from stdin goes along with the ask, as data.")
@click.option("--model", "-m", default="auto", show_default=True, help="auto, builtin, ollama/NAME, openai/NAME.")
@click.option("--contract", type=click.Choice(CONTRACTS), help="Who may run the program, with which powers.")
@engine_option
@click.option(
    "--style", type=click.Choice(STYLES), default="code", show_default=True, help="Programs, or single calls by JSON."
)
@click.option("--fresh", is_flag=True, help="Ask the model even where the program of an earlier run is kept.")
@click.option("--dry-run", is_flag=True, help="Run it, show what would change, write nothing.")
@click.option("--yes", "-y", is_flag=True, help="Leave for every effect that the tools of this run declare.")
@click.option("--now", metavar="TIME", help="The run's clock, as ISO time.")
@click.option(
    "--print", "shown", type=click.Choice(_PRINTS), default="answer", show_default=True, help="What goes to stdout."
)
@click.option("--no-note", is_flag=True, help="Write no run note.")
@click.option("--verbose", "-v", is_flag=True, help="Show steps, calls, tokens and where the time went.")
@json_option
@click.pass_context
def ask_command(ctx: click.Context, /, text: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Ask a question about your notes.

    TEXT is the question; `-` reads it from stdin (with `--selection -`, from its first line). A program is written
    (by a model, or by the built-in planner where there is none), run without files, network or environment of its
    own, and the result is kept as a run note. The answer goes to stdout.

    Exit codes: 0 answered, 1 error, 2 wrong use, 3 refused, 4 waiting for a person, 5 no answer within the limits.
    """
    options |= {"json": as_json}
    nest = open_here(ctx, to_write=not (options["no_note"] or options["dry_run"]))
    question, selection = read_texts(text, options["selection"])
    ask = replace(draft_ask(nest, question, options), selection=selection)
    run = walk(nest, ask, options)
    print_run(run, nest, "json" if as_json else options["shown"])
    if options["dry_run"] and not as_json:
        print_lines(line for change in run.changes for line in change.diff.splitlines())
    ctx.exit(EXIT_CODES[run.status])


def walk(nest: Nest, ask: Ask, options: Mapping[str, Any], call: Call | None = None) -> Run:
    """The hall's walk with this terminal's eyes and ears: progress to stderr, a person asked where there is one."""
    verbose, dry = bool(options.get("verbose")), bool(options.get("dry_run"))
    company = company_of(options)
    run = nest.answer(ask, company, call=call, keep=not (options.get("no_note") or dry), apply=not dry)
    if verbose:
        hint(nest.phases.draft())
    return run


def company_of(options: Mapping[str, Any]) -> Company:
    """This terminal's eyes and ears, and the person before it, where there is one."""
    verbose, asked = bool(options.get("verbose")), at_terminal()
    screen = Screen(streams=verbose or (asked and not options.get("json")), verbose=verbose)
    return Company(
        say=hint if verbose or not options.get("json") else lambda line: None,
        on_step=screen.on_step,
        on_text=screen.on_text,
        person=_person if asked else None,
        review=review if asked else None,
    )


def read_texts(words: tuple[str, ...], selection: str | None) -> tuple[str, str]:
    """The question and the selection. When stdin holds both, the question is its first line."""
    if selection not in (None, "-"):
        raise click.UsageError("--selection takes `-`: the text comes from stdin, where quotes and lines survive")
    text, selected = " ".join(words), ""
    if text == "-" or selection:
        given = _stdin()
        text, selected = (given, "") if not selection else (text, given) if text != "-" else _first_line(given)
    if not text.strip():
        raise click.UsageError("there is no question; write one, or `-` to read it from stdin")
    return text.strip(), selected


def _stdin() -> str:
    """All of stdin, line ends as they are, without a byte order mark; what is no UTF-8 is said."""
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"stdin is no UTF-8 text: {error}") from None


def _first_line(text: str) -> tuple[str, str]:
    line, _, rest = text.partition("\n")
    return line, rest


def draft_ask(nest: Nest, text: str, options: Mapping[str, Any]) -> Ask:
    """The ask that this command line spells."""
    return Ask(
        text=text,
        now=parse_time(options["now"]),
        note=nest.path_of(options["note"]) if options["note"] else None,
        model=options["model"],
        contract=cast(Contract, options["contract"] or nest.config.contract),
        engine=options.get("engine") or nest.config.engine,
        style=options.get("style", "code"),
        fresh=bool(options.get("fresh")),
        limits=nest.config.limits,
        leave=Leave(yes=bool(options.get("yes"))),
    )


def parse_time(text: str | None) -> datetime:
    """The moment that `--now` names; without it the present one."""
    if text is None:
        return datetime.now().astimezone()
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise click.BadParameter(f"{text!r} is no ISO time such as 2026-03-18T09:00", param_hint="--now") from None


def at_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _person(tool: Tool, arguments: Mapping[str, Any], wants: Wants) -> bool:
    """Ask the person at the terminal whether this call may go ahead, and those after it that are the same script's."""
    from nestkit.hall.trust import draft_wants  # late: most asks only read

    for line in draft_wants(wants, tool.declared):
        hint(line)
    hint(f"now for: {tool.short}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})")
    often = "this call" if tool.confirm == "always" else "this, now and until the script changes"
    return click.confirm(f"Allow {often}?", default=False, err=True)


def review(matter: Matter) -> bool:
    """Show the person what waits, with nothing hidden in it, and ask."""
    for line in draft_matter(matter):
        hint(line)
    return click.confirm(_QUESTIONS[matter.gate], default=False, err=True)


_QUESTIONS = {"program": "Run this program?", "call": "Allow this call?", "changes": "Apply these changes?"}


def print_run(run: Run, nest: Nest, shown: str) -> None:
    """What a person or a program wants to see of a run."""
    if shown == "json":
        print_json(run_record(run))
    elif run.status != "ok":
        say_why(run)
        if shown in _PLACES and run.path:
            print_lines([note_place(nest.root.name, run.path, shown)])
        return
    elif shown in _PLACES:
        print_lines([note_place(nest.root.name, run.path, shown)] if run.path else [])
    elif shown == "markdown":
        print_lines(nest.note_text(run).splitlines())
    else:
        if run.reading:
            hint(run.reading)
        print_lines(answer_text(run.end.answer).splitlines())
    if run.path and shown == "answer":
        hint(f"-> {run.path}")


def say_why(run: Run) -> None:
    """On stderr, why there is no answer and what to do."""
    hint(f"nest: {_STATUS_WORDS[run.status]}: {run.end.reason}")
    if run.end.hint:
        hint(f"      {run.end.hint}")


_STATUS_WORDS = {
    "refused": "refused",
    "waiting": "waiting for a person",
    "no_answer": "no answer",
    "error": "error",
    "cancelled": "cancelled",
}


def answer_text(value: Any) -> str:
    """An answer for a terminal: a list a line an item, a mapping a line a pair, a list of its own below its key."""
    if value is None or value == [] or value == {}:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (set, frozenset)):
        value = plain(value)
    if isinstance(value, (list, tuple)):
        return "\n".join(_one_line(item) for item in value)
    if isinstance(value, dict):
        return "\n".join(_pair_text(_one_line(key), item) for key, item in value.items())
    return str(value)


def _pair_text(key: str, value: Any) -> str:
    """A key with its value; those of a list each on a line, set in."""
    if isinstance(value, (list, tuple, set, frozenset)) and value:
        return "\n".join([f"{key}:", *(f"  {line}" for line in answer_text(value).splitlines())])
    return f"{key}: {_one_line(value)}"


def _one_line(value: Any) -> str:
    return ("; " if isinstance(value, (list, tuple, dict, set, frozenset)) else " ").join(
        answer_text(value).splitlines()
    )


def run_record(run: Run) -> dict[str, Any]:
    """A run as the JSON that programs read; the shape is the design's, section 11."""
    answered = run.status == "ok"
    kinds = {change.path: change.kind for change in run.changes}
    done = {applied.path: applied.applied for applied in run.applied}
    return {
        "status": run.status,
        "answer": plain(run.end.answer) if answered else None,
        "text": answer_text(run.end.answer) if answered else "",
        "reason": run.end.reason,
        "hint": run.end.hint,
        "reading": run.reading,
        "run": run.path,
        "id": run.id,
        "model": run.model,
        "kept_from": run.kept_from or None,
        "parent": run.parent,
        "contract": run.ask.contract,
        "tier": run.tier,
        "style": run.ask.style,
        "steps": [_step_record(step) for step in run.steps],
        "reads": list(run.reads),
        "writes": [path for path, applied in done.items() if applied],
        "change_set": [{"path": p, "kind": kind, "applied": done.get(p, False)} for p, kind in kinds.items()],
        "refusals": [asdict(refusal) for refusal in run.refusals] or _own_refusal(run),
        "tokens": {"in": sum(s.tokens_in for s in run.steps), "out": sum(s.tokens_out for s in run.steps)},
        "seconds": round(run.seconds, 3),
    }


def _own_refusal(run: Run) -> list[dict[str, Any]]:
    """The ask's own refusal, when it never came to a call."""
    return [asdict(Refusal(run.end.reason, run.end.hint))] if run.status == "refused" else []


def _step_record(step: Step) -> dict[str, Any]:
    calls = [
        {
            "tool": call.tool,
            "arguments": plain(call.arguments),
            "effects": list(call.effects),
            "allowed": call.allowed,
            "error": call.error,
            "seconds": round(call.seconds, 4),
        }
        for call in step.outcome.calls
    ]
    outcome = step.outcome
    return {
        "program": step.program,
        "output": outcome.output,
        "error": outcome.error,
        "calls": calls,
        "seconds": round(step.seconds, 3),
    }
