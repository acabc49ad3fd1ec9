"""A path in, why no trigger in it counts out. *Pure*.

**Source** of the names: what Syncthing, Dropbox, iCloud, git, editors and office programs leave beside a note.
"""

from __future__ import annotations

import re

_LEFTOVERS = (
    (re.compile(r"\.sync-conflict-\d{8}-\d{6}"), "a conflict copy of Syncthing's"),
    (re.compile(r"\([^)]*conflicted copy[^)]*\)", re.IGNORECASE), "a conflict copy of Dropbox's"),
    (re.compile(r"\(conflict\b[^)]*\)|[-_. ]conflict(?:ed)?[-_. ]\S*\d{4}", re.IGNORECASE), "a conflict copy"),
    (
        re.compile(
            r"^~\$|^\.~lock|^4913$|~$|\.(?:orig|rej|bak|swp|swo|tmp|temp|part|icloud)(?:$|\.md$)", re.IGNORECASE
        ),
        "what a program left behind",
    ),
)
_TWIN = re.compile(r"^(.+) (\d{1,2})\.md$", re.IGNORECASE)
_TEMPLATES = re.compile(r"^_?templates?$", re.IGNORECASE)


def why_no_source(path: str) -> str:
    """Why a file of this name never asks, whatever is in it; empty when it may."""
    *folders, name = path.split("/")
    if any(part.startswith(".") for part in (*folders, name)):
        return "it is hidden, or in a hidden folder such as the trash"
    if not name.lower().endswith(".md"):
        return "it is no note"
    for pattern, what in _LEFTOVERS:
        if pattern.search(name):
            return f"it looks like {what}"
    if any(_TEMPLATES.match(folder) for folder in folders):
        return "it is in a folder of templates"
    return ""


def find_original(path: str) -> str:
    """The path of which iCloud would have made this as its copy (`Plan 2.md` of `Plan.md`); empty for other names."""
    folder, slash, name = path.rpartition("/")
    twin = _TWIN.match(name)
    return f"{folder}{slash}{twin[1]}.md" if twin else ""
