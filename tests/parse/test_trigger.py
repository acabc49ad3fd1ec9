"""What in a note asks, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestkit.parse.trigger import parse_triggers
from nestkit.trigger import Trigger

ASK = "how many notes?"

FOUND = {
    "a task": f"- [ ] #nest {ASK}\n",
    "a task with another mark": f"* [ ] #nest {ASK}\n",
    "a numbered task": f"1. [ ] #nest {ASK}\n",
    "a nested task": f"- list\n    - [ ] #nest {ASK}\n",
    "a task in capitals": f"- [ ] #NEST {ASK}\n",
    "a task with blanks": f"- [ ]   #nest    {ASK}   \n",
    "a task with a block id": f"- [ ] #nest {ASK} ^abc-1\n",
    "a task under properties": f"---\na: 1\n---\n- [ ] #nest {ASK}\n",
    "a task with CRLF": f"# H\r\n\r\n- [ ] #nest {ASK}\r\n",
    "a task after a closed comment": f"%%\nx\n%%\n\n- [ ] #nest {ASK}\n",
    "a task after an inline comment": f"text %% x %% more\n\n- [ ] #nest {ASK}\n",
    "a task after percent signs in code": f"`%%` text\n\n- [ ] #nest {ASK}\n",
    "a task at the end without newline": f"- [ ] #nest {ASK}",
    "a block": f"```nest\n{ASK}\n```\n",
    "a block with tildes": f"~~~nest\n{ASK}\n~~~\n",
    "a long fence": f"````nest\n{ASK}\n````\n",
    "a block with blanks before its name": f"``` nest\n{ASK}\n```\n",
    "a block in a list": f"- item\n\n  ```nest\n  {ASK}\n  ```\n",
    "a block after a BOM": f"\ufeff```nest\n{ASK}\n```\n",
    "a property": f"---\nnest: {ASK}\n---\ntext\n",
    "a quoted property": f'---\nnest: "{ASK}"\n---\n',
    "a property in capitals": f"---\nNest: {ASK}\n---\n",
}

NOT = {
    "done": f"- [x] #nest {ASK}\n",
    "running": f"- [/] #nest {ASK}\n",
    "cancelled": f"- [-] #nest {ASK}\n",
    "another box": f"- [>] #nest {ASK}\n",
    "no box": f"- #nest {ASK}\n",
    "a tag alone": f"#nest {ASK}\n",
    "another tag": f"- [ ] #nesting {ASK}\n",
    "a tag below": f"- [ ] #nest/later {ASK}\n",
    "the tag later": f"- [ ] ask #nest {ASK}\n",
    "no question": "- [ ] #nest\n",
    "an escaped tag": f"- [ ] \\#nest {ASK}\n",
    "a tag in code": f"- [ ] `#nest {ASK}`\n",
    "a quote": f"> - [ ] #nest {ASK}\n",
    "a callout": f"> [!todo] x\n> - [ ] #nest {ASK}\n",
    "a quote in a list": f"- > - [ ] #nest {ASK}\n",
    "a block in a quote": f"> ```nest\n> {ASK}\n> ```\n",
    "code": f"```\n- [ ] #nest {ASK}\n```\n",
    "code that shows a block": f"````md\n```nest\n{ASK}\n```\n````\n",
    "indented code": f"text\n\n    - [ ] #nest {ASK}\n\n    ```nest\n    {ASK}\n    ```\n",
    "a comment": f"%%\n- [ ] #nest {ASK}\n%%\n",
    "an open comment": f"%%\n\n- [ ] #nest {ASK}\n",
    "a comment begun in a line": f"text %% begins\n\n- [ ] #nest {ASK}\n\n%%\n",
    "a block in a comment": f"%%\n```nest\n{ASK}\n```\n%%\n",
    "html": f"<!--\n- [ ] #nest {ASK}\n-->\n",
    "a html element": f"<div>\n- [ ] #nest {ASK}\n</div>\n",
    "math": f"$$\n- [ ] #nest {ASK}\n$$\n",
    "a footnote": f"[^1]: x\n\n    - [ ] #nest {ASK}\n",
    "an open block": f"```nest\n{ASK}\n",
    "an empty block": "```nest\n\n```\n",
    "another language": f"```nested\n{ASK}\n```\n",
    "an embed": "![[Other#^nest]]\n",
    "a run's note": f'---\nnest-id: "20260101-000000-000000"\n---\n- [ ] #nest {ASK}\n',
    "a merge": f"<<<<<<< mine\n- [ ] #nest {ASK}\n=======\n- [ ] #nest other\n>>>>>>> theirs\n",
    "an empty property": "---\nnest:\n---\n",
    "a checkbox": "---\nnest: true\n---\n",
    "a state as question": "---\nnest: todo\n---\n",
    "a list as question": f"---\nnest: [{ASK}]\n---\n",
    "broken properties": f"---\nnest: {ASK}\nb: [\n---\n",
    "a handled property": f"---\nnest: {ASK}\nnest-state: done\n---\n",
    "a heading": f"# - [ ] #nest {ASK}\n",
    "a table": f"| - [ ] #nest {ASK} |\n|---|\n",
}


def todo(text: str) -> list[Trigger]:
    return [each for each in parse_triggers("n.md", text).found if each.state == "todo"]


@pytest.mark.parametrize("name", FOUND)
def test_what_asks_is_found(name: str) -> None:
    (trigger,) = todo(FOUND[name])
    assert trigger.text == ASK


@pytest.mark.parametrize("name", NOT)
def test_what_only_looks_like_it_does_not_ask(name: str) -> None:
    assert todo(NOT[name]) == []


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in NOT
        if NOT[name].count(ASK)
        and name
        not in (
            "done",
            "running",
            "cancelled",
            "another box",
            "no box",
            "a tag alone",
            "another tag",
            "a tag below",
            "the tag later",
            "an escaped tag",
            "a tag in code",
            "another language",
            "a handled property",
            "a heading",
            "a table",
        )
    ],
)
def test_what_is_skipped_is_told_with_the_reason(name: str) -> None:
    skipped = parse_triggers("n.md", NOT[name]).skipped
    assert skipped
    assert all(each.why for each in skipped)


def test_a_block_has_options_on_its_first_line() -> None:
    (trigger,) = todo(f"```nest model=builtin steps=2\n{ASK}\nand more\n```\n")
    assert (trigger.options, trigger.text) == ("model=builtin steps=2", f"{ASK}\nand more")


def test_the_lines_are_those_of_the_file() -> None:
    text = "---\na: 1\n---\n\n- [ ] #nest a\n  more\n\n```nest\nb\n```\n"
    task, block = todo(text)
    assert (task.line, task.last, task.indent) == (5, 6, "  ")
    assert (block.line, block.last, block.indent) == (8, 10, "")


def test_two_the_same_are_one_question() -> None:
    first, second = todo(f"- [ ] #nest {ASK}\n- [ ] #nest {ASK}\n")
    assert first.key("n.md") == second.key("n.md")
    assert first.key("n.md") != first.key("m.md")


ANSWERED = """\
```nest
q
```

