"""Setting one property: what is written, what is left alone, and what is refused.

PyYAML (which reads YAML 1.1) is the judge here; the code under test does not use it.
"""

from __future__ import annotations

import datetime
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nestkit.errors import VaultError
from nestkit.vault.block import BrokenBlock, find_block
from nestkit.vault.property import set_property

NOTE = """---
title: "A: tale"   # keep me
status: open # why
tags:
  - "one"  # first
  # about two
  - two
flow: [x, 'y'] # both
big: |
  text: here

# end of the list
nested:
  a: 1
  b: [1, 2]
empty:
---
# Body
status: not this
---
"""


def block_of(text: str) -> str:
    found = find_block(text)
    assert found is not None
    return "".join(found.lines)


def changed(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came, all others being the same bytes in the same order."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    while old and new and old[0] == new[0]:
        old, new = old[1:], new[1:]
    while old and new and old[-1] == new[-1]:
        old, new = old[:-1], new[:-1]
    return old, new


@pytest.mark.parametrize(
    ("name", "value", "went", "came"),
    [
        ("status", "done", ["status: open # why\n"], ["status: done # why\n"]),
        ("status", None, ["status: open # why\n"], ["status: # why\n"]),
        ("status", 5, ["status: open # why\n"], ["status: 5 # why\n"]),
        ("status", ["a"], ["status: open # why\n"], ["status: # why\n", "  - a\n"]),
        ("Status", "done", ["status: open # why\n"], ["status: done # why\n"]),
        ("title", "B", ['title: "A: tale"   # keep me\n'], ["title: B   # keep me\n"]),
        ("tags", ["one", "two", "three"], [], ["  - three\n"]),
        ("tags", ["two"], ['  - "one"  # first\n'], []),
        ("tags", [], ["tags:\n", '  - "one"  # first\n', "  # about two\n", "  - two\n"], ["tags: []\n"]),
        ("tags", "x", ["tags:\n", '  - "one"  # first\n', "  # about two\n", "  - two\n"], ["tags: x\n"]),
        ("flow", ["y", "[[z]]"], ["flow: [x, 'y'] # both\n"], ["flow: ['y', \"[[z]]\"] # both\n"]),
        ("flow", [], ["flow: [x, 'y'] # both\n"], ["flow: [] # both\n"]),
        ("big", "a\nb", ["big: |\n", "  text: here\n"], ['big: "a\\nb"\n']),
        ("nested", True, ["nested:\n", "  a: 1\n", "  b: [1, 2]\n"], ["nested: true\n"]),
        ("empty", 1.5, ["empty:\n"], ["empty: 1.5\n"]),
        ("new", "value", [], ["new: value\n"]),
        ("new", ["a", None], [], ["new:\n", "  - a\n", "  - null\n"]),
        ("new", None, [], ["new:\n"]),
        ("due date: x", "v", [], ['"due date: x": v\n']),
    ],
)
def test_only_the_property_s_own_lines_change(name: str, value: Any, went: list[str], came: list[str]) -> None:
    assert changed(NOTE, set_property(NOTE, name, value)) == (went, came)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("title", "A: tale"),
        ("status", "open"),
        ("tags", ["one", "two"]),
        ("flow", ["x", "y"]),
        ("empty", None),
    ],
)
def test_a_property_that_has_the_value_already_is_left_as_it_is_written(name: str, value: Any) -> None:
    assert set_property(NOTE, name, value) == NOTE


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain words", "plain words"),
        ("Über uns, 日本", '"Über uns, 日本"'),
        ("日本 メモ", "日本 メモ"),
        ("it's fine - really (100%)!", "it's fine - really (100%)!"),
        ("area/sub-tag", "area/sub-tag"),
        ("[[Note]]", '"[[Note]]"'),
        ("[[Note|alias]]", '"[[Note|alias]]"'),
        ("[text](a.md)", '"[text](a.md)"'),
        ("https://example.org/a#b", '"https://example.org/a#b"'),
        ("yes", '"yes"'),
        ("No", '"No"'),
        ("on", '"on"'),
        ("y", '"y"'),
        ("TRUE", '"TRUE"'),
        ("null", '"null"'),
        ("~", '"~"'),
        ("", '""'),
        ("12:30", '"12:30"'),
        ("1977", '"1977"'),
        ("007", '"007"'),
        ("0x1F", '"0x1F"'),
        ("1e3", '"1e3"'),
        ("1_000", '"1_000"'),
        ("-5", '"-5"'),
        (".5", '".5"'),
        (".inf", '".inf"'),
        ("3 apples", "3 apples"),
        ("#tag", '"#tag"'),
        ("a #b", '"a #b"'),
        ("a: b", '"a: b"'),
        ("a:", '"a:"'),
        ("- item", '"- item"'),
        ("---", '"---"'),
        ("...", '"..."'),
        ("=", '"="'),
        ("<<", '"<<"'),
        ("@name", '"@name"'),
        ("`code`", '"`code`"'),
        ("{{date}}", '"{{date}}"'),
        ("*x", '"*x"'),
        ("&x", '"&x"'),
        ("!x", '"!x"'),
        ("%x", '"%x"'),
        (" padded ", '" padded "'),
        ('say "hi"', '"say \\"hi\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("two\nlines", '"two\\nlines"'),
        ("tab\there", '"tab\\there"'),
        ("\x85\u2028\ufeff", '"\\u0085\\u2028\\ufeff"'),
        ("\x00\x1b", '"\\u0000\\u001b"'),
        ("2024-05-01", "2024-05-01"),
        ("2024-05-01T10:30:00", "2024-05-01T10:30:00"),
        ("2024-05-01T10:30", "2024-05-01T10:30"),
        ("2024-02-30", '"2024-02-30"'),
        ("2024-05-01 10:30", '"2024-05-01 10:30"'),
        ("2024-05", '"2024-05"'),
        (datetime.date(2024, 5, 1), "2024-05-01"),
        (datetime.datetime(2024, 5, 1, 10, 30), "2024-05-01T10:30:00"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-17, "-17"),
        (2.5, "2.5"),
        (1e20, "1.0e+20"),
        (1e-7, "1.0e-07"),
    ],
)
def test_a_value_is_written_so_that_nobody_misreads_it(value: Any, written: str) -> None:
    assert set_property("", "p", value) == f"---\np: {written}\n---\n"


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), {"a": 1}, {1}, b"x", [["a"]], ["a", ("b",)], object(), 10**400, "\ud800", ["\udfff"]],
)
def test_what_no_property_can_hold_is_refused(value: Any) -> None:
    with pytest.raises(VaultError) as error:
        set_property(NOTE, "p", value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b", "x" * 300, None, 5])
def test_what_is_no_property_s_name_is_refused(name: Any) -> None:
    with pytest.raises(VaultError):
        set_property(NOTE, name, 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "---\np: 1\n---\n"),
        ("body", "---\np: 1\n---\nbody"),
        ("a\r\nb", "---\r\np: 1\r\n---\r\na\r\nb"),
        ("\ufeffbody\n", "\ufeff---\np: 1\n---\nbody\n"),
        ("\n---\na: 1\n---\n", "---\np: 1\n---\n\n---\na: 1\n---\n"),
        ("----\n", "---\np: 1\n---\n----\n"),
        ("text\n\n---\na: 1\n---\n", "---\np: 1\n---\ntext\n\n---\na: 1\n---\n"),
        ("---\n---\nbody", "---\np: 1\n---\nbody"),
        ("---\n# only a comment\n---\n", "---\n# only a comment\np: 1\n---\n"),
        ("---\na: 1\n---", "---\na: 1\np: 1\n---"),
        ("---  \na: 1\n---  \nx", "---  \na: 1\np: 1\n---  \nx"),
        ("---\r\na: 1\r\n---\r\nx\r\n", "---\r\na: 1\r\np: 1\r\n---\r\nx\r\n"),
        ("---\r\np: 2 # c\r\nq: 1\r\n---\r\n", "---\r\np: 1 # c\r\nq: 1\r\n---\r\n"),
        ("\ufeff---\na: 1\n---\n", "\ufeff---\na: 1\np: 1\n---\n"),
        ("---\ncreated: {{date}}\n---\n", "---\ncreated: {{date}}\np: 1\n---\n"),
        ("---\nup: [[Bee]]\n---\n", "---\nup: [[Bee]]\np: 1\n---\n"),
        ("---\n'p': 2\n---\n", "---\n'p': 1\n---\n"),
        ('---\n"p" : 2\n---\n', '---\n"p" : 1\n---\n'),
        ("---\np: &x 2\n  # c\nq: 1\n---\n", BrokenBlock),
        ("---\na: &x 1\nb: *x\n---\n", "---\na: &x 1\nb: *x\np: 1\n---\n"),
        ("---\na: &x 1\np: *x\n---\n", "---\na: &x 1\np: 1\n---\n"),
        ("---\np:\n- a\n- b\nq: 1\n---\n", "---\np: 1\nq: 1\n---\n"),
        ("---\np: [a,\n  b # c\n]\nq: 1\n---\n", "---\np: 1\nq: 1\n---\n"),
        ('---\np: "a\n\n  b" # c\nq: 1\n---\n', "---\np: 1 # c\nq: 1\n---\n"),
        ("---\np: a\n  b\n\n  c\n\nq: 1\n---\n", "---\np: 1\n\nq: 1\n---\n"),
        ("---\np: >-\n    a\n     b\n\n    c\n\n\nq: 1\n---\n", "---\np: 1\n\n\nq: 1\n---\n"),
        ("---\np:\n  - a:\n      - b\n    c: d\n  - - e\n    - f\nq: 1\n---\n", "---\np: 1\nq: 1\n---\n"),
        ("---\np: !!str 2\n---\n", "---\np: 1\n---\n"),
        ("---\np: 1.0\n---\n", "---\np: 1\n---\n"),
        ('---\np: "1"\n---\n', "---\np: 1\n---\n"),
    ],
)
def test_the_rest_of_the_note_keeps_its_form(before: str, after: str | type[Exception]) -> None:
    if isinstance(after, str):
        assert set_property(before, "p", 1) == after
    else:
        with pytest.raises(after):
            set_property(before, "p", 1)


