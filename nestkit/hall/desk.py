"""What the built-in tools stand on: facts from the index, text through the safe door, writes into the stage. *Disk*.

Part of the hall. Every method answers in plain data, sees what the run has staged so far, and notes which notes it
opened (`reads`): the run note lists those, not what a program says it read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nestkit.errors import NestError, NoteExists, NoteMissing, OutsideVault
from nestkit.index import facts, search
from nestkit.index.finder import Finder
from nestkit.index.relink import find_link
from nestkit.index.store import Index
from nestkit.note import Note, title_of
from nestkit.tool import Tool
from nestkit.vault.property import set_property
from nestkit.vault.stage import Stage

if TYPE_CHECKING:
    from nestkit.nest import Nest

Record = dict[str, Any]

_MOST_CHARS = 2_000
"""Longer text is no note's name."""


def open_desk(nest: Nest, stage: Stage) -> Desk:
    """The desk over a vault as of its last refresh, for a run that stages here."""
    tools = nest.registry.tools
    return Desk(
        nest.index,
        stage,
        nest.parse_note,
        tools,
        nest.describe_tool,
        nest.is_private,
        lambda: nest.finder,
        nest.config.runs,
    )


@dataclass(slots=True)
class Desk:
    """The built-in tools' door, one for each run."""

    index: Index
    stage: Stage
    parse: Callable[[str, str], Note]
    tools: Sequence[Tool]
    tell: Callable[[str], str]
    """All that is known of a tool, or of a group of tools, by name."""
    is_private: Callable[[str], bool]
    """Whether a path is hidden from programs, tools and models."""
    finder: Callable[[], Finder]
    """The tools, ready to be asked for; made when somebody asks."""
    runs: str
    """Folder of the runs' notes: an answer never feeds on earlier answers unless it asks for them by name."""
    reads: dict[str, None] = field(default_factory=dict)
    """Paths of the notes opened so far, in order."""

    def is_run(self, path: str) -> bool:
        """Whether this path lies in the runs' folder."""
        return path.startswith(f"{self.runs}/")

    def list_notes(self, tag: str, folder: str, where: Mapping[str, Any]) -> list[Record]:
        asked_for = bool(folder) and self.is_run(f"{folder.strip('/')}/")
        found = facts.list_records(self.index, tag, folder, where, without="" if asked_for else self.runs)
        kept = [self._shown(record) for record in found if not self._replaced(record["path"])]
        staged = facts.records_of(self._staged_notes(), tag, folder, where)
        return self._opened(sorted([*kept, *staged], key=lambda record: str(record["path"])))

    def read_note(self, note: str) -> str:
        path = self._path(note)
        self.reads[path] = None
        return self._text(path)

    def search(self, text: str, limit: int) -> list[Record]:
        hits = search.find_notes(self.index, text, limit, lambda path: not self._left_out(path))
        return self._opened({"path": h.path, "title": h.title, "line": h.line, "snippet": h.snippet} for h in hits)

    def lines(self, text: str) -> list[Record]:
        found = [
            {"path": path, "title": title_of(path), "line": number, "text": line}
            for path, number, line in search.find_lines(self.index, text)
            if not self._replaced(path) and not self.is_run(path)
        ]
        for note in self._staged_notes():
            rows = enumerate(note.body.split("\n"), start=note.body_line)
            matching = [(number, line.strip()) for number, line in rows if text.casefold() in line.casefold()]
            found += [{"path": note.path, "title": note.title, "line": n, "text": line} for n, line in matching]
        return self._opened(found)

    def links(self, note: str) -> list[Record]:
        path = self._path(note)
        self.reads[path] = None
        if path in self.stage.paths():
            parsed = self.parse(path, self._text(path))
            pairs = [(link, self.resolve(link.target, path)) for link in parsed.links]
        else:
            pairs = facts.links_of(self.index, path)
        known = [(link, None if resolved and self.is_private(resolved) else resolved) for link, resolved in pairs]
        return [facts.link_record(link, resolved) for link, resolved in known]

    def backlinks(self, note: str) -> list[Record]:
        found = facts.list_backlinks(self.index, self._path(note))
        return [
            {"source": b.source, "title": title_of(b.source), "count": b.count, "line": b.line}
            for b in found
            if not self._left_out(b.source)
        ]

    def tags(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for record in self.list_notes("", "", {}):
            for tag in record["tags"]:
                counts[tag] = counts.get(tag, 0) + 1
        return dict(sorted(counts.items()))

    def tasks(self, note: str, status: str) -> list[Record]:
        path = self._path(note) if note else ""
        found = [
            (source, task)
            for source, task in facts.list_tasks(self.index, path)
            if not self._replaced(source) and (path or not self.is_run(source))
        ]
        found += [(n.path, task) for n in self._staged_notes() if path in ("", n.path) for task in n.tasks]
        records = [facts.task_record(source, task) for source, task in found]
        wanted: Callable[[Record], bool] = {
            "open": lambda task: not task["complete"] and task["status"] != "-",
            "done": lambda task: bool(task["complete"]),
        }.get(status, lambda task: True)
        return self._opened(sorted(filter(wanted, records), key=lambda task: (task["path"], task["line"])))

    def properties(self, note: str) -> dict[str, Any]:
        if note:
            path = self._path(note)
            self.reads[path] = None
            return dict(self.parse(path, self._text(path)).properties or {})
        counts: dict[str, int] = {}
        for record in self.list_notes("", "", {}):
            for name in record["properties"]:
                counts[name] = counts.get(name, 0) + 1
        return dict(sorted(counts.items()))

    def resolve(self, link: str, source: str) -> str | None:
        target = link.partition("|")[0].partition("#")[0].strip()
        found = find_link(self.index, source, target).dest
        return None if found is None or self.is_private(found.path) else found.path

    def find_path(self, note: str) -> str | None:
        """The path of the note that a name or link means, from the vault's root; None when there is none."""
        if len(note) > _MOST_CHARS:
            return None
        target = note.strip().removeprefix("!").removeprefix("[[").removesuffix("]]")
        return self.resolve(target, "") if target.strip() else None

    def write_note(self, path: str, text: str, overwrite: bool) -> str:
        path = self._new_path(path)
        if self.stage.read(path) is not None and not overwrite:
            raise NoteExists(f"{path} is already there", "pass overwrite=True, or choose another name")
        self.stage.write(path, text.encode())
        return path

    def append_note(self, note: str, text: str) -> str:
        path = self._path(note)
        before = self._text(path)
        newline = "\r\n" if "\r\n" in before else "\n"
        gap = "" if not before or before.endswith(("\n", "\r")) else newline
        self.stage.write(path, (before + gap + text.rstrip("\n").replace("\n", newline) + newline).encode())
        return path

    def set_property(self, note: str, name: str, value: Any) -> str:
        path = self._path(note)
        self.stage.write(path, set_property(self._text(path), name, value).encode())
        return path

    def move_note(self, note: str, path: str) -> str:
        path = self._new_path(path)
        if self.stage.read(path) is not None:
            raise NoteExists(f"{path} is already there", "choose another name")
        self.stage.move(self._path(note), path)
        return path

    def find_tools(self, text: str) -> list[dict[str, str]]:
        found = self.finder().find(text)
        return [{"name": tool.name, "signature": tool.signature, "summary": tool.summary} for tool in found]

    def describe(self, name: str) -> str:
        return self.tell(name)

    def _path(self, note: str) -> str:
        """The path of a note by name or path; a private note is not there at all."""
        for staged in self.stage.paths():
            if note in (staged, title_of(staged)) and self.stage.read(staged) is not None:
                return staged
        path = facts.get_path(self.index, note, self.is_private)
        if self.is_private(path):
            raise NoteMissing(f"no note called {note!r}", facts.nearest_hint(self.index, note, self.is_private))
        return path

    def _new_path(self, path: str) -> str:
        """The path of a note to be written. Raises OutsideVault for a private one: what is there would be shown."""
        path = _as_note(path)
        if self.is_private(path):
            raise OutsideVault(f"{path} is private", "choose another place; what is private is a person's to write")
        return path

    def _text(self, path: str) -> str:
        content = self.stage.read(path)
        if content is None:
            raise NoteMissing(f"{path} is not there any more")
        try:
            return content.decode("utf-8")
        except UnicodeDecodeError:
            raise NestError(f"{path} is not UTF-8 text", "open it in an editor and save it as UTF-8") from None

    def _left_out(self, path: str) -> bool:
        """Whether this path is nothing that the vault says of itself."""
        return self.is_private(path) or self.is_run(path)

    def _shown(self, record: Record) -> Record:
        """The record without links to private notes."""
        return {**record, "links": [path for path in record["links"] if not self.is_private(path)]}

    def _replaced(self, path: str) -> bool:
        """Whether the index's knowledge of this path does not count: private, or staged otherwise."""
        return self.is_private(path) or path in self.stage.paths()

    def _staged_notes(self) -> list[Note]:
        return [
            self.parse(path, self._text(path))
            for path in self.stage.paths()
            if path.endswith(".md") and self.stage.read(path) is not None
        ]

    def _opened(self, records: Iterable[Record]) -> list[Record]:
        found = list(records)
        self.reads.update(dict.fromkeys(str(record["path"]) for record in found))
        return found


def _as_note(path: str) -> str:
    return path if path.lower().endswith((".md", ".canvas")) else f"{path}.md"
