"""A script's packages loaded once, then one call after the other in, each answered by a fork of its own. *Process*.

The keeper is a child like that of one call, shut in before the first line of a package runs, with the powers of that
one script; over them its forks are shut in once more, as every other tool is. So a package that means harm finds here
what it would find in a call, and no other script's calls. Runs in the child: standard library only.
"""

from __future__ import annotations

import ast
import gc
import importlib.machinery
import os
import random
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

from . import call, prove, seccomp, wire

POOLS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
"""What keeps libraries from starting threads at an import: they would be lost in a fork."""


def serve(link: wire.Wire, wish: dict[str, Any], walls: bytes) -> None:
    """Load, then answer calls until nest is gone; `walls` is the filter under which each of them runs."""
    file = call.set_scene(wish)
    os.environ.update(dict.fromkeys(POOLS, "1"))
    with open(file, "rb") as script:
        _load(script.read(), wish["site"])
    gc.collect()
    gc.freeze()
    before, most = _list(wish["scratch"]), link.most
    link.send({"loaded": True})
    while True:
        link.most = wire.OPENING_BYTES
        try:
            request = link.receive()
        except wire.Closed:
            return
        link.most = most
        if request["alone"]:
            _answer(link, wish | request, walls)
        chance = random.getstate()  # Python itself shuffles it in every fork
        child = os.fork()
        if child == 0:
            random.setstate(chance)
            _answer(link, wish | request, walls)
        _, status, used = os.wait4(child, 0)
        ended = [status, used.ru_utime + used.ru_stime, used.ru_maxrss]
        link.send({"ended": ended, "clean": _list(wish["scratch"]) == before})


def _answer(link: wire.Wire, wish: dict[str, Any], walls: bytes) -> NoReturn:
    try:
        seccomp.restrict(walls)
        if holes := prove.find_holes(wish["bait"], kept=wish["shown"], script=wish["script"]):
            link.send({"holes": holes})
        else:
            call.serve(link, wish, is_set=True)
    finally:
        os._exit(0)


def _load(source: bytes, site: list[str]) -> None:
    """Import what the script imports from its packages; whatever fails will fail, and be told, in the script."""
    for name, parts in _find_imports(source):
        found = importlib.machinery.PathFinder.find_spec(name.partition(".")[0], sys.path)
        places = [found.origin or "", *(found.submodule_search_locations or ())] if found else []
        if any(place.startswith(f"{folder}/") for place in places for folder in site):
            try:
                __import__(name, fromlist=parts)
            except Exception:
                continue


def _find_imports(source: bytes) -> Iterator[tuple[str, list[str]]]:
    """(module, names taken from it) of each import of a script that is not relative."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, []) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module, [alias.name for alias in node.names if alias.name != "*"]


def _list(folder: str) -> list[str]:
    return sorted(os.listdir(folder))
