"""A change set on disk: all or none, conflicts beside the user's version, and the way back."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nestkit.change import Applied, Change
from nestkit.errors import OutsideVault, VaultError
from nestkit.vault.apply import apply_changes, recover, undo
from nestkit.vault.journal import hold_lock, mark_open, write_journal

CHANGES = (
    Change("New/N.md", None, b"new"),
    Change("A.md", b"a", b"A"),
    Change("Notes/B.md", b"b", None),
)


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    root = tmp_path / "vault"
    (root / "Notes").mkdir(parents=True)
    (root / "A.md").write_bytes(b"a")
    (root / "Notes/B.md").write_bytes(b"b")
    (tmp_path / "outside").mkdir()
    return root


def tree(root: Path) -> dict[str, bytes | None]:
    """Every file and folder but nest's own, hidden ones too."""
    found = (file for file in sorted(root.rglob("*")) if ".nest" not in file.relative_to(root).parts)
    return {str(file.relative_to(root)): file.read_bytes() if file.is_file() else None for file in found}


def kept(root: Path) -> list[str]:
    """What nest's own folder holds besides what is always there."""
    return sorted(each.name for each in (root / ".nest/undo").iterdir())


def test_a_change_set_is_applied_whole(vault: Path) -> None:
    assert apply_changes(vault, "R1", CHANGES) == (
        Applied("A.md", "modify", True),
        Applied("New/N.md", "add", True),
        Applied("Notes/B.md", "delete", True),
    )
    assert tree(vault) == {"A.md": b"A", "New": None, "New/N.md": b"new", "Notes": None}
    assert recover(vault) == []


def test_nothing_to_change_leaves_no_trace(vault: Path) -> None:
    assert apply_changes(vault, "R1", [Change("A.md", b"a", b"a")]) == ()
    assert not (vault / ".nest").exists()
    assert recover(vault) == []
    assert not (vault / ".nest").exists()


def test_undoing_brings_back_every_byte_and_mode(vault: Path) -> None:
    (vault / "A.md").chmod(0o600)
    (vault / "Notes/B.md").chmod(0o444)
    before = tree(vault)
    apply_changes(vault, "R1", CHANGES)
    assert undo(vault, "R1") == (
        Applied("A.md", "modify", True),
        Applied("New/N.md", "delete", True),
        Applied("Notes/B.md", "add", True),
    )
    assert tree(vault) == before
    assert stat.S_IMODE((vault / "A.md").stat().st_mode) == 0o600
    assert stat.S_IMODE((vault / "Notes/B.md").stat().st_mode) == 0o444
    with pytest.raises(VaultError, match="nothing is kept"):
        undo(vault, "R1")


def test_undoing_leaves_what_somebody_has_edited_since(vault: Path) -> None:
    apply_changes(vault, "R1", CHANGES)
    (vault / "A.md").write_bytes(b"A, and more by hand")
    (vault / "New/mine.md").write_bytes(b"mine")
    done = {each.path: each for each in undo(vault, "R1")}
    assert (done["A.md"].applied, done["Notes/B.md"].applied, done["New/N.md"].applied) == (False, True, True)
    assert "edited since" in done["A.md"].why
    assert tree(vault) == {
        "A.md": b"A, and more by hand",
        "New": None,
        "New/mine.md": b"mine",
        "Notes": None,
        "Notes/B.md": b"b",
    }
    (vault / "A.md").write_bytes(b"A")
    assert all(each.applied for each in undo(vault, "R1"))
    assert (vault / "A.md").read_bytes() == b"a"


def test_undoing_a_run_nobody_knows_is_said(vault: Path) -> None:
    for run_id in ("R9", "../../etc", ""):
        with pytest.raises(VaultError):
            undo(vault, run_id)
    assert not (vault / ".nest").exists()


