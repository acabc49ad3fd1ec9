"""Each wall by itself: what gets through is seen in the world, and every attack works where there is no wall."""

from __future__ import annotations

import os
import platform
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from nestkit.errors import SandboxError
from nestkit.policy import Limits
from nestkit.run import Outcome
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import Job, ToolFailed

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
WALLS = [("kernel-full", 6), ("kernel-full", 1), ("kernel-lite", 6), ("kernel-lite", 4), ("kernel-lite", 1)]
"""Tier and newest version of Landlock: old kernels have the old ones."""


@pytest.fixture(scope="module", params=WALLS, ids=[f"{tier}, Landlock {version}" for tier, version in WALLS])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    tier, version = request.param
    try:
        made = open_engine(tier, landlock=version)
    except SandboxError as error:
        pytest.skip(f"this machine gives no {tier}: {error}")
    with made:
        yield made


@dataclass
class World:
    """A vault and a file outside it that anybody may change, and how they were."""

    vault: Path
    target: Path

    def fill(self, code: str) -> str:
        return (
            code.replace("@TARGET@", str(self.target))
            .replace("@VAULT@", str(self.vault))
            .replace("@HOST@", str(os.getpid()))
        )

    def look(self) -> dict[str, tuple[int, int, int, bytes]]:
        """Mode, time, links and content of everything."""
        files = [self.vault, *self.vault.rglob("*"), self.target.parent, *self.target.parent.rglob("*")]
        return {str(file): _state(file) for file in files}


def _state(file: Path) -> tuple[int, int, int, bytes]:
    info = file.lstat()
    folder = stat.S_ISDIR(info.st_mode)
    return info.st_mode, info.st_mtime_ns, 0 if folder else info.st_nlink, b"" if folder else file.read_bytes()


@pytest.fixture
def world(tmp_path: Path) -> World:
    vault, outside = tmp_path / "vault", tmp_path / "outside"
    for folder in (vault / "02_System", outside):
        folder.mkdir(parents=True)
        folder.chmod(0o777)
    (vault / "Note.md").write_text("note")
    (outside / "file").write_text("untouched")
    (outside / "file").chmod(0o666)
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.is_relative_to("/tmp") and folder != Path("/tmp") and folder.owner() == tmp_path.owner():
            folder.chmod(0o755)
    return World(vault, outside / "file")


def make_broker(**limits: Any) -> Broker:
    return Broker(
        (), host=lambda *_: (None, ()), script=lambda *_: None, allow=lambda *_: None, limits=Limits(**limits)
    )


def run(engine: Engine, program: str, **limits: Any) -> Outcome:
    with engine.program(make_broker(**{"step_seconds": 5.0, **limits}), now=NOW, seed=1) as execute:
        return execute(program)


LIBC = "import ctypes, os, platform\nl = ctypes.CDLL(None, use_errno=True)\nX = platform.machine() == 'x86_64'\n"
DONE = "\nprint('ESCAPED')"

FILES = {
    "read": "open('@TARGET@').read()",
    "write": "open('@TARGET@', 'a').write('x')",
    "truncate what is open for reading": "import os\nos.open('@TARGET@', os.O_RDONLY | os.O_TRUNC)",
    "truncate by name": "import os\nos.truncate('@TARGET@', 0)",
    "remove": "import os\nos.unlink('@TARGET@')",
    "move": "import os\nos.rename('@TARGET@', '@TARGET@.moved')",
    "link": "import os\nos.link('@TARGET@', '@TARGET@.link')",
    "link symbolically": "import os\nos.symlink('@TARGET@', '@TARGET@.symlink')",
    "add a file": "open('@TARGET@.new', 'w').write('x')",
    "add a folder": "import os\nos.mkdir('@TARGET@.folder')",
    "add a pipe": "import os\nos.mkfifo('@TARGET@.pipe')",
    "list": "import os\nos.listdir(os.path.dirname('@TARGET@'))",
    "change the mode": "import os\nos.chmod('@TARGET@', 0o600)",
    "change the time": "import os\nos.utime('@TARGET@', (1, 1))",
}
"""What both programs and tools try on a file that is not theirs."""

