"""The vault's own tools: notes, tasks, links, tags and properties for programs.

nest reads this script the way it reads yours and lists it in the same registry. Its functions run in nest itself, on
the index, so they take one thing yours do not: `_vault`, the door that the broker fills in. What they write is staged
and reaches the vault only when the run has succeeded. *Pure*: all work is behind the door.
"""

from __future__ import annotations

from typing import Any, Literal

Records = list[dict[str, Any]]

WRITERS = ("write_note", "append_note", "set_property", "move_note")
"""The functions that stage; their code cannot show it, since they only ask the door."""


def list_notes(tag: str = "", folder: str = "", where: dict[str, Any] | None = None, *, _vault: Any = None) -> Records:
    """Notes as records, sorted by path.

    Args:
        tag: Only notes with this tag or one nested below it.
        folder: Only notes in this folder or below it.
        where: Only notes whose properties equal these values; a list property matches when it contains the value.

    Returns:
        Records with path, title, folder, tags, aliases, properties, fields, links, modified and size.
    """
    found: Records = _vault.list_notes(tag=tag, folder=folder, where=where or {})
    return found


def read_note(note: str, *, _vault: Any = None) -> str:
    """The whole text of a note.

    Args:
        note: Name or path of the note.
    """
    text: str = _vault.read_note(note)
    return text


def search(text: str, limit: int = 20, *, _vault: Any = None) -> Records:
    """Notes whose text matches the words, best first.

    Args:
        text: Words, "a phrase", or filters such as tag:work.
        limit: How many at the most.

    Returns:
        Records with path, title, line and snippet.
    """
    hits: Records = _vault.search(text, limit)
    return hits


def lines(text: str, *, _vault: Any = None) -> Records:
    """Every line of every note that contains this text, letter case ignored.

    Args:
        text: The text to look for.

    Returns:
        Records with path, title, line and text.
    """
    found: Records = _vault.lines(text)
    return found


def links(note: str, *, _vault: Any = None) -> Records:
    """Links and embeds of a note, in order.

    Args:
        note: Name or path of the note.

    Returns:
        Records with target, resolved, heading, block, alias, embed and line.
    """
    found: Records = _vault.links(note)
    return found


def backlinks(note: str, *, _vault: Any = None) -> Records:
    """Notes that link to a note.

    Args:
        note: Name or path of the note.

    Returns:
        Records with source, title, count and line.
    """
    found: Records = _vault.backlinks(note)
    return found


def tags(*, _vault: Any = None) -> dict[str, int]:
    """Every tag of the vault with the number of notes that carry it."""
    counts: dict[str, int] = _vault.tags()
    return counts


def tasks(note: str = "", status: Literal["any", "open", "done"] = "any", *, _vault: Any = None) -> Records:
    """Tasks of the vault or of one note, in order of path and line.

    Args:
        note: Only tasks of this note.
        status: "open" for unfinished tasks, "done" for completed ones ([x]).

    Returns:
        Records with path, title, line, status, done, text, tags, fields (due, scheduled, owner, ...) and parent_line.
    """
    found: Records = _vault.tasks(note=note, status=status)
    return found


def properties(note: str = "", *, _vault: Any = None) -> dict[str, Any]:
    """Properties of one note; without a note, every property name with the number of notes that have it.

    Args:
        note: Name or path of the note.
    """
    found: dict[str, Any] = _vault.properties(note)
    return found


def resolve(link: str, source: str = "", *, _vault: Any = None) -> str | None:
    """The path a link leads to, by Obsidian's rules, or None.

    Args:
        link: What stands between the brackets.
        source: The note the link stands in.
    """
    path: str | None = _vault.resolve(link, source)
    return path


def write_note(path: str, text: str, overwrite: bool = False, *, _vault: Any = None) -> str:
    """Stage a note; it is written when the run succeeds.

    Args:
        path: Vault path of the note; `.md` is added when missing.
        text: The whole text.
        overwrite: Replace a note that is already there.

    Returns:
        The path.
    """
    written: str = _vault.write_note(path, text, overwrite)
    return written


def append_note(note: str, text: str, *, _vault: Any = None) -> str:
    """Stage text at the end of a note.

    Args:
        note: Name or path of the note.
        text: What to add, on lines of its own.

    Returns:
        The path.
    """
    written: str = _vault.append_note(note, text)
    return written


def set_property(note: str, name: str, value: Any, *, _vault: Any = None) -> str:
    """Stage one property of a note; every other byte of the note stays as it is.

    Args:
        note: Name or path of the note.
        name: Name of the property.
        value: Text, number, true or false, a list of these, or None to leave it empty.

    Returns:
        The path.
    """
    written: str = _vault.set_property(note, name, value)
    return written


def move_note(note: str, path: str, *, _vault: Any = None) -> str:
    """Stage the move of a note to another path; links to it are not rewritten.

    Args:
        note: Name or path of the note.
        path: Its new vault path.

    Returns:
        The new path.
    """
    written: str = _vault.move_note(note, path)
    return written


def find_tools(text: str, *, _vault: Any = None) -> list[dict[str, str]]:
    """Tools that fit a description, best first.

    Args:
        text: What the tool should do.

    Returns:
        Records with name, signature and summary.
    """
    found: list[dict[str, str]] = _vault.find_tools(text)
    return found


def describe(name: str, *, _vault: Any = None) -> str:
    """All that is known of one tool: signature, parameters, examples, effects.

    Args:
        name: Name of the tool.
    """
    text: str = _vault.describe(name)
    return text
