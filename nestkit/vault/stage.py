"""What a run has written so far in; the vault as the run sees it, and its change set, out. *Pure*, reads are handed in.

Nothing here touches the disk. A file is remembered as it was when the run first looked at it, so that a note edited
by somebody else after that shows up as a conflict when the change set is applied, not as a silent loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nestkit.change import Change
from nestkit.errors import NoteExists, NoteMissing, OutsideVault, VaultError
from nestkit.policy import PROTECTED, Limits
from nestkit.vault.names import check_writable, fold, require_path, shown

_LIMITS = Limits()


class Stage:
    """The staged state of one run.

    `read` gives the bytes of a path, or None when there is no such file. `spell` gives a path as the disk spells it
    when a file of that name is there up to case and Unicode form: those are the same file, here as on most disks.
    """

    def __init__(
        self,
        read: Callable[[str], bytes | None],
        protected: tuple[str, ...] = PROTECTED,
        max_files: int = _LIMITS.staged_files,
        max_bytes: int = _LIMITS.staged_bytes,
        spell: Callable[[str], str] = str,
    ) -> None:
        self._read, self._spell = read, spell
        self._protected, self._max_files, self._max_bytes = protected, max_files, max_bytes
        self._before: dict[str, bytes | None] = {}
        self._after: dict[str, bytes | None] = {}
        self._spellings: dict[str, str] = {}  # folded path or folder -> how the run first spelled what is new

    def read(self, path: str) -> bytes | None:
        """The bytes of a file as the run has left it so far; None when there is none."""
        path = self._own(require_path(path))
        return self._after[path] if path in self._after else self._start(path)

    def write(self, path: str, content: bytes) -> None:
        """Stage a whole file. Raises OutsideVault for a protected place, VaultError when the run's room is used up."""
        self._put({self._writable(path): content})

    def delete(self, path: str) -> None:
        """Stage the removal of a file. Raises NoteMissing, OutsideVault."""
        path = self._writable(path)
        if self.read(path) is None:
            raise NoteMissing(f"{shown(path)} is not there")
        self._put({path: None})

    def move(self, old: str, new: str) -> None:
        """Stage a file under another name. Raises NoteMissing, NoteExists (for a mere change of case too)."""
        old, new = self._writable(old), self._writable(new)
        content = self.read(old)
        if content is None:
            raise NoteMissing(f"{shown(old)} is not there")
        if self.read(new) is not None:
            raise NoteExists(f"{shown(new)} is already there", "choose a name that differs in more than case")
        self._put({old: None, new: content})

    def restage(self, change: Change) -> None:
        """Stage again what an earlier run of the same program staged, over the bytes which that run started from."""
        path = self._writable(change.path)
        self._before[path] = change.before
        self._put({path: change.after})

    def paths(self) -> tuple[str, ...]:
        """Paths that differ from how the run found them, sorted."""
        return tuple(sorted(path for path, after in self._after.items() if after != self._before[path]))

    def staged(self) -> dict[str, bytes | None]:
        """Path -> bytes, of all that was staged so far, what came to nothing included."""
        return dict(self._after)

    def before(self, path: str) -> bytes | None:
        """The bytes of a staged file as the run found them."""
        return self._before[path]

    def changes(self) -> tuple[Change, ...]:
        """The change set, sorted by path; what came to nothing is left out."""
        return tuple(Change(path, self._before[path], self._after[path]) for path in self.paths())

    def _start(self, path: str) -> bytes | None:
        """The file as the run first saw it."""
        if path not in self._before:
            self._before[path] = self._read(path)
        return self._before[path]

    def _own(self, path: str) -> str:
        """The one spelling under which this file is known: the vault's, else the run's first."""
        path = self._spell(path)
        if self._start(path) is not None:
            return path
        own = ""
        for part in path.split("/"):
            own = self._spellings.get(fold(own + part), own + part) + "/"
        return own[:-1]

    def _writable(self, path: str) -> str:
        """The file this name stands for, when both the name and the file may be written."""
        self._require_writable(path)
        path = self._own(path)
        self._require_writable(path)
        return path

    def _require_writable(self, path: str) -> None:
        if (refusal := check_writable(path, self._protected)) is not None:
            raise OutsideVault(refusal.reason, refusal.hint)

    def _put(self, staged: Mapping[str, bytes | None]) -> None:
        """All of these, or an error and none."""
        self._check_room(self._after | dict(staged))
        for path, content in staged.items():
            if content is not None:
                self._check_place(path)
        for path in staged:
            if self._start(path) is None:
                parts = path.split("/")
                for count in range(1, len(parts) + 1):
                    spelled = "/".join(parts[:count])
                    self._spellings.setdefault(fold(spelled), spelled)
        self._after.update(staged)

    def _check_room(self, staged: Mapping[str, bytes | None]) -> None:
        new = [content for path, content in staged.items() if content != self._start(path)]
        if len(new) > self._max_files:
            raise VaultError(f"a run may change {self._max_files} files at the most", "do it in several runs")
        if sum(len(content) for content in new if content is not None) > self._max_bytes:
            raise VaultError(f"a run may write {self._max_bytes:,} bytes at the most", "do it in several runs")

    def _check_place(self, path: str) -> None:
        """What is a file, or was one when the run began, cannot be a folder too."""
        for other, content in self._after.items():
            if content is None and self._before[other] is None:
                continue
            if other.startswith(path + "/") or path.startswith(other + "/"):
                raise OutsideVault(f"{shown(path)} and {shown(other)} cannot both be there")
