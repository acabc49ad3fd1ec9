"""What `nest watch` costs: a change until it is in the index, rest, many events, many questions.

    python bench/watch.py [--notes 2000] [--events 100000] [--questions 1000]

A real daemon on a real folder. Settling is set to 0.2 s and taken off the first figure. At rest its threads' voluntary
switches are counted: each is a wake-up. Memory is the daemon's resident set.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

NEST = Path(sys.executable).with_name("nest")
SETTLE = 0.2


class Bench:
    """A vault of small notes with a daemon on it."""

    def __init__(self, folder: Path, notes: int) -> None:
        self.vault, self.folder = folder / "vault", folder
        for number in range(notes):
            file = self.vault / f"Notes/{number % 50}/Note {number}.md"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(
                f"---\nstatus: open\n---\n# {number}\n\n[[Note {(number * 7) % notes}]] #tag{number % 9}\n" * 3
            )
        (self.vault / "02_System").mkdir()
        (folder / "CONFIG").mkdir()
        settings = f'[ask]\nmodel = "builtin"\n[watch]\nsettle = {SETTLE}\nper_note = 100000\nper_vault = 100000\n'
        (folder / "CONFIG/config.toml").write_text(settings)
        places = {f"NEST_{name}_DIR": f"{folder}/{name}" for name in ("CACHE", "STATE", "CONFIG")}
        self.environment = {**os.environ, **places, "OLLAMA_HOST": "127.0.0.1:9"}

    def start(self) -> subprocess.Popen[str]:
        """The daemon, ready."""
        process = subprocess.Popen(
            [NEST, "watch"],
            cwd=self.vault,
            env=self.environment,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        assert process.stderr is not None
        while not (line := process.stderr.readline()).startswith("watching"):
            assert line, "the daemon did not start"
        return process

    def rows(self, path: str) -> tuple[int, int] | None:
        """Size and time of a note as the index has them."""
        (file,) = (self.folder / "CACHE").rglob("index.sqlite")
        with sqlite3.connect(file) as connection:
            found: tuple[int, int] | None = connection.execute(
                "SELECT size, mtime_ns FROM files WHERE path = ?", (path,)
            ).fetchone()
        connection.close()
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notes", type=int, default=2000, help="in the vault (default: %(default)s)")
    parser.add_argument("--events", type=int, default=100_000, help="(default: %(default)s)")
    parser.add_argument("--questions", type=int, default=1000, help="queued at once (default: %(default)s)")
    parser.add_argument("--rest", type=float, default=10.0, help="seconds of rest (default: %(default)s)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), given.notes)
        process = bench.start()
        try:
            measure_change(bench)
            measure_rest(process.pid, given.rest)
            measure_events(bench, process.pid, given.events)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=200)
        measure_questions(bench, given.questions)


def measure_change(bench: Bench) -> None:
    """From the end of a write to the index, settling left out."""
    taken = []
    for number in range(15):
        path = f"Notes/1/Note {number * 50 + 1}.md"
        file = bench.vault / path
        file.write_text(f"changed {number}\n")
        begun, wanted = time.perf_counter(), file.stat()
        until(lambda path=path, wanted=wanted: bench.rows(path) == (wanted.st_size, wanted.st_mtime_ns))
        taken.append(time.perf_counter() - begun - SETTLE)
    milliseconds = sorted(1000 * each for each in taken)
    median = statistics.median(milliseconds)
    print(f"event to index, after settling: median {median:.0f} ms, worst {milliseconds[-1]:.0f} ms")


def measure_rest(pid: int, seconds: float) -> None:
    """Wake-ups and processor time while nothing happens."""
    time.sleep(2 * SETTLE + 0.5)
    switches, busy = wake_ups(pid), processor_seconds(pid)
    time.sleep(seconds)
    woken, spent = wake_ups(pid) - switches, processor_seconds(pid) - busy
    print(f"at rest for {seconds:.0f} s: {woken} wake-ups, {spent:.2f} s of processor")


def measure_events(bench: Bench, pid: int, events: int) -> None:
    """Memory and processor time over many writes to a hundred notes."""
    before, busy, begun = resident_bytes(pid), processor_seconds(pid), time.perf_counter()
    highest = before
    files = sorted((bench.vault / "Notes/2").iterdir())[:100]
    for number in range(events):
        files[number % len(files)].write_text(f"text {number}\n")
        if number % 5000 == 0:
            highest = max(highest, resident_bytes(pid))
    path = str(files[-1].relative_to(bench.vault))
    wanted = files[-1].stat()
    until(lambda: bench.rows(path) == (wanted.st_size, wanted.st_mtime_ns))
    after, spent = resident_bytes(pid), processor_seconds(pid) - busy
    memory = ", ".join(
        f"{size >> 20} MB {when}" for size, when in ((before, "before"), (highest, "at most"), (after, "after"))
    )
    print(f"{events:,} writes: memory {memory}; {spent:.1f} s of processor, {time.perf_counter() - begun:.0f} s in all")


def measure_questions(bench: Bench, questions: int) -> None:
    """Many questions queued at once: in order, each once, with how much memory."""
    for number in range(questions):
        file = bench.vault / f"Asking/{number}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text("- [ ] #nest How many notes are tagged #tag1?\n")
    begun = time.perf_counter()
    words = [sys.executable, "-c", _MEASURED, str(NEST)]
    done = subprocess.run(words, cwd=bench.vault, env=bench.environment, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    assert done.returncode == 0, done.stderr[-2000:]
    (file,) = (bench.folder / "STATE").rglob("watch.sqlite")
    connection = sqlite3.connect(file)
    query = "SELECT number FROM asks WHERE finished > 0 ORDER BY finished, number"
    finished = [row[0] for row in connection.execute(query)]
    states = connection.execute("SELECT state, count(*) FROM asks GROUP BY state").fetchall()
    connection.close()
    order = "in order" if finished == sorted(finished) else "NOT in order"
    peak = int(done.stdout.split()[-1]) // 1024
    print(f"{questions:,} questions: {states} {order}, {1000 * seconds / questions:.0f} ms each, {peak} MB at most")


_MEASURED = """
import resource, subprocess, sys
done = subprocess.run([sys.argv[1], "watch", "--once"], stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""


def until(check: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not check():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.002)


def wake_ups(pid: int) -> int:
    texts = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int(line.split()[1]) for text in texts for line in text.splitlines() if line.startswith("voluntary"))


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) << 10


if __name__ == "__main__":
    main()
