"""A script's way into the network: a connection asked for, a connected socket put in the place of one. *Process*.

The kernel lets it open none. nest looks at the name, dials, and passes the connected socket in. Unmodified libraries
work, TLS included, since it stays between the script and the host. This is convenience: what shuts the network off is
the kernel. Runs in the child: standard library only.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import threading
from typing import Any

_INTERNET = (-1, socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6)
_KINDS = (-1, 0, socket.SOCK_STREAM)
_FLAGS = socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
_RIGHT = 1 << 12
"""Longest answer."""


def install(descriptor: int) -> None:
    """From here on sockets connect by asking over this descriptor."""
    Socket.line = socket.socket(fileno=descriptor)
    socket.socket = Socket  # type: ignore[misc]
    socket.getaddrinfo = _getaddrinfo
    socket.gethostbyname = str
    socket.has_ipv6 = False


class Socket(socket.socket):
    """A TCP socket that nest connects."""

    line: socket.socket
    _lock = threading.Lock()

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        if fileno is None and family in _INTERNET:
            if type not in _KINDS and type & ~_FLAGS not in _KINDS:
                raise PermissionError(errno.EACCES, "only TCP connections can be had here")
            shown, other = socket.socketpair()
            other.close()
            family, type, proto, fileno = socket.AF_INET, socket.SOCK_STREAM, 0, shown.detach()
        super().__init__(family, type, proto, fileno)

    def connect(self, address: Any, /) -> None:
        if self.family not in _INTERNET:
            return super().connect(address)
        wish = {"host": str(address[0]), "port": int(address[1]), "seconds": self.gettimeout()}
        with self._lock:
            self.line.send(json.dumps(wish).encode())
            message, handles, _, _ = socket.recv_fds(self.line, _RIGHT, 1)
        answer = json.loads(message) if message else {"kind": "ConnectionError", "text": "nest is gone"}
        if not handles:
            raise _error(answer)
        os.dup2(handles[0], self.fileno(), inheritable=False)
        os.close(handles[0])
        self.settimeout(self.gettimeout())
        return None

    def connect_ex(self, address: Any, /) -> int:
        try:
            self.connect(address)
        except OSError as error:
            return error.errno or errno.ECONNREFUSED
        return 0

    def setsockopt(self, *_: Any) -> None:
        """Nothing: nest has set what matters."""

    def bind(self, address: Any, /) -> None:
        raise PermissionError(errno.EACCES, "nothing can listen here")


def _getaddrinfo(host: Any, port: Any, *_: Any, **__: Any) -> list[Any]:
    """The name itself as its address: nest resolves it, once, when it connects."""
    name = host.decode("ascii") if isinstance(host, bytes) else str(host or "localhost")
    number = int(port) if str(port).isdigit() else {"http": 80, "https": 443}.get(str(port), 0)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (name, number))]


def _error(answer: Any) -> OSError:
    kinds = {"PermissionError": PermissionError, "TimeoutError": TimeoutError, "gaierror": socket.gaierror}
    kind = kinds.get(answer.get("kind"), ConnectionRefusedError)
    number = {PermissionError: errno.EACCES, TimeoutError: errno.ETIMEDOUT}.get(kind, errno.ECONNREFUSED)
    return kind(socket.EAI_NONAME if kind is socket.gaierror else number, str(answer.get("text", "")))
