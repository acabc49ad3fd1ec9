"""The example vault: complete, sound but for what is broken on purpose, and with answers worked out beforehand."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from nestkit.hall.walk import Company
from nestkit.nest import open_nest
from nestkit.parse.kind import parse_kinds
from nestkit.parse.misfit import find_misfits
from nestkit.parse.note import parse_note
from nestkit.parse.script import parse_script
from nestkit.run import Ask

VAULT = Path(__file__).resolve().parents[1] / "vault"
SCRIPTS = VAULT / "02_System"
BROKEN_NOTE = "00_Inbox/Broken on purpose.md"
BROKEN_SCRIPT = "02_System/broken_on_purpose.py"
UNRESOLVED = (BROKEN_NOTE, "Missing on purpose")
TODAY = "2026-03-18"

ASKS: list[tuple[str, Any]] = [
    ("Which projects are active?", {"Allotment 2026", "Reading group", "Spring recital", "Weather station"}),
    ("How many books did I finish?", 3),
    ("What is the sum of the garden expenses?", 84.25),
    ("Which tasks are overdue?", {"calibrate the rain gauge", "copy out the fingering", "reserve the library room"}),
    ("Which book has the highest rating?", "The Left Hand of Darkness"),
    ("List the notes tagged #agents/safety", {"Broker", "Prompt injection", "Sandbox"}),
    ("Which meetings did Yusuf Demir attend?", {"2026-03-02 Reading group evening", "2026-03-15 Sensor workshop"}),
    ("How many hours did I log on Weather station?", 6.5),
    ("What can I sow outdoors in March?", ["Broad beans", "Peas"]),
    ("Convert 68 fahrenheit to celsius", 20.0),
]
"""The questions on Home and their only right answers at TODAY, 9 o'clock. A set has no order; tasks by their words."""


def texts() -> dict[str, str]:
    """Path -> text of every note, those that nest wrote included."""
    files = sorted(file for file in VAULT.rglob("*.md") if not file.relative_to(VAULT).parts[0].startswith("."))
    return {file.relative_to(VAULT).as_posix(): file.read_text(encoding="utf-8") for file in files}


def properties(text: str) -> dict[str, Any]:
    head, fence, _ = text.removeprefix("---\n").partition("\n---\n")
    return (yaml.safe_load(head) or {}) if fence and text.startswith("---\n") else {}


def typed(kind: str) -> dict[str, dict[str, Any]]:
    """Title -> properties of the notes of one type."""
    sound = {path: properties(text) for path, text in texts().items() if path != BROKEN_NOTE}
    return {Path(path).stem: found for path, found in sound.items() if found.get("type") == kind}


def without_code(text: str) -> str:
    text = re.sub(r"^(> ?)?(`{3,}).*?^(> ?)?\2 *$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`\n]*`", "", text)


def links(text: str) -> Iterator[str]:
    """What stands between the brackets, up to the alias; of a markdown link to a note its decoded address."""
    for inner in re.findall(r"\[\[([^\]\n]+)\]\]", without_code(text)):
        yield inner.replace("\\|", "|").partition("|")[0]
    for address in re.findall(r"\]\(([^)\s]+\.md)\)", without_code(text)):
        yield address.replace("%20", " ")


def resolve(link: str) -> list[str]:
    """Paths of all files that a link may mean, by Obsidian's suffix rule."""
    wanted = unicodedata.normalize("NFC", link.partition("#")[0]).lower()
    found = []
    for file in VAULT.rglob("*"):
        path = file.relative_to(VAULT).as_posix()
        name = "/" + unicodedata.normalize("NFC", path).lower()
        if file.is_file() and not path.startswith(".") and name.endswith((f"/{wanted}", f"/{wanted}.md")):
            found.append(path)
    return found


def has_part(text: str, subpath: str) -> bool:
    """Whether a note has the heading or block that a link names."""
    if subpath.startswith("^"):
        return bool(re.search(rf"(^|\s)\^{re.escape(subpath[1:])}$", text, re.MULTILINE))
    return bool(re.search(rf"^#+ {re.escape(subpath)}$", text, re.MULTILINE | re.IGNORECASE))


