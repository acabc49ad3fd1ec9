"""Children in containers: a wish in, a command line for Docker or Podman drafted, a proven child out. *Process*.

The same child and the same talk as elsewhere, over the container's stdin and stdout. The image is the person's, pinned
by its digest and here already: nothing is ever pulled. Inside, the child adds nest's system call filter to what the
container holds, and attacks both before it runs a line that is not ours.
"""

from __future__ import annotations

import csv
import io
import os
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from nestkit.errors import SandboxError
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.process import CHILDREN, ColdBackend, ProcessChild, start_command

_CLIENTS = ("docker", "podman")
_PINNED = re.compile(r"(?:[\w][\w.:/-]*@)?sha256:[0-9a-f]{64}")
_HANDED_ON = (
    "HOME",
    "PATH",
    "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME",
    "DOCKER_HOST",
    "DOCKER_CONTEXT",
    "DOCKER_CONFIG",
    "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY",
    "CONTAINER_HOST",
)
"""What a client needs of the person's environment to find its daemon; none of it is passed in to a container."""
_CLIENT_SECONDS = 20.0
_NOBODY = 65534
_SPARE_BYTES = 64 << 20
"""Above what the child itself may take: it is to be told, not killed, when it takes too much."""


class Container(ColdBackend):
    """The client of a daemon that starts its children."""

    tier = "container"
    runs_scripts = True
    start_seconds = 60.0

    def __init__(self, setup: Setup) -> None:
        self._client, self._image = _find_client(), setup.image
        _ask(self._client, "version", "--format", "{{.Server.Version}}")
        _check_image(self._client, setup.image)
        self._sweep()
        super().__init__()

    def spawn(self, wish: Mapping[str, Any], most: int) -> ProcessChild:
        """A child that has found no way out of its container. Raises SandboxError."""
        name = f"nest-{secrets.token_hex(8)}"
        _make_folders(wish)
        argv = draft_command(self._client, self._image, name, wish)
        return self.start(argv, wish, most, _environment(), ending=lambda: self._end(name))

    def _end(self, name: str) -> None:
        """Kill a container by its name: the client that started it is not the container."""
        with suppress(SandboxError):  # it has ended, and is gone
            _ask(self._client, "kill", name)

    def _sweep(self) -> None:
        """Kill what a nest on this machine that was itself killed has left running."""
        rows = _ask(self._client, "ps", "--filter", "label=nestkit", "--format", '{{.Names}} {{.Label "nestkit"}}')
        for name, owner in (row.split(" ", 1) for row in rows.splitlines() if " " in row):
            host, _, process = owner.rpartition("/")
            if host == socket.gethostname() and process != _find_process(process.partition(".")[0]):
                self._end(name)


def open_backend(name: str, setup: Setup) -> Container:
    """Raises SandboxError where there is no client, no daemon that answers, or no pinned image."""
    return Container(setup)


def find_lack(setup: Setup) -> str:
    """What is missing; the daemon is asked."""
    try:
        client = _find_client()
        _ask(client, "version", "--format", "{{.Server.Version}}")
        _check_image(client, setup.image)
    except SandboxError as error:
        return f"{error}; {error.hint}" if error.hint else str(error)
    return ""


def draft_command(client: str, image: str, name: str, wish: Mapping[str, Any]) -> list[str]:
    """The command line that starts a child with this wish. *Pure* but for looking at what of the vault is there."""
    memory = str(wish["memory_bytes"] + _SPARE_BYTES)
    user, group = _owner(wish)
    given = {
        "name": name,
        "label": f"nestkit={socket.gethostname()}/{_find_process(str(os.getpid()))}",
        "pull": "never",
        "network": "none",
        "cap-drop": "ALL",
        "security-opt": "no-new-privileges",
        "pids-limit": str(wish["processes"]),
        "memory": memory,
        "memory-swap": memory,
        "user": f"{user}:{group}",
        "hostname": "nest",
        "workdir": "/",
        "env": "PYTHONHASHSEED=0",
        "log-driver": "none",
    }
    options = [word for option, value in given.items() for word in (f"--{option}", value)]
    mounts = [word for mount in _mounts(wish) for word in ("--mount", mount)]
    python, *words = start_command("python3", "alone")
    start = ["--entrypoint", python, image, *words]
    return [client, "run", "--rm", "--interactive", "--read-only", *options, *mounts, *start]


