"""A script's tree in, the effects its code shows, for each thing that can be called, out. *Pure*.

Advice for review, never a boundary: whoever wants to hide an effect from this reading can. Reading files is not
reported, since every tool may read the vault.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from nestkit.parse.names import UNKNOWN, Names, is_main_guard
from nestkit.parse.nodes import children_of, nodes_of
from nestkit.parse.source import Source
from nestkit.tool import Body, Effect

Kind = Literal["write", "delete", "network", "env", "run"]

_CALLS: Mapping[str, tuple[Kind, int]] = {
    "os.mkdir": ("write", 0),
    "os.makedirs": ("write", 0),
    "os.mknod": ("write", 0),
    "os.mkfifo": ("write", 0),
    "os.truncate": ("write", 0),
    "os.open": ("write", 0),
    "os.chmod": ("write", 0),
    "os.utime": ("write", 0),
    "os.symlink": ("write", 1),
    "os.link": ("write", 1),
    "os.rename": ("write", 1),
    "os.renames": ("write", 1),
    "os.replace": ("write", 1),
    "shutil.move": ("write", 1),
    "shutil.copy": ("write", 1),
    "shutil.copy2": ("write", 1),
    "shutil.copyfile": ("write", 1),
    "shutil.copytree": ("write", 1),
    "shutil.make_archive": ("write", 0),
    "shutil.unpack_archive": ("write", 1),
    "sqlite3.connect": ("write", 0),
    "shelve.open": ("write", 0),
    "dbm.open": ("write", 0),
    "logging.FileHandler": ("write", 0),
    "numpy.save": ("write", 0),
    "numpy.savetxt": ("write", 0),
    "os.remove": ("delete", 0),
    "os.unlink": ("delete", 0),
    "os.rmdir": ("delete", 0),
    "os.removedirs": ("delete", 0),
    "shutil.rmtree": ("delete", 0),
    "os.system": ("run", 0),
    "os.popen": ("run", 0),
    "os.startfile": ("run", 0),
    "os.posix_spawn": ("run", 0),
    "pty.spawn": ("run", 0),
    "webbrowser.open": ("run", 9),
    "asyncio.create_subprocess_exec": ("run", 0),
    "asyncio.create_subprocess_shell": ("run", 0),
    "asyncio.open_connection": ("network", 0),
    "asyncio.start_server": ("network", 9),
    "urllib.request.urlretrieve": ("network", 0),
}
"""A function by its origin -> its effect, and the number of the argument that names what it touches."""

_MODULES: tuple[tuple[str, Kind], ...] = (
    (r"subprocess\.", "run"),
    (r"os\.(exec|spawn)[lv]p?e?$", "run"),
    (r"(socket|ssl|http\.client|http\.server|urllib\.request|urllib3|requests|httpx|aiohttp|websockets?)\.", "network"),
    (r"(smtplib|imaplib|poplib|ftplib|telnetlib|nntplib|xmlrpc|socketserver|paramiko|pycurl)\.", "network"),
    (r"(boto3|botocore|openai|anthropic|ollama|praw|tweepy|slack_sdk|playwright|selenium|feedparser)\.", "network"),
)
"""Origins whose every call has an effect."""

_HARMLESS = re.compile(
    r"\.(list2cmdline|CompletedProcess|gethostname|inet_\w+|[hn]to[hn][ls]|\w*2url\w*|quote\w*"
    r"|\w*(Error|Exception|Warning))$"
)
"""Of those, what only computes."""

_METHODS: Mapping[str, tuple[Kind, int, int]] = {
    "write_text": ("write", 0, 9),
    "write_bytes": ("write", 0, 9),
    "mkdir": ("write", 0, 3),
    "touch": ("write", 0, 2),
    "symlink_to": ("write", 1, 2),
    "hardlink_to": ("write", 1, 1),
    "rename": ("write", 1, 1),
    "replace": ("write", 1, 1),
    "unlink": ("delete", 0, 1),
    "rmdir": ("delete", 0, 0),
    "savefig": ("write", 1, 9),
    "save": ("write", 1, 9),
    "to_csv": ("write", 1, 9),
    "to_excel": ("write", 1, 9),
    "to_parquet": ("write", 1, 9),
    "to_pickle": ("write", 1, 9),
    "extractall": ("write", 0, 9),
}
"""A method, whatever it is called on -> its effect, and how many positional arguments show that it is that one:
`path.replace(target)` moves a file, `text.replace(old, new)` does not."""
_ON_ITS_PATH = frozenset(("write_text", "write_bytes", "mkdir", "touch", "unlink", "rmdir"))
"""Methods that touch the very path they are called on."""

_OPENERS = frozenset(("os.fdopen", "zipfile.ZipFile")).union(
    f"{module}open" for module in ("", "builtins.", "io.", "codecs.", "gzip.", "bz2.", "lzma.", "tarfile.", "aiofiles.")
)
_MODE = re.compile(r"[rwaxbt+U]{1,4}|[rwax][|:](gz|bz2|xz|\*)?")
_GOES_ON = "\N{HORIZONTAL ELLIPSIS}"
"""Stands in a text where the rest is computed."""
_MAX_EFFECTS = 100
_IMPORT = ""
_START = "__main__"


@dataclass(frozen=True, slots=True)
class Effects:
    """The effects of one script, ready to be asked for by name.

    Besides the names at the top of the file there are two more bodies: what runs when the file is imported, and its
    `__main__` block.
    """

    own: Mapping[str, frozenset[Effect]]
    """Name -> effects in its own body."""
    uses: Mapping[str, frozenset[str]]
    """Name -> the other names its body speaks of."""
    calls: Mapping[str, frozenset[tuple[str, int]]] = field(default_factory=dict)
    """Name -> (dotted origin, line) of what its body calls in modules that are not Python's own."""

    def of(self, roots: Iterable[str], *, started: bool) -> tuple[Effect, ...]:
        """Effects of calling these names, with all they reach in this file, by line.

        `started`: the script is run as a program, so its `__main__` block counts.
        """
        reached = self._reached([*roots, _IMPORT, *([_START] if started else [])])
        return unique_effects({effect for name in reached for effect in self.own.get(name, ())})

    def calls_of(self, roots: Iterable[str], *, started: bool) -> tuple[tuple[str, int], ...]:
        """(dotted origin, first line) of what these names call in other modules, with all they reach in this file."""
        reached = self._reached([*roots, _IMPORT, *([_START] if started else [])])
        return _first_lines(call for name in reached for call in self.calls.get(name, ()))

    def bodies(self) -> tuple[Body, ...]:
        """What each name at the top of the file does when it is called from elsewhere."""
        made = []
        for name in sorted(self.own.keys() - {_IMPORT, _START}):
            reached = self._reached([name])
            found = unique_effects({e for each in reached for e in self.own.get(each, ()) if e.kind != "read"})
            calls = _first_lines(call for each in reached for call in self.calls.get(each, ()))
            made += [Body(name, found, calls)] if found or calls else []
        return tuple(made[:_MAX_EFFECTS])

    def _reached(self, roots: list[str]) -> set[str]:
        """The names whose bodies run when these do."""
        seen: set[str] = set()
        waiting = roots
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += self.uses.get(name, ())
        return seen


