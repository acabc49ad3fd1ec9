"""Path and text of one note in, everything it says out: a Note. *Pure*.

    text ── split_frontmatter ─┬─ parse_properties ── tags, aliases, property links
                               └─ parse_body ──────── links, tags, headings, blocks, tasks, fields

Each has two readers: a quick one for what notes mostly hold (`scan_yaml`, `scan` with `scan_inline`), and behind it the
exact one (`yaml12`, `pieces` with `markdown`), which reads what the quick one is not certain of. Both say the same.
"""

from __future__ import annotations

from nestkit.note import Note, Problem
from nestkit.parse.frontmatter import parse_properties, split_frontmatter
from nestkit.parse.properties import find_aliases, find_property_links, find_property_tags
from nestkit.parse.tag import first_spellings

MAX_BYTES = 2 * 1024 * 1024
"""Larger notes are not indexed. **Source**: Obsidian release notes 1.6.0."""


def parse_note(path: str, text: str) -> Note:
    """Everything a markdown note says; a broken part is one of its problems. Never raises, whatever the text."""
    from nestkit.parse.body import parse_body  # late, with the rest of markdown

    split = split_frontmatter(text)
    if len(text) > MAX_BYTES // 4 and len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        large = Problem(path, 0, f"larger than {MAX_BYTES // 1024**2} MB: not indexed, as in Obsidian")
        return Note(path, problems=(large,), body=split.body, body_line=split.body_line)
    properties = parse_properties(path, split.yaml)
    body = parse_body(path, split.body, split.body_line)
    return Note(
        path=path,
        properties=properties.values,
        tags=first_spellings([*find_property_tags(properties.values), *body.tags]),
        aliases=tuple(find_aliases(properties.values)),
        links=body.links + tuple(find_property_links(properties.values, properties.lines)),
        headings=body.headings,
        blocks=body.blocks,
        tasks=body.tasks,
        fields=body.fields,
        problems=properties.problems + body.problems,
        body=split.body,
        body_line=split.body_line,
    )