def _mounts(wish: Mapping[str, Any]) -> Iterator[str]:
    """What of this machine is seen inside, each at a place of its own."""
    yield _bind(str(CHILDREN), str(CHILDREN))
    if "root" not in wish:
        return
    root, shown = wish["root"], wish["shown"]
    yield _bind(wish["scratch"], wish["scratch"], writable=True)
    for folder in wish["site"]:
        yield _bind(folder, folder)
    everything = [""] if wish["read"] is None else wish["read"]
    for path in everything:
        if _is_plain(root, path):
            yield _bind(_join(root, path), _join(shown, path), writable=wish["writable"] is True)
    if isinstance(wish["writable"], list):
        yield from (_bind(_join(root, path), _join(shown, path), writable=True) for path in wish["writable"])
    for path in wish["hide"]:
        within = any(not top or f"{path}/".startswith(f"{top}/") for top in everything)
        if within and _is_plain(root, path):
            hidden = _join(shown, path)
            is_folder = os.path.isdir(_join(root, path))
            yield (
                _draft_mount("type=tmpfs", f"dst={hidden}", "tmpfs-size=4096")
                if is_folder
                else _bind(os.devnull, hidden)
            )


def _bind(source: str, target: str, *, writable: bool = False) -> str:
    return _draft_mount("type=bind", f"src={source}", f"dst={target}", *(() if writable else ("readonly",)))


def _draft_mount(*parts: str) -> str:
    """Parts of one mount as a row of CSV, which is how clients read it: no comma or quote in a path can add a part."""
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(parts)
    return row.getvalue()


def _join(folder: str, path: str) -> str:
    return f"{folder}/{path}" if path else folder


def _is_plain(root: str, path: str) -> bool:
    """Whether it is there and no link: a client would follow one out of the vault."""
    place = _join(root, path)
    return os.path.lexists(place) and os.path.realpath(place) == place


def _make_folders(wish: Mapping[str, Any]) -> None:
    """The folders a script may write to, in the private copy that it works on. Raises SandboxError."""
    for path in wish.get("writable") or () if isinstance(wish.get("writable"), list) else ():
        os.makedirs(_join(wish["root"], path), exist_ok=True)
        if not _is_plain(wish["root"], path):
            raise SandboxError(f"{path} passes a link")


def _owner(wish: Mapping[str, Any]) -> tuple[int, int]:
    """Who is to be inside: the vault's owner, for its files; nobody where there is no vault."""
    if "root" not in wish:
        return _NOBODY, _NOBODY
    found = os.stat(wish["root"])
    return found.st_uid, found.st_gid


def _find_client() -> str:
    """Absolute path of Docker's or Podman's client. Raises SandboxError."""
    for name in _CLIENTS:
        if (found := shutil.which(name)) and os.path.isabs(found):
            return found
    raise SandboxError("neither docker nor podman is installed", "install one of them, or use another engine")


def _check_image(client: str, image: str) -> None:
    if not _PINNED.fullmatch(image):
        what = f"{image!r} is not pinned by a digest" if image else "no image is named for containers"
        hint = 'set [ask] image = "NAME@sha256:..." in your config.toml: one with Python 3.11 or newer as python3'
        raise SandboxError(what, hint)
    try:
        _ask(client, "image", "inspect", "--format", "{{.Id}}", image)
    except SandboxError as error:
        raise SandboxError(f"the image {image} is not here: {error}", f"get it yourself: docker pull {image}") from None


def _ask(client: str, *words: str) -> str:
    """What a client answers. Raises SandboxError with its complaint."""
    host = os.environ.get("DOCKER_HOST", "unix://")
    if not host.startswith(("unix://", "npipe://", "/")):
        raise SandboxError(f"DOCKER_HOST is {host}: a daemon elsewhere has none of this vault's files", "unset it")
    try:
        done = subprocess.run(
            [client, *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=_environment(),
            timeout=_CLIENT_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"{client} does not answer: {error}"[:300], "start it, or use another engine") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SandboxError(
            (said[-1] if said else f"{client} {words[0]} failed")[:300], "start it, or use another engine"
        )
    return done.stdout.decode("utf-8", "replace")


def _environment() -> Mapping[str, str]:
    return {name: os.environ[name] for name in _HANDED_ON if name in os.environ}


def _find_process(number: str) -> str:
    """What tells a process from others that had its number before: that, and where it is told, when it began.

    Empty when it does not live.
    """
    if not number.isdigit():
        return ""
    try:
        os.kill(int(number), 0)
        with open(f"/proc/{number}/stat", "rb") as file:
            return f"{number}.{file.read().rpartition(b')')[2].split()[19].decode()}"
    except FileNotFoundError:
        return number
    except (ProcessLookupError, OverflowError):
        return ""
    except OSError:
        return number
