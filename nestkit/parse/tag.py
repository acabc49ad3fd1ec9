"""A run of text in, the tags in it out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TAG = re.compile(r"#([^\s\u2000-\u206f\u2e00-\u2e7f!-,.:-@\[-^`{-~]+)")
"""Characters of a tag: no blanks, no general punctuation, no ASCII punctuation but `_ - /`.

**Source**: obsidian-help, Tags, and its issue 816 (the character class).
"""
_FREE = re.compile(r"(?:^|\s)(?:==)?$")
"""What stands before a tag."""


def find_tags(run: str) -> list[str]:
    """Names without `#`, in order, repeats included; the run is text without other markup.

    A tag stands at the start of the run, after a blank, after the `==` that opens a highlight there, or right after
    another tag. One character at least is no digit, and a `/` at the end does not count.

    **Source**: obsidian-help, Tags; Obsidian release notes 0.6.7, 1.5.0; forum.obsidian.md t/12949 (a tag after a tag).
    """
    names: list[str] = []
    end = 0
    for found in _TAG.finditer(run):
        start, name = found.start(), found[1].rstrip("/")
        free = start == end or _FREE.search(run, max(end, start - 3), start)
        if free and name and not (name.isascii() and name.isdigit()):
            names.append(name)
            end = found.end()
    return names


def first_spellings(names: Iterable[str]) -> tuple[str, ...]:
    """Each tag once, as it was first spelled; case does not tell tags apart.

    **Source**: obsidian-help, Tags.
    """
    seen: dict[str, str] = {}
    for name in names:
        seen.setdefault(name.casefold(), name)
    return tuple(seen.values())
