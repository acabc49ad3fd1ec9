"""Filters answer as a plain reading of every note does, whichever way the index takes to the answer."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from indexing import refresh_vault

from nestkit.index import search
from nestkit.index.facts import list_records
from nestkit.index.name_rows import max_edits, name_row, near_expression, part_expression
from nestkit.index.nearest import find_near_names, name_edits
from nestkit.index.property_rows import MAX_TEXT, draft_values
from nestkit.index.search import find_notes
from nestkit.index.store import Index, open_index
from nestkit.testing import make_vault

VALUES = (
    *(
        1,
        2,
        2.5,
        4.0,
        -1,
        2026,
        "4",
        "007",
        "active",
        "Active",
        "[[Bee|b]]",
        "[[x/Bee]]",
        True,
        False,
        None,
        "",
        [],
        {},
    ),
    *("2026", "2026-03", "2026-03-14", "2026-03-14T10:30", "2025-12-31", "2026-13-01", "14.3.2026", "soon", "ü", "Ü b"),
    *(
        [1, "active"],
        [[3], "2026-04-01"],
        {"a": 1},
        ["[[Bee]]", None],
        "x" * (MAX_TEXT + 5),
        "x" * (MAX_TEXT + 6),
        1e30,
    ),
)
NAMES = ("status", "Status", "rating", "created", "date", "due date")
FILTERS = (
    *(
        "status=active",
        "status=ACTIVE",
        "status=bee",
        "status=true",
        "status=false",
        "status=4",
        "status=4.0",
        "status=7",
    ),
    *("status=2026", "status=2026-03", "status=soon", "status=ü", '"due date"=1', "nosuch=1", f"status={'x' * 205}"),
    *(
        "rating>2",
        "rating>=2",
        "rating<2.5",
        "rating<=2.5",
        "rating>2026",
        "rating>=2026",
        "rating<2026",
        "rating<=2026",
    ),
    *("rating>2026-03", "rating>=2026-03", "rating<2026-03-14", "rating<=2026-03", "rating>2026-03-14", "rating>-2"),
    *(
        "created:2026",
        "created:2026-03",
        "created:>2026-03",
        "created:>=2026-03-14",
        "created:<2026",
        "created:<=2026-03",
    ),
)
COMPARE = {"=": operator.eq, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder, random = tmp_path_factory.mktemp("filters"), Random(7)
    files = {}
    for number in range(300):
        chosen = random.sample(NAMES, random.randrange(4))
        block = "".join(f"{json.dumps(name)}: {json.dumps(random.choice(VALUES))}\n" for name in chosen)
        tag = f"#{random.choice(('a', 'a/b', 'ab', 'c'))}"
        task = random.choice(("- [ ] open", "- [x] done", "- [-] off", ""))
        files[f"{random.choice('xyz')}/n{number}.md"] = f"---\n{block}---\nword {tag}\n\n{task}\n"
    index = open_index(folder / "index.sqlite")
    refresh_vault(index, make_vault(folder / "vault", files))
    yield index
    index.close()


def scalars(value: Any) -> list[Any]:
    return [scalar for item in value for scalar in scalars(item)] if isinstance(value, list) else [value]


def values_of(record: dict[str, Any], name: str) -> list[Any]:
    own = [value for key, value in record["properties"].items() if key.lower() == name.lower()]
    return [scalar for value in own for scalar in scalars(value) if not isinstance(scalar, dict)]


def number_of(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) or value is None else float(value)
    except ValueError:
        return None


def is_day(text: str) -> bool:
    parts = text.split("-")
    return (
        [len(part) for part in parts] in ([4], [4, 2], [4, 2, 2])
        and all(map(str.isdigit, parts))
        and parts[1:2] != ["13"]
    )


def reads_as(value: Any) -> str:
    if value is None:
        return ""
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value)
    if text.startswith("[["):
        text = text[2:-2].split("|")[0].split("/")[-1]
    return text.lower()


def meets(record: dict[str, Any], name: str, compare: str, wanted: str) -> bool:
    """The rule of docs/facts.md, read plainly."""
    for value in values_of(record, name):
        number = number_of(wanted)
        if compare == "=" and (
            reads_as(value) == wanted.lower() or (number is not None and number_of(value) == number)
        ):
            return True
        if compare == "=":
            continue
        if number is not None and number_of(value) is not None and COMPARE[compare](number_of(value), number):
            return True
        text = str(value)
        if (
            is_day(wanted)
            and is_day(text[:10])
            and number_of(value) is None
            and COMPARE[compare](text[: len(wanted)], wanted)
        ):
            return True
    return False


def plainly(asked: str) -> Callable[[dict[str, Any]], bool]:
    if asked.startswith("created:"):
        compare = asked[8:].rstrip("0123456789-") or "="
        wanted = asked[8:].lstrip("<>=")

        def created(record: dict[str, Any]) -> bool:
            own = [value for value in (record["properties"].get("created"),) if value is not None and value != ""]
            texts = [str(v) for v in values_of(record, "created" if own else "date")]
            days = [text for text in texts if is_day(text[:10]) and number_of(text) is None]
            return any(COMPARE[compare](text[: len(wanted)], wanted) for text in days)

        return created
    name = asked.rstrip("0123456789.-").split("=")[0].split("<")[0].split(">")[0].strip('"')
    compare = next(sign for sign in (">=", "<=", "=", "<", ">") if sign in asked)
    return lambda record: meets(record, name, compare, asked.split(compare, 1)[1])


@pytest.mark.parametrize("asked", FILTERS)
def test_a_filter_lets_through_what_a_plain_reading_does(index: Index, asked: str) -> None:
    expected = [record["path"] for record in list_records(index) if plainly(asked)(record)]
    assert [hit.path for hit in find_notes(index, asked, 1000)] == expected
    left = [record["path"] for record in list_records(index) if record["path"] not in expected]
    assert [hit.path for hit in find_notes(index, f"-{asked}", 1000)] == left


MIXED = (
    *(
        "status=active rating>=2",
        "tag:a task:open",
        "tag:a -tag:a/b",
        "task:done path:x/",
        "path:n1 -task:open",
        "word tag:a",
    ),
    *(
        "word status=active rating>=2",
        "word -tag:a",
        "created:2026 tag:c task:open",
        "modified:>1999 tag:a",
        "path:n29 word",
    ),
    *(
        "-word",
        "-word tag:a",
        "nosuch=1 word",
        "tag:a tag:c",
        "task:open task:done",
        "word task:open -path:z",
        "path:/n2",
    ),
)


@pytest.mark.parametrize("asked", MIXED)
def test_few_or_many_the_answer_is_the_same(index: Index, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = set()
    for few, stretch, broad in ((1000, 4000, 3000), (1, 3, 3000), (1000, 3, 0), (1, 50, 0), (20, 7, 10)):
        for name, size in (("FEW", few), ("STRETCH", stretch), ("BROAD", broad)):
            monkeypatch.setattr(search, name, size)
        answers.add(tuple(sorted(hit.path for hit in find_notes(index, asked, 1000))))
        if "word" not in asked.removeprefix("-word"):
            assert [hit.path for hit in find_notes(index, asked, 1000)] == sorted(answers.copy().pop())
    assert len(answers) == 1


@pytest.mark.parametrize(
    "asked", ["status=active", "rating>=2", "tag:a", "created:2026", "path:n29", "modified:>2999", "task:done"]
)
def test_a_filter_asks_an_index(index: Index, asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What few notes meet is not sought among all of them."""
    monkeypatch.setattr(search, "FEW", 10_000)
    queries: list[str] = []
    index.connection.set_trace_callback(queries.append)
    find_notes(index, asked)
    index.connection.set_trace_callback(None)
    selects = [text for text in dict.fromkeys(queries) if text.startswith("SELECT") and "'main'" not in text]
    plans = [str(row[3]) for text in selects for row in index.rows("EXPLAIN QUERY PLAN " + text)]
    scans = [plan for plan in plans if plan.startswith("SCAN") and "INDEX" not in plan]
    assert [
        plan for plan in scans if plan.split()[1] in ("notes", "f", "files", "tasks", "property_values", "tags")
    ] == []


