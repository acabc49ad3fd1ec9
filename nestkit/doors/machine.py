"""What the machine gives or denies a command: streams that are there, and one line on what it would not do. *Disk*."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable
from pathlib import Path

_OWNER = "check who owns it; NEST_CACHE_DIR, NEST_STATE_DIR and NEST_CONFIG_DIR move nest's own folders elsewhere"
_ROOM = "make room, then try again"
_WAIT = "wait for the other one, then try again"

_BY_ERRNO = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), ("the disk is full", _ROOM)),
    **dict.fromkeys((errno.EACCES, errno.EPERM), ("permission denied", _OWNER)),
    errno.EROFS: ("the disk can only be read", _OWNER),
    errno.ENOTDIR: ("a file stands where a folder is needed", _OWNER),
    errno.EIO: ("the disk does not answer", "look after the disk"),
    errno.EMFILE: ("too many files are open", "raise `ulimit -n`"),
    errno.ENFILE: ("too many files are open on this machine", "end some programs"),
}
_BY_SQLITE = {
    "SQLITE_FULL": ("the index: the disk is full", _ROOM),
    "SQLITE_READONLY": ("the index cannot be written", _OWNER),
    "SQLITE_CANTOPEN": ("the index cannot be opened", _OWNER),
    "SQLITE_IOERR": ("the index: the disk does not answer", _ROOM),
    "SQLITE_BUSY": ("the index is in use by another nest", _WAIT),
}


def explain(error: Exception) -> tuple[str, str] | None:
    """What the machine would not do, and what to do about it; None for an error that is a fault of ours.

    A system's refusal without a file's name is the machine's only when it had no room: the rest would be a bug.
    """
    if isinstance(error, FileNotFoundError) and error.filename is None and _is_nowhere():
        return "the folder you are in is not there any more", "cd to one that is"
    if isinstance(error, OSError):
        found = _BY_ERRNO.get(error.errno or 0)
        if found is None or (error.filename is None and found[1] is not _ROOM):
            return None
        what, hint = found
        return (f"{os.fsdecode(error.filename)}: {what}" if isinstance(error.filename, (str, bytes)) else what), hint
    name = getattr(error, "sqlite_errorname", "")  # without loading SQLite for it
    return next((told for kind, told in _BY_SQLITE.items() if str(name).startswith(kind)), None)


def _is_nowhere() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def open_streams() -> None:
    """Give stdin, stdout and stderr to a command that was started without, and let no character stop the other two.

    A file opened later would else get the number of the one that is missing, and be written to by whoever prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - lives as long as we do
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def close_stdout() -> None:
    """Nobody can read on, or nothing more fits: keep Python from complaining about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def leave_stderr() -> None:
    """What could not be said is dropped: Python would try once more at exit, and make a failure of it."""
    try:
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def find_unreadable(words: Iterable[str]) -> str:
    """The first word that is no text in this machine's encoding, its odd bytes spelled out; empty when all are."""
    for word in words:
        if any("\ud800" <= character <= "\udfff" for character in word):
            return os.fsencode(word).decode("utf-8", "backslashreplace")
    return ""


def has_styles() -> bool:
    """Whether stdout is a terminal whose owner wants bold letters.

    **Source**: no-color.org.
    """
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
