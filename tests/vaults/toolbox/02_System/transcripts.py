"""Meetings that were recorded."""


def action_items(note: str) -> list[str]:
    """To-dos that somebody promised in a meeting, with who and until when."""
    return []


def speakers(note):
    return {}
