"""`nest find`: what matches, in which order, and where."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from indexing import refresh_vault

from nestkit.index import search
from nestkit.index.nearest import edits_between, find_near_names
from nestkit.index.query import parse_query
from nestkit.index.search import find_lines, find_notes, matched_spans
from nestkit.index.store import Index, open_index
from nestkit.testing import make_vault

VAULT = {
    "Garden.md": "---\nstatus: active\nrating: 4\ncreated: 2026-03-14\ndue date: 2026-04-01\n"
    "tags: [outdoor/green]\n---\n# Spring plan\nSow the carrots early.\n- [ ] buy seeds\n",
    "Kitchen/Soup.md": "---\nstatus: [Done, tasty]\nrating: 2.5\ndate: 2025-12-31T08:00\n---\n"
    "Carrot soup with a crème fraîche top.\nThen rest.\n- [x] cook the meat\n",
    "Carrots.md": "---\nrating: none yet\nfolder: outdoor\n---\nOrange.\n",
    "日記.md": "今日は東京で花を見ました。\n",
    "ไทย.md": "# บันทึก\nผมพูดภาษาไทยได้\n",
    "Recipe.md": "---\naliases: [Grandmother's stew, Éclair]\ncreated: soon\n---\n"
    "A cart, then an art: cartoon, e-mail.\n",
    "Board.canvas": '{"nodes":[{"id":"1","type":"text","text":"a whiteboard word"}],"edges":[]}',
    "ລາວ.md": "ຂ້ອຍມັກກິນເຂົ້າໜຽວ\n",
    "ខ្មែរ.md": "ខ្ញុំចូលចិត្តអានសៀវភៅ\n",
    "မြန်မာ.md": "ကျွန်တော်စာအုပ်ဖတ်တယ်\n",
    "हिन्दी.md": "राम वन गए\n",
    "Empty.md": "",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("search")
    root = make_vault(folder / "vault", VAULT)
    day = datetime(2001, 2, 3, 12).timestamp()
    os.utime(root / "Carrots.md", (day, day))
    made = open_index(folder / "index.sqlite")
    refresh_vault(made, root)
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
        ("花を見", ["日記.md"]),
        ("ภาษาไทย", ["ไทย.md"]),
        ("ไทย", ["ไทย.md"]),
        ("บันทึก", ["ไทย.md"]),
        ("ภาษาจีน", []),
        ("พุด", []),
        ("พูด", ["ไทย.md"]),
        ("ເຂົ້າ", ["ລາວ.md"]),
        ("ເຂາ", []),
        ("សៀវភៅ", ["ខ្មែរ.md"]),
        ("ស្ករ", []),
        ("စာအုပ်", ["မြန်မာ.md"]),
        ("အုပ် -ဖတ်", []),
        ("ไทย ภาษา", ["ไทย.md"]),
        ("carrots ไทย", []),
        ("राम", ["हिन्दी.md"]),
        ("रोम", []),
        ("हिन्दी", ["हिन्दी.md"]),
        ('"ภาษาไทย" heading:บันทึก', ["ไทย.md"]),
        ("-ไทย -carrot* -ມັກ -អាន -စာ -राम path:md", ["Empty.md", "Recipe.md", "日記.md"]),
        ("whiteboard", ["Board.canvas"]),
        ("eclair", ["Recipe.md"]),
        ('"e mail"', ["Recipe.md"]),
        ("e-mail", ["Recipe.md"]),
        ("tag:outdoor", ["Garden.md"]),
        ("tag:#Outdoor/Green", ["Garden.md"]),
        ("tag:out", []),
        ("TAG:outdoor carrots", ["Garden.md"]),
        ("path:kitchen", ["Kitchen/Soup.md"]),
        ("status=active", ["Garden.md"]),
        ("Status=ACTIVE", ["Garden.md"]),
        ("status=done", ["Kitchen/Soup.md"]),
        ('"due date"=2026-04-01', ["Garden.md"]),
        ("-status=active carrots", ["Carrots.md"]),
        ("rating>2.5", ["Garden.md"]),
        ("rating>=2.5", ["Garden.md", "Kitchen/Soup.md"]),
        ("rating<4", ["Kitchen/Soup.md"]),
        ("rating<=4 -rating<4", ["Garden.md"]),
        ('"due date">2026-03', ["Garden.md"]),
        ('"due date">2026-04', []),
        ('"due date">=2026-04', ["Garden.md"]),
        ('"due date"<=2026-04', ["Garden.md"]),
        ("status>active", []),
        ("created:2026", ["Garden.md"]),
        ("created:2026-03", ["Garden.md"]),
        ("created:2025-12-31", ["Kitchen/Soup.md"]),
        ("created:>2025-12-31", ["Garden.md"]),
        ("created:>=2025-12-31", ["Garden.md", "Kitchen/Soup.md"]),
        ("created:<2026", ["Kitchen/Soup.md"]),
        ("-created:<2026 created:2026", ["Garden.md"]),
        ("created:soon", []),
        ("created:2026-13", []),
        ("modified:>1999 tag:outdoor", ["Garden.md"]),
        ("modified:<1999", []),
        ("modified:2001-02-03", ["Carrots.md"]),
        ("modified:2001-02", ["Carrots.md"]),
        ("modified:<=2001", ["Carrots.md"]),
        ("modified:>2001-02-02 modified:<2001-02-04", ["Carrots.md"]),
        ("modified:9999", []),
        ("modified:0001", []),
        ("task:open", ["Garden.md"]),
        ("task:done", ["Kitchen/Soup.md"]),
        ("task:seeds", ["Garden.md"]),
        ("task:see", ["Garden.md"]),
        ("-task:seeds task:the", ["Kitchen/Soup.md"]),
        ('task:"the meat"', ["Kitchen/Soup.md"]),
        ("task:rest", []),
        ("heading:spring", ["Garden.md"]),
        ('heading:"spring pl"', ["Garden.md"]),
        ("heading:บันทึก", ["ไทย.md"]),
        ("heading:carrots", []),
        ("carrots tag:outdoor status=active rating>3 task:open heading:plan created:2026", ["Garden.md"]),
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
    assert (hit.line, hit.snippet) == (9, "Sow the carrots early.")


def test_the_limit_is_kept(index: Index) -> None:
    assert len(find_notes(index, "path:md", 2)) == 2


def test_lines_are_found_without_case_and_with_their_numbers(index: Index) -> None:
    assert list(find_lines(index, "SOW")) == [("Garden.md", 9, "Sow the carrots early.")]


@pytest.mark.parametrize(
    ("query", "line", "snippet"),
    [
        ("art", 5, "A cart, then an art: cartoon, e-mail."),
        ("recipe", 1, "A cart, then an art: cartoon, e-mail."),
        ("meat", 8, "- [x] cook the meat"),
        ("FRAICHE", 6, "Carrot soup with a crème fraîche top."),
        ('"top then"', 6, "Carrot soup with a crème fraîche top."),
        ("rest", 7, "Then rest."),
        ("ไทย", 2, "ผมพูดภาษาไทยได้"),
    ],
)
def test_the_line_is_that_of_the_word_itself(index: Index, query: str, line: int, snippet: str) -> None:
    hit = find_notes(index, query)[0]
    assert (hit.line, hit.snippet) == (line, snippet)


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("art", "A cart, an art: Art!", ["art", "Art"]),
        ("car*", "A cart, scar, Cartoon", ["cart"[:3], "Car"]),
        ("creme", "crème and cre\u0300me.", ["crème", "cre\u0300me"]),
        ("strasse", "die Straße", ["Straße"]),
        ('"the meat"', "the, meat of THE meat", ["the, meat", "THE meat"]),
        ("東京", "今日は東京で", ["東京"]),
        ("ไทย", "ผมพูดภาษาไทยได้", ["ไทย"]),
        ("-art tag:art", "art", []),
        ("(", "a (b)", []),
    ],
)
def test_matched_words_are_marked(query: str, text: str, marked: list[str]) -> None:
    assert [text[begin:end] for begin, end in matched_spans(query, text)] == marked


def test_words_of_thousands_of_notes_are_ranked_by_where_they_stand(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = find_notes(index, "carrot* -orange")
    monkeypatch.setattr(search, "BROAD", 0)
    broad = find_notes(index, "carrot*")
    assert [(hit.path, hit.score) for hit in broad] == [
        ("Carrots.md", 10.0),
        ("Garden.md", 1.0),
        ("Kitchen/Soup.md", 1.0),
    ]
    assert {hit.path for hit in find_notes(index, "carrot* -orange")} == {hit.path for hit in usual}
    assert [(hit.path, hit.score) for hit in find_notes(index, "ไทย")] == [("ไทย.md", 10.0)]
    assert [(hit.path, hit.score) for hit in find_notes(index, "พูด")] == [("ไทย.md", 1.0)]
    assert find_notes(index, "\u0e49") == []
    assert [hit.path for hit in find_notes(index, "carrots tag:outdoor")] == ["Garden.md"]


def test_what_is_not_wanted_takes_no_place_of_the_limit(index: Index) -> None:
    found = find_notes(index, "carrot*", 1, lambda path: path != "Carrots.md")
    assert [hit.path for hit in found] == ["Garden.md"]


@pytest.mark.parametrize(
    "query", ["carrots", "carrot* -soup", '"carrot soup" tag:outdoor', "soup status=done rating>1", "東京 task:open"]
)
def test_words_never_make_every_note_be_read(index: Index, query: str) -> None:
    asked: list[str] = []
    index.connection.set_trace_callback(asked.append)
    find_notes(index, query)
    index.connection.set_trace_callback(None)
    selects = [text for text in dict.fromkeys(asked) if text.startswith("SELECT") and "'main'" not in text]
    plans = [str(row[3]) for text in selects for row in index.rows("EXPLAIN QUERY PLAN " + text)]
    assert selects
    assert [plan for plan in plans if plan.startswith(("SCAN notes", "SCAN n", "SCAN f"))] == []


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("gardn", ["Garden.md"]),
        ("agrden", ["Garden.md"]),
        ("GARDÉM", ["Garden.md"]),
        ("carots", ["Carrots.md"]),
        ("carrot", ["Carrots.md"]),
        ("grandmothers stew", ["Recipe.md"]),
        ("granmother", ["Recipe.md"]),
        ("eclir", ["Recipe.md"]),
        ("garden", []),
        ("grdn", []),
        ("sou", []),
        ("gardn tag:outdoor", []),
        ("-gardn", []),
        ("x" * 5000, []),
    ],
)
def test_a_mistyped_name_finds_its_note(index: Index, typed: str, paths: list[str]) -> None:
    found = find_near_names(index, typed)
    assert [hit.path for hit in found] == paths
    assert all(hit.score < 0 for hit in found)


WORDS = st.text("abcdeé東", min_size=0, max_size=9)


def _plain_edits(one: str, other: str) -> int:
    """Optimal string alignment, by its definition."""
    table = {(place, 0): place for place in range(len(one) + 1)} | {
        (0, place): place for place in range(len(other) + 1)
    }
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            changed = table[i - 1, j - 1] + (one[i - 1] != other[j - 1])
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, changed)
            if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
                table[i, j] = min(table[i, j], table[i - 2, j - 2] + 1)
    return table[len(one), len(other)]


@given(WORDS, WORDS, st.integers(0, 3))
def test_letters_are_counted_as_by_the_plain_definition(one: str, other: str, most: int) -> None:
    expected = _plain_edits(one, other)
    assert edits_between(one, other, most) == (expected if expected <= most else None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(["Garden", "Carrots", "Grandmother's stew"]), st.data())
def test_no_single_slip_loses_a_name(index: Index, name: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(name) - 1))
    slip = data.draw(st.sampled_from(["", "q", "q" + name[place], name[place + 1 : place + 2] + name[place]]))
    typed = name[:place] + slip + name[place + (2 if len(slip) == 2 and slip[0] != "q" else 1) :]
    owner = {"Garden": "Garden.md", "Carrots": "Carrots.md"}.get(name, "Recipe.md")
    if typed.casefold() != name.casefold():
        assert owner in [hit.path for hit in [*find_near_names(index, typed), *find_notes(index, typed)]]


PARTS = ("tag:", "path:", "task:", "heading:", "created:", "modified:", "status", "rating", "carrots", "ไทย", "東", "a")
PARTS += (">", "<", ">=", "<=", "=", "-", '"', "*", "(", ")", ":", "{title}", "[[", "]]", "\\", " ", "\x00", "\ud800")
PARTS += ("AND", "NOT", "2026", "2026-03", "9" * 20)
QUERIES = st.text() | st.lists(st.sampled_from(PARTS)).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(QUERIES)
def test_no_query_is_an_error(index: Index, query: str) -> None:
    parse_query(query)
    for hit in [*find_notes(index, query), *find_near_names(index, query)]:
        spans = matched_spans(query, hit.snippet)
        assert all(0 <= begin < end <= len(hit.snippet) for begin, end in spans)
        assert hit.line >= 1
