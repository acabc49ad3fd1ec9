"""The bytes of a script in; its tools, its text and what is wrong with it out; nothing in it is run. *Pure*.

A script needs nothing to become a tool. What it offers is read from its source in one of the manners below; types, text
and effects come from whatever its author wrote down, and a `nest:` block only adds to that.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from nestkit.note import Problem
from nestkit.parse.argparse_program import read_argparse
from nestkit.parse.click_program import read_click
from nestkit.parse.code_words import code_words
from nestkit.parse.command_line import MAX_PARAMETERS
from nestkit.parse.docstring import Doc, clean, header_comment, parse_doc, summary_of, words_of
from nestkit.parse.effects import Effects, find_effects
from nestkit.parse.functions import read_functions
from nestkit.parse.imports import find_imports
from nestkit.parse.inline_metadata import parse_environment
from nestkit.parse.metadata import Wishes, merge_wishes, parse_nest_block
from nestkit.parse.placing import place_examples, place_utterances
from nestkit.parse.program import read_program
from nestkit.parse.shell_script import parse_shell
from nestkit.parse.source import TOO_DEEP, Draft, Reading, Source, parse_source
from nestkit.parse.typer_program import read_typer
from nestkit.tool import Script, Tool

MANNERS: tuple[Callable[[Source], Reading], ...] = (read_argparse, read_click, read_typer, read_program)
"""How a script can be a command line; the first that fits counts. Its public functions are read besides."""

_MAX_TOOLS = 200
_MAX_OTHERS = 500
_NOTHING = 'nothing to call: no public function; put what it does below `if __name__ == "__main__":` to make it a tool'


def parse_script(path: str, source: bytes) -> Script:
    """The script with its tools; what cannot be read is a problem in it, never an exception.

    The same function reads the scripts of a vault and those that come with nest.
    """
    digest = sha256(source).hexdigest()
    if not path.lower().endswith((".py", ".pyw")):
        return parse_shell(path, source, digest)
    why = _why_no_tools(path)
    try:
        parsed = parse_source(path, source)
        if why:
            others = ((path.rpartition("/")[2].removesuffix(".py"), why),)
            if isinstance(parsed, Problem):
                return Script(path, digest, others=others)
            imports, bodies = find_imports(parsed.tree), find_effects(parsed).bodies()
            return Script(path, digest, others=others, imports=imports, bodies=bodies)
        if isinstance(parsed, Problem):
            return Script(path, digest, problems=(parsed,))
        return _script(parsed, digest)
    except (RecursionError, MemoryError):
        return Script(path, digest, problems=(Problem(path, 0, TOO_DEEP),))


def _script(source: Source, digest: str) -> Script:
    doc, said, problems = _module_text(source)
    environment, more = parse_environment(source.lines, source.path)
    wishes = merge_wishes(environment.wishes, said)
    program = _program(source)
    functions = read_functions(source, program)
    drafts, unfit = _checked(source, [*program.drafts, *functions.drafts])
    texts = [_described(draft.tool, doc if len(drafts) == 1 else Doc()) for draft in drafts]
    effects = find_effects(source)
    tools = [
        _finished(tool, draft, wishes, effects, code_words(source, draft.runs))
        for tool, draft in zip(texts, drafts, strict=True)
    ]
    if wishes.program:
        tools, unfit = _composed(source, tools), [*unfit, *_check_composed(source, tools)]
    placed, misplaced = _placed(tools, drafts, wishes, source)
    others = dict((*functions.others, *program.others))
    if not placed and not others:
        others = {source.name: _NOTHING}
    return Script(
        path=source.path,
        digest=digest,
        tools=placed,
        others=tuple(others.items())[:_MAX_OTHERS],
        summary=doc.summary or program.summary or (placed[0].summary if len(placed) == 1 else words_of(source.name)),
        dependencies=environment.dependencies,
        requires_python=environment.requires_python,
        refused_packages=environment.refused,
        imports=find_imports(source.tree),
        bodies=effects.bodies(),
        problems=(*problems, *more, *program.problems, *functions.problems, *unfit, *misplaced),
    )


def _program(source: Source) -> Reading:
    """The command line the script is, if it is one; else what speaks against it."""
    spoken = Reading()
    for read in MANNERS:
        reading = read(source)
        if reading.is_program or reading.problems:
            return reading
        if reading != Reading():
            spoken = reading
    return spoken


def _why_no_tools(path: str) -> str:
    """Why a file is no script of tools, by its name alone."""
    name = path.rpartition("/")[2].removesuffix(".py")
    if name.startswith("test_") or name.endswith("_test") or name == "conftest":
        return "tests, not tools"
    if name.startswith("__"):
        return "part of a package, not a script"
    return "private: its name begins with _, so it is there for other scripts" if name.startswith("_") else ""


def _module_text(source: Source) -> tuple[Doc, Wishes, list[Problem]]:
    """What is said of the script as a whole: its docstring less the `nest:` block, else its first comment."""
    docstring = ast.get_docstring(source.tree, clean=False)
    if docstring is None:
        return parse_doc(header_comment(source.lines)), Wishes(), []
    text, wishes, problems = parse_nest_block(docstring, source.path, source.tree.body[0].lineno)
    return Doc(summary_of(clean(text)), clean(text)), wishes, problems


def _checked(source: Source, drafts: Sequence[Draft]) -> tuple[list[Draft], list[Problem]]:
    """The drafts, less those that a call could not tell apart or nobody could take in."""
    kept: dict[str, Draft] = {}
    problems = []
    for draft in drafts:
        tool = draft.tool
        if tool.name in kept:
            what = f"two things would be called {tool.name}; this one is left out, rename it"
            problems.append(source.problem(tool.line, what))
        elif len(tool.parameters) > MAX_PARAMETERS:
            problems.append(source.problem(tool.line, f"{tool.name} takes more than {MAX_PARAMETERS} parameters"))
        elif len(kept) == _MAX_TOOLS:
            problems.append(source.problem(tool.line, f"more than {_MAX_TOOLS} tools; move some to another script"))
            break
        else:
            kept[tool.name] = draft
    return list(kept.values()), problems


def _finished(tool: Tool, draft: Draft, wishes: Wishes, effects: Effects, words: str) -> Tool:
    """The tool with what its script as a whole asks for, and what its code shows."""
    wished = merge_wishes(wishes, draft.wishes)
    return replace(
        tool,
        declared=wished.declared,
        found=effects.of(draft.runs, started=tool.manner != "function"),
        calls=effects.calls_of(draft.runs, started=tool.manner != "function"),
        confirm=wished.confirm or "write",
        hidden=bool(wished.hidden),
        timeout=wished.timeout,
        cache=bool(wished.cache),
        words=words,
    )


def _composed(source: Source, tools: Sequence[Tool]) -> list[Tool]:
    """The tools, the one that bears the script's name as a function over other tools, called by that name alone."""
    return [
        replace(tool, name=source.name, manner="composed") if _is_namesake(tool, source) else tool for tool in tools
    ]


