"""What a tool may do besides reading: hosts it may reach, programs it may start, limits over all of its processes."""

from __future__ import annotations

import http.server
import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from nestkit.change import digest
from nestkit.errors import SandboxError
from nestkit.policy import Limits
from nestkit.sandbox import dial
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.sandbox.job import Job, ToolFailed
from nestkit.sandbox.wish import find_programs
from nestkit.testing import make_vault

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
SCRIPT = """
import errno, os, socket, subprocess, threading, time, urllib.request


def fetch(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def plain(host, port):
    with socket.create_connection((host, port), 3) as link:
        link.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
        return link.makefile("rb").read().rpartition(b"\\n")[2].decode()


async def _get(host, port):
    import asyncio
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
    data = await reader.read()
    writer.close()
    return data.rpartition(b"\\n")[2].decode()


def loop(host, port):
    import asyncio
    return asyncio.run(_get(host, port))


def raw(port):
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    return [libc.socket(family, kind, 0) for family in (1, 2, 10, 16, 40) for kind in (1, 2, 3)]


def datagram():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def listen():
    socket.create_server(("127.0.0.1", 0))


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    return done.stdout


def shell(text):
    return subprocess.run(["sh", "-c", text], capture_output=True, text=True).stdout


def daemon():
    subprocess.Popen(["sh", "-c", "setsid sleep 300 >/dev/null 2>&1 & setsid sleep 301 &"], close_fds=True)
    time.sleep(0.2)
    return "started"


def eat():
    children = [subprocess.Popen(["python3", "-c", "x = bytearray(150 << 20); import time; time.sleep(60)"])
                for _ in range(4)]
    time.sleep(30)


def burn():
    children = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(4)]
    time.sleep(30)


def fill():
    import tempfile
    folder = tempfile.gettempdir()
    for number in range(100):
        with open(f"{folder}/{number}", "wb") as file:
            file.write(bytes(1 << 20))
            time.sleep(0.01)


def hoard(where, how):
    # fills a disk past whoever measures it: too deep, locked, or in the copy of the vault
    os.chdir(where or os.environ["TMPDIR"])
    for _ in range(50 if how == "deep" else 0):
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    if how == "locked":
        os.mkdir("locked", 0o300)
        os.chdir("locked")
    for number in range(24):
        with open(f"f{number}.md", "wb") as file:
            file.write(bytes(1 << 20))
    time.sleep(5)


def fork_bomb():
    made = 0
    try:
        while made < 1000:
            if os.fork() == 0:
                time.sleep(60)
            made += 1
    except OSError as error:
        return [made < 130, errno.errorcode[error.errno]]
"""


@pytest.fixture(scope="module", params=("kernel-full", "kernel-lite"))
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    try:
        made = open_engine(request.param)
    except SandboxError as error:
        pytest.skip(f"this machine gives no {request.param}: {error}")
    with made:
        yield made