@pytest.mark.parametrize(
    ("conflict", "proposal"),
    [
        (lambda root: (root / "A.md").write_bytes(b"by hand"), {"A (nest R1).md": b"A"}),
        (lambda root: (root / "A.md").unlink(), {"A (nest R1).md": b"A"}),
        (lambda root: (root / "Notes/B.md").write_bytes(b"by hand"), {}),
        (lambda root: (root / "Notes/B.md").unlink(), None),
        (lambda root: _made(root / "New/N.md", b"by hand"), {"New/N (nest R1).md": b"new"}),
        (lambda root: (root / "New/N.md").mkdir(parents=True), {"New/N (nest R1).md": b"new"}),
        (lambda root: (root / "New").write_bytes(b"a file"), {}),
        (lambda root: (root / "New").symlink_to("../outside"), {}),
        (lambda root: _linked(root / "A.md"), {"A (nest R1).md": b"A"}),
    ],
    ids=["edited", "deleted", "doomed-edited", "doomed-gone", "taken", "folder", "file", "link-out", "link"],
)
def test_on_a_conflict_no_file_is_touched_and_nest_s_version_lies_beside(
    vault: Path, conflict: Callable[[Path], object], proposal: dict[str, bytes] | None
) -> None:
    conflict(vault)
    before = tree(vault)
    done = apply_changes(vault, "R1", CHANGES)
    if proposal is None:  # gone already is what was wanted
        assert all(each.applied for each in done)
        return
    assert not any(each.applied for each in done)
    assert all(each.why for each in done)
    new = {path: content for path, content in tree(vault).items() if path not in before}
    assert new == proposal
    assert {each.proposal for each in done} - {""} == set(proposal)
    assert {path: content for path, content in tree(vault).items() if path in before} == before
    assert list((vault.parent / "outside").iterdir()) == []
    assert kept(vault) == []


def _made(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)


def _linked(file: Path) -> None:
    file.unlink()
    file.symlink_to("Notes/B.md")


def test_a_second_proposal_does_not_overwrite_the_first(vault: Path) -> None:
    (vault / "A.md").write_bytes(b"by hand")
    for after in (b"one", b"two", b"two"):
        apply_changes(vault, "R1", [Change("A.md", b"a", after)])
    assert tree(vault)["A (nest R1).md"] == b"one"
    assert tree(vault)["A (nest R1 2).md"] == b"two"
    assert "A (nest R1 3).md" not in tree(vault)


def test_the_name_of_a_proposal_fits_the_disk(vault: Path) -> None:
    name = "é" * 126 + ".md"
    (vault / name).write_bytes(b"by hand")
    (done,) = apply_changes(vault, "R1", [Change(name, b"a", b"A")])
    assert done.proposal.endswith(" (nest R1).md")
    assert len(done.proposal.encode()) <= 255
    assert (vault / done.proposal).read_bytes() == b"A"


def test_applying_again_what_is_there_already_changes_nothing(vault: Path) -> None:
    apply_changes(vault, "R1", CHANGES)
    before = {path: path.stat().st_mtime_ns for path in vault.rglob("*")}
    assert all(each.applied for each in apply_changes(vault, "R1", CHANGES))
    assert {path: path.stat().st_mtime_ns for path in vault.rglob("*")} == before


def test_one_run_is_applied_once(vault: Path) -> None:
    apply_changes(vault, "R1", CHANGES[1:2])
    with pytest.raises(VaultError, match="applied before"):
        apply_changes(vault, "R1", CHANGES[:1])
    assert "New" not in tree(vault)
    assert undo(vault, "R1")[0].applied


@pytest.mark.parametrize(
    "path", [".obsidian/x.json", ".git/hooks/x", "nest.toml", "../x.md", "a/../../x", "/tmp/x", "~/x"]
)
def test_a_change_set_never_reaches_a_protected_place(vault: Path, path: str) -> None:
    before = tree(vault)
    with pytest.raises(OutsideVault):
        apply_changes(vault, "R1", [*CHANGES, Change(path, None, b"x")])
    assert tree(vault) == before


def test_two_changes_of_one_file_are_refused(vault: Path) -> None:
    with pytest.raises(VaultError, match="the same file"):
        apply_changes(vault, "R1", [Change("N.md", None, b"1"), Change("n.MD", None, b"2")])


