"""Calls of scripts that have packages in; their values, from children in which these are loaded already, out.
*Process*.

To import pandas takes longer than most of what is done with it. So for the time of one run each such script has a child
of its own that has loaded its packages, shut in with the script's own powers, and forks for each call. It is for calls
that only read: what writes, connects or starts programs gets a child for one call, as ever. And it is for a vault that
stands still: a view that was laid over it goes on showing what it showed once, so after a change there is a new child.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from nestkit.policy import Limits
from nestkit.sandbox.backend import MESSAGES, Child, End
from nestkit.sandbox.child.packing import Broken
from nestkit.sandbox.child.wire import OPENING_BYTES, Closed, Late, TooLarge, draft_frame
from nestkit.sandbox.engine import Engine, explain, overdue, read_answer, unusable
from nestkit.sandbox.job import Job
from nestkit.sandbox.watch import Watch

_OF_ONE_CALL = ("function", "arguments", "argv")
_MOST = 3
"""Children kept at a time: each holds its packages in memory."""
_END_SECONDS = 2.0
_RECENT_NS = 50_000_000
_Ground = dict[str, tuple[int, ...]]
"""Absolute folder -> its stamp."""


class Loaded:
    """The scripts of one run whose packages stay loaded; leaving it ends their children."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keepers: dict[str, _Keeper] = {}
        """What one has loaded and may see -> the child; the one used last comes last."""

    def __enter__(self) -> Loaded:
        return self

    def __exit__(self, *_: object) -> None:
        for keeper in self._keepers.values():
            keeper.close()
        self._keepers.clear()

    def call(
        self, job: Job, limits: Limits, seconds: float | None = None, collect: Callable[[Path], None] | None = None
    ) -> Any:
        """As `Engine.call`. Raises ToolFailed."""
        if collect or not self._engine.keeps or not job.site or not _only_reads(job):
            return self._engine.call(job, limits, seconds, collect)
        wish = self._engine.wish_for(job, limits)
        request = {name: wish.pop(name) for name in _OF_ONE_CALL}
        key = json.dumps([wish, limits.message_bytes], sort_keys=True)
        seconds = self._engine.seconds_for(limits, seconds)
        keeper = self._take(key) or self._start(wish, job, limits)
        try:
            return keeper.call(request, job, seconds)
        finally:
            if keeper.is_fit:
                self._keepers[key] = keeper
            else:
                keeper.close()

    def _take(self, key: str) -> _Keeper | None:
        """The child that has loaded this, ready for a call; if there is none, room is made for one."""
        keeper = self._keepers.pop(key, None)
        if keeper is not None and keeper.is_ready():
            return keeper
        if keeper is not None:
            keeper.close()
        while len(self._keepers) >= _MOST:
            self._keepers.pop(next(iter(self._keepers))).close()
        return None

    def _start(self, wish: Mapping[str, Any], job: Job, limits: Limits) -> _Keeper:
        ground = _find_ground(job.root, job.hide)  # before it looks: what changes from now on is noticed
        return _Keeper(self._engine.spawn({**wish, "kind": "keep"}, limits), limits, ground)


class _Keeper:
    """One child that has a script's packages loaded."""

    def __init__(self, child: Child, limits: Limits, ground: _Ground) -> None:
        self._child, self._limits, self._ground = child, limits, ground
        self._watch = Watch(2 * limits.memory_bytes, limits.cpu_seconds)  # its own, and that of the call it forked for
        self._open = ExitStack()
        self._open.callback(child.close)
        self._open.enter_context(self._watch.over(child))
        self._is_loaded = False
        self._is_due = False
        """Whether the end of the last call's fork is still to be heard: it takes a while, and nobody waits for it."""
        self.is_fit = True
        """Whether it may take another call, as far as is known."""

    def close(self) -> None:
        """End it with all below it."""
        self._open.close()

    def is_ready(self) -> bool:
        """Whether the last call's fork is gone, has left nothing behind, and the vault is as it was."""
        if any(_stamp(folder) != stamp for folder, stamp in self._ground.items()):
            return False
        if not self._is_due:
            return True
        self._child.wire.deadline = time.monotonic() + _END_SECONDS
        try:
            return _is_true(self._child.wire.receive(), "clean")
        except (Closed, Late, Broken, TooLarge):
            return False

    def call(self, request: Mapping[str, Any], job: Job, seconds: float) -> Any:
        """The value of one call. Raises ToolFailed."""
        self.is_fit = False
        wire = self._child.wire
        self._watch.cpu_seconds += self._limits.cpu_seconds
        try:
            wire.deadline, wire.left = time.monotonic() + seconds, MESSAGES * wire.most
            if not self._is_loaded and not _is_true(wire.receive(), "loaded"):
                raise Broken("it did not load")
            self._is_loaded = True
            alone = _count_threads(self._child.number) > 1
            wire.send_frame(draft_frame({**request, "alone": alone}, OPENING_BYTES))
            answer = wire.receive()
            if "ended" in answer:
                raise explain(_read_end(answer["ended"]), job, self._limits, "")
            self.is_fit = self._is_due = not alone
            return read_answer(answer)
        except Late:
            raise overdue(job, seconds) from None
        except Closed:
            raise explain(self._child.wait(), job, self._limits, self._watch.limit) from None
        except (Broken, TooLarge) as error:
            self.is_fit = False
            raise unusable(job, error) from None


def _find_ground(root: str, hidden: Sequence[str]) -> _Ground:
    """All folders of a vault with their stamps: no file comes, goes or is replaced without one of them changing."""
    found: _Ground = {root: _stamp(root)}
    todo, hides = [root], {f"{root}/{path}" for path in hidden}
    while todo:
        try:
            with os.scandir(todo.pop()) as entries:
                inner = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue  # it has gone meanwhile: the folder it was in has changed
        folders = [folder for folder in inner if folder not in hides]
        found.update((folder, _stamp(folder)) for folder in folders)
        todo += folders
    return found


def _stamp(folder: str) -> tuple[int, ...]:
    """When a folder changed; never the same twice when that was just now, as clocks of file systems are coarse."""
    try:
        found = os.stat(folder, follow_symlinks=False)
    except OSError:
        return ()
    recent = time.time_ns() if abs(time.time_ns() - found.st_ctime_ns) < _RECENT_NS else 0
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, recent


def _only_reads(job: Job) -> bool:
    return not (job.writable or job.over or job.network or job.run or job.shell)


def _is_true(message: Mapping[str, Any], name: str) -> bool:
    return message.get(name) is True


def _count_threads(number: int) -> int:
    """Threads of a process: those that a package has started would be missing in a fork, so it must not be forked."""
    try:
        return len(os.listdir(f"/proc/{number}/task"))
    except OSError:
        return 0  # it is gone, as will be noticed


def _read_end(ended: Any) -> End:
    """How the fork ended, as the keeper tells it. Raises Broken."""
    if type(ended) is not list or [type(part) for part in ended] != [int, float, int]:
        raise Broken("no end of ours")
    try:
        return End(os.waitstatus_to_exitcode(ended[0]), ended[1], ended[2] * 1024)
    except (ValueError, OverflowError):
        raise Broken("no end of ours") from None
