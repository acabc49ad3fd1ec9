"""How errors look from the other side: exceptions in, plain records or readable text out, and back. *Pure*.

An error crosses a boundary as its type's name, the built-in types it stands under, its arguments and a line of text:
never a traceback, a path of the machine, or an object. Runs in the child: standard library only.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Sources = Mapping[str, list[str]]
"""Name of a program -> its lines."""

_MOST_CHARS = 4000
_MOST_FRAMES = 4
_MOST_VALUES = 4
_VALUE_CHARS = 80
_CEILINGS = {errno.ENOSPC: "scratch", errno.EFBIG: "scratch", errno.EMFILE: "files", errno.EAGAIN: "processes"}


class ToolError(Exception):
    """What a tool raised when Python itself has no such type."""


def spell(value: object, how: Callable[[Any], str] = str) -> str:
    """The text of a value, cut to a sensible length; never raises."""
    try:
        return str.__str__(how(value))[:_MOST_CHARS]
    except Exception as error:
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def describe(error: BaseException, sources: Sources) -> str:
    """An error as its reader needs it: the program's own lines that led to it, then type and message.

    Nothing of the machine: no frames but the program's, no file names, no folders of Python.
    """
    if isinstance(error, SyntaxError) and error.filename in sources:
        shown = (error.text or "").strip() or _line(sources[error.filename or ""], error.lineno or 0)
        return f"line {error.lineno}: {shown}\n{type(error).__name__}: {error.msg}"
    places = _find_places(error, sources)
    if len(places) > 2 * _MOST_FRAMES:
        places[_MOST_FRAMES:-_MOST_FRAMES] = [f"... {len(places) - 2 * _MOST_FRAMES} more lines ..."]
    if values := _values_at_fault(error, sources):
        places.append(f"where {hide_folders(values)}")
    message = hide_folders(spell(error))
    head = f"{_name(error)}: {message}" if message else _name(error)
    if hint := _hint(error):
        head += f". {hint}"
    if cause := error.__cause__:
        head += f" (because of {_name(cause)}: {hide_folders(spell(cause))})"
    return "\n".join([*places, head])


def find_limit(error: BaseException) -> str:
    """The ceiling an error comes from, as limits are called, or an empty text."""
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, OSError):
        return _CEILINGS.get(error.errno or 0, "")
    return "processes" if type(error) is RuntimeError and str(error) == "can't start new thread" else ""


def draft(error: BaseException, folders: Iterable[str] = ()) -> dict[str, Any]:
    """An error as a record for the wire, its texts without the folders given."""
    kinds = [kind.__name__ for kind in type(error).__mro__ if getattr(builtins, kind.__name__, None) is kind]
    given = [hide_folders(item, folders)[:_MOST_CHARS] if type(item) is str else item for item in error.args[:8]]
    if not {*map(type, given)} <= {str, int, float, bool, type(None)}:
        given = []
    text = hide_folders(spell(error), folders)
    if isinstance(error, OSError) and isinstance(error.filename, str) and len(given) == 2:
        given.append(hide_folders(error.filename, folders))
    return {"type": _name(error), "bases": kinds, "args": given, "text": text}


def make(record: Mapping[str, Any]) -> Exception:
    """The exception a record stands for: of the same built-in type, or of a new one of that name below the nearest."""
    name, text = str(record["type"]), str(record["text"])
    for given in (record.get("args", ()), (text,)):
        with contextlib.suppress(Exception):  # no such type, or it wants other arguments: one below it then
            error = known(*given) if (known := _builtin(name)) else None
            if error is not None and str(error) == text:
                return error
    bases = [kind for kind in map(_builtin, record.get("bases", ())) if kind] or [ToolError]
    said = {"__init__": lambda *_: None, "__str__": lambda _: text}
    made: Exception = type(name if name.isidentifier() else "ToolError", (bases[0],), said)()
    return made


def hide_folders(text: str, folders: Iterable[str] = ()) -> str:
    """The text without these folders and those of Python itself: what is left of a path is relative."""
    for folder in sorted({*folders, *filter(None, sys.path), os.path.dirname(__file__)}, key=len, reverse=True):
        if len(folder) > 1:
            text = text.replace(f"{folder}/", "").replace(folder, ".")
    return text


def _builtin(name: object) -> type[Exception] | None:
    kind = getattr(builtins, name, None) if isinstance(name, str) else None
    return kind if isinstance(kind, type) and issubclass(kind, Exception) else None


def _name(error: BaseException) -> str:
    return spell(type(error).__name__)


def _find_places(error: BaseException, sources: Sources) -> list[str]:
    """The lines of programs that the error passed through, outermost first."""
    places = []
    trace = error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        if code.co_filename in sources:
            inside = "" if code.co_name == "<module>" else f", in {code.co_name}"
            earlier = "" if code.co_filename == list(sources)[-1] else f"{code.co_filename[1:-1]}, "
            shown = _line(sources[code.co_filename], trace.tb_lineno)
            places.append(f"{earlier}line {trace.tb_lineno}{inside}: {shown}")
        trace = trace.tb_next
    return places


def _values_at_fault(error: BaseException, sources: Sources) -> str:
    """The values of the names on the last line of a program that the error passed through, each cut short.

    What can be called is left out, and a NameError has no values.
    """
    import re  # late: only for errors

    last = None
    trace = error.__traceback__
    while trace:
        last = trace if trace.tb_frame.f_code.co_filename in sources else last
        trace = trace.tb_next
    if last is None or isinstance(error, (NameError, SyntaxError, MemoryError, RecursionError)):
        return ""
    frame = last.tb_frame
    line = re.sub(r"'[^']*'|\"[^\"]*\"|#.*", "''", _line(sources[frame.f_code.co_filename], last.tb_lineno))
    named = dict.fromkeys(re.findall(r"(?<![.\w])[A-Za-z_]\w*", line))
    known = {**frame.f_globals, **frame.f_locals}
    shown = [f"{name} = {_short(known[name])}" for name in named if name in known and not callable(known[name])]
    return ", ".join(part for part in shown[:_MOST_VALUES] if not part.endswith("<module>"))


def _short(value: object) -> str:
    if type(value) is type(sys):
        return "<module>"
    try:
        text = " ".join(spell(value, repr).split())
    except BaseException:  # its own repr may do anything, and the error is what matters
        return f"<{type(value).__name__} that cannot be shown>"
    return text if len(text) <= _VALUE_CHARS else f"{text[:_VALUE_CHARS]}... ({type(value).__name__})"


def _line(lines: list[str], number: int) -> str:
    return lines[number - 1].strip()[:200] if 0 < number <= len(lines) else ""


def _hint(error: BaseException) -> str:
    """What was probably meant, for a name that is not there."""
    name = getattr(error, "name", None)
    if not isinstance(error, NameError) or not isinstance(name, str):
        return ""
    import difflib  # late: only for this error

    main = vars(sys.modules["__main__"])
    near = difflib.get_close_matches(name, [*main, *main.get("__builtins__", {})], 3, 0.7)
    return f"Did you mean {' or '.join(near)}?" if near else ""
