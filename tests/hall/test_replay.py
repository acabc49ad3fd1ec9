"""A run once more: over its record nothing is called or written; on today's vault nothing of then gives leave."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import scripted
from checks import NestCommand
from hall.broken_off import SCRIPT

import nestkit.hall.recording
from nestkit.errors import NestError, StateError
from nestkit.hall.replay import Earlier, draft_again, get_earlier, replay_exact, replay_fresh, replay_program
from nestkit.hall.review import approve, get_entry
from nestkit.hall.walk import Company
from nestkit.nest import Nest, open_nest
from nestkit.policy import Leave, Refusal
from nestkit.run import Ask, Run
from nestkit.runs.replay import Difference
from nestkit.testing import OllamaServer

ask_model = partial(scripted.ask_model, yes=True)
TWO = ("n = len(list_notes(tag='project'))\nprint(n, count.look('Home'))", "final_answer([n, count.tick('a')])")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Nest]:
    root = tmp_path / "vault"
    (root / "02_System").mkdir(parents=True)
    (root / "02_System/count.py").write_text(SCRIPT)
    (root / "Home.md").write_text("Home #project\n")
    with opened(root) as nest:
        yield nest


def opened(root: Path) -> Nest:
    nest = open_nest(root, root, to_write=True)
    nest.refresh()
    return nest


def rules(nest: Nest, *, yes: bool = False) -> Ask:
    """What holds today."""
    now = datetime.now().astimezone()
    return Ask("", now, contract=nest.config.contract, limits=nest.config.limits, leave=Leave(yes=yes))


def again(nest: Nest, earlier: Earlier, contract: Any = None, *, yes: bool = False) -> Run:
    ask = draft_again(nest, earlier, rules(nest, yes=yes), contract)
    assert isinstance(ask, Ask)
    return replay_program(nest, earlier, ask, Company(), keep=True, apply=True)


def content(root: Path) -> dict[str, bytes]:
    """Every file of the vault, nest's own too."""
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def set_contract(contract: str) -> None:
    folder = Path(os.environ["NEST_CONFIG_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(f'[ask]\ncontract = "{contract}"\n')


def test_a_run_comes_out_as_recorded_whatever_became_of_the_vault_and_its_tools(here: Nest) -> None:
    run = ask_model(here, *TWO)
    assert (run.status, run.end.answer) == ("ok", [1, "a!"])
    (here.root / "02_System/count.py").write_text("raise SystemExit('nobody calls me')\n")
    (here.root / "Home.md").write_text("Another\n")
    (here.root / "New.md").write_text("#project\n")
    (here.root / "Out/a.md").unlink()
    with opened(here.root) as now:
        before = content(now.root)
        done = replay_exact(now, get_earlier(now, run.id))
        assert content(now.root) == before
    assert (done.difference, done.programs, done.calls) == (None, 2, 3)
    assert done.remarks == ("02_System/count.py has changed since",)


def test_a_tool_that_is_gone_is_known_by_its_short_name_too(here: Nest) -> None:
    run = ask_model(here, "final_answer([tick('b'), count.look('Home')])")
    (here.root / "02_System/count.py").rename(here.root / "02_System/counted.py")
    with opened(here.root) as now:
        done = replay_exact(now, get_earlier(now, run.id))
    assert (done.difference, done.calls) == (None, 2)
    assert done.remarks == ("02_System/count.py is not there any more",)


def test_errors_refusals_and_replies_without_a_program_come_out_as_recorded(here: Nest) -> None:
    programs = ("x = 1\nprint(x / 0)", "no_such_tool()", "count.nothing()", "import os\nprint(os.listdir('/'))")
    run = ask_model(here, "I think", *programs, "try:\n  tick(3, 4)\nexcept TypeError as e:\n  final_answer(str(e))")
    assert run.status == "ok"
    done = replay_exact(here, get_earlier(here, run.id))
    assert (done.difference, done.programs) == (None, 5)


def test_a_run_that_ended_at_the_limit_of_its_calls_ends_there_again(here: Nest) -> None:
    ask = Ask("do it", scripted.TIME, model="builtin", limits=here.config.limits)
    run = ask_model(here, f"for n in range({ask.limits.calls + 5}):\n    count_of = list_notes()\nfinal_answer(1)")
    assert run.steps[0].outcome.limit == "calls"
    assert replay_exact(here, get_earlier(here, run.id)).difference is None


def test_a_program_that_reads_files_itself_differs_when_they_do(here: Nest) -> None:
    looks = "import os\nfrom pathlib import Path\nt = (Path(os.environ['VAULT_PATH']) / 'Home.md').read_text()\n"
    ends = "print('same')\nprint(t)\nx = search(t) if 'Other' in t else 0\nfinal_answer(len(t))"
    run = ask_model(here, looks + ends, contract="sandboxed")
    earlier = get_earlier(here, run.id)
    assert replay_exact(here, earlier).difference is None
    (here.root / "Home.md").write_text("Home #done\n")
    done = replay_exact(here, earlier)
    assert done.difference == Difference(1, "what it printed", "Home #project", "Home #done", 2)
    (here.root / "Home.md").write_text("Other\n")
    assert replay_exact(here, earlier).difference == Difference(
        1, "call 1", "no such call", "vault.search(text='Other\\n')"
    )
    assert "which are today's" in done.remarks[0]


def test_a_call_that_is_not_made_any_more_is_where_a_run_differs(here: Nest) -> None:
    looks = "import os\nfrom pathlib import Path\nt = (Path(os.environ['VAULT_PATH']) / 'Home.md').read_text()\n"
    run = ask_model(here, looks + "if 'Home' in t:\n    list_notes(tag=t[:4])\nfinal_answer(0)", contract="sandboxed")
    (here.root / "Home.md").write_text("Else\n")
    done = replay_exact(here, get_earlier(here, run.id))
    assert done.difference == Difference(1, "call 1", 'vault.list_notes(tag="Home")', "no such call")
    (here.root / "Home.md").write_text("Homely")
    assert replay_exact(here, get_earlier(here, run.id)).difference is None


def test_a_trace_that_this_machine_has_not_sealed_is_not_run(here: Nest) -> None:
    run = ask_model(here, "final_answer(len(list_notes()))")
    trace = here.root / f".nest/runs/{run.id}.jsonl"
    whole = trace.read_bytes()
    for forged in (whole.replace(b"len(list_notes())", b"len(list_notes)+0"), whole.replace(b'"do it"', b'"do me"')):
        assert forged != whole
        trace.write_bytes(forged)
        with pytest.raises(StateError):
            get_earlier(here, run.id)
    trace.write_bytes(whole)
    assert replay_exact(here, get_earlier(here, run.id)).difference is None


def test_a_note_that_somebody_forged_leads_nowhere_and_says_nothing_to_a_terminal(nest: NestCommand, ops: Path) -> None:
    (ops / "03_Runs").mkdir(exist_ok=True)
    note = '---\nnest-id: "\\e[2J../../../etc/passwd"\nnest-status: ok\nnest-ask: x\n---\n'
    (ops / "03_Runs/forged.md").write_text(note)
    for words in (("replay", "forged"), ("replay", "forged", "--program"), ("diff", "forged", "forged")):
        done = nest(*words)
        assert (done.returncode, done.stdout, "\x1b" in done.stderr) == (1, "", False)
        assert "forged.md names no run" in done.stderr


def test_what_waits_or_was_broken_off_is_not_replayed_but_pointed_out(here: Nest) -> None:
    run = ask_model(here, "final_answer(count.tick('x'))", yes=False)
    assert run.status == "waiting"
    with pytest.raises(StateError, match="waits for a person"):
        get_earlier(here, run.id)
    trace = here.root / f".nest/runs/{run.id}.jsonl"
    trace.write_bytes(b"".join(line + b"\n" for line in trace.read_bytes().split(b"\n")[:3]))
    with pytest.raises(StateError, match="broken off"):
        get_earlier(here, run.id)


def test_what_a_person_has_read_and_approved_is_replayed_and_what_nobody_has_is_not(here: Nest) -> None:
    waiting = ask_model(here, "final_answer(len(list_notes()))", contract="reviewed")
    approved = approve(here, get_entry(here, "last"), get_entry(here, "last").digest, Company())
    assert (waiting.status, approved.status) == ("waiting", "ok")
    unread = ask_model(here, "final_answer(len(list_notes()))")
    set_contract("reviewed")
    with opened(here.root) as now:
        assert replay_exact(now, get_earlier(now, approved.id)).difference is None
        with pytest.raises(StateError, match="nobody has approved"):
            replay_exact(now, get_earlier(now, unread.id))


def test_an_answer_that_was_too_large_to_keep_is_said(here: Nest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nestkit.hall.recording, "_KEPT_BYTES", 10)
    run = ask_model(here, "final_answer([len(list_notes()), tags()])")
    with pytest.raises(StateError, match=r"answer of call 1 of step 1, vault.list_notes\(\), was not kept"):
        replay_exact(here, get_earlier(here, run.id))


def test_its_programs_run_on_today_s_vault_as_a_new_run_that_names_the_old_one(here: Nest) -> None:
    old = ask_model(here, *TWO)
    (here.root / "More.md").write_text("#project\n")
    with opened(here.root) as now:
        new = again(now, get_earlier(now, old.id), yes=True)
        assert (new.status, new.end.answer, new.model) == ("ok", [2, "a!"], "ollama/scripted")
        assert new.path not in (None, old.path)
        now.refresh()
        assert now.run_note(new.path or "").parent == "[[2026-03-18 0900 do it]]"
        assert replay_exact(now, get_earlier(now, new.id)).difference is None


def test_a_yes_of_then_is_no_leave_now(here: Nest) -> None:
    old = ask_model(here, "final_answer(count.tick('z'))")
    assert old.status == "ok"
    (here.root / "Out/z.md").unlink()
    new = again(here, get_earlier(here, old.id))
    assert (new.status, new.matter and new.matter.gate) == ("waiting", "call")
    assert not (here.root / "Out/z.md").exists()


def test_a_run_of_several_programs_that_waits_goes_on_through_all_of_them(here: Nest) -> None:
    old = ask_model(here, *TWO)
    new = again(here, get_earlier(here, old.id), "reviewed", yes=True)
    for _ in TWO:
        assert new.status == "waiting"
        entry = get_entry(here, "last")
        new = approve(here, entry, entry.digest, Company())
    assert (new.status, new.end.answer, len(new.steps)) == ("ok", [1, "a!"], 2)


def test_a_contract_looser_than_today_s_settings_is_chosen_by_the_person_only(here: Nest) -> None:
    run = ask_model(here, "import json\nfinal_answer(1)", contract="sandboxed")
    earlier = get_earlier(here, run.id)
    refused = draft_again(here, earlier, rules(here), None)
    assert isinstance(refused, Refusal)
    assert "--contract sandboxed" in refused.hint
    assert again(here, earlier, "sandboxed").ask.contract == "sandboxed"
    assert again(here, earlier, "brokered").ask.contract == "brokered"


def test_a_run_whose_script_is_gone_is_not_begun(here: Nest) -> None:
    run = ask_model(here, "final_answer(count.look('Home'))")
    (here.root / "02_System/count.py").unlink()
    with opened(here.root) as now, pytest.raises(NestError, match=r"count\.py, which is not there"):
        again(now, get_earlier(now, run.id))


def test_the_same_question_is_asked_anew(here: Nest) -> None:
    old = ask_model(here, "final_answer(1)")
    earlier = get_earlier(here, old.id)
    ask = draft_again(here, earlier, rules(here), None)
    assert isinstance(ask, Ask)
    turns = [{"role": "assistant", "content": "```python\nfinal_answer(2)\n```"}]
    with OllamaServer(turns) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OLLAMA_HOST", server.url)
        new = replay_fresh(here, earlier, ask, Company(), keep=True, apply=True)
    assert (new.status, new.end.answer, new.parent) == ("ok", 2, old.path)
    assert len(server.requests) == 1


def test_the_note_that_asked_then_is_not_written_to_again(here: Nest) -> None:
    question = Ask("List the notes tagged #project", scripted.TIME, note="Home.md", model="builtin")
    old = here.answer(question, Company())
    before = here.read_bytes("Home.md")
    assert b"[!nest]" in before
    assert again(here, get_earlier(here, old.id)).status == "ok"
    assert here.read_bytes("Home.md") == before


def test_the_command_says_what_came_of_it_and_leaves_with_its_code(nest: NestCommand, ops: Path) -> None:
    assert nest("ask", "Which projects are active?", "--model", "builtin").returncode == 0
    done = nest("replay", "last")
    assert (done.returncode, done.stderr) == (0, "")
    assert "as recorded, byte for byte: 1 program over 1 recorded answer" in done.stdout
    told = json.loads(nest("replay", "last", "--json").stdout)
    assert (told["equal"], told["difference"], told["status"]) == (True, None, "ok")
    new = json.loads(nest("replay", "last", "--program", "--json").stdout)
    assert (new["answer"], new["parent"]) == (told["answer"], told["run"])
    fresh = nest("replay", new["id"], "--fresh")
    assert (fresh.returncode, fresh.stdout.split("\n")[0]) == (0, told["answer"][0])
    assert nest("replay", "last", "--yes").returncode == 2
    assert nest("replay", "nobody").returncode == 1
    trace = ops / f".nest/runs/{told['id']}.jsonl"
    trace.write_bytes(trace.read_bytes().replace(b"active", b"paused"))
    forged = nest("replay", told["id"], "--program")
    assert (forged.returncode, forged.stdout) == (1, "")
    assert "not what this machine wrote" in forged.stderr or "no trace that this machine has sealed" in forged.stderr
