"""tt - tiny time tracker

Reads lines like `- 09:00-10:30 project: what I did` from the daily notes.
"""
import datetime as dt
import json
import os
import re
from pathlib import Path

import click

LINE = re.compile(r"^- (\d\d:\d\d)-(\d\d:\d\d) ([\w-]+): (.*)$", re.M)
ROOT = Path(os.environ.get("VAULT_PATH", "."))


def entries(since=None):
    for f in sorted((ROOT / "Daily").glob("*.md")):
        day = dt.date.fromisoformat(f.stem)
        if since and day < since:
            continue
        for a, b, proj, what in LINE.findall(f.read_text()):
            t = lambda s: dt.datetime.combine(day, dt.time.fromisoformat(s))
            yield day, proj, what, (t(b) - t(a)).total_seconds() / 3600


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="machine readable")
@click.pass_context
def cli(ctx, as_json):
    """Where did the week go?"""
    ctx.obj = {"json": as_json}


@cli.command()
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="first day that counts")
@click.option("--min", "minimum", type=click.FloatRange(0, 24), default=0.0, show_default=True)
@click.pass_obj
def report(obj, since, minimum):
    """Hours per project, most first."""
    total = {}
    for _, proj, _, h in entries(since.date() if since else None):
        total[proj] = total.get(proj, 0) + h
    total = {p: h for p, h in sorted(total.items(), key=lambda kv: -kv[1]) if h >= minimum}
    if obj["json"]:
        click.echo(json.dumps(total))
    else:
        for p, h in total.items():
            click.echo(f"{p:12} {h:5.2f}")


@cli.command("log")
@click.argument("project")
@click.option("-n", "--last", default=5, help="how many")
@click.pass_obj
def show_log(obj, project, last):
    """What I did on PROJECT, newest first."""
    mine = [(d, w, h) for d, p, w, h in entries() if p == project]
    if not mine:
        raise click.ClickException(f"never worked on {project}")
    for d, w, h in reversed(mine[-last:]):
        click.echo(f"{d} {h:.2f} {w}")


if __name__ == "__main__":
    cli()