POWERS = {
    "let the kernel signal nest": "import fcntl, os, signal\nr, w = os.pipe()\n"
    "fcntl.fcntl(r, fcntl.F_SETOWN, @HOST@)\nfcntl.fcntl(r, 10, signal.SIGUSR1)\n"
    "fcntl.fcntl(r, fcntl.F_SETFL, fcntl.fcntl(r, fcntl.F_GETFL) | os.O_ASYNC)\nos.write(w, b'x')",
    "outlive its parent": LIBC + "assert l.prctl(1, 0, 0, 0, 0) == 0",
    "be looked into": LIBC + "assert l.prctl(4, 1, 0, 0, 0) == 0",
    "slow nest down": "import os\nos.setpriority(os.PRIO_PROCESS, @HOST@, os.getpriority(os.PRIO_PROCESS, @HOST@))",
    "move nest to other processors": "import os\nos.sched_setaffinity(@HOST@, os.sched_getaffinity(@HOST@))",
    "change nest's limits": "import resource\nr = resource.RLIMIT_CORE\n"
    "resource.prlimit(@HOST@, r, resource.prlimit(@HOST@, r))",
    "hold nest": "import os\nos.pidfd_open(@HOST@)",
    "see nest": "import os\nos.kill(@HOST@, 0)",
    "read nest's memory": LIBC + "b = ctypes.create_string_buffer(8)\n"
    "class V(ctypes.Structure): _fields_ = [('a', ctypes.c_void_p), ('n', ctypes.c_size_t)]\n"
    "here = V(ctypes.addressof(b), 8)\n"
    "assert l.process_vm_readv(os.getpid(), ctypes.byref(here), 1, ctypes.byref(here), 1, 0) == 8",
    "a process": "import os\np = os.fork()\nif p == 0: os._exit(0)\nos.waitpid(p, 0)",
    "a shell": "import subprocess\nsubprocess.run(['/bin/true'], check=True)",
    "a port": "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))",
    "any socket": "import socket\n"
    "for family in range(1, 46):\n    for kind in (1, 2, 3, 5):\n        try: socket.socket(family, kind); break\n"
    "        except OSError: pass\n    else: continue\n    break\nelse: raise OSError",
    "a file in memory": "import os\nos.memfd_create('x')",
    "shared memory": LIBC + "assert l.shmget(0, 4096, 0o1600) >= 0",
    "a message queue": LIBC + "assert l.msgget(0, 0o1600) >= 0",
    "watching files": LIBC + "assert l.inotify_init1(0) >= 0",
    "a ring to the kernel": LIBC + "assert l.syscall(425, 1, ctypes.create_string_buffer(256)) >= 0",
    "a user namespace": LIBC + "assert l.unshare(0x10000000) == 0",
    "a key ring": LIBC + "assert l.syscall(248 if X else 217, b'user', b'a', b'b', 1, -2) > 0",
    "performance counters": LIBC
    + "assert l.syscall(298 if X else 241, ctypes.create_string_buffer(b'\\x01\\x00\\x00\\x00"
    "\\x70' + bytes(120)), 0, -1, -1, 0) >= 0",
    "name a file by handle": LIBC
    + "import struct\nh = ctypes.create_string_buffer(struct.pack('II', 128, 0) + bytes(128))\n"
    "m = ctypes.c_int()\nassert l.name_to_handle_at(-100, b'/', h, ctypes.byref(m), 0) == 0",
}
"""What needs no file: powers over other processes, and doors into the kernel."""
MAY_LACK = {"a ring to the kernel", "a user namespace", "a key ring", "performance counters", "name a file by handle"}
"""Attacks that this machine may refuse to everybody."""


@pytest.mark.parametrize("attack", (FILES | POWERS).values(), ids=(FILES | POWERS).keys())
def test_a_program_does_not_get_through(engine: Engine, world: World, attack: str) -> None:
    before, hits = world.look(), []
    old = signal.signal(signal.SIGUSR1, lambda *_: hits.append(1))
    try:
        outcome = run(engine, world.fill(attack) + DONE)
    finally:
        signal.signal(signal.SIGUSR1, old)
    assert "ESCAPED" not in outcome.output
    assert outcome.error
    assert world.look() == before
    assert hits == []


