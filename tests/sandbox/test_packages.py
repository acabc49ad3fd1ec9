"""Packages built by the real uv in its box from a folder of wheels: once, locked, wheels only, nothing else seen."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from wheels import write_source, write_wheel

from nestkit.errors import SandboxError
from nestkit.policy import Limits
from nestkit.sandbox import packages
from nestkit.sandbox.engine import open_engine
from nestkit.sandbox.job import Job, ToolFailed
from nestkit.sandbox.packages import Shelf, check_lock, fits_python, is_beside, key_of
from nestkit.testing import make_vault

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
BOXED = Path(packages.__file__).parent / "child/boxed.py"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    write_wheel(tmp_path / "index", "tiny", "1.0", {"tiny.py": "VALUE = 1\n"}, needs=["tinier"])
    write_wheel(tmp_path / "index", "tinier", "3", {"tinier.py": "VALUE = 3\n"})
    return tmp_path / "index"


@pytest.fixture
def shelf(tmp_path: Path, index: Path) -> Shelf:
    return Shelf(tmp_path / "cache", tmp_path / "locks", str(index))


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def quiet(line: str) -> None:
    pass


def test_what_is_asked_for_and_what_that_needs_is_built_once(shelf: Shelf, index: Path) -> None:
    said: list[str] = []
    assert shelf.find(["tiny>=1"]) is None
    site = shelf.build(["tiny>=1"], said.append)
    assert {path.name for path in site.glob("*.py")} == {"tiny.py", "tinier.py"}
    assert said == [f"preparing packages: tiny>=1 (from {index})"]
    shutil.rmtree(index)
    assert shelf.find(["tiny>=1"]) == shelf.build(["tiny>=1"], said.append) == site
    assert len(said) == 1


def test_an_index_is_asked_over_http_and_its_password_is_not_shown(shelf: Shelf, index: Path, tmp_path: Path) -> None:
    simple = tmp_path / "web/simple"
    for name in ("tiny", "tinier"):
        (wheel,) = index.glob(f"{name}-*.whl")
        (simple / name).mkdir(parents=True)
        shutil.copy(wheel, simple / name / wheel.name)
        (simple / name / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
    handler = partial(Quiet, directory=str(tmp_path / "web"))
    said: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://somebody:secret@127.0.0.1:{server.server_port}/simple"
        site = replace(shelf, index=address).build(["tiny"], said.append)
        server.shutdown()
    assert (site / "tiny.py").read_text() == "VALUE = 1\n"
    assert said == [f"preparing packages: tiny (from http://127.0.0.1:{server.server_port}/simple)"]


def test_the_same_needs_in_another_order_are_the_same_and_other_needs_are_not() -> None:
    assert key_of(["a>=1", "b"]) == key_of(["b", "a>=1", "b"])
    assert len({key_of(needs) for needs in (["a"], ["a>=1"], ["a", "b"], ["b"])}) == 4


def test_a_lost_cache_is_filled_with_the_very_same_files(shelf: Shelf, index: Path) -> None:
    shelf.build(["tiny"], quiet)
    shutil.rmtree(shelf.folder)
    write_wheel(index, "tiny", "2.0", {"tiny.py": "VALUE = 2\n"})
    assert (shelf.build(["tiny"], quiet) / "tiny.py").read_text() == "VALUE = 1\n"


def test_a_file_that_is_another_than_the_first_time_is_refused(shelf: Shelf, index: Path) -> None:
    shelf.build(["tiny"], quiet)
    shutil.rmtree(shelf.folder)
    write_wheel(index, "tiny", "1.0", {"tiny.py": "VALUE = 'swapped'\n"}, needs=["tinier"])
    with pytest.raises(SandboxError, match=r"(?i)hash"):
        shelf.build(["tiny"], quiet)
    assert shelf.find(["tiny"]) is None


def test_no_package_s_code_is_run(shelf: Shelf, index: Path, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    write_source(
        index, "builds", "1.0", f"open({str(trace)!r}, 'w').write('ran')\nfrom setuptools import setup\nsetup()"
    )
    with pytest.raises(SandboxError, match="builds"):
        shelf.build(["builds"], quiet)
    assert not trace.exists()


def test_what_fails_is_told_in_one_line_and_leaves_nothing(shelf: Shelf) -> None:
    with pytest.raises(SandboxError) as told:
        shelf.build(["nowhere>=1"], quiet)
    assert "nowhere" in str(told.value)
    assert "\n" not in str(told.value)
    assert {path.name for path in shelf.folder.iterdir()} == {f".{key_of(['nowhere>=1'])}.lock", "fetched"}
    assert not shelf.locks.exists()


def test_what_a_killed_build_left_behind_counts_for_nothing(shelf: Shelf) -> None:
    (shelf.folder / f".{key_of(['tiny'])}-1/site").mkdir(parents=True)
    assert shelf.find(["tiny"]) is None
    assert (shelf.build(["tiny"], quiet) / "tiny.py").exists()


def test_two_who_want_the_same_at_once_build_it_once(shelf: Shelf) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        built = list(pool.map(lambda _: shelf.build(["tiny"], said.append), range(2)))
    assert built[0] == built[1]
    assert len(said) == 1


def test_without_uv_it_says_what_to_install(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "find_uv", lambda: "")
    with pytest.raises(SandboxError, match="uv, which is not installed") as told:
        shelf.build(["tiny"], quiet)
    assert "pip install uv" in told.value.hint


def test_settings_beside_the_vault_or_in_the_environment_are_not_obeyed(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    write_wheel(elsewhere, "tiny", "9", {"tiny.py": "VALUE = 'theirs'\n"})
    (tmp_path / "here").mkdir()
    (tmp_path / "here/uv.toml").write_text(f'find-links = ["{elsewhere}"]\n')
    (tmp_path / "here/pyproject.toml").write_text(f'[tool.uv]\nfind-links = ["{elsewhere}"]\n')
    monkeypatch.chdir(tmp_path / "here")
    for name in ("UV_FIND_LINKS", "PIP_FIND_LINKS"):
        monkeypatch.setenv(name, str(elsewhere))
    monkeypatch.setenv("UV_CONFIG_FILE", str(tmp_path / "here/uv.toml"))
    assert (shelf.build(["tiny"], quiet) / "tiny.py").read_text() == "VALUE = 1\n"


@pytest.mark.parametrize("tier", ["kernel-full", "kernel-lite"])
def test_a_script_imports_its_packages_and_of_the_vault_only_what_it_may(
    shelf: Shelf, tmp_path: Path, tier: str
) -> None:
    site = shelf.build(["tiny"], quiet)
    sources = {
        "tool": "import tiny\n\ndef value():\n    return tiny.VALUE\n\ndef more():\n    import helper\n",
        "helper": "",
    }
    vault = make_vault(tmp_path / "vault", {f"S/{name}.py": text for name, text in sources.items()})
    job = Job("S/tool.py", str(vault), NOW, system="S", site=(str(site),), function="value", modules={})
    with open_engine(tier) as engine:
        assert engine.call(job, Limits()) == 1
        with pytest.raises(ToolFailed, match=r"S/helper\.py may not be loaded"):
            engine.call(replace(job, function="more"), Limits())
        assert engine.call(replace(job, function="more", modules=None), Limits()) is None


def boxed(tmp_path: Path, script: str, **wish: object) -> subprocess.CompletedProcess[str]:
    """A shell script in the box in which uv works."""
    (tmp_path / "work").mkdir()
    given = {
        "read": [],
        "run": ["/usr", "/lib", "/lib64", "/bin"],
        "write": [str(tmp_path / "work"), "/dev/null"],
        "ports": [],
        "argv": ["/bin/sh", "-c", script],
        "environment": {"PATH": "/usr/bin:/bin"},
        **wish,
    }
    return subprocess.run(
        [sys.executable, "-I", "-S", str(BOXED)], input=json.dumps(given), capture_output=True, text=True, timeout=60
    )


def test_the_box_holds_nothing_but_its_own_folders(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    done = boxed(
        tmp_path,
        f"cat {secret} || echo no-read; echo x > {secret} || echo no-write; ls {tmp_path} || echo no-list;"
        f" ln -s {secret} link; cat link || echo no-link; echo kept > file; cat file",
    )
    assert done.stdout.split() == ["no-read", "no-write", "no-list", "no-link", "kept"]
    assert secret.read_text() == "mine"


def test_the_box_connects_to_no_port_but_those_named(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        call = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        python = {"run": ["/usr", "/lib", "/lib64", "/bin", sys.base_prefix]}
        argv = [str(Path(sys.executable).resolve()), "-I", "-S", "-c", call]
        refused = boxed(tmp_path, "", argv=argv, **python)
        shutil.rmtree(tmp_path / "work")
        let = boxed(tmp_path, "", argv=argv, ports=[port], **python)
    assert (refused.returncode, let.returncode) == (1, 0), refused.stderr + let.stderr
    assert "PermissionError" in refused.stderr


@pytest.mark.parametrize(
    "line",
    [
        "tiny @ https://example.org/tiny.whl --hash=sha256:" + "0" * 64,
        "tiny==1.0",
        "tiny>=1.0 \\\n    --hash=sha256:" + "0" * 64,
        "-e /tmp/x",
        "--index-url https://example.org",
        "./tiny.whl",
    ],
)
def test_a_lock_that_pins_no_file_of_the_index_is_refused(line: str) -> None:
    with pytest.raises(SandboxError, match="could not be locked"):
        check_lock(f"# locked\n{line}\n")


VERSIONS = st.lists(st.integers(0, 3), min_size=1, max_size=3).map(lambda parts: ".".join(map(str, parts)))


@given(st.lists(st.tuples(st.sampled_from(("==", "!=", ">=", "<=", ">", "<", "~=")), VERSIONS), max_size=3), VERSIONS)
def test_versions_fit_as_the_standard_says(parts: list[tuple[str, str]], version: str) -> None:
    parts = [(sign, wanted) for sign, wanted in parts if sign != "~=" or "." in wanted]
    specifier = ",".join(sign + wanted for sign, wanted in parts)
    assert packages._fits(version, specifier, unknown=False) == SpecifierSet(specifier).contains(version)


@pytest.mark.parametrize(
    ("requirement", "there"),
    [
        ("click", True),
        ("click>=8", True),
        ("click>=1,<2", False),
        ("click==8.*", True),
        ("no-such-package", False),
        ("click[extra]", False),
        ("click; python_version > '3'", False),
    ],
)
def test_what_is_installed_beside_nest_is_used_when_it_plainly_fits(requirement: str, there: bool) -> None:
    assert is_beside(requirement) is there


@pytest.mark.parametrize(("specifier", "fits"), [("", True), (">=3.11", True), (">=4", False), ("==3.*,<3.9", False)])
def test_a_script_s_python_is_looked_at(specifier: str, fits: bool) -> None:
    assert fits_python(specifier) is fits
