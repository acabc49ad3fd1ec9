"""Shell scripts: their header is their text, their command words show what they do."""

from __future__ import annotations

from textwrap import dedent

import pytest

from nestkit.parse.script import parse_script
from nestkit.tool import Script


def read(source: str, path: str = "02_System/send-notes.sh") -> Script:
    return parse_script(path, dedent(source).lstrip("\n").encode())


def shown(line: str) -> list[str]:
    return [str(effect) for effect in read(f"#!/bin/sh\n{line}\n").tools[0].found if str(effect) != "run:sh"]


def test_a_shell_script_with_a_header_is_a_tool() -> None:
    script = read(
        """
        #!/usr/bin/env bash
        # SPDX-License-Identifier: MIT
        # Send the notes of a folder to the server.
        #
        # Usage: send-notes.sh FOLDER
        # ---
        # nest:
        #   permissions: [run:curl, "network:example.com"]
        #   confirm: always
        #   utterances: ["send my notes"]
        #   colour: red
        # ---

        curl -T "$1" https://example.com/
        """
    )
    [tool] = script.tools
    assert tool.signature == "send_notes(*args: str) -> str"
    assert (tool.manner, tool.target) == ("shell", "bash")
    assert tool.summary == "Send the notes of a folder to the server."
    assert "Usage: send-notes.sh FOLDER" in tool.text
    assert "nest:" not in tool.text
    assert [str(effect) for effect in tool.declared or ()] == ["run:curl", "network:example.com"]
    assert (tool.confirm, tool.utterances) == ("always", ("send my notes",))
    assert [(problem.line, problem.what.split(";")[0]) for problem in script.problems] == [(11, "unknown key 'colour'")]


@pytest.mark.parametrize(
    ("first", "path", "shell"),
    [
        ("#!/bin/sh", "a.sh", "sh"),
        ("#!/usr/bin/env bash", "a.sh", "bash"),
        ("#!/usr/bin/env -S zsh -f", "a.sh", "zsh"),
        ("echo", "a.sh", "sh"),
        ("echo", "a.bash", "bash"),
        ("echo", "a.ZSH", "zsh"),
    ],
)
def test_the_shell_is_the_one_of_the_first_line_or_the_name(first: str, path: str, shell: str) -> None:
    assert read(first, path).tools[0].target == shell


def test_what_no_shell_runs_is_no_tool() -> None:
    script = read("#!/usr/bin/perl\nprint 1")
    assert script.tools == ()
    assert script.others == (("send_notes", "it is started by /usr/bin/perl, not by a shell"),)


def test_without_a_header_the_name_speaks() -> None:
    assert read("echo hi").tools[0].summary == "Send notes"


@pytest.mark.parametrize(
    ("line", "effects"),
    [
        ("echo hi; true && : || false", []),
        ("grep -c x y | sort -n", ["run:grep", "run:sort"]),
        ("n=$(wc -l < a)", ["run:wc"]),
        ('echo "$(date +%F) and $(wc -l < "$f")"', ["run:date", "run:wc"]),
        ("LANG=C sort a", ["run:sort"]),
        ("if ! cmp a b; then rm a; fi", ["run:cmp", "delete", "run:rm"]),
        ("for f in *.md; do mv $f x; done", ["run:mv", "write"]),
        ("find . -exec rm {} +", ["run:find", "delete", "run:rm"]),
        ("/usr/bin/jq . a", ["run:jq"]),
        ("sed -i s/a/b/ x", ["run:sed", "write"]),
        ("sed s/a/b/ x", ["run:sed"]),
        ("echo x > out.txt", ["write:out.txt"]),
        ('echo x >> "$OUTBOX/a"', ["env:OUTBOX", "write"]),
        ("echo x 2>/dev/null >&2", []),
        ("OUTBOX=a; echo $OUTBOX $HOME $VAULT_PATH", []),
        ("curl -s https://api.example.com:8443/v1", ["network:api.example.com:8443", "run:curl"]),
        ("# rm -rf /", []),
        ("echo 'a; rm x'", []),
        ('echo "a; rm x"', []),
        ("cat <<END\nrm x\nEND\nls", ["run:cat", "run:ls"]),
        ("tar c a \\\n  rm", ["run:tar", "write"]),
        ("say() { echo; }\nsay hi", []),
        ("case $1 in\n  start|rm) ls ;;\n  stop) ps;;\nesac\nid", ["run:ls", "run:ps", "run:id"]),
    ],
)
def test_what_lines_show(line: str, effects: list[str]) -> None:
    assert sorted(shown(line)) == sorted(effects)


def test_an_effect_has_the_line_that_shows_it() -> None:
    found = {str(effect): effect.line for effect in read("#!/bin/sh\n\nrm x\nrm y\n").tools[0].found}
    assert found == {"run:sh": 1, "delete": 3, "run:rm": 3}


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        (b"echo\n\0", 2, "NUL"),
        (b"#" * (1 << 20) + b"\n", 0, "larger than 1 MiB"),
        (b"#!/bin/sh\r\necho\r\n", 1, "as on Windows"),
    ],
)
def test_what_is_wrong_with_a_shell_script_is_said(source: bytes, line: int, what: str) -> None:
    [problem] = parse_script("02_System/bad.sh", source).problems
    assert problem.line == line
    assert what in problem.what


def test_a_script_of_endless_different_programs_shows_only_what_kind_of_thing_they_are() -> None:
    tool = read("\n".join(f"program{n}" for n in range(5_000))).tools[0]
    assert [str(effect) for effect in tool.found] == ["run"]
