"""A number of notes and a seed in; a made-up vault on disk, and what it holds, out. *Disk*.

    python bench/vaults.py FOLDER --notes 10000 --seed 1

The same seed gives the same bytes, on every machine. A note is written and forgotten, and where the others lie is
worked out from their number, so a vault of any size needs the memory of one note. The shares are those of a large
public vault; README.md tells which. What stands in a note is in `page.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from pathlib import Path
from random import Random

import page
from words import WORDS

NOTES_A_FOLDER = 60
NOTES_AN_ATTACHMENT = 20

ONE_IN = {"duplicate": 199, "cjk": 97, "daily": 10, "long": 500, "broken": 438}
"""How rare each odd note is: the one whose number leaves `_FIRST` on division is odd in this way."""

_FIRST = {"duplicate": 11, "cjk": 5, "daily": 3, "long": 13, "broken": 7}

_AREAS = ("Projects", "People", "Garden", "Library", "Workshop", "Travel", "Recipes", "Archive")
_FIRST_DAY = date(1998, 1, 1).toordinal()
_PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452")


@dataclass(frozen=True, slots=True)
class Plan:
    """A vault that is not there yet: everything about its notes follows from their number."""

    notes: int
    seed: int
    broken: bool = True
    """With notes whose properties cannot be read, as vaults have them; some tools stop at the first of these."""

    def is_odd(self, kind: str, number: int) -> bool:
        """Whether this note is one of the rare ones of this kind."""
        return (self.broken or kind != "broken") and number % ONE_IN[kind] == _FIRST[kind]

    def title(self, number: int) -> str:
        """The note's name; unique but for the duplicates, which bear that of the note before them."""
        if self.is_odd("duplicate", number):
            number -= 1
        if self.is_odd("cjk", number):
            return f"研究ノート {number}"
        if self.is_odd("daily", number):
            return date.fromordinal(_FIRST_DAY + number // ONE_IN["daily"]).isoformat()
        first, second = self.draw("title", number, len(WORDS)), self.draw("second", number, len(WORDS))
        return f"{WORDS[first].capitalize()} {WORDS[second]} {number}"

    def path(self, number: int) -> str:
        """Where the note lies, with `.md`."""
        title = self.title(number)
        if self.is_odd("duplicate", number):
            return f"Copies/{number % 7}/{title}.md"
        if self.is_odd("daily", number):
            return f"Journal/{title[:4]}/{title}.md"
        folder = self.draw("folder", number, max(1, self.notes // NOTES_A_FOLDER))
        area, topic = _AREAS[folder % len(_AREAS)], WORDS[folder % len(WORDS)].capitalize()
        below = f"/part {folder}" if folder % 3 == 0 else ""
        return f"{area}/{topic} {folder // len(_AREAS)}{below}/{title}.md"

    @property
    def attachments(self) -> int:
        return max(1, self.notes // NOTES_AN_ATTACHMENT)

    def attachment(self, number: int) -> str:
        """Where an attachment lies."""
        return f"Attachments/figure {number}.{'pdf' if number % 5 == 4 else 'png'}"

    def draw(self, what: str, number: int, below: int) -> int:
        """A number below `below`, the same whenever it is asked for."""
        seal = blake2b(f"{self.seed} {what} {number}".encode(), digest_size=8).digest()
        return int.from_bytes(seal, "big") % below


def write_vault(
    folder: Path, plan: Plan, progress: Callable[[int, int], None] = lambda done, total: None
) -> Counter[str]:
    """What the new vault holds, as `nest` should count it: notes, bytes, links, unresolved, tags, tasks, broken..."""
    found: Counter[str] = Counter()
    made: set[Path] = set()  # folders, of which there are few
    for done, (path, content) in enumerate(draft_files(plan, found)):
        file = folder / path
        if file.parent not in made:
            file.parent.mkdir(parents=True, exist_ok=True)
            made.add(file.parent)
        file.write_bytes(content)
        if done % 1000 == 0 and done < plan.notes:
            progress(done, plan.notes)
    progress(plan.notes, plan.notes)
    return found


def draft_files(plan: Plan, found: Counter[str]) -> Iterator[tuple[str, bytes]]:
    """Path and bytes of every file, one after the other; `found` is told what is in them."""
    yield ".obsidian/app.json", b"{}\n"
    yield ".obsidian/types.json", json.dumps({"types": page.KINDS}, indent=2).encode() + b"\n"
    for number in range(plan.attachments):
        found["attachments"] += 1
        random = Random(f"{plan.seed} attachment {number}")
        yield plan.attachment(number), _PNG + random.randbytes(random.randrange(100, 900))
    for number in range(plan.notes):
        content = page.draft_page(plan, number, found).encode()
        found["notes"] += 1
        found["bytes"] += len(content)
        found["duplicates"] += plan.is_odd("duplicate", number)
        yield plan.path(number), content


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a vault up. The same numbers give the same bytes.")
    parser.add_argument("folder", type=Path, help="where to write it; must be empty or not there yet")
    parser.add_argument("--notes", type=int, default=1000, metavar="N", help="how many notes (1000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which of the many such vaults (1)")
    parser.add_argument("--sound", action="store_true", help="without the notes whose properties are broken")
    chosen = parser.parse_args()
    if chosen.folder.exists() and any(chosen.folder.iterdir()):
        parser.error(f"{chosen.folder} is not empty; name a new folder")
    found = write_vault(chosen.folder, Plan(chosen.notes, chosen.seed, not chosen.sound), _say)
    print("\n".join(f"{name:<14} {count:>12,}" for name, count in sorted(found.items())))


def _say(done: int, total: int) -> None:
    print(f"\rwriting notes: {done:,} of {total:,}", end="\n" if done == total else "", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
