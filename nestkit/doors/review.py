"""`nest review`: runs that wait for a person, shown, approved, turned down, or taken up again. *Disk, Process*."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from nestkit.doors.ask import company_of, print_run, review
from nestkit.doors.groups import DefaultGroup
from nestkit.doors.printing import hint, json_option, open_here, print_json, print_lines
from nestkit.hall.review import approve, get_entry, get_matter, list_entries, list_under_way, reject, resume
from nestkit.matter import Matter, draft_matter
from nestkit.run import EXIT_CODES


@click.group("review", cls=DefaultGroup)
def review_command() -> None:
    """Runs that wait: `nest review` lists them. RUN is an id, the first part of it, a note's path, or `last`."""


@review_command.command("list", hidden=True)
@json_option
@click.pass_context
def list_waiting(ctx: click.Context, as_json: bool) -> None:
    """Runs that wait, runs that were broken off, and runs that are under way."""
    nest = open_here(ctx)
    entries, busy = list_entries(nest), list_under_way(nest)
    if as_json:
        print_json([asdict(entry) for entry in entries])
        return
    print_lines(f"{entry.id}  {_waits(entry.gate, entry.state):<22} {entry.ask}  ({entry.path})" for entry in entries)
    print_lines(f"{entry.id}  {'is under way':<22} {entry.ask}" for entry in busy)
    if not entries:
        print_lines(["nothing waits for you"])


@review_command.command("show")
@click.argument("run")
@json_option
@click.pass_context
def show_waiting(ctx: click.Context, run: str, as_json: bool) -> None:
    """What RUN waits for, in full.

    Program, effects and changes, with nothing hidden in them.
    """
    nest = open_here(ctx)
    entry = get_entry(nest, run)
    matter = get_matter(nest, entry)
    if as_json:
        print_json(_record(matter))
        return
    print_lines([f"{entry.id}: {entry.ask}", f"waits: {entry.reason}", f"hash: {matter.digest}", ""])
    print_lines(draft_matter(matter))


@review_command.command("approve")
@click.argument("run")
@click.option("--hash", "seal", default="", help="Approve only what has this hash, as `nest review show` names it.")
@click.option("--verbose", "-v", is_flag=True, help="Show steps and calls.")
@json_option
@click.pass_context
def approve_waiting(ctx: click.Context, run: str, seal: str, verbose: bool, as_json: bool) -> None:
    """Say yes to what RUN waits for, once; the run goes on from there. At a terminal it is shown first.

    What you approve is what was shown: when a script has changed since, nothing runs and you are asked again.
    """
    nest = open_here(ctx, to_write=True)
    entry = get_entry(nest, run)
    company = company_of({"verbose": verbose, "json": as_json})
    if not seal and company.review is not None and entry.state == "waiting":
        matter = get_matter(nest, entry)
        if not review(matter):
            hint(f"not approved; `nest review reject {entry.id}` turns it down for good")
            ctx.exit(EXIT_CODES["waiting"])
        seal = matter.digest
    done = approve(nest, entry, seal or entry.digest, company)
    print_run(done, nest, "json" if as_json else "answer")
    ctx.exit(EXIT_CODES[done.status])


@review_command.command("reject")
@click.argument("run")
@json_option
@click.pass_context
def reject_waiting(ctx: click.Context, run: str, as_json: bool) -> None:
    """Say no: nothing of it happens, and its note says so."""
    nest = open_here(ctx, to_write=True)
    done = reject(nest, get_entry(nest, run), company_of({"json": as_json}))
    if as_json:
        print_run(done, nest, "json")
    else:
        print_lines([f"{done.id} is turned down" + (f" ({done.path})" if done.path else "")])


@review_command.command("resume")
@click.argument("run")
@json_option
@click.pass_context
def resume_broken(ctx: click.Context, run: str, as_json: bool) -> None:
    """Take up a run that was broken off.

    After a crash, a power cut: what is recorded is not done a second time.
    """
    nest = open_here(ctx, to_write=True)
    done = resume(nest, get_entry(nest, run), company_of({"json": as_json}))
    print_run(done, nest, "json" if as_json else "answer")
    ctx.exit(EXIT_CODES[done.status])


def _waits(gate: str, state: str) -> str:
    return {"running": "was broken off", "taken": f"broken off ({gate})"}.get(state, f"waits: {gate}")


def _record(matter: Matter) -> dict[str, Any]:
    """What waits, as the JSON that programs read."""
    return {
        "run": matter.run,
        "gate": matter.gate,
        "hash": matter.digest,
        "contract": matter.contract,
        "program": matter.program,
        "call": matter.call,
        "effects": list(matter.effects),
        "scripts": dict(matter.scripts),
        "change_set": [{"path": c.path, "kind": c.kind, "diff": c.diff} for c in matter.changes],
        "warnings": list(matter.warnings),
    }
