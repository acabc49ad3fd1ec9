"""What the walk of a vault finds, and that the reading door stays shut to everything else."""

from __future__ import annotations

import os
import socket
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from nestkit.errors import NoteMissing, OutsideVault, VaultError
from nestkit.note import Problem
from nestkit.vault.files import Entry, find_spelling, list_files, read_file

SECRET = b"outside the vault"
MANY = 1 << 20


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    root = tmp_path / "vault"
    (root / "Notes/deep").mkdir(parents=True)
    (root / "A.md").write_bytes(b"A")
    (root / "Notes/B.md").write_bytes(b"BB")
    (root / "Notes/deep/C.canvas").write_bytes(b"{}")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/canary.md").write_bytes(SECRET)
    return root


def listed(root: Path, **options: str) -> tuple[dict[str, Entry], dict[str, str]]:
    problems: list[Problem] = []
    entries = {entry.path: entry for entry in list_files(root, report=problems.append, **options)}
    return entries, {problem.path: problem.what for problem in problems}


def test_every_ordinary_file_is_listed_with_its_stat(vault: Path) -> None:
    entries, problems = listed(vault)
    assert sorted(entries) == ["A.md", "Notes/B.md", "Notes/deep/C.canvas"]
    assert problems == {}
    found, entry = (vault / "Notes/B.md").stat(), entries["Notes/B.md"]
    assert entry[1:5] == (2, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
    assert entry.target == ""


def test_names_with_a_dot_do_not_exist(vault: Path) -> None:
    for path in (".obsidian/app.json", ".hidden.md", "Notes/.trash/x.md", ".nest-1-2.tmp"):
        (vault / path).parent.mkdir(exist_ok=True)
        (vault / path).touch()
    assert sorted(listed(vault)[0]) == ["A.md", "Notes/B.md", "Notes/deep/C.canvas"]


def test_caches_and_environments_are_left_out_below_the_scripts_only(vault: Path) -> None:
    for folder in ("Tools/__pycache__", "Tools/node_modules/x", "Tools/env", "Notes/node_modules", "Notes/env"):
        (vault / folder).mkdir(parents=True)
        (vault / folder / "x.md").touch()
    (vault / "Tools/env/pyvenv.cfg").touch()
    (vault / "Tools/own.py").touch()
    found = {path for path in listed(vault, system="Tools")[0] if path.startswith(("Tools", "Notes/n", "Notes/e"))}
    assert found == {"Tools/own.py", "Notes/node_modules/x.md", "Notes/env/x.md"}


def test_a_link_to_a_note_of_the_vault_is_listed_with_what_it_leads_to(vault: Path) -> None:
    (vault / "Link.md").symlink_to("Notes/B.md")
    (vault / "Notes/Chain.md").symlink_to("../Link.md")
    entries, problems = listed(vault)
    assert entries["Link.md"].target == entries["Notes/Chain.md"].target == "Notes/B.md"
    assert entries["Link.md"].size == 2
    assert problems == {}


@pytest.mark.parametrize(
    ("name", "target", "why"),
    [
        ("out.md", "../outside/canary.md", "leads out of the vault"),
        ("dir", "Notes", "leads to no file"),
        ("outdir", "../outside", "leads out of the vault"),
        ("dangling.md", "Notes/None.md", "leads to no file"),
        ("self.md", "self.md", "leads to no file"),
        ("hidden.md", ".obsidian/x.md", "leads to a hidden place"),
        ("sibling.md", "../vault2/x.md", "leads out of the vault"),
    ],
)
def test_a_link_that_leads_elsewhere_is_reported_and_not_listed(vault: Path, name: str, target: str, why: str) -> None:
    for extra in (vault / ".obsidian", vault.parent / "vault2"):
        extra.mkdir()
        (extra / "x.md").touch()
    (vault / name).symlink_to(target)
    entries, problems = listed(vault)
    assert sorted(entries) == ["A.md", "Notes/B.md", "Notes/deep/C.canvas"]
    assert list(problems) == [name]
    assert why in problems[name]


def test_pipes_and_sockets_are_reported_and_never_opened(vault: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(vault / "pipe.md")
    monkeypatch.chdir(vault)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.md")
        entries, problems = listed(vault)
        assert set(problems) == {"pipe.md", "socket.md"}
        assert "pipe.md" not in entries
        for path in problems:
            with pytest.raises(OutsideVault, match="no ordinary file"):
                read_file(vault, path, MANY)


def test_a_name_that_is_no_text_is_reported_readably(vault: Path) -> None:
    for name in (b"latin-\xe9.md", b"line\nbreak.md", b"back\\slash.md", b"~lock.md", b"esc\x1b[2J.md"):
        (Path(os.fsdecode(os.fsencode(vault) + b"/" + name))).touch()
    entries, problems = listed(vault)
    assert sorted(entries) == ["A.md", "Notes/B.md", "Notes/deep/C.canvas"]
    assert len(problems) == 5
    assert all(path.isprintable() for path in problems)


def test_both_unicode_forms_are_listed_and_read_as_stored(vault: Path) -> None:
    nfc, nfd = (unicodedata.normalize(form, "Café.md") for form in ("NFC", "NFD"))
    for name in (nfc, nfd):
        (vault / name).write_bytes(name.encode())
    stored = {each.name for each in vault.iterdir()} - {"A.md", "Notes"}  # a Mac keeps one of the two
    assert stored <= set(listed(vault)[0])
    for name in stored:
        assert read_file(vault, name, MANY).decode() in (nfc, nfd)


def test_a_folder_that_is_deeper_than_a_path_may_be_is_reported(vault: Path) -> None:
    here = os.open(vault, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=here)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    entries, problems = listed(vault)
    assert len(entries) == 3
    assert len(problems) == 1


def test_reading_gives_the_bytes(vault: Path) -> None:
    assert read_file(vault, "Notes/B.md", MANY) == b"BB"
    assert read_file(vault, "Notes/B.md", 2) == b"BB"
    (vault / "empty.md").touch()
    assert read_file(vault, "empty.md", 0) == b""


@pytest.mark.parametrize(
    "path",
    [
        "../outside/canary.md",
        "Notes/../../outside/canary.md",
        "./../outside/canary.md",
        "A.md/../../outside/canary.md",
        "@ABSOLUTE@",
        "/@ABSOLUTE@",
        "file://@ABSOLUTE@",
        "~/canary.md",
        "~root/x",
        "..\\outside\\canary.md",
        "out.md",
        "abs.md",
        "chain.md",
        "outdir/canary.md",
        "Notes/back/outside/canary.md",
        "Notes/./B.md",
        "Notes//B.md",
        "Notes/",
        "A.md\x00.txt",
        "A.md\n",
        "",
        ".",
        "..",
    ],
)
def test_no_path_reads_anything_outside(vault: Path, path: str) -> None:
    canary = vault.parent / "outside/canary.md"
    (vault / "out.md").symlink_to("../outside/canary.md")
    (vault / "abs.md").symlink_to(canary)
    (vault / "chain.md").symlink_to("out.md")
    (vault / "outdir").symlink_to("../outside")
    (vault / "Notes/back").symlink_to("../..")
    with pytest.raises((OutsideVault, NoteMissing)) as error:
        read_file(vault, path.replace("@ABSOLUTE@", str(canary)), MANY)
    assert str(error.value).isprintable()
    assert path.startswith(("@", "/", "f")) or str(vault.parent) not in str(error.value)


def test_a_link_is_not_followed_even_within_the_vault(vault: Path) -> None:
    (vault / "Link.md").symlink_to("A.md")
    (vault / "Dir").symlink_to("Notes")
    for path in ("Link.md", "Dir/B.md"):
        with pytest.raises(OutsideVault, match="is a link"):
            read_file(vault, path, MANY)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("None.md", "not there"),
        ("None/x.md", "not there"),
        ("Notes", "folder"),
        ("a.md" * 100, "too long"),
        ("A.md/x.md", "a file stands where a folder is needed"),
    ],
)
def test_what_is_not_there_is_said_by_its_vault_path(vault: Path, path: str, said: str) -> None:
    with pytest.raises(VaultError, match=said) as error:
        read_file(vault, path, MANY)
    assert str(vault.parent) not in str(error.value)
    assert path[:20] in str(error.value)


