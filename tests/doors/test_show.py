"""`nest show` and `nest find` as a person and a program see them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest
from checks import COMMAND, NestCommand


def _json(nest: NestCommand, *words: str) -> Any:
    done = nest(*words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_backlinks_come_with_the_line_of_the_first_link(nest: NestCommand) -> None:
    found = _json(nest, "show", "backlinks", "Jonas Lindqvist")
    assert {tuple(back) for back in found} == {("source", "count", "line", "context")}
    assert found[0]["context"] == "attendees: [[Jonas Lindqvist]]"
    line = nest("show", "backlinks", "Jonas Lindqvist").stdout.splitlines()[0]
    assert line == f"  1  {found[0]['source']}:{found[0]['line']}: {found[0]['context']}"


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        (("neighbours", "Lighthouse"), {"path", "distance", "via"}),
        (("neighbours", "Lighthouse", "--depth", "3"), {"path", "distance", "via"}),
        (("path", "Lighthouse", "Jonas Lindqvist"), {"path", "direction"}),
        (("components",), {"size", "paths"}),
        (("linked", "--limit", "3"), {"path", "sources", "count"}),
    ],
)
def test_the_graph_has_stable_shapes(nest: NestCommand, words: tuple[str, ...], keys: set[str]) -> None:
    found = _json(nest, "show", *words)
    assert found
    assert all(set(record) == keys for record in found)
    assert len(nest("show", *words).stdout.splitlines()) == len(found)


def test_more_depth_reaches_more(nest: NestCommand) -> None:
    near = _json(nest, "show", "neighbours", "Lighthouse")
    far = _json(nest, "show", "neighbours", "Lighthouse", "--depth", "2")
    assert far[: len(near)] == near
    assert {file["distance"] for file in far} == {1, 2}


def test_no_path_is_null_and_said(nest: NestCommand) -> None:
    assert _json(nest, "show", "path", "Lighthouse", "2026-03-09") is None
    assert nest("show", "path", "Lighthouse", "2026-03-09").stdout == "no links join the two\n"


def test_a_path_is_drawn_with_arrows(nest: NestCommand) -> None:
    lines = nest("show", "path", "Lighthouse", "2026-03-02 Lighthouse kickoff").stdout.splitlines()
    assert lines == ["Projects/Lighthouse.md", "<-> Meetings/2026-03-02 Lighthouse kickoff.md"] or lines == [
        "Projects/Lighthouse.md",
        "<- Meetings/2026-03-02 Lighthouse kickoff.md",
    ]


def test_dead_ends_are_paths(nest: NestCommand) -> None:
    found = _json(nest, "show", "deadends")
    assert "Daily/2026-03-09.md" in found
    assert nest("show", "deadends").stdout.splitlines() == found


@pytest.mark.parametrize("words", [("neighbours", "Lighthouse", "--depth", "0"), ("linked", "--limit", "0")])
def test_a_number_that_makes_no_sense_is_wrong_use(nest: NestCommand, words: tuple[str, ...]) -> None:
    assert nest("show", *words).returncode == 2


def test_a_note_that_is_not_there_is_said_with_the_nearest(nest: NestCommand) -> None:
    done = nest("show", "path", "Lighthouse", "Jonas Lindquist")
    assert done.returncode == 1
    assert "Jonas Lindqvist" in done.stderr


def test_a_mistyped_name_is_found_and_marked_as_such(nest: NestCommand) -> None:
    found = _json(nest, "find", "jonas lindquist")
    assert [(hit["path"], hit["typo"], hit["score"]) for hit in found] == [("People/Jonas Lindqvist.md", True, -1.0)]
    assert nest("find", "jonas lindquist").stdout == "People/Jonas Lindqvist.md: a name like it\n"


def test_a_real_match_is_not_called_a_typo_and_stands_above_those(nest: NestCommand, ops: Path) -> None:
    (ops / "Lighthorse.md").write_text("Another name altogether.\n", "utf-8")
    found = _json(nest, "find", "lighthorse")
    assert found[0]["path"] == "Lighthorse.md"
    assert [hit.get("typo", False) for hit in found] == [False] + [True] * (len(found) - 1)
    assert len(found) > 1


def test_matches_are_bold_on_a_terminal_only(nest: NestCommand, ops: Path) -> None:
    assert "\x1b" not in nest("find", "lighthouse").stdout
    ours, theirs = pty.openpty()
    try:
        with subprocess.Popen([COMMAND, "find", "lighthouse", "--limit", "1"], cwd=ops, stdout=theirs) as running:
            running.wait(30)
        shown = os.read(ours, 100_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "\x1b[1mLighthouse\x1b[0m" in shown


def test_what_a_note_hides_is_shown_and_not_sent(nest: NestCommand, ops: Path) -> None:
    (ops / "Trap.md").write_text("zebra \x1b[2J\u202e gone\n", "utf-8")
    done = nest("find", "zebra")
    assert "⟦U+001B⟧" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_property_that_does_not_fit_its_kind_is_a_problem_as_soon_as_the_kind_is_set(
    nest: NestCommand, ops: Path
) -> None:
    (ops / "Odd.md").write_text("---\nok: 1\ndue: soon\n---\n", "utf-8")
    before = _json(nest, "show", "problems", "Odd")
    (ops / ".obsidian").mkdir(exist_ok=True)
    (ops / ".obsidian/types.json").write_text('{"types": {"due": "date"}}', "utf-8")
    expected = {"path": "Odd.md", "line": 3, "what": "`due` is of kind date in this vault, but holds text"}
    assert before == []
    assert _json(nest, "show", "problems", "Odd") == [{**expected, "text": f"Odd.md:3: {expected['what']}"}]
    assert expected["what"] in {problem["what"] for problem in _json(nest, "show", "problems")}
    (ops / ".obsidian/types.json").write_text("{}", "utf-8")
    assert _json(nest, "show", "problems", "Odd") == []


SHAPES = [
    ("links", {"target", "heading", "block", "alias", "embed", "resolved", "line"}),
    ("embeds", {"target", "heading", "block", "alias", "embed", "resolved", "line"}),
    ("backlinks", {"source", "count", "line", "context"}),
    ("headings", {"level", "text", "line"}),
    ("tasks", {"path", "title", "line", "parent_line", "status", "done", "complete", "text", "tags", "fields"}),
    ("problems", {"path", "line", "what", "text"}),
    ("unresolved", {"source", "target", "count", "line"}),
    ("ambiguous", {"source", "target", "line", "resolved", "others"}),
]


@pytest.mark.parametrize(("fact", "keys"), SHAPES, ids=[fact for fact, _ in SHAPES])
def test_facts_have_the_shapes_that_are_documented(nest: NestCommand, ops: Path, fact: str, keys: set[str]) -> None:
    text = "# H\n[[Odd]] ![[Odd]] [[Gone]] [[Twin]]\n- [ ] t\n"
    (ops / "Odd.md").write_text(text, "utf-8")
    for folder in ("one", "two"):
        (ops / folder).mkdir()
        (ops / folder / "Twin.md").write_text("---\na: 1\na: 2\n---\n", "utf-8")
    alone = fact in ("problems", "unresolved", "ambiguous")
    found = _json(nest, "show", fact, *(() if alone else ("Odd",)))
    assert found
    assert all(set(record) == keys for record in found)
    table = (Path(__file__).parents[2] / "docs/facts.md").read_text("utf-8")
    told = next(line for line in table.splitlines() if f"`show {fact}" in line).rpartition("{")[2].partition("}")[0]
    assert {part.partition(":")[0].strip(" ?") for part in told.split(",")} - {"property"} == keys


def test_a_property_link_names_its_property(nest: NestCommand, ops: Path) -> None:
    (ops / "Odd.md").write_text('---\nrel: ["[[Odd]]"]\n---\n', "utf-8")
    assert [link["property"] for link in _json(nest, "show", "links", "Odd")] == ["rel.0"]


def test_a_find_says_where_and_how_well(nest: NestCommand) -> None:
    found = _json(nest, "find", "kickoff", "--limit", "2")
    assert found
    assert all(set(hit) == {"path", "title", "line", "snippet", "score"} for hit in found)
    typo = _json(nest, "find", "lighthuose")
    assert [hit["typo"] for hit in typo if hit["path"].endswith("Lighthouse.md")] == [True]


def test_a_broken_base_is_a_problem(nest: NestCommand, ops: Path) -> None:
    (ops / "Books.base").write_text("views:\n  - name: x\n", "utf-8")
    found = [problem for problem in _json(nest, "show", "problems") if problem["path"] == "Books.base"]
    assert [problem["line"] for problem in found] == [2]


@pytest.mark.parametrize(
    "link", ["Lighthouse", "lighthouse#Goal", "Lighthouse|the light", "[[Lighthouse#Goal|x]]", "![[LIGHTHOUSE]]"]
)
def test_a_link_is_resolved_however_much_of_it_is_typed(nest: NestCommand, link: str) -> None:
    assert _json(nest, "resolve", "Clients/Borealis Labs.md", link) == "Projects/Lighthouse.md"
