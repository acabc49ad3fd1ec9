"""Python files of this machine in; what the reader made of them, as JSON on stdout, out. Run by `test_corpus.py`.

    python tests/parse/corpus.py 1        # every file of the standard library and of the installed packages
    python tests/parse/corpus.py 20       # every twentieth

An audit hook watches meanwhile: whatever runs code, loads a module, starts a process, connects or writes ends it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import pkgutil
import sys
import sysconfig
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from nestkit.parse.script import parse_script

_LATE = ("nestkit.parse", "yaml", "tomllib", "difflib", "docstring_parser", "encodings")
_FORBIDDEN = (
    "exec",
    "import",
    "subprocess.",
    "socket.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "shutil.",
)
_FORBIDDEN += ("os.remove", "os.rename", "os.mkdir", "ctypes.", "code.__new__", "marshal.")


def files(every: int) -> list[Path]:
    """Every so many of the Python files there are, in one order."""
    places = {Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    found = sorted({file for place in places for file in place.rglob("*.py") if file.is_file()})
    return found[::every]


def load_what_comes_late() -> None:
    """All modules that reading may ever load."""
    for name in _LATE:
        module = importlib.import_module(name)
        for inner in pkgutil.iter_modules(getattr(module, "__path__", ())):
            with contextlib.suppress(ImportError):  # encodings of other systems
                importlib.import_module(f"{name}.{inner.name}")


def watch(event: str, args: tuple[object, ...]) -> None:
    if event == "import" and str(args[0]).startswith("encodings."):  # Python looks a cookie's encoding up, there only
        return
    if event.startswith(_FORBIDDEN) or (event == "open" and set(str(args[1])) & set("wax+")):
        raise RuntimeError(f"the reader did {event} {args!r}"[:300])


def main(every: int) -> None:
    chosen = files(every)
    load_what_comes_late()
    parse_script("warm.py", b"def f(a):\n    '''F.\n\n    Args:\n        a (int): x\n    '''\n")
    sys.addaudithook(watch)
    told: Counter[str] = Counter()
    silent, size, slowest = [], 0, (0.0, "")
    begun = time.process_time()
    for file in chosen:
        source = file.read_bytes()
        started = time.process_time()
        script = parse_script(f"02_System/{file.name}", source)
        slowest = max(slowest, (time.process_time() - started, str(file)))
        size += len(source)
        json.dumps(asdict(script))
        told["tools"] += len(script.tools)
        told["documented"] += sum(bool(tool.text) for tool in script.tools)
        told["no tool, with the reason"] += len(script.others)
        told["files with problems"] += bool(script.problems)
        for tool in script.tools:
            told[f"manner {tool.manner}"] += 1
        if not (script.tools or script.others or script.problems):
            silent.append(str(file))
    seconds = time.process_time() - begun
    print(
        json.dumps(
            {"files": len(chosen), "bytes": size, "seconds": seconds, "slowest": slowest, "silent": silent} | told
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
