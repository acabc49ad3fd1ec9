"""A folder in; a function that writes lines to a log there which never grows beyond a few files, out. *Disk*."""

from __future__ import annotations

import logging
import logging.handlers
from collections.abc import Callable
from pathlib import Path

from nestkit.visible import visible

LOG = "watch.log"
_BYTES = 1 << 20
_FILES = 3


def open_log(folder: Path) -> Callable[[str], None]:
    """One line at a time, with its time; what control characters spell is shown, not obeyed.

    What has more lines is indented: a question in a note cannot look like a line of the log.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(folder / LOG, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%d %H:%M:%S"))

    def write(line: str) -> None:
        record = logging.LogRecord("nest", logging.INFO, "", 0, visible(line).replace("\n", "\n    "), None, None)
        handler.handle(record)

    return write
