"""The scripted server from the command line: a file of turns in, a server until Ctrl-C out. *Network*.

`python -m nestkit.testing TURNS.jsonl`, and in another terminal, with the address it prints:
`OLLAMA_HOST=http://127.0.0.1:43211 nest ask --model ollama/scripted "How many notes?"`
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nestkit.testing.server import OllamaServer
from nestkit.testing.turn import parse_turn


def main(words: Sequence[str] | None = None) -> int:
    """The exit code: 0 when stopped, 1 when the turns cannot be played."""
    parser = argparse.ArgumentParser(prog="python -m nestkit.testing", description="Play a script as Ollama would.")
    parser.add_argument("turns", type=Path, metavar="TURNS.jsonl", help="one turn a line, as JSON")
    parser.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1; any free port if not given")
    given = parser.parse_args(words)
    try:
        server = OllamaServer(read_turns(given.turns), port=given.port)
        with server:
            _wait(server.url)
    except (OSError, OverflowError, ValueError) as error:
        print(f"cannot play {given.turns}: {error}", file=sys.stderr)
        return 1
    for violation in server.violations:
        print(violation, file=sys.stderr)
    return 0


def read_turns(file: Path) -> list[dict[str, Any]]:
    """The turns of a file, one a line, blank lines aside. Raises ValueError with the line that is no turn."""
    turns = []
    for number, line in enumerate(file.read_text("utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            turn = json.loads(line)
            if not isinstance(turn, dict):
                raise ValueError("a turn is a JSON object")
            parse_turn(turn)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
        turns.append(turn)
    return turns


def _wait(url: str) -> None:
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)  # also where a shell started us with Ctrl-C ignored
    try:
        print(f"OLLAMA_HOST={url} (Ctrl-C stops it)", flush=True)
        while True:
            time.sleep(60)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    sys.exit(main())
