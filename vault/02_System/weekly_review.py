"""The review of a week, written as a note.

It collects what the daily notes of the week say and writes one new note. It is the only script here that changes
anything, and it says so: with the line `permissions` below it asks for one folder and no more.

---
nest:
  permissions: ["write:01_Notes/Weekly/"]
  confirm: write
  utterances:
    - "write the weekly review for {week}"
    - "weekly review of {week}"
---
"""

import re
from datetime import date

from _notebook import field, hours, vault


def write_review(week: str, replace: bool = False) -> str:
    """Write the review of a week into 01_Notes/Weekly.

    Args:
        week: The week by ISO count, such as 2026-W12.
        replace: Write over a review that is already there.

    Returns:
        The path of the note.

    Raises:
        ValueError: If it is no week.
        FileExistsError: If there is a review already.
    """
    first, last = _days(week)
    file = vault() / "01_Notes" / "Weekly" / f"{week}.md"
    if file.exists() and not replace:
        raise FileExistsError(f"{file.name} is already there; say replace=True to write over it")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_review(week, first, last), encoding="utf-8")
    return file.relative_to(vault()).as_posix()


def _days(week):
    """First and last day of an ISO week, as text."""
    parts = re.fullmatch(r"(\d{4})-W(\d\d)", week)
    if not parts:
        raise ValueError(f"{week!r} is no week; one is written like 2026-W12")
    year, number = map(int, parts.groups())
    return date.fromisocalendar(year, number, 1).isoformat(), date.fromisocalendar(year, number, 7).isoformat()


def _review(week, first, last):
    spent, moods = {}, dict(field("mood", first, last))
    for _, project, amount in hours(first, last):
        spent[project] = spent.get(project, 0.0) + amount
    lines = ["---", "type: weekly", f"week: {week}", "tags: [weekly]", "---", f"# Week {week}", ""]
    lines += [f"From {first} to {last}, {sum(spent.values()):g} hours logged.", "", "## Hours", ""]
    lines += [f"- [[{project}]]: {amount:g}h" for project, amount in sorted(spent.items())]
    if moods:
        lines += ["", "## Mood", "", f"{sum(moods.values()) / len(moods):.1f} on average:", ""]
        lines += [f"- [[{day}]]: {mood:g}" for day, mood in moods.items()]
    lines += ["", "## Done", "", *(_done(first, last) or ["Nothing was ticked off."])]
    return "\n".join(lines) + "\n"


def _done(first, last):
    """A line for each task ticked off in these days, with a link to its note."""
    found = []
    for file in sorted((vault() / "01_Notes").rglob("*.md")):
        for text, day in re.findall(r"- \[x\] (.+?)(?: 📅 \S+)? ✅ (\S+)$", file.read_text(encoding="utf-8"), re.M):
            if first <= day <= last:
                found.append(f"- {text} ([[{file.stem}]])")
    return found
