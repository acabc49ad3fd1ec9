"""What scripts ask of nest: the `nest:` block and PEP 723, and that a wrong wish never widens anything."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nestkit.parse.inline_metadata import inline_blocks
from nestkit.parse.metadata import parse_effect
from nestkit.parse.script import parse_script
from nestkit.tool import Effect, Example, Script


def read(source: str) -> Script:
    return parse_script("demo.py", dedent(source).lstrip("\n").encode())


def with_block(block: str, code: str = "def f(x): pass") -> Script:
    return read(f'"""Does it.\n\n---\n{block}\n---\n\nMore.\n"""\n{code}')


FULL = """
nest:
  permissions: ["write:Projects/", "network:api.example.org", env:API_KEY]
  confirm: always
  utterances: ["do {x}", 'do it with {x}']
  examples:
    - {call: "f(1)", result: 2}
    - f(2) -> 2026-03-12
    - f(3)
  hidden: true
  timeout: 1.5
  cache: false
""".strip()


def test_the_block_says_what_a_tool_needs_and_is_no_part_of_its_text() -> None:
    script = with_block(FULL)
    [tool] = script.tools
    assert script.problems == ()
    assert tool.declared == (
        Effect("write", "Projects/**"),
        Effect("network", "api.example.org"),
        Effect("env", "API_KEY"),
    )
    assert (tool.confirm, tool.hidden, tool.timeout, tool.cache) == ("always", True, 1.5, False)
    assert tool.utterances == ("do {x}", "do it with {x}")
    assert tool.examples == (Example("f(1)", "2"), Example("f(2)", "2026-03-12"), Example("f(3)"))
    assert (script.summary, tool.text) == ("Does it.", "Does it.\n\nMore.")


def test_a_script_that_says_nothing_declares_nothing() -> None:
    [tool] = read("def f(): pass").tools
    assert (tool.declared, tool.confirm, tool.hidden, tool.timeout) == (None, "write", False, None)
    assert with_block("nest:\n  permissions: []").tools[0].declared == ()


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("read", Effect("read")),
        ("read:Clients/", Effect("read", "Clients/**")),
        ("write:Outbox/*.md", Effect("write", "Outbox/*.md")),
        ("write:**", Effect("write", "**")),
        ("write", Effect("write")),
        ("delete: Trash/", Effect("delete", "Trash/**")),
        ("network", Effect("network")),
        ("network:localhost:8080", Effect("network", "localhost:8080")),
        ("env:API_KEY", Effect("env", "API_KEY")),
        ("run:git", Effect("run", "git")),
    ],
)
def test_permissions_are_effects(text: str, effect: Effect) -> None:
    assert parse_effect(text) == effect


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "everything",
            "writes:x",
            "write:/etc",
            "write:../x",
            "write:a/../b",
            "write:~/x",
            "write:C:x",
            "write:a\\b",
        ),
        *("write:", "env", "env:A B", "Network"),
    ],
)
def test_a_permission_that_leads_nowhere_or_out_of_the_vault_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="permission"):
        parse_effect(text)


@pytest.mark.parametrize(
    ("block", "line", "what"),
    [
        ("nest:\n  permissions: [network, bogus]", 5, "unknown permission 'bogus'"),
        ("nest:\n  permissions:\n  - network\n  - bogus", 7, "unknown permission 'bogus'"),
        ("nest:\n  permissions: [[network]]", 5, "list of texts"),
        ("nest:\n  permissons: [network]", 5, "did you mean permissions?"),
        ("nest:\n  colour: red", 5, "known: permissions"),
        ("nest:\n  confirm: sometimes", 5, "never, write or always"),
        ("nest:\n  hidden: maybe", 5, "true or false"),
        ("nest:\n  timeout: soon", 5, "number of seconds"),
        ("nest:\n  timeout: 0", 5, "number of seconds"),
        ("nest:\n  examples: [{result: 1}]", 5, "a call and a result"),
        ("nest: [a", 5, "not YAML"),
        ("nest:\n  hidden: true\n bad", 6, "not YAML"),
        ("nest: yes", 4, "keys below it"),
        ("nest:\n  permissions: &a [*a]", 5, "anchors"),
        ("nest:\n  permissions: " + "[" * 3000, 4, "not YAML"),
        ("nest:\n  utterances: [go]\n" + "  # x\n" * 5000, 4, "too long"),
        ("nest:\n  utterances: ['do {y}']", 0, "slots"),
        ("nest:\n  utterances: {g: [go]}", 0, "no such tool"),
    ],
)
def test_a_wrong_wish_is_a_problem_with_its_line(block: str, line: int, what: str) -> None:
    script = with_block(block)
    assert [tool.name for tool in script.tools] == ["demo.f"]
    assert [(problem.line, what in problem.what) for problem in script.problems] == [(line, True)], script.problems


def test_an_open_block_is_a_problem() -> None:
    script = read('"""Does it.\n---\nnest:\n  confirm: never\n"""\ndef f(): pass')
    assert "not closed" in script.problems[0].what
    assert script.summary == "Does it."


@pytest.mark.parametrize("block", ["nest:\n  confirm: alway", "nest: [", "nest: 1", "nest:\n  confirm: [never]"])
def test_a_broken_block_asks_a_person_each_time(block: str) -> None:
    assert with_block(block).tools[0].confirm == "always"


def test_one_bad_permission_leaves_the_good_ones_and_grants_nothing() -> None:
    assert with_block("nest:\n  permissions: [network, bogus]").tools[0].declared == (Effect("network"),)


def test_dashes_that_hold_no_nest_key_stay_in_the_text() -> None:
    script = with_block("other: 1")
    assert "other: 1" in script.tools[0].text
    assert script.problems == ()


def test_a_block_in_a_functions_own_docstring_speaks_of_that_function() -> None:
    own = "---\n    nest:\n      permissions: []\n      utterances: [go]\n    ---"
    code = f'def f(): pass\ndef g(x):\n    """Two.\n\n    {own}\n    """'
    script = with_block("nest:\n  permissions: [network]\n  timeout: 5", code)
    f, g = script.tools
    assert (f.declared, f.timeout, f.utterances) == ((Effect("network"),), 5.0, ())
    assert (g.declared, g.timeout, g.utterances, g.text) == ((), 5.0, ("go",), "Two.")


def test_a_wrong_key_in_a_functions_block_has_its_own_line() -> None:
    script = read('def f():\n    """Two.\n\n    ---\n    nest:\n      hiden: true\n    ---\n    """')
    assert [problem.line for problem in script.problems] == [6]


TWO = "def f(x): pass\ndef g(x, y): pass"


def test_utterances_find_their_tool_by_slots_or_by_name() -> None:
    f, g = with_block("nest:\n  utterances: ['with {x} and {y}']", TWO).tools
    assert (f.utterances, g.utterances) == ((), ("with {x} and {y}",))
    f, g = with_block("nest:\n  utterances: {f: ['just {x}', go], demo.g: [both]}", TWO).tools
    assert (f.utterances, g.utterances) == (("just {x}", "go"), ("both",))


def test_an_utterance_that_fits_two_tools_is_a_problem_and_goes_to_neither() -> None:
    script = with_block("nest:\n  utterances: ['only {x}']", TWO)
    assert [tool.utterances for tool in script.tools] == [(), ()]
    assert "fits demo.f and demo.g" in script.problems[0].what


def test_examples_find_their_tool_by_the_call() -> None:
    script = with_block("nest:\n  examples: ['f(1) -> 2', 'demo.g(1, 2)', 'h(1)']", TWO)
    assert [tool.examples for tool in script.tools] == [(Example("f(1)", "2"),), (Example("demo.g(1, 2)"),)]
    assert "h(1)" in script.problems[0].what


# PEP 723

BLOCK = """
# /// script
# requires-python = ">=3.11"
# dependencies = [
#   "pandas==3.1.*",
#   "requests[socks] >=2, <3 ; python_version > '3.8'",
# ]
#
# [tool.nest]
# permissions = ["network:example.org"]
# confirm = "always"
# timeout = 90
# hidden = true
# ///
def f(): pass
"""


def test_a_script_block_gives_packages_python_and_wishes() -> None:
    script = read(BLOCK)
    assert script.problems == ()
    assert script.dependencies == ("pandas==3.1.*", "requests[socks] >=2, <3 ; python_version > '3.8'")
    assert script.requires_python == ">=3.11"
    [tool] = script.tools
    assert tool.declared == (Effect("network", "example.org"),)
    assert (tool.confirm, tool.timeout, tool.hidden) == ("always", 90.0, True)


@pytest.mark.parametrize(
    "requirement",
    [
        *("x @ https://example.org/x.whl", "./x", "../x.whl", "git+https://example.org/x", ""),
        *("--index-url=http://e.org", "x --pre", "x ; --pre", "-e .", "x==1 --hash=sha256:0"),
    ],
)
def test_a_dependency_that_is_more_than_a_name_is_refused(requirement: str) -> None:
    script = read(f'# /// script\n# dependencies = ["rich", "{requirement}"]\n# ///\n')
    assert script.dependencies == ("rich",)
    assert [problem.line for problem in script.problems] == [2]


@pytest.mark.parametrize(
    ("block", "line", "what"),
    [
        ("# a = [", 2, "not TOML"),
        ("# a = 1\n# b = = 2", 3, "not TOML"),
        ("# colour = 1", 2, "unknown key 'colour'"),
        ("# requires-python = 3", 2, "should be text"),
        ("# dependencies = 1", 2, "should be a package name"),
        ("# [tool]\n# nest = 1", 2, "should be a table"),
        ("#\n# [tool.nest]\n# hiden = true", 4, "did you mean hidden?"),
        ("# [tool.nest]\n# permissions = ['bogus']", 3, "unknown permission"),
    ],
)
def test_a_wrong_block_is_a_problem_with_its_line(block: str, line: int, what: str) -> None:
    script = read(f"# /// script\n{block}\n# ///\ndef f(): pass")
    assert [(problem.line, what in problem.what) for problem in script.problems] == [(line, True)], script.problems
    assert [tool.name for tool in script.tools] == ["demo.f"]


def test_two_script_blocks_are_a_problem_and_neither_counts() -> None:
    script = read("# /// script\n# dependencies = ['a']\n# ///\n\n# /// script\n# dependencies = ['b']\n# ///\n")
    assert script.dependencies == ()
    assert script.problems[0].line == 6


REFERENCE = r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$"


@given(
    st.lists(
        st.sampled_from(["# /// script", "# /// x", "# ///", "#", "# a = 1", "#a", "", "x = 1", "# /// "]), max_size=12
    )
)
@example(["# /// script", "# ///", "# ///"])
@example(["# /// x", "# /// script", "#", "# ///", "#"])
def test_blocks_are_those_of_the_peps_own_expression(lines: list[str]) -> None:
    expected = [
        (match["type"], [line[2:] for line in match["content"].splitlines()])
        for match in re.finditer(REFERENCE, "\n".join(lines))
    ]
    assert [(kind, content) for kind, _, content in inline_blocks(lines)] == expected
