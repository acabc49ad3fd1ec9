"""`nest promote`: the program of a run kept as a script, a tool like any other. *Disk*."""

from __future__ import annotations

import click

from nestkit.doors.ask import at_terminal
from nestkit.doors.printing import hint, json_option, open_here, print_json, print_lines
from nestkit.errors import NestError
from nestkit.hall.promote import draft_promotion, promote
from nestkit.hall.replay import get_earlier
from nestkit.run import EXIT_CODES
from nestkit.visible import reviewed


@click.command("promote")
@click.argument("run")
@click.option("--as", "name", required=True, metavar="NAME", help="Of the tool; its script is NAME.py.")
@click.option("--yes", "-y", is_flag=True, help="Write it without asking.")
@click.option("--dry-run", is_flag=True, help="Show it, write nothing.")
@json_option
@click.pass_context
def promote_command(ctx: click.Context, /, run: str, name: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Keep the program of RUN as a script of yours: the tool NAME, called by its question or by name.

    RUN is its id, the first part of it, its note's name or path, or `last`. The script is shown first and written when
    you say yes; nothing is overwritten, and `nest undo` takes it back. Without a terminal it takes --yes (else exit
    code 3).
    """
    nest = open_here(ctx, to_write=not dry_run)
    change = draft_promotion(nest, get_earlier(nest, run), name)
    if not as_json:
        print_lines(reviewed(change.diff).splitlines())
    leave = not dry_run and (yes or (at_terminal() and click.confirm(f"Write {change.path}?", default=False, err=True)))
    undo_id = ""
    if leave:
        undo_id, applied = promote(nest, change, hint)
        if why := [each.why for each in applied if not each.applied]:
            raise NestError(f"{change.path} was not written: {why[0]}", "try again, or choose another name")
    if as_json:
        print_json({"tool": name, "path": change.path, "diff": change.diff, "applied": leave, "undo": undo_id or None})
    if leave:
        hint(f"written; `nest call {name}` runs it, `nest undo {undo_id}` takes it back")
    elif not dry_run:
        hint("nothing is written; --yes writes it")
        ctx.exit(EXIT_CODES["refused"])
