"""Messages to a model at Ollama and its reply back, by the native protocol. *Network*.

**Source**: Ollama's API documentation (`/api/chat`, `/api/tags`), and the client's behaviour as measured: it takes a
stream that ends without `done` for a success, waits for ever unless told otherwise, and sends loopback traffic to a
proxy when the environment names one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from nestkit.agent.budget import check_truncation, reserve_for
from nestkit.errors import ModelError, ModelMissing, Unreachable
from nestkit.model import Chat, Message, Reply
from nestkit.policy import Limits

if TYPE_CHECKING:
    import ollama

DEFAULT_PORT = 11434
_KEEP_ALIVE = "10m"
_CONNECT_SECONDS = 5.0
_PROBE_SECONDS = 0.5
_SILENCE_SECONDS = 120.0
"""Longest wait for the next piece of a reply; a large model may load for a minute first."""


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
    """Names of the models the server has, the newest first; empty when none answers within half a second.

    Asked at every start of `auto`, so without the client, which takes longer to load than this takes to run.
    """
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    parts = urlsplit(host)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_PROBE_SECONDS)
    try:
        connection.request("GET", f"{parts.path}/api/tags")
        told = json.loads(connection.getresponse().read(1 << 20))
        models = [model for model in told["models"] if isinstance(model.get("name"), str)]
        newest = sorted(models, key=lambda model: str(model.get("modified_at", "")), reverse=True)
        return tuple(model["name"] for model in newest)
    except (OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError):
        return ()
    finally:
        connection.close()


def ollama_chat(name: str, host: str, limits: Limits, *, on_text: Callable[[str], None] = lambda piece: None) -> Chat:
    """A way to talk with this model; `on_text` gets the reply piece by piece as it is written.

    The reply is deterministic as far as the server is: temperature 0 and a fixed seed. Raises ModelError.
    """

    def chat(messages: Sequence[Message]) -> Reply:
        options = {"num_ctx": limits.tokens, "num_predict": reserve_for(limits.tokens), "temperature": 0, "seed": 0}
        told = [{"role": message.role, "content": message.content} for message in messages]
        heard = _Heard()
        with _Told(name, host, heard), _client(host) as client:
            for part in client.chat(name, told, stream=True, options=options, keep_alive=_KEEP_ALIVE):
                heard.take(part)
                on_text(part.message.content or "")
        if not heard.done:
            raise Unreachable(f"{host} broke off in the middle of its reply", "ask again; see the server's log")
        if lost := check_truncation(messages, heard.tokens_in):
            raise ModelError(lost, "lower [ask] tokens to the server's window, or raise OLLAMA_CONTEXT_LENGTH there")
        return heard.reply()

    return chat


def _client(host: str) -> ollama.Client:
    import httpx
    import ollama

    timeout = httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
    secure = host.startswith("https:")  # loading certificates takes as long as all the rest of a client
    return ollama.Client(host=host, timeout=timeout, trust_env=False, verify=secure)


class _Heard:
    """A reply while it comes in."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.thinking: list[str] = []
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.done = self.cut = False
        self.tokens_in = self.tokens_out = 0

    @property
    def begun(self) -> bool:
        return bool(self.text or self.thinking or self.calls)

    def take(self, part: ollama.ChatResponse) -> None:
        if part.message.content:
            self.text.append(part.message.content)
        if part.message.thinking:
            self.thinking.append(part.message.thinking)
        for call in part.message.tool_calls or ():
            self.calls.append((call.function.name, dict(call.function.arguments)))
        if part.done:
            self.done = True
            self.cut = part.done_reason == "length"
            self.tokens_in, self.tokens_out = part.prompt_eval_count or 0, part.eval_count or 0

    def reply(self) -> Reply:
        words = ("".join(self.text), "".join(self.thinking))
        return Reply(*words, tuple(self.calls), self.tokens_in, self.tokens_out, self.cut)


class _Told:
    """Turns whatever the client raises into one line of ours."""

    def __init__(self, name: str, host: str, heard: _Heard) -> None:
        self.name, self.host, self.heard = name, host, heard

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, Exception) or isinstance(error, ModelError):
            return
        import httpx
        import ollama

        if isinstance(error, ollama.ResponseError):
            raise self._answered(error) from None
        if isinstance(error, httpx.TimeoutException):
            what, hint = "does not answer in time", "a smaller model answers sooner; `ollama ps` shows what is loaded"
            raise Unreachable(f"{self.host} {what}", hint) from None
        if isinstance(error, (ConnectionError, httpx.HTTPError)):
            if self.heard.begun:
                raise Unreachable(f"{self.host} broke off in the middle of its reply", "ask again") from None
            hint = "start it with `ollama serve`, set OLLAMA_HOST, or use --model builtin"
            raise Unreachable(f"no model server at {self.host}", hint) from None
        if isinstance(error, ValueError):
            raise ModelError(f"{self.host} sent something that is not Ollama's protocol", "is it Ollama?") from None

    def _answered(self, error: ollama.ResponseError) -> ModelError:
        """The server's own error, with what to do about it."""
        text = str(error.error)
        if error.status_code == 404:
            return ModelMissing(f"{self.host} has no model {self.name!r}", f"get it with: ollama pull {self.name}")
        if error.status_code == 400 and "does not support chat" in text:
            return ModelError(f"{self.name} cannot chat", "choose a model made for conversation or instructions")
        if error.status_code == 400 and "context length" in text:
            return ModelError(f"the conversation does not fit {self.name}'s window", "lower [ask] tokens")
        if error.status_code == 503:
            return ModelError(f"{self.host} is busy: {text}", "ask again in a moment", again=True)
        again = error.status_code >= 500 and not self.heard.begun
        return ModelError(f"{self.name} failed: {text}", "see the server's log", again=again)
