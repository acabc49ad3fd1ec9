"""Messages to a model behind an OpenAI-compatible server (llama.cpp, LM Studio, vLLM) and its reply back. *Network*.

**Source**: OpenAI's API reference, "Create chat completion", streaming; llama.cpp's server for overflow. The window is
the server's own there: a conversation that is too long comes back as an honest error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from nestkit.agent.budget import check_truncation, reserve_for
from nestkit.agent.keys import NO_KEY, Key, without_key
from nestkit.agent.schema import Schemas, wire_name
from nestkit.errors import ModelError, ModelMissing, TooLong
from nestkit.model import Chat, Left, Message, Reply
from nestkit.policy import Limits

KEY_VARIABLE, URL_VARIABLE, KEY_HOMES = "OPENAI_API_KEY", "OPENAI_BASE_URL", ("api.openai.com",)
_START = "start it, or set its address: `openai` in [model] of config.toml, or OPENAI_BASE_URL"


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is and how it is to be asked."""

    url: str
    """Up to and with `/v1`."""
    key: Key = NO_KEY
    schemas: Schemas = field(default_factory=Schemas)
    """Tools for calling by JSON."""
    on_text: Callable[[str], None] = lambda piece: None
    """Gets the reply piece by piece as it is written."""


def openai_chat(name: str, server: Server, limits: Limits, left: Left) -> Chat:
    """A way to talk with this model, for as long as there is time left. Raises ModelError."""

    window = limits.tokens  # until the server tells of a smaller one

    def chat(messages: Sequence[Message]) -> Reply:
        nonlocal window
        heard = _Heard(server.schemas)
        try:
            _exchange(name, server, _request(name, messages, server, window), heard, left)
        except TooLong as error:
            window = min(window, error.window or window)
            raise
        if lost := check_truncation(messages, heard.tokens_in):
            raise ModelError(lost, "start the server with a longer one, or lower [ask] tokens to what it has")
        return heard.reply()

    return chat


def _request(name: str, messages: Sequence[Message], server: Server, window: int) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": name,
        "messages": [_told(number, message) for number, message in enumerate(messages)],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
        "seed": 0,
        "max_tokens": reserve_for(window),
    }
    if form := messages[-1].form:
        request["response_format"] = {"type": "json_schema", "json_schema": {"name": "program", "schema": form}}
    return {**request, "tools": list(server.schemas.described)} if server.schemas.described else request


def _told(number: int, message: Message) -> dict[str, Any]:
    """A result stands right behind its call, so the place of the call can name both."""
    told: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.call is None:
        return told
    if message.role == "tool":
        return {**told, "tool_call_id": f"call_{number - 1}"}
    name, arguments = message.call
    function = {"name": wire_name(name), "arguments": json.dumps(arguments, ensure_ascii=False, default=str)}
    return {**told, "tool_calls": [{"id": f"call_{number}", "type": "function", "function": function}]}


def _exchange(name: str, server: Server, request: Mapping[str, Any], heard: _Heard, left: Left) -> None:
    from nestkit.agent.transport import Answered, broke_off, explain, post

    try:
        with closing(post(f"{server.url}/chat/completions", request, left, server.key.secret)) as lines:
            for event in _events(lines):
                if wrong := event.get("error"):
                    raise _answered(name, server, 500, json.dumps(wrong), begun=True)
                server.on_text(heard.take(event))
    except ModelError:
        raise
    except Answered as error:
        raise _answered(name, server, error.status, error.text) from None
    except Exception as error:
        if known := explain(error, server.url, left, begun=heard.begun, start=_START):
            raise known from None
        if isinstance(error, ValueError | TypeError | AttributeError | LookupError | RecursionError):
            what = f"{server.url} sent something that is not OpenAI's protocol"
            raise ModelError(what, "is the address right? It mostly ends in /v1") from None
        raise
    if not heard.done:
        raise broke_off(server.url)


def _events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """The objects of a stream of server-sent events; what is no `data:` (comments, keep-alives) is left out.

    Raises ValueError for a stream that holds anything else.
    """
    for line in lines:
        field_name, _, text = line.partition(":")
        if field_name == "data" and text.strip() != "[DONE]":
            event = json.loads(text)
            if not isinstance(event, dict):
                raise ValueError("an event that is no object")
            yield event
        elif field_name not in ("", "data", "event", "id", "retry"):
            raise ValueError("no stream of events")


