"""The staged state of a run: it reads like the vault, counts like a change set, and refuses in one line."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.change import Change
from nestkit.errors import NestError, NoteExists, NoteMissing, OutsideVault, VaultError
from nestkit.vault.files import find_spelling, read_file
from nestkit.vault.names import fold
from nestkit.vault.stage import Stage

NFC, NFD = (unicodedata.normalize(form, "Café.md") for form in ("NFC", "NFD"))


def stage_of(files: dict[str, bytes], **limits: int) -> Stage:
    """A stage over a vault in memory that ignores case, as most disks do."""
    stored = {fold(path): path for path in files}
    return Stage(files.get, ("nest.toml", "02_System"), spell=lambda path: stored.get(fold(path), path), **limits)


def test_a_run_reads_what_it_has_staged() -> None:
    stage = stage_of({"A.md": b"old"})
    assert stage.read("A.md") == b"old"
    stage.write("A.md", b"new")
    stage.write("B.md", b"b")
    assert (stage.read("A.md"), stage.read("B.md"), stage.read("C.md")) == (b"new", b"b", None)
    stage.delete("A.md")
    assert stage.read("A.md") is None
    assert stage.changes() == (Change("A.md", b"old", None), Change("B.md", None, b"b"))
    assert stage.paths() == ("A.md", "B.md")


def test_what_comes_to_nothing_is_no_change() -> None:
    stage = stage_of({"A.md": b"old"})
    stage.write("A.md", b"new")
    stage.write("A.md", b"old")
    stage.write("B.md", b"b")
    stage.delete("B.md")
    assert stage.changes() == ()
    assert stage.paths() == ()


def test_a_move_is_a_removal_and_an_addition() -> None:
    stage = stage_of({"A.md": b"a"})
    stage.move("A.md", "New/B.md")
    stage.write("New/B.md", b"b")
    assert stage.changes() == (Change("A.md", b"a", None), Change("New/B.md", None, b"b"))
    stage.move("New/B.md", "A.md")
    assert stage.changes() == (Change("A.md", b"a", b"b"),)


def test_a_file_is_what_it_was_when_the_run_first_looked() -> None:
    files = {"A.md": b"first"}
    stage = Stage(files.get)
    assert stage.read("A.md") == b"first"
    files["A.md"] = b"edited by a person"
    assert stage.read("A.md") == b"first"
    stage.write("A.md", b"from the first")
    assert stage.changes() == (Change("A.md", b"first", b"from the first"),)


@pytest.mark.parametrize(
    ("stored", "other"), [("Note.md", "NOTE.MD"), (NFC, NFD), (NFD, NFC), ("Folder/x.md", "folder/X.md")]
)
def test_another_spelling_is_the_same_file(stored: str, other: str) -> None:
    stage = stage_of({stored: b"old"})
    assert stage.read(other) == b"old"
    stage.write(other, b"new")
    assert stage.changes() == (Change(stored, b"old", b"new"),)
    with pytest.raises(NoteExists):
        stage.move(stored, other)
    stage.delete(other)
    assert stage.changes() == (Change(stored, b"old", None),)


def test_what_the_run_itself_made_has_one_spelling_too() -> None:
    stage = stage_of({})
    assert stage.read("new/note.md") is None
    stage.write("New/Note.md", b"1")
    stage.write("new/NOTE.md", b"2")
    stage.write("NEW/other.md", b"3")
    assert stage.paths() == ("New/Note.md", "New/other.md")
    assert stage.read("new/note.md") == b"2"


def test_on_a_real_disk_the_stored_spelling_is_found(tmp_path: Path) -> None:
    (tmp_path / "Projects").mkdir()
    (tmp_path / "Projects" / NFD).write_bytes(b"old")

    def read(path: str) -> bytes | None:
        try:
            return read_file(tmp_path, path, 1000)
        except NoteMissing:
            return None

    stage = Stage(read, spell=lambda path: find_spelling(tmp_path, path))
    stage.write(f"projects/{NFC}", b"new")
    stage.write("PROJECTS/new.md", b"n")
    assert stage.paths() == tuple(sorted([f"Projects/{NFD}", "Projects/new.md"]))


@pytest.mark.parametrize(
    "path",
    ["02_System/x.py", "02_system/x.py", "nest.toml", ".obsidian/app.json", "../x.md", "/x", "a\x00", "CON.md", "a/.b"],
)
def test_protected_and_odd_places_are_refused_for_every_write(path: str) -> None:
    stage = stage_of({"A.md": b"a", "02_System/x.py": b"p"})
    for attempt in (
        lambda: stage.write(path, b"x"),
        lambda: stage.delete(path),
        lambda: stage.move("A.md", path),
        lambda: stage.move(path, "B.md"),
    ):
        with pytest.raises(OutsideVault) as error:
            attempt()
        assert str(error.value).isprintable()
    assert stage.changes() == ()


def test_a_protected_file_may_be_read() -> None:
    assert stage_of({"02_System/x.py": b"p"}).read("02_System/x.py") == b"p"


def test_a_harmless_name_that_turns_out_to_be_protected_is_refused() -> None:
    stage = Stage(lambda path: None, ("Locked",), spell=lambda path: path.replace("Alias", "Locked"))
    with pytest.raises(OutsideVault):
        stage.write("Alias/x.md", b"x")


def test_what_is_not_there_cannot_be_moved_or_deleted() -> None:
    stage = stage_of({"A.md": b"a"})
    stage.delete("A.md")
    for attempt in (lambda: stage.delete("A.md"), lambda: stage.move("A.md", "B.md"), lambda: stage.delete("No.md")):
        with pytest.raises(NoteMissing):
            attempt()


def test_a_move_never_overwrites() -> None:
    stage = stage_of({"A.md": b"a", "B.md": b"b"})
    with pytest.raises(NoteExists):
        stage.move("A.md", "B.md")
    stage.delete("B.md")
    stage.move("A.md", "B.md")
    assert stage.changes() == (Change("A.md", b"a", None), Change("B.md", b"b", b"a"))


@pytest.mark.parametrize(("first", "second"), [("a", "a/b.md"), ("a/b.md", "a"), ("a/b/c.md", "a/b")])
def test_a_file_cannot_be_a_folder_too(first: str, second: str) -> None:
    stage = stage_of({})
    stage.write(first, b"1")
    with pytest.raises(OutsideVault, match="cannot both be there"):
        stage.write(second, b"2")
    assert stage.paths() == (first,)


def test_a_run_has_so_much_room_and_no_more() -> None:
    stage = stage_of({"A.md": b"a"}, max_files=2, max_bytes=10)
    stage.write("A.md", b"12345")
    stage.write("B.md", b"12345")
    for path, content in (("C.md", b""), ("A.md", b"123456")):
        with pytest.raises(VaultError, match="at the most"):
            stage.write(path, content)
    stage.move("B.md", "C.md")
    assert [change.path for change in stage.changes()] == ["A.md", "C.md"]
    assert sum(len(change.after or b"") for change in stage.changes()) == 10


NAMES = ["a.md", "A.md", "b.md", "d/a.md", "D/a.md", "d", "d/e/f.md", "B.MD"]
PATHS = st.sampled_from(NAMES)
CONTENTS = st.binary(max_size=3)
Step = tuple[str, str, object]
STEPS = st.lists(
    st.tuples(st.just("write"), PATHS, CONTENTS)
    | st.tuples(st.just("delete"), PATHS, st.just(b""))
    | st.tuples(st.just("move"), PATHS, PATHS),
    max_size=12,
)


@given(st.dictionaries(st.sampled_from(["a.md", "b.md", "d/a.md"]), CONTENTS), STEPS)
def test_the_change_set_makes_of_the_vault_what_the_run_saw(files: dict[str, bytes], steps: list[Step]) -> None:
    """Against the plainest model there is: a dictionary without case, where a refused step does nothing."""
    stage, model = stage_of(files), {fold(path): content for path, content in files.items()}
    for verb, path, extra in steps:
        try:
            getattr(stage, verb)(path, *([extra] if verb != "delete" else []))
        except NestError:
            continue
        content = extra if verb == "write" else model.pop(fold(path))
        if verb != "delete":
            model[fold(str(extra) if verb == "move" else path)] = content  # type: ignore[assignment]
    assert {path: stage.read(path) for path in NAMES} == {path: model.get(fold(path)) for path in NAMES}
    applied = dict(files)
    for change in stage.changes():
        assert applied.pop(change.path, None) == change.before
        if change.after is not None:
            applied[change.path] = change.after
    assert {fold(path): content for path, content in applied.items()} == model
    assert [change.path for change in stage.changes()] == sorted(change.path for change in stage.changes())
