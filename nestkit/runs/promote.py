"""The program of a run in; a script with one function that does the same, or why there is none, out. *Pure*."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection, Iterable, Iterator

from nestkit.errors import NestError
from nestkit.run import Run
from nestkit.runs.kept import whole_program
from nestkit.visible import visible

_ANSWER = "final_answer"
_OWN_SCOPE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
_COMPUTED = frozenset(("globals", "locals", "vars", "exec", "eval"))
_WIDTH = 116
_WRITERS = {"builtin": "the built-in planner", "person": "a person", "": "somebody"}
"""Name of a model that is none -> who it is."""


def draft_script(run: Run, name: str, note: str, tools: Collection[str]) -> str:
    """The script `name.py`, whose function `name` gives what the program of this run gave as its answer.

    `note` is a link to the run's note, `tools` the names by which a program may call tools. Raises NestError for a
    program that cannot be made a function of.
    """
    program, _ = whole_program(run.steps)
    if not program:
        raise _no(run, "its programs hang together in a way that no single program tells", "ask again with --fresh")
    try:
        tree = ast.parse(program)
        _check(run, tree, name, tools)
        body = _body(program, tree)
    except RecursionError:
        raise _no(run, "it is nested too deeply", "ask again with --fresh") from None
    gap = "\n" if body.lstrip().startswith(("def ", "class ", "@")) else ""
    return f"{_docstring(run, note)}\n\n\ndef {name}():\n{_doc(run)}{gap}{body}\n"


def _check(run: Run, tree: ast.Module, name: str, tools: Collection[str]) -> None:
    """Raise NestError for what means something else in a function than it does in a program."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    stored = set(_locals([tree]))
    said = {node.id for node in names}
    if sum(node.id == _ANSWER for node in names) != len([*_answers([tree])]):
        raise _no(run, f"it calls {_ANSWER} where a function cannot return", "ask again with --fresh")
    if hidden := sorted(stored & set(tools)):
        raise _no(run, f"it gives {', '.join(hidden)}, the name of a tool, another value", "ask again with --fresh")
    if name in said:
        raise _no(run, f"it uses the name {name} itself", "choose another name with --as")
    if computed := sorted(said & _COMPUTED):
        raise _no(run, f"it calls {', '.join(computed)}, which works otherwise in a function", "ask again with --fresh")
    if any(isinstance(node, ast.Global) for node in ast.walk(tree)):
        raise _no(run, "it says `global`, which has no place in a function", "ask again with --fresh")
    if any(alias.name == "*" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names):
        raise _no(run, "it imports everything of a module, which a function cannot", "ask again with --fresh")


def _locals(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names that are given a value where the function itself would hold it."""
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        if not isinstance(node, (*_OWN_SCOPE, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            yield from _locals(ast.iter_child_nodes(node))


def _answers(nodes: Iterable[ast.AST]) -> Iterator[ast.Expr]:
    """Each `final_answer(value)` that stands for itself, but for those in functions and classes."""
    for node in nodes:
        if isinstance(node, ast.Expr) and _is_answer(node):
            yield node
        elif not isinstance(node, _OWN_SCOPE):
            yield from _answers(ast.iter_child_nodes(node))


def _is_answer(node: ast.AST) -> bool:
    """Whether the statement is `final_answer(value)`, and nothing besides."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        return False
    call = node.value
    plain = len(call.args) == 1 and not call.keywords and not isinstance(call.args[0], ast.Starred)
    return plain and isinstance(call.func, ast.Name) and call.func.id == _ANSWER


class _Returns(ast.NodeTransformer):
    """Each answer as what a function returns."""

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        if not _is_answer(node):
            return node
        assert isinstance(node.value, ast.Call)
        return ast.copy_location(ast.Return(node.value.args[0]), node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        return node  # a scope of its own, as in `_answers`


def _body(program: str, tree: ast.Module) -> str:
    """The program's statements as a function's: its own lines where that says the same, else spelled anew."""
    wanted = _Returns().visit(ast.parse(program))
    told = ast.dump(wanted)
    own = textwrap.indent(_with_returns(program, tree), "    ")
    try:
        (function,) = ast.parse(f"def x():\n{own}\n").body
        assert isinstance(function, ast.FunctionDef)
        if ast.dump(ast.Module(function.body, [])) == told:
            return own.rstrip("\n")
    except (SyntaxError, ValueError):
        pass
    return textwrap.indent(ast.unparse(ast.fix_missing_locations(wanted)), "    ")


def _with_returns(program: str, tree: ast.Module) -> str:
    """The program's text, each answer spelled as what is returned; not parsed again, so not yet known to be right."""
    lines = program.encode().split(b"\n")  # the tree counts bytes
    for node in sorted(_answers([tree]), key=lambda node: node.lineno, reverse=True):
        assert isinstance(node.value, ast.Call)
        value = ast.get_source_segment(program, node.value.args[0]) or ""
        value = value if "\n" not in value or value[:1] in "([{" else f"({value})"
        first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
        head, tail = lines[first][: node.col_offset], lines[last][node.end_col_offset or 0 :]
        lines[first : last + 1] = [head + b"return " + value.encode() + tail]
    return b"\n".join(lines).decode().strip("\n")


def _docstring(run: Run, note: str) -> str:
    """What the script says of itself, and what nest should know of it."""
    ask = _plain(run.ask.text)
    when = run.ask.now.date().isoformat()
    writer = _WRITERS.get(run.model, run.model)
    told = f"Kept from the run {_plain(note)} of {when}; the program was written by {_plain(writer)}."
    more = "It is run as part of the program that calls it, with the vault's tools at hand; change it as you like."
    spoken = ["  utterances:", f"    - {_quoted(ask)}"] if run.model != "person" else []
    text = [*textwrap.wrap(told, _WIDTH, break_long_words=False, break_on_hyphens=False), *textwrap.wrap(more, _WIDTH)]
    lines = [_summary(ask), "", *text, "", "---", "nest:", "  program: true", *spoken, "---"]
    return '"""' + "\n".join(lines) + '\n"""'


def _doc(run: Run) -> str:
    return f'    """{_summary(_plain(run.ask.text))}"""\n'


def _summary(text: str) -> str:
    text = text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def _plain(text: str) -> str:
    """Text that cannot end a docstring, nor mean anything in it."""
    return " ".join(visible(text).replace("\\", "/").replace('"', "'").replace("---", "—").split())


def _quoted(text: str) -> str:
    """The text as YAML that no braces or dashes of it can change."""
    return "'" + text.rstrip(".?!").replace("'", "''").replace("{", "(").replace("}", ")") + "'"


def _no(run: Run, why: str, hint: str) -> NestError:
    return NestError(f"the program of run {run.id} cannot be promoted: {why}", hint)