def run(*words: str, vault: Path = VAULT) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, as a person in the vault's folder would start it."""
    environment = {**os.environ, "VAULT_PATH": str(vault), "PYTHONPATH": str(SCRIPTS), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-X", "utf8", *words]
    return subprocess.run(command, cwd=vault, env=environment, capture_output=True, encoding="utf-8", check=False)


def call(expression: str, vault: Path = VAULT) -> Any:
    """The value of a call such as `units.convert(...)`, by way of JSON."""
    modules = "asyncio, json, expenses, mentions, reading_stats, sowing, units, weekly_review"
    done = run("-c", f"import {modules}\nprint(json.dumps({expression}, default=vars))", vault=vault)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# ── the notes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_are_some_forty_notes_in_the_folders_a_newcomer_is_told_of() -> None:
    own = [path for path in texts() if not path.startswith("03_Runs/")]
    assert 40 <= len(own) <= 50
    folders = ["Agents", "Books", "Daily", "Expenses", "Garden", "Meetings", "People", "Projects", "Weekly"]
    for folder in ["00_Inbox", *(f"01_Notes/{name}" for name in folders), "02_System"]:
        assert any(Path(path).parent.as_posix() == folder for path in own), folder
    assert (VAULT / "03_Runs/2026/03").is_dir()


def test_every_link_leads_to_exactly_one_file_but_the_one_broken_on_purpose() -> None:
    wrong = [(path, link) for path, text in texts().items() for link in links(text) if len(resolve(link)) != 1]
    assert wrong == [UNRESOLVED]


def test_every_heading_and_block_that_a_link_names_is_there() -> None:
    notes = texts()
    named = [link for text in notes.values() for link in links(text) if "#" in link and ".base#" not in link]
    assert len(named) >= 8
    for link in named:
        assert has_part(notes[resolve(link)[0]], link.partition("#")[2]), link


def test_no_two_files_share_a_name() -> None:
    names = [file.name.lower() for file in VAULT.rglob("*") if file.is_file() and not file.name.startswith(".")]
    assert len(names) == len(set(names))


def test_only_the_note_broken_on_purpose_has_properties_that_cannot_be_read() -> None:
    for path, text in texts().items():
        if path == BROKEN_NOTE:
            with pytest.raises(yaml.YAMLError):
                properties(text)
        else:
            assert isinstance(properties(text), dict), path


def test_nest_reads_every_note_and_has_one_problem_alone() -> None:
    kinds = parse_kinds((VAULT / ".obsidian/types.json").read_text(encoding="utf-8"))
    notes = [parse_note(path, text) for path, text in texts().items()]
    assert [problem for path, text in texts().items() for problem in find_misfits(path, text, kinds)] == []
    assert [problem.path for note in notes for problem in note.problems] == [BROKEN_NOTE]
    assert any(link.target == "Home" for note in notes if note.path == BROKEN_NOTE for link in note.links)


def test_nest_finds_the_same_overdue_tasks_as_the_answers_say() -> None:
    tasks = [task for path, text in texts().items() for task in parse_note(path, text).tasks if not task.done]
    late = [task.text for task in tasks for mark in task.fields if mark.canonical == "due" and mark.value < TODAY]
    assert {re.split(r" [📅\[]", words)[0] for words in late} == dict(ASKS)["Which tasks are overdue?"]


def test_tags_are_lists_of_names_and_links_in_properties_are_quoted() -> None:
    for path, text in texts().items():
        found = {} if path == BROKEN_NOTE else properties(text)
        assert all(isinstance(tag, str) and " " not in tag for tag in found.get("tags", [])), path
        flat = [item for value in found.values() if isinstance(value, list) for item in value]
        assert not any(isinstance(item, list | dict) for item in flat), f"{path}: a link without quotes"


def test_every_property_has_one_kind_across_the_vault() -> None:
    kinds = json.loads((VAULT / ".obsidian/types.json").read_text(encoding="utf-8"))["types"]
    shapes = {"number": (int, float), "checkbox": (bool,), "multitext": (list,), "text": (str,)}
    for path, text in texts().items():
        if path == BROKEN_NOTE or path.startswith("03_Runs/"):
            continue
        for name, value in properties(text).items():
            if value is not None and kinds.get(name) in shapes:
                assert isinstance(value, shapes[kinds[name]]), f"{path}: {name}"
                assert kinds[name] != "number" or not isinstance(value, bool), f"{path}: {name}"


def test_the_only_live_question_is_in_the_asking_note() -> None:
    asking = [path for path, text in texts().items() if re.search(r"^```nest$|^nest:|- \[.\] #nest\b", text, re.M)]
    assert [path for path in asking if not path.startswith("03_Runs/")] == ["00_Inbox/Ask about the bookshelf.md"]


def test_picture_canvas_and_base_are_well_formed() -> None:
    assert ElementTree.parse(VAULT / "01_Notes/Files/weather-station.svg").getroot().tag.endswith("svg")
    canvas = json.loads((VAULT / "01_Notes/How an ask travels.canvas").read_text(encoding="utf-8"))
    ids = {node["id"] for node in canvas["nodes"]}
    assert all((VAULT / node["file"]).is_file() for node in canvas["nodes"] if node["type"] == "file")
    assert all({edge["fromNode"], edge["toNode"]} <= ids for edge in canvas["edges"])
    assert all(len(resolve(link)) == 1 for node in canvas["nodes"] for link in links(node.get("text", "")))
    base = yaml.safe_load((VAULT / "01_Notes/Books/Bookshelf.base").read_text(encoding="utf-8"))
    assert [view["name"] for view in base["views"]] == ["All books", "Finished"]


# ── the scripts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_script_is_valid_python_but_the_one_broken_on_purpose() -> None:
    files = sorted(SCRIPTS.glob("*.py"))
    assert len(files) >= 10
    for file in files:
        if file.name == "broken_on_purpose.py":
            with pytest.raises(SyntaxError):
                ast.parse(file.read_bytes())
        else:
            assert ast.parse(file.read_bytes()).body, file.name


def test_nest_reads_every_script_and_has_one_problem_alone() -> None:
    scripts = [
        parse_script(file.relative_to(VAULT).as_posix(), file.read_bytes()) for file in sorted(SCRIPTS.glob("*.py"))
    ]
    assert [problem.path for script in scripts for problem in script.problems] == [BROKEN_SCRIPT]
    tools = {tool.name: tool for script in scripts for tool in script.tools}
    assert len({tool.short for tool in tools.values()}) == len(tools), "every tool can be called by its short name"
    assert {tool.manner for tool in tools.values()} == {"function", "argparse", "click", "program"}
    assert all(tool.summary for tool in tools.values())
    writers = {name: [str(effect) for effect in tool.effects] for name, tool in tools.items() if tool.effects}
    assert writers == {"weekly_review.write_review": ["write:01_Notes/Weekly/**"]}


def test_the_examples_that_scripts_give_of_themselves_are_true() -> None:
    found = [
        (f"{file.stem}.{example.call}", example.result)
        for file in sorted(SCRIPTS.glob("*.py"))
        for tool in parse_script(file.name, file.read_bytes()).tools
        for example in tool.examples
    ]
    assert len(found) >= 4
    for expression, result in found:
        assert repr(call(expression)) == result, expression


def test_every_script_is_in_the_list_of_tools() -> None:
    listed = set(links((SCRIPTS / "Tools.md").read_text(encoding="utf-8")))
    assert {file.name for file in SCRIPTS.glob("*.py")} <= listed


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("expenses.sum_expenses('garden')", {"amount": 84.25, "count": 3, "currency": "EUR"}),
        ("expenses.sum_expenses(paid=False)", {"amount": 102.75, "count": 2, "currency": "EUR"}),
        ("[one.name for one in expenses.find_expenses(since='2026-03-05', paid=True)]", ["Wind sensor"]),
        ("reading_stats.pages_read()", 762),
        ("reading_stats.pages_read(2026)", 522),
        ("reading_stats.average_rating()", 4.0),
        ("reading_stats.average_rating(1999)", None),
        ("reading_stats.books_by('simon')", ["The Sciences of the Artificial"]),
        ("sowing.what_to_sow('March')", ["Broad beans", "Peas", "Leeks", "Tomatoes", "Beetroot"]),
        ("sowing.what_to_sow('December')", []),
        ("units.convert(1, 'inch', 'mm')", 25.4),
        ("units.convert(36, 'km/h', 'm/s')", 10.0),
        ("units.convert(32, 'fahrenheit', 'celsius')", 0.0),
        ("asyncio.run(mentions.unlinked_mentions('Rain barrels'))", []),
    ],
)
def test_a_function_gives_the_right_value(expression: str, expected: Any) -> None:
    assert call(expression) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("timelog total|Weather station", "6.5\n"),
        ("timelog report --since 2026-03-16", "Allotment 2026\t1.0\nReading group\t0.5\nSpring recital\t0.5\n"),
        ("timelog report --until 2026-03-10 --format json", '{"Spring recital": 0.5, "Weather station": 2.0}\n'),
        (f"deadlines left --today {TODAY}|Weather station", "25\n"),
        (f"deadlines upcoming --count 1 --today {TODAY}", "2026-04-12  Weather station (25 days)\n"),
        (f"deadlines upcoming --area garden --count 1 --today {TODAY}", "2026-06-15  Rain barrels (89 days)\n"),
        ("habits mood", "mood: 3.8 on average over 5 days\n"),
        ("habits practice 2026-03-14", "practice: 18.3 on average over 3 days\n"),
    ],
)
def test_a_program_prints_the_right_lines(words: str, expected: str) -> None:
    script, *options = words.partition("|")[0].split()
    rest = [words.partition("|")[2]] if "|" in words else []
    done = run(f"02_System/{script}.py", *options, *rest)
    assert done.stdout.startswith(expected), done.stderr


