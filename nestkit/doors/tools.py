"""`nest tools`: what the scripts offer, what is wrong with them, a new one. *Disk, Process*."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from nestkit.doors.groups import DefaultGroup
from nestkit.doors.printing import hint, json_option, open_here, print_json, print_lines
from nestkit.tool import Tool

if TYPE_CHECKING:
    from nestkit.hall.toolbox import Finding


@click.group("tools", cls=DefaultGroup)
def tools_command() -> None:
    """Tools that your scripts offer: `nest tools`, `nest tools QUERY`, `show NAME`, `check`, `new NAME`."""


@tools_command.command("list", hidden=True)
@click.argument("query", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Hidden tools and things that are no tool, with the reason.")
@json_option
@click.pass_context
def list_tools(ctx: click.Context, query: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """All tools by group, or those that fit QUERY, best first."""
    from nestkit.hall.toolbox import groups_of

    nest = open_here(ctx)
    registry = nest.registry
    found = nest.find_tools(" ".join(query)) if query else [t for t in registry.tools if everything or not t.hidden]
    groups = groups_of(nest, found)
    others = [(script.path, name, why) for script in registry.scripts for name, why in script.others if everything]
    if as_json:
        names = {tool.name: group for group, tools in groups.items() for tool in tools}
        records = [{**tool_record(tool), "group": names[tool.name]} for tool in found]
        left_out = [{"script": path, "name": name, "why": why} for path, name, why in others]
        print_json({"tools": records, "others": left_out} if everything else records)
        return
    if query:
        print_lines(_rows(found))
    else:
        about = {group.name: group.summary for group in registry.groups}
        print_lines(line for name, tools in groups.items() for line in _group_lines(name, about.get(name, ""), tools))
    print_lines(f"{path}: {name} is no tool: {why}" for path, name, why in others)
    if not found:
        print_lines(["no tool fits; `nest tools` lists all of them"])


@tools_command.command("show")
@click.argument("name")
@json_option
@click.pass_context
def show_tool(ctx: click.Context, name: str, as_json: bool) -> None:
    """Everything known of one tool, or of a group of tools.

    Parameters, effects and the lines that show them, examples, notes, runs.
    """
    from nestkit.hall.toolbox import effects_of, mentions_of, runs_of

    nest = open_here(ctx)
    if name in {group.name for group in nest.registry.groups} and not as_json:
        print_lines(nest.describe_tool(name).splitlines())
        return
    tool = nest.get_tool(name)
    known = {"effects": effects_of(nest, tool), "mentions": mentions_of(nest, tool), "runs": runs_of(nest, tool)}
    if as_json:
        print_json({**tool_record(tool), "why": known["effects"], "mentions": known["mentions"], "runs": known["runs"]})
        return
    print_lines(nest.describe_tool(name, [_effect_line(effect) for effect in known["effects"]] or None).splitlines())
    print_lines(_part("Notes", (f"{m['path']}, line {m['line']}: {m['context']}" for m in known["mentions"])))
    print_lines(_part("Runs", (f"{str(run['created'])[:16]} [{run['status']}] {run['ask']}" for run in known["runs"])))


@tools_command.command("check")
@click.argument("script", nargs=-1)
@click.option("--no-examples", is_flag=True, help="Do not run the examples.")
@click.option("--strict", is_flag=True, help="Advice counts too: exit code 1 where the text of a tool is missing.")
@click.option("--now", metavar="TIME", help="The clock that the examples see, as ISO time.")
@json_option
@click.pass_context
def check_tools(
    ctx: click.Context, script: tuple[str, ...], no_examples: bool, strict: bool, now: str | None, as_json: bool
) -> None:
    """What is wrong with the scripts, and how to mend it.

    Exit code 1 if anything is, with text to paste.

    Broken files, clashing names, effects that nobody declared, notes about tools that are not there, and examples that
    do not give what they say: they are run in the isolation, and nothing they change is kept. Advice (missing text,
    names that Python has itself) comes last and fails only with --strict.
    """
    from nestkit.doors.ask import parse_time
    from nestkit.hall.toolbox import check

    found = check(open_here(ctx), script, run_examples=not no_examples, now=parse_time(now))
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        print_lines(line for line in _finding_lines(found))
    ctx.exit(1 if any(strict or not finding.is_advice for finding in found) else 0)


@tools_command.command("new")
@click.argument("name")
@click.option("--as", "manner", type=click.Choice(["function", "argparse", "click", "shell"]), default="function")
@click.pass_context
def new_tool(ctx: click.Context, name: str, manner: str) -> None:
    """Write a new script that is a working tool already.

    NAME is SCRIPT or SCRIPT.FUNCTION. Nothing is overwritten.
    """
    from nestkit.hall.toolbox import new_script

    path = new_script(open_here(ctx, to_write=True), name, manner)
    print_lines([path])
    hint(f"edit it, then: nest tools check {path.rpartition('/')[2]}")


def _group_lines(name: str, about: str, tools: Sequence[Tool]) -> list[str]:
    """A group's name over its tools; those of the scripts' folder itself stand without one."""
    title = [f"{name}:{f' {about}' if about else ''}"] if name else []
    return ["", *title, *(f"  {row}" for row in _rows(tools))] if name else _rows(tools)


def _rows(tools: Sequence[Tool]) -> list[str]:
    """One line a tool; on a terminal as long as that is wide."""
    width = min(32, max((len(tool.name) for tool in tools), default=0))
    most = shutil.get_terminal_size().columns - 2 if sys.stdout.isatty() else 0
    return [_cut(f"{tool.name:<{width}}  {tool.summary}{_marks(tool)}", most) for tool in tools]


def _marks(tool: Tool) -> str:
    kinds = dict.fromkeys(effect.kind for effect in tool.effects)
    return f"  [asks: {', '.join(kinds)}]" if kinds and tool.manner != "builtin" else ""


def _cut(text: str, most: int) -> str:
    return text if not most or len(text) <= most else f"{text[: most - 1]}…"


def _part(title: str, lines: Iterable[str]) -> list[str]:
    shown = [f"  {line}" for line in lines]
    return ["", f"{title}:", *shown] if shown else []


def _effect_line(record: Mapping[str, Any]) -> str:
    """`write:Reports/** (declared; granted) because of line 12: open(...)`."""
    said = "declared" if record["declared"] else "seen in the code, not declared"
    leave = "granted" if record["granted"] else "a person is asked"
    because = f" because of line {record['line']}: {record['shows']}".rstrip(": ") if record["line"] else ""
    return f"{record['effect']} ({said}; {leave}){because}"


def _finding_lines(found: Sequence[Finding]) -> Iterator[str]:
    """One line each; a text to paste stands once below the last that it mends."""
    if not found:
        yield "no problems"
    for number, finding in enumerate(found):
        yield f"{finding}{' (advice)' if finding.is_advice else ''}"
        following = found[number + 1] if number + 1 < len(found) else None
        if finding.paste and (following is None or (following.path, following.paste) != (finding.path, finding.paste)):
            yield from (f"    {line}".rstrip() for line in finding.paste.splitlines())


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
        "notes": list(tool.notes),
    }
