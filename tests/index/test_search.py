"""`nest find`: what matches, in which order, and where."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nestkit.index.refresh import Readers, refresh
from nestkit.index.search import find_lines, find_notes, parse_query
from nestkit.index.store import Index, open_index
from nestkit.parse.canvas import parse_canvas
from nestkit.parse.note import parse_note
from nestkit.parse.script import parse_script
from nestkit.testing import make_vault
from nestkit.vault.files import list_files

VAULT = {
    "Garden.md": "---\nstatus: active\ntags: [outdoor/green]\n---\n# Spring plan\nSow the carrots early.\n"
    "- [ ] buy seeds\n",
    "Kitchen/Soup.md": "Carrot soup with a crème fraîche top.\nThen rest.\n- [x] cook\n",
    "Carrots.md": "Orange.\n",
    "日記.md": "今日は東京で花を見ました。\n",
    "Empty.md": "",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("search")
    root = make_vault(folder / "vault", VAULT)
    made = open_index(folder / "index.sqlite")
    readers = Readers(lambda path: (root / path).read_bytes(), parse_note, parse_canvas, parse_script, "02_System")
    refresh(made, list_files(root), readers)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("query", "paths"),
    [
        ("carrots", ["Carrots.md", "Garden.md"]),
        ("carrot*", ["Carrots.md", "Kitchen/Soup.md", "Garden.md"]),
        ("creme", ["Kitchen/Soup.md"]),
        ("CRÈME", ["Kitchen/Soup.md"]),
        ('"carrot soup"', ["Kitchen/Soup.md"]),
        ('"soup carrot"', []),
        ("carrot* -soup", ["Carrots.md", "Garden.md"]),
        ("東京", ["日記.md"]),
        ("京東", []),
        ("tag:outdoor", ["Garden.md"]),
        ("tag:out", []),
        ("path:kitchen", ["Kitchen/Soup.md"]),
        ("status=active", ["Garden.md"]),
        ("-status=active carrots", ["Carrots.md"]),
        ("task:open", ["Garden.md"]),
        ("task:done", ["Kitchen/Soup.md"]),
        ("task:seeds", ["Garden.md"]),
        ("heading:spring", ["Garden.md"]),
        ("nothingatall", []),
        ('"unclosed carrot', []),
        ("carrots AND OR NOT (", []),
    ],
)
def test_a_query_finds_its_notes_in_order(index: Index, query: str, paths: list[str]) -> None:
    found = [hit.path for hit in find_notes(index, query)]
    assert found[:1] == paths[:1]
    assert set(found) == set(paths)


def test_a_hit_shows_the_line_of_its_first_match(index: Index) -> None:
    hit = find_notes(index, "early")[0]
    assert (hit.line, hit.snippet) == (6, "Sow the carrots early.")


def test_the_limit_is_kept(index: Index) -> None:
    assert len(find_notes(index, "path:md", 2)) == 2


def test_lines_are_found_without_case_and_with_their_numbers(index: Index) -> None:
    assert list(find_lines(index, "SOW")) == [("Garden.md", 6, "Sow the carrots early.")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text())
def test_no_query_is_an_error(index: Index, query: str) -> None:
    parse_query(query)
    assert len(find_notes(index, query)) <= len(VAULT)
