"""However a vault changed, the index that followed it says what one built from nothing says.

Files are written, edited, moved, restored and deleted for real; then both indexes are asked everything. The budget is
small unless NEST_STATE_MACHINE says how many vaults to play through:

    NEST_STATE_MACHINE=2000 nice pytest tests/index/test_state_machine.py --timeout 7200
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from indexing import refresh_vault

from nestkit.index import facts, graph, registry
from nestkit.index.nearest import find_near_names
from nestkit.index.refresh import Refreshed
from nestkit.index.search import find_lines, find_notes
from nestkit.index.store import Index, open_index
from nestkit.index.vocabulary import read_vocabulary
from nestkit.parse.kind import property_kind
from nestkit.parse.subpath import find_section
from nestkit.vault.files import list_files

FOLDERS = ("", "a", "a/deep", "B", "02_System")
PLACES = (*FOLDERS[1:], "e\u0301te\u0301", "a/new", ".hidden")
"""Where a folder may go: out of sight as well."""
NAMES = (
    *("A.md", "A.md", "B.md", "b.md", "Caf\u00e9.md", "Cafe\u0301.md", "C d.MD"),
    *("Map.canvas", "pic.png", "pic.png.md", "tool.py", "LICENSE"),
)
PATHS = st.builds(lambda folder, name: f"{folder}/{name}".lstrip("/"), st.sampled_from(FOLDERS), st.sampled_from(NAMES))
LINKS = (
    "[[A]] [[b]] ![[pic.png]]",
    "[[a/B|x]] [[../A#H]] [[./B]] [[/A]]",
    "[c](C%20d.md#H) [[Caf\u00e9]] [[Cafe\u0301]]",
    "[[nowhere]] [[nowhere.md]] [[LICENSE]] [[Map.canvas]]",
    "[[#H]] [[deep/A]] [[A#^id]]",
)
LINES = (
    "# H",
    "## Deeper #x/y",
    "- [ ] open #t \U0001f4c5 2026-01-02",
    "    - [x] done [k:: 1]",
    "word ^id",
    "key:: value",
    "#x #X/Y #日本",
    "carrot soup",
    "今日は東京",
    "ภาษาไทย",
    "crème",
    "```",
    "%%",
    "",
    "---",
)
PROPERTIES = (
    *("up: '[[A]]'\nstatus: active", "tags: [x, z/w]\naliases: [Other, \u00c9clair]", "status: [done, '[[B]]']\nn: 3"),
    *("created: 2026-03-14\nok: true", "a: 1\na: 2", "bad: @x", "- list", "title: [", "Status: Active\nn: 3.5"),
)
BODIES = st.builds(
    lambda block, links, lines: (f"---\n{block}\n---\n" if block else "") + "\n".join((links, *lines)),
    st.none() | st.sampled_from(PROPERTIES),
    st.sampled_from(LINKS),
    st.lists(st.sampled_from(LINES), max_size=5),
)
CANVASES = st.sampled_from(
    (
        '{"nodes":[{"id":"1","type":"text","text":"[[A]] carrot"},{"id":"2","type":"file","file":"a/B.md"}]}',
        '{"nodes":[{"id":"1","type":"file","file":"pic.png"}]}',
        '{"nodes":',
        "",
    )
)
SCRIPTS = st.sampled_from(("def add(a: int, b: int) -> int:\n    return a + b\n", "def broken(:\n", "x = 1\n"))
BYTES = BODIES.map(lambda text: text.encode("utf-8")) | st.sampled_from((b"", b"\xff\xfe [[A]] #x", b"[[A]]\r\n#x\r\n"))

WORDS = (
    *("carrot", "cr*", '"carrot soup"', "-carrot", "\u6771\u4eac", "\u0e44\u0e17\u0e22", "creme", "tag:x", "tag:t"),
    *("status=active", "status=b", "n>=3", "created:2026-03", "task:open", "task:done", "heading:H", "path:a"),
    *("-status=active", "eclair", "carrot tag:x", "ok=true", "path:deep", "path:.canvas", "modified:>2001"),
)
OLD = 10**18
TICK_SECONDS = 0.011
"""Longer than a tick of the kernel's clock: to the refresh, by a clock that is ahead, every file counts as settled."""


