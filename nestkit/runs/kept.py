"""A finished run in; its program, if another ask of the same words may run it on another day, out. *Pure*.

A question is compiled once: what is kept is the program, never its answer. So nothing of the answer may stand in it: a
program that spells what an earlier step had shown is yesterday's answer in disguise.
"""

from __future__ import annotations

import ast
import builtins
import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nestkit.note import Vocabulary, title_of
from nestkit.run import Ask, Run, Step
from nestkit.visible import normal_form


@dataclass(frozen=True, slots=True)
class Kept:
    """One program, with what it stands and falls with."""

    key: str
    ask: str
    program: str
    model: str
    run: str
    """Id of the run that found it."""
    path: str
    """Of that run's note."""
    created: str
    scripts: Mapping[str, str]
    """Path -> digest of each script it calls."""
    day: str = ""
    """The only day on which it is right, as it spells a date that the ask does not."""


def draft_key(ask: Ask, model: str, prompt_digest: str, builtin_digest: str, vocabulary: Vocabulary) -> str:
    """What tells a compiled question from others: its words, who wrote it, what it was told, the shape of the vault."""
    parts = [
        _normal(ask.text),
        ask.note or "",
        ask.contract,
        ask.engine,
        ask.style,
        model,
        prompt_digest,
        builtin_digest,
    ]
    return hashlib.sha256(json.dumps([*parts, _shape(vocabulary)]).encode()).hexdigest()


def find_kept(run: Run, vocabulary: Vocabulary) -> Kept | None:
    """What is worth keeping of a run; None when its program cannot be trusted to be right again."""
    made = run.changes or any(step.outcome.files for step in run.steps)
    if run.status != "ok" or made or run.ask.selection or not run.path or not run.question:
        return None
    program, before = whole_program(run.steps)
    tree = _tree(program)
    if tree is None or not any(call.allowed for call in run.calls) or not _computes_its_answer(tree):
        return None
    if _spells_facts(tree, run.ask.text, before, vocabulary):
        return None
    day = run.ask.now.date().isoformat() if _spells_dates(tree, run.ask.text) else ""
    now = run.ask.now.isoformat(timespec="seconds")
    return Kept(run.question, run.ask.text, program, run.model, run.id, run.path, now, dict(run.tool_digests), day)


def parse_kept(text: str) -> Kept | None:
    """The kept program of a file; None when it is none."""
    try:
        return Kept(**json.loads(text))
    except (ValueError, TypeError):
        return None


def _normal(text: str) -> str:
    """An ask less what does not change it: blanks, the first letter's case, the mark at its end."""
    text = " ".join(normal_form("NFC", text).split()).rstrip(".?!… ")
    return text[:1].casefold() + text[1:]


def _shape(vocabulary: Vocabulary) -> list[Any]:
    """Names of properties and fields with their kinds; not how many there are, nor their values."""
    named = [vocabulary.properties, vocabulary.fields]
    kinds = [sorted((name, words.kinds[:1]) for name, words in each.items()) for each in named]
    return [*kinds, sorted(vocabulary.task_fields)]


def whole_program(steps: Sequence[Step]) -> tuple[str, str]:
    """(the program that stands for all steps, all that was shown before its last part); empty when there is none."""
    if not steps or not steps[-1].outcome.final:
        return "", ""
    last, earlier = steps[-1], [step for step in steps[:-1] if step.program]
    shown = "\n".join(f"{step.outcome.output}\n{step.outcome.value!r}\n{step.outcome.error}" for step in earlier)
    if not _leans_on(last.program, [step.program for step in earlier]):
        return last.program, shown
    if any(step.outcome.error for step in earlier):
        return "", ""  # what a failed step left behind cannot be told
    return "\n".join(step.program.rstrip("\n") for step in (*earlier, last)) + "\n", shown