%% nest block done RUN {digest} %%
> [!nest] done
> - [ ] #nest from an answer
>
> ```nest
> from an answer
> ```

%% /nest %%
"""
DIGEST = todo("```nest\nq\n```\n")[0].digest


def test_an_answer_is_no_question_and_its_question_is_done() -> None:
    triggers = parse_triggers("n.md", ANSWERED.format(digest=DIGEST))
    (trigger,) = triggers.found
    assert trigger.state == "done"
    assert trigger.section is not None
    assert (trigger.section.id, trigger.section.first, trigger.section.last) == ("RUN", 5, 13)


def test_a_question_that_was_changed_is_to_be_asked_again() -> None:
    (trigger,) = todo(ANSWERED.format(digest=DIGEST).replace("\nq\n", "\nother\n"))
    assert trigger.text == "other"


def test_a_state_that_a_person_writes_counts() -> None:
    text = ANSWERED.format(digest=DIGEST)
    assert len(todo(text.replace("done RUN", "todo RUN"))) == 1
    assert parse_triggers("n.md", text.replace("done RUN", "failed RUN")).found[0].state == "failed"


def test_a_claim_counts_whatever_the_box_says() -> None:
    text = "- [{box}] #nest q\n  %% nest task running CLAIM 0123456789abcdef elsewhere %%\n  > x\n  %% /nest %%\n"
    for box in " /x":
        (trigger,) = parse_triggers("n.md", text.format(box=box)).found
        assert trigger.state == "running"
        assert trigger.section is not None
        assert trigger.section.host == "elsewhere"


def test_unticking_a_task_asks_again_and_an_older_note_does_not() -> None:
    before = todo("- [ ] #nest q\n")[0]
    done = "- [x] #nest q\n  %% nest task done RUN 0123456789abcdef %%\n  > x\n  %% /nest %%\n"
    again = todo(done.replace("[x]", "[ ]"))[0]
    assert again.key("n") != before.key("n")


def test_an_inbox_asks_of_every_note_with_something_in_it_until_it_was_handled() -> None:
    def kinds(text: str) -> list[str]:
        return [t.kind for t in parse_triggers("In/n.md", text, "file it").found if t.state == "todo"]

    assert kinds("text") == ["inbox"]
    assert kinds("") == []
    assert kinds("---\nnest-state: done\n---\ntext") == []
    assert kinds("---\nnest-state: todo\n---\ntext") == ["inbox"]


@pytest.mark.parametrize(
    "text",
    [
        "-" * 900_000 + " #nest",
        "> - " * 200_000 + "[ ] #nest q",
        "<<<<<<< a\n" * 90_000 + "- [ ] #nest q",
        "- [ ] #nest q" + " " * 900_000 + "x",
        "- [ ] #nest q\n" + "` `` ``` " * 90_000 + "%%",
        "```nest\n" * 100_000,
        "- [ ] #nest q\n" * 5_000,
        "%% nest block done R 0123456789abcdef %%\n" * 20_000 + "- [ ] #nest q",
    ],
    ids=range(8),
)
def test_a_hostile_note_is_read_in_time(text: str) -> None:
    parse_triggers("n.md", text)


LINES = st.lists(
    st.sampled_from(
        [
            "- [ ] #nest q",
            "```nest",
            "```",
            "> ",
            "%%",
            "text",
            "",
            "  ",
            "- x",
            "<!--",
            "-->",
            "$$",
            "---",
            "nest: q",
            "%% nest block done R 0123456789abcdef %%",
            "%% /nest %%",
            "    ",
            "\t- [ ] #nest z",
            "~~~",
            "[^1]: x",
        ]
    ),
    max_size=14,
)


@settings(max_examples=400, deadline=None)
@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]))
def test_no_note_breaks_it_and_places_are_true(lines: list[str], end: str) -> None:
    text = end.join(lines)
    for trigger in parse_triggers("n.md", text).found:
        assert trigger.text
        if trigger.kind in ("block", "task"):
            assert "nest" in lines[trigger.line - 1]
            assert trigger.line <= trigger.last <= len(lines)
