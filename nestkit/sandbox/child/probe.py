"""Whether an interpreter of another make lets anything out: bait in, a program that tries out. *Pure*.

The program is text for that interpreter, and ends with the list of what it managed. It uses the plainest Python there
is: a subset must understand it, or what it tries was never tried.
"""

from __future__ import annotations

from typing import Any

_PROGRAM = """\
holes = []
def attempt(name, attack):
    try:
        attack()
        holes.append(name)
    except Exception:
        pass
def read():
    with open({file!r}) as found:
        return found.read()
def write():
    with open({file!r} + ".written", "w") as made:
        made.write("x")
def look():
    import os
    return os.listdir({folder!r})
def reach():
    import socket
    with socket.create_connection(("127.0.0.1", {port!r}), 1) as link:
        return link
def start():
    import subprocess
    return subprocess.run(["true"])
def fork():
    import os
    return os.fork()
attempt("read a file outside", read)
attempt("write a file outside", write)
attempt("list a folder outside", look)
attempt("start a process", start)
attempt("fork", fork)
if {port!r}:
    attempt("reach a port", reach)
holes
"""


def draft(bait: dict[str, Any]) -> str:
    """The program; its last line is the list of what it managed."""
    folder = bait["file"].rpartition("/")[0]
    return _PROGRAM.format(file=bait["file"], folder=folder, port=bait["port"])