@pytest.mark.parametrize(
    ("before", "items", "after"),
    [
        ("p:\n- a\n- b\n", ["b", "c"], "p:\n- b\n- c\n"),
        ("p:\n    - a\n", ["c", "a"], "p:\n    - c\n    - a\n"),
        ("p:\n  - 'a'\n\n  # of b\n  - b # b\n", ["b", "a"], "p:\n\n  # of b\n  - b # b\n  - 'a'\n"),
        ("p:\n  - a\n  - a\n", ["a"], "p:\n  - a\n"),
        ("p:\n  - 1\n  - '1'\n", ["1", 1], "p:\n  - '1'\n  - 1\n"),
        ("p:\n  -\n  - a, b\n", [None, "a, b"], "p:\n  -\n  - a, b\n"),
        ("p:\n  - a: 1\n", ["x"], "p:\n  - x\n"),
        ("p:\n  - a\n    b\n", ["x"], "p:\n  - x\n"),
        ("p: # c\n  - a\n", ["a", "b"], "p: # c\n  - a\n  - b\n"),
        ("p: a\n  - b\n", ["x"], "p:\n  - x\n"),
        ("p: [a, 'b, c', 1]\n", ["b, c", 1, "d"], "p: ['b, c', 1, d]\n"),
        ("p: [a, [b]]\n", ["x"], "p: [x]\n"),
        ("p: []\n", ["x"], "p: [x]\n"),
        ("p: [[a]]\n", [], "p: []\n"),
    ],
)
def test_a_list_keeps_its_style_and_the_items_that_stay(before: str, items: list[Any], after: str) -> None:
    assert set_property(f"---\n{before}---\n", "p", items) == f"---\n{after}---\n"


