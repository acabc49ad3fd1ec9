"""What nest writes beside a question: only its own, wherever the question stands."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestkit.hall.answers import draft_callout
from nestkit.parse.trigger import parse_triggers
from nestkit.run import Ask, End, Run
from nestkit.trigger import Trigger, TriggerState
from nestkit.vault.property import set_property
from nestkit.watching.mark import release, write_section, write_state

ANSWER = ["> [!nest] done · [[Run]]", "> 42"]


def first(text: str) -> Trigger:
    return parse_triggers("n.md", text).found[0]


def write(text: str, state: TriggerState, id: str, host: str = "") -> str:
    return write_state(text, first(text), state, id, ANSWER, set_property, host)


def test_a_task_is_claimed_and_answered() -> None:
    claimed = write("- [ ] #nest q\n- [ ] milk\n", "running", "C1", "my host")
    assert claimed == (
        f"- [/] #nest q\n  %% nest task running C1 {first('- [ ] #nest q').digest} my-host %%\n"
        "  > [!nest] done · [[Run]]\n  > 42\n  %% /nest %%\n- [ ] milk\n"
    )
    done = write(claimed, "done", "R1")
    assert done.startswith("- [x] #nest q\n  %% nest task done R1 ")
    assert done.count("%%") == 4
    assert done.endswith("  %% /nest %%\n- [ ] milk\n")
    assert first(done).state == "done"


@pytest.mark.parametrize(
    ("state", "box"), [("running", "/"), ("waiting", "?"), ("done", "x"), ("failed", "!"), ("refused", "-")]
)
def test_every_state_has_its_box(state: TriggerState, box: str) -> None:
    assert write("1. [ ] #nest q [ ] x\n", state, "R").startswith(
        f"1. [{box}] #nest q [ ] x\n   %% nest task {state} R "
    )


def test_an_answer_is_replaced_and_not_added_twice() -> None:
    text = "a\n```nest\nq\n```\nb\n"
    once = write(text, "done", "R1")
    twice = write(once, "done", "R2")
    assert twice == once.replace("R1", "R2")


def test_a_property_is_answered_at_the_end_and_keeps_its_properties() -> None:
    text = "---\n# mine\nnest:   'q'   # why\ntags: [a,  b]\n---\nbody"
    done = write(text, "done", "R1")
    assert done.startswith(
        "---\n# mine\nnest:   'q'   # why\ntags: [a,  b]\nnest-state: done\n---\nbody\n\n%% nest property done R1"
    )
    again = write(done.replace("nest-state: done", "nest-state: todo"), "done", "R2")
    assert again == done.replace("R1", "R2")


BEFORE = st.lists(
    st.sampled_from(["text", "", "- [ ] other", "## h", "> q", "1. x", "```\ncode\n```", "\u2028 é"]), max_size=5
)
QUESTION = st.sampled_from(
    [
        "- [ ] #nest q",
        "* [ ] #nest q ^id",
        "- a\n  - [ ] #nest q",
        "```nest\nq\n```",
        "~~~nest x=1\nq\n\nr\n~~~",
        "- a\n\n  ```nest\n  q\n  ```",
    ]
)
AFTER = st.lists(st.sampled_from(["text", "", "- [ ] other", "  deeper", "## h", "---", "%% x %%"]), max_size=5)


@settings(max_examples=300, deadline=None)
@given(BEFORE, QUESTION, AFTER, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_a_claim_taken_back_leaves_every_byte(
    before: list[str], question: str, after: list[str], end: str, closed: bool
) -> None:
    text = "\n".join([*before, "", question, *after]).replace("\n", end) + (end if closed else "")
    found = parse_triggers("n.md", text).found
    if not found:  # a question within an open block above it is none
        return
    claimed = write_state(text, found[0], "running", "C1", ANSWER, set_property, "h")
    owner = first(claimed)
    assert (owner.state, owner.digest) == ("running", found[0].digest)
    assert owner.section is not None
    assert owner.section.id == "C1"
    whole = text if text.endswith(end) or found[0].last < len(text.split(end)) else text + end
    assert release(claimed, owner, set_property) == whole
    done = write_state(claimed, owner, "done", "R1", ["> x"], set_property)
    assert [t.digest for t in parse_triggers("n.md", done).found] == [t.digest for t in found]
    assert release(done, first(done), set_property) == whole
    if end == "\r\n":
        assert "\n" not in done.replace("\r\n", "")


def test_an_answer_whose_question_is_gone_stays_between_its_marks() -> None:
    claimed = write("a\n\n- [ ] #nest q\n", "running", "C1", "h").replace("- [/] #nest q", "- something else")
    (section,) = parse_triggers("n.md", claimed).sections
    done = write_section(claimed, section, "done", "R1", ANSWER)
    assert "running" not in done
    assert "- something else\n  %% nest task done R1 " in done


HOSTILE = [
    "%% /nest %%\n- [ ] #nest evil\n```nest\nevil\n```",
    "x\r- [ ] #nest evil\r\n%% /nest %%\r",
    "x\u2028- [ ] #nest evil\x85```nest\x0bevil\x0c```",
    ["%% /nest %%", "\n- [ ] #nest evil", "%%"],
    {"a\n%% nest block running C 0123456789abcdef h %%": "\n```nest\nevil\n```\n"},
    "%%",
    "<!--",
    "$$\n<% evil %>\n`````",
    "x" * 100_000,
    "\n" * 10_000,
]


def asking(text: str) -> Trigger:
    return next(each for each in parse_triggers("n.md", text).found if each.text == "q")


@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("question", ["- [ ] #nest q\n", "```nest\nq\n```\n", "---\nnest: q\n---\n"])
def test_no_answer_asks_or_ends_its_own_marks(answer: object, question: str) -> None:
    ask = Ask("q ]] %% /nest %% [[x|y]] ` <% z %>", datetime(2026, 3, 18, tzinfo=UTC))
    run = Run("R1", ask, End("ok", answer=answer), path="03_Runs/a.md")
    text = question + "\n- [ ] #nest other\n"
    done = write_state(text, asking(text), "done", "R1", draft_callout(run, "done"), set_property)
    triggers = parse_triggers("n.md", done)
    assert sorted(each.text for each in triggers.found if each.state == "todo") == ["other"]
    assert [section.id for section in triggers.sections] == ["R1"]
    assert len(done) < 100_000
    refused = Run("R1", ask, End("refused", reason=str(answer), hint=str(answer)), path="03_Runs/a.md")
    again = write_state(done, asking(done), "refused", "R1", draft_callout(refused, "refused"), set_property)
    assert sorted(each.text for each in parse_triggers("n.md", again).found if each.state == "todo") == ["other"]
