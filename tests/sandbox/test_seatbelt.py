"""The profile for macOS, as far as it can be known without a Mac: what it names, in which order, and that paths stay
paths. No profile here was loaded by a kernel; that a loaded one holds is for the child's own attacks to say.
"""

from __future__ import annotations

import re
import string
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.errors import SandboxError
from nestkit.sandbox import seatbelt
from nestkit.sandbox.backend import Setup
from nestkit.sandbox.engine import open_engine
from nestkit.sandbox.seatbelt import Profile, draft_profile

PYTHON, STANDARD = "/py/bin/python3", ("/py/lib/python3.11",)
WORLD: dict[str, Any] = {
    "root": "/v",
    "shown": "/v",
    "read": None,
    "hide": [],
    "site": [],
    "writable": False,
    "scratch": "/private/tmp/s",
    "run": [],
}


def draft(**changed: Any) -> Profile:
    return draft_profile(WORLD | changed if changed else {}, PYTHON, STANDARD)


def verdict_on(profile: Profile, operation: str, path: str) -> str:
    """What a profile says of an operation on a path: the last rule that speaks of both, as Seatbelt reads them."""
    said = "deny"
    for rule in profile.rules:
        found = re.match(r"\((allow|deny) ([\w* -]+?) ?[()]", rule)
        assert found
        verdict, operations = found.groups()
        kinds = [each.rstrip("*") for each in operations.split()]
        if not any(operation == kind or operation.startswith(f"{kind}-") for kind in kinds):
            continue
        for how, name in re.findall(r'\((subpath|literal) \(param "(P\d+)"\)\)', rule):
            place = profile.parameters[name]
            if path == place or (how == "subpath" and path.startswith(f"{place}/")):
                said = verdict
    return said


def test_everything_is_denied_first() -> None:
    assert draft().text.splitlines()[:2] == ["(version 1)", "(deny default)"]


@pytest.mark.parametrize(
    ("changed", "operation", "path", "verdict"),
    [
        ({}, "file-read-data", "/py/lib/python3.11/json/__init__.py", "allow"),
        ({}, "file-read-data", "/py/lib/python3.11/site-packages/secret.py", "deny"),
        ({}, "file-read-data", "/v/a.md", "deny"),
        ({}, "file-read-data", "/Users/me/.ssh/id", "deny"),
        ({}, "file-write-data", "/py/lib/python3.11/json/__init__.py", "deny"),
        ({}, "process-exec", PYTHON, "allow"),
        ({}, "process-exec", "/bin/sh", "deny"),
        ({}, "network-outbound", "/", "deny"),
        ({"read": None}, "file-read-data", "/v/a.md", "allow"),
        ({"read": None}, "file-write-data", "/v/a.md", "deny"),
        ({"read": None}, "file-read-data", "/vault/a.md", "deny"),
        ({"read": ["A", "b.md"]}, "file-read-data", "/v/A/x.md", "allow"),
        ({"read": ["A", "b.md"]}, "file-read-data", "/v/c.md", "deny"),
        ({"read": ["A", "b.md"]}, "file-read-data", "/v", "allow"),
        ({"hide": [".git", "Diary"]}, "file-read-data", "/v/Diary/today.md", "deny"),
        ({"hide": [".git"], "writable": True}, "file-write-data", "/v/.git/config", "deny"),
        ({"writable": True}, "file-write-data", "/v/a.md", "allow"),
        ({"writable": ["out"]}, "file-write-data", "/v/out/a.md", "allow"),
        ({"writable": ["out"]}, "file-write-data", "/v/a.md", "deny"),
        ({"writable": ["out"]}, "file-write-create", "/v/outside.md", "deny"),
        ({"read": None}, "file-write-data", "/private/tmp/s/x", "allow"),
        ({"site": ["/env/site"]}, "file-map-executable", "/env/site/np.so", "allow"),
        ({"site": ["/env/site"]}, "file-write-data", "/env/site/np.so", "deny"),
        ({"read": None}, "file-map-executable", "/v/evil.dylib", "deny"),
        ({"run": ["/usr/bin/git"]}, "process-exec", "/usr/bin/git", "allow"),
        ({"run": ["/usr/bin/git"]}, "process-exec", "/usr/bin/gitk", "deny"),
        ({"read": None}, "file-read-metadata", "/private/tmp", "allow"),
        ({"read": None}, "file-read-data", "/private/tmp", "deny"),
    ],
)
def test_a_profile_says_what_the_wish_says(changed: dict[str, Any], operation: str, path: str, verdict: str) -> None:
    assert verdict_on(draft(**changed), operation, path) == verdict


