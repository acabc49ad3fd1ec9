"""The quick readers say what the exact ones say, or leave the note to them: on every text there is."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestkit.parse.body import Body, body_of
from nestkit.parse.fence import split_frontmatter
from nestkit.parse.pieces import parse_pieces
from nestkit.parse.scan import scan_pieces
from nestkit.parse.scan_yaml import scan_properties
from nestkit.parse.yaml12 import YamlError, parse_yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "bench"))  # its files are scripts that stand beside each other, not a package

from vaults import Plan, draft_files  # noqa: E402


def readings(text: str) -> tuple[Body, Body] | None:
    """The quick reading and the exact one; None when the quick one left it."""
    scanned = scan_pieces(text, 3)
    return None if scanned is None else (body_of("A.md", text, 3, scanned), exact(text))


def exact(text: str) -> Body:
    return body_of("A.md", text, 3, parse_pieces(text, 3))


def check_body(text: str) -> bool:
    """Whether the quick reader answered; then it answered right."""
    found = readings(split_frontmatter(text).body)
    assert found is None or found[0] == found[1]
    return found is not None


def check_yaml(yaml: str) -> bool:
    """The same of properties. Values are compared as they are written down, for 1 and True are equal."""
    scanned = scan_properties(yaml)
    if scanned is None:
        return False
    try:
        read = parse_yaml(yaml)
    except YamlError as error:
        raise AssertionError(f"{scanned} was read, but: {error}") from None
    assert repr(scanned[0]) == repr(read.value)
    assert scanned[1] == read.lines
    return True


def known_notes() -> Iterator[str]:
    """Texts of all cases and of the vaults that come with the project."""
    for line in (ROOT / "tests/cases/obsidian.jsonl").read_text("utf-8").splitlines():
        yield from json.loads(line)["vault"].values()
    for file in (ROOT / "tests/parse/cases").glob("*.md"):
        yield file.read_text("utf-8")
        yield from file.read_text("utf-8").split("\n.\n")
    for folder in ("vault", "tests/vaults", "docs"):
        yield from (file.read_text("utf-8") for file in sorted((ROOT / folder).rglob("*.md")))


def test_cases_and_example_vaults_read_the_same() -> None:
    texts = list(known_notes())
    answered = sum(check_body(text) for text in texts)
    assert answered > len(texts) / 3  # most cases are about what is odd


def test_their_properties_read_the_same() -> None:
    blocks = [yaml for text in known_notes() if (yaml := split_frontmatter(text).yaml)]
    answered = sum(map(check_yaml, blocks))
    assert answered > len(blocks) / 4


def test_a_made_up_vault_reads_the_same_and_hardly_needs_the_full_parser() -> None:
    notes = [content.decode() for path, content in draft_files(Plan(600, 7), Counter()) if path.endswith(".md")]
    assert sum(map(check_body, notes)) == len(notes)
    blocks = [yaml for text in notes if (yaml := split_frontmatter(text).yaml)]
    assert sum(map(check_yaml, blocks)) > 0.9 * len(blocks)


SIGNS = (
    *("[[A]]", "[[A|b]]", "![[p.png]]", "[[", "]]", "[", "](", "](x.md)", "[t](x.md)", "![i](y.png)", "![", "|"),
    *("[^1]: ", "[r]: u", "| a | b |\n", "|-|-|\n", "| [[a\\|b]] | #t |\n", "#", "#tag", "#a_b", "##", "# H", "# H #"),
    *("^id", " ^a-1", "- ", "  - ", "    - ", "\t- ", "\t\t- ", "- [ ] ", "* [x] ", "+ ", "1. ", "2. ", "3) ", "1) "),
    *(
        "> ",
        ">> ",
        "> [!note] ",
        ">",
        "---",
        "===",
        "====",
        "***",
        "___",
        "```",
        "```py\n",
        "~~~",
        "`",
        "``",
        "$",
        "$$",
    ),
    *("$x$", "%%", "<!--", "-->", "<div>", "<b>", "\\", "\\[", "**", "*", "_", "__", "==", "~~", "~", "&amp;", "&"),
    *(
        "a: 1",
        "k:: v",
        "[k:: v]",
        "(k::",
        "::",
        "📅 2024-01-01",
        "⏫",
        "word",
        "é",
        "🎉",
        "日本語",
        "http://x.y/#f",
        "!",
    ),
    *("(", ")", "-", "+", "=", ":", "5", "1", " ", "  ", "   ", "    ", "\t", "\n", "\n", "\n\n", "\u2028", "\0"),
    *("\ufeff", "\u00a0", "\x0c", "text [[B#H]] more\n", "- item\n", "  more\n", "para\n", "lazy\n"),
)
LINES = (
    *("- a", "- [ ] a #t", "  - [[b]]", "\t- b", "    - c", "  more [[A]]", "more #x", "1. one", "2. two", "   in it"),
    *("> q [[A]]", "> - a", ">   - b #t", "> # H", ">", "> ```", "# H #t", "## H2", "", "", "", "text [[A|b]] ^id"),
    *(
        "| a | b |",
        "|---|---|",
        "| [[x]] | #y |",
        "```",
        "~~~",
        "$$",
        "%%",
        "---",
        "===",
        "[^1]: note [[A]]",
        "    code",
    ),
    *("k:: v", "- k:: v", "[t](a.md) `[[c]]` $x$ #t", "<!-- [[c]]", "-->", "* * *", "- - x", "-", "1)", "  ", "\tx"),
)
NOTES = st.lists(st.sampled_from(SIGNS), max_size=40).map("".join) | st.lists(st.sampled_from(LINES)).map("\n".join)


@settings(max_examples=600)
@given(NOTES | st.text())
def test_any_text_reads_the_same(text: str) -> None:
    check_body(text)


YAML_SIGNS = (
    *("a: ", "b: ", "tags: ", "my key: ", "ключ: ", "a", "b", "- ", "  - ", "    - ", "[", "]", ", ", "\n", "\n", "1"),
    *("0o7", "1.50", "-3", "true", "False", "null", "~", "yes", "2024-01-02", "12:30", "http://x.y", '"', "'", '"q r"'),
    *("'s'", "#", "# c", " # c", ":", ": ", "{", "}", "|", ">", "&x", "*x", "!", "@", "%", "[[A]]", '"[[A|b]]"', "é"),
    *("[a, b]", "[\"x\", 'y', z 1]", "日本", "\t", "\r\n", " ", "  ", "\\", "\u00a0", "\u2028", "\x85", "0x1F", "1e3"),
    *(
        ".5",
        "+1",
        "1_000",
        "- x\n",
        "c:\n",
        "c:\n  - x\n  - y\n",
        "d: v\n",
        "?",
        "---",
        "<<: ",
        "true: 1\n",
        "😀",
        "01",
    ),
)


@settings(max_examples=600)
@given(st.lists(st.sampled_from(YAML_SIGNS), max_size=12).map("".join) | st.text())
def test_any_properties_read_the_same(yaml: str) -> None:
    check_yaml(yaml)


@pytest.mark.parametrize(
    "text",
    [
        "e\n3) k::",  # only a 1 may interrupt a paragraph
        "e\n# ^1",  # an id alone names the block before it
        "~~~|a\n-|-\n#",  # the head of a table, not a fence
        "# a|b\n|-|-|\n|-|-|",
        "- a\n      - b [[c]]",
        "- a\n- b\n     c [[d]]\n\n    code [[e]]",
        "> a\nlazy [[b]]",
    ],
)
def test_what_once_went_wrong_or_nearly_did(text: str) -> None:
    check_body(text)


def test_properties_of_every_make() -> None:
    made: dict[str, Any] = {"a": "x", "b": ["1", 2], "c": None, "d": True, "e": 1.5}
    assert scan_properties('a: x\nb:\n  - "1"\n  - 2\nc:\nd: true\ne: 1.5\n') == (
        made,
        {"a": 1, "b": 2, "b.0": 3, "b.1": 4, "c": 5, "d": 6, "e": 7},
    )


@pytest.mark.parametrize(
    "text",
    [
        "# a" + " " * 200_000 + "b #",
        " ".join("`" * count for count in range(1, 1_200)) + " [[a]]",
        "[[a|" * 60_000,
        "[a](" * 60_000 + "#",
        "$" * 100_001 + " #a",
        "$a " * 60_000 + "#b",
        "- " * 50_000 + "a",
        "> " * 50_000 + "a",
        "1" * 200_000 + ". a",
        "a\n" * 60_000 + "- b",
        "|" * 100_000 + "\n" + "|-" * 50_000,
        "    " * 50_000 + "\n" + "- a\n" * 20_000,
        "\t" * 100_000 + "- a",
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_text_is_read_or_left_in_time_that_follows_its_length(text: str) -> None:
    """By the time limit on every test: what grows with the square of the length would not come back."""
    scanned = scan_pieces(text, 1)
    assert scanned is None or len(scanned.lines) == text.count("\n") + 1


@pytest.mark.parametrize(
    "yaml",
    [
        "a: b" + " " * 200_000 + "#",
        "a " * 100_000,
        "a: " + "b:c" * 60_000 + ": ",
        "- a\n" * 50_000,
        "a: [" + "b, " * 60_000,
    ],
    ids=lambda yaml: yaml[:8],
)
def test_hostile_properties_are_left_in_time_that_follows_their_length(yaml: str) -> None:
    assert scan_properties(yaml) is None
