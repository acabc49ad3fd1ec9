"""A model's server that plays a script: turns in, Ollama's protocol on 127.0.0.1 out. *Network*.

It does what Ollama does with a request (truncates it, refuses it, reports its size) and plays the turns as written.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from nestkit.testing.answer import CREATED_AT, Answer, draft_error, draft_json, draft_loaded, draft_reply
from nestkit.testing.listener import listen
from nestkit.testing.prompt import count_prompt, truncate
from nestkit.testing.request import check_request
from nestkit.testing.turn import Turn, parse_turn

VERSION = "0.12.0"
_ARCHITECTURE = "scripted"
_DETAILS = {"format": "gguf", "family": _ARCHITECTURE, "families": [_ARCHITECTURE], "parameter_size": "0B"}
_FACTS = {"size": 1, "digest": "0" * 64, "details": _DETAILS}


class OllamaServer:
    """A real HTTP server for as long as the `with` block lasts; each turn is played once, in order.

    Any model name will do, unless `models` names those there are. `window` is the server's own; `num_ctx` in a request
    takes its place, and none is larger than `longest_window`, the model's. Raises ValueError for a turn that is none,
    OSError when the port is taken.
    """

    def __init__(
        self,
        turns: Sequence[Mapping[str, Any]],
        *,
        models: Sequence[str] | None = None,
        window: int | None = None,
        longest_window: int = 131_072,
        thinks: bool = True,
        port: int = 0,
    ) -> None:
        self.url = ""
        """Like `http://127.0.0.1:43211`, once the block is entered."""
        self.requests: list[dict[str, Any]] = []
        """The bodies of all chat requests."""
        self.prompts: list[list[Mapping[str, Any]]] = []
        """The messages the model got to see, for each request that reached it."""
        self.violations: list[str] = []
        """What was wrong with the requests."""
        self._turns = [_parse(number, turn) for number, turn in enumerate(turns, 1)]
        self._models = models
        self._window, self._longest_window, self._thinks, self._port = window, longest_window, thinks, port
        self._loaded: dict[str, int] = {}
        self._lock = threading.Lock()
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.url = self._open.enter_context(listen(self._respond, self._port))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    def check(self) -> None:
        """Raises AssertionError with every violation there has been."""
        if self.violations:
            raise AssertionError("requests that Ollama does not know:\n" + "\n".join(self.violations))

    def _respond(self, call: str, body: bytes) -> Answer:
        with self._lock:
            match call:
                case "POST /api/chat":
                    return self._chat(body)
                case "POST /api/show":
                    return self._show(body)
                case "GET /api/tags":
                    return draft_json({"models": [self._row(name) for name in self._models or ("scripted",)]})
                case "GET /api/ps":
                    rows = [{**self._row(name), "context_length": size} for name, size in self._loaded.items()]
                    return draft_json({"models": rows})
                case "GET /api/version":
                    return draft_json({"version": VERSION})
        self.violations.append(f"no such call: {call}")
        return Answer(404, (b"404 page not found",))

    def _chat(self, body: bytes) -> Answer:
        request = _parse_object(body)
        if request is None:
            self.violations.append("a chat request that is no JSON object")
            return draft_error(400, "the request is no JSON object")
        self.requests.append(request)
        self.violations += [f"request {len(self.requests)}: {each}" for each in check_request(request)]
        refused = self._refuse(request)
        if refused is not None:
            return refused
        model, messages, tools = request["model"], request.get("messages") or [], request.get("tools") or ()
        window = self._load(request)
        if not messages:
            return draft_loaded(model, unload=_full_name(model) not in self._loaded)
        if request.get("truncate") is False and count_prompt(messages, tools) > window:
            return draft_error(400, "the input length exceeds the context length")
        kept = truncate(messages, window, tools)
        self.prompts.append(kept)
        turn = self._next_turn(str(messages[-1].get("content") or ""))
        if turn is None:
            return draft_error(500, "the script has no more turns")
        if request.get("think") is False or not self._thinks:
            turn = replace(turn, thinking="")
        return draft_reply(turn, model, count_prompt(kept, tools), stream=request.get("stream") is not False)

    def _refuse(self, request: Mapping[str, Any]) -> Answer | None:
        """The error Ollama answers with before it looks at the model's reply, if any."""
        model, messages = request.get("model"), request.get("messages") or []
        if not model or not isinstance(model, str):
            return draft_error(400, "model is required")
        if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
            return draft_error(400, "messages should be a list of objects")
        if not self._has(model):
            return draft_error(404, f"model '{model}' not found")
        if request.get("think") and not self._thinks:
            return draft_error(400, f'"{model}" does not support thinking')
        return None

    def _load(self, request: Mapping[str, Any]) -> int:
        """The window in force for the request; its model is loaded with it, or unloaded if that is the wish."""
        options = request.get("options")
        wanted = options.get("num_ctx") if isinstance(options, dict) else None
        given = wanted if isinstance(wanted, int) and wanted > 0 else self._window
        window = min(given or self._longest_window, self._longest_window)
        self._loaded[_full_name(request["model"])] = window
        if not request.get("messages") and request.get("keep_alive") in (0, "0", "0s"):
            del self._loaded[_full_name(request["model"])]
        return window

    def _next_turn(self, said: str) -> Turn | None:
        for place, turn in enumerate(self._turns):
            if turn.when in said:
                return self._turns.pop(place)
        return None

    def _show(self, body: bytes) -> Answer:
        asked = _parse_object(body) or {}
        model = str(asked.get("model") or asked.get("name") or "")
        if not model:
            return draft_error(400, "model is required")
        if not self._has(model):
            return draft_error(404, f"model '{model}' not found")
        info = {"general.architecture": _ARCHITECTURE, f"{_ARCHITECTURE}.context_length": self._longest_window}
        capabilities = ["completion", "tools", *(["thinking"] if self._thinks else [])]
        shown = {"details": _DETAILS, "model_info": info, "capabilities": capabilities, "modified_at": CREATED_AT}
        return draft_json(shown)

    def _has(self, model: str) -> bool:
        return self._models is None or _full_name(model) in map(_full_name, self._models)

    def _row(self, name: str) -> dict[str, Any]:
        return {"name": _full_name(name), "model": _full_name(name), "modified_at": CREATED_AT, **_FACTS}


def _full_name(model: str) -> str:
    """The name with its tag: without one, Ollama means `latest`."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def _parse(number: int, form: Mapping[str, Any]) -> Turn:
    try:
        return parse_turn(form)
    except ValueError as error:
        raise ValueError(f"turn {number}: {error}") from None


def _parse_object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
