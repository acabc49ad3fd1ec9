"""A folder in; the same folder as a nest, with nothing that was there touched. *Disk*."""

from __future__ import annotations

from pathlib import Path

from nestkit.errors import NoVault

_README = """# My tools

Scripts in this folder are tools: each public function with a docstring, and each command-line program. nest reads
them to know them and runs them in isolation when a question needs them. `nest tools` lists them.
"""

_EXAMPLE = '''"""Words in the notes of this vault: an example of a tool; change it or delete it."""

import os
from pathlib import Path


def count_words(folder: str = "") -> dict[str, int]:
    """Count the words of each note.

    Args:
        folder: Only notes in this folder.

    Returns:
        Words by note.
    """
    root = Path(os.environ["VAULT_PATH"])
    notes = sorted((root / folder).rglob("*.md"))
    return {note.stem: len(note.read_text(encoding="utf-8").split()) for note in notes}
'''

_SETTINGS = """# Settings of this vault; every line is optional. A vault may narrow what nest does, never widen it.

[vault]
# system = "02_System"
# runs = "03_Runs"
# private = ["Diary/**"]      # never read by programs or tools, never sent to a model
# protected = ["Archive/**"]  # never written

[ask]
# model = "auto"              # auto, builtin, ollama/NAME
# steps = 8
"""

_RUNS_BASE = """# Runs and questions in notes, as Obsidian's core plugin Bases shows them.
properties:
  note.nest-status:
    displayName: Status
  note.nest-ask:
    displayName: Asked
  note.nest-created:
    displayName: When
  note.nest-model:
    displayName: Model
  note.nest-seconds:
    displayName: Seconds
  note.nest-note:
    displayName: Asked in
  note.nest-state:
    displayName: State
views:
  - type: table
    name: Runs
    filters:
      and:
        - file.inFolder("03_Runs")
        - file.hasProperty("nest-id")
    order: [file.name, note.nest-status, note.nest-ask, note.nest-created, note.nest-model, note.nest-seconds]
    sort:
      - property: note.nest-created
        direction: DESC
  - type: table
    name: Waiting for you
    filters:
      and:
        - file.hasProperty("nest-id")
        - note["nest-status"] == "waiting"
    order: [file.name, note.nest-ask, note.nest-note, note.nest-created]
  - type: table
    name: Notes that ask
    filters:
      and:
        - file.hasProperty("nest")
    order: [file.name, note.nest, note.nest-state]
"""

_TOOLS_BASE = """# Scripts, and notes about tools, as Obsidian's core plugin Bases shows them.
views:
  - type: table
    name: Scripts
    filters:
      and:
        - file.inFolder("02_System")
        - file.ext == "py"
    order: [file.name, file.folder, file.size, file.mtime]
    sort:
      - property: file.name
        direction: ASC
  - type: table
    name: Notes about tools
    filters:
      and:
        - file.hasProperty("tool")
    order: [file.name, note.tool, note.description]
  - type: table
    name: Automations
    filters:
      and:
        - file.inFolder("02_System/Automations")
    order: [file.name, note.on, note.folder, note.tag, note.ask, note.tool, note.enabled]
"""

BASES = {"03_Runs/Runs.base": _RUNS_BASE, "02_System/Tools.base": _TOOLS_BASE}
"""Tables of runs and tools in Obsidian itself; nothing needs them."""

_FILES = {
    "nest.toml": _SETTINGS,
    "02_System/README.md": _README,
    "02_System/words.py": _EXAMPLE,
    "03_Runs/.gitkeep": "",
    **BASES,
}


def init_vault(root: Path, *, dry_run: bool = False, bases: bool = False) -> list[str]:
    """Paths that were made, or would be; raises NoVault when the folder cannot be one.

    With `bases` the tables for Obsidian are put into folders that are there already, too.
    """
    if root.exists() and not root.is_dir():
        raise NoVault(f"{root} is a file", "name a folder")
    if root in (Path.home(), Path(root.anchor)):
        raise NoVault(f"{root} as a vault would take in everything below it", "name a folder of your own for the notes")
    missing = _missing(root)
    missing += [path for path in BASES if bases and path not in missing and not (root / path).exists()]
    if not dry_run:
        for path in missing:
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            _write_new(file, _FILES[path])
    return missing


def _write_new(file: Path, text: str) -> None:
    """The file, whole or not at all, never over something that appeared meanwhile."""
    made = file.open("x", encoding="utf-8")
    try:
        with made:
            made.write(text)
    except OSError:
        file.unlink()
        raise


def _missing(root: Path) -> list[str]:
    """Files to make: a folder that is there already is the person's, and nothing is put into it."""
    return [path for path in _FILES if not (root / path).exists() and not (root / _home(path)).exists()]


def _home(path: str) -> str:
    return path.partition("/")[0]