def test_a_property_without_values_still_has_a_row() -> None:
    assert draft_values({"a": [], "b": {}, "c": None}) == [
        ("a", 0, None, None),
        ("b", 0, None, None),
        ("c", 0, "", None),
    ]


def test_a_name_in_two_spellings_counts_on() -> None:
    assert draft_values({"A": 1, "a": ["x", 2]}) == [("a", 0, "1", 1.0), ("a", 1, "x", None), ("a", 2, "2", 2.0)]


LETTERS = "abcdefgh ijé"


def test_every_name_that_is_near_is_among_those_looked_at(index: Index) -> None:
    """One letter is changed, left out, added or swapped at every place of many names."""
    random = Random(3)
    columns = "path, name, near, detail=column, tokenize=\"ascii tokenchars '_'\""
    index.connection.execute(f"CREATE VIRTUAL TABLE temp.typed USING fts5 ({columns})")
    tried = 0
    for _ in range(300):
        name = "".join(random.choice(LETTERS) for _ in range(random.randrange(4, 14))).strip() or "abcd"
        place = random.randrange(len(name))
        letter = random.choice("xyz")
        changed = random.choice(
            (
                name[:place] + letter + name[place + 1 :],
                name[:place] + name[place + 1 :],
                name[:place] + letter + name[place:],
                name[:place] + name[place : place + 2][::-1] + name[place + 2 :],
            )
        ).replace("é", "e")
        folded = name.replace("é", "e")
        if not (name_edits(changed, folded) or 0) or min(map(len, changed.split()), default=0) < 4 or " " in changed:
            continue
        index.connection.execute("DELETE FROM temp.typed")
        index.connection.execute("INSERT INTO temp.typed VALUES (?, ?, ?)", name_row(f"{name}.md", ()))
        tried += 1
        assert max_edits(changed) > 0
        assert index.rows("SELECT 1 FROM temp.typed WHERE typed MATCH ?", near_expression(changed)), (name, changed)
    index.connection.execute("DROP TABLE temp.typed")
    assert tried > 50


@pytest.mark.parametrize(
    ("part", "is_told"), [("ab", False), ("abc", True), ("a/b", True), ("日本語", True), ("é", False)]
)
def test_a_part_of_a_path_needs_three_letters_to_be_told(part: str, is_told: bool) -> None:
    assert bool(part_expression(part)) is is_told


def test_nothing_typed_can_be_read_as_syntax(index: Index) -> None:
    for typed in ('a"b"c', "NOT near", "{path} : x", "(((", "a OR b AND", "* ^ : -", "\0abc", "ab\ud800cd", '"""'):
        find_near_names(index, typed)
        find_notes(index, typed)
        find_notes(index, f"path:{typed}")
        find_notes(index, f'status="{typed}"')
