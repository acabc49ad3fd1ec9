"""Scripts that would harm their reader: each is a problem of its own, none is run, and the rest goes on."""

from __future__ import annotations

import json
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from checks import NestCommand

from nestkit.hall import reading
from nestkit.hall.reading import LARGE_BYTES, read_script


def names(path: str, source: bytes) -> list[str]:
    return [tool.name for tool in read_script(path, source).tools]


def test_a_large_script_is_read_apart_like_any_other() -> None:
    source = b"def f(x: int) -> int:\n    'Do it.'\n" + b"DATA = [\n" + b"    1234567,\n" * 20_000 + b"]\n"
    assert len(source) > LARGE_BYTES
    script = read_script("02_System/a.py", source)
    assert [tool.signature for tool in script.tools] == ["a.f(x: int) -> int"]
    assert script == reading._read_here("02_System/a.py", source)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(b"x=f'" + b"{a}" * 300_000 + b"'", id="an f-string whose parsing takes the square of its length"),
        pytest.param(b"x;" * 500_000, id="a million small statements"),
        pytest.param(b"x=[" + b"[]," * 300_000 + b"]", id="a literal of a million parts"),
    ],
)
def test_time_and_memory_of_a_large_script_have_ceilings(source: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CPU_SECONDS", 1)
    monkeypatch.setattr(reading, "MEMORY_BYTES", 200 << 20)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    script = read_script("02_System/a.py", source)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 2.5
    assert script.tools == ()
    assert script.problems[0].path == "02_System/a.py"
    assert "to be read" in script.problems[0].what


@pytest.mark.parametrize("length", [2_000, LARGE_BYTES + 1, 900_000])
@pytest.mark.parametrize(
    "draft",
    [
        lambda n: b"x = " + b"-" * n + b"1",
        lambda n: b"x = " + b"not " * (n // 4) + b"1",
        lambda n: b"x = " + b"f(" * (n // 2) + b")" * (n // 2),
        lambda n: b"x = a" + b".b" * (n // 2),
        lambda n: b"x = a" + b"[0]" * (n // 3),
        lambda n: b"x = a" + b"()" * (n // 2),
        lambda n: b"x = 1" + b"+1" * (n // 2),
        lambda n: b"x = " + b"lambda: " * (n // 8) + b"1",
        lambda n: b"x = " + b"1 if a else " * (n // 12) + b"1",
        lambda n: b"if a: pass\n" + b"elif a: pass\n" * (n // 13),
        lambda n: b"x = " + b"{1: " * (n // 4),
        lambda n: b"x = '" + b"a" * n + b"'",
        lambda n: b"x = " + b"'a' " * (n // 4),
        lambda n: b"x = 0x" + b"f" * n,
        lambda n: b"def f(x: '" + b"list[" * (n // 5) + b"'): pass",
        lambda n: b"@" + b"a." * (n // 2) + b"b\ndef f(): pass",
        lambda n: b"'''" + b"Args:\n    a: b\n" * (n // 16) + b"'''",
    ],
)
def test_no_depth_and_no_length_ends_the_reader(draft, length: int) -> None:  # type: ignore[no-untyped-def]
    script = read_script("02_System/a.py", draft(length) + b"\ndef g(): pass\n")
    assert [tool.name for tool in script.tools if tool.name.endswith(".g")] or script.problems
    assert all(problem.path == "02_System/a.py" for problem in script.problems)


def test_a_fault_of_the_reader_is_a_problem_of_that_script(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: str, source: bytes) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr("nestkit.parse.script.parse_script", fail)
    assert "please report: ZeroDivisionError" in read_script("02_System/a.py", b"").problems[0].what


@contextmanager
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine and what connected to it."""
    server, calls = socket.create_server(("127.0.0.1", 0)), []

    def accept() -> None:
        try:
            while True:
                calls.append(server.accept()[1])
        except OSError:
            pass

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1], calls
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def test_scripts_that_act_when_imported_do_nothing_while_they_are_read(
    nest: NestCommand, ops: Path, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    with listener() as (port, calls):
        lines = {
            "writes": f"open({str(trace)!r}, 'w').write('ran')",
            "starts": f"import os; os.system('touch {trace}')",
            "connects": f"import socket; socket.create_connection(('127.0.0.1', {port})).sendall(b'x')",
            "sleeps": "import time; time.sleep(3600)",
            "exits": "import os; os._exit(3)",
            "kills": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "loops": "while True: pass",
            "asks": "input()",
            "decorates": f"@(lambda f: open({str(trace)!r}, 'w'))\ndef g(): pass",
            "defaults": f"def g(x=open({str(trace)!r}, 'w')): pass",
            "annotates": f"def g(x: open({str(trace)!r}, 'w')): pass",
            "encodes": f"# coding: utf-8\nimport codecs; codecs.register(open({str(trace)!r}, 'w'))",
        }
        for name, line in lines.items():
            (ops / f"02_System/bad_{name}.py").write_text(f"{line}\ndef f(x: int) -> int:\n    return x\n")
        (ops / "02_System/bad_shell.sh").write_text(f"touch {trace}\nkill -9 $PPID\n")
        large = f"open({str(trace)!r}, 'w')\ndef f(): pass\n" + "# padding\n" * 10_000
        (ops / "02_System/bad_large.py").write_text(large)
        begun = time.monotonic()
        for words in (("tools", "--json"), ("tools", "--all"), ("tools", "show", "bad_writes.f"), ("show", "problems")):
            done = nest(*words)
            assert done.returncode == 0, done.stderr
        assert calls == []
        assert time.monotonic() - begun < 60  # nobody slept an hour
    assert not trace.exists()
    found = {tool["name"] for tool in json.loads(nest("tools", "--json").stdout)}
    assert {f"bad_{name}.f" for name in lines} | {"bad_shell", "bad_large.f"} <= found


def test_files_that_are_no_scripts_at_all_are_problems_and_the_rest_goes_on(nest: NestCommand, ops: Path) -> None:
    system = ops / "02_System"
    os.mkfifo(system / "pipe.py")
    (system / "endless.py").symlink_to("/dev/zero")
    (system / "loop.py").symlink_to("loop.py")
    (system / "outside.py").symlink_to("/etc/passwd")
    (system / "null.py").write_bytes(b"x = 1\n\0")
    (system / "cookie.py").write_bytes(b"# -*- coding: no-such -*-\n")
    (system / "wrong.py").write_bytes("# coding: ascii\nx = 'é'\n".encode())
    (system / "null.sh").write_bytes(b"echo\n\0")
    with (system / "huge.py").open("wb") as file:
        file.truncate(100 << 20)
    (system / "good.py").write_text("def f(): pass\n")
    problems = {problem["path"]: problem for problem in json.loads(nest("show", "problems", "--json").stdout)}
    said = {path.removeprefix("02_System/"): problem["line"] for path, problem in problems.items()}
    assert said == {
        "pipe.py": 0,
        "endless.py": 0,
        "loop.py": 0,
        "outside.py": 0,
        "null.py": 2,
        "null.sh": 2,
        "cookie.py": 0,
        "wrong.py": 2,
        "huge.py": 0,
    }
    assert "good.f" in nest("tools").stdout


def test_a_script_that_can_no_longer_be_read_takes_its_tools_with_it(nest: NestCommand, ops: Path) -> None:
    script = ops / "02_System/gone.py"
    script.write_text("def f(): pass\n")
    assert "gone.f" in nest("tools").stdout
    with script.open("ab") as file:
        file.truncate(100 << 20)
    assert "gone.f" not in nest("tools").stdout
