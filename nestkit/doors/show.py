"""`nest show`, `nest resolve`, `nest find`: facts of the index, for people and, with --json, for programs. *Disk*."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from nestkit.doors.machine import has_styles
from nestkit.doors.printing import json_option, open_here, print_json, print_lines
from nestkit.nest import Nest
from nestkit.visible import visible


@click.group("show")
def show_command() -> None:
    """Facts of a note or of the vault, exactly as Obsidian sees them.

    NOTE is a path or a name. With --json the shapes are stable.
    """


def _fact(name: str, text: str, ask: Callable[[Nest, str], Any], draft: Callable[[Any], str], required: bool) -> None:
    """One `nest show NAME [NOTE]` whose fact is a list, printed a line an item."""

    @show_command.command(name, help=text)
    @click.argument("note", required=required, default=None if required else "")
    @json_option
    @click.pass_context
    def command(ctx: click.Context, note: str, as_json: bool) -> None:
        nest = open_here(ctx)
        found = ask(nest, nest.path_of(note) if note else "")
        if as_json:
            print_json(found)
        else:
            print_lines(map(draft, found.items() if isinstance(found, dict) else found or ()))


def _link_line(link: dict[str, Any]) -> str:
    subpath = f"#^{link['block']}" if link["block"] else "".join(f"#{part}" for part in link["heading"] or ())
    alias = f" as {link['alias']}" if link["alias"] else ""
    where = f" in property {link['property']}" if "property" in link else f" on line {link['line']}"
    return f"{'!' if link['embed'] else ''}{link['target']}{subpath}{alias} -> {link['resolved'] or 'nowhere'}{where}"


def _task_line(task: dict[str, Any]) -> str:
    return f"[{task['status']}] {task['text']}  ({task['path']}:{task['line']})"


_FACTS: tuple[tuple[str, str, Callable[[Nest, str], Any], Callable[[Any], str], bool], ...] = (
    ("links", "Links of NOTE, in order, and where each leads.", Nest.links, _link_line, True),
    ("embeds", "Embeds of NOTE, in order, and where each leads.", Nest.embeds, _link_line, True),
    (
        "backlinks",
        "Notes that link to NOTE, with the line of the first link.",
        Nest.backlinks,
        lambda b: f"{b['count']:>3}  {b['source']}:{b['line']}: {b['context']}",
        True,
    ),
    ("tags", "Tags of NOTE; without it, all tags with counts.", Nest.tags, lambda t: _pair(t), False),
    (
        "properties",
        "Properties of NOTE; without it, all names with counts.",
        Nest.properties,
        lambda p: _pair(p),
        False,
    ),
    ("headings", "Headings of NOTE.", Nest.headings, lambda h: f"{'#' * h['level']} {h['text']}  ({h['line']})", True),
    ("blocks", "Block ids of NOTE.", Nest.blocks, lambda block: f"^{block}", True),
    ("aliases", "Aliases of NOTE.", Nest.aliases, str, True),
    ("tasks", "Tasks of NOTE; without it, of the vault.", Nest.tasks, _task_line, False),
    ("fields", "Inline fields of NOTE.", Nest.fields, lambda field: f"{field[0]}: {field[1]}", True),
    ("problems", "Problems of NOTE; without it, of the vault.", Nest.problems, lambda p: p["text"], False),
    (
        "unresolved",
        "Links that lead nowhere.",
        lambda n, _: n.unresolved(),
        lambda u: f"{u['source']}: {u['target']}",
        False,
    ),
    (
        "ambiguous",
        "Links that several files answer to.",
        lambda n, _: n.ambiguous(),
        lambda a: f"{a['source']}:{a['line']}: {a['target']} -> {a['resolved']}, also {', '.join(a['others'])}",
        False,
    ),
    ("orphans", "Notes that no other note links to.", lambda n, _: n.orphans(), str, False),
    ("deadends", "Notes whose links lead to no other file.", lambda n, _: n.deadends(), str, False),
    (
        "components",
        "Connected parts of the vault, the largest first.",
        lambda n, _: n.components(),
        lambda c: f"{c['size']:>5}  {', '.join(c['paths'][:3])}{', ...' if c['size'] > 3 else ''}",
        False,
    ),
)
"""Name, help, question to the hall, line of a person's answer, whether NOTE must be given."""


def _pair(item: Any) -> str:
    return f"{item[0]}: {item[1]}" if isinstance(item, tuple) else str(item)


for _row in _FACTS:
    _fact(*_row)


@show_command.command("notes")
@click.option("--tag", default="", help="With this tag or one nested below it.")
@click.option("--folder", default="", help="In this folder or below it.")
@click.option("--where", multiple=True, metavar="NAME=VALUE", help="Whose property has this value; may be repeated.")
@json_option
@click.pass_context
def notes(ctx: click.Context, tag: str, folder: str, where: tuple[str, ...], as_json: bool) -> None:
    """Paths of the notes, all or some."""
    wanted = {}
    for condition in where:
        name, equals, value = condition.partition("=")
        if not equals:
            raise click.UsageError(f"--where takes NAME=VALUE, not {condition!r}")
        wanted[name] = value
    found = open_here(ctx).notes(tag, folder, wanted)
    print_json(found) if as_json else print_lines(found)


