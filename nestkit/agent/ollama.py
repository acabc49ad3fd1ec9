"""Messages to a model at Ollama and its reply back, by the native protocol. *Network*.

**Source**: Ollama's API documentation (`/api/chat`, `tags`, `ps`, `show`). Its Python package is not used: it would
take half as much again of the processor as all of a start does now, and it cannot say `truncate` and `shift`
(docs/models.md has the figures). A test holds that all else on the wire is what the package would send.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nestkit.agent.budget import check_truncation, correct_scale, count_messages, reserve_for, window_for
from nestkit.agent.keys import NO_KEY, Key, without_key
from nestkit.agent.schema import Schemas, wire_name
from nestkit.errors import ModelError, ModelMissing, TooLong
from nestkit.model import Chat, Left, Message, Reply
from nestkit.policy import Limits

if TYPE_CHECKING:
    from socket import socket

DEFAULT_PORT = 11434
KEY_VARIABLE, KEY_HOMES = "OLLAMA_API_KEY", ("ollama.com",)
_KEEP_ALIVE = "10m"
_PROBE_SECONDS = 0.5
_NANOSECONDS = 1_000_000_000
_START = "start it with `ollama serve`, set OLLAMA_HOST, or use --model builtin"
_LEVELS: Mapping[str, bool | str] = {"on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is and how it is to be asked."""

    host: str
    key: Key = NO_KEY
    think: str = ""
    """`on`, `off`, `low`, `medium`, `high`, `max`; empty leaves it to the server."""
    schemas: Schemas = field(default_factory=Schemas)
    """Tools for calling by JSON."""
    say: Callable[[str], None] = lambda line: None
    on_text: Callable[[str], None] = lambda piece: None
    """Gets the reply piece by piece as it is written."""


def default_host(environ: Mapping[str, str]) -> str:
    """The server's address as OLLAMA_HOST gives it, read the way Ollama does: a scheme, host and port may be missing.

    An address to listen on (0.0.0.0) is called at loopback.
    """
    text = environ.get("OLLAMA_HOST", "").strip().strip("\"'")
    scheme, found, rest = text.partition("://")
    scheme, rest = (scheme, rest) if found else ("http", text)
    parts = urlsplit(f"//{rest}")
    try:
        port = parts.port
    except ValueError:
        port = None
    if port is None:
        port = {"http": 80, "https": 443}[scheme] if found and scheme in ("http", "https") else DEFAULT_PORT
    host = parts.hostname or "127.0.0.1"
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}{parts.path.rstrip('/')}"


def list_models(host: str) -> tuple[str, ...]:
    """Names of the models the server has, the newest first; empty when none answers within half a second."""
    models = [model for model in _listed(host, "/api/tags") if isinstance(model.get("name"), str)]
    newest = sorted(models, key=lambda model: str(model.get("modified_at", "")), reverse=True)
    return tuple(model["name"] for model in newest)


def loaded_window(host: str, model: str) -> int:
    """Tokens of the window with which this model is loaded now; 0 when it is not, or nobody tells."""
    for row in _listed(host, "/api/ps"):
        window = row.get("context_length")
        if row.get("name") in (model, f"{model}:latest") and isinstance(window, int):
            return window
    return 0


def longest_window(host: str, model: str) -> int:
    """Tokens of the longest window that this model can have; 0 when the server does not tell."""
    told = _get(host, "/api/show", {"model": model})
    facts = told.get("model_info") if isinstance(told, dict) else None
    lengths = [size for name, size in (facts or {}).items() if name.endswith(".context_length")]
    return next((size for size in lengths if isinstance(size, int)), 0)


def ollama_chat(name: str, server: Server, limits: Limits, left: Left) -> Chat:
    """A way to talk with this model, for as long as there is time left.

    The reply is deterministic as far as the server is: temperature 0 and a fixed seed. Raises ModelError.
    """
    window = _Window(name, server, limits.tokens)

    def chat(messages: Sequence[Message]) -> Reply:
        sent = count_messages(messages) + server.schemas.tokens
        asked = window.ask_for(sent)
        heard = _Heard(server.schemas)
        try:
            _exchange(server, _request(name, messages, server, asked), heard, left)
        except ModelError as error:
            raise window.explain(error, sent, asked) from None
        in_force = window.settle(messages, sent, asked, heard.tokens_in)
        return heard.reply(in_force, window.most)

    return chat


