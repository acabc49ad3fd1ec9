"""The tool an ask needs is among the first eight of a thousand, described by its author or not."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nestkit.index.finder import Finder, meanings, stem
from nestkit.nest import Nest, open_nest
from nestkit.parse.script import parse_script
from nestkit.testing import make_vault
from nestkit.tool import Tool

HERE = Path(__file__).parent
sys.path.append(str(HERE.parents[1] / "bench"))  # its files are scripts that stand beside each other, not a package

from distractors import draft_distractors  # noqa: E402

DISTRACTORS = 1000


def crowded(vault: Path, folder: Path) -> Path:
    """A copy of the vault with a thousand other functions among its tools."""
    shutil.copytree(vault, folder)
    make_vault(folder / "02_System/others", draft_distractors(DISTRACTORS))
    return folder


@pytest.fixture(scope="module")
def toolbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crowded(HERE.parent / "vaults/toolbox", tmp_path_factory.mktemp("toolbox") / "vault")


@pytest.fixture(scope="module")
def ops_crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return crowded(HERE.parent / "vaults/ops", tmp_path_factory.mktemp("ops") / "vault")


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[Nest]:
    with open_nest(request.getfixturevalue(getattr(request, "param", "toolbox"))) as nest:
        nest.refresh()
        yield nest


def recall(nest: Nest, asks: list[tuple[str, list[str]]]) -> tuple[float, list[str]]:
    """Share of the needed tools that are among the first eight, and which are not."""
    missed = []
    for ask, needed in asks:
        found = {tool.name for tool in nest.find_tools(ask)}
        missed += [f"{ask} -> {name}" for name in needed if name not in found]
    return 1 - len(missed) / sum(len(needed) for _, needed in asks), missed


def asks_in(name: str) -> list[tuple[str, list[str]]]:
    lines = (HERE / "cases" / name).read_text("utf-8").splitlines()
    return [(case["ask"], case["tools"]) for case in map(json.loads, lines)]


@pytest.mark.parametrize(
    ("cases", "number"),
    [
        ("tool_asks.jsonl", 40),  # weights and words were set with these in view
        ("tool_asks_unseen.jsonl", 20),  # written with the others, and left alone until the weights stood
    ],
)
def test_the_needed_tools_are_among_the_first_eight_of_a_thousand(opened: Nest, cases: str, number: int) -> None:
    asks = asks_in(cases)
    assert len(asks) == number
    assert sum("others" in tool.script for tool in opened.registry.tools) == DISTRACTORS
    share, missed = recall(opened, asks)
    assert share >= 0.95, missed


@pytest.mark.parametrize("opened", ["ops_crowded"], indirect=True)
def test_asks_and_scripts_of_another_hand_are_found_as_well(opened: Nest) -> None:
    own = [tool for tool in opened.registry.tools if tool.manner != "builtin" and "others" not in tool.script]
    names = {tool.short: tool.name for tool in own} | {tool.name: tool.name for tool in own}
    cases = map(json.loads, (HERE.parent / "cases/asks.jsonl").read_text("utf-8").splitlines())
    needed = [(case["ask"], [names[name] for name in case.get("tools", ()) if name in names]) for case in cases]
    share, missed = recall(opened, [(ask, tools) for ask, tools in needed if tools])
    assert share >= 0.95, missed


def test_half_of_the_needed_tools_have_no_docstring(opened: Nest) -> None:
    """So that the sets above measure what scripts are like, and not how well they were described."""
    needed = {name for _, tools in asks_in("tool_asks.jsonl") for name in tools}
    sources = {path.stem: path.read_text("utf-8") for path in (opened.root / "02_System").glob("*.py")}
    bare = [
        name
        for name in needed
        if '"""' not in sources[name.partition(".")[0]].partition(f"def {name.partition('.')[2]}(")[2][:120]
    ]
    assert len(bare) >= len(needed) // 2


def test_the_order_is_the_same_every_time_whatever_order_the_tools_come_in(opened: Nest) -> None:
    tools = list(opened.registry.tools)
    forwards, backwards = Finder(tools), Finder(tools[::-1])
    for ask, _ in asks_in("tool_asks.jsonl"):
        assert [tool.name for tool in forwards.find(ask)] == [tool.name for tool in backwards.find(ask)]


def tools_of(**sources: str) -> list[Tool]:
    return [tool for name, text in sources.items() for tool in parse_script(f"S/{name}.py", text.encode()).tools]