def test_forking_is_for_those_who_may_start_programs() -> None:
    assert "process-fork" not in draft(read=None).text
    assert "(allow process-fork)" in draft(run=["/usr/bin/git"]).text
    assert all("network" not in rule and "mach" not in rule for rule in draft(run=["/usr/bin/git"]).text.splitlines())


PATHS = st.text(min_size=1, max_size=30).filter(lambda text: "\0" not in text)
ALPHABET = set(string.ascii_letters + string.digits + '()"*-_/. \n')


@given(st.lists(PATHS, max_size=4), PATHS, PATHS)
def test_no_path_ever_becomes_part_of_the_text(hide: list[str], root: str, scratch: str) -> None:
    """Quotes, parentheses, newlines, any script: the text is the same as for the plainest names."""
    wish = WORLD | {"root": f"/{root}", "scratch": f"/{scratch}/s", "hide": hide}
    odd = draft_profile(wish, PYTHON, STANDARD)
    assert set(odd.text) <= ALPHABET
    assert odd.text.count("(") == odd.text.count(")")
    for path in (f"/{root}", f"/{scratch}/s"):
        assert path.rstrip("/") in {place.rstrip("/") for place in odd.parameters.values()}
    assert all(re.fullmatch(r"P\d+", name) for name in odd.parameters)


def test_a_path_that_no_command_line_can_hold_is_refused() -> None:
    for path in ("/a\0b", "relative"):
        with pytest.raises(SandboxError, match="no profile can name"):
            draft(root=path)


def test_links_are_resolved_before_a_profile_names_them(tmp_path: Path) -> None:
    """As /tmp on a Mac, which is /private/tmp in truth: the kernel compares with the latter."""
    (tmp_path / "private/tmp").mkdir(parents=True)
    (tmp_path / "tmp").symlink_to("private/tmp")
    assert seatbelt.find_name(str(tmp_path / "tmp")) == str(tmp_path / "private/tmp")
    wish = seatbelt._named_in_truth(WORLD | {"root": str(tmp_path / "tmp"), "scratch": str(tmp_path / "tmp")})
    assert wish["root"] == wish["scratch"] == str(tmp_path / "private/tmp")


def test_elsewhere_it_is_refused_in_one_line() -> None:
    if sys.platform == "darwin":
        pytest.skip("it is here")
    with pytest.raises(SandboxError, match="needs macOS"):
        open_engine("seatbelt")
    assert "needs macOS" in seatbelt.find_lack(Setup())


LAUNCHER = """\
#!/usr/bin/env python3
import os, sys
words = sys.argv[1:]
given = {}
while words[0] == "-D":
    name, _, value = words[1].partition("=")
    given[name] = value
    words = words[2:]
assert words[0] == "-p" and words[1].startswith("(version 1)\\n(deny default)"), words
assert all(f'(param "{name}")' in words[1] for name in given)
os.execv(words[2], words[2:])
"""


def test_a_launcher_that_holds_nothing_back_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that reads the command line as sandbox-exec does, and truly starts the child, shut in by nothing."""
    stand_in = tmp_path / "sandbox-exec"
    stand_in.write_text(LAUNCHER.replace("/usr/bin/env python3", sys.executable))
    stand_in.chmod(0o755)
    monkeypatch.setattr(seatbelt, "_LAUNCHER", str(stand_in))
    with pytest.raises(SandboxError, match="seatbelt does not hold here: read a file outside"):
        open_engine("seatbelt")


def test_a_launcher_that_cannot_load_the_profile_is_named_with_its_complaint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "sandbox-exec"
    stand_in.write_text("#!/bin/sh\necho 'sandbox-exec: unbound variable: subpath' >&2\nexit 65\n")
    stand_in.chmod(0o755)
    monkeypatch.setattr(seatbelt, "_LAUNCHER", str(stand_in))
    with pytest.raises(SandboxError, match=r"did not start: sandbox-exec: unbound variable"):
        open_engine("seatbelt")