class _Window:
    """The window of one model in one conversation: as long as is needed, never shorter than it was."""

    def __init__(self, name: str, server: Server, most: int) -> None:
        self._name, self._server, self._limit = name, server, most
        self._asked = 0
        self._scale = 1.0
        self.most = 0
        """The longest that the server has; 0 as long as it has given what it was asked for."""

    def ask_for(self, sent: int) -> int:
        """The window to ask for; raises TooLong when the server cannot have one for so much.

        What is loaded already is kept: another window makes the server load the model anew.
        """
        known = self._asked or loaded_window(self._server.host, self._name)
        tokens, limit = round(sent * self._scale), self.most or self._limit
        wanted = window_for(tokens, limit)
        if known and wanted > known and not self.most:
            longest = longest_window(self._server.host, self._name)
            if 0 < longest < limit:
                self.most = longest
                wanted = window_for(tokens, longest)
        if self.most and tokens + reserve_for(self.most) > self.most:
            raise TooLong(f"{self._name} has a window of {self.most} tokens", _SMALLER, window=self.most)
        wanted = max(wanted, known)
        if self._asked and wanted > self._asked:
            self._server.say(f"the conversation has grown: {self._name} gets a window of {wanted} tokens")
        return wanted

    def explain(self, error: ModelError, sent: int, asked: int) -> ModelError:
        """What a failure means for the window: the server has less than was asked for, or no memory for it."""
        if isinstance(error, TooLong):
            window = loaded_window(self._server.host, self._name) or asked
            if window < asked:
                self._bind(window, asked)
                return TooLong(str(error), error.hint, window=window, tokens=window + 1)
            self._scale = correct_scale(self._scale, sent, asked + 1)
            return TooLong(str(error), error.hint, tokens=asked + 1)
        if self._asked and asked > self._asked and "memory" in str(error):
            self.most = self._asked
            self._server.say(f"there is no memory for a window of {asked} tokens; it stays at {self.most}")
            return TooLong(str(error), _SMALLER, window=self.most)
        return error

    def settle(self, messages: Sequence[Message], sent: int, asked: int, seen: int) -> int:
        """The window in force after a reply; raises ModelError when a part of what was sent was dropped."""
        window = loaded_window(self._server.host, self._name) or asked
        if window < asked:
            self._bind(window, asked)
        if window < asked and sent > window:
            lost = f"the server's window is {window} tokens, not the {asked} asked for: it dropped the oldest messages"
            raise TooLong(lost, _SMALLER, window=window)
        if lost := check_truncation(messages, seen):
            raise ModelError(lost, _SMALLER)
        self._asked = asked
        self._scale = correct_scale(self._scale, sent, seen) if seen else self._scale
        return window

    def _bind(self, window: int, asked: int) -> None:
        """The server has no more than this; said once."""
        if self.most != window:
            where = f"{self._server.host} gives {self._name}"
            self._server.say(f"{where} a window of {window} tokens, not the {asked} asked for")
        self.most = window


_SMALLER = "lower [ask] tokens to the server's window, or raise OLLAMA_CONTEXT_LENGTH there"


def _request(name: str, messages: Sequence[Message], server: Server, window: int) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": name,
        "messages": [_told(message) for message in messages],
        "stream": True,
        "options": {"num_ctx": window, "num_predict": reserve_for(window), "temperature": 0, "seed": 0},
        "keep_alive": _KEEP_ALIVE,
        "truncate": False,  # what does not fit is an error then, where the server is new enough to know the word
        "shift": False,
    }
    if messages[-1].form:
        request["format"] = messages[-1].form
    if server.schemas.described:
        request["tools"] = server.schemas.described
    if server.think:
        request["think"] = _LEVELS.get(server.think, server.think)
    return request


def _told(message: Message) -> dict[str, Any]:
    said = {"content": message.content} if message.content or message.call is None else {}
    told: dict[str, Any] = {"role": message.role, **said}
    if message.call is not None:
        name, arguments = message.call
        if message.role == "tool":
            told["tool_name"] = wire_name(name)
        else:
            told["tool_calls"] = [{"function": {"name": wire_name(name), "arguments": dict(arguments)}}]
    return told


def _exchange(server: Server, request: Mapping[str, Any], heard: _Heard, left: Left) -> None:
    from nestkit.agent.transport import Answered, broke_off, explain, post

    name = str(request["model"])
    try:
        with closing(post(f"{server.host}/api/chat", request, left, server.key.secret)) as lines:
            for line in lines:
                part = json.loads(line, parse_constant=str)
                if wrong := part.get("error"):
                    raise _answered(name, server, 0, str(wrong), heard.begun)
                server.on_text(heard.take(part))
    except ModelError:
        raise
    except Answered as error:
        raise _answered(name, server, error.status, _message(error.text), heard.begun) from None
    except Exception as error:
        if known := explain(error, server.host, left, begun=heard.begun, start=_START):
            raise known from None
        if isinstance(error, ValueError | TypeError | AttributeError | LookupError | RecursionError):
            raise ModelError(f"{server.host} sent something that is not Ollama's protocol", "is it Ollama?") from None
        raise
    if not heard.done:
        raise broke_off(server.host)