@pytest.mark.parametrize(
    ("block", "line"),
    [
        ("a: 1\na: 2\n", 3),
        ("a: 1\n'a': 2\n", 3),
        ("n:\n  x: 1\n  x: 2\n", 4),
        ("a:\n\t- b\n", 3),
        ("a:\tb\n", 2),
        ("{a: 1}\n", 2),
        ("[a]\n", 2),
        ("- a\n", 2),
        ("just words\n", 2),
        ("a: b: c\n", 2),
        ("a: @x\n", 2),
        ("a: `x`\n", 2),
        ("a: %x\n", 2),
        ("a:\n- @x\n", 3),
        ('a: "b" c\n', 2),
        ('a: "open\nb: 1\n', 3),
        ("a: 'open\n", 2),
        ('a: "\\q"\n', 2),
        ("a: [1, 2\nb: 3\n", 3),
        ("a: [1, , 2]\n", 2),
        ("a: [1}\n", 2),
        ("a: {b: c: d}\n", 2),
        ("a: 1\n  b: 2\n", 3),
        ("a:\n    b: 1\n  c: 2\n", 4),
        ("  a: 1\n", 2),
        ("a: |\n    x\n  y\n", 4),
        ("a: |x\n", 2),
        ("? a\n: b\n", 2),
        ("a: *none\n", 2),
        ("...\na: 1\n", 2),
        ("--- x: 1\n", 2),
        ("a: 1\rb: 2\n", 2),
        ("a: \x07\n", 2),
        ("a: x\u2028y\n", 2),
        ("a:\n" + "".join(f"{'  ' * depth}- x:\n" for depth in range(1, 80)), 28),
    ],
)
def test_an_unclear_block_is_refused_with_the_line(block: str, line: int) -> None:
    with pytest.raises(BrokenBlock) as error:
        set_property(f"---\n{block}---\nbody\n", "p", 1)
    assert error.value.line == line
    assert str(error.value).startswith(f"line {line}: ")
    assert str(error.value).isprintable()


