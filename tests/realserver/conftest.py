"""A real llama.cpp server that speaks a scripted model, for tests marked `realserver`. *Process*."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from realserver.build import server_file
from realserver.gguf import Talks, draft_model

import nestkit

PROMPTS = Path(nestkit.__file__).parent / "agent/prompts"
_START_SECONDS = 60


class Running(NamedTuple):
    """A server that answers."""

    url: str
    """Up to and with `/v1`."""
    process: subprocess.Popen[bytes]


@contextmanager
def serve(
    folder: Path, talks: Talks, *, window: int = 16_384, options: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """The server with a model that speaks these talks, until the block is left."""
    file = server_file()
    if not file.exists():
        pytest.fail(f"no server at {file}: build it with tests/realserver/build.py, as `make test-realserver` does")
    words = "\n".join(path.read_text("utf-8") for path in sorted(PROMPTS.glob("*.md")))
    model = folder / "scripted.gguf"
    model.write_bytes(draft_model(talks, words))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = {"model": model, "host": "127.0.0.1", "port": port, "ctx-size": window, "parallel": 1, "threads": 1}
    words_given = [str(word) for name, value in {**given, **(options or {})}.items() for word in (f"--{name}", value)]
    with (folder / "server.log").open("wb") as log:
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        process = subprocess.Popen(
            [file, *words_given, "--no-ui", "--offline"], env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process, folder / "server.log")
            yield Running(f"http://127.0.0.1:{port}/v1", process)
        finally:
            process.kill()
            process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail(f"the server did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
