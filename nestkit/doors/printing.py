"""What every door prints alike: JSON, lines, progress, with nothing in them that a terminal would obey. *Disk*."""

from __future__ import annotations

import base64
import json
import math
import sys
from collections.abc import Callable, Iterable, Mapping, Set
from pathlib import Path
from typing import Any

import click

from nestkit.nest import Nest, open_nest
from nestkit.policy import ENGINES
from nestkit.visible import visible

engine_option = click.option(
    "--engine", type=click.Choice(ENGINES), help="What isolates programs; `nest doctor` lists what is here."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def open_here(ctx: click.Context, *, to_write: bool = False) -> Nest:
    """The nest this command works in, refreshed; `to_write` wants a folder that is marked as a vault."""
    nest = open_nest(Path.cwd(), ctx.find_root().obj, say=hint, to_write=to_write)
    ctx.call_on_close(nest.close)
    nest.refresh(progress=progress("reading notes"))
    if to_write and nest.temps:
        from nestkit.hall.upkeep import clear_left_behind  # late: there is hardly ever anything

        clear_left_behind(nest)
    return nest


def plain(value: Any) -> Any:
    """A tool's value as JSON has it: dates and decimals as text, sets as lists in order, records as objects, bytes as
    base64, keys as text. Numbers that JSON lacks (`nan`, `inf`) are text too."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(plain(key)): plain(held) for key, held in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Set):
        return sorted(map(plain, value), key=_order)
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _order(item: Any) -> tuple[str, Any]:
    """What plain values of different kinds are sorted by."""
    return type(item).__name__, item if isinstance(item, (str, int, float)) else json.dumps(item)


def print_json(value: Any) -> None:
    """One JSON value on stdout, every character of it visible: what a terminal would obey is escaped."""
    text = json.dumps(value, ensure_ascii=False, indent=None if isinstance(value, str) else 2, default=str)
    if not text.isascii():
        text = "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
    click.echo(text.replace("\x7f", "\\u007f"))


def print_lines(lines: Iterable[str]) -> None:
    """Lines on stdout; control and direction characters are shown, not sent."""
    for line in lines:
        click.echo(visible(line))


def note_place(vault: str, path: str, how: str) -> str:
    """A note as something that leads to it: its `path`, a `link`, or the `uri` that opens it in the app from anywhere.

    **Source**: help.obsidian.md, "Obsidian URI".
    """
    from urllib.parse import quote  # late: few commands print an address

    name = path.removesuffix(".md")
    if how == "uri":
        return f"obsidian://open?vault={quote(vault, safe='')}&file={quote(name, safe='')}"
    return f"[[{name}]]" if how == "link" else path


def hint(line: str) -> None:
    """One line on stderr, for the person only; where there is no room for it, the work goes on without."""
    try:
        click.echo(visible(line), err=True)
    except BrokenPipeError:
        raise
    except OSError:
        pass


def progress(what: str) -> Callable[[int, int], None]:
    """A counter on stderr for long work; silent unless stderr is a terminal, gone when the work is done."""
    if not sys.stderr.isatty():
        return lambda done, total: None

    def show(done: int, total: int) -> None:
        if total < 50:
            return
        if done >= total:
            click.echo("\r\x1b[K", err=True, nl=False)
        elif done % 20 == 0:
            filled = "█" * (20 * done // total)
            click.echo(f"\r{what} {filled:<20} {done}/{total}", err=True, nl=False)

    return show