@show_command.command("kind")
@click.argument("note")
@click.argument("name")
@json_option
@click.pass_context
def kind(ctx: click.Context, note: str, name: str, as_json: bool) -> None:
    """Kind of a property of NOTE.

    One of text, list, number, checkbox, date, datetime, empty, object.
    """
    nest = open_here(ctx)
    found = nest.property_kind(nest.path_of(note), name)
    print_json(found) if as_json else print_lines([found or "no such property"])


@show_command.command("section")
@click.argument("note")
@click.argument("subpath")
@json_option
@click.pass_context
def section(ctx: click.Context, note: str, subpath: str, as_json: bool) -> None:
    """The heading or block that SUBPATH leads to in NOTE.

    SUBPATH is #Heading, #A#B or #^id.
    """
    nest = open_here(ctx)
    found = nest.section(nest.path_of(note), subpath)
    if as_json:
        print_json(found)
    elif found is None:
        print_lines(["no such section"])
    else:
        print_lines([f"{found['type']} on line {found['line']}: {found.get('text') or found.get('id')}"])


@show_command.command("neighbours")
@click.argument("note")
@click.option("--depth", default=1, show_default=True, type=click.IntRange(1), help="How many links away at the most.")
@json_option
@click.pass_context
def neighbours(ctx: click.Context, note: str, depth: int, as_json: bool) -> None:
    """Files that links join with NOTE, either direction."""
    nest = open_here(ctx)
    found = nest.neighbours(nest.path_of(note), depth)
    print_json(found) if as_json else print_lines(f"{near['distance']:>3}  {near['path']}" for near in found)


@show_command.command("path")
@click.argument("start", metavar="FROM")
@click.argument("goal", metavar="TO")
@json_option
@click.pass_context
def path(ctx: click.Context, start: str, goal: str, as_json: bool) -> None:
    """The shortest way from FROM to TO by links.

    Links count in either direction; of equals the first by alphabet.
    """
    nest = open_here(ctx)
    found = nest.path_between(nest.path_of(start), nest.path_of(goal))
    if as_json:
        print_json(found)
    else:
        print_lines(map(_step_line, found) if found else ["no links join the two"])


_ARROWS = {"out": "-> ", "in": "<- ", "both": "<-> ", None: ""}


def _step_line(step: dict[str, Any]) -> str:
    return f"{_ARROWS[step['direction']]}{step['path']}"


@show_command.command("linked")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1_000_000), help="How many at the most.")
@json_option
@click.pass_context
def linked(ctx: click.Context, limit: int, as_json: bool) -> None:
    """The files that most others link to."""
    found = open_here(ctx).linked(limit)
    print_json(found) if as_json else print_lines(f"{file['sources']:>5}  {file['path']}" for file in found)


@click.command("resolve")
@click.argument("source", metavar="FROM")
@click.argument("link")
@json_option
@click.pass_context
def resolve_command(ctx: click.Context, source: str, link: str, as_json: bool) -> None:
    """The file that LINK, written in the note FROM, leads to."""
    found = open_here(ctx).resolve(source, link)
    print_json(found) if as_json else print_lines([found or "nowhere"])


@click.command("find", context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, metavar="QUERY")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="How many at the most.")
@json_option
@click.pass_context
def find_command(ctx: click.Context, words: tuple[str, ...], limit: int, as_json: bool) -> None:
    """Notes that match, best first.

    Words must all occur; "a phrase", prefix*, -not, and filters: tag:work path:Projects task:open heading:log
    created:2026-03 modified:>2026-01-01 status=active rating>=4.
    """
    nest = open_here(ctx)
    query = " ".join(words)
    hits = nest.find(query, limit)
    if as_json:
        print_json(hits)
        return
    for hit in hits:
        click.echo(_hit_line(hit, lambda text: _marked(text, nest.matched_spans(query, text))))


def _hit_line(hit: dict[str, Any], mark: Callable[[str], str]) -> str:
    """Where a hit is and what it says."""
    folder, slash, name = hit["path"].rpartition("/")
    if "typo" in hit:
        return visible(f"{hit['path']}: a name like it")
    return f"{visible(folder + slash)}{mark(name)}:{hit['line']}: {mark(hit['snippet'])}"


def _marked(text: str, spans: list[tuple[int, int]]) -> str:
    """The text with these parts in bold, on a terminal; none of its own characters can give orders to it."""
    marked, done = "", 0
    for begin, end in spans if has_styles() else ():
        marked += visible(text[done:begin]) + click.style(visible(text[begin:end]), bold=True)
        done = end
    return marked + visible(text[done:])
