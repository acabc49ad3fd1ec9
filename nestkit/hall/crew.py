"""Batches of files in, what they say out in the same order; a second process reads along where it pays. In the hall.
*Disk, Process*.

Both processes read with the same readers. Rows of plain values come back, so nothing that was read is ever run.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from nestkit.errors import VaultError
from nestkit.hall.reading import read_script
from nestkit.index.drafts import NoteRows, ScriptRows
from nestkit.index.reading import MAX_NOTE_BYTES, Batch, Item, ReadAll, Readers, Reading, read_batch
from nestkit.note import Note
from nestkit.vault.files import read_files

MANY = 600
"""Files from which a second process pays for its start."""
_AHEAD = 2
"""Batches the second process has at hand, and how far this one may run ahead of it."""
_PIPE_BYTES = 1 << 20
_START = "import sys; sys.path[:0] = [sys.argv[1]]; from nestkit.hall.crew import serve; serve(*sys.argv[2:])"


def make_readers(root: Path, system: str) -> Readers:
    """How this vault's files become words."""

    def read(paths: Iterable[str]) -> Iterator[bytes | VaultError]:
        return read_files(root, paths, 4 * MAX_NOTE_BYTES)

    return Readers(read, parse_note, parse_canvas, read_script, system)


def parse_note(path: str, text: str) -> Note:
    """What a note says."""
    from nestkit.parse.note import parse_note as parse  # late: only a changed note pays for the parser

    return parse(path, text)


def parse_canvas(path: str, text: str) -> Note:
    """What a canvas says."""
    from nestkit.parse.canvas import parse_canvas as parse

    return parse(path, text)


@contextmanager
def crew(root: Path, readers: Readers) -> Iterator[ReadAll]:
    """Reads batches; the second process, if one was needed, is gone at the end."""
    mates: list[_Mate] = []

    def read_all(batches: Iterable[Batch], total: int) -> Iterator[Sequence[Reading]]:
        if total < MANY or (os.cpu_count() or 1) < 2 or sys.platform == "win32":
            return (read_batch(batch, readers) for batch in batches)
        mates.append(_Mate(root, readers.system))
        return _read_together(iter(batches), mates[0], readers)

    try:
        yield read_all
    finally:
        for mate in mates:
            mate.end()


def _read_together(batches: Iterator[Batch], mate: _Mate, readers: Readers) -> Iterator[Sequence[Reading]]:
    """Every batch in order: each is read by whoever has time. What a mate that died had at hand is read here."""
    waiting: deque[tuple[Batch, list[Reading] | None]] = deque()  # None: the mate has it
    more = True
    while more or waiting:
        while more and mate.alive and mate.count < _AHEAD and (batch := next(batches, None)) is not None:
            mate.send(batch)
            waiting.append((batch, None))
        if waiting and (waiting[0][1] is not None or len(waiting) > 2 * _AHEAD or not more or mate.is_ready()):
            batch, readings = waiting.popleft()
            yield readings or mate.receive() or read_batch(batch, readers)
        elif (batch := next(batches, None)) is None:
            more = False
        else:
            waiting.append((batch, read_batch(batch, readers)))


class _Mate:
    """A second process that reads batches in the order they are sent."""

    def __init__(self, root: Path, system: str) -> None:
        command = [sys.executable, "-I", "-c", _START, str(Path(__file__).parents[2]), str(root), system]
        self._process = subprocess.Popen(
            command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}
        )
        assert self._process.stdin is not None and self._process.stdout is not None, "both are pipes"
        self._in, self._out = self._process.stdin, self._process.stdout
        _widen(self._out)
        self.alive = True
        self.count = 0
        """Batches it was sent and has not answered."""

    def send(self, batch: Batch) -> None:
        try:
            _write(self._in, [tuple(item) for item in batch])
        except OSError:
            self.alive = False
        else:
            self.count += 1

    def is_ready(self) -> bool:
        """Whether an answer has begun to come."""
        import select

        return self.count > 0 and bool(select.select([self._out], [], [], 0)[0])

    def receive(self) -> list[Reading] | None:
        """The oldest answer that was not fetched yet; None when there will be none."""
        if self.count == 0:
            return None
        self.count -= 1
        try:
            return [_reading(told) for told in _read(self._out)]
        except (OSError, EOFError, ValueError, TypeError):
            self.alive, self.count = False, 0
            return None

    def end(self) -> None:
        """No answer is wanted any more."""
        self._process.kill()
        for pipe in (self._in, self._out):
            with suppress(OSError):
                pipe.close()
        self._process.wait()


def serve(root: str, system: str) -> None:
    """The second process's part: batches from stdin until it ends, what they say to stdout."""
    readers = make_readers(Path(root), system)
    wanted, told = sys.stdin.buffer, sys.stdout.buffer
    with suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while True:
            batch = [Item(*values) for values in _read(wanted)]
            _write(told, [_plain(reading) for reading in read_batch(batch, readers)])


def _plain(reading: Reading) -> tuple[Any, ...]:
    rows = reading.rows
    kind = "" if rows is None else "note" if isinstance(rows, NoteRows) else "script"
    return (*reading[:4], kind, None if rows is None else tuple(rows))


def _reading(told: tuple[Any, ...]) -> Reading:
    file_id, path, seal, settled, kind, rows = told
    made = NoteRows(*rows) if kind == "note" else ScriptRows(*rows) if kind == "script" else None
    return Reading(file_id, path, seal, settled, made)


def _write(pipe: IO[bytes], value: list[tuple[Any, ...]]) -> None:
    told = marshal.dumps(value)
    left = memoryview(len(told).to_bytes(8, "big") + told)
    while left:
        left = left[pipe.write(left) :]
    pipe.flush()


def _read(pipe: IO[bytes]) -> Any:
    return marshal.loads(_take(pipe, int.from_bytes(_take(pipe, 8), "big")))


def _take(pipe: IO[bytes], count: int) -> bytes:
    """So many bytes; raises EOFError when there are no more."""
    taken = bytearray()
    while len(taken) < count:
        if not (chunk := pipe.read(count - len(taken))):
            raise EOFError
        taken += chunk
    return bytes(taken)


def _widen(pipe: IO[bytes]) -> None:
    """Room for a whole answer, so that the other need not wait until it is fetched."""
    with suppress(ImportError, AttributeError, OSError):  # Linux has it
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
