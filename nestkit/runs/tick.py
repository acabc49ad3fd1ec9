"""The box in a run's note that stands for a yes: drafted, found ticked, unticked again. *Pure*."""

from __future__ import annotations

import re

_TICKED = re.compile(rb"^- \[[xX]\] Approve ([0-9a-f]{16})$", re.MULTILINE)


def draft_tick(seal: str) -> str:
    """The line that a person ticks to approve what has this digest."""
    return f"- [ ] Approve {seal[:16]}"


def untick(content: bytes) -> bytes:
    """A note as it was before its first box of approval was ticked; the same bytes when none is."""
    return _TICKED.sub(rb"- [ ] Approve \1", content, count=1)


def find_ticked(content: bytes) -> str:
    """First 16 digits of what the first ticked box of approval stands for; empty when none is ticked."""
    found = _TICKED.search(content)
    return found[1].decode() if found else ""
