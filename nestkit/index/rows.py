"""Words in, rows out: what one file says, written into the index's tables. *Disk*."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from nestkit.index.resolve import key_of, name_key_of
from nestkit.index.store import Index
from nestkit.link import Link
from nestkit.note import Field, Note, Problem, Task, title_of
from nestkit.tool import SCRIPT_SUFFIXES, Script

_CJK = re.compile("([\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])")


def kind_of(path: str, system: str) -> str:
    """`note`, `canvas`, `script` or `other`, by name and place."""
    lower = path.lower()
    if lower.endswith(".md"):
        return "note"
    if lower.endswith(".canvas"):
        return "canvas"
    return "script" if lower.endswith(SCRIPT_SUFFIXES) and path.startswith(system + "/") else "other"


def write_file(index: Index, entry: Any, kind: str, seal: str, *, settled: bool) -> int:
    """Id of the file's row, made or brought up to date."""
    stat = (kind, entry.size, entry.mtime_ns, entry.ctime_ns, entry.inode, settled, seal)
    known = index.one("SELECT id FROM files WHERE path = ?", entry.path)
    if known is not None:
        index.connection.execute(
            "UPDATE files SET kind = ?, size = ?, mtime_ns = ?, ctime_ns = ?, inode = ?, settled = ?, digest = ?"
            " WHERE id = ?",
            (*stat, known[0]),
        )
        return int(str(known[0]))
    key = key_of(entry.path)
    made = index.connection.execute(
        "INSERT INTO files (path, path_key, name_key, kind, size, mtime_ns, ctime_ns, inode, settled, digest)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (entry.path, key, key.rpartition("/")[2], *stat),
    )
    return int(made.lastrowid or 0)


def remove_file(index: Index, path: str) -> None:
    """Take a file and all it said out of the index."""
    row = index.one("SELECT id FROM files WHERE path = ?", path)
    if row is not None:
        _remove_search(index, int(str(row[0])))
        index.connection.execute("DELETE FROM files WHERE id = ?", row)


def write_note(index: Index, file_id: int, note: Note) -> None:
    """Replace what the index holds of a note or canvas."""
    _remove_search(index, file_id)
    for table in ("notes", "links", "tags", "blocks", "tasks", "problems"):
        index.connection.execute(f"DELETE FROM {table} WHERE file = ?", (file_id,))
    properties = None if note.properties is None else to_json(dict(note.properties))
    headings = [asdict(heading) for heading in note.headings]
    fields = [asdict(field) for field in note.fields]
    index.connection.execute(
        "INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            file_id,
            properties,
            *map(to_json, (note.aliases, note.tags, fields, headings)),
            plain(note.body),
            note.body_line,
        ),
    )
    index.connection.executemany(
        "INSERT INTO links (file, position, target, heading, block, alias, embed, key, line, name_key)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_link_row(file_id, position, link, note.path) for position, link in enumerate(note.links)],
    )
    index.connection.executemany(
        "INSERT OR IGNORE INTO tags VALUES (?, ?, ?)", [(plain(tag.lower()), file_id, plain(tag)) for tag in note.tags]
    )
    index.connection.executemany(
        "INSERT INTO blocks VALUES (?, ?, ?)", [(file_id, block.id, block.line) for block in note.blocks]
    )
    index.connection.executemany(
        "INSERT OR REPLACE INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?)", [_task_row(file_id, task) for task in note.tasks]
    )
    _write_problems(index, file_id, note.problems)
    _write_search(index, file_id)


def write_script(index: Index, file_id: int, script: Script) -> None:
    """Replace what the index holds of a script."""
    index.connection.execute("DELETE FROM problems WHERE file = ?", (file_id,))
    index.connection.execute("INSERT OR REPLACE INTO scripts VALUES (?, ?)", (file_id, to_json(asdict(script))))
    _write_problems(index, file_id, script.problems)


def with_problem(note: Note, problem: Problem) -> Note:
    """The note with one problem more."""
    return replace(note, problems=(*note.problems, problem))


def next_generation(index: Index) -> None:
    """Mark the index as changed, so that what was counted before is counted anew."""
    index.connection.execute("INSERT OR REPLACE INTO meta VALUES ('generation', ?)", (str(generation(index) + 1),))


def generation(index: Index) -> int:
    """How many refreshes have changed the index."""
    row = index.one("SELECT value FROM meta WHERE key = 'generation'")
    return int(str(row[0])) if row else 0


def to_json(value: Any) -> str:
    """Compact JSON; values YAML can make and JSON cannot become text."""
    return plain(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str))


def plain(text: str) -> str:
    """Text that SQLite can hold: lone surrogates, which escapes in YAML and JSON can make, become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def searchable(text: str) -> str:
    """Text as the word index sees it: each CJK character is a word of its own, since no blanks part them."""
    return text if text.isascii() else _CJK.sub(r" \1 ", text)


def _link_row(file_id: int, position: int, link: Link, source: str) -> tuple[Any, ...]:
    heading = to_json(link.heading) if link.heading else None
    text = [None if part is None else plain(part) for part in (link.block, link.alias, link.key)]
    key = name_key_of(plain(link.target) or source)
    return (file_id, position, plain(link.target), heading, text[0], text[1], link.embed, text[2], link.line, key)


def _task_row(file_id: int, task: Task) -> tuple[Any, ...]:
    words = (plain(task.status), plain(task.text), task.parent_line)
    return (file_id, task.line, *words, to_json(task.tags), _fields(task.fields))


def _fields(fields: Iterable[Field]) -> str:
    found: dict[str, Any] = {}
    for field in fields:
        found.setdefault(field.canonical, field.value)
    return to_json(found)


def _write_problems(index: Index, file_id: int, problems: Iterable[Problem]) -> None:
    index.connection.executemany(
        "INSERT INTO problems VALUES (?, ?, ?)", [(file_id, problem.line, plain(problem.what)) for problem in problems]
    )


_SEARCH_ROW = "SELECT f.path, n.aliases, n.headings, n.body FROM notes n JOIN files f ON f.id = n.file WHERE n.file = ?"


def _write_search(index: Index, file_id: int) -> None:
    values = _search_values(index, file_id)
    index.connection.execute(
        "INSERT INTO search (rowid, title, aliases, headings, body) VALUES (?, ?, ?, ?, ?)", values
    )


def _remove_search(index: Index, file_id: int) -> None:
    """A contentless table forgets only when shown again what it was told (SQLite FTS5, section 4.4.2)."""
    if index.one("SELECT 1 FROM notes WHERE file = ?", file_id):
        values = _search_values(index, file_id)
        index.connection.execute(
            "INSERT INTO search (search, rowid, title, aliases, headings, body) VALUES ('delete', ?, ?, ?, ?, ?)",
            values,
        )


def _search_values(index: Index, file_id: int) -> tuple[Any, ...]:
    row = index.one(_SEARCH_ROW, file_id)
    assert row is not None, "the note's own row is written first"
    path, aliases, headings, body = map(str, row)
    heading_text = "\n".join(heading["text"] for heading in json.loads(headings))
    return (file_id, *map(searchable, (title_of(path), "\n".join(json.loads(aliases)), heading_text, body)))
