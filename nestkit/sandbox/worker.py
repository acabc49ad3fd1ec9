"""One program in a child: its text in, its outcome out; the broker answers what it calls meanwhile. *Process*.

Everything that comes out of the child may be forged, late, endless or missing: each ends in a clear outcome that names
the limit, and in a dead child.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from nestkit.policy import Limits
from nestkit.run import Outcome
from nestkit.sandbox.backend import Child, End
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.child.packing import Broken, pack, unpack
from nestkit.sandbox.child.wire import HEAD_BYTES, Closed, Late, TooLarge, draft_frame
from nestkit.sandbox.job import Refused, Stopped, ToolFailed
from nestkit.sandbox.tape import draft_asked

_Kind = TypeVar("_Kind")
_ERROR_CHARS = 16_000
_NAME_CHARS = 1_000
_MOST_CUT = 10**15
_TOLD = ("memory", "message", "processes", "files", "scratch")
"""Limits that a program meets as an error of its own."""

deadline: ContextVar[Callable[[], float] | None] = ContextVar("deadline", default=None)
"""Asks when the program that is running now must have ended (monotonic clock): its tools must not outlast it."""


class Printed:
    """What a program printed: kept up to a limit, counted beyond it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self._kept = self._received = 0
        self.cut = 0
        """Characters that were left out."""

    def add(self, text: str) -> None:
        """Keep what there is room for. Raises Stopped when far more comes than a child of ours ever sends."""
        self._received += len(text) + 1  # an empty piece counts too
        if self._received > 2 * self._most:
            raise Stopped("output", f"the program sent more than {self._most:,} bytes of output")
        content = text.encode("utf-8", "replace")
        room = self._most - self._kept
        whole = content if len(content) <= room else content[:room].decode("utf-8", "ignore").encode()
        self._parts.append(whole)
        self._kept += len(whole)
        self.cut += len(text) - len(whole.decode())

    @property
    def text(self) -> str:
        kept = b"".join(self._parts).decode()
        return f"{kept}\n[cut here: {self.cut:,} more characters]\n" if self.cut else kept


def run_program(child: Child, text: str, broker: Broker) -> tuple[Outcome, bool]:
    """The outcome of one program, and whether the child can run another one after it."""
    limits, begun = broker.limits, time.monotonic()
    printed = Printed(limits.output_bytes)
    alive = False
    end: dict[str, Any] = {}
    try:
        with _until(child, broker):
            end = _converse(child, text, broker, printed)
        alive = True
    except Refused as refused:
        end = {"error": f"PermissionError: {refused.refusal.reason}"}
    except Stopped as stopped:
        end = {"error": _stopped(str(stopped)), "limit": stopped.limit}
    except Late:
        end = {"error": _stopped(f"it ran longer than {limits.step_seconds:g} seconds"), "limit": "seconds"}
    except TooLarge as large:
        end = {"error": _stopped(str(large)), "limit": "message"}
    except Closed:
        end = _explain(child.wait(), limits)
    except Broken as broken:
        end = {"error": _stopped(f"it broke the protocol ({broken})")}
    finally:
        if not alive:
            child.kill()
    printed.cut += end.get("cut", 0)
    calls, refusals = broker.take()
    outcome = Outcome(
        output=printed.text,
        value=end.get("value"),
        final=end.get("final", False),
        error=end.get("error", ""),
        refusals=refusals,
        calls=calls,
        seconds=time.monotonic() - begun,
        limit=end.get("limit", ""),
    )
    return outcome, alive


def _converse(child: Child, text: str, broker: Broker, printed: Printed) -> dict[str, Any]:
    """Answer the program's calls until it is done, and return how it ended, every part of its type."""
    child.wire.send({"run": text})
    while True:
        message = child.wire.receive()
        if "call" in message:
            _answer(child, message, broker)
        elif "print" in message:
            printed.add(_typed(message["print"], str))
        elif "done" in message:
            return _read_done(_typed(message["done"], dict))
        elif "flood" in message:
            raise Stopped("output", "it printed without end")
        elif message.get("spent") == "cpu":
            raise Stopped("cpu", _spent(broker.limits))
        else:
            raise Broken("an unknown message")


def _answer(child: Child, message: dict[str, Any], broker: Broker) -> None:
    name = _typed(message["call"], str)
    args = [unpack(item) for item in _typed(message.get("args"), list)]
    kwargs = _typed(unpack(message.get("kwargs")), dict)
    if not all(type(key) is str for key in kwargs) or len(name) > _NAME_CHARS:
        raise Broken("a name that is none")
    asked = draft_asked(message)
    if (recalled := broker.recall(asked)) is not None:
        child.wire.send(recalled)
        return
    reply = _call(broker, name, args, kwargs)
    if ending := deadline.get():
        child.wire.deadline = ending()
    try:
        frame = draft_frame(reply, child.wire.most)
    except TooLarge as large:
        frame = draft_frame(_error("ValueError", f"the answer of {name} is too large: {large}"), child.wire.most)
    broker.keep(asked, frame[HEAD_BYTES:])  # before the program can act on it
    child.wire.send_frame(frame)


def _call(broker: Broker, name: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The answer to a call, as it is sent. Raises Refused when a person is needed, and Stopped."""
    try:
        value = broker.call(name, args, kwargs)
    except ToolFailed as failed:
        return {"error": failed.record}
    except Refused as refused:
        if refused.refusal.needs_person:
            raise
        return _error("PermissionError", refused.refusal.reason)
    try:
        return {"value": pack(value)}
    except (TypeError, ValueError) as error:
        return _error(type(error).__name__, f"the answer of {name} cannot be sent: {error}")


@contextmanager
def _until(child: Child, broker: Broker) -> Iterator[None]:
    """The wall time of one program, longer by what a person took to answer."""
    begun, waited = time.monotonic(), broker.waited

    def ending() -> float:
        return begun + broker.limits.step_seconds + broker.waited - waited

    child.wire.deadline = ending()
    token = deadline.set(ending)
    try:
        yield
    finally:
        deadline.reset(token)


def _read_done(done: dict[str, Any]) -> dict[str, Any]:
    return {
        "value": unpack(done.get("value")),
        "final": done.get("final") is True,
        "error": _typed(done.get("error", ""), str)[:_ERROR_CHARS],
        "limit": done.get("limit") if done.get("limit") in _TOLD else "",
        "cut": min(_MOST_CUT, max(0, _typed(done.get("cut", 0), int))),
    }


def _explain(end: End, limits: Limits) -> dict[str, Any]:
    """Why a child is gone without a word."""
    if end.cpu_seconds >= limits.cpu_seconds - 0.5:
        return {"error": _stopped(_spent(limits)), "limit": "cpu"}
    if end.code >= 0:
        return {"error": _stopped(f"it ended its own process (code {end.code})")}
    if end.memory_bytes > 0.8 * limits.memory_bytes:
        return {"error": _stopped("it ran out of memory"), "limit": "memory"}
    return {"error": _stopped(f"the interpreter crashed or was killed (signal {-end.code})")}


def _spent(limits: Limits) -> str:
    return f"it used all its {limits.cpu_seconds} seconds of processor time"


def _stopped(why: str) -> str:
    return f"Stopped: {why}. Its variables are gone."


def _error(kind: str, text: str) -> dict[str, Any]:
    return {"error": ToolFailed(kind, text, (kind,), (text,)).record}


def _typed(value: Any, kind: type[_Kind]) -> _Kind:
    if type(value) is not kind:
        raise Broken(f"{kind.__name__} expected")
    return value