@pytest.mark.parametrize(
    ("source", "ask"),
    [
        ("def shrinkImage(p): ...", "shrink the image"),
        ("def f(p):\n    # dead letters in the attic\n    return p", "letters of the attic"),
        ("def f(p):\n    return p if p == 'sandpiper' else None", "the sandpiper"),
        ("KNOWN = {'sandpiper': 1}\ndef f(p):\n    return KNOWN[p]", "a sandpiper"),
        ("from smtplib import SMTP\ndef f(p):\n    return SMTP(p)", "send a letter"),
        ("def f(walrus): ...", "walruses"),
        ('def f(p):\n    """Feed.\n\n    Args:\n        p: Which walrus.\n    """', "walrus"),
        ('def f(p):\n    """Feed.\n\n    Returns:\n        A walrus.\n    """', "walrus"),
        ('"""x\n\n---\nnest:\n  utterances: ["pet {p}"]\n---\n"""\ndef f(p): ...', "can you pet the cat"),
        ("def spend(p): ...", "what was spent"),
        ("def euro(p): ...", "100 €"),
        ("def day_text(p): ...", "what happened on 2026-03-12"),
    ],
)
def test_a_tool_is_found_by(source: str, ask: str) -> None:
    others = tools_of(other="def qualify(r): ...", another='def jump(r):\n    """Over the fence."""')
    (wanted,) = tools_of(t=source)
    assert Finder([*others, wanted]).find(ask) == [wanted]


def test_nothing_fits_what_nothing_speaks_of() -> None:
    assert Finder(tools_of(t="def convert(amount): ...")).find("the of zebra ... 12 ?!") == []
    assert Finder([]).find("anything") == []


def test_hidden_tools_are_not_found() -> None:
    hidden = tools_of(t='"""x\n\n---\nnest:\n  hidden: true\n---\n"""\ndef convert(amount): ...')
    assert Finder(hidden).find("convert") == []


def test_many_that_share_one_word_leave_room_for_one_that_shares_another() -> None:
    alike = "\n".join(f"def person_{letter}(x): ..." for letter in "abcdefghijkl")
    tools = tools_of(many=alike, one="def soup(x):\n    # serves a number of guests, one person each\n    return x")
    assert "one.soup" in {tool.name for tool in Finder(tools).find("soup for one person", 8)}


def test_what_the_best_tool_must_be_given_brings_the_tool_that_gives_it() -> None:
    tools = tools_of(
        risk='def endangered(slack):\n    """How endangered it is."""',
        plan='def slack(name):\n    """Days left."""',
        other='def paint(name):\n    """Paint it."""',
    )
    assert [tool.name for tool in Finder(tools).find("is it endangered?")] == ["risk.endangered", "plan.slack"]


def test_notes_that_speak_of_a_script_count_but_not_private_ones_and_not_runs(tmp_path: Path) -> None:
    files = {
        "02_System/f.py": "def go(p): ...",
        "nest.toml": '[vault]\nprivate = ["Diary/**"]\n',
        "Open.md": "For the walrus I use [[f.py]].",
        "Diary/Day.md": "For my ulcer I use [[f.py]].",
        "03_Runs/Run.md": "Zebra answered by [[f.py]].",
    }
    with open_nest(make_vault(tmp_path / "vault", files)) as nest:
        nest.refresh()
        found = {ask: [tool.name for tool in nest.find_tools(ask)] for ask in ("walrus", "ulcer", "zebra")}
    assert found == {"walrus": ["f.go"], "ulcer": [], "zebra": []}


def test_a_changed_script_or_note_is_found_by_its_new_words(tmp_path: Path) -> None:
    vault = make_vault(tmp_path / "vault", {"02_System/f.py": "def go(p): ...", "A.md": "no link"})
    with open_nest(vault) as nest:
        nest.refresh()
        assert nest.find_tools("walrus") == []
        (vault / "A.md").write_text("[[f.py]] is for the walrus")
        nest.refresh()
        assert [tool.name for tool in nest.find_tools("walrus")] == ["f.go"]


@pytest.mark.parametrize(
    ("words", "same"),
    [
        ("rename renamed renames renaming", "renam"),
        ("run runs running", "run"),
        ("day days daily", "day"),
        ("birthday birthdays", "birthday"),
        ("sleep sleeping slept", "sleep"),
        ("pay paid pays paying", "pay"),
        ("invoice invoices", "invoic"),
        ("status", "status"),
        ("address", "address"),
        ("filling filled fill", "fill"),
        ("category categories", "categori"),
    ],
)
def test_forms_of_a_word_have_one_stem(words: str, same: str) -> None:
    assert {stem(word) for word in words.split()} == {same}


@pytest.mark.parametrize(
    "ask", ["", "?", "the of and", "\ud800", "a" * 100_000, "€" * 1000, "日本語のノート", "\x00\u202e"]
)
def test_any_text_can_be_asked(ask: str) -> None:
    assert isinstance(meanings(ask), list)
    assert Finder(tools_of(t="def convert(amount): ...")).find(ask) == []
