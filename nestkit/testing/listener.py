"""A small HTTP server: a function from request to `Answer` in, real connections on 127.0.0.1 out. *Network*."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from nestkit.testing.answer import Answer

Respond = Callable[[str, bytes, Mapping[str, str]], Answer]
"""("GET /api/tags", body, headers by lower-case name) -> answer."""


@contextlib.contextmanager
def listen(respond: Respond, port: int = 0) -> Iterator[str]:
    """The address, like `http://127.0.0.1:43211`, for as long as the block lasts; port 0 takes any free one.

    On leaving, every connection is shut and every thread has ended. Raises OSError when the port is taken.
    """
    listener = _Listener(respond, port)
    loop = threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True)
    loop.start()
    try:
        yield f"http://127.0.0.1:{listener.server_address[1]}"
    finally:
        listener.shutdown()
        loop.join()
        listener.hang_up()
        listener.server_close()


class _Listener(ThreadingHTTPServer):
    def __init__(self, respond: Respond, port: int) -> None:
        self.respond = respond
        self.closing = threading.Event()
        self.talks: list[tuple[threading.Thread, socket.socket]] = []
        super().__init__(("127.0.0.1", port), _Talk)

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each connection, remembered: clients keep theirs open, and somebody must hang up."""
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self.talks = [talk for talk in self.talks if talk[0].is_alive()]
        self.talks.append((thread, request))
        thread.start()

    def hang_up(self) -> None:
        self.closing.set()
        for thread, connection in self.talks:
            with contextlib.suppress(OSError):  # it may be closed already
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silence about a client that left, a trace for a fault of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Talk(BaseHTTPRequestHandler):
    """One connection; several requests may come over it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what was asked is kept, not printed."""

    def _respond(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.respond(f"{self.command} {self.path.partition('?')[0]}", body, headers)
        self.server.closing.wait(answer.delay_seconds)
        self._send_head(answer)
        for piece in filter(None, answer.pieces):  # an empty chunk would end the stream
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece) if answer.streamed else piece)
            self.server.closing.wait(answer.pause_seconds)
        if not answer.whole:
            self.close_connection = True
        elif answer.streamed:
            self.wfile.write(b"0\r\n\r\n")

    def _send_head(self, answer: Answer) -> None:
        self.send_response(answer.status)
        if answer.streamed:
            self.send_header("Content-Type", answer.kind)
            self.send_header("Transfer-Encoding", "chunked")
        else:
            size = sum(map(len, answer.pieces)) + (not answer.whole)  # a byte too many is promised, and never sent
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(size))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
