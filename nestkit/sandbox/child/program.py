"""The worker for programs: Python text over the socket in, what came of it out; state lives on between. *Process*.

Nothing here is a boundary: a program may take all of this apart and gains a process that can do nothing but speak to
the broker. It is only to be *pleasant*: full Python, tools as plain functions, errors with the program's own lines.
Runs in the child: standard library only.
"""

from __future__ import annotations

import builtins
import io
import keyword
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from . import clock, failure, packing, wire

_FLUSH_CHARS = 8192
_FLUSH_SECONDS = 0.2
_FLOOD = 64
"""A program that prints this many times what is kept is stopped."""
_VALUE_CHARS = 20_000


class FinalAnswer(BaseException):
    """Ends a program; no `except Exception` can swallow it."""


class Prints(io.TextIOBase):
    """What a program prints: sent on in pieces, up to a limit, and counted beyond it."""

    def __init__(self, send: Callable[[dict[str, Any]], None], most: int) -> None:
        self._send, self._most = send, most
        self._parts: list[str] = []
        self._size = self._kept = self._total = 0
        self._sent_at = time.monotonic()

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._total += len(text)
        if room := self._most - self._kept:
            kept = str.__str__(text)[:room]
            self._parts.append(kept)
            self._kept += len(kept)
            self._size += len(kept)
            if self._size > _FLUSH_CHARS or time.monotonic() - self._sent_at > _FLUSH_SECONDS:
                self.flush()
        elif self._total > self._most * _FLOOD:
            self._send({"flood": True})
            threading.Event().wait()
        return len(text)

    def flush(self) -> None:
        parts, self._parts, self._size, self._sent_at = self._parts, [], 0, time.monotonic()
        if parts:
            self._send({"print": "".join(parts)})

    def take_cut(self) -> int:
        """Send what is left, and return how many characters were dropped since this was last asked."""
        self.flush()
        cut = self._total - self._kept
        self._kept = self._total = 0
        return cut


class Names:
    """Tools of one script, as `script.tool`; itself callable when the script is a tool."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, name: str) -> Any:
        known = ", ".join(key for key in vars(self) if not key.startswith("_"))
        raise AttributeError(f"{self.__name__} has no tool {name}; it has: {known}", name=name, obj=self)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        tool = vars(self).get("_call")
        if tool is None:
            raise TypeError(f"{self.__name__} is a script, not a tool; call one of: {', '.join(vars(self))}")
        return tool(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<tools of {self.__name__}>"


class Broker:
    """The program's side of the one door: a call out, its answer back, one at a time."""

    def __init__(self, link: wire.Wire) -> None:
        self._link = link
        self.lock = threading.RLock()
        self.prints: Prints | None = None

    def send(self, message: dict[str, Any]) -> None:
        with self.lock:
            self._link.send(message)

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return the tool's answer, or raise what it raised."""
        message = {"call": name, "args": [packing.pack(item) for item in args], "kwargs": packing.pack(kwargs)}
        with self.lock:
            if self.prints:
                self.prints.flush()
            self._link.send(message)
            answer = self._link.receive()
        if "error" in answer:
            raise failure.make(answer["error"])
        return packing.unpack(answer["value"], packing.Record)


def serve(link: wire.Wire, wish: dict[str, Any]) -> None:
    """Run programs, one after the other, until nest closes the socket."""
    clock.stop(wish["now"], wish["offset"])
    clock.load(wish["seed"])
    broker = Broker(link)
    broker.prints = prints = Prints(broker.send, wish["output_bytes"])
    sys.stdout = sys.stderr = prints
    sys.stdin = io.StringIO()
    warnings.simplefilter("ignore")
    if "root" in wish:
        furnish(wish)
    module = type(sys)("__main__")
    sys.modules["__main__"] = module
    answers: list[Any] = []
    namespace = vars(module)
    namespace["__builtins__"] = vars(builtins) | bind_tools(wish["tools"], broker.call) | _manners(answers)
    sources: dict[str, list[str]] = {}
    while True:
        with broker.lock:  # threads left over from the last program wait until there is one again
            try:
                text = link.receive()["run"]
            except wire.Closed:
                return
        name = f"<program {len(sources) + 1}>" if sources else "<program>"
        sources[name] = text.splitlines()
        done = _run(text, name, namespace, sources, answers)
        cut = prints.take_cut()
        report(broker, done | {"cut": cut})
        answers.clear()


