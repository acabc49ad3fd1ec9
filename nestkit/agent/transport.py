"""Requests to a model's server, with an end to every wait, in; answers, or one line of what went wrong, out. *Network*.

**Source:** `httpx.BaseTransport` and `httpcore.NetworkBackend`. The clients' own timeouts begin anew with every byte,
follow redirects with all they were told, and read proxies and keys from the environment; here none of that is so.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from threading import Event, Thread
from typing import Any

import httpcore
import httpx

from nestkit.errors import ModelError, OutOfTime, Unreachable
from nestkit.model import Left

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 120.0
"""Longest wait for the next piece of a reply; a large model may load for a minute first."""
_PIECE_BYTES = 16 << 10
"""Sent at a time: how long a server takes over a request is looked at in between."""
MAX_BYTES = 16 << 20
"""Of one answer; far beyond what any reply of a model takes on the wire."""


class Transport(httpx.BaseTransport):
    """One connection to one server. The only key it sends is the one it was given."""

    def __init__(self, left: Left, secret: str = "") -> None:
        self._secret = secret
        self._pool = httpcore.ConnectionPool(network_backend=_Backend(left), max_connections=1)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"authorization"]
        if self._secret:
            headers.append((b"Authorization", b"Bearer " + self._secret.encode()))
        url = request.url
        asked = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=headers,
            content=request.stream,
            extensions=request.extensions,
        )
        answer = self._pool.handle_request(asked)
        if any(name.lower() == b"content-encoding" for name, _ in answer.headers):
            answer.close()  # a few bytes may unpack to more than there is memory for
            raise httpcore.RemoteProtocolError("the answer is packed, which nobody asked for")
        body = _Body(answer.stream)  # type: ignore[arg-type]
        return httpx.Response(answer.status, headers=answer.headers, stream=body, extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()


class _Backend(httpcore.NetworkBackend):
    """Opens connections that know how much time is left."""

    def __init__(self, left: Left) -> None:
        self._left = left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        seconds = _to_connect(self._left)
        inner = _within(
            seconds,
            lambda: httpcore.SyncBackend().connect_tcp(host, port, seconds, local_address, socket_options),
        )
        return _Stream(inner, self._left)


def _to_connect(left: Left) -> float:
    return max(0.01, min(CONNECT_SECONDS, left()))


def _within(seconds: float, connect: Callable[[], httpcore.NetworkStream]) -> httpcore.NetworkStream:
    """The connection, if it stands within so many seconds: looking up a name knows no limit of its own, and of a name
    with many addresses each has one."""
    made: list[httpcore.NetworkStream | Exception] = []
    late = Event()

    def make() -> None:
        try:
            made.append(connect())
        except Exception as error:
            made.append(error)
        if late.is_set() and isinstance(made[0], httpcore.NetworkStream):
            made[0].close()

    making = Thread(target=make, name="nest-connect", daemon=True)
    making.start()
    making.join(seconds)
    if not made:
        late.set()
        raise httpcore.ConnectTimeout("it takes too long to connect")
    if isinstance(made[0], Exception):
        raise made[0]
    return made[0]


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, left: Left) -> None:
        self._inner, self._left = inner, left
        self._size = 0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._left()
        if left <= 0:
            raise httpcore.ReadTimeout("the time of the ask is over")
        content = self._inner.read(max_bytes, min(SILENCE_SECONDS, left))
        self._size += len(content)
        if self._size > MAX_BYTES:
            raise httpcore.RemoteProtocolError(f"more than {MAX_BYTES >> 20} MB in one answer")
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for begin in range(0, len(buffer), _PIECE_BYTES):
            if (left := self._left()) <= 0:
                raise httpcore.WriteTimeout("the time of the ask is over")
            self._inner.write(buffer[begin : begin + _PIECE_BYTES], min(SILENCE_SECONDS, left))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _to_connect(self._left)), self._left)


class Answered(Exception):
    """The server's answer, when it is an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def post(url: str, body: Mapping[str, Any], left: Left, secret: str) -> Generator[str, None, None]:
    """The lines of a streamed answer, as they come.

    Raises Answered for an error, and whatever goes wrong on the way.
    """
    transport = Transport(left, secret)
    content = json.dumps(body).encode()  # in ASCII: a model may write half a character, which UTF-8 cannot say
    head = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    try:
        with (
            httpx.Client(transport=transport, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, content=content, headers=head) as answer,
        ):
            if answer.status_code != 200:
                answer.read()
                raise Answered(answer.status_code, answer.text)
            yield from answer.iter_lines()
    finally:
        transport.close()


def explain(error: Exception, host: str, left: Left, *, begun: bool, start: str) -> ModelError | None:
    """What a failed request means, in one line; None for an error that is not the network's.

    `begun` says whether a part of the reply had come, `start` what to do when no server is there.
    """
    if left() <= 0:
        return OutOfTime("the time of the ask ran out while the model was at work")
    if isinstance(error, httpcore.ConnectError) and "CERTIFICATE" in str(error).upper():
        return Unreachable(f"the certificate of {host} is not trusted", "name its authority's file in SSL_CERT_FILE")
    if isinstance(error, httpcore.ConnectError) and "SSL" in str(error):
        return Unreachable(f"no secure line to {host}: {error}", "a server without TLS has an address with http://")
    if isinstance(error, httpcore.ConnectTimeout | httpcore.ConnectError):
        return Unreachable(f"no model server at {host}", start)
    if isinstance(error, httpcore.TimeoutException):
        hint = "a smaller model answers sooner; `ollama ps` shows what is loaded"
        return Unreachable(f"{host} does not answer in time", hint)
    if begun and isinstance(error, httpcore.NetworkError | httpcore.ProtocolError):
        return broke_off(host)
    if isinstance(error, httpcore.NetworkError | httpcore.RemoteProtocolError):
        return Unreachable(f"{host} hung up without an answer: {error}", "see the server's log", again=True)
    odd = (httpcore.ProtocolError, httpcore.UnsupportedProtocol, httpx.HTTPError, httpx.StreamError, httpx.InvalidURL)
    if isinstance(error, odd):
        return Unreachable(f"{host} cannot be talked to: {error}", "check the address")
    return None


def broke_off(host: str) -> Unreachable:
    """The server ended its reply before it was done."""
    return Unreachable(f"{host} broke off in the middle of its reply", "ask again; see the server's log")
