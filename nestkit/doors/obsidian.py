"""`nest obsidian`: nest's commands put into Obsidian's palette, shown, and taken out. *Disk, Process*."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from nestkit.doors.printing import hint, json_option, print_json, print_lines
from nestkit.hall.obsidian import Look, Request, carry_out, kept_by_person, look, wanted_here
from nestkit.nest import Nest, open_nest

_SAID = {
    "added": "would be added",
    "updated": "would be brought up to date",
    "same": "is there",
    "kept": "was edited by you: left as it is (--force replaces it)",
    "left out": "was removed by you: left out (--force puts it back)",
    "removed": "would be taken out",
    "in use": "is used by a command of yours: left",
    "absent": "is not there",
}
_DONE = {"added": "added", "updated": "brought up to date", "removed": "taken out"}


@click.group("obsidian")
def obsidian_command() -> None:
    """nest's commands in Obsidian's palette, by way of the plugin Shell commands.

    Only entries of nest's own are touched, and of these none that you edited; the file is copied first.
    """


def _changing(command: Any) -> Any:
    for option in (
        click.option("--dry-run", is_flag=True, help="Show what would change; the default without a terminal."),
        click.option("--yes", "-y", is_flag=True, help="Write without asking."),
        click.option("--force", is_flag=True, help="Also entries of nest's that you edited or removed."),
        click.option("--closed", is_flag=True, help="Obsidian is closed for certain; do not look."),
        click.option("--config-folder", default="", help="The vault's folder of settings, if it is not .obsidian."),
    ):
        command = option(command)
    return command


@obsidian_command.command("install")
@click.option("--print", "only_print", is_flag=True, help="Print the entries, to be put in by hand; change nothing.")
@click.option("--program", default="", help="Absolute path of the command `nest`.")
@_changing
@click.pass_context
def install_command(ctx: click.Context, /, only_print: bool, **options: Any) -> None:
    """Add nest's commands to the palette, or bring them up to date. Twice is the same as once."""
    if only_print:
        print_json(dict(wanted_here(options["program"])))
        return
    _change(ctx, Request(False, options["force"], options["config_folder"], options["program"]), options)


@obsidian_command.command("uninstall")
@_changing
@click.pass_context
def uninstall_command(ctx: click.Context, /, **options: Any) -> None:
    """Take out what nest added and you did not edit."""
    _change(ctx, Request(True, options["force"], options["config_folder"]), options)


@obsidian_command.command("status")
@click.option("--config-folder", default="", help="The vault's folder of settings, if it is not .obsidian.")
@json_option
@click.pass_context
def status_command(ctx: click.Context, config_folder: str, as_json: bool) -> None:
    """The plugin, Obsidian, and each of nest's commands.

    Each is there, missing, edited or out of date; exit code 1 unless all are there.
    """
    seen = look(_open(ctx), Request(config_folder=config_folder))
    whole = seen.home.installed and seen.home.enabled and not seen.diff
    if as_json:
        plugin = {"installed": seen.home.installed, "enabled": seen.home.enabled, "version": seen.home.version}
        app = {"running": seen.app.running, "why": seen.app.why, "boxed": seen.app.boxed}
        print_json({"file": seen.home.path, "plugin": plugin, "obsidian": app, "entries": dict(seen.plan.states)})
    else:
        print_lines(_standing(seen))
    ctx.exit(0 if whole else 1)


def _standing(seen: Look) -> list[str]:
    plugin = f"version {seen.home.version}" if seen.home.installed else "not installed"
    enabled = ", not enabled" if seen.home.installed and not seen.home.enabled else ""
    running = {True: "running", False: "closed", None: "not known to be closed"}[seen.app.running]
    missing = {"added": "is missing", "updated": "is out of date"}
    lines = [f"plugin    {plugin}{enabled}", f"Obsidian  {running} ({seen.app.why})", f"settings  {seen.home.path}"]
    lines += [f"  {_name(key):<26} {missing.get(state, _SAID[state])}" for key, state in seen.plan.states.items()]
    return [*lines, *seen.remarks]


def _change(ctx: click.Context, request: Request, options: dict[str, Any]) -> None:
    nest = _open(ctx)
    at_terminal = sys.stdin.isatty()
    if options["dry_run"] or not (options["yes"] or at_terminal):
        seen = look(nest, request)
        print_lines(seen.diff.splitlines() or ["nothing would change"])
        _say(seen, _SAID)
        if not options["dry_run"]:
            hint("nothing was written: without a terminal this is a dry run; add --yes")
        return
    if not options["yes"]:
        seen = look(nest, request)
        for line in seen.diff.splitlines():
            hint(line)
        if seen.diff and not click.confirm("Write this?", err=True):
            hint("nothing was changed")
            return
    seen = carry_out(nest, request, closed=options["closed"])
    if not seen.diff:
        print_lines(["nothing to change"])
    _say(seen, _DONE)
    if seen.diff and not request.remove:
        hint("in Obsidian: the palette (Ctrl+P), then `nest`; `nest obsidian uninstall` takes it all out again")


def _say(seen: Look, words: dict[str, str]) -> None:
    for key, state in seen.plan.states.items():
        if state in _DONE:
            hint(f"{_name(key)} {words[state]}")
    for key, state in kept_by_person(seen.plan.states):
        hint(f"{_name(key)} {_SAID[state]}")
    for remark in seen.remarks:
        hint(remark)


def _name(key: str) -> str:
    section, _, name = key.partition("/")
    return f"{section.removesuffix('s').replace('_', ' ')} {name}"


def _open(ctx: click.Context) -> Nest:
    nest = open_nest(Path.cwd(), ctx.find_root().obj, say=hint)
    ctx.call_on_close(nest.close)
    return nest
