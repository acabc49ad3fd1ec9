"""`nest trust`: leave given to a tool, listed, taken back. *Disk*."""

from __future__ import annotations

from collections.abc import Callable, Container
from datetime import datetime

import click

from nestkit.doors.ask import at_terminal
from nestkit.doors.printing import hint, json_option, open_here, print_json, print_lines
from nestkit.hall.prompts import find_named
from nestkit.hall.trust import Trust, draft_prompt_wants, draft_wants, grant_record
from nestkit.nest import Nest
from nestkit.policy import Wants
from nestkit.run import EXIT_CODES


@click.command("trust", short_help="Give a tool leave for more than reading; list and take back what you gave.")
@click.argument("name", required=False)
@click.option("--list", "listing", is_flag=True, help="Every grant of this vault, and whether it is in force.")
@click.option("--revoke", is_flag=True, help="Take back what NAME was granted.")
@click.option("--all", "everything", is_flag=True, help="With --revoke: all grants of this vault.")
@click.option("--yes", "-y", is_flag=True, help="Give it without asking back.")
@json_option
@click.pass_context
def trust_command(
    ctx: click.Context, name: str | None, listing: bool, revoke: bool, everything: bool, yes: bool, as_json: bool
) -> None:
    """Give the tool or script NAME leave for what it needs beyond reading, or the prompt NAME leave to steer models.

    What it would be able to do is shown first, with the lines of code that show it. The leave holds for the script as
    it is now: once it changes, or anything it loads, you are asked again. It is kept in your own state folder, never in
    the vault.
    """
    if revoke and not (name or everything):
        raise click.UsageError("--revoke takes NAME, or --all")
    nest = open_here(ctx)
    if revoke:
        taken = nest.trust.take("" if everything else name or "")
        if as_json:
            print_json([grant_record(grant, "taken back") for grant in taken])
        else:
            print_lines(f"{grant.tool}: taken back" for grant in taken)
    elif listing or not name:
        _list(nest.trust, as_json)
    else:
        given = _give(nest, name, yes, hint if as_json else lambda line: print_lines([line]))
        if as_json:
            _list(nest.trust, as_json, _granted_to(nest, name))
        ctx.exit(EXIT_CODES["ok" if given else "waiting"])


def _granted_to(nest: Nest, name: str) -> set[str]:
    """What grants are filed under for this tool, script or prompt."""
    if (note := find_named(nest, name)) is not None:
        return {note.wants.tool}
    return {tool.name for tool in nest.trust.find_tools(name)}


def _list(trust: Trust, as_json: bool, only: Container[str] | None = None) -> None:
    grants = [grant for grant in trust.grants() if only is None or grant.tool in only]
    records = [grant_record(grant, trust.state(grant)) for grant in grants]
    if trust.trouble:
        hint(f"nest: {trust.trouble}")
    if as_json:
        print_json(records)
        return
    print_lines(
        f"{r['tool']:<28} {', '.join(r['effects']) or 'its packages'}  [{r['state']}; {r['given'][:10]}]"
        for r in records
    )
    if not records:
        print_lines(["nothing is granted in this vault"])


def _give(nest: Nest, name: str, yes: bool, say: Callable[[str], None]) -> bool:
    """Whether leave was given for all that the name stands for."""
    if (note := find_named(nest, name)) is not None:
        return _give_prompt(nest, note.wants, yes, say)
    tools = {tool.name: tool for tool in nest.trust.find_tools(name)}
    wanted: list[Wants] = []
    for tool in tools.values():
        wants = nest.trust.wants(tool)
        if not wants.effects and not wants.fetch:
            say(f"{tool.name} only reads: it needs no leave")
        elif nest.trust.holds(wants):
            say(f"{tool.name} has that leave already")
        else:
            wanted.append(wants)
    for wants in wanted:
        for line in draft_wants(wants, tools[wants.tool].declared):
            hint(line)
    if not wanted:
        return True
    if not _agrees("Give this leave until the script changes?", yes):
        return False
    nest.trust.give(wanted, datetime.now().astimezone())
    for wants in wanted:
        say(f"{wants.tool}: granted")
    scripts = {wants.script for wants in wanted if wants.fetch}
    for script in (script for script in nest.registry.scripts if script.path in scripts):
        nest.packages.prepare(script, hint)
    for tool in tools.values():
        if tool.confirm == "always":
            hint(f"{tool.name} is `confirm: always`: you are asked before every call all the same")
    return True


def _give_prompt(nest: Nest, wants: Wants, yes: bool, say: Callable[[str], None]) -> bool:
    """Whether the note may take the prompt's place by now."""
    if nest.trust.holds(wants):
        say(f"{wants.script} is trusted already")
        return True
    for line in draft_prompt_wants(wants):
        hint(line)
    if not _agrees("Let models be told this until the note changes?", yes):
        return False
    nest.trust.give([wants], datetime.now().astimezone())
    say(f"{wants.script}: trusted")
    return True


def _agrees(question: str, yes: bool) -> bool:
    """Whether the person said yes, at the terminal or beforehand; why not is said."""
    if not yes and not at_terminal():
        hint("nest: that takes a person at a terminal, or --yes")
        return False
    if not yes and not click.confirm(question, default=False, err=True):
        hint("nothing was granted")
        return False
    return True
