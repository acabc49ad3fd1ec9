"""`nest prompt`: what a model would be sent for an ask, with its size; nothing is sent. *Disk*."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from nestkit.doors.ask import STYLES, draft_ask, read_texts
from nestkit.doors.groups import DefaultGroup
from nestkit.doors.printing import engine_option, hint, json_option, open_here, print_json, print_lines


class _ShowGroup(DefaultGroup):
    default = "show"


@click.group("prompt", cls=_ShowGroup)
def prompt_command() -> None:
    """What a model would be sent: `nest prompt show ASK`. Nothing is sent.

    A note 02_System/Prompts/system.md (or json.md, for --style json) takes the place of the prompt that ships, once
    you trust it: `nest trust system.md`.
    """


@prompt_command.command("show")
@click.argument("text", nargs=-1, required=True)
@click.option("--note", "-n", help="The note that asks.")
@click.option("--selection", metavar="-", help="`-`: text from stdin goes along, as data.")
@click.option("--style", type=click.Choice(STYLES), default="code", show_default=True, help="As of `nest ask`.")
@click.option("--now", metavar="TIME", help="The run's clock, as ISO time.")
@engine_option
@json_option
@click.pass_context
def show_prompt(ctx: click.Context, /, text: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """The first messages for this ask, and an estimate of their tokens."""
    from nestkit.hall.opening import describe_opening
    from nestkit.hall.prompts import draft_advice

    nest = open_here(ctx)
    question, selection = read_texts(text, options["selection"])
    ask = replace(draft_ask(nest, question, {**options, "model": "auto", "contract": None}), selection=selection)
    told = describe_opening(nest, ask)
    if as_json:
        print_json(told)
        return
    for message in told["messages"]:
        print_lines([f"--- {message['role']}: {message['tokens']} tokens", *message["content"].split("\n")])
    if told["tools"]:
        print_lines([f"--- tools by JSON: {told['tool_tokens']} tokens", ", ".join(told["tools"])])
    hint(
        f"{told['tokens']} tokens of {told['window']} ({told['reserve']} kept for the reply); "
        f"prompt: {told['prompt'] or 'as it ships'}, {told['digest'][:16]}"
    )
    for path in told["untrusted"]:
        hint(draft_advice(path))
    if not told["fits"]:
        hint("it does not fit: raise [ask] tokens")