def test_a_file_over_the_limit_is_refused_unread(vault: Path) -> None:
    with (vault / "sparse.md").open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(VaultError, match="larger than 1,000 bytes"):
        read_file(vault, "sparse.md", 1000)


def test_a_folder_swapped_for_a_link_meanwhile_never_leads_out(vault: Path) -> None:
    """The race a checker of whole paths loses: the folder is a folder when looked at, and a link when opened."""
    (vault.parent / "outside/B.md").write_bytes(SECRET)
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (vault / "Notes").rename(vault / "Aside")
            (vault / "Notes").symlink_to("../outside")
            (vault / "Notes").unlink()
            (vault / "Aside").rename(vault / "Notes")

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        seen = {content for _ in range(3_000) for content in _try_read(vault, "Notes/B.md")}
    finally:
        stop.set()
        thread.join()
    assert seen <= {b"BB"}


def _try_read(vault: Path, path: str) -> Iterator[bytes]:
    with suppress(VaultError):
        yield read_file(vault, path, MANY)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("notes/b.MD", "Notes/B.md"),
        ("A.md", "A.md"),
        ("NOTES/new.md", "Notes/new.md"),
        ("new/x.md", "new/x.md"),
        ("Cafe\u0301.md", "Café.md"),
        ("twin.md", "twin.md"),
        ("TWIN.md", "TWIN.md"),
        ("Twin.md", "TWIN.md"),
        ("outdir/CANARY.md", "outdir/CANARY.md"),
    ],
)
def test_a_path_is_spelled_as_the_disk_spells_it(vault: Path, asked: str, found: str) -> None:
    for name in ("Café.md", "twin.md", "TWIN.md"):
        (vault / name).touch()
    if len(list(vault.iterdir())) < 5:
        pytest.skip("this disk ignores case")
    (vault / "outdir").symlink_to("../outside")
    assert find_spelling(vault, asked) == found
