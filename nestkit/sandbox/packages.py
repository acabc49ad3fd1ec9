"""What a script needs installed in, a folder of packages out, built once and kept. *Process, Network*.

uv does the fetching, an outside program that is never used while a program runs. It gets no script and no setting of
the vault, only names and versions that nest read itself. It takes wheels alone, so that no package's code is run, and
works in a box: the index's port, its own folders, nothing of the vault or the home folder. What was chosen the first
time is locked with its hashes, and only that is installed from then on.

**Source**: PEP 508 (requirements), PEP 723 (where they stand), PEP 427 (wheels).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nestkit.errors import SandboxError

_BOX = Path(__file__).parent / "child" / "boxed.py"
_SECONDS = 600.0
_HANDED_ON = ("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy", "SSL_CERT_FILE")
"""Variables by which a person tells how their network is reached."""
_READ = """
/etc/ssl /etc/pki /etc/ca-certificates /etc/resolv.conf /etc/hosts /etc/nsswitch.conf /etc/host.conf /etc/gai.conf
/etc/ld.so.cache /etc/localtime /run/systemd/resolve /dev/urandom
"""
_RUN = ("/usr", "/lib", "/lib64", "/bin")
_LOCKED = re.compile(r"[A-Za-z0-9][\w.-]*==[\w.!+-]+( ; [^\\\n]*)?( \\)?")
_PLACE = re.compile(r"(?<![\w:/])/(?:[^\s/`'\"]+/)+([^\s/`'\"]+)")
"""An absolute path, of which only the last part concerns whoever asked."""
_HASH = re.compile(r"\s+--hash=sha256:[0-9a-f]{64}( \\)?")


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where packages are kept."""

    folder: Path
    """In the user's cache."""
    locks: Path
    """In the user's state: what was chosen the first time."""
    index: str
    """Where they come from: an address, or a folder of wheels. The person's own setting, never a vault's."""

    def find(self, requirements: Sequence[str]) -> Path | None:
        """The folder with these packages, if it was built."""
        site = self.folder / key_of(requirements) / "site"
        return site if site.is_dir() else None

    def build(self, requirements: Sequence[str], say: Callable[[str], None]) -> Path:
        """The folder with these packages, built now if it is not there. Raises SandboxError with one line of why."""
        key = key_of(requirements)
        self.folder.mkdir(parents=True, exist_ok=True)
        with _alone(self.folder / f".{key}.lock"):
            if found := self.find(requirements):
                return found
            uv = find_uv()
            if not uv:
                hint = "python3 -m pip install uv, or see https://docs.astral.sh/uv"
                raise SandboxError("packages are prepared by uv, which is not installed", hint)
            say(f"preparing packages: {', '.join(requirements)} (from {shown_index(self.index)})")
            work = self.folder / f".{key}-{os.getpid()}"
            shutil.rmtree(work, ignore_errors=True)
            try:
                self._fill(work, self.locks / f"{key}.txt", requirements, uv)
                work.rename(self.folder / key)
            except OSError as error:
                raise SandboxError(f"packages could not be kept: {error.strerror or error}", str(self.folder)) from None
            finally:
                shutil.rmtree(work, ignore_errors=True)
        return self.folder / key / "site"

    def _fill(self, work: Path, lock: Path, requirements: Sequence[str], uv: str) -> None:
        for folder in (work, work / "site", work / "tmp", self.folder / "fetched"):
            folder.mkdir(mode=0o755, exist_ok=True)  # a script of another owner's vault may read them
        wanted, locked = work / "wanted.txt", work / "locked.txt"
        wanted.write_text("\n".join(requirements) + "\n", "utf-8")
        if lock.exists():
            shutil.copyfile(lock, locked)
        else:
            chosen = ("compile", wanted, "--generate-hashes", "--no-header", "--no-annotate", "--output-file", locked)
            self._uv(uv, work, *chosen)
        check_lock(locked.read_text("utf-8"))
        into = ("--target", work / "site", "--require-hashes", "--no-deps", "--link-mode", "copy")
        self._uv(uv, work, "install", "--requirements", locked, *into)
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = lock.with_name(f".{lock.name}-{os.getpid()}")
        shutil.copyfile(locked, kept)
        kept.replace(lock)

    def _uv(self, uv: str, work: Path, command: str, *words: str | Path) -> None:
        """Run `uv pip COMMAND` in its box. Raises SandboxError with what it complained of."""
        fetched = self.folder / "fetched"
        common = ("--no-config", "--cache-dir", fetched, "--no-python-downloads", "--color", "never", "--no-progress")
        source = ("--no-index", "--find-links", self.index) if _is_folder(self.index) else ()
        plain = ("--only-binary", ":all:", "--python", sys.executable)
        argv = [str(word) for word in (uv, "pip", command, *words, *common, *source, *plain)]
        prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, os.path.dirname(os.path.realpath(sys.executable))}
        wish = {
            "read": [*_READ.split(), *([self.index] if _is_folder(self.index) else [])],
            "run": [*_RUN, *sorted(prefixes), uv],
            "write": [str(work), str(fetched), "/dev/null"],
            "ports": [] if _is_folder(self.index) else _ports(self.index),
            "argv": argv,
            "environment": {**_environment(work), **({} if source else {"UV_DEFAULT_INDEX": self.index})},
        }
        code, said = _run(json.dumps(wish))
        if code:
            raise SandboxError(f"packages could not be prepared: {_why(said)}", "mend the script's dependencies")


