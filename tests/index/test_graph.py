"""Neighbours, shortest paths, connected parts: over small vaults, and as laws over any graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from indexing import refresh_vault

from nestkit.index.facts import backlink_records, list_deadends, list_linked
from nestkit.index.graph import (
    Edges,
    Near,
    find_components,
    find_neighbours,
    find_path,
    join_pairs,
    list_components,
    list_neighbours,
    list_steps,
)
from nestkit.index.store import Index, open_index
from nestkit.testing import make_vault

VAULT = {
    "Hub.md": "Intro.\n\nSee [[North]], [[South]] and again [[North|there]].\n",
    "North.md": '---\nup: "[[Hub]]"\nrel:\n  - "[[South]]"\n  - "[[Far]]"\n---\n![[map.png]]\n',
    "South.md": "Back to [[Hub]].\n\nA [[South#Top|link to itself]], one to [[Nowhere]].\n",
    "Far.md": "On to [[End]].\n",
    "End.md": "The end, but see [[#Top]].\n",
    "Island A.md": "[[Island B]]\n",
    "Island B.md": "",
    "Alone.md": "Nothing leads here. [[Missing]]\n",
    "map.png": "not really",
    "unused.png": "not really",
    "Board.canvas": '{"nodes":[{"id":"1","type":"text","text":"first\\nthen [[Far]] is next"},'
    '{"id":"2","type":"file","file":"End.md"}],"edges":[]}',
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("graph")
    made = _index(folder, VAULT)
    yield made
    made.close()


def _index(folder: Path, files: Mapping[str, str]) -> Index:
    root = make_vault(folder / "vault", files)
    made = open_index(folder / "index.sqlite")
    refresh_vault(made, root)
    return made


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (1, [("North.md", 1, "Hub.md"), ("South.md", 1, "Hub.md")]),
        (
            2,
            [
                ("North.md", 1, "Hub.md"),
                ("South.md", 1, "Hub.md"),
                ("Far.md", 2, "North.md"),
                ("map.png", 2, "North.md"),
            ],
        ),
    ],
)
def test_neighbours_are_found_either_direction_by_distance_and_path(
    index: Index, depth: int, expected: list[tuple[str, int, str]]
) -> None:
    found = list_neighbours(index, "Hub.md", depth)
    assert [(near["path"], near["distance"], near["via"]) for near in found] == expected


@pytest.mark.parametrize("path", ["Alone.md", "unused.png", "not there.md"])
def test_a_file_without_links_has_no_neighbours(index: Index, path: str) -> None:
    assert list_neighbours(index, path, 5) == []


@pytest.mark.parametrize(
    ("start", "goal", "expected"),
    [
        ("Hub.md", "Hub.md", [("Hub.md", None)]),
        ("Hub.md", "North.md", [("Hub.md", None), ("North.md", "both")]),
        ("Hub.md", "End.md", [("Hub.md", None), ("North.md", "both"), ("Far.md", "out"), ("End.md", "out")]),
        ("map.png", "South.md", [("map.png", None), ("North.md", "in"), ("South.md", "out")]),
        ("Hub.md", "Island A.md", None),
        ("Hub.md", "unused.png", None),
        ("unused.png", "unused.png", [("unused.png", None)]),
    ],
)
def test_the_shortest_path_says_which_way_each_link_goes(
    index: Index, start: str, goal: str, expected: list[tuple[str, str | None]] | None
) -> None:
    found = list_steps(index, start, goal)
    assert (found and [(step["path"], step["direction"]) for step in found]) == expected


def test_components_come_largest_first_and_lone_notes_are_parts_of_their_own(index: Index) -> None:
    assert [(part["size"], part["paths"]) for part in list_components(index)] == [
        (7, ["Board.canvas", "End.md", "Far.md", "Hub.md", "North.md", "South.md", "map.png"]),
        (2, ["Island A.md", "Island B.md"]),
        (1, ["Alone.md"]),
    ]


def test_a_dead_end_leads_to_no_other_file(index: Index) -> None:
    assert list_deadends(index) == ["Alone.md", "End.md", "Island B.md"]


def test_the_most_linked_come_first_by_files_then_links_then_path(index: Index) -> None:
    found = [(file["path"], file["sources"], file["count"]) for file in list_linked(index, 5)]
    assert found == [
        ("End.md", 2, 2),
        ("Far.md", 2, 2),
        ("Hub.md", 2, 2),
        ("South.md", 2, 2),
        ("North.md", 1, 2),
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("North.md", [("Hub.md", 2, 3, "See [[North]], [[South]] and again [[North|there]].")]),
        ("Hub.md", [("North.md", 1, 2, "up: [[Hub]]"), ("South.md", 1, 1, "Back to [[Hub]].")]),
        ("Far.md", [("Board.canvas", 1, 1, "then [[Far]] is next"), ("North.md", 1, 5, "rel: [[Far]]")]),
        ("map.png", [("North.md", 1, 7, "![[map.png]]")]),
        ("Alone.md", []),
    ],
)
def test_a_backlink_shows_the_line_of_its_first_link(
    index: Index, path: str, expected: list[tuple[str, int, int, str]]
) -> None:
    found = backlink_records(index, path)
    assert [(back["source"], back["count"], back["line"], back["context"]) for back in found] == expected


def test_the_context_of_a_link_deep_in_a_long_line_still_shows_the_link(tmp_path: Path) -> None:
    made = _index(tmp_path, {"A.md": "word " * 200 + "[[B]]" + " word" * 200, "B.md": ""})
    context = backlink_records(made, "B.md")[0]["context"]
    made.close()
    assert "[[B]]" in context
    assert len(context) <= 162


def near_in(pairs: Iterable[tuple[int, int]]) -> Near:
    edges = {file: sorted(set(others)) for file, others in join_pairs(pairs).items()}
    return lambda files: {file: edges[file] for file in files if file in edges}


def test_a_chain_of_any_length_is_walked() -> None:
    count = 20_000
    pairs = [(file, file + 1) for file in range(count - 1)]
    assert find_path(near_in(pairs), 0, count - 1) == list(range(count))
    assert [len(part) for part in find_components(join_pairs(pairs), count)] == [count]


def test_only_what_is_near_is_looked_at() -> None:
    asked: set[int] = set()
    near = near_in([(file, file + 1) for file in range(1000)])

    def watched(files: Iterable[int]) -> Edges:
        asked.update(files)
        return near(files)

    find_path(watched, 500, 504)
    find_neighbours(watched, 500, 3)
    assert asked <= set(range(490, 515))


_COUNT = 9
GRAPHS = st.lists(st.tuples(st.integers(0, _COUNT - 1), st.integers(0, _COUNT - 1)), max_size=25)
FILES = st.integers(0, _COUNT - 1)


def _plain_search(pairs: list[tuple[int, int]], start: int) -> dict[int, list[int]]:
    """File -> the least of the shortest ways to it, by trying whole ways, shortest and least first."""
    both = {*pairs, *((dest, source) for source, dest in pairs)}
    found, ways = {start: [start]}, [[start]]
    for way in ways:  # grows while it is walked
        for other in range(_COUNT):
            if (way[-1], other) in both and other not in found:
                found[other] = [*way, other]
                ways.append(found[other])
    return found


@given(GRAPHS, FILES, FILES)
def test_the_path_is_that_of_a_plain_breadth_first_search(pairs: list[tuple[int, int]], start: int, goal: int) -> None:
    assert find_path(near_in(pairs), start, goal) == _plain_search(pairs, start).get(goal, [])


@given(GRAPHS, FILES, st.integers(1, 5))
def test_neighbours_are_all_that_can_be_reached_and_no_other(
    pairs: list[tuple[int, int]], start: int, depth: int
) -> None:
    steps = find_neighbours(near_in(pairs), start, depth)
    ways = {file: way for file, way in _plain_search(pairs, start).items() if 1 < len(way) <= depth + 1}
    assert {file: (step.distance, step.via) for file, step in steps.items()} == {
        file: (len(way) - 1, way[-2]) for file, way in ways.items()
    }


@given(GRAPHS)
def test_each_file_is_in_the_one_part_it_is_joined_with(pairs: list[tuple[int, int]]) -> None:
    parts = find_components(join_pairs(pairs), _COUNT)
    assert sorted(file for part in parts for file in part) == list(range(_COUNT))
    assert all(part == sorted(_plain_search(pairs, part[0])) for part in parts)


@given(GRAPHS, st.randoms(use_true_random=False))
def test_the_order_of_the_links_changes_nothing(pairs: list[tuple[int, int]], random: Random) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    one, other = near_in(pairs), near_in(shuffled)
    assert find_path(one, 0, _COUNT - 1) == find_path(other, 0, _COUNT - 1)
    assert find_neighbours(one, 0, 3) == find_neighbours(other, 0, 3)
