"""`nest call`: one tool called with the values of a command line. *Disk, Process*."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from nestkit.doors.ask import answer_text, draft_ask, say_why, walk
from nestkit.doors.printing import hint, open_here, plain, print_json, print_lines
from nestkit.hall.writers import Call
from nestkit.run import EXIT_CODES
from nestkit.tool import Parameter, Tool


@click.command("call", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("name")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[--PARAMETER VALUE]...")
@click.pass_context
def call_command(ctx: click.Context, name: str, words: tuple[str, ...]) -> None:
    """Call the tool NAME, giving its parameters as options: nest call fx.convert --amount 250 --source GBP.

    `nest call NAME --help` shows what it takes. A list is given by repeating its option or as JSON, a mapping as JSON;
    after `--` every word is a value. The call goes through the same broker, isolation and limits as one in a program;
    values are checked against the tool's types. A call that changes notes leaves a run note.

    NAME `-` is read from stdin. Besides the tool's own parameters: --yes (leave for its effects), --dry-run,
    --now TIME, --verbose, --json, --max-bytes N (of the printed answer; the rest is cut, and said).
    """
    name = sys.stdin.readline().strip() if name == "-" else name
    nest = open_here(ctx)
    tool = nest.get_tool(name)
    values, rest, own = parse_values(words, tool)
    if "help" in own:
        print_lines([*_usage(tool), "", *nest.describe_tool(tool.name).splitlines()])
        return
    options = {**own, "now": own.get("now"), "note": None, "contract": None, "model": "builtin", "no_note": False}
    run = walk(nest, draft_ask(nest, f"call {tool.name}", options), options, call=Call(tool, rest, values))
    answer = run.end.answer
    if "json" in own:
        print_json(plain(answer) if run.status == "ok" else {"status": run.status, "reason": run.end.reason})
    elif run.status == "ok":
        print_lines(_shortened(answer_text(answer), own.get("max_bytes")).splitlines())
    else:
        say_why(run)
    if run.status == "ok" and (code := getattr(answer, "returncode", 0)):  # a command that printed, and failed
        hint(f"nest: {tool.name} ended with code {code}: {getattr(answer, 'stderr', '') or 'it did not say why'}")
        ctx.exit(EXIT_CODES["error"])
    ctx.exit(EXIT_CODES[run.status])


_SWITCH = {"type": "boolean"}
_OWN = {
    f"--{name}": Parameter(name.replace("-", "_"), "" if value else "bool", {} if value else _SWITCH, default=value)
    for name, value in {
        "yes": "",
        "dry-run": "",
        "verbose": "",
        "json": "",
        "help": "",
        "now": "TIME",
        "max-bytes": "N",
    }.items()
}
"""Options of `nest call` itself; a tool's parameter of the same name comes first."""
_TRUTHS = ("true", "false", "yes", "no", "on", "off")


def parse_values(words: Sequence[str], tool: Tool) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """(values by parameter, the rest in order, nest's own options) of a command line.

    `--name value`, `--name=value`, `--switch`, `--no-switch`, and the short options of a command line's own. A repeated
    option makes a list, and after `--` every word is a value. Raises click.UsageError for an option without its value.
    """
    options = {written: (parameter, "") for written, parameter in _OWN.items()} | dict(_options(tool))
    values: dict[str, Any] = {}
    own: dict[str, Any] = {}
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word == "--":
            return values, [*rest, *queue], own
        written, equals, value = word.partition("=")
        if written not in options and not word.startswith("--"):
            rest.append(word)
            continue
        unknown = Parameter(written[2:].replace("-", "_"), nargs="?")  # `bind` says what there is instead
        parameter, given = options.get(written, (unknown, ""))
        taken = [value] if equals else [given] if given else _taken(written, parameter, queue)
        place = own if parameter is _OWN.get(written) else values
        if place is own and _is_switch(parameter):
            if taken[0].lower() not in _TRUTHS:
                raise click.UsageError(f"{written} takes no value, not {taken[0]!r}")
            taken = taken if _TRUTHS.index(taken[0].lower()) % 2 == 0 else []  # `--yes=no` is no leave
        for each in taken:
            place[parameter.name] = (
                _together(parameter, place[parameter.name], each) if parameter.name in place else each
            )
    return values, rest, own


