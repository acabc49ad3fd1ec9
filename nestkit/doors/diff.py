"""`nest diff`: what tells two runs apart. *Disk*, reading only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import click

from nestkit.doors.printing import hint, json_option, open_here, print_json, print_lines
from nestkit.hall.compare import Compared, compare_runs
from nestkit.visible import reviewed


@click.command("diff")
@click.argument("old")
@click.argument("new")
@json_option
@click.pass_context
def diff_command(ctx: click.Context, old: str, new: str, as_json: bool) -> None:
    """What tells the run NEW from the run OLD: ask, model, contract, programs, tools and their versions, calls and
    their results, notes read, answer, changes; and beside it what each of them cost.

    Each is an id, the first part of it, a note's name or path, or `last`. Nothing is run.
    """
    compared = compare_runs(open_here(ctx), old, new)
    if as_json:
        print_json(_record(compared))
        return
    for remark in compared.remarks:
        hint(remark)
    print_lines(_draft(compared))


def _record(compared: Compared) -> dict[str, Any]:
    """The comparison as the JSON that programs read."""
    runs = {name: {"id": told.id, **(told.figures or {})} for name, told in _sides(compared)}
    return {
        **runs,
        "same": not compared.parts,
        "differences": [asdict(part) for part in compared.parts],
        "remarks": list(compared.remarks),
    }


def _draft(compared: Compared) -> Iterator[str]:
    for sign, (_, told) in zip("-+", _sides(compared), strict=True):
        figures = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in (told.figures or {}).items())
        yield f"{sign} {told.id}  {reviewed(told.facts['ask'])}  ({figures})".replace("\n", " ")
    if not compared.parts:
        yield "nothing tells them apart but what they cost"
    for part in compared.parts:
        yield f"{part.what}:"
        lines = [f"- {part.old}", f"+ {part.new}"] if not part.diff else part.diff.split("\n")
        yield from (f"  {line}" for text in lines for line in reviewed(text).split("\n"))


def _sides(compared: Compared) -> tuple[tuple[str, Any], tuple[str, Any]]:
    return ("old", compared.old), ("new", compared.new)
