"""The standard library and the installed packages, read as if they were scripts: all told, none run, no exception."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EVERY = int(os.environ.get("NEST_CORPUS_EVERY", "12"))
"""Of so many files one is read; 1 reads all of them, which takes a minute or two."""


@pytest.mark.timeout(900)
def test_every_file_is_read_or_reported_and_none_is_run(capsys: pytest.CaptureFixture[str]) -> None:
    command = [sys.executable, str(Path(__file__).with_name("corpus.py")), str(EVERY)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2_000:]
    told = json.loads(done.stdout)
    assert told["silent"] == []
    assert told["files"] > 2_000 // EVERY
    assert told["tools"] > told["files"]
    with capsys.disabled():
        rate = told["files"] / told["seconds"]
        print(f"\ncorpus: {told['files']} files, {told['tools']} tools, {rate:.0f} files per second of processor time")


def test_the_watch_would_see_a_reader_that_runs_what_it_reads(tmp_path: Path) -> None:
    program = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import corpus
corpus.load_what_comes_late()
sys.addaudithook(corpus.watch)
try:
    {{}}
except RuntimeError as error:
    print(error)
"""
    for act in ("exec('x = 1')", "import this", f"open({str(tmp_path / 'x')!r}, 'w')", "import os; os.system('true')"):
        done = subprocess.run([sys.executable, "-c", program.format(act)], capture_output=True, text=True, check=True)
        assert "the reader did" in done.stdout, act