class VaultMachine(RuleBasedStateMachine):
    """A vault that changes, its index, and what some of its files held before."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="nest-states-"))
        self.root = self.folder / "vault"
        self.root.mkdir()
        self.index = open_index(self.folder / "kept.sqlite")
        self.versions: list[tuple[str, bytes, int]] = []
        """Path, bytes and time of what files held."""
        self.built = 0

    def teardown(self) -> None:
        try:
            self.compare()
        finally:
            self.index.close()
            shutil.rmtree(self.folder)

    @initialize(contents=st.lists(st.tuples(PATHS, BODIES), min_size=6, max_size=10))
    def begin(self, contents: list[tuple[str, str]]) -> None:
        for path, text in contents:
            self.put(path, text.encode("utf-8"), old=True)
        self.follow(self.index)

    @rule(path=PATHS, content=BYTES, old=st.booleans())
    def write(self, path: str, content: bytes, old: bool) -> None:
        self.put(path, content, old)

    @rule(name=st.sampled_from(FOLDERS), text=CANVASES)
    def write_canvas(self, name: str, text: str) -> None:
        self.put(f"{name}/Map.canvas".lstrip("/"), text.encode("utf-8"), old=True)

    @rule(text=SCRIPTS)
    def write_script(self, text: str) -> None:
        self.put("02_System/tool.py", text.encode("utf-8"), old=True)

    @precondition(lambda self: self.files())
    @rule(data=st.data(), line=st.sampled_from(LINES + LINKS))
    def append(self, data: st.DataObject, line: str) -> None:
        file = self.choose(data)
        self.keep(file)
        with file.open("ab") as end:
            end.write(b"\n" + line.encode("utf-8"))

    @precondition(lambda self: self.files())
    @rule(data=st.data())
    def edit_behind_the_clock(self, data: st.DataObject) -> None:
        """Other bytes, as many of them, under the same time."""
        file = self.choose(data)
        before = file.stat()
        content = file.read_bytes()
        _wait_for_another_tick(before.st_ctime_ns)
        file.write_bytes(content[::-1] if content.isascii() else content[:1].swapcase() + content[1:])
        os.utime(file, ns=(before.st_mtime_ns, before.st_mtime_ns))

    @precondition(lambda self: self.files())
    @rule(data=st.data(), content=BYTES)
    def replace_whole(self, data: st.DataObject, content: bytes) -> None:
        """As an editor saves: a file of another name put in place."""
        file = self.choose(data)
        self.keep(file)
        other = file.with_name(".saving")
        other.write_bytes(content)
        other.replace(file)

    @precondition(lambda self: self.versions)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        """An old version comes back with its old time, as from a backup."""
        path, content, mtime_ns = data.draw(st.sampled_from(self.versions))
        if self.fits(path):
            self.put(path, content, old=False)
            os.utime(self.root / path, ns=(mtime_ns, mtime_ns))

    @precondition(lambda self: self.files())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        file = self.choose(data)
        self.keep(file)
        file.unlink()

    @precondition(lambda self: self.files())
    @rule(data=st.data(), path=PATHS)
    def move(self, data: st.DataObject, path: str) -> None:
        """A file goes elsewhere with its time and number; what stood there is gone."""
        file = self.choose(data)
        if self.fits(path):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            file.replace(self.root / path)

    @precondition(lambda self: len(self.files()) > 1)
    @rule(data=st.data())
    def swap(self, data: st.DataObject) -> None:
        one, other = data.draw(st.lists(st.sampled_from(self.files()), min_size=2, max_size=2, unique=True))
        between = self.root / ".between"
        one.replace(between)
        other.replace(one)
        between.replace(other)

    @precondition(lambda self: self.files())
    @rule(data=st.data())
    def change_case(self, data: st.DataObject) -> None:
        file = self.choose(data)
        renamed = file.with_name(file.name.swapcase())
        if not renamed.is_dir():
            file.replace(renamed)

    @precondition(lambda self: self.files())
    @rule(data=st.data(), path=PATHS)
    def copy(self, data: st.DataObject, path: str) -> None:
        file = self.choose(data)
        if self.fits(path) and not (self.root / path).exists():
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, self.root / path)

    @rule(one=st.sampled_from(PLACES), other=st.sampled_from(PLACES))
    def move_folder(self, one: str, other: str) -> None:
        if (self.root / one).is_dir() and not (self.root / other).exists() and not other.startswith(one + "/"):
            (self.root / other).parent.mkdir(parents=True, exist_ok=True)
            (self.root / one).rename(self.root / other)

    @rule(one=st.sampled_from(PLACES))
    def delete_folder(self, one: str) -> None:
        shutil.rmtree(self.root / one, ignore_errors=True)

    @precondition(lambda self: self.files())
    @rule(data=st.data(), ahead=st.integers(-(10**12), 10**12))
    def set_clock(self, data: st.DataObject, ahead: int) -> None:
        now = time.time_ns() + ahead
        os.utime(self.choose(data), ns=(now, now))

    @rule()
    def look(self) -> None:
        """A refresh in between, unseen."""
        self.follow(self.index)

    @rule()
    def reopen(self) -> None:
        self.index.close()
        self.index = open_index(self.folder / "kept.sqlite")

    @rule()
    def compare(self) -> None:
        self.follow(self.index)
        kept = self.everything(self.index)
        again = self.follow(self.index)
        assert (again.changed, again.removed) == (0, 0), "a second look finds nothing"
        assert self.everything(self.index) == kept, "and changes nothing"
        self.built += 1
        fresh = open_index(self.folder / f"fresh-{self.built}.sqlite")
        try:
            self.follow(fresh)
            _same(kept, self.everything(fresh))
        finally:
            fresh.close()

    def put(self, path: str, content: bytes, old: bool) -> None:
        if not self.fits(path):
            return
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        self.keep(file)
        file.write_bytes(content)
        if old:
            os.utime(file, ns=(OLD, OLD))

    def keep(self, file: Path) -> None:
        if file.is_file():
            path = file.relative_to(self.root).as_posix()
            self.versions.append((path, file.read_bytes(), file.stat().st_mtime_ns))

    def fits(self, path: str) -> bool:
        """Whether a file can be put there: no folder is in its place, no file in its folder's."""
        file = self.root / path
        return not file.is_dir() and not any(parent.is_file() for parent in file.parents)

    def files(self) -> list[Path]:
        return sorted(file for file in self.root.rglob("*") if file.is_file())

    def choose(self, data: st.DataObject) -> Path:
        return data.draw(st.sampled_from(self.files()))

    def follow(self, index: Index) -> Refreshed:
        try:
            return refresh_vault(index, self.root, ahead_seconds=3)
        finally:
            time.sleep(TICK_SECONDS)

    def everything(self, index: Index) -> dict[str, Any]:
        """All that the index can be asked, without row numbers."""
        known = [str(row[0]) for row in index.rows("SELECT path FROM files ORDER BY path")]
        said = [str(row[0]) for row in index.rows("SELECT f.path FROM notes n JOIN files f ON f.id = n.file")]
        notes = {path: facts.get_note(index, path) for path in sorted(said)}
        sections = {path: [find_section(note, f"#{h.text}") for h in note.headings] for path, note in notes.items()}
        words = read_vocabulary(index, property_kind, lambda path: path.startswith("b/"), "03_Runs", str(self.built))
        return {
            "files": index.rows("SELECT path, kind, size, mtime_ns, digest FROM files ORDER BY path"),
            "listed": sorted(entry.path for entry in list_files(self.root)) == known,
            "notes": notes,
            "sections": sections,
            "records": list(facts.list_records(index)),
            "links": {path: facts.links_of(index, path) for path in known},
            "backlinks": {path: facts.backlink_records(index, path) for path in known},
            "counted": {path: facts.list_backlinks(index, path) for path in known},
            "tagged": {tag: [r["path"] for r in facts.list_records(index, tag)] for tag in ("x", "x/y", "t")},
            "tags": facts.count_tags(index),
            "properties": facts.count_properties(index),
            "tasks": facts.list_tasks(index),
            "problems": facts.list_problems(index),
            "unresolved": facts.list_unresolved(index),
            "ambiguous": facts.list_ambiguous(index),
            "orphans": facts.list_orphans(index),
            "dead ends": facts.list_deadends(index),
            "linked": facts.list_linked(index, 100),
            "components": graph.list_components(index),
            "neighbours": {path: graph.list_neighbours(index, path, 2) for path in known},
            "scripts": registry.list_scripts(index),
            "vocabulary": words,
            "found": {
                word: sorted((hit.path, hit.line, hit.snippet, hit.score) for hit in find_notes(index, word, 100))
                for word in WORDS
            },
            "near": [(hit.path, hit.score) for hit in find_near_names(index, "Cafee")],
            "lines": list(find_lines(index, "carrot")),
        }


def _same(kept: dict[str, Any], fresh: dict[str, Any]) -> None:
    """Both say the same; if not, which question they answer otherwise."""
    for name, answer in fresh.items():
        assert kept[name] == answer, name


def _wait_for_another_tick(ctime_ns: int) -> None:
    """The kernel's clock for files is coarse: a change within the same tick leaves no trace at all."""
    with tempfile.NamedTemporaryFile() as probe:
        while Path(probe.name).stat().st_ctime_ns <= ctime_ns:
            os.utime(probe.fileno())


EXAMPLES = os.environ.get("NEST_STATE_MACHINE")

VaultMachine.TestCase.settings = settings(
    max_examples=int(EXAMPLES or 15),
    stateful_step_count=25,
    # A failure is made small only where there is time for it: each try is a vault of its own.
    phases=tuple(Phase) if EXAMPLES else (Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestVault = VaultMachine.TestCase
