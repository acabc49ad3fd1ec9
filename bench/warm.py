"""This machine in; what it brings to have things ready, beside doing them anew, out. *Process, Disk*.

    python bench/warm.py [--repeats N] [--notes N] [--packages FOLDER] [--json]

Three things are kept ready: a package that is slow to import (pandas, out of FOLDER), the isolation of a daemon from
one question to the next, and the view of a vault that each tool gets anew, which must not cost more in a large one.
Every figure is a median of one run; it reports and never judges.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from figures import MILLI, NOW, Row, draft_row, measure, print_rows, run_one
from vaults import Plan, write_vault

from nestkit.hall.walk import Company
from nestkit.nest import Nest, open_nest
from nestkit.policy import Limits
from nestkit.run import Ask
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import Job, World
from nestkit.sandbox.kernel import Kernel
from nestkit.sandbox.loaded import Loaded

_EXAMPLE = Path(__file__).parents[1] / "vault"
_QUESTION = "Which projects are active?"
_FRAME = "import pandas\nfinal_answer(int(pandas.DataFrame({'n': [1, 2, 3]}).n.sum()))"
_SCRIPT = """
def nothing():
    return None


def total():
    import pandas

    return int(pandas.DataFrame({"n": [1, 2, 3]}).n.sum())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=25)
    parser.add_argument("--notes", type=int, default=10_000, help="how many notes the large vault has")
    parser.add_argument("--packages", default="", help="a folder with pandas, as `pip install --target` makes it")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nest-bench-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        rows = [
            *_packages(place, chosen.packages, chosen.repeats),
            *_views(place, chosen.notes, chosen.repeats),
            *_questions(place, chosen.repeats),
        ]
    print_rows(rows, as_json=chosen.json)


def _packages(place: Path, packages: str, repeats: int) -> Iterator[Row]:
    """pandas: imported by plain Python, there in a warm parent, kept loaded for a script."""
    if not packages and (found := importlib.util.find_spec("pandas")) and found.origin:
        packages = str(Path(found.origin).parents[1])
    if not packages:
        print("skipped: no pandas here; give --packages FOLDER", file=sys.stderr)
        return
    vault, site = _vault(place / "small"), (str(Path(packages).resolve()),)
    plain = f"import sys; sys.path.append({site[0]!r}); import pandas"
    imported = measure(max(3, repeats // 5), lambda: subprocess.run([sys.executable, "-c", plain], check=True))
    yield draft_row("pandas: a plain Python that imports it", imported, MILLI, "ms")
    ahead = ("numpy", "pandas")
    with Engine(Kernel("kernel-full", without=("everything",), preload=ahead, site=site)) as engine:
        time.sleep(5 * max(imported))  # the parent loads when it has nothing else to do
        bare = measure(repeats, lambda: run_one(engine))
    yield draft_row("pandas: bare fork of a parent that has it, first program done", bare, MILLI, "ms")
    world = World(str(vault), site=site)
    with open_engine("kernel-full", preload=ahead, site=site) as engine:
        time.sleep(5 * max(imported))
        warm = measure(repeats, lambda: run_one(engine, world))
        yield draft_row("pandas: warm start, sandboxed", warm, MILLI, "ms", bare, "a bare fork", "3x, 30 ms")
        used = measure(repeats, lambda: run_one(engine, world, _FRAME))
        yield draft_row("pandas: the same, a table made and summed", used, MILLI, "ms", bare, "a bare fork")
    job = Job("02_System/t.py", str(vault), NOW, function="total", site=site, hide=(".nest",))
    with open_engine("kernel-full") as engine, Loaded(engine) as scripts:
        alone = measure(max(3, repeats // 5), lambda: engine.call(job, Limits()))
        yield draft_row("pandas: a script's call, in a child of its own", alone, MILLI, "ms", imported, "the import")
        kept = measure(repeats, lambda: scripts.call(job, Limits()))
        yield draft_row("pandas: the same, its packages loaded", kept, MILLI, "ms", bare, "a bare fork", "3x, 30 ms")


def _views(place: Path, notes: int, repeats: int) -> Iterator[Row]:
    """An empty script called over a vault of three files, and over a large one."""
    small, large = _vault(place / "few"), place / "many"
    write_vault(large, Plan(notes, 1))
    _vault(large)
    staged = place / "staged"
    staged.mkdir()
    (staged / "new.md").write_text("x")
    kinds = {
        "to read": {},
        "less what is private": {"hide": (".nest", "private.md", "02_System/private")},
        "with staged files over it": {"hide": (".nest",), "over": str(staged)},
    }
    with open_engine("kernel-full") as engine:
        for name, more in kinds.items():
            few, many = (_called(engine, _job(vault, more), repeats) for vault in (small, large))
            yield draft_row(f"view of {notes:,} notes {name}", many, MILLI, "ms", few, "of 3 files", "1x")

        def collected(vault: Path) -> list[float]:
            job = _job(vault, {"hide": (".nest",), "writable": True})
            return measure(repeats, lambda: engine.call(job, Limits(), collect=lambda layer: None))

        few, many = collected(small), collected(large)
        yield draft_row(f"view of {notes:,} notes to write, collected", many, MILLI, "ms", few, "of 3 files", "1x")


def _called(engine: Engine, job: Job, repeats: int) -> list[float]:
    return measure(repeats, lambda: engine.call(job, Limits()))


def _questions(place: Path, repeats: int) -> Iterator[Row]:
    """One question of the example vault answered to its note, in one process, with and without what a daemon keeps."""
    vault = place / "example"
    shutil.copytree(_EXAMPLE, vault)
    folders = {f"NEST_{name}_DIR": str(place / "user" / name) for name in ("CACHE", "STATE", "CONFIG")}
    with open_nest(vault, vault, environ=folders, to_write=True) as nest:
        nest.refresh()
        anew = measure(repeats, lambda: _ask(nest))
        with nest.engines.keeping():
            kept = measure(repeats, lambda: _ask(nest))
    yield draft_row("question: the isolation opened for it", anew, MILLI, "ms")
    yield draft_row("question: the isolation kept, as in a daemon", kept, MILLI, "ms", anew, "opened for it")


def _ask(nest: Nest) -> None:
    run = nest.answer(Ask(_QUESTION, datetime.now().astimezone(), model="builtin"), Company())
    assert run.status == "ok", run.end


def _vault(root: Path) -> Path:
    (root / "02_System").mkdir(parents=True, exist_ok=True)
    (root / "02_System/t.py").write_text(_SCRIPT)
    (root / ".nest").mkdir(exist_ok=True)
    (root / "private.md").write_text("x")
    return root


def _job(vault: Path, more: dict[str, object]) -> Job:
    return replace(Job("02_System/t.py", str(vault), NOW, function="nothing"), **more)


if __name__ == "__main__":
    main()
