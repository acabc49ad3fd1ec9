"""Another tool's way to read a vault: its name and a folder in; seconds as one line of JSON out. *Process*.

    PYTHON bench/peers.py PEER FOLDER SCRATCH

Runs under any Python that has the peer, so it imports nothing of nestkit. Reading the tool's code is not timed.
"""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_BATCH = 500
_LINK = re.compile(r"(!?)\[\[([^\[\]\n]+)\]\]")
_TAG = re.compile(r"(?<!\S)#([\w/-]*[^\W\d][\w/-]*)")
_TASK = re.compile(r"\[(.)\] (.*)")

_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = 8192;
CREATE TABLE notes (id INTEGER PRIMARY KEY, path TEXT, properties TEXT);
CREATE TABLE facts (note INTEGER, kind TEXT, text TEXT, line INTEGER);
CREATE VIRTUAL TABLE search USING fts5 (path, body, content='', tokenize="unicode61 remove_diacritics 2");
"""


def read_plainly() -> Callable[[Path, Path], Any]:
    """What most people would write: python-frontmatter, a full markdown-it-py parse, rows in batches, full text.

    No links are resolved and nothing is kept for the next time, which nest has to do as well.
    """
    import frontmatter
    from markdown_it import MarkdownIt
    from yaml import YAMLError

    parser = MarkdownIt("commonmark").enable("table")

    def read(folder: Path, scratch: Path) -> None:
        database = sqlite3.connect(scratch / "plain.sqlite", isolation_level=None)
        database.executescript(_SCHEMA)
        database.execute("BEGIN")
        notes: list[tuple[int, str, str, str]] = []
        facts: list[tuple[int, str, str, int]] = []
        for number, file in enumerate(folder.rglob("*.md")):
            text = file.read_text("utf-8")
            try:
                properties, body = frontmatter.parse(text)
            except YAMLError:
                properties, body = {}, text
            notes.append((number, str(file), json.dumps(properties, default=str), body))
            facts += [(number, *fact) for fact in _facts(parser.parse(body))]
            if len(notes) == _BATCH:
                _store(database, notes, facts)
        _store(database, notes, facts)
        database.execute("COMMIT")
        database.execute("CREATE INDEX by_text ON facts (kind, text)")
        database.close()

    return read


def _facts(tokens: list[Any]) -> Iterator[tuple[str, str, int]]:
    """Kind, text and line of the links, tags, tasks and headings that a parsed note holds."""
    before = ""
    for token in tokens:
        if token.type == "inline":
            line = token.map[0] + 1
            if before == "heading_open":
                yield "heading", token.content, line
            elif task := _TASK.match(token.content):
                yield "task", task[0], line
            for child in token.children:
                if child.type == "text":
                    for found in _LINK.finditer(child.content):
                        yield "embed" if found[1] else "link", found[2], line
                    yield from (("tag", found[1], line) for found in _TAG.finditer(child.content))
                elif child.type == "link_open":
                    yield "link", str(child.attrs.get("href")), line
        before = token.type


def _store(
    database: sqlite3.Connection, notes: list[tuple[int, str, str, str]], facts: list[tuple[int, str, str, int]]
) -> None:
    database.executemany("INSERT INTO notes VALUES (?, ?, ?)", [row[:3] for row in notes])
    database.executemany("INSERT INTO search (rowid, path, body) VALUES (?, ?, ?)", [(n, p, b) for n, p, _, b in notes])
    database.executemany("INSERT INTO facts VALUES (?, ?, ?, ?)", facts)
    notes.clear()
    facts.clear()


def read_obsidiantools() -> Callable[[Path, Path], Any]:
    """obsidiantools (PyPI): a graph of links and the text of every note, in memory."""
    from obsidiantools.api import Vault

    return lambda folder, scratch: Vault(folder).connect().gather()


def read_ovault() -> Callable[[Path, Path], Any]:
    """ovault (PyPI), compiled from Rust: tokens, links and tags of every note, in memory."""
    import ovault

    return lambda folder, scratch: ovault.Vault(str(folder))


PEERS: dict[str, Callable[[], Callable[[Path, Path], Any]]] = {
    "frontmatter + markdown-it-py": read_plainly,
    "obsidiantools": read_obsidiantools,
    "ovault": read_ovault,
}


def main() -> None:
    name, folder, scratch = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    try:
        read = PEERS[name]()
    except ImportError as error:
        print(json.dumps({"skipped": f"not installed for {Path(sys.executable).name}: {error}"}))
        return
    begun = time.perf_counter()
    kept = read(folder, scratch)
    seconds = time.perf_counter() - begun
    del kept
    print(json.dumps({"seconds": seconds}))


if __name__ == "__main__":
    main()