@pytest.fixture
def call(engine: Engine, tmp_path: Path) -> Callable[..., Any]:
    tmp_path.chmod(0o755)
    vault = make_vault(tmp_path / "vault", {"02_System/t.py": SCRIPT})

    def make(function: str, job: dict[str, Any], limits: dict[str, Any] | None = None, **arguments: Any) -> Any:
        made = Job("02_System/t.py", str(vault), NOW, function=function, arguments=arguments, **job)
        return engine.call(made, Limits(**{"tool_seconds": 15, **(limits or {})}))

    return make


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """Where a web server of this machine listens."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_unmodified_libraries_reach_a_granted_host(call: Callable[..., Any], port: int) -> None:
    job = {"network": (f"127.0.0.1:{port}",)}
    assert call("fetch", job, url=f"http://127.0.0.1:{port}/") == "hello"
    assert call("plain", job, host="127.0.0.1", port=port) == "hello"
    assert call("loop", job, host="127.0.0.1", port=port) == "hello"


@pytest.mark.parametrize("granted", [(), ("example.com",), ("127.0.0.1:1",), ("",), ("*.0.0.1",)])
def test_no_other_host_is_reached(call: Callable[..., Any], port: int, granted: tuple[str, ...]) -> None:
    with pytest.raises(ToolFailed) as failed:
        call("plain", {"network": granted}, host="127.0.0.1", port=port)
    assert failed.value.kind == "PermissionError"
    if granted:
        assert "127.0.0.1" in failed.value.text


def test_with_a_host_granted_nothing_but_that_is_open(call: Callable[..., Any], port: int) -> None:
    job = {"network": (f"127.0.0.1:{port}",)}
    assert set(call("raw", job, port=port)) == {-1}
    for function in ("datagram", "listen"):
        with pytest.raises(ToolFailed, match=r"TCP|listen"):
            call(function, job)


def test_a_closed_port_is_a_refused_connection(call: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ToolFailed) as failed:
        call("plain", {"network": (f"127.0.0.1:{port}",)}, host="127.0.0.1", port=port)
    assert failed.value.kind == "ConnectionRefusedError"


HOSTS = [
    # host, port, granted, whether as an address of its own; None when it is denied
    ("api.example.com", 443, ("api.example.com",), False),
    ("API.Example.com.", 443, ("api.example.com",), False),
    ("api.example.com", 443, ("api.example.com:443",), False),
    ("api.example.com", 80, ("api.example.com:443",), None),
    ("example.com", 443, ("api.example.com",), None),
    ("evilexample.com", 443, ("example.com",), None),
    ("example.com.evil.org", 443, ("example.com",), None),
    ("a.example.com", 443, ("*.example.com",), False),
    ("example.com", 443, ("*.example.com",), None),
    ("evil-example.com", 443, ("*.example.com",), None),
    ("anything.org", 443, ("",), False),
    ("127.0.0.1", 80, ("127.0.0.1",), True),
    ("127.0.0.1", 80, ("",), False),
    ("localhost", 11434, ("localhost:11434",), True),
    ("::1", 80, ("[::1]:80",), True),
    ("::1", 80, ("::1",), True),
    ("api.example.com\0.evil.org", 443, ("api.example.com",), None),
    ("user@api.example.com", 443, ("",), None),
    ("fe80::1%eth0", 443, ("",), None),
    ("api.example.com", 0, ("",), None),
    ("api.example.com", 99999, ("",), None),
    ("", 443, ("",), None),
]


@pytest.mark.parametrize(("host", "port", "granted", "expected"), HOSTS)
def test_a_host_is_compared_whole_with_what_was_granted(
    host: str, port: int, granted: tuple[str, ...], expected: bool | None
) -> None:
    if expected is None:
        with pytest.raises(dial.Denied):
            dial.check_host(host, port, granted)
    else:
        assert dial.check_host(host, port, granted) is expected


OWN = """
fec0::1 ::127.0.0.1 ::ffff:0:127.0.0.1 64:ff9b:1::7f00:1 192.0.0.192 168.63.129.16 192.88.99.1 5f00::1 3fff::1
127.0.0.1 127.8.8.8 0.0.0.0 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 224.0.0.1 255.255.255.255
::1 :: fe80::1 fc00::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 2002:7f00:1::1 fd00:ec2::254
"""


@pytest.mark.parametrize("address", OWN.split())
def test_a_name_leads_to_no_address_of_this_machine_or_its_network(address: str) -> None:
    with pytest.raises(dial.Denied):
        dial.check_address(address)
    for public in ("1.1.1.1", "2606:4700:4700::1111"):
        dial.check_address(public)


def ask(message: bytes, granted: tuple[str, ...], addresses: list[str]) -> tuple[bytes, int]:
    """What nest answers to a tool's request, and how many descriptors come with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, dial.dialling(ours, granted, lambda host, port: addresses):
        theirs.settimeout(5)
        theirs.send(message)
        answer, handles, _, _ = socket.recv_fds(theirs, 4096, 4)
        for handle in handles:
            os.close(handle)
        return answer, len(handles)


def test_a_granted_name_that_leads_home_is_denied(port: int) -> None:
    wish = b'{"host": "rebound.example", "port": %d, "seconds": null}' % port
    for addresses in (["127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::ffff:127.0.0.1"]):
        answer, handles = ask(wish, ("rebound.example", ""), addresses)
        assert (b"PermissionError" in answer, handles) == (True, 0)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", "example.."])
def test_a_name_that_cannot_be_looked_up_is_told_and_ends_nothing(host: str) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, dial.dialling(ours, ("",)):
        theirs.settimeout(5)
        for _ in range(2):
            theirs.send(b'{"host": "%s", "port": 80, "seconds": 1}' % host.encode())
            assert b"gaierror" in theirs.recv(4096)


@pytest.mark.parametrize(
    "message",
    [b"x", b"[]", b"{}", b'{"host": 1, "port": 1, "seconds": 1}', b'{"host": "a", "port": "1", "seconds": 1}',
     b'{"host": "a", "port": true, "seconds": 1}', b"[" * 4000, b'{"host": "a\\u0000b", "port": 1, "seconds": 1}'],
)  # fmt: skip
def test_a_forged_request_is_denied(message: bytes) -> None:
    answer, handles = ask(message, ("a",), ["127.0.0.1"])
    assert (b"PermissionError" in answer, handles) == (True, 0)


