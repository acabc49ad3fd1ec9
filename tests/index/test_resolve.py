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
    ("a canvas with it is found", "A.md", "Map.canvas", ["x/Map.canvas"], "x/Map.canvas"),
    ("a picture wins over a note about it", "A.md", "a.png", ["a.png.md", "z/a.png"], "z/a.png"),
    ("a note about a picture that is gone", "A.md", "a.png", ["a.png.md"], "a.png.md"),
    ("a note whose name ends in .md twice", "A.md", "a.md", ["a.md.md"], "a.md.md"),
    ("the plain note wins over it", "A.md", "a.md", ["a.md.md", "x/a.md"], "x/a.md"),
    ("a file without extension answers to its full name", "A.md", "LICENSE", ["LICENSE"], "LICENSE"),
    ("the extension's case does not matter", "A.md", "Bee", ["Bee.MD"], "Bee.MD"),
    ("nor does that of folders", "A.md", "PROJECTS/bee", ["Projects/Bee.md"], "Projects/Bee.md"),
    ("a suffix of several folders", "A.md", "y/z/Bee", ["x/y/z/Bee.md", "x/z/Bee.md"], "x/y/z/Bee.md"),
    ("a folder in between cannot be left out", "A.md", "x/Bee", ["x/y/Bee.md"], None),
    ("part of a folder's name is no folder", "A.md", "jects/Bee", ["Projects/Bee.md"], None),
    ("part of a note's name is no name", "A.md", "ee", ["Bee.md"], None),
    ("a suffix prefers the source's folder", "q/A.md", "y/Bee", ["a/y/Bee.md", "q/y/Bee.md"], "q/y/Bee.md"),
    ("a sibling folder is not the source's", "xy/A.md", "Bee", ["x/Bee.md", "a/b/Bee.md"], "x/Bee.md"),
    ("a parent folder is not the source's", "x/y/A.md", "Bee", ["x/Bee.md", "b/Bee.md"], "b/Bee.md"),
    ("folders of the source fold their case", "X/A.md", "Bee", ["a/Bee.md", "x/Bee.md"], "x/Bee.md"),
    ("at the root every copy is below", "A.md", "Bee", ["zz/Bee.md", "a/b/c/Bee.md"], "zz/Bee.md"),
    ("two dots twice", "p/q/r/A.md", "../../Bee", ["p/Bee.md", "Bee.md"], "p/Bee.md"),
    ("dots inside a relative path", "p/A.md", "./q/../Bee", ["p/Bee.md"], "p/Bee.md"),
    ("a relative link does not fall back", "p/A.md", "./Bee", ["Bee.md", "q/Bee.md"], None),
    ("a relative link folds its case", "P/A.md", "./BEE", ["p/bee.md"], "p/bee.md"),
    ("a relative picture", "p/A.md", "../img/a.png", ["img/a.png", "a.png"], "img/a.png"),
    ("a leading slash may go deep", "A.md", "/x/Bee", ["x/Bee.md", "y/x/Bee.md"], "x/Bee.md"),
    ("a leading slash and an extension", "A.md", "/x/a.png", ["x/a.png"], "x/a.png"),
    ("dots in a name", "A.md", "v1.2.3", ["v1.2.3.md"], "v1.2.3.md"),
    ("a name that looks like a file", "A.md", "config.json", ["config.json.md", "config.json"], "config.json"),
    ("an ellipsis at the start is no relative path", "A.md", "...and so on", ["...and so on.md"], "...and so on.md"),
    ("a title does not resolve, only the name", "A.md", "Bee Title", ["bee.md"], None),
    ("blanks inside count", "A.md", "Big  Bee", ["Big Bee.md"], None),
    ("decomposed typed, composed stored", "A.md", "Cafe\u0301", ["Caf\u00e9.md"], "Caf\u00e9.md"),
    ("decomposed folders", "A.md", "\u00e9t\u00e9/Bee", ["e\u0301te\u0301/Bee.md"], "e\u0301te\u0301/Bee.md"),
    ("accents tell names apart", "A.md", "Cafe", ["Caf\u00e9.md"], None),
    ("Hangul composes", "A.md", "\uac00", ["\u1100\u1161.md"], "\u1100\u1161.md"),
    ("compatibility forms are other letters", "A.md", "fi", ["\ufb01.md"], None),
    ("full-width letters fold among themselves", "A.md", "\uff21", ["\uff41.md"], "\uff41.md"),
    ("sharp s is not two letters", "A.md", "strasse", ["stra\u00dfe.md"], None),
    ("a name with a hash cannot be reached", "A.md", "C", ["C#.md"], None),
    ("an apostrophe and an ampersand are letters", "A.md", "tom's & co", ["Tom's & Co.md"], "Tom's & Co.md"),
    ("nothing answers to a folder with a slash", "A.md", "Folder/", ["Folder/x.md", "Folder.md"], None),
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