def test_a_block_that_never_closes_is_refused() -> None:
    with pytest.raises(BrokenBlock, match="never closed"):
        set_property("---\na: 1\n\nbody\n", "p", 1)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "line",
    [
        " " * 300_000 + "x",
        "a" * 300_000,
        "- " * 9_000,
        "[" * 100_000,
        '"' + "\\\\" * 150_000,
        "a" + " " * 300_000 + "b",
    ],
    ids=["blanks", "letters", "dashes", "brackets", "escapes", "gap"],
)
def test_a_hostile_block_is_read_or_refused_soon(line: str) -> None:
    for block in (line, f"p:\n  - {line}", f"p: [{line}]", f"p: {line}", f"{line}: x"):
        with suppress(BrokenBlock):
            assert find_block(set_property(f"---\n{block}\n---\n", "p", ["v"]))


# Laws, over blocks put together from every form a value takes.

VALUES = st.sampled_from(
    [
        " plain text",
        " 12",
        " true # yes",
        "",
        " # nothing",
        ' "quoted: # text"',
        " 'it''s'  # c",
        " [a, 'b', 3]",
        " {x: 1, y: [2]}",
        " {{date}}",
        " [[Link]]",
        " [a,\n  b,\n]",
        "\n  - a\n  - b # c",
        "\n- a\n\n# between\n- 'b'",
        "\n  - x: 1\n    y: 2\n  - [z]",
        "\n  deep:\n    deeper: [1]\n  side: |\n    a: b\n     c",
        " |\n  literal: text\n\n  # no comment",
        " >-\n   folded\n   text",
        " several\n  lines\n\n  of text",
        ' "over\n  lines"',
        " 2024-05-01",
        " !!str 5",
    ]
)
GAPS = st.sampled_from(["", "\n", "# a comment\n", "\n # indented\n\n"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["yes", "12:30", "[[A#b|c]]", "a: b", "- x", "# y", "0o17", "1e5", "2024-05-01", "null", "a\r\nb"]
    )
)


Note = tuple[str, str, str, str]
"""All before a property, its lines, all after, its name; the lines are empty when it is not there yet."""


