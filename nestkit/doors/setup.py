"""`nest init`, `nest index`, `nest doctor`, `nest completion`: a vault made ready and looked after. *Disk, Process*."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from nestkit.doors.printing import hint, json_option, print_json, print_lines, progress
from nestkit.nest import open_nest
from nestkit.policy import ENGINES


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--dry-run", is_flag=True, help="Say what would be made; make nothing.")
@click.option("--bases", is_flag=True, help="Also Runs.base and Tools.base, where the folders are there already.")
@click.pass_context
def init_command(ctx: click.Context, folder: Path | None, dry_run: bool, bases: bool) -> None:
    """Make FOLDER (or this one) a nest: a folder for scripts, one for runs, an example script.

    Nothing that is there is changed; twice is the same as once.
    """
    from nestkit.doors.init import init_vault

    made = init_vault((folder or ctx.find_root().obj or Path.cwd()).resolve(), dry_run=dry_run, bases=bases)
    print_lines(f"{'would make' if dry_run else 'made'} {path}" for path in made)
    if not made:
        print_lines(["everything is there already"])
    elif not dry_run:
        hint('next: nest ask "list all notes"')


@click.command("index")
@click.option("--rebuild", is_flag=True, help="Throw the index away first; nothing is lost.")
@json_option
@click.pass_context
def index_command(ctx: click.Context, rebuild: bool, as_json: bool) -> None:
    """Bring the index up to date and say what is in it. Every other command does this by itself."""
    nest = open_nest(Path.cwd(), ctx.find_root().obj, say=hint, rebuild=rebuild)
    ctx.call_on_close(nest.close)
    done = nest.refresh(progress=progress("reading notes"))
    counts = nest.counts()
    if as_json:
        seconds = round(done.seconds, 4)
        print_json(
            {**counts, "changed": done.changed, "removed": done.removed, "seconds": seconds, "file": nest.index_file}
        )
        return
    print_lines([", ".join(f"{number} {name}" for name, number in counts.items())])
    print_lines([f"{done.changed} changed, {done.removed} removed, {done.seconds:.3f} s; kept in {nest.index_file}"])


@click.command("doctor")
@click.option(
    "--attack", is_flag=True, help="Attack the isolation of this machine with all there is (a minute or two)."
)
@click.option("--engine", type=click.Choice(ENGINES), help="With --attack: the engine to attack.")
@click.option("--quick", is_flag=True, help="Try no model.")
@click.option("--all-models", is_flag=True, help="Try every model that Ollama has, which may take minutes.")
@json_option
@click.pass_context
def doctor_command(
    ctx: click.Context, attack: bool, engine: str | None, quick: bool, all_models: bool, as_json: bool
) -> None:
    """What works on this machine: vault, index, isolation, models; and what to do about the rest.

    The model that an ask would take is tried on three small tasks, each of which ends within a minute.
    """
    if engine and not attack:
        raise click.UsageError("--engine is for --attack")
    if attack:
        _attack(ctx, engine or "auto", as_json)
    from nestkit.doors.doctor import Models, examine

    which: Models = "none" if quick else "all" if all_models else "one"
    found = examine(Path.cwd(), ctx.find_root().obj, which, hint)
    if as_json:
        print_json([{"what": f.what, "good": f.good, "finding": f.finding, "hint": f.hint} for f in found])
    else:
        for finding in found:
            print_lines([f"{'ok  ' if finding.good else 'look'}  {finding.what:<10} {finding.finding}"])
            if finding.hint:
                print_lines([f"                 {finding.hint}"])
    ctx.exit(0 if all(f.good or not f.grave for f in found) else 1)


def _attack(ctx: click.Context, engine: str, as_json: bool) -> None:
    from nestkit.doors.attack import draft_battery, plain_battery
    from nestkit.hall.attack import attack_isolation
    from nestkit.hall.engines import own_setup

    battery = attack_isolation(hint, engine, own_setup())
    found = plain_battery(battery)
    if as_json:
        print_json(found)
    else:
        print_lines(draft_battery(battery))
    ctx.exit(0 if found["held"] else 1)


@click.command("setup")
@click.argument("what", type=click.Choice(["wasm"]))
def setup_command(what: str) -> None:
    """Prepare what is not prepared unasked: `wasm` compiles the engine of that name for this machine, once.

    That takes a few minutes of the processor and 2.5 GB of memory; 300 MB are kept in your cache folder.
    """
    from nestkit.hall.engines import prepare_engine

    print_lines([prepare_engine(what, hint)])


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), required=False)
def completion_command(shell: str | None) -> None:
    """Print what makes SHELL complete nest's commands: eval "$(nest completion bash)"."""
    from click.shell_completion import get_completion_class

    from nestkit.doors.cli import nest

    name = shell or Path(os.environ.get("SHELL", "bash")).name
    kind = get_completion_class(name)
    if kind is None:
        raise click.UsageError(f"no completion for {name}; there is one for bash, zsh and fish")
    sys.stdout.write(kind(nest, {}, "nest", "_NEST_COMPLETE").source())
