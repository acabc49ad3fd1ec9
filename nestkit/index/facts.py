"""Questions about the vault, in; words and plain records, out. *Disk*, reading only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from nestkit.errors import NoteMissing
from nestkit.index.excerpt import shorten
from nestkit.index.filters import condition_of
from nestkit.index.query import Filter
from nestkit.index.relink import find_link
from nestkit.index.resolve import key_of
from nestkit.index.store import Index
from nestkit.index.values import has_value, text_of
from nestkit.link import Backlink, Link, Unresolved
from nestkit.note import Block, Field, Heading, Note, Problem, Task, title_of

Record = dict[str, Any]


def get_path(index: Index, note: str, is_hidden: Callable[[str], bool] = lambda path: False) -> str:
    """The stored path of a note named by path, name or link text; raises NoteMissing with the nearest names, none of
    them hidden."""
    row = index.one("SELECT path FROM files WHERE path = ? AND kind != 'other'", note)
    if row is not None:
        return str(row[0])
    found = find_link(index, "", note.strip().removeprefix("[[").removesuffix("]]").partition("|")[0].partition("#")[0])
    if found.dest is not None:
        return found.dest.path
    raise NoteMissing(f"no note called {note!r}", nearest_hint(index, note, is_hidden))


def nearest_hint(index: Index, name: str, is_hidden: Callable[[str], bool] = lambda path: False) -> str:
    """Names of notes that look like this one, as a sentence; empty when none does."""
    from difflib import get_close_matches  # late: only a wrong name pays for it

    paths = [str(row[0]) for row in index.rows("SELECT path FROM files WHERE kind != 'other'")]
    titles = {title_of(path): None for path in paths if not is_hidden(path)}
    near = get_close_matches(title_of(name), list(titles), n=3, cutoff=0.6)
    return f"did you mean {', '.join(near)}?" if near else "`nest find` searches names and text"


def list_paths(index: Index, tag: str = "", folder: str = "", where: Mapping[str, Any] | None = None) -> list[str]:
    """Paths of all notes or of those chosen as in `list_records`, sorted."""
    chosen, values = _chosen(tag, folder, where)
    if not where:
        query = f"SELECT f.path FROM files f WHERE {chosen} ORDER BY f.path"
        return [str(row[0]) for row in index.connection.execute(query, values)]
    query = f"SELECT f.path, n.properties FROM files f JOIN notes n ON n.file = f.id WHERE {chosen} ORDER BY f.path"
    rows = index.connection.execute(query, values)
    return [path for path, properties in rows if _passes(json.loads(properties or "{}"), where)]


def get_note(index: Index, path: str) -> Note:
    """What the index knows of one note, without its links' destinations."""
    row = index.one("SELECT n.*, f.id FROM notes n JOIN files f ON f.id = n.file WHERE f.path = ?", path)
    if row is None:
        raise NoteMissing(f"{path} is no note", nearest_hint(index, path))
    file_id, properties, aliases, tags, fields, headings, body, body_line = row[:8]
    blocks = index.rows("SELECT id, line FROM blocks WHERE file = ? ORDER BY line", file_id)
    return Note(
        path,
        None if properties is None else json.loads(str(properties)),
        tuple(json.loads(str(tags))),
        tuple(json.loads(str(aliases))),
        tuple(link for link, _ in links_of(index, path)),
        tuple(Heading(**heading) for heading in json.loads(str(headings))),
        tuple(Block(str(block), int(str(line))) for block, line in blocks),
        tuple(task for _, task in list_tasks(index, path)),
        tuple(Field(**field) for field in json.loads(str(fields))),
        tuple(list_problems(index, path)),
        str(body),
        int(str(body_line)),
    )


def list_records(
    index: Index, tag: str = "", folder: str = "", where: Mapping[str, Any] | None = None, without: str = ""
) -> Iterator[Record]:
    """Notes as plain records, sorted by path; `where` compares properties, in lists any item.

    Notes in the folder `without` are left out, at no cost however many they are.
    """
    chosen, values = _chosen(tag, folder, where, without)
    query = (
        "SELECT f.path, f.size, f.mtime_ns, n.properties, n.aliases, n.tags, n.fields, f.id FROM files f"
        f" JOIN notes n ON n.file = f.id WHERE {chosen} ORDER BY f.path"
    )
    dests_of = None if tag or folder or where else _dests(index, chosen, values)
    for row in index.connection.execute(query, values):
        properties = json.loads(row[3]) if row[3] else {}
        if _passes(properties, where):
            facts = (json.loads(row[5]), json.loads(row[4]), properties, fields_by_name(json.loads(row[6])))
            dests = _dests_of(index, row[7]) if dests_of is None else dests_of.get(row[7], [])
            yield _record(row[0], row[1], row[2], facts, dests)


