"""A host that a tool wants to reach in, a connected socket or the reason why not out. *Network*.

The tool's own process can connect nowhere. What it asks for is compared with the hosts that it was granted, resolved
once, and never led to this machine or its own network by a name: not to loopback, link-local, private or own
addresses, nor to a cloud's metadata. An address that a person granted as it stands (`127.0.0.1:11434`) is that.
"""

from __future__ import annotations

import errno
import ipaddress
import json
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

_MOST_DIALS = 200
_SECONDS = 30.0
_NEAR = tuple(
    ipaddress.ip_network(text)
    for text in [
        "192.0.0.0/24",
        "192.88.99.0/24",
        "168.63.129.16/32",
        "::/96",
        "::ffff:0:0:0/96",
        "64:ff9b:1::/48",
        "fec0::/10",
        "5f00::/16",
        "3fff::/20",
    ]
)
"""What `is_global` lets by and leads to this machine, its network or its cloud: Oracle's and Azure's own services, IPv4
in older and local dress, site-local and routing addresses. **Source**: IANA's special-purpose registries; RFC 4291,
7915, 8215, 9602, 9637."""
_NAME = re.compile(r"[\w:][\w.:-]{0,252}")

Resolve = Callable[[str, int], Sequence[str]]
"""Addresses of a host."""


class Denied(Exception):
    """A connection that may not be made."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def check_host(host: str, port: int, granted: Sequence[str]) -> bool:
    """Whether the host was granted as an address of its own, which may then be any. Raises Denied when it was not."""
    name = host.lower().rstrip(".")
    if not _NAME.fullmatch(host) or not 0 < port < 65536:
        raise Denied(f"{host[:80]!r}:{port} is no host")
    for grant in granted:
        wanted, wanted_port = split_grant(grant)
        if wanted_port in (0, port) and (not wanted or _matches(name, wanted)):
            return bool(wanted) and _is_address(wanted)
    hosts = ", ".join(filter(None, granted)) or "none"
    raise Denied(f"network host '{host}:{port}' was not granted (granted: {hosts})")


def split_grant(grant: str) -> tuple[str, int]:
    """Host and port of `host`, `host:port` or `[::1]:port`; 0 for every port."""
    text = grant.strip().lower()
    if found := re.fullmatch(r"\[([0-9a-f:.]+)\](?::(\d{1,5}))?", text):
        return found[1], int(found[2] or 0)
    host, colon, port = text.rpartition(":")
    if colon and ":" not in host and port.isdigit():
        return host.rstrip("."), int(port)
    return text.rstrip("."), 0


def check_address(text: str) -> None:
    """Raises Denied for an address that no name may lead to."""
    address: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(text.partition("%")[0])
    inner = _inside(address)
    near = any(address in network for network in _NEAR)
    if near or not address.is_global or address.is_multicast or (inner and not inner.is_global) or _is_own(address):
        raise Denied(f"{address} belongs to this machine or its own network")


@contextmanager
def dialling(link: socket.socket, granted: Sequence[str], find: Resolve = resolve) -> Iterator[None]:
    """While this is held, connections asked for over the link are made; leaving it closes the link."""
    thread = threading.Thread(target=_serve, args=(link, tuple(granted), find), daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(OSError):
            link.shutdown(socket.SHUT_RDWR)
        thread.join(1.0)
        link.close()


def _serve(link: socket.socket, granted: Sequence[str], find: Resolve) -> None:
    for _ in range(_MOST_DIALS):
        try:
            message = link.recv(4096)
            if not message:
                return
            _answer(link, message, granted, find)
        except OSError:
            return  # the tool is gone


def _answer(link: socket.socket, message: bytes, granted: Sequence[str], find: Resolve) -> None:
    try:
        made = _dial(link, *_read_wish(message), granted, find)
    except Denied as denied:
        reply = {"kind": "PermissionError", "text": str(denied)}
    except UnicodeError:  # a label that is empty or too long for a name
        reply = {"kind": "gaierror", "text": "no such name"}
    except TimeoutError:
        reply = {"kind": "TimeoutError", "text": "timed out"}
    except socket.gaierror as error:
        reply = {"kind": "gaierror", "text": str(error.strerror)}
    except OSError as error:
        reply = {"kind": "ConnectionError", "text": str(error.strerror or error)}
    else:
        with made:
            socket.send_fds(link, [b"{}"], [made.fileno()])
        return
    link.send(json.dumps(reply).encode())


def _read_wish(message: bytes) -> tuple[str, int, float]:
    try:
        wish: Any = json.loads(message)
        host, port, seconds = wish["host"], wish["port"], wish["seconds"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Denied("an unreadable request") from None
    if type(host) is not str or type(port) is not int or type(seconds) not in (int, float, type(None)):
        raise Denied("an unreadable request")
    return host, port, min(_SECONDS, seconds or _SECONDS)


def _dial(
    link: socket.socket, host: str, port: int, seconds: float, granted: Sequence[str], find: Resolve
) -> socket.socket:
    """A connected socket. Raises Denied, OSError."""
    is_literal = check_host(host, port, granted)
    addresses = find(host, port)
    if not is_literal:
        for address in addresses:
            check_address(address)
    ending = time.monotonic() + seconds
    trouble: OSError = ConnectionRefusedError(errno.ECONNREFUSED, "no address could be reached")
    for address in addresses[:4]:
        try:
            return _connect(link, address, port, ending)
        except OSError as error:
            trouble = error
    raise trouble


def _connect(link: socket.socket, address: str, port: int, ending: float) -> socket.socket:
    """A connection to one address; given up as soon as the tool is gone."""
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        number = made.connect_ex((address, port))
        if number == errno.EINPROGRESS:
            poll = select.poll()
            poll.register(made, select.POLLOUT)
            poll.register(link, select.POLLHUP)
            ready = dict(poll.poll(max(0.0, ending - time.monotonic()) * 1000))
            if link.fileno() in ready or not ready:
                raise TimeoutError
            number = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            raise OSError(number, f"{address}:{port} does not answer")
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setblocking(True)
    except BaseException:
        made.close()
        raise
    return made


def _matches(name: str, wanted: str) -> bool:
    return name.endswith(wanted[1:]) and name != wanted[2:] if wanted.startswith("*.") else name == wanted


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _inside(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for: mapped, 6to4, or translated (RFC 6052)."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def _is_own(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether the address is this machine's: only then can it be bound to."""
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
        return True
