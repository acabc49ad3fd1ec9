"""Children under macOS' Seatbelt: a wish in, a profile drafted, a proven child out. *Process*.

The profile denies everything and then allows what the wish names. Paths never stand in its text: they are parameters,
so nothing in a path can become a rule. Written from the documentation of others and not yet run on a Mac: each child
attacks its walls before it runs a line that is not ours, and a profile that does not hold, or lets Python not even
start, is a refusal. It holds no memory, and cannot end processes that leave their group; so none is started.

**Source**: sandbox-exec(1); the profiles that macOS ships in `/System/Library/Sandbox/Profiles`.
"""

from __future__ import annotations

import fcntl
import os
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nestkit.errors import SandboxError
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.process import CHILDREN, ColdBackend, ProcessChild, start_command

_LAUNCHER = "/usr/bin/sandbox-exec"
_PACKAGES = ("site-packages", "dist-packages")

_ALWAYS = """\
(version 1)
(deny default)
(allow signal (target self))
(allow process-info* (target self))
(allow sysctl-read
  (sysctl-name-prefix "hw.") (sysctl-name "kern.osversion") (sysctl-name "kern.osproductversion")
  (sysctl-name "kern.osrelease") (sysctl-name "kern.ostype") (sysctl-name "kern.version")
  (sysctl-name "kern.maxfilesperproc") (sysctl-name "kern.argmax") (sysctl-name "kern.secure_kernel"))
(allow file-read-metadata (literal "/") (literal "/var") (literal "/tmp") (literal "/etc"))
(allow file-read-data (literal "/"))
(allow file-read* (literal "/dev/null") (literal "/dev/zero") (literal "/dev/random") (literal "/dev/urandom"))
(allow file-write-data (literal "/dev/null"))
(allow file-read* file-map-executable
  (subpath "/usr/lib") (subpath "/System/Library") (subpath "/System/Volumes/Preboot/Cryptexes"))
(allow file-read* (subpath "/usr/share/zoneinfo") (subpath "/usr/share/zoneinfo.default")
  (subpath "/private/var/db/timezone"))
"""
"""What a process needs to be one, and the time zones. Nothing of the person's."""
_WRITING = "file-write-data file-write-unlink file-write-mode file-write-times file-write-flags"
_MADE = "(require-any (vnode-type REGULAR-FILE) (vnode-type DIRECTORY))"
"""What may be made new: never links, pipes, sockets or devices."""


@dataclass(slots=True)
class Profile:
    """A profile being drafted: its rules, and the paths that they speak of by name."""

    rules: list[str] = field(default_factory=list)
    parameters: dict[str, str] = field(default_factory=dict)

    def name(self, path: str) -> str:
        """The name that stands for this path. Raises SandboxError for one that no command line can hold."""
        if not path.startswith("/") or "\0" in path:
            raise SandboxError(f"no profile can name the path {path!r}")
        known = next((name for name, other in self.parameters.items() if other == path), "")
        name = known or f"P{len(self.parameters)}"
        self.parameters[name] = path
        return f'(param "{name}")'

    def say(self, verdict: str, operations: str, kind: str, paths: Iterable[str]) -> None:
        """One rule over all these paths; none for none."""
        if filters := " ".join(f"({kind} {self.name(path)})" for path in dict.fromkeys(paths)):
            self.rules.append(f"({verdict} {operations} {filters})")

    @property
    def text(self) -> str:
        return _ALWAYS + "".join(f"{rule}\n" for rule in self.rules)


def draft_profile(wish: Mapping[str, Any], python: str, standard: Sequence[str]) -> Profile:
    """The profile for a child with this wish, in which later rules win over earlier ones. *Pure*.

    `python` is the interpreter's file, `standard` the folders of the standard library; every path has its links
    resolved, since the kernel compares what a file is called in truth.
    """
    profile = Profile()
    profile.say("allow", "process-exec", "literal", [python])
    profile.say("allow", "file-read* file-map-executable", "subpath", [python, *standard])
    profile.say("deny", "file-read*", "subpath", [f"{top}/{name}" for top in standard for name in _PACKAGES])
    profile.say("allow", "file-read*", "subpath", [str(CHILDREN)])
    opened = [python, *standard, str(CHILDREN)]
    if "root" in wish:
        opened += _draft_world(profile, wish)
    profile.say("allow", "file-read-metadata", "literal", _above(opened))
    return profile


