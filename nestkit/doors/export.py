"""`nest export`: runs as the conversations that models are trained or judged with. *Disk*, reading only."""

from __future__ import annotations

import json

import click

from nestkit.doors.printing import hint, open_here
from nestkit.errors import NestError
from nestkit.hall.export import FORMS, export_run
from nestkit.hall.replay import get_earlier


@click.command("export")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--format", "form", type=click.Choice(FORMS), default="messages", show_default=True, help="Of each line.")
@click.pass_context
def export_command(ctx: click.Context, /, runs: tuple[str, ...], form: str) -> None:
    """Print each RUN as one line of JSON: the question, each program with its thought, what each came to.

    What its programs printed of your notes is in it: look before you hand it on. Only runs with a program, recorded by
    this machine, can be exported; of the rest it is said why not, and the exit code is 1.
    """
    nest = open_here(ctx)
    failed = False
    for name in runs:
        try:
            click.echo(json.dumps(export_run(get_earlier(nest, name), form), ensure_ascii=True))
        except NestError as error:
            failed = True
            hint(f"nest: {error}")
    ctx.exit(1 if failed else 0)
