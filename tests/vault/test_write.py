"""Writing whole files: compare-and-swap, new means new, links never followed, nothing left behind on failure."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nestkit.change import digest
from nestkit.errors import NoteChanged, NoteExists, NoteMissing, OutsideVault, VaultError
from nestkit.vault.write import delete_file, write_file


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    root = tmp_path / "vault"
    (root / "Notes").mkdir(parents=True)
    (root / "A.md").write_bytes(b"old")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x.md").write_bytes(b"theirs")
    return root


def tree(root: Path) -> dict[str, bytes | None]:
    """Every name below, hidden ones too; None for a folder."""
    return {str(p.relative_to(root)): p.read_bytes() if p.is_file() else None for p in sorted(root.rglob("*"))}


def test_a_new_file_is_written_with_the_folders_it_needs(vault: Path) -> None:
    assert write_file(vault, "New/deep/N.md", b"new") == digest(b"new")
    assert tree(vault) == {
        "A.md": b"old",
        "New": None,
        "New/deep": None,
        "New/deep/N.md": b"new",
        "Notes": None,
    }


def test_an_expected_file_is_replaced(vault: Path) -> None:
    assert write_file(vault, "A.md", b"newer", digest(b"old")) == digest(b"newer")
    assert tree(vault) == {"A.md": b"newer", "Notes": None}


@pytest.mark.parametrize("expected", [None, ""])
def test_without_an_expected_digest_the_file_must_be_new(vault: Path, expected: str | None) -> None:
    before = tree(vault)
    with pytest.raises(NoteExists, match=r"A\.md is already there"):
        write_file(vault, "A.md", b"x", expected)
    assert tree(vault) == before


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("A.md", "was changed"),
        ("Gone.md", "was moved or deleted"),
        ("No/folder/x.md", "was moved or deleted"),
    ],
)
def test_a_file_that_is_another_by_now_is_left_alone(vault: Path, path: str, said: str) -> None:
    before = tree(vault)
    with pytest.raises(NoteChanged, match=said):
        write_file(vault, path, b"x", digest(b"what I read"))
    assert tree(vault) == before


def test_a_file_where_a_folder_is_and_a_folder_where_a_file_is(vault: Path) -> None:
    before = tree(vault)
    with pytest.raises(NoteExists):
        write_file(vault, "Notes", b"x")
    with pytest.raises(VaultError, match="a file stands where a folder is needed"):
        write_file(vault, "A.md/x/y.md", b"x")
    with pytest.raises(NoteMissing, match="is a folder"):
        delete_file(vault, "Notes", digest(b""))
    assert tree(vault) == before


@pytest.mark.parametrize("path", ["out/x.md", "out/new.md", "out/deep/new.md", "file.md", "dangling.md"])
def test_nothing_is_written_or_deleted_through_a_link(vault: Path, path: str) -> None:
    (vault / "out").symlink_to("../outside")
    (vault / "file.md").symlink_to("../outside/x.md")
    (vault / "dangling.md").symlink_to("../outside/none.md")
    for expected in (None, digest(b"theirs")):
        with pytest.raises((OutsideVault, NoteExists)):
            write_file(vault, path, b"mine", expected)
    with pytest.raises(OutsideVault):
        delete_file(vault, path, digest(b"theirs"))
    assert tree(vault.parent / "outside") == {"x.md": b"theirs"}
    assert (vault / "file.md").readlink() == Path("../outside/x.md")


@pytest.mark.parametrize("path", ["../x.md", "/tmp/x.md", "a/../../x", "", "x\x00y", "~/x"])
def test_what_is_no_path_is_not_written(vault: Path, path: str) -> None:
    with pytest.raises(OutsideVault):
        write_file(vault, path, b"x")
    with pytest.raises(OutsideVault):
        delete_file(vault, path, digest(b"x"))
    assert sorted(each.name for each in vault.parent.iterdir()) == ["outside", "vault"]


def test_a_file_keeps_its_mode_and_its_attributes(vault: Path) -> None:
    (vault / "A.md").chmod(0o640)
    try:
        os.setxattr(vault / "A.md", "user.colour", b"green")
    except (OSError, AttributeError):
        pytest.skip("no such attributes on this disk")
    write_file(vault, "A.md", b"new", digest(b"old"))
    assert stat.S_IMODE((vault / "A.md").stat().st_mode) == 0o640
    assert os.getxattr(vault / "A.md", "user.colour") == b"green"


def test_a_file_keeps_its_owner_when_root_writes(vault: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    os.chown(vault / "A.md", 1234, 4321)
    write_file(vault, "A.md", b"new", digest(b"old"))
    found = (vault / "A.md").stat()
    assert (found.st_uid, found.st_gid) == (1234, 4321)


def test_a_new_file_has_the_mode_the_user_s_mask_gives(vault: Path) -> None:
    old = os.umask(0o027)
    try:
        write_file(vault, "N.md", b"")
    finally:
        os.umask(old)
    assert stat.S_IMODE((vault / "N.md").stat().st_mode) == 0o640


def test_a_second_name_of_the_old_file_keeps_the_old_bytes(vault: Path) -> None:
    os.link(vault / "A.md", vault / "Notes/hard.md")
    write_file(vault, "A.md", b"new", digest(b"old"))
    assert (vault / "Notes/hard.md").read_bytes() == b"old"


def test_deleting_takes_the_file_that_was_meant(vault: Path) -> None:
    with pytest.raises(NoteChanged):
        delete_file(vault, "A.md", digest(b"other"))
    delete_file(vault, "A.md", digest(b"old"))
    assert tree(vault) == {"Notes": None}
    for path in ("A.md", "No/x.md"):
        with pytest.raises(NoteMissing):
            delete_file(vault, path, digest(b"old"))


def test_of_many_writers_of_a_new_file_one_wins(vault: Path) -> None:
    won: list[int] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            write_file(vault, "Race/R.md", str(number).encode() * 1000)
            won.append(number)
        except NoteExists:
            pass

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert tree(vault)["Race/R.md"] == str(won[0]).encode() * 1000
    assert [each.name for each in (vault / "Race").iterdir()] == ["R.md"]


def test_a_reader_never_sees_half_a_file(vault: Path) -> None:
    versions = [bytes([65 + number]) * 200_000 for number in range(6)]
    write_file(vault, "A.md", versions[0], digest(b"old"))
    seen: list[bytes] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append((vault / "A.md").read_bytes())

    thread = threading.Thread(target=read)
    thread.start()
    for before, after in zip(versions * 5, (versions * 5)[1:], strict=False):
        write_file(vault, "A.md", after, digest(before))
    done.set()
    thread.join()
    assert seen
    assert all(content in versions for content in seen)


CHILD = """
import os, resource, sys
from pathlib import Path
from nestkit.change import digest
from nestkit.errors import NestError
from nestkit.vault.write import delete_file, write_file
root = Path(sys.argv[1])
if sys.argv[2] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
elif os.geteuid() == 0:  # root ignores modes: be nobody
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for do in (
    lambda: write_file(root, "Notes/new/N.md", b"x" * 5000),
    lambda: write_file(root, "Notes/A.md", b"x" * 5000, digest(b"old")),
    lambda: delete_file(root, "Notes/A.md", digest(b"other" if sys.argv[2] == "full" else b"old")),
):
    try:
        do()
        print("went through")
    except NestError as error:
        print(error)
