"""Who links to whom, in; neighbours, shortest paths and connected parts, out. *Pure*; above it *Disk*, reading only.

Neighbours and paths ask the index for the links of the files they come by, so their cost follows what is near and not
the vault. Those at the other end come in the order of their paths, so every answer is the same each time. Nothing calls
itself: a chain of any length is walked in a loop.
"""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nestkit.index.store import Index

Record = dict[str, Any]

Pair = tuple[int, int]
"""A file and one it links to."""

Edges = Mapping[int, Sequence[int]]
"""File -> files at the other end of its links, either direction; one without links may be missing."""

Near = Callable[[Iterable[int]], Edges]
"""The edges of some files, each of the others once and in order, never the file itself."""


class Step(NamedTuple):
    """How a file was reached."""

    distance: int
    """Links from the start."""
    via: int
    """The file before it, one link nearer."""


def join_pairs(pairs: Iterable[Pair]) -> dict[int, array[int]]:
    """The edges that these links make, a file as often as there are links."""
    near: defaultdict[int, array[int]] = defaultdict(lambda: array("i"))
    for source, dest in pairs:
        if source != dest:
            near[source].append(dest)
            near[dest].append(source)
    return dict(near)


def find_neighbours(near: Near, start: int, depth: int = 1) -> dict[int, Step]:
    """Files within `depth` links of `start`, nearest first; `start` is none of them."""
    steps: dict[int, Step] = {}
    level = [start]
    for distance in range(1, depth + 1):
        edges = near(level)
        reached: list[int] = []
        for file in level:
            for other in edges.get(file, ()):
                if other != start and other not in steps:
                    steps[other] = Step(distance, file)
                    reached.append(other)
        if not reached:
            break
        level = reached
    return steps


@dataclass(slots=True)
class _End:
    """What was reached from one end of a path, level by level."""

    levels: list[set[int]]
    seen: set[int]
    edges: dict[int, Sequence[int]] = field(default_factory=dict)
    """Of all levels but the last."""

    def step(self, near: Near) -> None:
        found = near(self.levels[-1])
        self.edges.update(found)
        reached = {other for others in found.values() for other in others} - self.seen
        self.seen |= reached
        self.levels.append(reached)

    def leading_to(self, files: set[int]) -> list[set[int]]:
        """Of each level the files from which the way goes on to these of the last."""
        kept = [files]
        for level in self.levels[-2::-1]:
            kept.append({file for file in level if not kept[-1].isdisjoint(self.edges.get(file, ()))})
        return kept[::-1]


def find_path(near: Near, start: int, goal: int) -> list[int]:
    """The shortest way from `start` to `goal`, both in it; of equals the first by order; empty when there is none.

    Both ends are gone from until they meet, the one with fewer files before it first.
    """
    one, other = (_End([{file}], {file}) for file in (start, goal))
    while not (middle := one.levels[-1] & other.levels[-1]):
        end = min(one, other, key=lambda end: len(end.levels[-1]))
        end.step(near)
        if not end.levels[-1]:
            return []
    ways = one.leading_to(middle) + other.leading_to(middle)[-2::-1]
    path = [start]
    for on_way in ways[1:]:
        path.append(next(file for file in near(path[-1:])[path[-1]] if file in on_way))
    return path


def find_components(near: Edges, count: int) -> list[list[int]]:
    """The connected parts of files 0 to `count`, each in order; the largest first, equals by their first file."""
    found: list[list[int]] = []
    seen = bytearray(count)
    for start in range(count):
        if seen[start]:
            continue
        seen[start] = 1
        part = [start]
        for file in part:  # grows while it is walked
            for other in near.get(file, ()):
                if not seen[other]:
                    seen[other] = 1
                    part.append(other)
        found.append(sorted(part))
    return sorted(found, key=len, reverse=True)


def list_neighbours(index: Index, path: str, depth: int = 1) -> list[Record]:
    """`{path, distance, via}` of the files within `depth` links of this one, by distance and path."""
    start = _id(index, path)
    steps = {} if start is None else find_neighbours(_near(index), start, depth)
    paths = _paths(index, {*steps, *(step.via for step in steps.values())})
    found = [{"path": paths[file], "distance": step.distance, "via": paths[step.via]} for file, step in steps.items()]
    return sorted(found, key=lambda near: (near["distance"], near["path"]))


def list_steps(index: Index, start: str, goal: str) -> list[Record] | None:
    """`{path, direction}` from file to file; None when no links join the two.

    The direction is `out` where the file before links to this one, `in` where this one links back, `both`, or None.
    """
    if start == goal:
        return [{"path": start, "direction": None}]
    ends = (_id(index, start), _id(index, goal))
    if ends[0] is None or ends[1] is None:
        return None
    files = find_path(_near(index), ends[0], ends[1])
    paths = _paths(index, files)
    way = [paths[file] for file in files]
    pairs = zip([None, *way], way, strict=False)
    return [{"path": path, "direction": before and _direction(index, before, path)} for before, path in pairs] or None


def list_components(index: Index) -> list[Record]:
    """`{size, paths}` of each connected part, the largest first; a note without links is a part of its own."""
    rows = index.connection.execute(
        "SELECT id, path FROM files WHERE kind IN ('note', 'canvas')"
        " OR id IN (SELECT dest FROM links WHERE dest IS NOT NULL) ORDER BY path"
    ).fetchall()
    numbers = {row[0]: number for number, row in enumerate(rows)}
    links = index.connection.execute("SELECT DISTINCT file, dest FROM links WHERE dest IS NOT NULL")
    pairs = ((numbers[file], numbers[dest]) for file, dest in links if file in numbers and dest in numbers)
    parts = find_components(join_pairs(pairs), len(rows))
    return [{"size": len(part), "paths": [rows[file][1] for file in part]} for part in parts]


_EDGES = """
SELECT e.file, e.other FROM (
    SELECT file, dest AS other FROM links WHERE file IN (SELECT value FROM json_each(?1)) AND dest IS NOT NULL
    UNION SELECT dest, file FROM links WHERE dest IN (SELECT value FROM json_each(?1))
) e JOIN files f ON f.id = e.other WHERE e.file != e.other ORDER BY f.path
"""


def _near(index: Index) -> Near:
    def near(files: Iterable[int]) -> Edges:
        found: dict[int, list[int]] = {}
        for file, other in index.connection.execute(_EDGES, (json.dumps(list(files)),)):
            found.setdefault(file, []).append(other)
        return found

    return near


def _id(index: Index, path: str) -> int | None:
    row = index.one("SELECT id FROM files WHERE path = ?", path)
    return None if row is None else int(str(row[0]))


def _paths(index: Index, files: Iterable[int]) -> dict[int, str]:
    query = "SELECT id, path FROM files WHERE id IN (SELECT value FROM json_each(?))"
    return dict(index.connection.execute(query, (json.dumps(list(files)),)).fetchall())


def _direction(index: Index, before: str, path: str) -> str:
    query = (
        "SELECT EXISTS (SELECT 1 FROM links l JOIN files s ON s.id = l.file JOIN files d ON d.id = l.dest"
        " WHERE s.path = ? AND d.path = ?)"
    )
    forth = index.rows(query, before, path)[0][0]
    back = index.rows(query, path, before)[0][0]
    return "both" if forth and back else "out" if forth else "in"
