"""`python -m nestkit.testing`, as a real process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

TURNS = '{"role": "assistant", "content": "one\u2028line"}\n\n{"role": "assistant", "content": "two"}\n'


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "nestkit.testing", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_it_serves_the_file_until_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "turns.jsonl").write_text(TURNS, "utf-8")
    with running(str(tmp_path / "turns.jsonl")) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("OLLAMA_HOST=").split()[0]
        answers = [
            httpx.post(f"{url}/api/chat", json={"model": "m", "messages": [], **extra}, trust_env=False).json()
            for extra in (
                {"messages": [{"role": "user", "content": "a"}], "stream": False},
                {"messages": [{"role": "user", "content": "b"}], "stream": False, "max_tokens": 5},
            )
        ]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert [answer["message"]["content"] for answer in answers] == ["one\u2028line", "two"]
    assert (process.returncode, out, err) == (0, "", "request 2: unknown field 'max_tokens'\n")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('{"role": "assistant", "content": "x"}\n\n{"role": "user"}\n', "line 3: unknown role 'user'"),
        ("{\n", "line 1: "),
        ("[]\n", "line 1: a turn is a JSON object"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_played_gets_one_line(tmp_path: Path, text: str | None, wrong: str) -> None:
    file = tmp_path / "turns.jsonl"
    if text is not None:
        file.write_text(text, "utf-8")
    with running(str(file)) as process:
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"cannot play {file}: ")
    assert wrong in err


def test_a_port_that_is_taken_gets_one_line(tmp_path: Path) -> None:
    file = tmp_path / "turns.jsonl"
    file.write_text(json.dumps({"role": "assistant", "content": "x"}), "utf-8")
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        running(str(file), "--port", str(taken.getsockname()[1])) as it,
    ):
        _, err = it.communicate(timeout=20)
    assert (it.returncode, err.count("\n")) == (1, 1)
    assert "in use" in err