"""


def refused(vault: Path, how: str) -> list[str]:
    """What a child says that may not write as it wants; the vault must be as it was."""
    (vault / "Notes/A.md").write_bytes(b"old")
    before = tree(vault)
    command = [sys.executable, "-c", CHILD, str(vault), how]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert tree(vault) == before
    return done.stdout.splitlines()


def test_a_disk_without_room_leaves_the_vault_as_it_was(vault: Path) -> None:
    assert refused(vault, "full") == [
        "Notes/new/N.md: the disk is full",
        "Notes/A.md: the disk is full",
        "Notes/A.md was changed since it was read",
    ]


def test_a_folder_that_may_not_be_written_is_said_in_one_line(vault: Path) -> None:
    for folder in (vault, *vault.parents) if os.geteuid() == 0 else ():
        if not folder.stat().st_mode & 0o001:
            folder.chmod(folder.stat().st_mode | 0o011)  # the child becomes nobody, and must get here
    (vault / "Notes").chmod(0o555)
    assert refused(vault, "denied") == [
        "Notes/new/N.md: permission denied",
        "Notes/A.md: permission denied",
        "Notes/A.md: permission denied",
    ]


NO_LINKS = """
import errno, sys
from pathlib import Path
from nestkit.errors import NoteExists
from nestkit.vault.write import write_file
def refuse(event, details):
    if event == "os.link":  # as FAT and some network drives do
        raise OSError(errno.EPERM, "Operation not permitted")
sys.addaudithook(refuse)
write_file(Path(sys.argv[1]), "New/N.md", b"new")
try:
    write_file(Path(sys.argv[1]), "A.md", b"new")
except NoteExists as error:
    print(error)
"""


def test_a_disk_without_hard_links_takes_new_files_too(vault: Path) -> None:
    done = subprocess.run([sys.executable, "-c", NO_LINKS, str(vault)], capture_output=True, text=True, check=True)
    assert done.stdout == "A.md is already there\n"
    assert tree(vault) == {"A.md": b"old", "New": None, "New/N.md": b"new", "Notes": None}
