"""Which texts are vault paths, which of them may be written, and when two names are one."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestkit.errors import OutsideVault
from nestkit.vault.names import check_path, check_writable, fold, matches_any, require_path, shown

GOOD = [
    "A.md",
    "Projects/Lighthouse plan.md",
    "Café/Über uns.md",
    "Cafe\u0301/x.md",
    "日本語/メモ.md",
    "emoji 👩‍👩‍👧.md",
    "a (b) [c] {d} #e ^f.md",
    "it's & more, 100%.md",
    "no-ending",
    "console.md",
    "com10.md",
    "..a/b...c.md",
    "a/~b.md",
]
NO_PATH = [
    "",
    "/etc/passwd",
    "//host/share",
    "~/.ssh/id",
    "~root",
    "..",
    "../x.md",
    "a/../../x.md",
    "a/./b.md",
    "./a.md",
    "a//b.md",
    "a/",
    "a\\b.md",
    "..\\..\\x",
    "a\x00.md",
    "a\nb.md",
    "a\x1b[2Jb.md",
    "a\x7f.md",
    "a\x85.md",
    "a\udcff.md",
    "x" * 2000,
]
NOT_WRITABLE = [
    ".hidden.md",
    "a/.git/config",
    ".obsidian/app.json",
    "\u200c.obsidian/app.json",
    ".\u200cobsidian/app.json",
    "a./b.md",
    "a /b.md",
    "a.md.",
    "a.md ",
    "a.md\u00a0",
    "a:b.md",
    "a.md:stream",
    "CON",
    "con.md",
    "Aux .md",
    "x/nul.tar.gz",
    "COM1.md",
    "lpt9",
    "com¹.md",
    "CONIN$",
    "ab\u202edm.exe",
    "a\u2066b.md",
    "a\u2028b.md",
    "é" * 128,
]


class Sly(str):
    """Text that is not the same each time it is looked at."""

    def split(self, *_: object) -> list[str]:  # type: ignore[override]
        return ["fine.md"]


@pytest.mark.parametrize("path", [name for name in GOOD if not name.startswith("..")])
def test_an_ordinary_name_may_be_read_and_written(path: str) -> None:
    assert check_path(path) is None
    assert check_writable(path) is None


@pytest.mark.parametrize("path", NO_PATH)
def test_a_path_that_leads_elsewhere_is_refused_in_one_visible_line(path: str) -> None:
    for refusal in (check_path(path), check_writable(path)):
        assert refusal is not None
        assert refusal.reason.isprintable()
        assert len(refusal.reason) < 300
    with pytest.raises(OutsideVault):
        require_path(path)


@pytest.mark.parametrize("path", NOT_WRITABLE)
def test_a_name_that_means_something_elsewhere_is_not_written(path: str) -> None:
    refusal = check_writable(path)
    assert refusal is not None
    assert refusal.reason.isprintable()


@pytest.mark.parametrize("path", [Sly("../x"), b"a.md", None, 3, ["a.md"]])
def test_only_plain_text_is_a_path(path: object) -> None:
    assert check_path(path) is not None
    assert check_writable(path) is not None


PROTECTED = ("nest.toml", "02_System", "03_Runs/**", "*.canvas", "Café", "Deep/down")


@pytest.mark.parametrize(
    ("path", "protected"),
    [
        ("nest.toml", True),
        ("NEST.TOML", True),
        ("02_System/a.py", True),
        ("02_system/a.py", True),
        ("02_SYSTEM", True),
        ("02_System2/a.md", False),
        ("a/02_System.md", False),
        ("03_runs/2026/x.md", True),
        ("Boards/Plan.CANVAS", True),
        ("Cafe\u0301/x.md", True),
        ("CAFÉ/x.md", True),
        ("02_Sy\u200bstem/a.py", True),
        ("02_\u017fystem/a.py", True),
        ("Deep/down/x.md", True),
        ("x/Deep/down/y.md", False),
        ("Notes/a.md", False),
    ],
)
def test_protection_does_not_depend_on_how_a_name_is_spelled(path: str, protected: bool) -> None:
    assert (check_writable(path, PROTECTED) is not None) is protected


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("Diary", "Diary/x.md", True),
        ("Diary", "a/b/Diary/x.md", True),
        ("Diary/", "Diary/x.md", True),
        ("/Diary/", "Diary/x.md", True),
        ("Diary", "Diary.md", False),
        ("*.secret.md", "a/b.secret.md", True),
        ("a/*.md", "a/b.md", True),
        ("a/*.md", "a/b/c.md", False),
        ("a/**", "a/b/c.md", True),
        ("a/**/z.md", "a/z.md", True),
        ("a/**/z.md", "a/b/c/z.md", True),
        ("**/Private/**", "Private/x.md", True),
        ("**/Private/**", "a/Private/x.md", True),
        ("**", "anything/at all.md", True),
        ("a?.md", "ab.md", True),
        ("a?.md", "a/b.md", False),
        ("[x].md", "[x].md", True),
        ("[x].md", "x.md", False),
        ("a+b.md", "a+b.md", True),
        ("/", "a.md", False),
        ("", "a.md", False),
    ],
)
def test_a_glob_takes_in_files_and_all_below_a_folder(glob: str, path: str, fits: bool) -> None:
    assert matches_any(path, (glob,)) is fits


def spelled_out(glob: str) -> str:
    """What a glob means, as a pattern that may look at every letter as often as it likes."""
    marks = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    body = "".join(marks.get(piece) or re.escape(piece) for piece in re.split(r"(\*\*/|\*\*|\*|\?)", glob))
    return f"{'' if '/' in glob else '(?:.*/)?'}{body}(?:/.*)?\\Z"


pieces = st.lists(st.sampled_from(["a", "b", "*", "**", "**/", "/", "?"]), min_size=1, max_size=9)


@settings(max_examples=300)
@given(pieces.map("".join), st.lists(st.text("ab/", min_size=1, max_size=10), max_size=10))
def test_a_glob_of_any_make_means_what_it_says(glob: str, paths: list[str]) -> None:
    glob = glob.strip("/")
    for path in paths:
        assert matches_any(path, (glob,)) == bool(glob and re.match(spelled_out(glob), path, re.DOTALL))


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("*a" * 200 + "z", "a" * 240),
        ("**/a*b*c*d*e*f*g*q", "abcdefg" * 30),
        ("**/" * 60 + "z", "a/" * 400 + "q"),
        ("**/*a/" * 50 + "z", "a/" * 400),
        ("a**" * 100 + "z", "a" * 1000),
        ("x**/" * 50 + "z", "x/" * 400),
    ],
)
def test_no_glob_takes_for_ever(glob: str, path: str) -> None:
    """A vault from anybody names its private notes by globs, and every path is held against them."""
    begun = time.thread_time()
    assert not matches_any(path, (glob,))
    assert time.thread_time() - begun < 5


def test_no_globs_match_nothing() -> None:
    assert not matches_any("a.md", ())


@given(st.text(max_size=40))
def test_folding_is_stable_and_blind_to_case(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold(text.upper().lower()) == fold(text.upper())


@given(st.text(max_size=40), st.text(max_size=20))
def test_a_path_is_protected_in_every_spelling_or_in_none(name: str, protected: str) -> None:
    globs = (protected,)
    assert matches_any(name, globs) == matches_any(fold(name), globs) == matches_any(name, (fold(protected),))


@given(st.text(max_size=300))
def test_whatever_a_path_holds_its_error_is_one_visible_line(path: str) -> None:
    assert shown(path).isprintable()


@given(st.text(max_size=30))
def test_what_may_be_written_may_be_read(path: str) -> None:
    if check_writable(path) is None:
        assert check_path(path) is None