@pytest.mark.parametrize("run_id", ["", "../x", "a/b", "a b", ".hidden", "x" * 99])
def test_a_run_s_id_is_a_plain_name(vault: Path, run_id: str) -> None:
    with pytest.raises(VaultError):
        apply_changes(vault, run_id, CHANGES)
    assert tree(vault)["A.md"] == b"a"


def test_what_nest_keeps_is_out_of_git_and_out_of_others_sight(vault: Path) -> None:
    apply_changes(vault, "R1", CHANGES)
    assert (vault / ".nest/.gitignore").read_text() == "*\n"
    assert stat.S_IMODE((vault / ".nest/undo/R1").stat().st_mode) == 0o700
    assert (vault / ".nest/undo/R1/0.before").read_bytes() == b"a"
    assert (vault / ".nest/undo/R1/0.after").read_bytes() == b"A"


def test_nest_s_folder_may_not_be_a_link(vault: Path) -> None:
    (vault / ".nest").symlink_to("../outside")
    with pytest.raises(OutsideVault, match="is a link"):
        apply_changes(vault, "R1", CHANGES)
    assert list((vault.parent / "outside").iterdir()) == []
    assert tree(vault)["A.md"] == b"a"


def test_a_file_edited_after_a_crash_keeps_the_edit_and_is_named(vault: Path) -> None:
    _broken_off(vault)
    (vault / "A.md").write_bytes(b"by hand")
    lines = recover(vault)
    assert len(lines) == 2
    assert "A.md was edited since" in lines[1]
    assert tree(vault) == {"A.md": b"by hand", "Notes": None, "Notes/B.md": b"b"}
    assert (vault / ".nest/undo/R1/0.before").read_bytes() == b"a"
    assert recover(vault) == []


def _broken_off(vault: Path) -> None:
    """As a crash leaves it that came after the first two of three files."""
    changes = sorted(CHANGES, key=lambda change: change.path)
    with hold_lock(vault):
        mark_open(vault, "R1")
        write_journal(vault, "R1", changes)
    (vault / "A.md").write_bytes(b"A")
    _made(vault / "New/N.md", b"new")


def test_another_machine_s_unfinished_run_is_not_ours_to_take_back(vault: Path) -> None:
    _broken_off(vault)
    (mark,) = (vault / ".nest").glob("open-*")
    mark.rename(mark.with_name("open-12345678"))
    before = tree(vault)
    assert recover(vault) == []
    assert tree(vault) == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda manifest: manifest["records"][0].update(path="../outside/x.md"),
        lambda manifest: manifest["records"][0].update(path=".obsidian/app.json"),
        lambda manifest: manifest["records"][0].update(before="no digest"),
        lambda manifest: manifest["records"][0].update(mode="x"),
        lambda manifest: manifest["records"][0].pop("after"),
        lambda manifest: manifest.update(folders=["../outside"]),
        lambda manifest: manifest.update(run_id="R2"),
        lambda manifest: manifest.clear(),
    ],
)
def test_a_record_that_nest_cannot_have_written_is_not_believed(vault: Path, spoil: Callable[[Any], object]) -> None:
    _broken_off(vault)
    file = vault / ".nest/undo/R1/manifest.json"
    manifest = json.loads(file.read_text())
    spoil(manifest)
    file.write_text(json.dumps(manifest))
    before = tree(vault)
    with pytest.raises(VaultError, match="damaged"):
        undo(vault, "R1")
    (line,) = recover(vault) or ["the record of run R1 is damaged"]
    assert "damaged" in line
    assert tree(vault) == before
    assert list((vault.parent / "outside").iterdir()) == []


@pytest.mark.parametrize("spoil", [lambda image: image.write_bytes(b"something else"), lambda image: image.unlink()])
def test_an_image_that_is_not_the_recorded_one_is_not_put_back(vault: Path, spoil: Callable[[Path], object]) -> None:
    apply_changes(vault, "R1", CHANGES)
    spoil(vault / ".nest/undo/R1/0.before")
    done = {each.path: each for each in undo(vault, "R1")}
    assert done["A.md"].why.startswith("stays as it is: .nest/undo/R1/0.before is not")
    assert tree(vault) == {"A.md": b"A", "Notes": None, "Notes/B.md": b"b"}


