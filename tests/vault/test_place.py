"""Which vault somebody means, and where nest keeps what is not the vault's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nestkit.errors import NoVault
from nestkit.vault.place import find_vault, user_folders, vault_key


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


def make(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize("mark", [".obsidian", ".nest", "02_System"])
def test_a_marked_folder_above_is_the_vault(home: Path, mark: str) -> None:
    (home / "Notes" / mark).mkdir(parents=True)
    deep = home / "Notes/a/b"
    deep.mkdir(parents=True)
    place = find_vault(deep)
    assert (place.root, place.marked) == (home / "Notes", True)


def test_a_settings_file_marks_a_vault_and_a_folder_of_its_name_does_not(home: Path) -> None:
    make(home / "A/nest.toml")
    (home / "B/nest.toml").mkdir(parents=True)
    assert find_vault(home / "A").root == home / "A"
    with pytest.raises(NoVault):
        find_vault(home / "B")


def test_the_nearest_mark_wins(home: Path) -> None:
    (home / "Outer/.obsidian").mkdir(parents=True)
    (home / "Outer/Inner/.nest").mkdir(parents=True)
    (home / "Outer/Inner/x").mkdir()
    assert find_vault(home / "Outer/Inner/x").root == home / "Outer/Inner"


def test_the_home_folder_may_be_a_vault_but_nothing_above_it_is_looked_at(home: Path) -> None:
    (home.parent / ".obsidian").mkdir()
    start = home / "Desktop"
    start.mkdir()
    with pytest.raises(NoVault):
        find_vault(start)
    (home / ".obsidian").mkdir()
    assert find_vault(start).root == home


def test_outside_of_home_the_walk_goes_up_to_the_root(home: Path) -> None:
    vault = home.parent / "elsewhere"
    (vault / ".obsidian").mkdir(parents=True)
    (vault / "deep/er").mkdir(parents=True)
    assert find_vault(vault / "deep/er").root == vault


@pytest.mark.parametrize("note", ["a.md", "x/B.MD", "x/y/board.canvas"])
def test_a_folder_with_notes_is_an_unmarked_vault(home: Path, note: str) -> None:
    make(home / "Plain" / note)
    place = find_vault(home / "Plain")
    assert (place.root, place.marked) == (home / "Plain", False)


@pytest.mark.parametrize("file", ["x/y/z/too-deep.md", "a.txt", ".hidden/a.md"])
def test_a_folder_without_notes_in_reach_is_no_vault(home: Path, file: str) -> None:
    make(home / "Plain" / file)
    with pytest.raises(NoVault) as error:
        find_vault(home / "Plain")
    assert "nest init" in error.value.hint
    assert "--vault" in error.value.hint
    assert "NEST_VAULT" in error.value.hint


def test_notes_lying_about_do_not_make_home_or_what_holds_it_a_vault(home: Path) -> None:
    make(home / "a.md")
    for start in (home, home.parent, Path("/")):
        with pytest.raises(NoVault):
            find_vault(start)


def test_a_huge_folder_is_not_searched_to_the_end(home: Path) -> None:
    (home / "Plain").mkdir()
    for number in range(2_100):
        (home / "Plain" / f"{number:05}.txt").touch()
    make(home / "Plain/sub/a.md")
    with pytest.raises(NoVault):
        find_vault(home / "Plain")


def test_a_named_folder_is_taken_as_it_is(home: Path) -> None:
    (home / "Empty").mkdir()
    (home / "Marked/.obsidian").mkdir(parents=True)
    assert find_vault(home, home / "Empty").marked is False
    assert find_vault(home, home / "Marked").marked is True
    assert find_vault(home, Path("~/Marked")).root == home / "Marked"


def test_a_named_folder_that_is_not_there_is_said_by_name(home: Path) -> None:
    make(home / "file.md")
    with pytest.raises(NoVault, match=r"nowhere is not there") as error:
        find_vault(home, home / "nowhere")
    assert error.value.hint
    with pytest.raises(NoVault, match=r"is a file"):
        find_vault(home, home / "file.md")


def test_the_root_is_absolute_with_links_resolved(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "Real/.obsidian").mkdir(parents=True)
    (home / "Link").symlink_to(home / "Real")
    monkeypatch.chdir(home)
    assert find_vault(Path("Link")).root == home / "Real"
    assert find_vault(home, Path("Link")).root == home / "Real"


def test_each_folder_of_the_user_can_be_moved(home: Path) -> None:
    moved = user_folders(
        {"NEST_CACHE_DIR": str(home / "c"), "NEST_STATE_DIR": "~/s", "NEST_CONFIG_DIR": str(home / "f")}
    )
    assert (moved.cache, moved.state, moved.config) == (home / "c", home / "s", home / "f")
    usual = user_folders({"NEST_STATE_DIR": str(home / "s")})
    assert usual.state == home / "s"
    assert usual.cache.name == "nest"
    assert usual.cache.is_absolute()
    assert usual.config.is_absolute()


def test_asking_for_the_folders_makes_none(home: Path) -> None:
    user_folders(dict(os.environ))
    assert list(home.iterdir()) == []


def test_a_vault_s_key_is_stable_and_its_own(home: Path) -> None:
    for name in ("A", "B"):
        (home / name).mkdir()
    (home / "Link").symlink_to(home / "A")
    assert vault_key(home / "A") == vault_key(home / "Link")
    assert vault_key(home / "A") != vault_key(home / "B")
    assert vault_key(home / "A").isalnum()
