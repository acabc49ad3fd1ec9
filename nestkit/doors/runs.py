"""`nest runs`: runs so far, from their notes. *Disk*."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from nestkit.doors.groups import DefaultGroup
from nestkit.doors.printing import hint, json_option, note_place, open_here, print_json, print_lines
from nestkit.errors import NestError
from nestkit.run import EXIT_CODES

_WIDTH = 100
"""Characters of a question in a list."""


@click.group("runs", cls=DefaultGroup)
def runs_command() -> None:
    """Runs so far: `nest runs` lists them, `nest runs show RUN` prints one."""


@runs_command.command("list", hidden=True)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="The newest so many.")
@click.option("--status", type=click.Choice(list(EXIT_CODES)), help="Only those.")
@click.option("--print", "shown", type=click.Choice(["line", "path"]), default="line", help="What is told of each.")
@json_option
@click.pass_context
def list_runs(ctx: click.Context, limit: int, status: str | None, shown: str, as_json: bool) -> None:
    """Runs, the newest first."""
    found = [run for run in open_here(ctx).runs() if status in (None, run["status"])][:limit]
    if as_json:
        print_json(found)
    elif shown == "path":
        print_lines(run["path"] for run in found)
        if not found:
            hint(f"no run is {status}" if status else "no runs yet")
    else:
        print_lines(f"{run['created']}  {run['status']:<9} {_short(run['ask'])}  ({run['path']})" for run in found)
        if not found:
            print_lines([f"no run is {status}" if status else "no runs yet"])


def _short(ask: Any) -> str:
    """The question on one line that a list has room for."""
    line = " ".join(str(ask).split())
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"


@runs_command.command("show")
@click.argument("run")
@json_option
@click.pass_context
def show_run(ctx: click.Context, run: str, as_json: bool) -> None:
    """Print one run.

    RUN is its id, the first part of it, its note's name or path, or `last`.
    """
    nest = open_here(ctx)
    path = nest.run_path(run)
    if as_json:
        print_json({"path": path, **asdict(nest.run_note(path))})
    else:
        print_lines(nest.read_text(path).splitlines())


@runs_command.command("open")
@click.argument("run")
@click.option("--print", "shown", type=click.Choice(["path", "link", "uri"]), help="Only print it.")
@click.pass_context
def open_run(ctx: click.Context, run: str, shown: str | None) -> None:
    """Open RUN in Obsidian, or print what opens it.

    That is its path, a link, or an obsidian:// address.
    """
    nest = open_here(ctx)
    path = nest.run_path(run)
    if shown:
        print_lines([note_place(nest.root.name, path, shown)])
    elif click.launch(note_place(nest.root.name, path, "uri")) != 0:
        raise NestError("nothing here opens obsidian:// addresses", f"open {path} yourself")


@runs_command.command("cache")
@click.option("--forget", metavar="KEY", help="Forget the programs whose key begins so; `all` forgets every one.")
@json_option
@click.pass_context
def cache_command(ctx: click.Context, forget: str | None, as_json: bool) -> None:
    """Programs that are kept for the same question.

    Asked again, they run on the vault as it is then, without a model.
    """
    from nestkit.hall.kept import forget_programs, list_programs

    nest = open_here(ctx)
    if forget is not None:
        print_lines([f"forgot {forget_programs(nest, '' if forget == 'all' else forget or '-')}"])
        return
    found = list_programs(nest)
    if as_json:
        print_json([asdict(kept) for kept in found])
        return
    print_lines(f"{kept.key[:8]}  {kept.created}  {kept.ask}  ({kept.model}, {kept.path})" for kept in found)
    if not found:
        print_lines(["no programs are kept"])


@click.command("undo")
@click.argument("run")
@json_option
@click.pass_context
def undo_command(ctx: click.Context, run: str, as_json: bool) -> None:
    """Take back what RUN changed: every file that is still as the run left it comes back byte for byte.

    RUN is its id, the first part of it, its note's name or path, or `last`. What somebody has edited since is left,
    and said. Exit code 1 when something was left.
    """
    nest = open_here(ctx, to_write=True)
    done = nest.undo(run)
    if as_json:
        print_json([asdict(each) for each in done])
    else:
        print_lines(f"{each.path}: {'taken back' if each.applied else each.why}" for each in done)
        if not done:
            hint("that run changed nothing")
    ctx.exit(0 if all(each.applied for each in done) else 1)
