"""One turn of a script: its JSON form in, a checked `Turn` out. *Pure*.

```
{"role": "assistant", "content", "thinking"?, "tool_calls"?, "done_reason"?}   a reply
{"role": "error", "status", "body", "location"?}           an error, or a redirection, before the first byte
{"role": "error-line", "after": [chunks], "error": text}   an error in the middle of the stream
{"role": "stream", "chunks": [...], "then": "close" | "end_without_done"}      a stream that does not end as it should
{"raw": text}                                              this text and no JSON lines: a blank line, a web page
```
Each may carry `when` (play it only if the request's last message contains this text), `delay_seconds` (before the first
byte), `pause_seconds` (after each piece), `split_utf8` (write each line in two pieces, cut inside a character),
`dribble` (write every byte as a piece of its own).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nestkit.testing.request import is_of

_FORMS: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "assistant": {"content": (str,), "thinking": (str,), "tool_calls": (list, tuple), "done_reason": (str,)},
    "error": {"status": (int,), "body": (dict, str), "location": (str,)},
    "error-line": {"after": (list, tuple), "error": (str,)},
    "stream": {"chunks": (list, tuple), "then": (str,)},
}
_NEEDED = {"assistant": (), "error": ("status", "body"), "error-line": ("error",), "stream": ("chunks", "then")}
_EVERYWHERE: Mapping[str, tuple[type, ...]] = {
    "role": (str,),
    "raw": (str,),
    "when": (str,),
    "delay_seconds": (int, float),
    "pause_seconds": (int, float),
    "split_utf8": (bool,),
    "dribble": (bool,),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """What the server does on one request."""

    status: int = 200
    body: Mapping[str, Any] | str = ""
    """What is sent instead of a reply when the status is not 200."""
    content: str = ""
    chunks: tuple[str, ...] = ()
    """The content as it is cut for the stream; a plain reply is cut into words."""
    thinking: str = ""
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    done_reason: str = "stop"
    then: Literal["done", "close", "end_without_done", "error-line"] = "done"
    error: str = ""
    raw: str | None = None
    when: str = ""
    delay_seconds: float = 0.0
    pause_seconds: float = 0.0
    split_utf8: bool = False
    dribble: bool = False
    location: str = ""


def parse_turn(form: Mapping[str, Any]) -> Turn:
    """The turn that a form describes. Raises ValueError naming what is not known, missing or of a wrong kind."""
    given = {name: value for name, value in form.items() if value is not None}
    role = str(given.get("role", "assistant" if "raw" in given else ""))
    if role not in _FORMS:
        raise ValueError(f"unknown role {role!r}; known: {', '.join(_FORMS)}")
    _check_form(role, given)
    chunks = tuple(given.get("chunks", given.get("after", ())))
    return Turn(
        status=given.get("status", 200),
        body=given.get("body", ""),
        content="".join(chunks) or given.get("content", ""),
        chunks=chunks,
        thinking=given.get("thinking", ""),
        tool_calls=tuple(given.get("tool_calls", ())),
        done_reason=given.get("done_reason", "stop"),
        then="error-line" if role == "error-line" else given.get("then", "done"),
        error=given.get("error", ""),
        raw=given.get("raw"),
        when=given.get("when", ""),
        delay_seconds=float(given.get("delay_seconds", 0.0)),
        pause_seconds=float(given.get("pause_seconds", 0.0)),
        split_utf8=given.get("split_utf8", False),
        dribble=given.get("dribble", False),
        location=given.get("location", ""),
    )


def _check_form(role: str, given: Mapping[str, Any]) -> None:
    known = {**_FORMS[role], **_EVERYWHERE}
    for name, value in given.items():
        if name not in known:
            raise ValueError(f"a turn of role {role!r} has no {name!r}; known: {', '.join(known)}")
        if not is_of(value, known[name]):
            raise ValueError(f"{name!r} should be {' or '.join(kind.__name__ for kind in known[name])}, not {value!r}")
    missing = [name for name in _NEEDED[role] if name not in given]
    if missing:
        raise ValueError(f"a turn of role {role!r} needs {' and '.join(missing)}")
    if given.get("then", "close") not in ("close", "end_without_done"):
        raise ValueError(f"'then' should be 'close' or 'end_without_done', not {given['then']!r}")
    if not (307 if given.get("location") else 400) <= given.get("status", 400) <= 599:
        raise ValueError(f"'status' of an error is from 400 to 599 (of a redirection 307), not {given['status']}")
    for name in ("chunks", "after"):
        if not all(isinstance(chunk, str) for chunk in given.get(name, ())):
            raise ValueError(f"{name!r} should be a list of texts")
    if not all(isinstance(call, Mapping) and "function" in call for call in given.get("tool_calls", ())):
        raise ValueError("each of 'tool_calls' should be {'function': {'name': ..., 'arguments': {...}}}")
