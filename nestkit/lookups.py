"""The vault's facts as plain data, for every door that shows them. Part of the hall. *Disk*, reading only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nestkit.index import facts, search
from nestkit.index.relink import find_link
from nestkit.index.store import Index
from nestkit.parse.kind import parse_kinds, property_kind
from nestkit.parse.link import split_link
from nestkit.parse.subpath import find_section


class Lookups:
    """Facts of one vault. A note is named by its path; `path_of` finds it."""

    index: Index
    root: Path

    def path_of(self, note: str) -> str:
        """The path of a note given by path or name; raises NoteMissing with the nearest names."""
        return facts.get_path(self.index, note.removeprefix("./"))

    def links(self, path: str) -> list[dict[str, Any]]:
        """`{target, heading, block, alias, embed, resolved, line, property?}` in order, property links last."""
        return [facts.link_record(link, resolved) for link, resolved in facts.links_of(self.index, path)]

    def embeds(self, path: str) -> list[dict[str, Any]]:
        """The same of embeds only."""
        return [link for link in self.links(path) if link["embed"]]

    def backlinks(self, path: str) -> list[dict[str, Any]]:
        """`{source, count, line}`, by source."""
        return [asdict(backlink) for backlink in facts.list_backlinks(self.index, path)]

    def tags(self, path: str = "") -> list[str] | dict[str, int]:
        """Tags of a note; of the vault, with the number of notes that carry each."""
        return list(facts.get_note(self.index, path).tags) if path else facts.count_tags(self.index)

    def properties(self, path: str = "") -> dict[str, Any] | None:
        """Properties of a note, None without a valid block; of the vault, names with counts."""
        if not path:
            return facts.count_properties(self.index)
        found = facts.get_note(self.index, path).properties
        return None if found is None else dict(found)

    def property_kind(self, path: str, name: str) -> str | None:
        """text, list, number, checkbox, date, datetime, empty or object; None when the note has no such property."""
        found = facts.get_note(self.index, path).properties or {}
        return property_kind(name, found[name], self.kinds()) if name in found else None

    def kinds(self) -> Mapping[str, str]:
        """Property name -> kind, as the app's `types.json` says; empty when there is none that can be read."""
        try:
            return parse_kinds((self.root / ".obsidian/types.json").read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            return {}

    def headings(self, path: str) -> list[dict[str, Any]]:
        """`{level, text, line}`."""
        return [asdict(heading) for heading in facts.get_note(self.index, path).headings]

    def section(self, path: str, subpath: str) -> dict[str, Any] | None:
        """`{type: heading or block, line, ...}` of what a subpath leads to."""
        found = find_section(facts.get_note(self.index, path), subpath)
        return None if found is None else dict(found)

    def blocks(self, path: str) -> list[str]:
        """Ids of the blocks."""
        return [block.id for block in facts.get_note(self.index, path).blocks]

    def aliases(self, path: str) -> list[str]:
        return list(facts.get_note(self.index, path).aliases)

    def tasks(self, path: str = "") -> list[dict[str, Any]]:
        """`{path, title, line, parent_line, status, done, complete, text, tags, fields}`."""
        return [facts.task_record(source, task) for source, task in facts.list_tasks(self.index, path)]

    def fields(self, path: str) -> dict[str, list[Any]]:
        """Canonical name -> values of the note's own inline fields."""
        return facts.fields_by_name(asdict(field) for field in facts.get_note(self.index, path).fields)

    def problems(self, path: str = "") -> list[dict[str, Any]]:
        """`{path, line, what, text}`; the text is all of it on one line."""
        found = facts.list_problems(self.index, path)
        return [{**asdict(problem), "text": str(problem)} for problem in found]

    def notes(self, tag: str = "", folder: str = "", where: Mapping[str, Any] | None = None) -> list[str]:
        """Paths, sorted."""
        if not (tag or folder or where):
            return facts.list_paths(self.index)
        return [record["path"] for record in facts.list_records(self.index, tag, folder, where)]

    def unresolved(self) -> list[dict[str, Any]]:
        """`{source, target, count, line}`."""
        return [asdict(link) for link in facts.list_unresolved(self.index)]

    def ambiguous(self) -> list[dict[str, Any]]:
        """`{source, target, line, resolved, others}`."""
        return facts.list_ambiguous(self.index)

    def orphans(self) -> list[str]:
        """Paths of notes that no other note links to."""
        return facts.list_orphans(self.index)

    def resolve(self, source: str, link: str) -> str | None:
        """The path a link leads to when written in `source`."""
        target = split_link(link)[0]
        found = find_link(self.index, source, target).dest
        return found.path if found else None

    def resolves_only_to(self, name: str, path: str) -> bool:
        """Whether a link of this name, from anywhere, leads to this file and could lead to no other."""
        found = find_link(self.index, "", name)
        return found.dest is not None and found.dest.path == path and not found.others

    def find(self, query: str, limit: int = 20) -> list[dict[str, Any]]:
        """`{path, title, line, snippet, score}`, best first."""
        return [asdict(hit) for hit in search.find_notes(self.index, query, limit)]

    def counts(self) -> dict[str, int]:
        """How much of everything the index holds."""
        counted = {
            "notes": "count(*) FROM files WHERE kind = 'note'",
            "files": "count(*) FROM files",
            "links": "count(*) FROM links",
            "tags": "count(DISTINCT tag_key) FROM tags",
            "tasks": "count(*) FROM tasks",
            "scripts": "count(*) FROM scripts",
            "problems": "count(*) FROM problems",
        }
        return {name: int(str(self.index.rows(f"SELECT {query}")[0][0])) for name, query in counted.items()}
