"""Whether a child is really shut in: baits in, the names of the attacks that got through out. *Process*.

A version number or a call that returned zero proves nothing: each child attacks its own walls before it touches a
line that is not ours. Runs in the child: standard library only.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any


def find_holes(bait: dict[str, Any], *, kept: str = "", script: str = "", may_fork: bool = False) -> list[str]:
    """Attacks that succeeded; empty when the walls hold.

    The bait is a readable file in a folder open to all and two listeners, within reach of whoever is not shut in.
    `kept` is a folder that may be read and not changed, `script` a file in it.
    """
    attacks: dict[str, Callable[[], object]] = {
        "read a file outside": lambda: os.open(bait["file"], os.O_RDONLY),
        "write a file outside": lambda: os.open(f"{bait['file']}.written", os.O_WRONLY | os.O_CREAT),
        "reach a local socket": lambda: _connect(socket.AF_UNIX, bait["local"]),
    }
    if bait["port"]:
        attacks["reach a port"] = lambda: _connect(socket.AF_INET, ("127.0.0.1", bait["port"]))
    if kept:
        attacks["change a folder it may only read"] = lambda: _make_folder(f"{kept}/.nest-hole")
    if kept and script:
        attacks["change a file it may only read"] = lambda: os.open(f"{kept}/{script}", os.O_WRONLY)
    if not may_fork:
        attacks["start a process"] = _fork
    if parent := os.getppid():  # none in sight where processes have a namespace of their own
        attacks["signal its parent"] = lambda: os.kill(parent, 0)
    return [name for name, attack in attacks.items() if _succeeds(attack)]


def _succeeds(attack: Callable[[], object]) -> bool:
    try:
        attack()
    except OSError:
        return False
    return True


def _connect(family: int, address: Any) -> None:
    with socket.socket(family) as link:
        link.settimeout(1)
        link.connect(address)


def _make_folder(folder: str) -> None:
    os.mkdir(folder)
    os.rmdir(folder)


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