def _first_lines(calls: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    lines: dict[str, int] = {}
    for origin, line in calls:
        lines[origin] = min(line, lines.get(origin, line))
    return tuple(sorted(lines.items(), key=lambda call: (call[1], call[0])))[:_MAX_EFFECTS]


def find_effects(source: Source) -> Effects:
    """Every effect the code shows, by the name whose body shows it."""
    names = source.names
    definitions: dict[str, ast.AST] = {**names.assigned, **names.functions, **names.classes}
    own = {name: frozenset(_effects(nodes_of(node), names)) for name, node in definitions.items()}
    uses = {name: _spoken_of(node, definitions) - {name} for name, node in definitions.items()}
    calls = {name: frozenset(_calls_outside(nodes_of(node), names)) for name, node in definitions.items()}
    guards = [node for node in source.tree.body if is_main_guard(node)]
    others = [node for node in source.tree.body if not is_main_guard(node)]
    for body, statements in ((_IMPORT, others), (_START, guards)):
        run = list(_run_at_once(statements))
        own[body], uses[body] = frozenset(_effects(run, names)), _called(run, definitions)
        calls[body] = frozenset(_calls_outside(run, names))
    return Effects(own, uses, calls)


def _calls_outside(nodes: Iterable[ast.AST], names: Names) -> Iterator[tuple[str, int]]:
    """(dotted origin, line) of each call into an imported module that is not Python's own."""
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            root: ast.expr = node.func
            while isinstance(root, ast.Attribute):
                root = root.value
            if isinstance(root, ast.Name) and root.id in names.imports:
                origin = names.dotted(node.func).lstrip(".")
                if "." in origin and origin.partition(".")[0] not in sys.stdlib_module_names:
                    yield origin, node.lineno


def _run_at_once(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Nodes that run when these statements run: all but the bodies of functions."""
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, node.args]
        elif not isinstance(node, ast.Lambda):
            waiting += children_of(node)


def _called(nodes: Iterable[ast.AST], definitions: Mapping[str, ast.AST]) -> frozenset[str]:
    functions = (node.func for node in nodes if isinstance(node, ast.Call))
    return frozenset(func.id for func in functions if isinstance(func, ast.Name) and func.id in definitions)


def _spoken_of(node: ast.AST, definitions: Mapping[str, ast.AST]) -> frozenset[str]:
    """Names a body calls or hands on, but for `set_defaults(func=...)`: that belongs to one sub-command alone."""
    spoken: set[str] = set()
    bound: set[str] = set()
    waiting: list[ast.AST] = [node]
    while waiting:
        inner = waiting.pop()
        match inner:
            case ast.Name(id=name, ctx=ast.Load()):
                spoken.add(name)
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.Call(func=ast.Attribute(attr="set_defaults")):
                continue
        waiting += children_of(inner)
    return frozenset((spoken - bound) & definitions.keys())


def _effects(nodes: Iterable[ast.AST], names: Names) -> Iterator[Effect]:
    for node in nodes:
        match node:
            case ast.Call():
                for effect in (
                    _effect_of_call(node, names),
                    _environment_handed_on(node, names),
                    *_envvars(node, names),
                ):
                    if effect is not None:
                        yield replace(effect, line=node.lineno)
            case ast.Subscript(value=value, slice=key, ctx=ast.Load()) if names.dotted(value) == "os.environ":
                if (effect := _variable(key, names)) is not None:
                    yield replace(effect, line=node.lineno)


def _effect_of_call(node: ast.Call, names: Names) -> Effect | None:
    origin = names.dotted(node.func)
    if origin in _OPENERS:
        return _opened(_argument(node, 1, "mode"), _place(_argument(node, 0, "file"), names), names)
    if origin in ("os.getenv", "os.environ.get"):
        return _variable(_argument(node, 0, "key"), names)
    if origin in _CALLS:
        kind, number = _CALLS[origin]
        return Effect(kind, _scope(kind, _argument(node, number, ""), names))
    for pattern, kind in _MODULES:
        if re.match(pattern, origin) and not _HARMLESS.search(origin):
            return Effect(kind, _scope(kind, _argument(node, 0, "url"), names))
    return _effect_of_method(node, node.func, names) if isinstance(node.func, ast.Attribute) else None


def _effect_of_method(node: ast.Call, func: ast.Attribute, names: Names) -> Effect | None:
    method, receiver = func.attr, func.value
    origin = names.imports.get(receiver.id, "") if isinstance(receiver, ast.Name) else ""
    if origin.partition(".")[0] in sys.stdlib_module_names:  # a function of a module; those are in the tables above
        return None
    if method == "open":
        mode = _argument(node, 0, "mode")
        known = isinstance(names.literal(mode), str)  # Image.open(path) has no mode there
        return _opened(mode, _place(receiver, names), names) if known else None
    if method not in _METHODS:
        return None
    kind, least, most = _METHODS[method]
    if not least <= len(node.args) <= most:
        return None
    if method in ("rename", "replace") and (node.keywords or isinstance(node.args[0], ast.Dict)):  # of a table or date
        return None
    return Effect(kind, _place(receiver, names) if method in _ON_ITS_PATH else "")


def _opened(mode: ast.expr | None, place: str, names: Names) -> Effect | None:
    """A file opened for writing; where the mode is computed it may be."""
    text = "r" if mode is None else names.literal(mode)
    if text is UNKNOWN:
        return Effect("write", place)
    is_mode = isinstance(text, str) and _MODE.fullmatch(text) is not None
    return Effect("write", place) if is_mode and set(text) & set("wax+") else None


def _environment_handed_on(node: ast.Call, names: Names) -> Effect | None:
    """`dict(os.environ)`, `run(env=os.environ)`, `os.environ.items()`: all variables at once."""
    given = [*node.args, *(keyword.value for keyword in node.keywords)]
    whole = any(names.dotted(value) == "os.environ" for value in given)
    return (
        Effect("env") if whole or re.fullmatch(r"os\.environ\.(copy|items|values)", names.dotted(node.func)) else None
    )


def _envvars(node: ast.Call, names: Names) -> Iterator[Effect]:
    """Variables that an option of click or typer falls back on: `envvar="TOKEN"`, `envvar=["A", "B"]`."""
    given = next((keyword.value for keyword in node.keywords if keyword.arg == "envvar"), None)
    if given is not None and names.dotted(node.func).rpartition(".")[2] in ("option", "argument", "Option", "Argument"):
        value = names.literal(given)
        for name in value if isinstance(value, list | tuple) else [value]:
            yield Effect("env", name if isinstance(name, str) else "")


def _variable(node: ast.expr | None, names: Names) -> Effect | None:
    name = names.literal(node)
    if name in ("VAULT_PATH", "TZ"):  # set by nest itself for every tool
        return None
    return Effect("env", name if isinstance(name, str) else "")


def _argument(node: ast.Call, number: int, keyword: str) -> ast.expr | None:
    if number < len(node.args):
        return node.args[number]
    return next((given.value for given in node.keywords if given.arg == keyword), None)


def _scope(kind: Kind, node: ast.expr | None, names: Names) -> str:
    """What a call touches, as far as it is written out: a path, a host, a program."""
    if kind in ("write", "delete"):
        return _place(node, names)
    text = _beginning(node, names)
    if kind == "network":
        host = re.match(r"(?:\w+://(?:[^/@\s]+@)?)?([\w-]+(?:\.[\w-]+)*(?::\d+)?)(?=[/?]|$)", text)
        return host[1] if host else ""
    program = (text.split() or [""])[0].rpartition("/")[2]
    return "" if _GOES_ON in program else program


def _beginning(node: ast.expr | None, names: Names) -> str:
    """The text an argument begins with: of a list its first item, of an f-string its first words."""
    match node:
        case ast.List(elts=[first, *_]) | ast.Tuple(elts=[first, *_]):
            return _beginning(first, names)
        case ast.BinOp(left=first, op=ast.Add()):
            return _beginning(first, names) + _GOES_ON
        case ast.JoinedStr(values=[ast.Constant(value=str(text)), *_]):
            return text + _GOES_ON
        case ast.Attribute() if names.dotted(node) == "sys.executable":
            return "python"
    text = names.literal(node)
    if isinstance(text, list | tuple):
        text = text[0] if text else ""
    return text[:300] if isinstance(text, str) else ""


def _place(node: ast.expr | None, names: Names) -> str:
    """A path that is written out in the code, `Path("Outbox") / "x.eml"`; empty when any part is computed."""
    match node:
        case ast.Call(func=func, args=[_, *_] as args, keywords=[]) if names.dotted(func) == "pathlib.Path":
            parts = [_place(arg, names) for arg in args]
            return "/".join(parts) if all(parts) else ""
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            parts = [_place(side, names) for side in (left, right)]
            return "/".join(parts) if all(parts) else ""
        case ast.Name(id=name) if name in names.assigned:
            return str(names.once("place", name, lambda: _place(names.assigned[name], names), ""))
    text = names.literal(node)
    return text if isinstance(text, str) and len(text) < 300 else ""


def unique_effects(effects: Iterable[Effect]) -> tuple[Effect, ...]:
    """By line; of equal effects the first. Of very many only their kinds are told: nobody grants hundreds of places."""
    first: dict[str, Effect] = {}
    for effect in sorted(effects, key=lambda effect: (effect.line, effect.kind, effect.scope)):
        first.setdefault(str(effect), effect)
    if len(first) <= _MAX_EFFECTS:
        return tuple(first.values())
    return unique_effects({effect.kind: replace(effect, scope="") for effect in reversed(first.values())}.values())
