"""Notes that speak of something without linking to it."""

import asyncio
import re

from _notebook import vault


async def unlinked_mentions(name: str) -> list[str]:
    """Find notes that mention a name in their text but never link to it.

    The notes are read at the same time, which is what `async` is for.

    Args:
        name: Name of the note, or any words.

    Returns:
        Paths of the notes, sorted.
    """
    files = [file for file in sorted(vault().rglob("*.md")) if file.stem != name and _counts(file)]
    found = await asyncio.gather(*(asyncio.to_thread(_mentions, file, name) for file in files))
    return [file.relative_to(vault()).as_posix() for file, hit in zip(files, found, strict=True) if hit]


def _counts(file):
    """Hidden folders are no notes, and what nest wrote itself would only echo the rest."""
    folder = file.relative_to(vault()).parts[0]
    return not folder.startswith(".") and folder != "03_Runs"


def _mentions(file, name):
    text = file.read_text(encoding="utf-8")
    links = {link.strip().lower() for link in re.findall(r"\[\[([^\]|#]+)", text)}
    plain = re.sub(r"\[\[[^\]]*\]\]", "", text)
    return name.lower() not in links and bool(re.search(rf"\b{re.escape(name)}\b", plain, re.IGNORECASE))