def _together(parameter: Parameter, before: Any, value: str) -> Any:
    """The value of an option that was given again: one more of a list, or of what a switch counts."""
    if parameter.nargs == "flag" and not _is_switch(parameter):
        return int(before) + 1
    return [*before, value] if isinstance(before, list) else [before, value]


def _options(tool: Tool) -> Iterator[tuple[str, tuple[Parameter, str]]]:
    """Each way to write a parameter as an option, and the value it stands for where it is a switch that turns off."""
    for parameter in tool.parameters:
        dashed = parameter.name.strip("_").replace("_", "-")
        if _is_switch(parameter):
            yield f"--no-{dashed}", (parameter, "false")
        for name in (parameter.name, parameter.name.replace("_", "-"), dashed):
            yield f"--{name}", (parameter, "")
        for flag in parameter.flags:
            on, _, off = (part.strip() for part in flag.partition("/"))
            yield on, (parameter, "false" if parameter.nargs == "off" else "")
            yield off, (parameter, "false")


def _is_switch(parameter: Parameter) -> bool:
    kinds = {option.get("type") for option in parameter.schema.get("anyOf", [parameter.schema])}
    return "boolean" in kinds and kinds <= {"boolean", "null"}


def _taken(written: str, parameter: Parameter, queue: list[str]) -> list[str]:
    """The words behind an option that are its values, taken off the queue."""
    alone = not queue or queue[0].startswith("--")
    if _is_switch(parameter):
        return [queue.pop(0)] if queue and queue[0].lower() in _TRUTHS else ["true"]
    if parameter.nargs == "flag":
        return ["1"]
    if alone and parameter.nargs == "?":
        return ["true"]
    if alone:
        kind = f" ({parameter.type})" if parameter.type else ""
        raise click.UsageError(f"{written} needs a value{kind}; write {written}=... for one that begins with --")
    most = len(queue) if parameter.nargs in ("+", "*") else int(parameter.nargs) if parameter.nargs.isdigit() else 1
    taken = [queue.pop(0)]
    while queue and len(taken) < most and not queue[0].startswith("--"):
        taken.append(queue.pop(0))
    return taken


def _shortened(text: str, max_bytes: str | None) -> str:
    """The text, or as much of it as a caller says it can take."""
    if max_bytes is None or not max_bytes.isdigit() or len(text.encode()) <= int(max_bytes):
        return text
    kept = text.encode()[: int(max_bytes)].decode("utf-8", "ignore")
    return f"{kept}\n… {len(text) - len(kept)} characters more"


def _usage(tool: Tool) -> list[str]:
    """`usage: nest call fx.convert --amount FLOAT [--target STR]`, and nest's own options."""
    own = " ".join(f"[{' '.join(filter(None, (written, own.default)))}]" for written, own in _OWN.items())
    return [f"usage: nest call {' '.join((tool.name, *map(_shown, tool.parameters)))}", f"       {own}"]


def _shown(parameter: Parameter) -> str:
    name = parameter.name.strip("_").replace("_", "-")
    kind = "|".join(map(str, parameter.choices)) or parameter.type.upper() or "VALUE"
    if parameter.kind == "rest":
        return f"[{name.upper()}]..."
    if parameter.kind == "options":
        return "[--NAME VALUE]..."
    if _is_switch(parameter):
        text = f"--{name}" if parameter.default in ("False", "None", "") else f"--no-{name}"
    else:
        many = "..." if parameter.schema.get("type") == "array" else ""
        text = f"--{name} {kind}{many}"
    return text if parameter.required else f"[{text}]"
