"""The worker for programs inside WebAssembly: a door that takes and gives bytes in, `program.py` behind it. *Process*.

All of this runs in the guest, a CPython that has no file of the machine, no network and no processes. It attacks its
walls like any other child. Standard library, and the guest's one door to whom it runs in.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from . import probe, program, wire

_CHUNK = 1 << 18


class Door:
    """The door where a wire expects a socket: the first byte says whether bytes go out or are wanted."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def send(self, content: Any, flags: int = 0) -> int:
        part = bytes(content[:_CHUNK])
        self._call(b"!" + part)
        return len(part)

    def recv(self, most: int) -> bytes:
        return bytes(self._call(b"?" + most.to_bytes(4, "big")))


def main() -> None:
    """Prove that nothing gets out, then run programs until nest closes the wire."""
    link = wire.Wire(Door(importlib.import_module("_host").call), wire.OPENING_BYTES)  # type: ignore[arg-type]
    wish = link.receive()
    link.most = wish["message_bytes"]
    names: dict[str, Any] = {}
    exec(probe.draft(wish["bait"]), names)
    link.send({"holes": names["holes"]})
    if not names["holes"] and "now" in wish:
        sys.argv = [""]
        program.serve(link, wish)
