"""A shell script's bytes in; the one tool it is, with its text and the effects its lines show, out. *Pure*.

A shell script says little of itself: its header comment is its text, the words of its command line are its one
parameter, and what it does is read off its command words. As with Python this is advice, never a boundary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from nestkit.note import Problem
from nestkit.parse.docstring import header_comment, summary_of, words_of
from nestkit.parse.effects import unique_effects
from nestkit.parse.metadata import Wishes, parse_nest_block
from nestkit.parse.names import script_name
from nestkit.parse.placing import place_examples, place_utterances
from nestkit.parse.program import ARGUMENTS
from nestkit.parse.source import MAX_BYTES
from nestkit.tool import Effect, Script, Tool

_SHELLS = ("bash", "zsh", "ksh", "dash", "sh")
_KEYWORDS = re.compile(
    "if|then|else|elif|fi|for|while|until|do|done|case|esac|in|select|function|coproc|time|test|echo|printf|read|cd|pwd"
    "|set|unset|export|local|declare|typeset|readonly|shift|return|exit|break|continue|source|eval|exec|trap|true|false"
    "|let|wait|jobs|umask|getopts|shopt|alias|type|command|hash|mapfile|readarray|pushd|popd|dirs|times|ulimit|\\.|:"
)
"""Words that start no other program."""
_DELETES = frozenset(("rm", "rmdir", "unlink", "shred"))
_WRITES = frozenset(("mv", "cp", "tee", "touch", "mkdir", "ln", "install", "truncate", "dd", "split", "unzip", "tar"))
_CALLS_OUT = frozenset(
    ("curl", "wget", "ssh", "scp", "sftp", "rsync", "ftp", "nc", "telnet", "ping", "mail", "sendmail")
)
_COMMAND = re.compile(
    r"(?:(?:^|[;&|({`]|(?:\b|-)(?:then|do|else|if|elif|while|until|exec|execdir|sudo|nohup|xargs|time)\b|!)\s*)+"
    r"(?:\w+=(?![$]\()\S*\s+)*(?P<word>[\w./][\w./+-]*)(?![\w./+-]*\+?=)(?=(?P<rest>[^;&|]*))"
)
_REDIRECT = re.compile(r"(?<![<>&\d-])(?:1?>>?)\s*(?!&|/dev/)(?P<place>[^\s;&|<>()]+)")
_HEREDOC = re.compile(r"<<[-~]?\s*(['\"]?)(?P<end>\w+)\1")
_FUNCTION = re.compile(r"^\s*(?:function\s+(\w[\w-]*)|(\w[\w-]*)\s*\(\))", re.M)
_HOST = re.compile(r"\b(?:https?|ftp|ssh)://(?:[^/@\s\"']+@)?([\w-]+(?:\.[\w-]+)*(?::\d+)?)(?=[/?\s\"']|$)")
_VARIABLE = re.compile(r"\$\{?([A-Z][A-Z0-9_]{2,})")
_ASSIGNED = re.compile(r"(?:^|[\s;(])(?:read\s+(?:-\S+\s+)*|for\s+)?([A-Z][A-Z0-9_]+)(?==|\s+in\b|\s*$|\+=)", re.M)
_GIVEN = re.compile(
    r"BASH\w*|FUNCNAME|PIPESTATUS|OPT(ARG|IND|ERR)|E?UID|PPID|[A-Z]*PWD|HOME|PATH|USER|SHELL|TMPDIR|LANG|LC_\w+|TERM"
    r"|RANDOM|SECONDS|LINENO|IFS|REPLY|HOSTNAME|VAULT_PATH|TZ|COLUMNS|LINES|EPOCH\w+|SHLVL"
)
"""Variables that the shell or nest sets for every script."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the script as far as commands go: no comment, no quoted text, no text of a here-document."""

    number: int
    text: str
    whole: str


def parse_shell(path: str, source: bytes, digest: str) -> Script:
    """The script with its one tool; what cannot be read is a problem in it."""
    text = _decoded(path, source)
    if isinstance(text, Problem):
        return Script(path, digest, problems=(text,))
    lines = text.split("\n")
    name = script_name(path)
    shell = _shell(lines[0], path)
    if not shell:
        return Script(path, digest, others=((name, f"it is started by {lines[0][2:].strip()[:80]}, not by a shell"),))
    problems = []
    if "\r\n" in text:
        what = "lines end as on Windows, which a shell takes for part of its words; save it with Unix line ends"
        problems.append(Problem(path, 1, what))
    said, wishes, wrong = _header(lines, path)
    tool = Tool(
        name=name,
        script=path,
        manner="shell",
        target=shell,
        parameters=(ARGUMENTS,),
        returns="str",
        summary=summary_of(said) or words_of(name),
        text=said,
        declared=wishes.declared,
        found=_effects(lines, shell),
        confirm=wishes.confirm or "write",
        hidden=bool(wishes.hidden),
        timeout=wishes.timeout,
        cache=bool(wishes.cache),
    )
    utterances, misfits = place_utterances(wishes.utterances or {}, [tool])
    examples, misplaced = place_examples(wishes.examples or (), [tool])
    tool = replace(tool, utterances=tuple(utterances[name]), examples=examples.get(name, ()))
    problems += [*wrong, *(Problem(path, 0, what) for what in (*misfits, *misplaced))]
    return Script(path, digest, (tool,), summary=tool.summary, problems=tuple(problems))