def furnish(wish: dict[str, Any]) -> None:
    """Environment and import path of a program with a folder to work in; its caches go where nobody collects them."""
    scratch = wish["scratch"]
    os.mkdir(f"{scratch}/.tmp")
    os.environ |= {"VAULT_PATH": wish["shown"], "HOME": scratch, "TMPDIR": f"{scratch}/.tmp", "LANG": "C.UTF-8"}
    os.environ |= {"MPLBACKEND": "agg", "MPLCONFIGDIR": f"{scratch}/.tmp", "OPENBLAS_NUM_THREADS": "1"}
    if known := sys.modules.get("tempfile"):
        vars(known)["tempdir"] = None
    sys.dont_write_bytecode = True
    sys.path += wish["site"]
    sys.path_importer_cache.clear()


def bind_tools(tools: Sequence[Sequence[str]], call: Callable[..., Any]) -> dict[str, Any]:
    """Names to put before a program: short names as functions, full names as `script.tool`.

    `tools` are pairs of a full name and its short name, empty when that is taken.
    """
    names: dict[str, Any] = {}
    functions = {full: _bind(full, call) for full, _ in tools}
    for full, short in tools:
        if short:
            names[short] = functions[full]
    for full, function in functions.items():
        _place(names, full.split("."), function)
    return {name: value for name, value in names.items() if name.isidentifier() and not keyword.iskeyword(name)}


def _bind(full: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def tool(*args: Any, **kwargs: Any) -> Any:
        return call(full, args, kwargs)

    tool.__name__ = tool.__qualname__ = full
    tool.__doc__ = f"Call the tool {full}; `describe({full!r})` tells all about it."
    return tool


def _place(names: dict[str, Any], parts: list[str], function: Callable[..., Any]) -> None:
    """Put a tool where its full name leads; what is callable itself stays so."""
    first, *rest = parts
    if not rest:
        if isinstance(names.get(first), Names):
            vars(names[first])["_call"] = function
        else:
            names.setdefault(first, function)
        return
    here = names.get(first) or getattr(builtins, first, None)
    if isinstance(here, type):
        return  # a script called `list` must not take the place of the type
    if not isinstance(here, Names):
        names[first] = made = Names(first)
        if callable(here):
            vars(made)["_call"] = here
        here = made
    _place(vars(here), rest, function)


def _manners(answers: list[Any]) -> dict[str, Any]:
    """What every program may use besides the tools."""

    def final_answer(*values: Any, **named: Any) -> None:
        """End the program with this answer."""
        given = [*values, *named.values()] or [None]
        answer = given[0] if len(given) == 1 else named or list(values)
        answers.append(packing.pack(answer))
        raise FinalAnswer

    def leave(code: Any = None) -> None:
        raise SystemExit(code)

    def ask(prompt: object = "") -> str:
        raise EOFError("nobody is there to answer; use what the ask says, or a tool")

    return {"final_answer": final_answer, "exit": leave, "quit": leave, "input": ask}


def _run(
    text: str, name: str, namespace: dict[str, Any], sources: failure.Sources, answers: list[Any]
) -> dict[str, Any]:
    cushion: bytearray | None = bytearray(1 << 20)
    value: Any = None
    try:
        value = _execute(text, name, namespace)
    except FinalAnswer:
        pass
    except MemoryError as error:
        cushion = None  # room to say so
        return {"error": failure.describe(error, sources), "limit": "memory"}
    except SystemExit as error:
        if error.code not in (None, 0) and not answers:
            return {"error": f"SystemExit: {failure.spell(error.code)}"}
    except BaseException as error:
        if not answers:  # once it has answered, nothing it does takes that back
            limit = "message" if isinstance(error, wire.TooLarge) else failure.find_limit(error)
            return {"error": failure.describe(error, sources), "limit": limit}
    finally:
        del cushion
    if answers:
        return {"final": True, "value": answers[0]}
    return {"value": plain(value)}


def _execute(text: str, name: str, namespace: dict[str, Any]) -> Any:
    """Run a program; the value of its last line when that is an expression."""
    import ast

    tree = ast.parse(text, name)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), namespace)
    return eval(compile(ast.Expression(last.value), name, "eval"), namespace) if isinstance(last, ast.Expr) else None


def plain(value: Any) -> Any:
    """The value as data; as text when it is none."""
    try:
        return packing.pack(value)
    except Exception:
        return failure.spell(value, repr)[:_VALUE_CHARS]


def report(broker: Broker, done: dict[str, Any]) -> None:
    try:
        broker.send({"done": done})
    except (wire.TooLarge, ValueError) as error:
        broker.send({"done": {"error": f"{type(error).__name__}: {error}", "limit": "message", "cut": done["cut"]}})
