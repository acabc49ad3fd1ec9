"""`nest watch`, `nest status`, `nest why`, `nest pause`, `nest resume`: notes that ask. *Disk, Process, Network*."""

from __future__ import annotations

from pathlib import Path

import click

from nestkit.doors.printing import hint, json_option, open_here, print_json, print_lines
from nestkit.nest import Nest, open_nest


@click.command("watch")
@click.option("--once", is_flag=True, help="Ask what is to be asked now, then end: for cron and CI.")
@click.option("--poll", is_flag=True, help="Look again and again: for network drives, containers, WSL mounts.")
@click.option("--poll-seconds", default=5.0, show_default=True, type=click.FloatRange(0.1), help="How often.")
@click.option(
    "--install-service", is_flag=True, help="Start it with the desktop (systemd, launchd); says how to stop it."
)
@click.option("--dry-run", is_flag=True, help="With --install-service: print what would be written.")
@json_option
@click.pass_context
def watch_command(
    ctx: click.Context,
    once: bool,
    poll: bool,
    poll_seconds: float,
    install_service: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Ask what notes ask: a block `nest`, a task `- [ ] #nest ...`, a property `nest: ...`.

    Each question is asked once; its state and its answer stand below it. SIGTERM (or Ctrl+C) lets what runs come to its
    end, a second one cancels it.
    """
    from nestkit.hall.asking import open_watch_log, pause_file
    from nestkit.hall.daemon import Daemon
    from nestkit.hall.watched import watch_status

    if install_service:
        _install_service(ctx, dry_run)
        return
    nest = open_here(ctx, to_write=True)
    log = open_watch_log(nest)

    def say(line: str) -> None:
        log(line)
        hint(line)

    with Daemon(nest, say).open() as daemon:
        if not once:
            daemon.serve(poll_seconds if poll else 0.0)
            return
        if pause_file(nest).exists():
            hint("asking is paused: `nest resume`")
        daemon.drain()
    told = watch_status(nest)
    if as_json:
        print_json(told)
    else:
        print_lines([f"{told['queue']} waiting, {sum(told['counts'].values()) - told['queue']} asked so far"])


@click.command("status")
@json_option
@click.pass_context
def status_command(ctx: click.Context, as_json: bool) -> None:
    """Whether this vault is watched, by whom, what waits, the last questions, what went wrong."""
    from nestkit.hall.watched import watch_status

    told = watch_status(_open(ctx))
    if as_json:
        print_json(told)
        return
    who = told["running"]
    lines = [f"watched by process {who['pid']} on {who['host']} since {who['since']}" if who else "not watched"]
    lines += ["paused: `nest resume`"] if told["paused"] else []
    lines += [f"only {told['only']} watches it, and this is {told['host']}"] if told["only"] else []
    lines += [f"{told['queue']} waiting"]
    lines += [f"  {each['path']}:{each['line']}  {each['text'][:70]}" for each in told["waiting"]]
    lines += [f"{e['finished']}  {e['state']:<11} {e['path']}:{e['line']}  {e['text'][:60]}" for e in told["last"]]
    lines += [f"problem: {problem}" for problem in told["problems"]]
    print_lines([*lines, f"log: {told['log']}"])


@click.command("why")
@click.argument("note")
@json_option
@click.pass_context
def why_command(ctx: click.Context, note: str, as_json: bool) -> None:
    """What asks in NOTE, how far each is, what was skipped, and why."""
    from nestkit.hall.watched import why

    nest = open_here(ctx)
    is_file = not note.startswith(("/", "..")) and (nest.root / note).is_file()
    path = note.removeprefix("./") if is_file else nest.path_of(note)
    rows = why(nest, path)
    if as_json:
        print_json(rows)
    else:
        print_lines(
            f"{path}{':' + str(row['line']) if row['line'] else ''}: {row['state']}: {row['why']}"
            + (f"  ({row['what']})" if row["what"] and row["what"] != path else "")
            for row in rows
        )


@click.command("pause")
@click.pass_context
def pause_command(ctx: click.Context) -> None:
    """Ask nothing in this vault until `nest resume`; what runs comes to its end."""
    from nestkit.hall.asking import pause_file

    file = pause_file(_open(ctx))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    print_lines(["paused"])


@click.command("resume")
@click.pass_context
def resume_command(ctx: click.Context) -> None:
    """Ask again what waits."""
    from nestkit.hall.asking import pause_file

    pause_file(_open(ctx)).unlink(missing_ok=True)
    print_lines(["resumed"])


def _install_service(ctx: click.Context, dry_run: bool) -> None:
    from nestkit.hall.obsidian import own_program
    from nestkit.hall.watched import own_service, write_own_service

    service = own_service(_open(ctx), str(own_program()))
    if dry_run:
        print_lines([f"# {service.file}", *service.text.splitlines()])
    else:
        print_lines([f"wrote {service.file}" if write_own_service(service) else f"{service.file} is there already"])
    for line in service.hints:
        hint(line)


def _open(ctx: click.Context) -> Nest:
    nest = open_nest(Path.cwd(), ctx.find_root().obj, say=hint)
    ctx.call_on_close(nest.close)
    return nest
