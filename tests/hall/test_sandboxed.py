"""The contract `sandboxed` through the whole product: a program with hands, and nothing it did that nobody saw."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from nestkit.hall.review import approve, get_entry, get_matter
from nestkit.hall.walk import Company
from nestkit.matter import draft_matter
from nestkit.nest import open_nest
from nestkit.run import Ask, Run
from nestkit.testing import OllamaServer

TIME = datetime.fromisoformat("2026-03-18T09:00:00").astimezone()
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def ask(vault: Path, *programs: str, contract: Any = "sandboxed") -> Run:
    turns = [{"role": "assistant", "content": f"```python\n{program}\n```"} for program in programs]
    with OllamaServer(turns) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        with open_nest(vault, vault, to_write=True) as nest:
            nest.refresh()
            run = nest.answer(Ask("draw it", TIME, model="ollama/scripted", contract=contract), Company())
        assert "VAULT_PATH" in json.dumps(server.requests[0]) or not contract.endswith("sandboxed")
        return run


def test_it_reads_the_vault_s_files_and_cannot_change_them(ops: Path) -> None:
    program = (
        "import os\nfrom pathlib import Path\nv = Path(os.environ['VAULT_PATH'])\n"
        "count = len(list(v.glob('Projects/*.md')))\n"
        "for act in (lambda: (v / 'New.md').write_text('x'), lambda: (v / 'Projects/Quarry.md').unlink()):\n"
        "    try:\n        act()\n        final_answer('out')\n    except OSError:\n        pass\n"
        "final_answer(count)"
    )
    run = ask(ops, program)
    assert (run.status, run.end.answer) == ("ok", len(list(ops.glob("Projects/*.md"))))
    assert run.path is not None
    text = (ops / run.path).read_text("utf-8")
    assert "nest-contract: sandboxed" in text
    assert 'nest-tier: "kernel-' in text


def test_what_is_private_is_not_there_even_for_its_hands(ops: Path) -> None:
    (ops / "Diary").mkdir()
    (ops / "Diary/secret.md").write_text("dear diary")
    (ops / "nest.toml").write_text('[vault]\nprivate = ["Diary"]\n')
    program = (
        "import os, subprocess\nv = os.environ['VAULT_PATH']\nfound = []\n"
        "for path in ('Diary/secret.md', 'nest.toml', '.nest/.gitignore', '../user/config/config.toml'):\n"
        "    try:\n        found.append(open(os.path.join(v, path)).read())\n    except OSError:\n        pass\n"
        "final_answer(found)"
    )
    assert ask(ops, program).end.answer == []


def test_a_picture_it_saved_is_embedded_in_the_run_note_and_a_page_is_not(ops: Path) -> None:
    program = (
        f"import base64\nopen('plot.png', 'wb').write(base64.b64decode({base64.b64encode(PIXEL).decode()!r}))\n"
        "open('page.html', 'w').write('<script>')\nfinal_answer('see the plot')"
    )
    run = ask(ops, program)
    assert run.status == "ok", run.end
    (path,) = run.files
    assert (ops / path).read_bytes() == PIXEL
    assert run.path is not None
    text = (ops / run.path).read_text("utf-8")
    assert f"![[{path}]]" in text
    assert not list(ops.rglob("page.html"))
    with open_nest(ops, ops) as nest:
        nest.refresh()
        assert all(link["resolved"] for link in nest.links(run.path))


def test_every_change_is_looked_at_before_it_reaches_the_vault_even_a_new_note(ops: Path) -> None:
    programs = ("write_note('Ideas/New.md', 'from a tool')\nopen('t.csv', 'w').write('a')\nfinal_answer('written')",)
    assert ask(ops, *programs, contract="brokered").status == "error", "no files there"
    run = ask(ops, *programs)
    assert run.status == "waiting"
    assert not (ops / "Ideas").exists()
    assert run.files == ()
    with open_nest(ops, ops, to_write=True) as nest:
        nest.refresh()
        entry = get_entry(nest, "last")
        done = approve(nest, entry, entry.digest, Company())
    assert done.status == "ok"
    assert (ops / "Ideas/New.md").read_text() == "from a tool"
    (path,) = done.files
    assert (ops / path).read_text() == "a"


def test_a_failed_run_leaves_no_file(ops: Path) -> None:
    run = ask(ops, "open('t.csv', 'w').write('a')\nraise ValueError('no')")
    assert run.status != "ok"
    assert not list(ops.rglob("t.csv"))


LOOKS = (
    "import os\nfrom pathlib import Path\nfinal_answer(len(list(Path(os.environ['VAULT_PATH']).glob('Projects/*.md'))))"
)


def test_reviewed_and_sandboxed_it_gets_its_hands_after_a_yes_to_just_that(ops: Path) -> None:
    run = ask(ops, LOOKS, contract="reviewed:sandboxed")
    assert (run.status, run.tier) == ("waiting", ""), "nothing has run"
    assert run.path is not None
    text = (ops / run.path).read_text("utf-8")
    assert "nest-contract: reviewed:sandboxed\n" in text
    assert "the program itself: read the vault's files" in text
    with open_nest(ops, ops, to_write=True) as nest:
        nest.refresh()
        entry = get_entry(nest, "last")
        matter = get_matter(nest, entry)
        assert matter.digest == entry.digest
        assert replace(matter, contract="reviewed").digest != entry.digest, "a yes to less is no yes to this"
        done = approve(nest, entry, entry.digest, Company())
    assert (done.status, done.end.answer) == ("ok", len(list(ops.glob("Projects/*.md"))))
    assert done.ask.contract == "reviewed:sandboxed"


def test_what_it_would_change_waits_once_more(ops: Path) -> None:
    ask(ops, "write_note('Ideas/New.md', 'from a tool')\nfinal_answer('written')", contract="reviewed:sandboxed")
    with open_nest(ops, ops, to_write=True) as nest:
        nest.refresh()
        for gate in ("program", "changes"):
            assert not (ops / "Ideas").exists()
            entry = get_entry(nest, "last")
            assert entry.gate == gate
            approve(nest, entry, entry.digest, Company())
    assert (ops / "Ideas/New.md").read_text() == "from a tool"


def test_without_that_word_an_approved_program_has_no_hands(ops: Path) -> None:
    ask(ops, LOOKS, "final_answer('gave up')", contract="reviewed")
    with open_nest(ops, ops, to_write=True) as nest:
        nest.refresh()
        entry = get_entry(nest, "last")
        assert "the program itself" not in "\n".join(draft_matter(get_matter(nest, entry)))
        done = approve(nest, entry, entry.digest, Company())
    assert "VAULT_PATH" in done.steps[0].outcome.error
