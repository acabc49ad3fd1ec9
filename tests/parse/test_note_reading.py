"""The parts of a Note that are not single facts: body, line, laziness of the imports."""

from __future__ import annotations

import subprocess
import sys

from nestkit.parse.fence import split_frontmatter
from nestkit.parse.field import canonical, parse_value
from nestkit.parse.frontmatter import parse_properties
from nestkit.parse.note import parse_note
from nestkit.parse.subpath import normal_heading


def test_the_body_is_what_follows_the_properties() -> None:
    note = parse_note("f/A.md", "\ufeff---\r\na: 1\r\n---\r\none\r\n\r\ntwo\r\n")
    assert (note.body, note.body_line, note.title, note.folder) == ("one\n\ntwo\n", 4, "A", "f")


def test_without_properties_the_body_is_everything() -> None:
    assert split_frontmatter("\ufeffa\rb\r\nc") == (split_frontmatter("a\nb\nc"))
    assert split_frontmatter("a").body_line == 1


def test_a_block_that_ends_the_file_leaves_an_empty_body_on_its_last_line() -> None:
    split = split_frontmatter("---\na: 1\n---")
    assert (split.yaml, split.body, split.body_line) == ("a: 1\n", "", 3)


def test_a_broken_block_is_a_problem_and_the_body_is_read() -> None:
    note = parse_note("A.md", "---\na: 1\nb: x: y\n---\n# H [[B]] #t\n")
    assert note.properties is None
    assert (len(note.headings), len(note.links), note.tags) == (1, 1, ("t",))
    assert str(note.problems[0]) == (
        "A.md:3: the properties cannot be read: mapping values are not allowed in this context; put the value in quotes"
    )


def test_a_block_of_another_shape_says_what_to_write() -> None:
    for block, shape in (("- a\n", "a list"), ("words\n", "plain text")):
        (problem,) = parse_properties("A.md", block).problems
        assert problem.what.startswith("properties should be written `name: value`")
        assert problem.what.endswith(shape)


def test_the_parser_is_not_loaded_before_it_is_needed() -> None:
    code = (
        "import sys, nestkit.parse.note, nestkit.parse.canvas, nestkit.parse.subpath, nestkit.parse.kind\n"
        "print([name for name in ('markdown_it', 'yaml', 'frontmatter', 'json') if name in sys.modules])\n"
    )
    run = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=path())
    assert run.stdout.strip() == "[]"


def path() -> dict[str, str]:
    return {"PYTHONPATH": ":".join(entry for entry in sys.path if entry)}


def test_headings_are_compared_without_punctuation_and_case() -> None:
    assert normal_heading("  **What**:  now?! [[Bee|x]] `c` ~a~ ") == "what now bee x c a"
    assert normal_heading("It's a-b_c") == "it's a-b_c"


def test_names_of_fields_are_folded() -> None:
    assert [canonical(key) for key in ("Due Date", "a  b\tc", "**Bold**", "Noël!", "👩‍💻 Job", "№ 1", "")] == [
        "due-date", "a-b-c", "bold", "noël", "👩‍💻-job", "-1", "",
    ]  # fmt: skip


def test_values_of_fields_are_typed() -> None:
    read = {
        "": None,
        " ": None,
        "null": None,
        "1": 1,
        "01": 1,
        "-0.5": -0.5,
        "1e3": "1e3",
        "true": True,
        "truely": "truely",
    }
    read |= {'"a\\"b"': 'a"b', '"a" b': '"a" b'}
    assert {text: parse_value(text) for text in read} == read