def _message(body: str) -> str:
    """The words of an error, which come as JSON, unless something stands before the server."""
    try:
        told: Any = json.loads(body)
    except (ValueError, RecursionError):
        return body
    return str(told.get("error", body)) if isinstance(told, dict) else body


class _Heard:
    """A reply while it comes in."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.calls: list[tuple[str, Mapping[str, Any] | str]] = []
        self.done = self.cut = False
        self.tokens_in = self.tokens_out = 0
        self.load_seconds = 0.0

    @property
    def begun(self) -> bool:
        return bool(self.text or self.thinking or self.calls)

    def take(self, part: Mapping[str, Any]) -> str:
        """Keep what a line brings, and return its text."""
        message = part["message"]
        text, thought = message.get("content") or "", message.get("thinking") or ""
        if not isinstance(text, str) or not isinstance(thought, str):
            raise TypeError("a text that is none")
        self.text += [text] if text else []
        self.thinking += [thought] if thought else []
        for call in message.get("tool_calls") or ():
            function = call["function"]
            given = function.get("arguments") or {}
            named = dict(given) if isinstance(given, dict) else str(given)
            self.calls.append((self._schemas.real_name(str(function["name"])), named))
        if part.get("done") is True:
            self.done = True
            self.cut = part.get("done_reason") == "length"
            self.tokens_in, self.tokens_out = (int(part.get(f"{kind}_count") or 0) for kind in ("prompt_eval", "eval"))
            self.load_seconds = int(part.get("load_duration") or 0) / _NANOSECONDS
        return text

    def reply(self, window: int, most_window: int) -> Reply:
        return Reply(
            "".join(self.text),
            "".join(self.thinking),
            tuple(self.calls),
            self.tokens_in,
            self.tokens_out,
            self.cut,
            window,
            most_window,
            self.load_seconds,
        )


_BAD_REQUESTS = (
    ("does not support chat", "{name} cannot chat", "choose a model made for conversation or instructions"),
    ("does not support thinking", "{name} cannot think", "leave `think` out of [model] in config.toml"),
    ("does not support tools", "{name} cannot call tools", "use --style code"),
)
"""What a 400 says -> what it means, what to do."""


def _answered(name: str, server: Server, status: int, said: str, begun: bool) -> ModelError:
    """The server's own error, with what to do about it; the status is 0 for one in the middle of a stream."""
    text = " ".join(without_key(said, server.key.secret).split())[:300]
    if status == 404:
        return ModelMissing(f"{server.host} has no model {name!r}", f"get it with: ollama pull {name}")
    if status in (401, 403):
        why = server.key.why_not or "set host_key in [model] of config.toml"
        return ModelError(f"{server.host} wants a key: {text}", why)
    if 300 <= status < 400:
        return ModelError(f"{server.host} sends requests elsewhere", "name the address it leads to")
    if status == 400 and "context length" in text:
        return TooLong(f"the conversation does not fit {name}'s window: {text}", _SMALLER)
    for words, what, hint in _BAD_REQUESTS if status == 400 else ():
        if words in text:
            return ModelError(what.format(name=name), hint)
    if status == 503:
        return ModelError(f"{server.host} is busy: {text}", "ask again in a moment", again=True)
    return ModelError(f"{name} failed: {text}", "see the server's log", again=status >= 500 and not begun)


def _listed(host: str, path: str) -> list[dict[str, Any]]:
    told = _get(host, path)
    models = told.get("models") if isinstance(told, dict) else None
    return [model for model in models if isinstance(model, dict)] if isinstance(models, list) else []


def _get(host: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """What the server answers; None when it has not within a second, however it spends that.

    Asked at every start, so without the client, which takes longer to load than this takes to run.
    """
    from socket import SHUT_RDWR
    from threading import Thread

    told: list[Any] = []
    lines: list[socket] = []
    asking = Thread(target=lambda: told.append(_fetch(host, path, body, lines)), name="nest-look", daemon=True)
    asking.start()
    asking.join(2 * _PROBE_SECONDS)
    for line in lines if not told else ():
        with suppress(OSError):
            line.shutdown(SHUT_RDWR)  # whoever waits on it is woken
    return told[0] if told else None


def _fetch(host: str, path: str, body: Mapping[str, Any] | None, lines: list[socket]) -> Any:
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    parts = urlsplit(host)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with suppress(OSError, HTTPException, ValueError, RecursionError):
        connection = kind(parts.hostname or "", parts.port, timeout=_PROBE_SECONDS)
        try:
            connection.connect()
            lines.append(connection.sock)
            content = None if body is None else json.dumps(body)
            connection.request("GET" if body is None else "POST", f"{parts.path}{path}", content)
            answer = connection.getresponse()
            return json.loads(answer.read(1 << 20)) if answer.status == 200 else None
        finally:
            connection.close()
    return None
