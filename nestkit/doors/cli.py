"""Words of a command line, in; the hall called, its answer printed, an exit code, out. *Disk, Process, Network*.

Each command lives in a file of its own that is loaded when the command is typed, so that `nest --version` and a
shell's completion stay quick.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from nestkit import __version__
from nestkit.doors.machine import close_stdout, explain, find_unreadable, leave_stderr, open_streams
from nestkit.errors import NestError

_COMMANDS = {
    "ask": ("nestkit.doors.ask", "Ask a question; the answer comes back as a linked note."),
    "find": ("nestkit.doors.show", "Search names and text."),
    "show": ("nestkit.doors.show", "Facts of a note or of the vault: links, tags, tasks, problems..."),
    "resolve": ("nestkit.doors.show", "Where a link would lead."),
    "prompt": ("nestkit.doors.prompt", "What a model would be sent for an ask."),
    "tools": ("nestkit.doors.tools", "The tools your scripts offer; show or check one."),
    "call": ("nestkit.doors.call", "Call one tool."),
    "trust": ("nestkit.doors.trust", "Give a tool leave for more than reading; list and take back what you gave."),
    "runs": ("nestkit.doors.runs", "Runs so far; show one."),
    "replay": ("nestkit.doors.replay", "Run an earlier run once more: over what was recorded, or on today's vault."),
    "diff": ("nestkit.doors.diff", "What tells two runs apart."),
    "promote": ("nestkit.doors.promote", "Keep the program of a run as a script, a tool like any other."),
    "export": ("nestkit.doors.export", "Print runs as conversations, for training or judging models."),
    "watch": ("nestkit.doors.watch", "Ask what notes ask: blocks, tasks, properties; once or all the time."),
    "why": ("nestkit.doors.watch", "What asks in a note, what was skipped, and why."),
    "status": ("nestkit.doors.watch", "Whether this vault is watched, what waits, what went wrong."),
    "pause": ("nestkit.doors.watch", "Ask nothing until `nest resume`."),
    "resume": ("nestkit.doors.watch", "Ask again what waits."),
    "obsidian": ("nestkit.doors.obsidian", "nest's commands in Obsidian's palette: install, status, uninstall."),
    "review": ("nestkit.doors.review", "Runs that wait for you: show, approve or reject one."),
    "undo": ("nestkit.doors.runs", "Take back what a run changed."),
    "index": ("nestkit.doors.setup", "Bring the index up to date and say what is in it."),
    "init": ("nestkit.doors.setup", "Make a folder a nest; nothing that is there is touched."),
    "doctor": ("nestkit.doors.setup", "What works on this machine, and what to do about the rest."),
    "setup": ("nestkit.doors.setup", "Prepare an engine that needs it: wasm."),
    "completion": ("nestkit.doors.setup", "Print what makes your shell complete nest's commands."),
}
"""Command -> module that holds it, and its line in the help."""

BUG_EXIT = 70
"""A fault of ours (EX_SOFTWARE of sysexits.h)."""


class NestGroup(click.Group):
    """The commands of the table above, each loaded when it is needed."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, vault_first(args))

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(_COMMANDS[name][0]), f"{name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches  # late: only a wrong word pays for it

            near = get_close_matches(args[0], _COMMANDS, n=1)
            advice = f"Did you mean {near[0]!r}?" if near else "`nest --help` lists the commands."
            raise click.UsageError(f"{error.message.split(' Did you')[0]} {advice}", ctx) from None


@click.group(cls=NestGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="nest")
@click.option(
    "--vault",
    "-C",
    envvar="NEST_VAULT",
    type=click.Path(path_type=Path),
    help="The vault's folder; otherwise the nearest one from here upwards.",
)
@click.pass_context
def nest(ctx: click.Context, vault: Path | None) -> None:
    """Ask your notes, by way of your own scripts.

    A vault of markdown notes is the data, the scripts in its 02_System/ folder are the library. Start with
    `nest init`, then `nest ask "list the notes tagged #idea"`.
    """
    ctx.obj = vault


def vault_first(words: list[str]) -> list[str]:
    """The words with `--vault DIR` at the front, wherever it was typed; after `call` the words are the tool's."""
    if "call" in words[:3]:
        return words
    for place, word in enumerate(words):
        if word == "--":
            break
        if word in ("--vault", "-C") and place + 1 < len(words):
            return [word, words[place + 1], *words[:place], *words[place + 2 :]]
        if word.startswith("--vault="):
            return [word, *words[:place], *words[place + 1 :]]
    return words


def main(arguments: Sequence[str] | None = None) -> None:
    """The command `nest`: runs, then leaves with the exit code of the design."""
    open_streams()
    try:
        code = nest.main(_readable(sys.argv[1:] if arguments is None else arguments), "nest", standalone_mode=False)
    except NestError as error:
        code = _say(str(error), error.hint, error.exit_code)
    except click.exceptions.Abort:
        code = _say("interrupted", "", 130)
    except KeyboardInterrupt:
        code = _say("interrupted", "", 130)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except BrokenPipeError:
        close_stdout()  # as in `nest show notes | head`
        code = 0
    except Exception as error:
        code = _say_trouble(error)
    leave_stderr()
    sys.exit(code if isinstance(code, int) else 0)


def _readable(words: Sequence[str]) -> list[str]:
    """The words, all of them text; raises UsageError."""
    if odd := find_unreadable(words):
        raise click.UsageError(f"no UTF-8 text: {odd[:60]}")
    return list(words)


def _say(what: str, hint: str, code: int) -> int:
    click.echo(f"nest: {what}", err=True)
    if hint:
        click.echo(f"      {hint}", err=True)
    return code


def _say_trouble(error: Exception) -> int:
    """What the machine refused, in one line; anything else is a bug."""
    if (told := explain(error)) is None:
        return _say_bug(error)
    if isinstance(error, OSError) and error.filename is None:
        close_stdout()  # what was printed last may not have fitted
    return _say(*told, 1)


def _say_bug(error: Exception) -> int:
    """Keep the traceback in a log and say where: a person should never have to read one."""
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile("w", prefix="nest-bug-", suffix=".log", delete=False) as log:
            log.write(text)
    except OSError:
        click.echo(text, err=True)
        return _say(f"a bug of ours: {error}", "the lines above say where", BUG_EXIT)
    return _say(f"a bug of ours: {type(error).__name__}: {error}", f"please report it with {log.name}", BUG_EXIT)
