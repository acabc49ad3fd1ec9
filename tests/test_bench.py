"""The made-up vaults are what they promise, and the bench runs from a clean checkout; no test asks how fast."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from nestkit.nest import Nest, open_nest

BENCH = Path(__file__).resolve().parents[1] / "bench"
NOTES, SEED = 450, 3
"""Enough for each kind of odd note, but the 500th."""

sys.path.append(str(BENCH))  # its files are scripts that stand beside each other, not a package

from vaults import ONE_IN, Plan, draft_files, write_vault  # noqa: E402


def files_of(plan: Plan) -> dict[str, bytes]:
    return dict(draft_files(plan, Counter()))


@pytest.fixture(scope="module")
def promised_vault(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counter[str]]:
    folder = tmp_path_factory.mktemp("bench") / "vault"
    return folder, write_vault(folder, Plan(NOTES, SEED))


@pytest.fixture
def promised(promised_vault: tuple[Path, Counter[str]]) -> Counter[str]:
    return promised_vault[1]


@pytest.fixture
def nest(promised_vault: tuple[Path, Counter[str]], tmp_path: Path) -> Nest:
    nest = open_nest(promised_vault[0], promised_vault[0])
    nest.refresh()
    return nest


def run_bench(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, BENCH / script, *words]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert files_of(Plan(60, 1)) == files_of(Plan(60, 1))
    assert files_of(Plan(60, 1)) != files_of(Plan(60, 2))


def test_what_is_drafted_is_what_lies_on_disk(promised_vault: tuple[Path, Counter[str]]) -> None:
    folder = promised_vault[0]
    written = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert written == files_of(Plan(NOTES, SEED))


def test_no_two_notes_share_a_path_and_only_the_promised_ones_a_name() -> None:
    plan = Plan(5_000, 1)
    paths = [plan.path(number) for number in range(plan.notes)]
    titles = Counter(plan.title(number) for number in range(plan.notes))
    assert len(set(paths)) == plan.notes
    shared = sum(1 for count in titles.values() if count > 1)
    assert shared == sum(plan.is_odd("duplicate", number) for number in range(plan.notes)) == 26


def test_the_shares_are_those_of_a_large_public_vault() -> None:
    found: Counter[str] = Counter()
    for _ in draft_files(Plan(2_000, 1), found):
        pass
    links = found["links"]
    assert 3.5 < links / 2_000 < 4.5
    assert 2_000 < found["bytes"] / 2_000 < 2_500
    assert 0.23 < found["links with a path"] / links < 0.27
    assert 0.003 < found["links in other case"] / links < 0.007
    assert 0.001 < found["unresolved"] / links < 0.005
    assert found["broken"] == 2_000 // ONE_IN["broken"] + 1


def test_nest_counts_what_the_generator_promised(nest: Nest, promised: Counter[str]) -> None:
    with nest:
        counted = nest.counts()
        notes = nest.notes()
        links = [link for path in notes for link in (*nest.links(path), *nest.embeds(path))]
        told = {
            "notes": counted["notes"],
            "attachments": counted["files"] - counted["notes"],
            "links": counted["links"],
            "embeds": sum(link["embed"] for link in links),
            "property links": sum("property" in link for link in links),
            "unresolved": sum(link["count"] for link in nest.unresolved()),
            "tasks": len(nest.tasks()),
            "tags": sum(len(nest.tags(path)) for path in notes),
            "headings": sum(len(nest.headings(path)) for path in notes),
            "blocks": sum(len(nest.blocks(path)) for path in notes),
            "fields": sum(len(values) for path in notes for values in nest.fields(path).values()),
        }
    assert told == {name: promised[name] for name in told}


def test_the_only_problems_are_the_deliberate_ones(nest: Nest, promised: Counter[str]) -> None:
    plan = Plan(NOTES, SEED)
    with nest:
        problems = nest.problems()
        lost = {link["target"] for link in nest.unresolved()}
    broken = {plan.path(number) for number in range(NOTES) if plan.is_odd("broken", number)}
    assert {problem["path"] for problem in problems} == broken
    assert len(problems) == len(broken) == promised["broken"]
    assert all("properties cannot be read" in problem["what"] for problem in problems)
    assert lost and all(target.startswith("Not written yet") for target in lost)


def test_a_sound_vault_has_no_problem_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "sound"
    assert write_vault(folder, Plan(60, SEED, broken=False))["broken"] == 0
    with open_nest(folder, folder) as nest:
        nest.refresh()
        assert nest.problems() == []


def test_the_generator_writes_into_no_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("mine")
    done = run_bench("vaults.py", tmp_path, "--notes", 5)
    assert done.returncode == 2
    assert "is not empty" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["mine.md"]


def test_the_generator_says_what_it_wrote(tmp_path: Path) -> None:
    done = run_bench("vaults.py", tmp_path / "made", "--notes", 20, "--seed", 9)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "made").rglob("*.md"))) == 20
    assert "notes" in done.stdout


def test_the_bench_prints_its_table(tmp_path: Path) -> None:
    done = run_bench("index.py", "--notes", 50, "--repeats", 1, "--settle", 0, "--scratch", tmp_path)
    assert done.returncode == 0, done.stderr
    for line in (
        "plain read",
        "cold index",
        "nothing changed",
        "1 changed",
        "find",
        "backlinks",
        "peak memory",
        "disk",
    ):
        assert line in done.stdout
    assert "| 50 | frontmatter + markdown-it-py |" in done.stdout
    assert "skipped: mddb at 50 notes: not installed" in done.stdout
    assert not list(tmp_path.glob("nest-bench-*")), "nothing is left behind"


def test_the_bench_as_json_has_a_row_for_each_figure(tmp_path: Path) -> None:
    words = ("--notes", "20,40", "--repeats", 1, "--settle", 0, "--no-peers", "--json", "--scratch", tmp_path)
    done = run_bench("index.py", *words)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {row["notes"] for row in rows} == {20, 40}
    assert all(row["unit"] in ("ms", "s", "MB") or row["unit"].startswith("of ") for row in rows)
    assert any(row["beside"] == "20 notes" for row in rows), "the cost of a note beside that of the smaller vault"


def test_made_up_scripts_are_the_same_every_time_and_become_tools_without_a_problem() -> None:
    from scripts import draft_script, draft_scripts

    from nestkit.parse.script import parse_script

    made = dict(draft_scripts(120))
    assert made == dict(draft_scripts(120)) != dict(draft_scripts(120, seed=1))
    assert draft_script(7, version=1)[1] != draft_script(7)[1]
    read = [parse_script(f"02_System/{path}", text.encode()) for path, text in made.items()]
    assert [problem for script in read for problem in script.problems] == []
    manners = {tool.manner for script in read for tool in script.tools}
    assert manners == {"function", "argparse", "click", "program", "shell"}


def test_the_bench_of_tools_runs_and_gives_its_figures() -> None:
    done = run_bench("tools.py", "--scripts", 10, "--json")
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)
    assert row["scripts"] == 10
    assert row["tools"] > 10
    assert min(row[name] for name in ("parse", "cold", "told")) > 0


def test_the_bench_of_the_daemon_runs() -> None:
    words = ["--notes", "60", "--events", "200", "--questions", "2", "--rest", "0.5"]
    done = subprocess.run([sys.executable, BENCH / "watch.py", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "2 questions: [('done', 2)] in order" in done.stdout


def test_the_bench_of_the_agent_prints_its_figures() -> None:
    done = run_bench("agent.py", "--runs", 1, "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert all(value > 0 for value in figures.values())
    assert {"own time a step, ms (goal 15)", "command to first request, warm, ms (goal 250)"} <= figures.keys()


def test_single_calls_come_to_the_same_answer_in_more_rounds_and_tokens() -> None:
    done = run_bench("styles.py", "--asks", 2, "--json")
    assert done.returncode == 0, done.stderr
    for row in json.loads(done.stdout):
        assert row["same answer"], row
        assert row["code"]["rounds"] < row["json"]["rounds"]
        assert row["code"]["tokens"] < row["json"]["tokens"]


def test_the_comparison_with_another_agent_runs_without_it_too() -> None:
    done = run_bench("vs_smolagents.py", "--repeats", 1, "--programs", 2, "--limit", 1, "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["what"]: row for row in json.loads(done.stdout)}
    assert all(row["agent"] == "nest" for row in rows.values())
    assert all(row["right"] for row in rows.values() if "right" in row)
    assert rows["after 6 steps without an answer"]["status"] == "no_answer"
    assert not rows["after 6 steps without an answer"]["invented"]