@pytest.mark.parametrize("attack", (FILES | POWERS).values(), ids=(FILES | POWERS).keys())
def test_a_tool_does_not_get_through(engine: Engine, world: World, attack: str) -> None:
    body = world.fill(attack).replace("\n", "\n    ")
    script = world.vault / "02_System/attack.py"
    script.write_text(f"def attack():\n    {body}\n    return 'ESCAPED'\n")
    before = world.look()
    old = signal.signal(signal.SIGUSR1, lambda *_: None)
    value: Any = None
    try:
        value = engine.call(Job("02_System/attack.py", str(world.vault), NOW, function="attack"), Limits(), 5)
    except ToolFailed as failed:
        assert failed.kind in ("PermissionError", "FileNotFoundError", "OSError", "AssertionError", "RuntimeError")
    finally:
        signal.signal(signal.SIGUSR1, old)
    assert world.look() == before
    told_so = engine.tier == "kernel-lite" and ("chmod" in attack or "utime" in attack)
    assert value is None or told_so, "only modes and times may seem to work, and only where nothing came of it"


@pytest.mark.parametrize("name", (FILES | POWERS).keys())
def test_the_attack_works_where_there_is_no_wall(world: World, name: str) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", "import time, signal\nsignal.signal(10, lambda *_: 0)\ntime.sleep(60)"]
    )
    try:
        attack = world.fill((FILES | POWERS)[name]).replace(str(os.getpid()), str(holder.pid))
        done = subprocess.run([sys.executable, "-c", attack + DONE], capture_output=True, text=True, timeout=30)
    finally:
        holder.kill()
        holder.wait()
    if "ESCAPED" not in done.stdout and name in MAY_LACK:
        pytest.skip(f"this machine refuses it to everybody: {done.stderr.strip().splitlines()[-1]}")
    assert "ESCAPED" in done.stdout, done.stderr


def test_a_tool_changes_nothing_of_its_vault_but_what_it_may(engine: Engine, world: World) -> None:
    for folder in ("open", "closed"):
        (world.vault / folder).mkdir(mode=0o777)
        (world.vault / folder / "a.md").write_text("a")
    script = "from pathlib import Path\ndef change(path):\n    Path(path).write_text('changed')\n    return 'done'\n"
    (world.vault / "02_System/change.py").write_text(script)
    job = Job("02_System/change.py", str(world.vault), NOW, function="change", writable=("open",))

    def change(path: str) -> Any:
        return engine.call(
            Job(**{name: getattr(job, name) for name in job.__slots__} | {"arguments": {"path": path}}), Limits()
        )

    assert change("open/a.md") == change("open/new.md") == "done"
    for path in ("closed/a.md", "closed/new.md", "Note.md", "new.md", "02_System/change.py", "02_System/new.py"):
        with pytest.raises(ToolFailed) as caught:
            change(path)
        assert caught.value.kind in ("PermissionError", "OSError")
    assert (world.vault / "open/a.md").read_text() == "changed"
    assert (world.vault / "Note.md").read_text() == "note"


LISTING = """
from pathlib import Path
def look():
    found = []
    for path in sorted(Path(".").rglob("*")):
        try:
            found.append((path.as_posix(), path.read_text() if path.is_file() else ""))
        except OSError:
            found.append((path.as_posix(), "refused"))
    return found
"""


def test_hidden_content_is_out_of_reach_and_the_rest_is_not(engine: Engine, world: World) -> None:
    notes = {
        "Diary/a.md": "a",
        "Diary/b.md": "SECRET",
        "Private/x/c.md": "SECRET",
        ".git/config": "SECRET",
        "top.md": "SECRET",
    }
    for path, text in notes.items():
        (world.vault / path).parent.mkdir(parents=True, exist_ok=True)
        (world.vault / path).write_text(text)
    (world.vault / "02_System/look.py").write_text(LISTING)
    (world.vault / "Diary/way_round.md").symlink_to("b.md")
    (world.vault / "way_out").symlink_to(world.target.parent)
    hide = ("Diary/b.md", "Private", ".git", "top.md", "nothing/here.md")
    found = engine.call(Job("02_System/look.py", str(world.vault), NOW, function="look", hide=hide), Limits())
    seen = dict(found)
    assert "SECRET" not in seen.values()
    assert "untouched" not in seen.values()
    assert (seen["Diary/a.md"], seen["Note.md"]) == ("a", "note")
    if engine.tier == "kernel-full" and _has_overlays():
        assert not {"Diary/b.md", "Private", ".git", "top.md"} & set(seen), "not even their names"