def shown_index(index: str) -> str:
    """Where packages come from, without the password that may stand in it."""
    return re.sub(r"(?<=://)[^/@]*@", "", index)


def key_of(requirements: Sequence[str]) -> str:
    """A short name for these packages under this Python on this kind of machine."""
    named = sorted({" ".join(requirement.split()) for requirement in requirements})
    where = f"{sys.implementation.cache_tag} {os.uname().machine}"
    return hashlib.sha256("\n".join((where, *named)).encode()).hexdigest()[:24]


def find_uv() -> str:
    """Absolute path of uv, beside nest's own Python or on the PATH; empty when there is none."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.is_file() else shutil.which("uv")
    return os.path.realpath(found) if found and os.path.isabs(found) else ""


def check_lock(text: str) -> None:
    """Raises SandboxError unless every line pins one package of the index to its hashes."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    wrong = [line for line in lines if not (_LOCKED.fullmatch(line) or _HASH.fullmatch(line))]
    bare = [
        line
        for line, below in zip(lines, [*lines[1:], ""], strict=True)
        if _LOCKED.fullmatch(line) and not _HASH.fullmatch(below)
    ]
    if wrong or bare:
        raise SandboxError(f"packages could not be locked: {(wrong or bare)[0].strip()[:200]!r}", "pin it by version")


def fits_python(specifier: str) -> bool:
    """Whether this Python is one that `requires-python` asks for."""
    return _fits(".".join(map(str, sys.version_info[:3])), specifier, unknown=True)


def is_beside(requirement: str) -> bool:
    """Whether a requirement is met by what is installed beside nest."""
    from importlib.metadata import PackageNotFoundError, version

    found = re.fullmatch(r"([A-Za-z0-9][\w.-]*)\s*\(?([^;()\[\]]*)\)?", requirement.strip())
    try:
        return found is not None and _fits(version(found[1]), found[2], unknown=False)
    except PackageNotFoundError:
        return False


def _fits(version: str, specifier: str, *, unknown: bool) -> bool:
    """Whether a version lies in a set of specifiers; `unknown` where either is not plain. **Source**: PEP 440."""
    here = _release(version)
    for part in filter(None, (part.strip() for part in specifier.split(","))):
        found = re.fullmatch(r"(==|!=|>=|<=|~=|>|<)\s*(\d+(?:\.\d+)*)(\.\*)?", part)
        if not found or not here:
            return unknown
        sign, wanted, star = found[1], _release(found[2]), bool(found[3])
        width = len(wanted) if star else max(len(here), len(wanted))
        mine, theirs = (tuple([*each, *[0] * width][:width]) for each in (here, wanted))
        prefix = mine[: len(wanted) - 1] == wanted[:-1]
        fits = {
            "==": mine == theirs,
            "!=": mine != theirs,
            ">=": mine >= theirs,
            "<=": mine <= theirs,
            ">": mine > theirs,
            "<": mine < theirs,
            "~=": mine >= theirs and prefix and len(wanted) > 1,
        }
        if not fits[sign]:
            return False
    return True


def _release(version: str) -> tuple[int, ...]:
    found = re.fullmatch(r"\d+(\.\d+)*", version)
    return tuple(map(int, version.split("."))) if found else ()


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Nobody else builds the same meanwhile; the system frees the lock when its holder dies."""
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _run(wish: str) -> tuple[int, str]:
    """Exit code of a boxed helper, and what it complained of; ended, with all below it, when it takes too long."""
    argv = [sys.executable, "-I", "-S", str(_BOX)]
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen(argv, stdin=pipe, stdout=nothing, stderr=pipe, start_new_session=True, env={})
    try:
        _, said = process.communicate(wish.encode(), timeout=_SECONDS)
        return process.returncode, said.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        return 1, f"it took longer than {_SECONDS:.0f} seconds"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(work: Path) -> Mapping[str, str]:
    given = {name: os.environ[name] for name in _HANDED_ON if name in os.environ}
    return {**given, "HOME": str(work), "TMPDIR": str(work / "tmp"), "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin"}


def _is_folder(index: str) -> bool:
    return index.startswith("/")


def _ports(index: str) -> list[int]:
    """TCP ports of the index, and of a proxy on the way to it."""
    addresses = [index, *(os.environ[name] for name in _HANDED_ON[:5] if name in os.environ and "roxy" in name.lower())]
    parts = [urlsplit(address) for address in addresses]
    return sorted({part.port or (80 if part.scheme == "http" else 443) for part in parts} | {443})


def _why(said: str) -> str:
    """uv's complaint in one line."""
    lines = [re.sub(r"^[\s×╰─▶│├┬hint:error:]+(?=\w)", "", line).strip() for line in said.splitlines()]
    return _PLACE.sub(r"\1", " ".join(filter(None, lines)))[:400] or "uv did not say why"
