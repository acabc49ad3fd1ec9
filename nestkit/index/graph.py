"""Who links to whom, in; neighbours, shortest paths and connected parts, out. *Pure*; above it *Disk*, reading only.

Files are numbers here, counted from 0 in the order of their paths, so that the lesser number is the first by alphabet
and every answer is the same each time. Nothing calls itself: a chain of any length is walked in a loop.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from nestkit.index.store import Index

Record = dict[str, Any]

Pair = tuple[int, int]
"""A file and one it links to."""

Edges = Mapping[int, Sequence[int]]
"""File -> files at the other end of its links; one without links may be missing."""


@dataclass(frozen=True, slots=True)
class Graph:
    """The notes, and every file that takes part in a link."""

    paths: Sequence[str]
    """In order: a file's number is its place."""
    near: Edges
    """Either direction, a file as often as there are links, never the file itself."""


class Step(NamedTuple):
    """How a file was reached."""

    distance: int
    """Links from the start."""
    via: int
    """The file before it, one link nearer."""


def join_pairs(pairs: Iterable[Pair]) -> dict[int, array[int]]:
    """The edges that these links make, either direction."""
    near: defaultdict[int, array[int]] = defaultdict(lambda: array("i"))
    for source, dest in pairs:
        if source != dest:
            near[source].append(dest)
            near[dest].append(source)
    return dict(near)


def find_neighbours(near: Edges, start: int, depth: int = 1) -> dict[int, Step]:
    """Files within `depth` links of `start`, nearest first; `start` is none of them."""
    return _walk(near, start, depth, None)


def find_path(near: Edges, start: int, goal: int) -> list[int]:
    """The shortest way from `start` to `goal`, both in it; of equals the first by order; empty when there is none."""
    if start == goal:
        return [start]
    steps = _walk(near, start, None, goal)
    if goal not in steps:
        return []
    way = [goal]
    while way[-1] != start:
        way.append(steps[way[-1]].via)
    return way[::-1]


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


def _walk(near: Edges, start: int, depth: int | None, goal: int | None) -> dict[int, Step]:
    """Breadth first from `start`: every file reached within `depth`, or until `goal` is."""
    steps: dict[int, Step] = {}
    level, distance = [start], 0
    while level and goal not in steps and (depth is None or distance < depth):
        distance += 1
        reached: list[int] = []
        for file in level:
            for other in sorted(near.get(file, ())):
                if other != start and other not in steps:
                    steps[other] = Step(distance, file)
                    reached.append(other)
        level = reached
    return steps


def list_neighbours(index: Index, path: str, depth: int = 1) -> list[Record]:
    """`{path, distance, via}` of the files within `depth` links of this one, by distance and path."""
    graph = read_graph(index)
    start = _number(graph, path)
    steps = {} if start is None else find_neighbours(graph.near, start, depth)
    ordered = sorted(steps.items(), key=lambda item: (item[1].distance, item[0]))
    return [
        {"path": graph.paths[file], "distance": step.distance, "via": graph.paths[step.via]} for file, step in ordered
    ]


def list_steps(index: Index, start: str, goal: str) -> list[Record] | None:
    """`{path, direction}` from file to file; None when no links join the two.

    The direction is `out` where the file before links to this one, `in` where this one links back, `both`, or None.
    """
    graph = read_graph(index)
    ends = (_number(graph, start), _number(graph, goal))
    if ends[0] is None or ends[1] is None:
        return [{"path": start, "direction": None}] if start == goal else None
    way = [graph.paths[file] for file in find_path(graph.near, ends[0], ends[1])]
    pairs = zip([None, *way], way, strict=False)
    return [{"path": path, "direction": before and _direction(index, before, path)} for before, path in pairs] or None


def list_components(index: Index) -> list[Record]:
    """`{size, paths}` of each connected part, the largest first; a note without links is a part of its own."""
    graph = read_graph(index)
    parts = find_components(graph.near, len(graph.paths))
    return [{"size": len(part), "paths": [graph.paths[file] for file in part]} for part in parts]


def read_graph(index: Index) -> Graph:
    """The vault's graph of resolved links; a link of a note to itself is none."""
    rows = index.connection.execute(
        "SELECT id, path FROM files WHERE kind IN ('note', 'canvas')"
        " OR id IN (SELECT dest FROM links WHERE dest IS NOT NULL) ORDER BY path"
    ).fetchall()
    numbers = {row[0]: number for number, row in enumerate(rows)}
    links = index.connection.execute("SELECT file, dest FROM links WHERE dest IS NOT NULL")
    return Graph(
        [row[1] for row in rows],
        join_pairs((numbers[file], numbers[dest]) for file, dest in links if file in numbers and dest in numbers),
    )


def _number(graph: Graph, path: str) -> int | None:
    place = bisect_left(graph.paths, path)
    return place if place < len(graph.paths) and graph.paths[place] == path else None


def _direction(index: Index, before: str, path: str) -> str:
    query = (
        "SELECT EXISTS (SELECT 1 FROM links l JOIN files s ON s.id = l.file JOIN files d ON d.id = l.dest"
        " WHERE s.path = ? AND d.path = ?)"
    )
    forth = index.rows(query, before, path)[0][0]
    back = index.rows(query, path, before)[0][0]
    return "both" if forth and back else "out" if forth else "in"
