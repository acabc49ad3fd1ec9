"""A vault's root in; the paths at which something happens, given to a function, out. *Disk*, by watchdog.

Nothing is decided here: an event only says that a path is worth a look. Folders with a leading dot are never watched.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nestkit.errors import NestError

Add = Callable[[str], None]

_LIMIT = "echo fs.inotify.max_user_watches=524288 | sudo tee -a /etc/sysctl.conf && sudo sysctl -p"


class Watching:
    """Events of a vault, from the system, or by looking again and again where the system tells nothing."""

    def __init__(self, root: Path, add: Add, *, poll_seconds: float, control: Path, ring: Callable[[], None]) -> None:
        """`control` is a folder of nest's own: whatever happens there rings, and is no path."""
        from watchdog.events import (
            DirCreatedEvent,
            DirDeletedEvent,
            DirMovedEvent,
            FileCreatedEvent,
            FileDeletedEvent,
            FileModifiedEvent,
            FileMovedEvent,
            FileSystemEvent,
        )
        from watchdog.observers import Observer
        from watchdog.observers.polling import PollingObserver

        files = [FileCreatedEvent, FileModifiedEvent, FileMovedEvent, FileDeletedEvent]
        self._kinds: list[type[FileSystemEvent]] = [*files, DirCreatedEvent, DirMovedEvent, DirDeletedEvent]
        self._root, self._add = root, add
        self._base = os.path.realpath(root) + os.sep
        self._observer = PollingObserver(timeout=poll_seconds) if poll_seconds else Observer()
        self._handler: Any = _Handler(self._on_event)
        self._control: Any = _Handler(lambda event: ring())
        self._control_folder = control
        self._alarm = _Alarm(lambda: add(""))

    def start(self) -> None:
        """Begin; raises NestError when the system allows no more watches."""
        logging.getLogger("watchdog").addHandler(self._alarm)
        self._guarded(self._begin)

    def stop(self) -> None:
        """End all threads of it."""
        logging.getLogger("watchdog").removeHandler(self._alarm)
        if self._observer.is_alive():
            self._observer.stop()
            self._observer.join(timeout=10)

    def follow(self) -> None:
        """Watch folders that are new at the vault's root; the others are followed by themselves."""
        self._guarded(self._schedule)

    def _begin(self) -> None:
        self._observer.start()
        self._observer.schedule(self._handler, str(self._root), recursive=False, event_filter=self._kinds)
        self._control_folder.mkdir(parents=True, exist_ok=True)
        self._observer.schedule(self._control, str(self._control_folder), event_filter=self._kinds)
        self._schedule()

    def _schedule(self) -> None:
        """One watch for each folder at the root, so that `.git`, `.obsidian` and the like cost nothing."""
        with os.scandir(self._root) as listing:
            folders = {item.name for item in listing if item.name[0] != "." and item.is_dir(follow_symlinks=False)}
        alive = {emitter.watch.path for emitter in self._observer.emitters if emitter.is_alive()}
        for name in sorted(folders):
            path = str(self._root / name)
            if path not in alive:
                for watch in [each.watch for each in self._observer.emitters if each.watch.path == path]:
                    self._observer.unschedule(watch)
                self._observer.schedule(self._handler, path, recursive=True, event_filter=self._kinds)

    def _guarded(self, act: Callable[[], None]) -> None:
        try:
            act()
        except FileNotFoundError:
            self._add("")  # a folder went while it was looked at
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EMFILE):
                raise
            raise NestError(
                "the system allows no more watches on folders", f"use --poll, or allow more: {_LIMIT}"
            ) from None

    def _on_event(self, event: object) -> None:
        """Path into the set, and nothing else."""
        paths = [getattr(event, "src_path", ""), getattr(event, "dest_path", "")]
        for path in paths:
            text = os.fsdecode(path)
            if not text.startswith(self._base):
                continue
            relative = text[len(self._base) :]
            if relative[0] == "." or "/." in relative or not _is_text(relative):
                continue
            if getattr(event, "is_directory", False):
                self._add("")  # what was in it is told by nobody
            elif relative.endswith((".md", ".MD")):
                self._add(relative)


def _is_text(path: str) -> bool:
    """Whether the name is valid text; others are reported by the index, and are no notes."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


class _Handler:
    """What watchdog calls for each event."""

    def __init__(self, act: Callable[[object], None]) -> None:
        self.dispatch = act


class _Alarm(logging.Handler):
    """watchdog says in its log only that the system dropped events."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._ring = ring

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._ring()
