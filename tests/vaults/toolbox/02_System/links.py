"""Look after links between notes."""


def dead_links(folder: str = "") -> list[str]:
    """Links that lead nowhere, with the note and line they stand in."""
    return []


def orphans() -> list[str]:
    """Notes nothing links to."""
    return []


def rename_target(old: str, new: str) -> int:
    """Rewrite every link after a note got another name."""
    return 0