Note = tuple[str, str, str, str]
"""All before a property, its lines, all after, its name; the lines are empty when it is not there yet."""


@st.composite
def notes(draw: st.DrawFn) -> Note:
    names = draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=5, unique=True))
    parts = [f"{name}:{draw(VALUES)}\n" for name in names]
    gaps = [draw(GAPS) for _ in names]
    bom, end = draw(st.sampled_from(["", "\ufeff"])), draw(st.sampled_from(["\n", "\r\n"]))
    chosen = draw(st.integers(0, len(names)))
    before = "---\n" + "".join(part + gap for part, gap in zip(parts[:chosen], gaps[:chosen], strict=True))
    own, name = (parts[chosen], names[chosen]) if chosen < len(names) else ("", "new")
    after = "".join(gap + part for gap, part in zip(gaps[chosen:], [*parts[chosen + 1 :], ""], strict=False))
    after += "---\nbody\n---\nx: y\n"
    return bom + before.replace("\n", end), own.replace("\n", end), after.replace("\n", end), name


def text_values(text: str) -> dict[str, Any]:
    """Every property, each scalar as the text that YAML takes it for; a template's braces are no YAML value."""
    return dict(yaml.load(block_of(text).replace("{{date}}", "date"), Loader=yaml.BaseLoader) or {})


@given(notes(), SCALARS | st.lists(SCALARS, max_size=4))
def test_no_other_byte_and_no_other_value_changes(note: Note, value: Any) -> None:
    before, own, after, name = note
    text = before + own + after
    done = set_property(text, name, value)
    assert done.startswith(before)
    assert done.endswith(after)
    old, new = text_values(text), text_values(done)
    assert {key: old[key] for key in old if key != name} == {key: new[key] for key in new if key != name}
    assert list(new) == list(dict.fromkeys([*old, name]))


@given(notes(), SCALARS | st.lists(SCALARS, max_size=4))
def test_setting_twice_is_setting_once(note: Note, value: Any) -> None:
    before, own, after, name = note
    once = set_property(before + own + after, name, value)
    assert set_property(once, name, value) == once


@given(
    st.sampled_from(["", "---\np: x\n---\n", "---\np: [a, 'yes']\n---\n", "---\np:\n- a\n---\n"]),
    SCALARS | st.lists(SCALARS),
)
def test_what_was_set_is_what_yaml_reads(text: str, value: Any) -> None:
    read = yaml.safe_load(block_of(set_property(text, "p", value)))["p"]
    if isinstance(value, list):
        assert [_as_text(item) for item in read] == value
    else:
        assert _as_text(read) == value


def _as_text(value: Any) -> Any:
    """YAML 1.1 makes dates of what YAML 1.2 and Obsidian take for text."""
    return value.isoformat() if isinstance(value, (datetime.date, datetime.datetime)) else value


PIECES = (
    *(
        "a: ",
        "b: ",
        "c:",
        "- ",
        "-",
        "  ",
        "\n",
        "\n\n",
        "\n  ",
        "\n- ",
        "\n  - ",
        "x",
        "1",
        "'q'",
        '"d"',
        "'",
        '"',
        "[",
        "]",
    ),
    *("{", "}", ",", " # c", "#c", ": ", ":", "|", "|-", "|2", ">", "&n ", "*n", "!t "),
    *("k: v", "@", "\\n", "?", "...", "- a: 1", "<<: "),
)


@given(st.lists(st.sampled_from(PIECES), max_size=14))
def test_a_block_we_read_is_one_that_yaml_reads_the_same_way(pieces: list[str]) -> None:
    text = "---\n" + "".join(pieces) + "\n---\n"
    try:
        found = find_block(text)
    except BrokenBlock:
        return
    assert found is not None
    assert found.opening + "".join(found.lines) + found.rest == text
    node = yaml.compose("".join(found.lines), Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode) or (node is None and not found.keys)
    keys = [(key.value, key.start_mark.line) for key, _ in node.value] if node else []
    assert keys == [(key.name, key.first) for key in found.keys]