def _draft_world(profile: Profile, wish: Mapping[str, Any]) -> list[str]:
    """Rules for a child that is given files; the paths that it must be able to walk to."""
    root, scratch = wish["root"], wish["scratch"]
    profile.say("allow", "file-read* file-map-executable", "subpath", wish["site"])
    seen = [root] if wish["read"] is None else [_join(root, path) for path in wish["read"]]
    profile.say("allow", "file-read*", "subpath", [*seen, scratch])
    if wish["read"] is not None:
        profile.say("allow", "file-read*", "literal", [root])
    folders = wish["writable"] if isinstance(wish["writable"], list) else [""] if wish["writable"] else []
    written = [_join(root, path) for path in folders]
    for place in (scratch, *written):
        profile.say("allow", _WRITING, "subpath", [place])
        profile.rules.append(f"(allow file-write-create (require-all (subpath {profile.name(place)}) {_MADE}))")
    profile.say("deny", "file-read* file-write*", "subpath", [_join(root, path) for path in wish["hide"]])
    if wish["run"]:
        profile.rules.append("(allow process-fork)")
        profile.say("allow", "process-exec file-read* file-map-executable", "literal", wish["run"])
    return [root, scratch, *wish["site"], *seen, *written, *wish["run"]]


def _join(folder: str, path: str) -> str:
    return f"{folder}/{path}".rstrip("/")


def _above(paths: Iterable[str]) -> list[str]:
    """The folders that these paths lie in, up to the top."""
    found: dict[str, None] = {}
    for path in paths:
        while (path := path.rpartition("/")[0]) and path not in found:
            found[path] = None
    return sorted(found)


class Seatbelt(ColdBackend):
    """The parent of its children."""

    tier = "seatbelt"
    runs_scripts = True

    def __init__(self) -> None:
        self._python, self._standard = _find_python()
        super().__init__()
        self.folder = find_name(self.folder)

    def spawn(self, wish: Mapping[str, Any], most: int) -> ProcessChild:
        """A child that has found no way out of its profile. Raises SandboxError."""
        profile = draft_profile(_named_in_truth(wish), self._python, self._standard)
        given = [word for name, path in profile.parameters.items() for word in ("-D", f"{name}={path}")]
        argv = [_LAUNCHER, *given, "-p", profile.text, *start_command(self._python, "alone")]
        return self.start(argv, wish, most)


def open_backend(name: str, setup: Setup) -> Seatbelt:
    """Raises SandboxError where there is no Seatbelt."""
    if lack := find_lack(setup):
        raise SandboxError(f"{name} cannot be had here: {lack}", "see `nest doctor`")
    return Seatbelt()


def find_lack(setup: Setup) -> str:
    """What is missing."""
    return "" if os.access(_LAUNCHER, os.X_OK) else f"needs macOS, with {_LAUNCHER}"


def find_name(path: str) -> str:
    """What a file or folder is called in truth: links resolved, letters as they are on the disk."""
    path = os.path.realpath(path)
    get_path = getattr(fcntl, "F_GETPATH", None)
    if get_path is None:
        return path
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return path
    try:
        return os.fsdecode(fcntl.fcntl(handle, get_path, bytes(1024)).rstrip(b"\0"))
    finally:
        os.close(handle)


def _named_in_truth(wish: Mapping[str, Any]) -> Mapping[str, Any]:
    if "root" not in wish:
        return wish
    named = {key: find_name(wish[key]) for key in ("root", "scratch")}
    return {**wish, **named, "site": [find_name(folder) for folder in wish["site"]]}


def _find_python() -> tuple[str, list[str]]:
    """The interpreter that is to run, and the folders of its standard library.

    A framework's `bin/python3` only starts another program, which the profile would not let it.
    """
    inner = f"{sys.base_prefix}/Resources/Python.app/Contents/MacOS/Python"
    python = inner if os.path.exists(inner) else getattr(sys, "_base_executable", "") or sys.executable
    wide = sys.base_prefix in ("/", "/usr", "/usr/local")
    standard = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), *([] if wide else [sys.base_prefix])}
    return find_name(python), sorted(map(find_name, standard))