_ALL = "f.kind = 'note'"


def _chosen(tag: str, folder: str, where: Mapping[str, Any] | None, without: str = "") -> tuple[str, tuple[Any, ...]]:
    """A condition on a row `f` of `files` that all notes asked for meet, perhaps among others; its values."""
    wanted = [Filter("tag", tag)] if tag else []
    for name, value in (where or {}).items():
        if isinstance(value, str | int | float) and (text := text_of(value)):
            wanted.append(Filter("property", text, name=name))
    known = [ids for one in wanted if (ids := condition_of(one).ids)]
    parts = [(f"f.id IN (SELECT file FROM ({sql}))", values) for sql, values in known]
    if folder:
        key = key_of(folder.strip("/"))
        parts.append(("f.path_key > ? AND f.path_key < ?", (key + "/", key + "0")))  # "0" is what follows "/"
    if without:
        parts.append(("substr(f.path, 1, ?) <> ?", (len(without) + 1, f"{without}/")))
    return " AND ".join([_ALL, *(sql for sql, _ in parts)]), tuple(value for _, values in parts for value in values)


def records_of(
    notes: Iterable[Note], tag: str = "", folder: str = "", where: Mapping[str, Any] | None = None
) -> Iterator[Record]:
    """The same records of notes that are not in the index yet, with the same choice among them."""
    key = tag.lstrip("#").rstrip("/").lower()
    inside = key_of(folder.strip("/") + "/") if folder else ""
    for note in notes:
        if key and not any(own.lower() == key or own.lower().startswith(key + "/") for own in note.tags):
            continue
        properties = dict(note.properties or {})
        if key_of(note.path).startswith(inside) and _passes(properties, where):
            fields = fields_by_name({"canonical": field.canonical, "value": field.value} for field in note.fields)
            facts = (list(note.tags), list(note.aliases), properties, fields)
            yield _record(note.path, len(note.body), 0, facts, [])


def _passes(properties: Mapping[str, Any], where: Mapping[str, Any] | None) -> bool:
    """Whether each property named has the value wanted, or an item that is."""
    return all(has_value(properties, name, wanted) for name, wanted in (where or {}).items())


def _record(path: str, size: int, mtime_ns: int, facts: tuple[Any, ...], links: list[str]) -> Record:
    tags, aliases, properties, fields = facts
    return {
        "path": path,
        "title": title_of(path),
        "folder": path.rpartition("/")[0],
        "tags": tags,
        "aliases": aliases,
        "properties": properties,
        "fields": fields,
        "links": links,
        "modified": datetime.fromtimestamp(mtime_ns / 1e9, UTC).isoformat(timespec="seconds"),
        "size": size,
    }


def link_record(link: Link, resolved: str | None) -> Record:
    """A link as plain data: `{target, heading: [...] or null, block, alias, embed, resolved, line, property?}`."""
    record: Record = {
        "target": link.target,
        "heading": list(link.heading) or None,
        "block": link.block,
        "alias": link.alias,
        "embed": link.embed,
        "resolved": resolved,
        "line": link.line,
    }
    return record if link.key is None else {**record, "property": link.key}


def task_record(path: str, task: Task) -> Record:
    """A task as plain data; fields by canonical name."""
    return {
        "path": path,
        "title": title_of(path),
        "line": task.line,
        "parent_line": task.parent_line,
        "status": task.status,
        "done": task.done,
        "complete": task.complete,
        "text": task.text,
        "tags": list(task.tags),
        "fields": {field.canonical: field.value for field in reversed(task.fields)},
    }


def _dests(index: Index, chosen: str, values: Sequence[Any]) -> dict[int, list[str]]:
    """File id -> paths its links lead to, each once, in order of first link; `chosen` as by `_chosen`."""
    found: dict[int, dict[str, None]] = {}
    query = (  # CROSS: notes first, so that links of those left out are not even passed over
        "SELECT l.file, d.path FROM files f CROSS JOIN links l ON l.file = f.id CROSS JOIN files d ON d.id = l.dest"
        f" WHERE {chosen} ORDER BY f.id, l.position"
    )
    for file_id, path in index.connection.execute(query, values):
        found.setdefault(file_id, {})[path] = None
    return {file_id: list(paths) for file_id, paths in found.items()}


def _dests_of(index: Index, file_id: int) -> list[str]:
    query = "SELECT f.path FROM links l JOIN files f ON f.id = l.dest WHERE l.file = ? ORDER BY l.position"
    return list(dict.fromkeys(path for (path,) in index.connection.execute(query, (file_id,))))