@pytest.mark.parametrize("words", [("timelog", "total", "Nothing"), ("habits", "sleep"), ("habits",)])
def test_a_program_that_cannot_answer_says_so_and_fails(words: tuple[str, ...]) -> None:
    done = run(f"02_System/{words[0]}.py", *words[1:])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip()


def test_units_that_measure_different_things_are_not_converted() -> None:
    assert "ValueError: mm measures length" in run("-c", "import units; units.convert(1, 'mm', 'celsius')").stderr


def test_the_script_with_a_dependency_declares_it_where_pep_723_says() -> None:
    text = (SCRIPTS / "shelf_table.py").read_text(encoding="utf-8")
    block = re.search(r"^# /// script$\n((?:^# .*$\n)+?)^# ///$", text, re.MULTILINE)
    assert block
    assert tomllib.loads(block[1].replace("# ", ""))["dependencies"] == ["tabulate>=0.9"]


def test_the_weekly_review_adds_one_note_and_touches_nothing_else(tmp_path: Path) -> None:
    copy = shutil.copytree(VAULT, tmp_path / "vault")
    before = {file: file.read_bytes() for file in copy.rglob("*") if file.is_file()}
    assert call("weekly_review.write_review('2026-W12')", copy) == "01_Notes/Weekly/2026-W12.md"
    written = copy / "01_Notes/Weekly/2026-W12.md"
    assert "- [[Weather station]]: 3h" in written.read_text(encoding="utf-8")
    after = {file: file.read_bytes() for file in copy.rglob("*") if file.is_file()}
    assert {file: after[file] for file in before} == before
    assert set(after) - set(before) == {written}


