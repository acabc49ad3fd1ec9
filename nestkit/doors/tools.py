"""`nest tools` and `nest call`: what the scripts offer, and one of them called. *Disk, Process*."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from nestkit.doors.ask import answer_text, draft_ask, say_why, walk
from nestkit.doors.groups import DefaultGroup
from nestkit.doors.printing import json_option, open_here, print_json, print_lines
from nestkit.run import EXIT_CODES
from nestkit.tool import Tool
from nestkit.writers import Call


@click.group("tools", cls=DefaultGroup)
def tools_command() -> None:
    """Tools that your scripts offer: `nest tools`, `nest tools QUERY`, `nest tools show NAME`, `nest tools check`."""


@tools_command.command("list", hidden=True)
@click.argument("query", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Hidden tools and things that are no tool, with the reason.")
@json_option
@click.pass_context
def list_tools(ctx: click.Context, query: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """All tools, or those that fit QUERY, best first."""
    nest = open_here(ctx)
    registry = nest.registry
    found = nest.find_tools(" ".join(query)) if query else [t for t in registry.tools if everything or not t.hidden]
    if not query:
        found.sort(key=lambda tool: tool.manner == "builtin")  # the person's own first
    others = (
        [(script.path, name, why) for script in registry.scripts for name, why in script.others] if everything else []
    )
    if as_json:
        print_json([tool_record(tool) for tool in found])
        return
    print_lines(_row(tool) for tool in found)
    print_lines(f"{path}: {name} is no tool: {why}" for path, name, why in others)
    if not found:
        print_lines(["no tool fits; `nest tools` lists all of them"])


@tools_command.command("show")
@click.argument("name")
@json_option
@click.pass_context
def show_tool(ctx: click.Context, name: str, as_json: bool) -> None:
    """Everything known of one tool: signature, parameters, effects, examples."""
    nest = open_here(ctx)
    if as_json:
        print_json(tool_record(nest.get_tool(name)))
    else:
        print_lines(nest.describe_tool(name).splitlines())


@tools_command.command("check")
@json_option
@click.pass_context
def check_tools(ctx: click.Context, as_json: bool) -> None:
    """What is wrong with the scripts: broken files, clashing names, effects nobody declared. Exit code 1 if any."""
    found = open_here(ctx).check_tools()
    if as_json:
        print_json([asdict(problem) for problem in found])
    else:
        print_lines(map(str, found) if found else ["no problems"])
    ctx.exit(1 if found else 0)


@click.command("call", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("name")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[--PARAMETER VALUE]...")
@click.pass_context
def call_command(ctx: click.Context, name: str, words: tuple[str, ...]) -> None:
    """Call the tool NAME, giving its parameters as options: nest call fx.convert --amount 250 --source GBP.

    The call goes through the same broker, isolation and limits as one in a program; values are checked against the
    tool's types. A call that changes notes leaves a run note.

    NAME `-` is read from stdin. Besides the tool's own parameters: --yes (leave for its effects), --dry-run,
    --now TIME, --verbose, --json, --max-bytes N (of the printed answer; the rest is cut, and said).
    """
    name = sys.stdin.readline().strip() if name == "-" else name
    nest = open_here(ctx)
    tool = nest.get_tool(name)
    values, rest, own = parse_values(words, tool)
    options = {**own, "now": own.get("now"), "note": None, "contract": None, "model": "builtin", "no_note": False}
    run = walk(nest, draft_ask(nest, f"call {tool.name}", options), options, call=Call(tool, rest, values))
    if "json" in own:
        print_json(run.end.answer if run.status == "ok" else {"status": run.status, "reason": run.end.reason})
    elif run.status == "ok":
        print_lines(_shortened(answer_text(run.end.answer), own.get("max_bytes")).splitlines())
    else:
        say_why(run)
    ctx.exit(EXIT_CODES[run.status])


_OWN = {"yes": True, "dry-run": True, "verbose": True, "json": True, "now": False, "max-bytes": False}
"""Options of `nest call` itself, and whether each is a switch; a tool's parameter of the same name comes first."""


def parse_values(words: Sequence[str], tool: Tool) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """(values by parameter, the rest in order, nest's own options) of `--name value`, `--name=value`, `--switch`.

    A repeated option makes a list.
    """
    names = {p.name.replace("_", "-"): p for p in tool.parameters} | {
        flag.lstrip("-"): p for p in tool.parameters for flag in p.flags
    }
    values: dict[str, Any] = {}
    own: dict[str, Any] = {}
    rest: list[str] = []
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if not word.startswith("--") or word == "--":
            rest.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        parameter = names.get(name)
        switch = _OWN.get(name, False) if parameter is None else parameter.schema.get("type") == "boolean"
        if not equals:
            value = "true" if switch or not queue or queue[0].startswith("--") else queue.pop(0)
        key = parameter.name if parameter else name.replace("-", "_")
        place = own if parameter is None and name in _OWN else values
        place[key] = value if key not in place else [*_listed(place[key]), value]
    return values, rest, own


def _shortened(text: str, max_bytes: str | None) -> str:
    """The text, or as much of it as a caller says it can take."""
    if max_bytes is None or not max_bytes.isdigit() or len(text.encode()) <= int(max_bytes):
        return text
    kept = text.encode()[: int(max_bytes)].decode("utf-8", "ignore")
    return f"{kept}\n… {len(text) - len(kept)} characters more"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _row(tool: Tool) -> str:
    marks = f"  [{', '.join(map(str, tool.effects))}]" if tool.effects else ""
    return f"{tool.name:<28} {tool.summary}{marks}"


def tool_record(tool: Tool) -> dict[str, Any]:
    """A tool as the JSON that programs read."""
    return {
        "name": tool.name,
        "script": tool.script,
        "line": tool.line,
        "manner": tool.manner,
        "signature": tool.signature,
        "summary": tool.summary,
        "text": tool.text,
        "parameters": [
            {
                "name": p.name,
                "type": p.type,
                "schema": dict(p.schema),
                "required": p.required,
                "default": p.default,
                "text": p.text,
            }
            for p in tool.parameters
        ],
        "returns": tool.returns,
        "effects": [str(effect) for effect in tool.effects],
        "undeclared": [{"effect": str(effect), "line": effect.line} for effect in tool.undeclared],
        "confirm": tool.confirm,
        "utterances": list(tool.utterances),
        "examples": [asdict(example) for example in tool.examples],
        "hidden": tool.hidden,
    }