def links_of(index: Index, path: str) -> list[tuple[Link, str | None]]:
    """Links and embeds of a file with the path each leads to, in order, property links last."""
    query = (
        "SELECT l.target, l.line, l.heading, l.block, l.alias, l.embed, l.key, d.path FROM links l"
        " JOIN files f ON f.id = l.file LEFT JOIN files d ON d.id = l.dest WHERE f.path = ? ORDER BY l.position"
    )
    return [
        (Link(row[0], row[1], tuple(json.loads(row[2] or "[]")), row[3], row[4], bool(row[5]), row[6]), row[7])
        for row in index.connection.execute(query, (path,))
    ]


def list_backlinks(index: Index, path: str) -> list[Backlink]:
    """Notes that link to this file, sorted by path; links, embeds and property links all count."""
    query = (
        "SELECT s.path, count(*), min(l.line) FROM links l JOIN files s ON s.id = l.file JOIN files d ON d.id = l.dest"
        " WHERE d.path = ? GROUP BY s.path ORDER BY s.path"
    )
    return [Backlink(*row) for row in index.connection.execute(query, (path,))]


def backlink_records(index: Index, path: str) -> list[Record]:
    """`{source, count, line, context}` by source; the context is the text around the first link, on one line."""
    query = (  # of a group with min(), SQLite takes the other columns from the row that has the least
        "SELECT b.path, b.count, b.line, b.target, b.key, n.properties, n.body, n.body_line"
        " FROM (SELECT l.file, s.path, count(*) AS count, min(l.line) AS line, l.target, l.key FROM links l"
        " JOIN files s ON s.id = l.file JOIN files d ON d.id = l.dest WHERE d.path = ? GROUP BY l.file) b"
        " JOIN notes n ON n.file = b.file ORDER BY b.path"
    )
    return [
        {"source": row[0], "count": row[1], "line": row[2], "context": _context(*row[2:])}
        for row in index.connection.execute(query, (path,))
    ]


def mentions_of_scripts(index: Index, but_from: str) -> dict[str, list[tuple[str, str]]]:
    """Script path -> (path, text around the first link) of the notes that link to it, those of one folder left out."""
    query = (
        "SELECT b.script, b.path, b.line, b.target, b.key, n.properties, n.body, n.body_line"
        " FROM (SELECT l.file, d.path AS script, s.path, min(l.line) AS line, l.target, l.key FROM scripts c"
        " JOIN files d ON d.id = c.file JOIN links l ON l.dest = d.id JOIN files s ON s.id = l.file"
        " WHERE substr(s.path, 1, ?) <> ? GROUP BY d.id, l.file) b"
        " JOIN notes n ON n.file = b.file ORDER BY b.script, b.path"
    )
    found: dict[str, list[tuple[str, str]]] = {}
    folder = f"{but_from}/"
    for script, path, *where in index.connection.execute(query, (len(folder), folder)):
        found.setdefault(script, []).append((path, _context(*where)))
    return found


def _context(line: int, target: str, key: str | None, properties: str | None, body: str, body_line: int) -> str:
    """The line a link stands on; of a property link the property, of a canvas the line of the card, if it has text."""
    if key is not None:
        name, value = _property_at(json.loads(properties or "{}"), key)
        return shorten(f"{name}: {value}".replace("\n", " "))
    lines = body.split("\n")
    here = lines[line - body_line] if 0 <= line - body_line < len(lines) else ""
    if target not in here:  # a canvas is one line to Obsidian
        here = next((other for other in lines if target in other), here)
    return shorten(here.strip(), max(0, here.strip().find(target)))


def _property_at(properties: Mapping[str, Any], key: str) -> tuple[str, Any]:
    """Name and value of the property that a dotted key (`up`, `rel.0`) leads to."""
    name = next((name for name in properties if key == name or key.startswith(name + ".")), key)
    value = properties.get(name, "")
    for part in key[len(name) + 1 :].split("."):
        if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
    return name, value


def list_unresolved(index: Index) -> list[Unresolved]:
    """Link targets that no file answers to, by note; a target's `.md` is dropped, its case kept."""
    query = (
        "SELECT f.path, l.target, l.line FROM links l JOIN files f ON f.id = l.file WHERE l.dest IS NULL"
        " ORDER BY f.path, l.position"
    )
    found: dict[tuple[str, str], list[int]] = {}
    for source, target, line in index.connection.execute(query):
        name = target[:-3] if target.lower().endswith(".md") else target
        found.setdefault((source, name), []).append(line)
    return [Unresolved(source, target, len(lines), lines[0]) for (source, target), lines in found.items()]