def test_the_review_in_the_vault_is_what_the_script_writes_and_is_not_overwritten_unasked(tmp_path: Path) -> None:
    copy = shutil.copytree(VAULT, tmp_path / "vault")
    refused = run("-c", "import weekly_review; weekly_review.write_review('2026-W11')", vault=copy)
    assert "FileExistsError" in refused.stderr
    path = call("weekly_review.write_review('2026-W11', replace=True)", copy)
    assert (copy / path).read_bytes() == (VAULT / path).read_bytes()


# ── the questions ────────────────────────────────────────────────────────────────────────────────────────────────────


def overdue(today: str) -> set[str]:
    """Words of the open tasks whose day has passed, in either way of writing the day."""
    found = set()
    for text in texts().values():
        for words, day in re.findall(r"^\s*- \[ \] (.+?) (?:\[owner.*?\]\]\] )?(?:📅 |\[due:: )(\S{10})", text, re.M):
            found |= {words} if day < today else set()
    return found


def worked_out() -> list[Any]:
    """The answers once more, from the files themselves, in the order of ASKS."""
    books, meetings = typed("book"), typed("meeting")
    return [
        {title for title, project in typed("project").items() if project["status"] == "active"},
        sum(book["status"] == "finished" for book in books.values()),
        sum(expense["amount"] for expense in typed("expense").values() if expense["area"] == "garden"),
        overdue(TODAY),
        max(books, key=lambda title: books[title].get("rating", 0)),
        {title for title, concept in typed("concept").items() if "agents/safety" in concept["tags"]},
        {title for title, meeting in meetings.items() if "[[Yusuf Demir]]" in meeting["attendees"]},
        float(run("02_System/timelog.py", "total", "Weather station").stdout),
        call("sowing.what_to_sow('March', 'outdoors')"),
        call("units.convert(68, 'fahrenheit', 'celsius')"),
    ]


