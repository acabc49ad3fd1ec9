"""The worker for programs in Monty: as `program.py`, but it hands each one to an interpreter of its own. *Process*.

Its wish is the first frame on stdin. Here nothing of the program runs: it is text that is fed to Monty's worker, a
process below this one; what it calls comes back as values, and is asked of nest. Where the kernel has Landlock, both
can open nothing but what they are made of. Standard library, and Monty.
"""

from __future__ import annotations

import collections
import datetime
import importlib
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from . import alone, failure, packing, probe, program, wire

_SUSPENSIONS = 10**9
"""Calls are counted by the broker, and Monty counts names that are looked up as well."""
_PROBE_SECONDS = 5.0
_OWN_SECONDS, _OWN_BYTES = 4, 1 << 30
"""What this process and the interpreter take themselves; its own limits are reached first."""


def main() -> None:
    """Prove that nothing gets out of the interpreter, then run programs until nest closes the socket."""
    link, wish = alone.open_link()
    sys.path.append(wish["site"])
    monty = importlib.import_module("pydantic_monty")
    held = {"CPU": wish["cpu_seconds"] + _OWN_SECONDS, "AS": wish["memory_bytes"] + _OWN_BYTES}
    alone.shut_in([wish["site"]], [wish["binary"]], **held)
    alone.end_with_nest()
    with monty.Monty(binary_path=wish["binary"], min_processes=1, max_processes=1) as pool:
        with pool.checkout(limits={"max_feed_duration_secs": _PROBE_SECONDS}, os_policy={"sleep": "zero"}) as session:
            holes = session.feed_run(probe.draft(wish["bait"]), print_callback=lambda *_: None)
        link.send({"holes": holes})
        if not holes and "now" in wish:
            Programs(monty, pool, link, wish).serve()


class Programs:
    """The programs of one run, one after the other; what one leaves behind the next one finds."""

    def __init__(self, monty: Any, pool: Any, link: wire.Wire, wish: dict[str, Any]) -> None:
        self._monty, self._pool, self._wish = monty, pool, wish
        self._broker = program.Broker(link)
        self._link = link
        self._prints = program.Prints(self._broker.send, wish["output_bytes"])
        self._broker.prints = self._prints
        self._answers: list[Any] = []
        tools = program.bind_tools(wish["tools"], self._call)
        self._names = {name: self._offer(value) for name, value in tools.items()} | self._manners()

    def serve(self) -> None:
        """Run each program that arrives."""
        zone = datetime.timezone(datetime.timedelta(seconds=self._wish["offset"]))
        policy = {
            "datetime": datetime.datetime.fromtimestamp(self._wish["now"], zone),
            "timezone": {"offset_seconds": self._wish["offset"]},
            "random_start": {"seed": self._wish["seed"]},
            "sleep": "zero",
        }
        limits = {
            "max_feed_duration_secs": float(self._wish["cpu_seconds"]),
            "max_memory": self._wish["memory_bytes"],
            "max_suspensions": _SUSPENSIONS,
        }
        with self._pool.checkout(limits=limits, os_policy=policy, assert_message_annotations=False) as session:
            while True:
                try:
                    text = self._link.receive()["run"]
                except wire.Closed:
                    return
                done = self._run(session, text)
                cut = self._prints.take_cut()
                program.report(self._broker, done | {"cut": cut})
                self._answers.clear()

    def _run(self, session: Any, text: str) -> dict[str, Any]:
        """How a program ended."""
        value, error, limit = None, "", ""
        try:
            value = session.feed_run(text, external_lookup=self._names, print_callback=self._print)
        except self._monty.MontyCrashedError:
            os.kill(os.getpid(), signal.SIGKILL)  # it is gone, and its state with it
        except self._monty.MontyError as trouble:
            if isinstance(trouble.exception(), TimeoutError) and "time limit exceeded" in str(trouble):
                self._link.send({"spent": "cpu"})
                signal.pause()
            error, limit = describe(trouble)
        except RecursionError:
            error = "RecursionError: a value that is nested too deeply"
        if self._answers:  # once it has answered, nothing it does takes that back
            return {"final": True, "value": self._answers[0]}
        return {"error": error, "limit": limit} if error else {"value": self._plain(value)}

    def _print(self, stream: str, text: str) -> None:
        self._prints.write(text)

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The tool's answer as Monty has words for it."""
        return lower(self._broker.call(name, tuple(map(self._raise, args)), self._raise(kwargs)))

    def _raise(self, value: Any) -> Any:
        """A value from inside with instances of its classes as plain records."""
        if isinstance(value, self._monty.MontyClassProxy):
            return {name: self._raise(item) for name, item in value.attributes.items()}
        if type(value) in (list, tuple, set, frozenset):
            return type(value)(map(self._raise, value))
        return {key: self._raise(item) for key, item in value.items()} if type(value) is dict else value

    def _plain(self, value: Any) -> Any:
        try:
            return program.plain(self._raise(value))
        except RecursionError:
            return "a value that is nested too deeply, or contains itself"

    def _offer(self, value: Any) -> Any:
        """A tool as a function, the tools of a script as an object with methods."""
        if not isinstance(value, program.Names):
            return value
        inner = {name: self._offer(item) for name, item in vars(value).items() if not name.startswith("_")}
        for name, item in inner.items():
            setattr(value, name, item)
        nested = [name for name, item in inner.items() if isinstance(item, self._monty.ClassInstance)]
        return self._monty.ClassInstance(value, allowed_methods=inner.keys() - set(nested), lazy_attrs=nested)

    def _manners(self) -> dict[str, Callable[..., Any]]:
        """What every program may use besides the tools."""

        def final_answer(*values: Any, **named: Any) -> None:
            given = [*values, *named.values()] or [None]
            answer = given[0] if len(given) == 1 else named or list(values)
            self._answers.append(packing.pack(self._raise(answer)))
            raise SystemExit

        def leave(code: Any = None) -> None:
            raise SystemExit(code)

        def ask(prompt: object = "") -> str:
            raise EOFError("nobody is there to answer; use what the ask says, or a tool")

        return {"final_answer": final_answer, "exit": leave, "quit": leave, "input": ask}


def lower(value: Any) -> Any:
    """An answer in types that Monty knows: what a command printed is text, a row a named tuple."""
    if isinstance(value, packing.CommandText):
        return str.__str__(value)
    if isinstance(value, packing.Row):
        name = value._name if value._name.isidentifier() else "Row"
        return collections.namedtuple(name, value._fields, rename=True)(*map(lower, value))
    if isinstance(value, dict):
        return {key: lower(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(lower, value))
    return value


def describe(trouble: Any) -> tuple[str, str]:
    """An error as its reader needs it, the program's own lines first, and the limit it comes from."""
    inner = trouble.exception()
    if isinstance(inner, SystemExit):
        return (f"SystemExit: {failure.spell(inner.code)}", "") if inner.code not in (None, 0) else ("", "")
    frames = [(frame.line, frame.function_name, frame.source_line) for frame in trouble.traceback()]
    if len(frames) > 8:
        frames[4:-4] = [(0, None, f"{len(frames) - 8} more lines")]
    places = [_place(*frame) for frame in frames]
    said = failure.spell(trouble.display("type-msg"))
    if isinstance(inner, NotImplementedError):
        said += ". Programs are a subset of Python here: write it another way"
    return "\n".join([*places, said]), "memory" if isinstance(inner, MemoryError) else ""


def _place(line: int, function: str | None, text: str | None) -> str:
    inside = f", in {function}" if function not in (None, "<module>") else ""
    return f"line {line}{inside}: {(text or '').strip()[:200]}"