class _Heard:
    """A reply while it comes in; the name and arguments of a call come in pieces."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.calls: dict[int, list[str]] = {}
        self.done = self.cut = False
        self.tokens_in = self.tokens_out = 0

    @property
    def begun(self) -> bool:
        return bool(self.text or self.thinking or self.calls)

    def take(self, event: Mapping[str, Any]) -> str:
        """Keep what an event brings, and return its text."""
        usage = event.get("usage") or {}
        self.tokens_in = int(usage.get("prompt_tokens") or self.tokens_in)
        self.tokens_out = int(usage.get("completion_tokens") or self.tokens_out)
        said = ""
        for choice in event.get("choices") or ():
            delta = choice.get("delta") or {}
            said += str(delta.get("content") or "")
            thought = delta.get("reasoning_content") or delta.get("reasoning") or ""
            self.thinking += [str(thought)] if thought else []
            for piece in delta.get("tool_calls") or ():
                function = piece.get("function") or {}
                call = self.calls.setdefault(int(piece.get("index") or 0), ["", ""])
                call[0] += str(function.get("name") or "")
                call[1] += str(function.get("arguments") or "")
            if reason := choice.get("finish_reason"):
                self.done, self.cut = True, reason == "length"
        self.text += [said] if said else []
        return said

    def reply(self) -> Reply:
        words = ("".join(self.text), "".join(self.thinking))
        calls = tuple(
            (self._schemas.real_name(name), _arguments(text)) for _, (name, text) in sorted(self.calls.items())
        )
        return Reply(*words, calls, self.tokens_in, self.tokens_out, self.cut)


def _arguments(text: str) -> Mapping[str, Any] | str:
    try:
        value = json.loads(text or "{}", strict=False, parse_constant=str)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict) else text


_WINDOW = re.compile(r'"n_ctx": ?(\d+)|context length (?:is|of)(?: only)? (\d+)|maximum context length is (\d+)')
_TOKENS = re.compile(r'"n_prompt_tokens": ?(\d+)|(\d+) in the messages|resulted in (\d+) tokens')
"""How servers say what they have and what they got. **Source**: llama.cpp, OpenAI, vLLM, LM Studio."""


def _first_number(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.search(text)
    return next((int(number) for number in found.groups() if number), 0) if found else 0


_OVERFLOW = ("context_length_exceeded", "exceed_context_size_error", "context length", "context size")


def _answered(name: str, server: Server, status: int, body: str, *, begun: bool = False) -> ModelError:
    """The server's own error, with what to do about it."""
    text = " ".join(without_key(_message(body), server.key.secret).split())[:300]
    if status in (400, 413, 500) and any(word in body for word in _OVERFLOW):
        window, tokens = (_first_number(pattern, body) for pattern in (_WINDOW, _TOKENS))
        what = f"the conversation does not fit {name}'s window: {text}"
        return TooLong(what, "start the server with a longer one, or lower [ask] tokens", window=window, tokens=tokens)
    if status in (401, 403):
        why = server.key.why_not or "set openai_key in [model] of config.toml"
        return ModelError(f"{server.url} wants a key: {text}", why)
    if status == 404 and "model" not in text.lower():
        return ModelError(f"there is nothing at {server.url}: {text}", "the address mostly ends in /v1")
    if status == 404:
        return ModelMissing(f"{server.url} has no model {name!r}: {text}", "its own page or log lists what it has")
    if 300 <= status < 400:
        return ModelError(f"{server.url} sends requests elsewhere", "name the address it leads to")
    if status in (429, 503):
        return ModelError(f"{server.url} is busy: {text}", "ask again in a moment", again=True)
    return ModelError(f"{name} failed: {text}", "see the server's log", again=status >= 500 and not begun)


def _message(body: str) -> str:
    """The words of an error, which servers wrap in one of several ways."""
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        return body
    for key in ("error", "message", "detail"):
        told = told.get(key, told) if isinstance(told, dict) else told
    return told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
