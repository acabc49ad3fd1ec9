"""Blocks of YAML and what npm yaml 2.7.0 made of them (`cases/yaml12.jsonl`, written down from its runs)."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import frontmatter
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestkit.parse.yaml12 import MAX_DEPTH, PropertiesHandler, YamlError, core_value, parse_yaml

RUNS = [json.loads(line) for line in (Path(__file__).parent / "cases/yaml12.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("run", RUNS, ids=[run["yaml"][:40] for run in RUNS])
def test_a_block_reads_as_npm_yaml_read_it(run: dict[str, Any]) -> None:
    if run.get("error"):
        with pytest.raises(YamlError):
            parse_yaml(run["yaml"])
    else:
        found = parse_yaml(run["yaml"]).value
        assert found == run["value"]
        assert json.dumps(found, sort_keys=True) == json.dumps(run["value"], sort_keys=True)  # True is not 1


def test_infinite_numbers_and_none() -> None:
    assert [core_value(text) for text in (".inf", "-.Inf", "+.INF", "1e999")] == [
        math.inf,
        -math.inf,
        math.inf,
        math.inf,
    ]
    assert math.isnan(core_value(".NaN"))
    assert core_value("0x" + "f" * 400) == math.inf


def test_a_hundred_aliases_of_one_anchor_are_too_many() -> None:
    def block(uses: int) -> str:
        return f"a: &x 1\nb: [{', '.join(['*x'] * uses)}]\n"

    assert len(parse_yaml(block(99)).value["b"]) == 99
    with pytest.raises(YamlError, match="repeats too much"):
        parse_yaml(block(100))


def test_aliases_of_aliases_multiply() -> None:
    rows = ["a: &a [x, x]", *(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcd", "bcde", strict=True))]
    with pytest.raises(YamlError, match="repeats too much"):
        parse_yaml("\n".join(rows))


@pytest.mark.parametrize("sign", ["[", "{", "- ", "? ", "[{"])
def test_bottomless_nesting_is_refused(sign: str) -> None:
    with pytest.raises(YamlError):
        parse_yaml(sign * 50_000)


def test_as_deep_as_allowed() -> None:
    value = parse_yaml("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)).value
    for _ in range(MAX_DEPTH - 2):
        value = value[0]
    assert value == []


def test_an_anchor_cannot_hold_itself() -> None:
    with pytest.raises(YamlError, match="before its anchor"):
        parse_yaml("a: &x [*x]")


def test_lines_of_keys_and_items() -> None:
    read = parse_yaml("# top\na: 1\nb:\n  - x\n  - y: 2\nc: {d: [e]}\n")
    assert {key: read.lines[key] for key in ("a", "b", "b.0", "b.1", "b.1.y", "c", "c.d", "c.d.0")} == {
        "a": 2, "b": 3, "b.0": 4, "b.1": 5, "b.1.y": 5, "c": 6, "c.d": 6, "c.d.0": 6,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("block", "line"),
    [
        ("a: 1\nb: @x\n", 2),
        ("a: 1\na: 2\n", 2),
        ("a:\n\t- b\n", 2),
        ('a: "x\nb: 1\nc: "y"\n', 1),
        ("a: 1\n---\nb: 2\n", 2),
    ],
)
def test_an_error_knows_its_line(block: str, line: int) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(block)
    assert caught.value.line == line


def test_odd_characters_survive() -> None:
    text = "\x00\x01\x7f\x85\u2028\ufeff\uffff\ud800"
    assert parse_yaml(f"a: x{text}y\n").value == {"a": f"x{text}y"}
    assert parse_yaml("a: x\ry\r\nb: 1\r\n").value == {"a": "x\ry", "b": 1}


def test_python_frontmatter_can_use_the_handler() -> None:
    post = frontmatter.loads("---\nwhen: 2024-05-01\nyes: yes\n---\nbody\n", handler=PropertiesHandler())
    assert (post.metadata, post.content) == ({"when": "2024-05-01", "yes": "yes"}, "body")
    assert frontmatter.loads("no block", handler=PropertiesHandler()).metadata == {}


@given(st.text(st.sampled_from("ab1:-?[]{},&*!|>'\"%@`# \n\t\r~.\u2028\ud800")) | st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read = parse_yaml(text)
    except YamlError as error:
        assert 1 <= error.line <= text.count("\n") + 2
    else:
        assert all(1 <= line <= text.count("\n") + 1 for line in read.lines.values())


@given(
    st.dictionaries(
        st.text(), st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.lists(st.text())
    )
)
def test_json_reads_as_itself(value: dict[str, Any]) -> None:
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only)
        if not ascii_only or "\\ud" not in text:  # a half of a pair alone is refused
            assert parse_yaml(text).value == value
