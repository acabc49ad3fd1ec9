"""One measurement in a process of its own: its name and a folder in; figures as one line of JSON out. *Process*.

    python bench/jobs.py JOB FOLDER [--repeats N] [--settle SECONDS] [--changes N]

The index lies where NEST_CACHE_DIR says. Starting Python and loading nest's hall is not timed; what nest loads late is.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

Figures = dict[str, Any]

QUERIES = {
    "common word": ("people", "through", "before"),
    "rarer word": ("lantern", "violin", "quarry", "willow", "cafe"),
    "two words": ("lantern people", "copper garden", "marsh because"),
    "phrase": ('"of the"', '"in that"'),
    "prefix": ("lant*", "compas*", "sah*"),
    "not": ("violin -copper", "ember -the"),
    "tag": ("tag:lantern/open", "tag:copper people"),
    "property": ("status=active lantern", "rating=4 copper"),
    "filter alone": ("status=active", "rating>=4", "created:2024-03", "task:open", "tag:lantern", "modified:2026"),
    "filters together": ("status=active rating>=4 done=true", "tag:lantern task:open created:>2024-06"),
    "heading, task": ("heading:overview", "task:lantern"),
    "part of a path": ("path:lantern", "path:garden violin", "path:nowhere"),
    "mistyped name": ("lantren vioiln", "coper gardem", "xyzzyplugh"),
    "cjk": ("図書館",),
    "nowhere": ("xyzzyplugh",),
}
"""What people type, by kind."""

_MOST_LINKED = "SELECT path FROM links JOIN files ON id = dest GROUP BY dest ORDER BY count(*) DESC LIMIT 5"


def walk(chosen: argparse.Namespace) -> Figures:
    """One `os.scandir` walk with a stat of every file."""
    return {"seconds": [_timed(lambda: sum(1 for _ in _files(chosen.folder)))[0] for _ in range(chosen.repeats)]}


def read(chosen: argparse.Namespace) -> Figures:
    """Every note's bytes read, as plainly as Python can."""

    def read_all() -> int:
        total = 0
        for entry in _files(chosen.folder):
            if entry.name.endswith(".md"):
                with open(entry.path, "rb") as file:  # noqa: PTH123 the quickest way is the point
                    total += len(file.read())
        return total

    timed = [_timed(read_all) for _ in range(chosen.repeats)]
    return {"seconds": [seconds for seconds, _ in timed], "bytes": timed[0][1]}


def parse(chosen: argparse.Namespace) -> Figures:
    """What becomes of the notes' text: seconds of the quick reader, and how much it leaves to the exact ones."""
    from nestkit.parse.fence import split_frontmatter
    from nestkit.parse.scan import scan_pieces
    from nestkit.parse.scan_yaml import scan_properties

    notes = blocks = full = strange = 0
    begun = time.perf_counter()
    for entry in _files(chosen.folder):
        if entry.name.endswith(".md"):
            split = split_frontmatter(Path(entry.path).read_text("utf-8", "replace"))
            notes += 1
            full += scan_pieces(split.body, split.body_line) is None
            if split.yaml:
                blocks += 1
                strange += scan_properties(split.yaml) is None
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "notes": notes, "full": full, "blocks": blocks, "strange": strange}


def cold(chosen: argparse.Namespace) -> Figures:
    """A new index of the whole vault."""

    def index() -> Figures:
        with _open(chosen.folder, rebuild=True) as nest:
            done = nest.refresh()
            return {"files": done.files, "changed": done.changed, "file": nest.index_file}

    seconds, told = _timed(index)
    counted = _counts(chosen.folder)
    return {"seconds": [seconds], "index_bytes": Path(told["file"]).stat().st_size, "counts": counted}