def _leans_on(program: str, earlier: Sequence[str]) -> bool:
    """Whether a program may read a name that only earlier ones have given a value."""
    given = {name for text in earlier for name in _names(_tree(text), ast.Store)}
    tree = _tree(program)
    if tree is None:
        return True
    own: set[str] = set()
    for statement in tree.body:
        if (_names(statement, ast.Load) | _added(statement)) & (given - own):
            return True
        if isinstance(statement, ast.Assign | ast.Import | ast.ImportFrom | ast.FunctionDef):
            own |= _names(statement, ast.Store)
    return False


def _names(node: ast.AST | None, kind: type[ast.expr_context]) -> set[str]:
    found: set[str] = set()
    for part in ast.walk(node) if node else ():
        if isinstance(part, ast.Name) and isinstance(part.ctx, kind):
            found.add(part.id)
        elif kind is ast.Store and isinstance(part, ast.FunctionDef | ast.ClassDef):
            found.add(part.name)
        elif kind is ast.Store and isinstance(part, ast.alias):
            found.add((part.asname or part.name).partition(".")[0])
    return found


def _added(node: ast.AST) -> set[str]:
    """Names that `+=` and its like read before they write."""
    targets = (part.target for part in ast.walk(node) if isinstance(part, ast.AugAssign))
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _computes_its_answer(tree: ast.Module) -> bool:
    """Whether every answer hangs on something that the program looked up; one that is typed out is no program."""
    answers = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "final_answer"
    ]
    return bool(answers) and all(_hangs_on_names(answer) for answer in answers)


def _hangs_on_names(answer: ast.Call) -> bool:
    given = [*answer.args, *(keyword.value for keyword in answer.keywords)]
    names = {name for value in given for name in _names(value, ast.Load)}
    return bool(names - set(dir(builtins)))


def _spells_facts(tree: ast.Module, ask: str, shown: str, vocabulary: Vocabulary) -> bool:
    """Whether a literal names a note, or repeats what an earlier step had shown, though the ask does not say it.

    Keys of records, names of properties, tags, folders and the values that properties take are the vault's shape.
    """
    shape = _words_of_shape(vocabulary)
    titles = {*map(_plain, vocabulary.titles.values()), *map(_plain, vocabulary.aliases)}
    asked = _plain(ask)
    for text in _values(tree):
        plain = _plain(text)
        if len(plain) < 2 or plain in asked:
            continue
        if plain in titles or _plain(title_of(text)) in titles:
            return True
        if plain not in shape and plain in _plain(shown):
            return True
    numbers = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    spelled = {str(n) for n in numbers if isinstance(n, int | float) and not isinstance(n, bool) and abs(n) > 2}
    return bool((spelled - _numbers(ask)) & _numbers(shown))


def _words_of_shape(vocabulary: Vocabulary) -> Collection[str]:
    words = {*vocabulary.properties, *vocabulary.fields, *vocabulary.tags, *vocabulary.folders, *vocabulary.task_fields}
    for each in (*vocabulary.properties.values(), *vocabulary.fields.values()):
        words.update(each.values)
    return {_plain(word) for word in words} - {_plain(title) for title in vocabulary.titles.values()}


def _values(tree: ast.Module) -> Iterator[str]:
    """Texts that a program spells, less those that it reads records by."""
    keys: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            keys.add(node.slice)
        elif isinstance(node, ast.Dict):
            keys.update(key for key in node.keys if key)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            keys.update(node.args[:1])
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in keys:
            yield node.value


_DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\b\d{1,2}[./]\d{1,2}\b|"
    r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tues|wednes|thurs|fri|satur|sun)[a-z]*\b",
    re.I,
)


def _spells_dates(tree: ast.Module, ask: str) -> bool:
    """Whether a literal may be a day, month or year that the model worked out from the clock."""
    asked = _plain(ask)
    texts = [found for text in _values(tree) for found in _DATE.findall(text) if _plain(text) not in asked]
    years = {
        str(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and type(node.value) is int and 1900 <= node.value <= 2100
    }
    return bool(texts or years - _numbers(ask))


def _numbers(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?", text))


def _plain(text: str) -> str:
    return normal_form("NFC", text).casefold().strip()


def _tree(program: str) -> ast.Module | None:
    try:
        return ast.parse(program) if program else None
    except (SyntaxError, ValueError, RecursionError):
        return None
