"""A script's private copy of the vault: what it shows, and what of the script's doings comes back."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nestkit.change import Change
from nestkit.errors import NoteMissing, VaultError
from nestkit.vault.files import read_file
from nestkit.vault.stage import Stage
from nestkit.vault.view import View, collect_changes, make_view

FILES = {
    "A.md": b"a",
    "Notes/B.md": b"b" * 100_000,
    "Notes/deep/C.md": b"",
    "Private/Diary.md": b"secret",
    "02_System/tool.py": b"pass\n",
    "img.bin": bytes(range(256)),
    ".obsidian/app.json": b"{}",
    ".git/config": b"",
}
SHOWN = {path: content for path, content in FILES.items() if not path.startswith((".", "Private"))}
PROTECTED = ("nest.toml", "02_System")


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    root = tmp_path / "vault"
    for path, content in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (tmp_path / "outside.md").write_bytes(b"outside")
    return root


@pytest.fixture
def view(vault: Path) -> View:
    return make_view(vault, vault.parent / "view", hide=("Private",))


def tree(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in sorted(root.rglob("*")) if file.is_file()}


def collect(view: View) -> tuple[dict[str, bytes | None], dict[str, str]]:
    """Path -> bytes of what comes back, and path -> reason of what does not."""

    def before(path: str) -> bytes | None:
        try:
            return read_file(view.root, path, 1 << 20)
        except NoteMissing:
            return None

    changes, problems = collect_changes(view, before, PROTECTED)
    assert [change.path for change in changes] == sorted(change.path for change in changes)
    assert all(change.before == before(change.path) for change in changes)
    return {change.path: change.after for change in changes}, {problem.path: problem.what for problem in problems}


def test_a_view_shows_the_vault_without_what_is_hidden(vault: Path, view: View) -> None:
    assert tree(view.folder) == SHOWN
    assert sorted(view.files) == sorted(SHOWN)
    for path in SHOWN:
        copy, source = view.folder / path, vault / path
        assert copy.stat().st_mtime_ns == source.stat().st_mtime_ns
        assert copy.stat().st_ino != source.stat().st_ino
        assert copy.stat().st_nlink == 1


def test_what_is_done_to_a_view_leaves_the_vault_alone(vault: Path, view: View) -> None:
    before = tree(vault)
    for path in SHOWN:
        (view.folder / path).write_bytes(b"spoiled")
    shutil.rmtree(view.folder)
    assert tree(vault) == before


def test_staged_changes_lie_over_the_vault(vault: Path) -> None:
    staged = [
        Change("A.md", b"a", b"staged"),
        Change("New/N.md", None, b"new"),
        Change("Notes/deep/C.md", b"", None),
        Change("Private/New.md", None, b"hidden"),
    ]
    view = make_view(vault, vault.parent / "view", staged, ("Private/**",))
    expected = SHOWN | {"A.md": b"staged", "New/N.md": b"new"}
    del expected["Notes/deep/C.md"]
    assert tree(view.folder) == expected
    assert collect(view) == ({}, {})


def test_a_link_becomes_a_file_unless_it_leads_out_or_to_something_hidden(vault: Path) -> None:
    (vault / "in.md").symlink_to("Notes/B.md")
    (vault / "out.md").symlink_to("../outside.md")
    (vault / "diary.md").symlink_to("Private/Diary.md")
    (vault / "config.md").symlink_to(".obsidian/app.json")
    (vault / "folder").symlink_to("Notes")
    view = make_view(vault, vault.parent / "view", hide=("private",))
    assert tree(view.folder) == SHOWN | {"in.md": FILES["Notes/B.md"]}
    assert not any(file.is_symlink() for file in view.folder.rglob("*"))


def test_a_view_is_made_in_an_empty_folder_only(vault: Path, tmp_path: Path) -> None:
    (tmp_path / "used").mkdir()
    (tmp_path / "used/x").touch()
    with pytest.raises(VaultError, match="empty folder"):
        make_view(vault, tmp_path / "used")


def test_an_untouched_view_gives_nothing_back_and_is_not_read(view: View) -> None:
    def before(path: str) -> bytes | None:
        raise AssertionError(f"{path} was read")

    assert collect_changes(view, before) == ((), ())


def test_edits_additions_and_removals_come_back(vault: Path, view: View) -> None:
    (view.folder / "A.md").write_bytes(b"edited")
    (view.folder / "New/deep").mkdir(parents=True)
    (view.folder / "New/deep/N.md").write_bytes(b"new")
    (view.folder / "img.bin").unlink()
    shutil.rmtree(view.folder / "Notes/deep")
    (view.folder / "Notes/B.md").write_bytes(FILES["Notes/B.md"])  # written again, the same
    assert collect(view) == (
        {"A.md": b"edited", "New/deep/N.md": b"new", "img.bin": None, "Notes/deep/C.md": None},
        {},
    )


def test_an_edit_that_hides_its_time_and_size_is_seen(view: View) -> None:
    file = view.folder / "Notes/B.md"
    times = file.stat()
    file.write_bytes(b"x" * 100_000)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert collect(view)[0] == {"Notes/B.md": b"x" * 100_000}


@pytest.mark.parametrize(
    ("spoil", "path", "why"),
    [
        (lambda root: (root / "l.md").symlink_to("/etc/passwd"), "l.md", "link"),
        (lambda root: (root / "l").symlink_to("/etc"), "l", "link"),
        (lambda root: _swap(root / "A.md", lambda file: file.symlink_to("/etc/passwd")), "A.md", "link"),
        (lambda root: _swap(root / "Notes", lambda file: file.symlink_to("/etc")), "Notes", "link"),
        (lambda root: os.mkfifo(root / "pipe.md"), "pipe.md", "pipe"),
        (lambda root: _swap(root / "A.md", os.mkfifo), "A.md", "pipe"),
        (lambda root: os.link(root / "A.md", root / "second.md"), "second.md", "hard link"),
        (lambda root: (root / ".hidden.md").touch(), ".hidden.md", "no script may use"),
        (lambda root: _made(root / ".obsidian/plugins/p/main.js"), ".obsidian", "no script may use"),
        (lambda root: _made(root / "02_System/new.py"), "02_System/new.py", "protected"),
        (lambda root: _made(root / "02_system/new.py"), "02_system/new.py", "protected"),
        (lambda root: (root / "02_System/tool.py").write_text("evil"), "02_System/tool.py", "protected"),
        (lambda root: (root / "02_System/tool.py").unlink(), "02_System/tool.py", "protected"),
        (lambda root: _made(root / "nest.toml"), "nest.toml", "protected"),
        (lambda root: _made(root / "CON.md"), "CON.md", "device name"),
        (lambda root: _made(root / "a:b.md"), "a:b.md", "colon"),
        (lambda root: _made(root / "x\ny.md"), "x\\ny.md", "no script may use"),
        (lambda root: _made(root / "Private/Diary.md"), "Private/Diary.md", "hidden from scripts"),
        (lambda root: _made(root / "private/other.md"), "private/other.md", "hidden from scripts"),
        (lambda root: _made(root / "a.MD"), "a.MD", "but for letter case"),
        (lambda root: (root / "A.md").rename(root / "a.md"), "A.md", "but for letter case"),
        (lambda root: _sparse(root / "big.md"), "big.md", "larger than"),
    ],
)  # fmt: skip
def test_what_a_script_may_not_leave_behind_is_a_problem(
    view: View, spoil: Callable[[Path], object], path: str, why: str
) -> None:
    spoil(view.folder)
    changes, problems = collect(view)
    assert changes == {}
    assert why in problems[path]


def _swap(file: Path, make: Callable[[Path], object]) -> None:
    shutil.rmtree(file) if file.is_dir() else file.unlink()
    make(file)


def _made(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("x")


def _sparse(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(1 << 40)


def test_a_script_that_takes_everything_away_deletes_what_it_could_see(view: View) -> None:
    for each in view.folder.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    changes, problems = collect(view)
    assert changes == dict.fromkeys(path for path in SHOWN if not path.startswith("02_System"))
    assert list(problems) == ["02_System/tool.py"]


def test_a_view_that_is_gone_deletes_nothing(view: View) -> None:
    shutil.rmtree(view.folder)
    changes, problems = collect(view)
    assert changes == {}
    assert list(problems) == [""]


def test_a_folder_too_deep_to_look_into_deletes_nothing(view: View) -> None:
    here = os.open(view.folder / "Notes", os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=here)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    changes, problems = collect(view)
    assert changes == {}
    assert len(problems) == 1


def test_a_note_that_somebody_edits_while_the_script_runs_keeps_that_edit(vault: Path, view: View) -> None:
    (vault / "A.md").write_bytes(b"by hand")
    (vault / "img.bin").unlink()
    (view.folder / "A.md").write_bytes(b"by script")
    (view.folder / "img.bin").write_bytes(b"by script")
    (view.folder / "Notes/B.md").write_bytes(b"fine")
    changes, problems = collect(view)
    assert changes == {"Notes/B.md": b"fine"}
    assert "was changed in the vault" in problems["A.md"]
    assert "was moved or deleted" in problems["img.bin"]


def test_a_name_the_vault_has_out_of_the_script_s_sight_is_not_overwritten(vault: Path, view: View) -> None:
    (vault / "Late.md").write_bytes(b"made meanwhile")
    (view.folder / "Late.md").write_bytes(b"by script")
    changes, problems = collect(view)
    assert changes == {}
    assert "could not see it" in problems["Late.md"]


def test_a_script_that_changes_too_much_is_stopped(view: View) -> None:
    for number in range(6):
        (view.folder / f"{number}.md").write_bytes(b"12345")
    assert len(collect_changes(view, lambda path: None, max_files=6, max_bytes=30)[0]) == 6
    with pytest.raises(VaultError, match="5 files at the most"):
        collect_changes(view, lambda path: None, max_files=5)
    with pytest.raises(VaultError, match="29 bytes at the most"):
        collect_changes(view, lambda path: None, max_bytes=29)
    for number in range(200):
        (view.folder / f"empty {number}").mkdir()
    with pytest.raises(VaultError, match="more files behind"):
        collect_changes(view, lambda path: None, max_files=1)


def test_what_comes_back_fits_the_stage(vault: Path) -> None:
    stage = Stage(lambda path: read_file(vault, path, 1 << 20) if (vault / path).is_file() else None)
    stage.write("A.md", b"staged before")
    view = make_view(vault, vault.parent / "view", stage.changes())
    (view.folder / "A.md").write_bytes((view.folder / "A.md").read_bytes() + b", and by the script")
    for change in collect_changes(view, stage.read)[0]:
        stage.write(change.path, change.after or b"")
    assert stage.changes() == (Change("A.md", b"a", b"staged before, and by the script"),)