def no_op(chosen: argparse.Namespace) -> Figures:
    """A refresh when nothing changed, and a walk, by turns."""
    walks, refreshes = [], []
    with _open(chosen.folder) as nest:
        nest.refresh()
        for _ in range(chosen.repeats):
            walks.append(_timed(lambda: sum(1 for _ in _files(chosen.folder)))[0])
            refreshes.append(_timed(nest.refresh)[0])
    return {"seconds": refreshes, "walk": walks}


def changed(chosen: argparse.Namespace) -> Figures:
    """A refresh after some notes changed, with the backlinks of one of them; each time other words are added."""
    times, walks, told = [], [], 0
    with _open(chosen.folder) as nest:
        paths = nest.notes()
        some = paths[:: max(1, len(paths) // chosen.changes)][: chosen.changes]
        nest.refresh()
        nest.backlinks(some[0])
        for turn in range(chosen.repeats):
            time.sleep(chosen.settle)
            nest.refresh()  # so that no file of the turn before counts as new still
            for number, path in enumerate(some):
                with (chosen.folder / path).open("a", encoding="utf-8") as file:
                    file.write(f"\nAdded {turn}: [[{Path(paths[number * 7 % len(paths)]).stem}]]\n")
            walks.append(_timed(lambda: sum(1 for _ in _files(chosen.folder)))[0])
            seconds, done = _timed(lambda: (nest.refresh(), nest.backlinks(some[0]))[0])
            times.append(seconds)
            told += done.changed
    return {"seconds": times, "walk": walks, "changed": told // max(1, chosen.repeats), "wanted": len(some)}


def lookups(chosen: argparse.Namespace) -> Figures:
    """`nest find` by kind of query, and backlinks of notes with many and with few, in an open vault."""
    begun = time.perf_counter()
    with _open(chosen.folder) as nest:
        opened = time.perf_counter() - begun
        paths = nest.notes()
        hubs = [str(row[0]) for row in nest.index.rows(_MOST_LINKED)]
        nest.find("warm")
        nest.backlinks(paths[0])

        def times(look: Callable[[str], Any], asked: Iterable[str]) -> list[float]:
            return [_timed(partial(look, each))[0] for each in asked]

        return {
            "open": opened,
            "find": {kind: times(nest.find, queries * chosen.repeats) for kind, queries in QUERIES.items()},
            "backlinks": times(nest.backlinks, paths[:: max(1, len(paths) // 200)]),
            "backlinks of hubs": times(nest.backlinks, hubs),
        }


JOBS: dict[str, Callable[[argparse.Namespace], Figures]] = {
    job.__name__: job for job in (walk, read, parse, cold, no_op, changed, lookups)
}


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file below the folder, each looked at."""
    todo = [str(folder)]
    while todo:
        with os.scandir(todo.pop()) as listing:
            for entry in listing:
                if entry.name[0] == ".":
                    continue
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    yield entry


def _open(folder: Path, *, rebuild: bool = False) -> Any:
    from nestkit.nest import open_nest

    return open_nest(folder, folder, rebuild=rebuild)


def _counts(folder: Path) -> dict[str, int]:
    with _open(folder) as nest:
        return dict(nest.counts())


def _timed(do: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = do()
    return time.perf_counter() - begun, result


def _peak_bytes() -> int:
    """The most memory this process held, and with it the largest of its own workers."""
    unit = 1 if sys.platform == "darwin" else 1024
    mine, theirs = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (mine + theirs) * unit


def main() -> None:
    parser = argparse.ArgumentParser(description="One measurement; `bench/index.py` runs them all.")
    parser.add_argument("job", choices=sorted(JOBS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--settle", type=float, default=2.1)
    parser.add_argument("--changes", type=int, default=1)
    chosen = parser.parse_args()
    chosen.folder = chosen.folder.resolve()
    if chosen.job not in ("walk", "read", "parse"):
        import nestkit.nest  # noqa: F401 loaded before the clock starts
    figures = JOBS[chosen.job](chosen)
    print(json.dumps({**figures, "peak": _peak_bytes()}))


if __name__ == "__main__":
    main()