def _check_composed(source: Source, tools: Sequence[Tool]) -> list[Problem]:
    if len(tools) == 1 and _is_namesake(tools[0], source):
        return []
    return [source.problem(1, f"`program: true` is for a script with one function, called {source.name}")]


def _is_namesake(tool: Tool, source: Source) -> bool:
    return tool.manner == "function" and tool.target == source.name


def _described(tool: Tool, doc: Doc) -> Tool:
    """The tool with the script's own text where nothing else is said of it, and its name in words at the least."""
    return replace(tool, summary=tool.summary or doc.summary or words_of(tool.short), text=tool.text or doc.text)


def _placed(
    tools: Sequence[Tool], drafts: Sequence[Draft], wishes: Wishes, source: Source
) -> tuple[tuple[Tool, ...], list[Problem]]:
    """The tools with their utterances and examples; a function's own block speaks of that function alone."""
    utterances, wrong = place_utterances(wishes.utterances or {} if tools else {}, tools)
    examples, misplaced = place_examples(wishes.examples or () if tools else (), tools)
    placed = []
    for tool, draft in zip(tools, drafts, strict=True):
        own = [text for texts in (draft.wishes.utterances or {}).values() for text in texts]
        shown = (*(draft.wishes.examples or ()), *examples.get(tool.name, ()))
        placed.append(replace(tool, utterances=(*own, *utterances[tool.name]), examples=shown))
    return tuple(placed), [source.problem(0, what) for what in (*wrong, *misplaced)]
