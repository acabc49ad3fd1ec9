"""A model's server that plays a script: turns in, Ollama's protocol and OpenAI's on 127.0.0.1 out. *Network*.

It does what Ollama does with a request (truncates it, refuses it, reports its size) and plays the turns as written.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from nestkit.testing.answer import CREATED_AT, Answer, draft_error, draft_json, draft_loaded, draft_pull, draft_reply
from nestkit.testing.listener import listen
from nestkit.testing.openai import check_completion, draft_completion, draft_completion_error, draft_overflow
from nestkit.testing.prompt import count_prompt, truncate
from nestkit.testing.request import check_request
from nestkit.testing.turn import Turn, parse_turn

VERSION = "0.12.0"
_PULL_BYTES = 1000
_ARCHITECTURE = "scripted"
_DETAILS = {"format": "gguf", "family": _ARCHITECTURE, "families": [_ARCHITECTURE], "parameter_size": "0B"}
_FACTS = {"size": 1, "digest": "0" * 64, "details": _DETAILS}


class OllamaServer:
    """A real HTTP server for as long as the `with` block lasts; each turn is played once, in order.

    Any model name will do, unless `models` names those there are. `window` is the server's own; `num_ctx` in a request
    takes its place, and none is larger than `longest_window`, the model's. `thinks`, `calls_tools` and `chats` say what
    the model can; each of `pulls` is the byte of 1000 at which one attempt to get a model breaks off.

    Raises ValueError for a turn that is none, OSError when the port is taken.
    """

    def __init__(
        self,
        turns: Sequence[Mapping[str, Any]],
        *,
        models: Sequence[str] | None = None,
        window: int | None = None,
        longest_window: int = 131_072,
        memory_window: int = 1 << 30,
        knows_truncate: bool = True,
        thinks: bool = True,
        calls_tools: bool = True,
        chats: bool = True,
        pulls: Sequence[int] = (),
        port: int = 0,
    ) -> None:
        self.url = ""
        """Like `http://127.0.0.1:43211`, once the block is entered."""
        self.requests: list[dict[str, Any]] = []
        """The bodies of all chat requests, in either protocol."""
        self.headers: list[Mapping[str, str]] = []
        """The headers of all requests whatsoever, by lower-case name."""
        self.prompts: list[list[Mapping[str, Any]]] = []
        """The messages the model got to see, for each request that reached it."""
        self.violations: list[str] = []
        """What was wrong with the requests."""
        self._turns = [_parse(number, turn) for number, turn in enumerate(turns, 1)]
        self._models = None if models is None else list(models)
        self._window, self._longest_window, self._thinks, self._port = window, longest_window, thinks, port
        self._calls_tools, self._chats = calls_tools, chats
        self._memory_window, self._knows_truncate = memory_window, knows_truncate
        self._pulls, self._pulled = list(pulls), 0
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

    def _respond(self, call: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        known: Mapping[str, Callable[[bytes], Answer]] = {
            "POST /api/chat": self._chat,
            "POST /v1/chat/completions": self._complete,
            "POST /api/show": self._show,
            "POST /api/pull": self._pull,
            "GET /api/tags": lambda _: draft_json({"models": [self._row(name) for name in self._names()]}),
            "GET /api/ps": lambda _: draft_json({"models": self._rows_loaded()}),
            "GET /api/version": lambda _: draft_json({"version": VERSION}),
            "GET /v1/models": lambda _: draft_json({"object": "list", "data": [{"id": n} for n in self._names()]}),
        }
        with self._lock:
            self.headers.append(headers)
            if call in known:
                return known[call](body)
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
        if window > self._memory_window:
            del self._loaded[_full_name(model)]
            return draft_error(500, "model requires more system memory (9.9 GiB) than is available (4.2 GiB)")
        if not messages:
            return draft_loaded(model, unload=_full_name(model) not in self._loaded)
        if self._knows_truncate and request.get("truncate") is False and count_prompt(messages, tools) > window:
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
        abilities = (
            ("chat", self._chats, True),
            ("thinking", self._thinks, request.get("think")),
            ("tools", self._calls_tools, request.get("tools")),
        )
        for ability, has, wants in abilities:
            if wants and not has:
                return draft_error(400, f'"{model}" does not support {ability}')
        return None

    def _complete(self, body: bytes) -> Answer:
        """OpenAI's protocol: the window is the server's own, and what does not fit is an honest error."""
        request = _parse_object(body)
        if request is None:
            self.violations.append("a completion request that is no JSON object")
            return draft_completion_error(400, "the request is no JSON object")
        self.requests.append(request)
        self.violations += [f"request {len(self.requests)}: {each}" for each in check_completion(request)]
        messages, tools = request.get("messages"), request.get("tools") or ()
        if not request.get("model") or not isinstance(messages, list) or not messages:
            return draft_completion_error(400, "model and messages are required")
        if not self._has(str(request["model"])):
            return draft_completion_error(404, f"model '{request['model']}' not found")
        tokens, window = count_prompt(messages, tools), self._window or self._longest_window
        if tokens > window:
            return draft_overflow(tokens, window)
        self.prompts.append(messages)
        turn = self._next_turn(str(messages[-1].get("content") or ""))
        if turn is None:
            return draft_completion_error(500, "the script has no more turns")
        return draft_completion(turn, request, tokens)

    def _pull(self, body: bytes) -> Answer:
        """The next attempt goes on where the last one broke off."""
        model = str((_parse_object(body) or {}).get("model") or "")
        if not model:
            return draft_error(400, "model is required")
        begin, self._pulled = self._pulled, self._pulls.pop(0) if self._pulls else _PULL_BYTES
        if self._pulled >= _PULL_BYTES and self._models is not None and not self._has(model):
            self._models.append(model)
        return draft_pull(_PULL_BYTES, begin, self._pulled)

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
        capabilities = [
            "completion",
            *(["tools"] if self._calls_tools else []),
            *(["thinking"] if self._thinks else []),
        ]
        shown = {"details": _DETAILS, "model_info": info, "capabilities": capabilities, "modified_at": CREATED_AT}
        return draft_json(shown)

    def _names(self) -> Sequence[str]:
        return ("scripted",) if self._models is None else self._models

    def _rows_loaded(self) -> list[dict[str, Any]]:
        return [{**self._row(name), "context_length": size} for name, size in self._loaded.items()]

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
