"""A run of text in, the tags in it out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Iterable

_TAG = re.compile(r"(?:^|(?<=\s))(?:==)?#([^\s\u2000-\u206f\u2e00-\u2e7f!-,.:-@\[-^`{-~]+)")
"""A tag's characters, after a blank, the start of the run, or the `==` that opens a highlight there.

Not in a tag: blanks, general punctuation, ASCII punctuation but `_ - /`.
**Source**: obsidian-help, Tags, and its issue 816 (the character class).
"""


def find_tags(run: str) -> list[str]:
    """Names without `#`, in order, repeats included; the run is text without other markup.

    One character at least is no digit, and a `/` at the end does not count.

    **Source**: obsidian-help, Tags; Obsidian release notes 0.6.7, 1.5.0.
    """
    names = (found[1].rstrip("/") for found in _TAG.finditer(run))
    return [name for name in names if is_tag(name)]


def is_tag(name: str) -> bool:
    """Whether a name of tag characters holds one that is no digit."""
    return bool(name) and not (name.isascii() and name.isdigit())


def first_spellings(names: Iterable[str]) -> tuple[str, ...]:
    """Each tag once, as it was first spelled; case does not tell tags apart.

    **Source**: obsidian-help, Tags.
    """
    seen: dict[str, str] = {}
    for name in names:
        seen.setdefault(name.casefold(), name)
    return tuple(seen.values())