def _decoded(path: str, source: bytes) -> str | Problem:
    if len(source) > MAX_BYTES:
        return Problem(path, 0, f"larger than {MAX_BYTES >> 20} MiB; move its data to another file")
    if b"\0" in source:
        line = source[: source.index(b"\0")].count(b"\n") + 1
        return Problem(path, line, "holds a NUL byte, so it is no shell script")
    return source.decode("utf-8", "replace").removeprefix("\ufeff")


def _shell(first: str, path: str) -> str:
    """The shell that runs the script, by its `#!` line, else by its name; empty for another kind of program."""
    words = re.split(r"[\s/]+", first.removeprefix("#!").strip()) if first.startswith("#!") else []
    if not words:
        suffix = path.rpartition(".")[2].lower()
        return suffix if suffix in _SHELLS else "sh"
    return next((shell for shell in _SHELLS if shell in words), "")


def _header(lines: list[str], path: str) -> tuple[str, Wishes, list[Problem]]:
    """Text of the header comment, and what a `nest:` block in it asks for."""
    first = next((number for number, line in enumerate(lines) if line.startswith("#") and line[:2] != "#!"), 0)
    bare = []
    for line in lines[first:]:
        if not line.startswith("#"):
            break
        bare.append(re.sub(r"^#+ ?", "", line.rstrip("\r")))
    rest, wishes, problems = parse_nest_block("\n".join(bare), path, first + 1)
    return header_comment([f"# {line}" for line in rest.split("\n")]), wishes, problems


def _effects(lines: list[str], shell: str) -> tuple[Effect, ...]:
    """What the command words show, each with its first line; the shell itself is a program too."""
    functions = {name for pair in _FUNCTION.findall("\n".join(lines)) for name in pair if name}
    assigned = set(_ASSIGNED.findall("\n".join(lines)))
    return unique_effects((Effect("run", shell, 1), *_shown(lines, functions, assigned)))


def _shown(lines: list[str], functions: set[str], assigned: set[str]) -> Iterator[Effect]:
    for line in _command_lines(lines):
        for match in _COMMAND.finditer(line.text):
            word = match["word"].rpartition("/")[2]
            if word and word not in functions and not _KEYWORDS.fullmatch(word) and not word.isdigit():
                yield from _of_command(word, match["rest"], line)
        for match in _REDIRECT.finditer(line.text):
            place = match["place"].strip("\"'")
            yield Effect("write", "" if "$" in place or not place or place.startswith("/") else place, line.number)
        for variable in _VARIABLE.findall(line.whole):
            if variable not in assigned and not _GIVEN.fullmatch(variable):
                yield Effect("env", variable, line.number)


def _of_command(word: str, rest: str, line: _Line) -> Iterator[Effect]:
    yield Effect("run", word, line.number)
    if word in _DELETES:
        yield Effect("delete", "", line.number)
    if word in _WRITES or (word in ("sed", "perl") and re.search(r"\s-\w*i", rest)):
        yield Effect("write", "", line.number)
    if word in _CALLS_OUT:
        host = _HOST.search(line.whole)
        yield Effect("network", host[1] if host else "", line.number)


def _command_lines(lines: list[str]) -> Iterator[_Line]:
    """The lines with commands; the text of here-documents, comments, quotes and the patterns of `case` taken out."""
    end, cases, goes_on = "", 0, False
    for number, line in enumerate(lines, start=1):
        if end:
            end = "" if line.strip() == end else end
            continue
        bare = _without_quotes(line)
        if heredoc := _HEREDOC.search(line):
            end = heredoc["end"]
        if cases and not bare.lstrip().startswith("esac"):
            bare = re.sub(r"^\s*\(?[^()$`]*\)", "", bare)
        cases += len(re.findall(r"\bcase\b.*\bin\b", bare)) - len(re.findall(r"\besac\b", bare))
        bare = re.sub(r"\bcase\b.*?\bin\b", "", bare)
        yield _Line(number, f"\\ {bare}" if goes_on else bare, line)
        goes_on = bare.rstrip().endswith("\\")


def _without_quotes(line: str) -> str:
    """The line less its comment and quoted texts; commands inside a quoted `$(...)` stay."""
    text = re.sub(r"'[^']*'", "''", line[:4_000])
    text = re.sub(r'"(?:[^"\\]|\\.)*"', lambda quoted: "".join(quoted[0].partition("$(")[1:]) or '""', text)
    return re.sub(r"(?:^|(?<=\s))#.*", "", text)