def _has_overlays() -> bool:
    return "overlay" in Path("/proc/filesystems").read_text()


def test_a_vault_is_shown_at_another_place_only_with_namespaces(engine: Engine, world: World) -> None:
    (world.vault / "02_System/where.py").write_text("import os\ndef where(): return [os.getcwd(), __file__]\n")
    job = Job("02_System/where.py", str(world.vault), NOW, function="where", shown="/somewhere/else/vault")
    if engine.tier == "kernel-full":
        assert engine.call(job, Limits()) == ["/somewhere/else/vault", "/somewhere/else/vault/02_System/where.py"]
    else:
        with pytest.raises(SandboxError, match="elsewhere"):
            engine.call(job, Limits())


def test_a_tool_starts_just_the_programs_it_was_granted(engine: Engine, world: World) -> None:
    script = (
        "import subprocess\ndef go(name): return subprocess.run([name], capture_output=True, check=True).returncode\n"
    )
    (world.vault / "02_System/go.py").write_text(script)

    def go(name: str) -> Any:
        job = Job("02_System/go.py", str(world.vault), NOW, function="go", arguments={"name": name}, run=("true",))
        return engine.call(job, Limits(), 5)

    if engine.tier == "kernel-lite":
        with pytest.raises(SandboxError, match="process tree"):
            go("true")
        return
    assert go("true") == 0
    with pytest.raises(ToolFailed) as caught:
        go("id")
    assert caught.value.kind == "PermissionError"


def test_what_a_tool_starts_ends_with_it(engine: Engine, world: World) -> None:
    if engine.tier == "kernel-lite":
        pytest.skip("nothing can be started in this tier")
    script = (
        "import os, time\ndef daemon():\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n"
        "            while True: time.sleep(1)\n        os._exit(0)\n    return 'left one behind'\n"
    )
    (world.vault / "02_System/daemon.py").write_text(script)
    before = processes()
    job = Job("02_System/daemon.py", str(world.vault), NOW, function="daemon", run=("true",))
    assert engine.call(job, Limits(), 5) == "left one behind"
    time.sleep(0.2)
    assert processes() <= before


def processes() -> set[int]:
    """Processes below this one."""
    found: set[int] = set()
    todo = [os.getpid()]
    while todo:
        for task in Path(f"/proc/{todo.pop()}/task").glob("*/children"):
            new = {int(child) for child in task.read_text().split()} - found
            found |= new
            todo += new
    return found


CRASHES = {
    "a null pointer": "import ctypes\nctypes.string_at(0)",
    "exit": "import os\nos._exit(3)",
    "abort": "import os\nos.abort()",
    "close the socket": "import os\nos.close(3)",
    "shut the socket": "import socket\nsocket.socket(fileno=3).shutdown(2)",
    "deep frames": "import os\nos.write(3, (200_000).to_bytes(4, 'big') + b'[' * 200_000)",
    "many parts": "import os\nb = b'[' + b'0,' * 1_500_000 + b'0]'\nb = len(b).to_bytes(4, 'big') + b\n"
    "while b: b = b[os.write(3, b):]",
    "a list for a message": "import os\nos.write(3, b'\\x00\\x00\\x00\\x02[]')",
    "a call of odd shape": 'import os\nm = b\'{"call":"x","args":5,"kwargs":[]}\'\n'
    "os.write(3, len(m).to_bytes(4, 'big') + m)\nimport time\ntime.sleep(60)",
    "an error of odd shape": 'import os\nm = b\'{"done":{"error":5,"cut":"x"}}\'\n'
    "os.write(3, len(m).to_bytes(4, 'big') + m)\nimport time\ntime.sleep(60)",
    "empty prints without end": 'import os\nm = b\'\\x00\\x00\\x00\\x0c{"print":""}\'\nwhile True: os.write(3, m)',
    "calls without end": 'import os\nm = b\'{"call":"x","args":[],"kwargs":{}}\'\n'
    "while True: os.write(3, len(m).to_bytes(4, 'big') + m)",
}