def test_home_lists_exactly_the_questions_that_have_answers_here() -> None:
    home = (VAULT / "Home.md").read_text(encoding="utf-8")
    assert re.findall(r"^\d+\. `(.+)`$", home, re.MULTILINE) == [question for question, _ in ASKS]


def test_the_answers_follow_from_the_notes() -> None:
    assert worked_out() == [expected for _, expected in ASKS]


def test_the_highest_rating_is_held_by_one_book_alone() -> None:
    ratings = sorted(book["rating"] for book in typed("book").values() if "rating" in book)
    assert ratings[-1] > ratings[-2]


def test_nest_answers_the_questions_on_home_rightly_or_refuses(tmp_path: Path) -> None:
    """Through the whole walk: the planner's program in a real child, over the vault as it ships."""
    vault = Path(shutil.copytree(VAULT, tmp_path / "vault"))
    now = datetime.fromisoformat("2026-03-18T09:00:00").astimezone()
    right = 0
    with open_nest(vault, vault) as nest:
        nest.refresh()
        for question, expected in ASKS:
            run = nest.answer(Ask(question, now, model="builtin"), Company(), keep=False)
            if run.status == "ok":
                assert comparable(run.end.answer, expected) == expected, question
                right += 1
            else:
                assert run.status == "refused", question
    assert right >= 8


def comparable(answer: Any, expected: Any) -> Any:
    """The answer in the form of what is expected: tools answer in text, tasks with their marks and their note."""
    if isinstance(expected, set):
        return {re.split(r" [📅\[(]", item)[0] for item in answer}
    if isinstance(expected, (int, float)):
        return float(answer)
    return answer[0] if isinstance(expected, str) and isinstance(answer, list) else answer


def test_the_sample_runs_are_run_notes_whose_links_lead_somewhere(tmp_path: Path) -> None:
    vault = Path(shutil.copytree(VAULT, tmp_path / "vault"))
    with open_nest(vault, vault) as nest:
        nest.refresh()
        runs = nest.runs()
        assert len(runs) == 2
        for run in runs:
            assert nest.run_note(run["path"]).status == "ok"
            assert all(link["resolved"] for link in nest.links(run["path"]))
