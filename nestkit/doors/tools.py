"""`nest tools`: what the scripts offer. *Disk*."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from nestkit.doors.groups import DefaultGroup
from nestkit.doors.printing import json_option, open_here, print_json, print_lines
from nestkit.tool import Tool


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