@pytest.mark.parametrize("program", CRASHES.values(), ids=CRASHES.keys())
def test_a_child_that_breaks_down_is_a_clear_outcome(engine: Engine, program: str) -> None:
    begun = time.monotonic()
    with engine.program(make_broker(step_seconds=3, calls=50), now=NOW, seed=1) as execute:
        outcome = execute(program)
        again = execute("final_answer('well')")
    assert outcome.error.startswith("Stopped: "), outcome
    assert not outcome.final
    assert again.value == "well"
    assert time.monotonic() - begun < 6


HANGS = {
    "arithmetic": "10 ** 10 ** 10",
    "a regular expression": "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
    "stop itself": "import ctypes, os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\nwhile True: pass",
    "ignore every signal": "import signal\nfor s in range(1, 65):\n"
    "    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nwhile True: pass",
    "threads": "import threading\ndef f():\n    while True: pass\nfor _ in range(5): threading.Thread(target=f).start()\nf()",
    "swallow everything": "while True:\n    try:\n        x = []\n        while True: x.append('a' * 10**6)\n"
    "    except BaseException: pass",
}


@pytest.mark.parametrize("program", HANGS.values(), ids=HANGS.keys())
def test_what_hangs_is_killed_in_time(engine: Engine, program: str) -> None:
    before, begun = processes(), time.monotonic()
    outcome = run(engine, program, step_seconds=0.7, memory_bytes=256 << 20)
    assert outcome.limit in ("seconds", "memory"), outcome
    assert time.monotonic() - begun < 3
    assert processes() <= before


def test_threads_have_an_end(engine: Engine) -> None:
    program = (
        "import threading, time\nthreading.stack_size(65536)\nn = 0\ntry:\n    while True:\n"
        "        threading.Thread(target=time.sleep, args=(60,), daemon=True).start(); n += 1\n"
        "except RuntimeError:\n    final_answer(n)"
    )
    outcome = run(engine, program)
    assert outcome.final, outcome
    others = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
    assert 8 < outcome.value <= 130 + (0 if engine.tier == "kernel-full" else others + 100)


def test_descriptors_sent_to_nest_are_dropped(engine: Engine) -> None:
    program = (
        "import socket, os, array\ns = socket.socket(fileno=3)\n"
        "fds = array.array('i', [0] * 50)\nm = b'{\"print\": \"x\"}'\nm = len(m).to_bytes(4, 'big') + m\n"
        "for _ in range(20): s.sendmsg([m], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])\ns.detach()\nfinal_answer(1)"
    )
    run(engine, "final_answer(1)")
    before = len(os.listdir("/proc/self/fd"))
    assert run(engine, program).value == 1
    assert len(os.listdir("/proc/self/fd")) <= before


def test_the_host_s_memory_stays_flat(engine: Engine) -> None:
    flood = "m = b'{\"print\":\"' + b'x' * 60_000 + b'\"}'\nimport os\nwhile True: os.write(3, len(m).to_bytes(4, 'big') + m)"
    calls = "for _ in range(40):\n    try: nothing('x' * 1_000_000)\n    except NameError: pass\n"
    before = _resident()
    for program in (flood, "while True: print('x' * 100_000)", "'x' * 10**8", f"nothing = __builtins__['t']\n{calls}"):
        run(engine, program, step_seconds=2, message_bytes=1 << 20)
    assert _resident() - before < 64 << 20


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the old 32-bit calls exist on x86-64 alone")
def test_the_old_calls_are_deadly(engine: Engine) -> None:
    program = (
        "import ctypes, mmap\ncode = bytes.fromhex('b814000000cd80c3')\n"
        "page = mmap.mmap(-1, 4096, prot=7)\npage.write(code)\n"
        "at = ctypes.addressof(ctypes.c_char.from_buffer(page))\nprint('ESCAPED', ctypes.CFUNCTYPE(ctypes.c_int)(at)())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    if "ESCAPED" not in done.stdout:
        pytest.skip("this kernel has no 32-bit calls at all")
    outcome = run(engine, program)
    assert "ESCAPED" not in outcome.output
    assert "signal 31" in outcome.error, outcome


def test_two_programs_at_once_know_nothing_of_each_other(engine: Engine) -> None:
    outcomes: dict[str, Outcome] = {}

    def work(name: str) -> None:
        outcomes[name] = run(engine, f"import os, time\nname = {name!r}\ntime.sleep(0.2)\nfinal_answer([name, dir()])")

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcomes[name].value[0] for name in "ab"] == ["a", "b"]
