"""How much time the projects have left."""

from datetime import date

import click

from _notebook import notes


@click.group()
def cli():
    """How much time the projects have left."""


@cli.command()
@click.argument("project")
@click.option("--today", required=True, help="The day to count from, YYYY-MM-DD.")
def left(project, today):
    """Days left before the deadline of PROJECT."""
    deadline = {name: one["deadline"] for name, one, _ in notes("project")}.get(project)
    if deadline is None:
        raise click.ClickException(f"no project called {project!r} has a deadline")
    click.echo(_days(deadline, today))


@cli.command()
@click.option("--today", required=True, help="The day to count from, YYYY-MM-DD.")
@click.option("--area", multiple=True, help="Only this area; may be given more than once.")
@click.option("--count", default=3, show_default=True, help="How many at the most.")
def upcoming(today, area, count):
    """The next deadlines of unfinished projects, soonest first."""
    coming = sorted(
        (one["deadline"], name)
        for name, one, _ in notes("project")
        if one["deadline"] and one["status"] != "done" and (not area or one["area"] in area)
    )
    for deadline, name in coming[:count]:
        click.echo(f"{deadline}  {name} ({_days(deadline, today)} days)")


def _days(deadline, today):
    return (date.fromisoformat(deadline) - date.fromisoformat(today)).days


if __name__ == "__main__":
    cli()
