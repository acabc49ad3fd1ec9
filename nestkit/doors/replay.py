"""`nest replay`: an earlier run once more, over what was recorded, on today's vault, or asked anew. *Disk, Process,
Network*."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

import click

from nestkit.doors.ask import company_of, draft_ask, print_run
from nestkit.doors.printing import hint, json_option, open_here, plain, print_json, print_lines
from nestkit.hall.replay import (
    Earlier,
    Replayed,
    draft_again,
    get_earlier,
    replay_exact,
    replay_fresh,
    replay_program,
)
from nestkit.nest import Nest
from nestkit.policy import CONTRACTS, Contract, Refusal
from nestkit.run import EXIT_CODES

_FOR_NEW_RUNS = ("yes", "now", "contract", "model", "dry_run", "no_note")
"""Options that mean nothing where nothing is called."""


@click.command("replay")
@click.argument("run")
@click.option("--exact", "how", flag_value="exact", default=True, help="Over the recorded answers; the default.")
@click.option("--program", "how", flag_value="program", help="The same programs on the vault as it is now.")
@click.option("--fresh", "how", flag_value="fresh", help="The same question, its program written anew.")
@click.option("--yes", "-y", is_flag=True, help="Leave for every effect that the tools of the new run declare.")
@click.option("--now", metavar="TIME", help="The new run's clock, as ISO time.")
@click.option("--contract", type=click.Choice(CONTRACTS), help="Another one than that of RUN.")
@click.option("--model", "-m", help="With --fresh: another one than that of RUN.")
@click.option("--dry-run", is_flag=True, help="Show what would change, write nothing.")
@click.option("--no-note", is_flag=True, help="Write no run note.")
@click.option("--verbose", "-v", is_flag=True, help="Show steps and calls.")
@json_option
@click.pass_context
def replay_command(ctx: click.Context, /, run: str, how: str, as_json: bool, **options: Any) -> None:
    """Run RUN once more. RUN is its id, the first part of it, its note's name or path, or `last`.

    --exact runs its programs over the answers that its tools gave then: nothing is called, nothing is written, and it
    is said whether all comes out byte for byte (exit code 0) or where it first differs (1). --program and --fresh make
    a new run, with today's grants and settings, whose note names the old one; exit codes as of `nest ask`.
    """
    given = [name for name in _FOR_NEW_RUNS if options[name]]
    if how == "exact" and given:
        raise click.UsageError(f"--{given[0].replace('_', '-')} is for --program and --fresh")
    if options["model"] and how != "fresh":
        raise click.UsageError("--model is for --fresh")
    writes = how != "exact" and not (options["no_note"] or options["dry_run"])
    nest = open_here(ctx, to_write=writes)
    earlier = get_earlier(nest, run)
    if how == "exact":
        _exact(ctx, nest, earlier, as_json)
    options |= {"json": as_json, "note": None, "model": options["model"] or "auto"}
    rules = draft_ask(nest, earlier.run.ask.text, {**options, "contract": None})
    ask = draft_again(nest, earlier, rules, cast(Contract | None, options["contract"]))
    if isinstance(ask, Refusal):
        _refuse(ctx, ask, as_json)
        return
    again = replay_program if how == "program" else replay_fresh
    kept = not (options["no_note"] or options["dry_run"])
    done = again(nest, earlier, ask, company_of(options), keep=kept, apply=not options["dry_run"])
    print_run(done, nest, "json" if as_json else "answer")
    if options["dry_run"] and not as_json:
        print_lines(line for change in done.changes for line in change.diff.splitlines())
    ctx.exit(EXIT_CODES[done.status])


def _exact(ctx: click.Context, nest: Nest, earlier: Earlier, as_json: bool) -> None:
    done = replay_exact(nest, earlier)
    if as_json:
        print_json(_record(earlier, done))
    else:
        print_lines(_draft(earlier, done))
        for remark in done.remarks:
            hint(remark)
    ctx.exit(1 if done.difference else 0)


def _record(earlier: Earlier, done: Replayed) -> dict[str, Any]:
    """An exact replay as the JSON that programs read."""
    run = earlier.run
    return {
        "id": run.id,
        "run": run.path,
        "ask": run.ask.text,
        "status": run.status,
        "answer": plain(run.end.answer) if run.status == "ok" else None,
        "equal": done.difference is None,
        "programs": done.programs,
        "calls": done.calls,
        "difference": asdict(done.difference) if done.difference else None,
        "remarks": list(done.remarks),
    }


def _draft(earlier: Earlier, done: Replayed) -> list[str]:
    run, found = earlier.run, done.difference
    over = f"{_count(done.programs, 'program')} over {_count(done.calls, 'recorded answer')}"
    lines = [f"{run.id}: {run.ask.text}"]
    if found is None:
        return [*lines, f"as recorded, byte for byte: {over}"]
    where = f", line {found.line}" if found.line else ""
    lines.append(f"differs: {over}; first in step {found.step}, {found.what}{where}")
    return [*lines, f"  recorded: {_shortened(found.recorded)}", f"  now:      {_shortened(found.now)}"]


def _refuse(ctx: click.Context, refusal: Refusal, as_json: bool) -> None:
    if as_json:
        print_json({"status": "refused", "reason": refusal.reason, "hint": refusal.hint})
    else:
        hint(f"nest: refused: {refusal.reason}")
        hint(f"      {refusal.hint}")
    ctx.exit(EXIT_CODES["refused"])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _shortened(text: str) -> str:
    return text if len(text) <= 500 else f"{text[:499]}…"
