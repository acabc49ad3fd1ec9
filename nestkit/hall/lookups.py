"""The vault's facts as plain data, for every door that shows them. Part of the hall. *Disk*, reading only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nestkit.errors import VaultError
from nestkit.index import facts, graph, search
from nestkit.index.nearest import find_near_names
from nestkit.index.relink import find_link
from nestkit.index.store import Index
from nestkit.parse.kind import parse_kinds, property_kind
from nestkit.parse.link import parse_link_text
from nestkit.parse.subpath import find_section
from nestkit.vault.files import read_settings

_FEW = 3
"""With fewer results than this, names that look like the words asked for are worth a look."""


class Lookups:
    """Facts of one vault. A note is named by its path; `path_of` finds it."""

    index: Index
    root: Path

    def path_of(self, note: str) -> str:
        """The path of a note given by path or name; raises NoteMissing with the nearest names."""
        return facts.get_path(self.index, note.removeprefix("./"))

    def links(self, path: str) -> list[dict[str, Any]]:
        """`{target, heading, block, alias, embed, resolved, line, property?}` in order, property links last.

        Embeds are kept apart. **Source**: obsidian-api, `CachedMetadata` (`links`, `embeds`, `frontmatterLinks`).
        """
        return self._links(path, embed=False)

    def embeds(self, path: str) -> list[dict[str, Any]]:
        """The same of embeds."""
        return self._links(path, embed=True)

    def _links(self, path: str, *, embed: bool) -> list[dict[str, Any]]:
        found = facts.links_of(self.index, path)
        return [facts.link_record(link, resolved) for link, resolved in found if link.embed is embed]

    def backlinks(self, path: str) -> list[dict[str, Any]]:
        """`{source, count, line, context}`, by source."""
        return facts.backlink_records(self.index, path)

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
            return parse_kinds(read_settings(self.root / ".obsidian/types.json"))
        except (OSError, UnicodeDecodeError, VaultError):
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
        return facts.list_paths(self.index, tag, folder, where)

    def unresolved(self) -> list[dict[str, Any]]:
        """`{source, target, count, line}`."""
        return [asdict(link) for link in facts.list_unresolved(self.index)]

    def ambiguous(self) -> list[dict[str, Any]]:
        """`{source, target, line, resolved, others}`."""
        return facts.list_ambiguous(self.index)

    def orphans(self) -> list[str]:
        """Paths of notes that no other note links to."""
        return facts.list_orphans(self.index)

    def deadends(self) -> list[str]:
        """Paths of notes whose links lead to no other file."""
        return facts.list_deadends(self.index)

    def neighbours(self, path: str, depth: int = 1) -> list[dict[str, Any]]:
        """`{path, distance, via}` of files within so many links, either direction; by distance and path."""
        return graph.list_neighbours(self.index, path, depth)

    def path_between(self, start: str, goal: str) -> list[dict[str, Any]] | None:
        """`{path, direction}` of the shortest way by links, either direction; None when there is none."""
        return graph.list_steps(self.index, start, goal)

    def components(self) -> list[dict[str, Any]]:
        """`{size, paths}` of each connected part, the largest first."""
        return graph.list_components(self.index)

    def linked(self, limit: int = 20) -> list[dict[str, Any]]:
        """`{path, sources, count}`, the most linked first."""
        return facts.list_linked(self.index, limit)

    def resolve(self, source: str, link: str) -> str | None:
        """The path a link leads to when written in `source`; with brackets, heading and display text or without."""
        read = parse_link_text(link.removeprefix("!").removeprefix("[[").removesuffix("]]"))
        found = find_link(self.index, source, read[0].target if read else "").dest
        return found.path if found else None

    def resolves_only_to(self, name: str, path: str) -> bool:
        """Whether a link of this name, from anywhere, leads to this file and could lead to no other."""
        found = find_link(self.index, "", name)
        return found.dest is not None and found.dest.path == path and not found.others

    def find(self, query: str, limit: int = 20) -> list[dict[str, Any]]:
        """`{path, title, line, snippet, score}`, best first; names that only look like it, `typo: true`, come last."""
        hits = search.find_notes(self.index, query, limit)
        found = [asdict(hit) for hit in hits]
        if len(hits) >= min(limit, _FEW):
            return found
        known = {hit.path for hit in hits}
        near = find_near_names(self.index, query, limit - len(hits), lambda path: path not in known)
        return found + [{**asdict(hit), "typo": True} for hit in near]

    def matched_spans(self, query: str, snippet: str) -> list[tuple[int, int]]:
        """(begin, end) of the words of a query in a line that it found."""
        return search.matched_spans(query, snippet)

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