@pytest.mark.parametrize("mark", [b"", b"../../x", b"R7", b"\xff\xfe"])
def test_a_mark_without_a_record_is_cleared(vault: Path, mark: bytes) -> None:
    with hold_lock(vault):
        mark_open(vault, "R1")
    (file,) = (vault / ".nest").glob("open-*")
    file.write_bytes(mark)
    before = tree(vault)
    assert len(recover(vault)) <= 1
    assert tree(vault) == before
    assert not file.exists()


CHILD = """
import fcntl, json, os, resource, sys  # all of them before any right is given away
from pathlib import Path
from nestkit.change import Change
from nestkit.errors import NestError
from nestkit.vault.apply import apply_changes
root, how, run_id = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
if how == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
elif how == "denied" and os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
after = b"x" * 50_000 if how == "full" else run_id.encode()
try:
    done = apply_changes(root, run_id, [Change("A.md", b"a", b"A"), Change("Notes/B.md", b"b", after)])
    print(json.dumps([each.applied for each in done]))
except NestError as error:
    print(error)
"""


def start(vault: Path, how: str, run_id: str = "R1") -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(vault), how, run_id], stdout=subprocess.PIPE, text=True)


def test_a_full_disk_leaves_the_vault_as_it_was_and_nothing_behind(vault: Path) -> None:
    before = tree(vault)
    out, _ = start(vault, "full").communicate()
    assert "the disk is full" in out
    assert tree(vault) == before
    assert kept(vault) == []
    assert recover(vault) == []


def test_one_folder_that_may_not_be_written_stops_all(vault: Path) -> None:
    for folder in (vault, *vault.parents) if os.geteuid() == 0 else ():
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)  # the child becomes nobody, and must get here
    vault.chmod(0o777)
    (vault / "Notes").chmod(0o555)
    before = tree(vault)
    out, _ = start(vault, "denied").communicate()
    (vault / "Notes").chmod(0o755)
    assert out == "Notes/B.md: permission denied\n"
    assert tree(vault) == before
    assert recover(vault) == []


def test_of_two_processes_one_applies_and_the_other_proposes(vault: Path) -> None:
    children = [start(vault, "plain", run_id) for run_id in ("R1", "R2", "R3")]
    outcomes = [child.communicate()[0].strip() for child in children]
    assert sorted(outcomes) == ["[false, false]", "[false, false]", "[true, true]"]
    winner = f"R{outcomes.index('[true, true]') + 1}"
    found = tree(vault)
    assert found["Notes/B.md"] == winner.encode()
    assert found["A.md"] == b"A"
    assert sum(path.startswith("Notes/B (nest ") for path in found) == 2


RACE = """
import json, sys
from pathlib import Path
from nestkit.change import Change
from nestkit.vault.apply import apply_changes
root = Path(sys.argv[1])
def edit(event, details):
    if event == "os.rename" and details[1] == "A.md":  # just now the first file is put in place
        (root / "Notes/B.md").write_bytes(b"by hand")
sys.addaudithook(edit)
done = apply_changes(root, "R1", [Change("A.md", b"a", b"A"), Change("Notes/B.md", b"b", b"B")])
print(json.dumps([(each.applied, each.proposal) for each in done]))
"""


def test_an_edit_between_two_replacements_takes_the_first_one_back(vault: Path) -> None:
    done = subprocess.run([sys.executable, "-c", RACE, str(vault)], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[False, ""], [False, "Notes/B (nest R1).md"]]
    assert tree(vault) == {"A.md": b"a", "Notes": None, "Notes/B.md": b"by hand", "Notes/B (nest R1).md": b"B"}
    assert kept(vault) == []
    assert recover(vault) == []


def test_who_waits_too_long_for_the_lock_is_told(vault: Path) -> None:
    with hold_lock(vault), pytest.raises(VaultError, match="another nest is writing"), hold_lock(vault, seconds=0.1):
        pass
    with hold_lock(vault, seconds=0.1):
        pass
