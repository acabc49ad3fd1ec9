"""What passes between nest and its children: messages in, frames of bytes out, and back. *Process*.

A frame is four bytes of length and that much JSON; never pickle. Both sides read this file: the host imports it, the
child loads it by path, so it is standard library only. Everything that arrives is checked here (length, number of
parts), and in `packing.py`, which has the values that messages are made of.
"""

from __future__ import annotations

import json
import re
import select
import socket
import struct
import time
from collections.abc import Mapping
from typing import Any

from .packing import Broken

MOST_PARTS = 1_000_000
OPENING_BYTES = 64 << 20
"""The largest message in which nest tells a child what to do."""
_HEAD = struct.Struct(">I")
HEAD_BYTES = _HEAD.size
_HALF = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
"""Half a character, bare or as JSON spells it."""
_CHUNK = 1 << 18
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


class Closed(Exception):
    """The other side is gone."""


class Late(Exception):
    """The other side did not read or write in time."""


class TooLarge(ValueError):
    """A message over the limit."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(f"{size:,} bytes are over the limit of {most:,} for messages: ask for less, or send less")


def draft_frame(message: Mapping[str, Any], most: int) -> bytes:
    """The bytes of one frame. Raises TooLarge."""
    body = _encode(message).encode("utf-8", "surrogatepass")
    if len(body) > most:
        raise TooLarge(len(body), most)
    return _HEAD.pack(len(body)) + body


def parse_frame(body: bytes | bytearray, mend: bool = False) -> dict[str, Any]:
    """The message of one frame's body; with `mend`, without halves of characters. Raises Broken.

    A half (a lone surrogate) is legal in a Python text and in no file or terminal.
    """
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_PARTS:
        raise Broken("a message of too many parts")
    try:
        text = body.decode("utf-8", "surrogatepass")
        message = json.loads(text)
        if mend and _HALF.search(text):
            message = _mend(message)
    except (ValueError, RecursionError):
        raise Broken("no JSON of ours") from None
    if type(message) is not dict:
        raise Broken("a message that is no record")
    return message


class Wire:
    """One end of a connected socket, speaking frames."""

    def __init__(self, link: socket.socket, most: int, mend: bool = False) -> None:
        self.link = link
        self.most = most
        self.left: int | None = None
        """How many bytes more may arrive in all; None for any number."""
        self.deadline: float | None = None
        """On the monotonic clock; without one, wait for ever."""
        self._mend = mend
        self._held = bytearray()
        self._poll = select.poll()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one frame. Raises TooLarge, Closed or Late."""
        self.send_frame(draft_frame(message, self.most))

    def send_frame(self, frame: bytes) -> None:
        """Send a frame that is drafted already. Raises Closed or Late."""
        rest = memoryview(frame)
        flags = 0 if self.deadline is None else socket.MSG_DONTWAIT
        while rest:
            try:
                rest = rest[self.link.send(rest, flags) :]
            except BlockingIOError:
                self._wait(select.POLLOUT)
            except OSError:
                raise Closed from None

    def receive(self) -> dict[str, Any]:
        """Return the next message. Raises Closed, Late, TooLarge or Broken."""
        self._fill(_HEAD.size)
        (size,) = _HEAD.unpack_from(self._held)
        if size > self.most:
            raise TooLarge(size, self.most)
        self._fill(_HEAD.size + size)
        body = bytes(self._held[_HEAD.size : _HEAD.size + size])
        del self._held[: _HEAD.size + size]
        if self.left is not None:
            if size > self.left:
                raise TooLarge(size, self.left)
            self.left -= size
        return parse_frame(body, self._mend)

    def _fill(self, size: int) -> None:
        while len(self._held) < size:
            if self.deadline is not None:
                self._wait(select.POLLIN)
            try:
                part = self.link.recv(_CHUNK)
            except OSError:
                raise Closed from None
            if not part:
                raise Closed
            self._held += part

    def _wait(self, event: int) -> None:
        assert self.deadline is not None
        self._poll.register(self.link, event)
        left = self.deadline - time.monotonic()
        if left <= 0 or not self._poll.poll(left * 1000):
            raise Late


def _mend(value: Any) -> Any:
    if type(value) is str:
        return value.encode("utf-8", "replace").decode()
    if type(value) is list:
        return [_mend(item) for item in value]
    if type(value) is dict:
        return {_mend(key): _mend(item) for key, item in value.items()}
    return value
