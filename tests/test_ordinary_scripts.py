"""Scripts written for people, by people who never heard of nest, are tools as they stand and can be called."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from checks import NestCommand

VAULT = Path(__file__).parent / "vaults/ordinary"


@pytest.fixture
def ops(tmp_path: Path) -> Path:
    """The vault that `nest` works in: five ordinary scripts and what they work on."""
    return Path(shutil.copytree(VAULT, tmp_path / "ordinary"))


@pytest.fixture
def tools(nest: NestCommand) -> dict[str, Any]:
    """Name -> record, of the vault's own tools."""
    listed = json.loads(nest("tools", "--json").stdout)
    return {tool["name"]: tool for tool in listed if tool["manner"] != "builtin"}


def test_they_become_these_tools(tools: dict[str, Any]) -> None:
    assert {name: tool["signature"].removeprefix(name) for name, tool in tools.items()} == {
        "clean_csv": "(infile: str, delim: 'comma'|'semicolon'|'tab' = 'semicolon', only: list[str] = None,"
        " sort: str = None, desc: bool = False, asc: bool = False, limit: int = 0, quiet: bool = False) -> str",
        "tt.report": "(since: str = None, minimum: float = 0.0, as_json: bool = False) -> str",
        "tt.log": "(project: str, last: int = 5, as_json: bool = False) -> str",
        "count_words": "(*args: str) -> str",
        "big_files": "(*args: str) -> str",
        "geo.dist": "(a, b = HOME, unit: str = 'km')",
        "geo.parse_place": "(s, name: str = '?')",
        "geo.nearest": "(places, to = HOME)",
        "geo.bbox": "(places)",
    }


def test_what_their_authors_said_is_told(tools: dict[str, Any]) -> None:
    assert {name: tool["summary"] for name, tool in tools.items()} == {
        "clean_csv": "Clean up a CSV export.",
        "tt.report": "Hours per project, most first.",
        "tt.log": "What I did on PROJECT, newest first.",
        "count_words": "counts the words of the given notes, or of all of them",
        "big_files": "big_files.sh - the largest files of the vault",
        "geo.dist": "Dist",
        "geo.parse_place": '"52.1, 13.2" or "52.1 13.2", the way my phone copies it',
        "geo.nearest": "Nearest",
        "geo.bbox": "Bbox",
    }


def test_only_the_one_that_starts_programs_asks_first(tools: dict[str, Any]) -> None:
    assert {name: tool["effects"] for name, tool in tools.items() if tool["effects"]} == {
        "big_files": ["run:sh", "run:find", "run:grep", "run:head", "run:sort", "run:wc"]
    }


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (
            ("clean_csv", "Data/orders.csv", "--only", "customer", "--only", "total", "--sort", "total", "--desc"),
            "customer,total\nAda,1250.50\nCem,310.25\nBen,80.00\n",
        ),
        (
            ("clean_csv", "--infile", "Data/orders.csv", "--limit", "1", "--quiet"),
            "date,customer,total\n2026-03-01,Ada,1250.50\n",
        ),
        (("tt.report",), "nest          5.75\ngarden        1.00\n"),
        (("tt.report", "--since", "2026-03-18", "--min", "2"), "nest          4.25\n"),
        (("tt.log", "nest", "--last", "1"), "2026-03-18 4.25 wrote tests\n"),
        (("count_words", "Daily/2026-03-17.md"), "     9 Daily/2026-03-17.md\n     9 total\n"),
        (("count_words",), "     9 Daily/2026-03-17.md\n     9 Daily/2026-03-18.md\n    18 total\n"),
        (("big_files", "1", "Data", "--yes"), "112 Data/orders.csv\n"),
        (("geo.parse_place", "48.1, 11.6", "--name", "Munich"), None),
    ],
)  # fmt: skip
def test_they_are_really_called(nest: NestCommand, words: tuple[str, ...], printed: str | None) -> None:
    done = nest("call", *words)
    assert done.returncode == 0, done.stderr
    if printed is None:
        assert json.loads(nest("call", *words, "--json").stdout) == {"name": "Munich", "lat": 48.1, "lon": 11.6}
    else:
        assert done.stdout == printed


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("big_files",), 4, "run `nest trust big_files`"),
        (("big_files", "1", "Nowhere", "--yes"), 1, "no folder Nowhere"),
        (("tt.log", "sleep"), 1, "never worked on sleep"),
        (("clean_csv", "Data/none.csv"), 1, "No such file"),
        (("clean_csv", "Data/orders.csv", "--delim", "pipe"), 1, "semicolon"),
        (("geo.parse_place", "99 1"), 1, "latitude out of range"),
    ],
)
def test_their_own_complaints_are_told(nest: NestCommand, words: tuple[str, ...], code: int, said: str) -> None:
    done = nest("call", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


def test_they_do_the_same_for_whoever_starts_them_without_nest(ops: Path, nest: NestCommand) -> None:
    plain = subprocess.run(["sh", "02_System/big_files.sh", "2"], cwd=ops, capture_output=True, text=True, check=True)
    assert nest("call", "big_files", "2", "--yes").stdout == plain.stdout
    for file in VAULT.glob("02_System/*"):
        assert (ops / "02_System" / file.name).read_bytes() == file.read_bytes()


def test_the_check_says_what_would_make_them_better(nest: NestCommand) -> None:
    done = nest("tools", "check", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert {(f["path"].rpartition("/")[2], f["kind"]) for f in found if not f["is_advice"]} == {
        ("big_files.sh", "effect")
    }
    undocumented = [f for f in found if f["kind"] == "docs"]
    assert {f["path"] for f in undocumented} == {"02_System/geo.py"}
    assert "places (type): ..." in undocumented[-1]["paste"]
