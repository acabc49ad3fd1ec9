"""Obsidian's rules for where a link leads, over plain lists of paths."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.index.resolve import Candidate, Resolved, key_of, resolve


def leads(source: str, target: str, *paths: str) -> Resolved:
    files = [Candidate(number, path, key_of(path)) for number, path in enumerate(paths)]
    return resolve(source, target, lambda key: [f for f in files if f.path_key.rpartition("/")[2] == key])


def path_of(answer: Resolved) -> str | None:
    return answer.dest.path if answer.dest else None


CASES = [
    # title, source, target, files, expected
    ("letter case does not matter", "A.md", "bIg bEE", ["Big Bee.md"], "Big Bee.md"),
    ("the extension may be written", "A.md", "Bee.md", ["Bee.md"], "Bee.md"),
    ("a note in any folder answers to its name", "A.md", "Bee", ["x/y/Bee.md"], "x/y/Bee.md"),
    ("a path ends at a folder boundary", "A.md", "y/Bee", ["xy/Bee.md", "x/y/Bee.md"], "x/y/Bee.md"),
    ("a wrong folder does not fall back to the name", "A.md", "nowhere/Bee", ["x/Bee.md"], None),
    ("a full path wins over a nearer copy", "x/A.md", "y/Bee", ["x/y/Bee.md", "y/Bee.md"], "y/Bee.md"),
    ("a leading slash reads from the root only", "A.md", "/Bee", ["x/Bee.md"], None),
    ("a leading slash finds the root", "x/A.md", "/Bee", ["x/Bee.md", "Bee.md"], "Bee.md"),
    ("dot slash reads from the note's folder", "p/A.md", "./Bee", ["Bee.md", "p/Bee.md"], "p/Bee.md"),
    ("dot dot climbs", "p/q/A.md", "../Bee.md", ["Bee.md", "p/Bee.md"], "p/Bee.md"),
    ("dot dot never leaves the vault", "A.md", "../Bee", ["Bee.md"], None),
    ("the source's own folder comes first", "x/A.md", "Bee", ["a/Bee.md", "x/Bee.md"], "x/Bee.md"),
    (
        "a folder below the source counts as its own",
        "x/A.md",
        "Bee",
        ["a/Bee.md", "x/deep/er/Bee.md"],
        "x/deep/er/Bee.md",
    ),
    ("then the shortest path", "q/A.md", "Bee", ["longer/Bee.md", "z/Bee.md"], "z/Bee.md"),
    ("then the alphabet", "q/A.md", "Bee", ["b/Bee.md", "a/Bee.md"], "a/Bee.md"),
    (
        "a recorded tie: Archive before Research",
        "A.md",
        "Target",
        ["Research/Target.md", "Archive/Target.md"],
        "Archive/Target.md",
    ),
    ("an attachment needs its extension", "A.md", "pic", ["pic.png"], None),
    ("an attachment with it is found", "A.md", "pic.PNG", ["x/pic.png"], "x/pic.png"),
    (
        "a note wins over an attachment of the same words",
        "A.md",
        "chart",
        ["chart", "notes/chart.md"],
        "notes/chart.md",
    ),
    ("a dot in a name is no extension", "A.md", "Release 1.2", ["Release 1.2.md"], "Release 1.2.md"),
    ("folders never resolve", "A.md", "Folder", ["Folder/x.md"], None),
    ("a no-break space is a space", "A.md", "Big\u00a0Bee", ["Big Bee.md"], "Big Bee.md"),
    ("composed and decomposed are one name", "A.md", "Caf\u00e9", ["Cafe\u0301.md"], "Cafe\u0301.md"),
    ("a final sigma folds with the extension in place", "A.md", "ΟΔΟΣ", ["ΟΔΟΣ.md"], "ΟΔΟΣ.md"),
    ("an empty link is the note itself", "x/A.md", "", ["A.md", "x/A.md"], "x/A.md"),
    ("a canvas needs its extension", "A.md", "Map", ["Map.canvas"], None),
]


@pytest.mark.parametrize(("source", "target", "files", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_a_link_leads_where_obsidian_leads(source: str, target: str, files: list[str], expected: str | None) -> None:
    assert path_of(leads(source, target, *files)) == expected


def test_a_link_that_several_files_answer_to_is_ambiguous() -> None:
    assert leads("q/A.md", "Bee", "a/Bee.md", "b/Bee.md").others == ("b/Bee.md",)


def test_a_root_copy_that_wins_by_its_full_path_is_still_said_to_be_ambiguous() -> None:
    answer = leads("x/A.md", "Bee", "Bee.md", "x/Bee.md")
    assert path_of(answer) == "Bee.md"
    assert answer.others == ("x/Bee.md",)


def test_a_path_that_only_one_file_answers_to_is_not_ambiguous() -> None:
    assert leads("q/A.md", "a/Bee", "a/Bee.md", "b/Bee.md").others == ()


names = st.text(st.characters(codec="utf-8", exclude_characters="/\\#^|[]\x00"), min_size=1, max_size=12).filter(
    lambda name: name.strip(". ") == name and not name.lower().endswith(".md") and "\u00a0" not in name
)


@given(
    st.lists(st.lists(names, min_size=1, max_size=3).map("/".join), min_size=1, max_size=6, unique_by=key_of), st.data()
)
def test_a_note_s_own_full_path_always_leads_to_it(stems: list[str], data: st.DataObject) -> None:
    stem = data.draw(st.sampled_from(stems))
    found = path_of(leads("A.md", unicodedata.normalize("NFC", stem), *(f"{each}.md" for each in stems)))
    assert found is not None
    assert key_of(found) == key_of(f"{stem}.md")