def test_named_programs_can_be_started_and_no_others(engine: Engine, call: Callable[..., Any]) -> None:
    if not engine.layers:
        with pytest.raises(ToolFailed, match="namespaces"):
            call("run", {"run": ("echo",)}, words=["echo", "hi"])
        return
    assert call("run", {"run": ("echo",)}, words=["echo", "hi"]) == "hi\n"
    with pytest.raises(ToolFailed) as failed:
        call("run", {"run": ("echo",)}, words=["cat", "/etc/passwd"])
    assert failed.value.kind == "PermissionError"
    assert call("shell", {"run": ("sh",)}, text="echo hi; cat /etc/passwd; ls /home /root") == "hi\n"


def test_what_a_script_may_start_has_not_changed_since_leave_was_given(engine: Engine, tmp_path: Path) -> None:
    if not engine.layers:
        pytest.skip("no program is started without namespaces")
    tmp_path.chmod(0o755)
    notes = {"02_System/go.sh": ". 02_System/lib.sh\n", "02_System/lib.sh": "echo as shown\n"}
    vault = make_vault(tmp_path / "vault", notes)
    modules = {path: digest(text.encode()) for path, text in notes.items()}
    job = Job(
        "02_System/go.sh", str(vault), NOW, run=("sh",), shell="sh", modules={**modules, "02_System/gone.sh": "0"}
    )
    assert engine.call(job, Limits()) == "as shown\n"
    (vault / "02_System/lib.sh").write_text("echo something else\n")
    with pytest.raises(ToolFailed, match=r"lib\.sh, which 02_System/go\.sh may start, has changed"):
        engine.call(job, Limits())


def test_a_program_is_one_of_the_machine_and_none_of_the_vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for it opens it, and a pipe would hold nest for ever."""
    os.mkfifo(tmp_path / "pipe", 0o755)
    (tmp_path / "evil").write_text("#!\n")
    (tmp_path / "evil").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    for name in ("./pipe", str(tmp_path / "pipe"), "./evil", "../" + tmp_path.name + "/evil", "evil", ""):
        assert find_programs([name]) == []
    assert os.path.realpath("/bin/sh") in find_programs(["/bin/sh"])


def test_what_a_program_leaves_running_is_gone_with_its_tool(engine: Engine, call: Callable[..., Any]) -> None:
    if not engine.layers:
        pytest.skip("no program is started without namespaces")
    assert call("daemon", {"run": ("sh", "sleep", "setsid")}) == "started"
    assert not sleepers()


def sleepers() -> list[str]:
    """Processes of this machine that sleep as `daemon` has them do."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if file.read_bytes().startswith((b"sleep\x00300", b"sleep\x00301")):
                found.append(file.parent.name)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("function", "limits", "kind"),
    [("eat", {"memory_bytes": 400 << 20}, "MemoryError"), ("burn", {"cpu_seconds": 2}, "TimeoutError")],
)
def test_limits_hold_for_all_processes_of_a_tool_together(
    engine: Engine, call: Callable[..., Any], function: str, limits: dict[str, Any], kind: str
) -> None:
    if not engine.layers:
        pytest.skip("no program is started without namespaces")
    with pytest.raises(ToolFailed) as failed:
        call(function, {"run": ("python3", "sh")}, limits)
    assert failed.value.kind == kind, failed.value


def test_a_fork_bomb_meets_its_ceiling(engine: Engine, call: Callable[..., Any]) -> None:
    if not engine.layers:
        assert call("fork_bomb", {}) == [True, "EPERM"]
        return
    assert call("fork_bomb", {"run": ("true",)}) == [True, "EAGAIN"]


def test_a_full_scratch_folder_is_an_error_that_says_so(engine: Engine, call: Callable[..., Any]) -> None:
    with pytest.raises(ToolFailed) as failed:
        call("fill", {}, {"scratch_bytes": 4 << 20})
    assert failed.value.kind == "OSError"
    assert "space" in failed.value.text or "scratch" in failed.value.text


@pytest.mark.parametrize(("where", "how"), [("", ""), ("", "deep"), ("", "locked"), ("out", "")])
def test_a_script_fills_no_disk_past_who_measures_it(engine: Engine, tmp_path: Path, where: str, how: str) -> None:
    tmp_path.chmod(0o755)
    vault = make_vault(tmp_path / "vault", {"02_System/t.py": SCRIPT, "out/a.md": "a"})
    given = {"where": where and str(vault / where), "how": how}
    job = Job(
        "02_System/t.py", str(vault), NOW, function="hoard", arguments=given, writable=("out",) if where else False
    )
    collect = (lambda folder: None) if where and engine.layers else None
    with pytest.raises(ToolFailed) as failed:
        engine.call(job, Limits(scratch_bytes=4 << 20, staged_bytes=4 << 20, tool_seconds=15), collect=collect)
    assert failed.value.kind == "OSError", failed.value