def list_ambiguous(index: Index) -> list[Record]:
    """Links that more than one file answers to: source, target, line, where it leads and where else it could."""
    query = (
        "SELECT f.path, l.target, l.line FROM links l JOIN files f ON f.id = l.file WHERE l.ambiguous"
        " ORDER BY f.path, l.position"
    )
    found = []
    for source, target, line in index.connection.execute(query).fetchall():
        answer = find_link(index, source, target)
        dest = answer.dest.path if answer.dest else None
        found.append(
            {"source": source, "target": target, "line": line, "resolved": dest, "others": list(answer.others)}
        )
    return found


def list_orphans(index: Index) -> list[str]:
    """Notes that no other note links to."""
    query = (
        "SELECT path FROM files f WHERE kind = 'note' AND NOT EXISTS"
        " (SELECT 1 FROM links l WHERE l.dest = f.id AND l.file != f.id) ORDER BY path"
    )
    return [str(row[0]) for row in index.rows(query)]


def list_deadends(index: Index) -> list[str]:
    """Notes whose links lead to no other file."""
    query = (
        "SELECT path FROM files f WHERE kind = 'note' AND NOT EXISTS"
        " (SELECT 1 FROM links l WHERE l.file = f.id AND l.dest != f.id) ORDER BY path"
    )
    return [str(row[0]) for row in index.rows(query)]


def list_linked(index: Index, limit: int = 20) -> list[Record]:
    """`{path, sources, count}` of the files that most others link to: how many do, and with how many links."""
    query = (
        "SELECT f.path, b.sources, b.count FROM (SELECT dest, count(DISTINCT file) AS sources, count(*) AS count"
        " FROM links WHERE dest != file GROUP BY dest) b JOIN files f ON f.id = b.dest"
        " ORDER BY b.sources DESC, b.count DESC, f.path LIMIT ?"
    )
    rows = index.connection.execute(query, (limit,))
    return [{"path": path, "sources": sources, "count": count} for path, sources, count in rows]


def count_tags(index: Index) -> dict[str, int]:
    """Tag -> notes that carry it, sorted; spelled as first seen."""
    query = "SELECT min(tag), count(*) FROM tags GROUP BY tag_key ORDER BY tag_key"
    return {row[0]: row[1] for row in index.connection.execute(query)}


def count_properties(index: Index) -> dict[str, int]:
    """Property name -> notes that carry it, sorted without case."""
    found: dict[str, int] = {}
    for row in index.connection.execute("SELECT properties FROM notes WHERE properties IS NOT NULL"):
        for name in json.loads(row[0]):
            found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items(), key=lambda item: item[0].lower()))


def list_tasks(index: Index, path: str = "") -> list[tuple[str, Task]]:
    """(path, task) of the vault or of one note, by path and line."""
    query = "SELECT f.path, t.status, t.text, t.line, t.parent_line, t.tags, t.fields FROM tasks t"
    query += " JOIN files f ON f.id = t.file WHERE ? IN ('', f.path) ORDER BY f.path, t.line"
    return [
        (row[0], Task(row[1], row[2], row[3], row[4], tuple(json.loads(row[5])), _task_fields(row[6], row[3])))
        for row in index.connection.execute(query, (path,))
    ]


def _task_fields(text: str, line: int) -> tuple[Field, ...]:
    return tuple(Field(name, name, value, line) for name, value in json.loads(text).items())


def fields_by_name(fields: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Canonical name -> every value in order: a repeated key makes a list, as in Dataview."""
    found: dict[str, list[Any]] = {}
    for field in fields:
        found.setdefault(field["canonical"], []).append(field["value"])
    return found


def list_problems(index: Index, path: str = "") -> list[Problem]:
    """Problems of the vault or of one file, by path and line."""
    query = "SELECT f.path, p.line, p.what FROM problems p JOIN files f ON f.id = p.file WHERE ? IN ('', f.path)"
    return [Problem(*row) for row in index.connection.execute(query + " ORDER BY f.path, p.line", (path,))]


def list_holders(index: Index, names: Iterable[str], path: str = "") -> list[tuple[str, Record]]:
    """(path, properties) of the notes that have a property of one of these names, or of that one note if it has."""
    query = (
        "SELECT f.path, n.properties FROM files f JOIN notes n ON n.file = f.id WHERE ? IN ('', f.path) AND f.id IN"
        " (SELECT file FROM property_values WHERE name_key IN (SELECT value FROM json_each(?))) ORDER BY f.path"
    )
    rows = index.connection.execute(query, (path, json.dumps([name.lower() for name in names])))
    return [(row[0], json.loads(row[1])) for row in rows]


def list_files_ending(index: Index, suffix: str, path: str = "") -> list[str]:
    """Paths of the files whose name ends so, whatever its case; or of that one file if it does."""
    query = "SELECT path FROM files WHERE ? IN ('', path) AND path_key LIKE '%' || ? ORDER BY path"
    return [str(row[0]) for row in index.rows(query, path, suffix)]
