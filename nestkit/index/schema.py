"""The tables of the index, and the indexes over them. *Pure*."""

from __future__ import annotations

from nestkit.index import name_rows, property_rows

VERSION = 14
"""Of what is kept and how it is read; an index of another version is made anew."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE folders (                  -- as they were when last looked at
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,          -- empty for the root
    seal BLOB NOT NULL                  -- of all names, sizes and times in it; empty while one proves nothing
);
CREATE TABLE files (                    -- every file of the vault: what a link may lead to
    id INTEGER PRIMARY KEY,
    folder INTEGER NOT NULL,            -- folders.id
    path TEXT NOT NULL UNIQUE,          -- as stored on disk
    path_key TEXT NOT NULL,             -- NFC, lower case: how paths are compared
    name_key TEXT NOT NULL,             -- its last part
    kind TEXT NOT NULL,                 -- note, canvas, script, other
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL,
    settled INTEGER NOT NULL,           -- 0: written so recently that size and time prove nothing yet
    digest TEXT NOT NULL                -- of the bytes; empty for files that are only link targets
);

CREATE TABLE notes (                    -- what one note says; lists and maps as JSON
    file INTEGER PRIMARY KEY REFERENCES files ON DELETE CASCADE,
    properties TEXT, aliases TEXT NOT NULL, tags TEXT NOT NULL, fields TEXT NOT NULL,
    headings TEXT NOT NULL, body TEXT NOT NULL, body_line INTEGER NOT NULL
);
CREATE TABLE links (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE,
    position INTEGER NOT NULL,          -- order in the note, property links last
    target TEXT NOT NULL, heading TEXT, block TEXT, alias TEXT, embed INTEGER NOT NULL, key TEXT, line INTEGER NOT NULL,
    name_key TEXT NOT NULL,             -- last part of the target as a note's name: which files could answer to it
    dest INTEGER,                       -- files.id, or NULL
    ambiguous INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (file, position)
) WITHOUT ROWID;

CREATE TABLE tags (
    tag_key TEXT NOT NULL, file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, tag TEXT NOT NULL,
    PRIMARY KEY (tag_key, file)
) WITHOUT ROWID;
CREATE TABLE blocks (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, id TEXT NOT NULL, line INTEGER NOT NULL
);
CREATE TABLE tasks (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, line INTEGER NOT NULL,
    status TEXT NOT NULL, text TEXT NOT NULL, parent_line INTEGER, tags TEXT NOT NULL, fields TEXT NOT NULL,
    PRIMARY KEY (file, line)
) WITHOUT ROWID;
CREATE TABLE problems (
    file INTEGER NOT NULL REFERENCES files ON DELETE CASCADE, line INTEGER NOT NULL, what TEXT NOT NULL
);

CREATE TABLE scripts (file INTEGER PRIMARY KEY REFERENCES files ON DELETE CASCADE, script TEXT NOT NULL);

CREATE VIRTUAL TABLE search USING fts5 (title, aliases, headings, body, content='',
    tokenize="unicode61 remove_diacritics 2");
"""
TABLES += property_rows.TABLE + name_rows.TABLE

FILE_INDEXES = """
CREATE INDEX files_name_key ON files (name_key);
"""
"""What resolving links needs."""

INDEXES = """
CREATE INDEX files_path_key ON files (path_key);
CREATE INDEX links_name_key ON links (name_key);
CREATE INDEX links_dest ON links (dest);
CREATE INDEX tags_file ON tags (file);
CREATE INDEX blocks_file ON blocks (file);
CREATE INDEX problems_file ON problems (file);
CREATE INDEX files_folder ON files (folder);
CREATE INDEX files_unsettled ON files (folder) WHERE NOT settled;
CREATE INDEX files_mtime ON files (mtime_ns);
CREATE INDEX tasks_open ON tasks (file) WHERE status NOT IN ('x', 'X', '-');
CREATE INDEX tasks_done ON tasks (file) WHERE status IN ('x', 'X');
"""
INDEXES += property_rows.INDEXES
"""The others; a new index is filled first."""
