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

_FILES = {
    "nest.toml": _SETTINGS,
    "02_System/README.md": _README,
    "02_System/words.py": _EXAMPLE,
    "03_Runs/.gitkeep": "",
}


def init_vault(root: Path, *, dry_run: bool = False) -> list[str]:
    """Paths that were made, or would be; raises NoVault when the folder cannot be one."""
    if root.exists() and not root.is_dir():
        raise NoVault(f"{root} is a file", "name a folder")
    if root in (Path.home(), Path(root.anchor)):
        raise NoVault(f"{root} as a vault would take in everything below it", "name a folder of your own for the notes")
    missing = _missing(root)
    if not dry_run:
        for path in missing:
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as made:  # never over something that appeared meanwhile
                made.write(_FILES[path])
    return missing


def _missing(root: Path) -> list[str]:
    """Files to make: a folder that is there already is the person's, and nothing is put into it."""
    return [path for path in _FILES if not (root / path).exists() and not (root / _home(path)).exists()]


def _home(path: str) -> str:
    return path.partition("/")[0]
