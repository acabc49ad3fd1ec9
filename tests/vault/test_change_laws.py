"""Laws of change sets, on a real disk, for any vault and any changes: all or nothing, and undone to the byte."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from nestkit.change import Change
from nestkit.vault.apply import apply_changes, recover, undo

NAMES = ("a.md", "Ä.md", "A\u0308b.md", "日本 語.md", "😀.md", "data.csv", f"{'x' * 240}.md", "b", "c.canvas")
FOLDERS = ("", "One/", "One/two/", "Drei/", "e\u0301/")
CONTENTS = st.sampled_from(
    [b"", b"line\n", b"crlf\r\nline\r\n", b"---\r\nkey: 1\r\n---\r\nbody", b"\xef\xbb\xbfbom", b"\x00\xff", b"no end"]
) | st.binary(max_size=40)
Files = Mapping[str, bytes]
paths = st.builds("{}{}".format, st.sampled_from(FOLDERS), st.sampled_from(NAMES))
vaults = st.dictionaries(paths, CONTENTS, max_size=6)
wishes = st.dictionaries(paths, CONTENTS | st.none(), min_size=1, max_size=6)
modes = st.sampled_from((0o644, 0o600, 0o664, 0o400))


@contextmanager
def vault(files: Files, mode: int) -> Iterator[Path]:
    """These files on a disk, in memory where there is one."""
    root = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    try:
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
            (root / path).chmod(mode)
        yield root
    finally:
        shutil.rmtree(root)


def state(root: Path) -> dict[str, tuple[bytes | None, int]]:
    """Bytes and mode of every file, and every folder, but nest's own."""
    found = {file.relative_to(root).as_posix(): file for file in root.rglob("*")}
    return {
        path: (file.read_bytes() if file.is_file() else None, file.stat().st_mode)
        for path, file in found.items()
        if path.split("/")[0] != ".nest"
    }


def contents(root: Path) -> dict[str, bytes]:
    return {path: content for path, (content, _) in state(root).items() if content is not None}


def changes_of(files: Files, wanted: Mapping[str, bytes | None]) -> list[Change]:
    return [Change(path, files.get(path), after) for path, after in wanted.items() if files.get(path) != after]


def made(files: Files, changes: list[Change]) -> dict[str, bytes]:
    """What the vault is to be after these changes."""
    after = {**files, **{change.path: change.after for change in changes}}
    return {path: content for path, content in after.items() if content is not None}


@settings(max_examples=60, deadline=None)
@given(vaults, wishes, modes)
def test_what_was_applied_is_exactly_what_was_wanted_and_undone_it_is_as_if_never_done(
    files: Files, wanted: Mapping[str, bytes | None], mode: int
) -> None:
    changes = changes_of(files, wanted)
    with vault(files, mode) as root:
        before = state(root)
        done = apply_changes(root, "R1", changes)
        assert all(each.applied for each in done)
        assert contents(root) == made(files, changes)
        kept = {path: found for path, found in state(root).items() if path in files and path not in wanted}
        assert kept == {path: before[path] for path in kept}
        if changes:
            assert all(each.applied for each in undo(root, "R1"))
        assert state(root) == before
        assert recover(root) == []


@settings(max_examples=60, deadline=None)
@given(vaults, wishes, st.data())
def test_one_file_that_somebody_changed_meanwhile_stops_all_and_loses_nothing(
    files: Files, wanted: Mapping[str, bytes | None], data: st.DataObject
) -> None:
    changes = changes_of(files, wanted)
    if not changes:
        return
    with vault(files, 0o644) as root:
        touched = data.draw(st.sampled_from(changes))
        theirs = data.draw(
            st.binary(max_size=10).filter(lambda content: content not in (touched.before, touched.after))
        )
        (root / touched.path).parent.mkdir(parents=True, exist_ok=True)
        (root / touched.path).write_bytes(theirs)
        before = contents(root)
        done = apply_changes(root, "R1", changes)
        assert not any(each.applied for each in done)
        after = contents(root)
        proposals = {each.proposal for each in done if each.proposal}
        assert {path: content for path, content in after.items() if path not in proposals} == before
        assert [after[path] for path in proposals] == [touched.after] * len(proposals)
        assert bool(proposals) == (touched.after is not None)


@settings(max_examples=40, deadline=None)
@given(vaults, st.lists(wishes, min_size=2, max_size=4))
def test_runs_one_after_the_other_are_undone_in_reverse(files: Files, runs: list[Mapping[str, bytes | None]]) -> None:
    with vault(files, 0o644) as root:
        states = [contents(root)]
        applied = []
        for number, wanted in enumerate(runs):
            changes = changes_of(states[-1], wanted)
            if changes:
                apply_changes(root, f"R{number}", changes)
                applied.append(f"R{number}")
                states.append(contents(root))
        for run_id in reversed(applied):
            assert contents(root) == states.pop()
            assert all(each.applied for each in undo(root, run_id))
        assert contents(root) == dict(files)
