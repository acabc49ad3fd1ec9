"""What the other scripts share: where the vault is, and what its notes say. No tool itself.

Reads the simple YAML that this vault uses: one `key: value` a line, or a key followed by `- item` lines. That is not
all of YAML; it is all that is needed here, and it needs nothing installed.
"""

import os
import re
from pathlib import Path


def vault():
    """The vault's folder: the one nest names, else the one this script lies in."""
    return Path(os.environ.get("VAULT_PATH") or Path(__file__).resolve().parents[1])


def notes(kind):
    """(title, properties, text) of each note of a type, such as "book", in order of path."""
    for file in sorted((vault() / "01_Notes").rglob("*.md")):
        properties, text = read(file)
        if properties.get("type") == kind:
            yield file.stem, properties, text


def read(file):
    """Properties and text of one note; a note without properties has none."""
    head, fence, text = file.read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n")
    if not fence:
        return {}, head
    properties, key = {}, ""
    for line in head.splitlines():
        if item := re.match(r"\s*- (.+)", line):
            properties[key] = [*(properties.get(key) or []), value(item[1])]
        else:
            key, _, rest = line.partition(":")
            properties[key] = value(rest)
    return properties, text


def value(text):
    """A property's value: number, true or false, list, or text; of a link its name; None when empty."""
    text = text.strip().strip("\"'")
    if link := re.fullmatch(r"\[\[([^\]|#]+).*\]\]", text):
        return link[1]
    if text.startswith("[") and text.endswith("]"):
        return [value(item) for item in text[1:-1].split(",")]
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return float(text) if "." in text else int(text)
    return {"true": True, "false": False, "": None}.get(text, text)


def hours(since="", until="9999"):
    """(date, project, hours) of each line in the logs of the daily notes, both days included."""
    for day, _, text in notes("daily"):
        if since <= day <= until:
            log = text.partition("## Log")[2]
            for project, amount in re.findall(r"^- (.+): ([\d.]+)h$", log, re.MULTILINE):
                yield day, project, float(amount)


def field(name, since="", until="9999"):
    """(date, number) of an inline field such as `mood:: 4` in the daily notes, both days included."""
    for day, _, text in notes("daily"):
        if since <= day <= until and (found := re.search(rf"^{re.escape(name)}:: ([\d.]+)$", text, re.MULTILINE)):
            yield day, float(found[1])
