"""Words for notes: what the parser hands out and the index keeps. *Pure*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nestkit.link import Link


@dataclass(frozen=True, slots=True)
class Problem:
    """A broken note, script or setting; reported, never raised, and the rest goes on."""

    path: str
    line: int
    """Counted from 1; 0 when it concerns the whole file."""
    what: str
    """One sentence a person can act on."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" if self.line else f"{self.path}: {self.what}"


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    text: str
    """Without marks and closing hashes; inline markup as written."""
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list item, table or quote that carries an id."""

    id: str
    line: int
    """First line of the block itself, not of an id that stands below it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A Dataview inline field, `key:: value`."""

    key: str
    """As written, without markup."""
    canonical: str
    """Lower case, blanks as dashes: what Dataview lets you ask for."""
    value: Any
    """str, int, float, bool, None or a list of these; dates and links stay text."""
    line: int


@dataclass(frozen=True, slots=True)
class Task:
    status: str
    """The character between the brackets."""
    text: str
    """The words after the brackets, first line only."""
    line: int
    parent_line: int | None = None
    """Line of the list item it is nested in."""
    tags: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    """Inline fields on the task, and the Tasks plugin's marks as due, scheduled, start, done, created, priority."""

    @property
    def done(self) -> bool:
        """Obsidian's reading: any character but a blank is checked (obsidian-api, ListItemCache.task)."""
        return self.status != " "

    @property
    def complete(self) -> bool:
        """The Tasks plugin's reading: only x and X are complete."""
        return self.status in ("x", "X")


@dataclass(frozen=True, slots=True)
class Note:
    """Everything one file says, read without looking at any other."""

    path: str
    """Vault-relative, `/` between parts, the name as stored on disk."""
    properties: Mapping[str, Any] | None = None
    """YAML 1.2 values, dates as text; None when there is no valid block."""
    tags: tuple[str, ...] = ()
    """Without `#`, first spelling kept, each once: properties and body."""
    aliases: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    """Links and embeds in document order, property links last."""
    headings: tuple[Heading, ...] = ()
    blocks: tuple[Block, ...] = ()
    tasks: tuple[Task, ...] = ()
    fields: tuple[Field, ...] = ()
    """The note's own inline fields; those of tasks stay with the task."""
    problems: tuple[Problem, ...] = ()
    body: str = ""
    """Text after the frontmatter, newlines as `\\n`."""
    body_line: int = 1
    """Line of the file on which the body begins."""

    @property
    def title(self) -> str:
        """The file's name without `.md`: in Obsidian a note is called what its file is called."""
        return title_of(self.path)

    @property
    def folder(self) -> str:
        """Vault-relative, empty at the root."""
        return self.path.rpartition("/")[0]


def title_of(path: str) -> str:
    """The name Obsidian shows for a path: the last part, less `.md`."""
    name = path.rpartition("/")[2]
    return name[:-3] if name.lower().endswith(".md") else name


@dataclass(frozen=True, slots=True)
class Hit:
    """One result of a search."""

    path: str
    title: str
    line: int
    """Line of the first match in the file; 1 when only the name matched."""
    snippet: str
    """That line, shortened."""
    score: float
    """Higher is better; comparable within one search only."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the vault can be asked about: the words the planner and the prompt may use."""

    titles: Mapping[str, str] = field(default_factory=dict)
    """Path -> title of every note; aliases are in `aliases`."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Alias -> path."""
    folders: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    properties: Mapping[str, PropertyWords] = field(default_factory=dict)
    """Property name as first spelled -> what it holds across the vault."""
    task_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Canonical field name on tasks -> the distinct values seen, as text."""
    fields: Mapping[str, PropertyWords] = field(default_factory=dict)
    """Inline fields of notes, by canonical name."""


@dataclass(frozen=True, slots=True)
class PropertyWords:
    """What one property holds across the vault."""

    kinds: tuple[str, ...]
    """Kinds seen, most frequent first: text, list, number, checkbox, date, datetime, empty, object."""
    values: tuple[str, ...]
    """Distinct text values and list items (links as their target), most frequent first; the first 500."""
    count: int
    """Notes that carry it."""
