"""Servers that do with a connection whatever a test wants: nothing, too slowly, for ever, behind TLS."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Answer = Callable[[socket.socket], None]

CERTIFICATE = Path(__file__).parent / "cases/localhost.pem"
"""Signed by itself, for the name localhost alone, with its key: worth nothing to anybody."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"


@contextmanager
def listener(answer: Answer) -> Iterator[str]:
    """The address of a server that does with each connection what it is told, until the block is left."""
    talks: list[tuple[socket.socket, threading.Thread]] = []
    with socket.create_server(("127.0.0.1", 0)) as opened:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    talk, _ = opened.accept()
                    thread = threading.Thread(target=hold, args=(talk,))
                    talks.append((talk, thread))
                    thread.start()

        def hold(talk: socket.socket) -> None:
            with talk, contextlib.suppress(OSError):
                answer(talk)

        accepting = threading.Thread(target=serve)
        accepting.start()
        yield f"http://127.0.0.1:{opened.getsockname()[1]}"
        opened.shutdown(socket.SHUT_RDWR)
        accepting.join()
    for talk, thread in talks:
        with contextlib.suppress(OSError):
            talk.shutdown(socket.SHUT_RDWR)
        thread.join()


def say_nothing(talk: socket.socket) -> None:
    while talk.recv(1000):
        pass


def hang_up(talk: socket.socket) -> None:
    talk.recv(10)


def dribble(head: bytes, piece: bytes = b"x") -> Answer:
    """A byte every now and then, for ever."""

    def answer(talk: socket.socket) -> None:
        talk.sendall(head)
        while True:
            talk.sendall(piece)
            time.sleep(0.05)

    return answer


def pour(head: bytes, piece: bytes) -> Answer:
    """As much as the other side takes, for ever."""

    def answer(talk: socket.socket) -> None:
        talk.recv(100_000)
        talk.sendall(head)
        while True:
            talk.sendall(piece)

    return answer


def reply_once(content: bytes) -> Answer:
    """These bytes, then silence with the line held open."""

    def answer(talk: socket.socket) -> None:
        talk.recv(100_000)
        talk.sendall(content)
        say_nothing(talk)

    return answer


def sip(talk: socket.socket) -> None:
    """Takes what is sent a little at a time."""
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    while talk.recv(500):
        time.sleep(0.05)


@contextmanager
def behind_tls(url: str) -> Iterator[tuple[str, list[bytes]]]:
    """(the port of the same server behind TLS, what came through) until the block is left."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    host, _, port = url.removeprefix("http://").partition(":")
    came: list[bytes] = []

    def relay(talk: socket.socket) -> None:
        with context.wrap_socket(talk, server_side=True) as secure, socket.create_connection((host, int(port))) as far:
            secure.settimeout(0.02)
            far.settimeout(0.02)
            while True:
                for source, target in ((secure, far), (far, secure)):
                    with contextlib.suppress(TimeoutError):
                        content = source.recv(100_000)
                        if source is secure:
                            came.append(content)
                        if not content:
                            return
                        target.sendall(content)

    with listener(relay) as address:
        yield address.rpartition(":")[2], came
