import re
from datetime import date
from pathlib import Path


def total(project, since: date | None = None):
    hours = 0.0
    for file in Path("Daily").glob("*.md"):
        for line in file.read_text().splitlines():
            found = re.match(r"- (\d+(?:\.\d+)?)h (.+)", line)
            if found and found[2] == project:
                hours += float(found[1])
    return hours


def unbilled(client):
    """Hours worked for a client that no invoice covers yet."""
    return 0.0
