"""The worker for tools: one call of one script over the socket in, its value or its error out. *Process*.

A function is called with keyword arguments, the script imported under its own name with `__file__` as on disk; a
command line program is run as `__main__` with its arguments. The scripts' folder can be imported from. Source files
alone are loaded: a byte-code file beside a script says nothing of what was reviewed. Runs in the child: standard
library only.
"""

from __future__ import annotations

import builtins
import errno
import importlib.machinery
import io
import os
import re
import sys
import warnings
from types import ModuleType
from typing import Any

from . import clock, failure, fitting, isolate, network, packing, wire


class SourceLoader(importlib.machinery.SourceFileLoader):
    """Loads a script from its text, never from a `__pycache__`; where leave was given, only what it was given for."""

    vault = ""
    digests: dict[str, str] | None = None
    """Path -> digest of what may be loaded; None for anything."""

    def get_code(self, fullname: str) -> Any:
        file = self.get_filename(fullname)
        source = self.get_data(file)
        if self.digests is not None:
            path = file.removeprefix(f"{self.vault}/")
            if path not in self.digests:
                raise ImportError(f"{path} may not be loaded: the leave for this tool does not cover it", name=fullname)
            if self.digests[path] != _digest(source):
                raise ImportError(f"{path} has changed since it was read", name=fullname)
        return compile(source, file, "exec", dont_inherit=True)


def serve(link: wire.Wire, wish: dict[str, Any], *, is_set: bool = False) -> None:
    """Make the one call and send what came of it; `is_set` where the scene is set already."""
    folders = [wish["shown"], wish["scratch"], *wish["site"]]
    try:
        answer = {"value": packing.pack(_relative(_call(wish, is_set), wish["shown"]))}
    except BaseException as error:
        answer = {"error": failure.draft(error, folders) | {"place": _find_place(error, wish["shown"])}}
    try:
        link.send(answer)
    except ValueError as error:
        link.send({"error": failure.draft(error) | {"place": ""}})


def _call(wish: dict[str, Any], is_set: bool) -> Any:
    file = _file_of(wish) if is_set else set_scene(wish)
    with open(file, "rb") as script:
        source = script.read()
    if wish["digest"] and _digest(source) != wish["digest"]:
        raise RuntimeError(f"{wish['script']} has changed since it was read")
    if wish["run"]:
        _check_covered(wish)
    if wish["shell"]:
        if not wish["run"]:
            raise RuntimeError(f"there is no {wish['shell']} on this machine, which {wish['script']} is written for")
        return _run_shell(wish["shell"], file, wish["argv"], wish["message_bytes"] // 4)
    package = _package_of(source, wish)
    if wish["function"]:
        return _call_function(source, file, package, wish["function"], packing.unpack(wish["arguments"]))
    return _run_command(source, file, package, wish["argv"])


def _check_covered(wish: dict[str, Any]) -> None:
    """Raises RuntimeError where a file that leave was given for has changed: no loader of ours sees what a program
    loads."""
    for path, seal in (wish["modules"] or {}).items():
        try:
            with open(f"{wish['shown']}/{path}", "rb") as file:
                found = _digest(file.read())
        except OSError:
            continue  # what cannot be read here cannot be started either
        if found != seal:
            raise RuntimeError(f"{path}, which {wish['script']} may start, has changed since it was read")


def _digest(source: bytes) -> str:
    import hashlib  # late: it loads a large library

    return hashlib.sha256(source).hexdigest()


def _file_of(wish: dict[str, Any]) -> str:
    return f"{wish['shown']}/{wish['script']}"


def set_scene(wish: dict[str, Any]) -> str:
    """Environment, clock, streams and import path made as the script expects them; its file."""
    file = _file_of(wish)
    os.environ.update(wish["environment"])
    os.environ |= {"VAULT_PATH": wish["shown"], "TMPDIR": wish["scratch"], "HOME": wish["scratch"], "LANG": "C.UTF-8"}
    if wish["run"]:
        os.environ.setdefault("PATH", os.pathsep.join(("/usr/local/bin", "/usr/bin", "/bin")))
    if known := sys.modules.get("tempfile"):
        vars(known)["tempdir"] = None
    clock.stop(wish["now"], wish["offset"])
    clock.load(wish["seed"])
    warnings.simplefilter("ignore")
    sys.stdin = io.StringIO()
    vars(builtins)["input"] = _ask
    sys.stdout, sys.stderr = _Kept(wish["message_bytes"] // 4), _Kept(wish["message_bytes"] // 4)
    sys.dont_write_bytecode = True
    system = f"{wish['shown']}/{wish['system']}" if wish["system"] else wish["shown"]
    if wish["collect"]:
        _rename_across_layers()
    if wish["network"]:
        network.install(isolate.DIAL)
    sys.path[:0] = dict.fromkeys((os.path.dirname(file), system))
    sys.path += wish["site"]
    SourceLoader.vault, SourceLoader.digests = wish["shown"], wish["modules"]
    sys.path_hooks.insert(0, _finder_below(wish["shown"]))
    sys.path_importer_cache.clear()
    return file


def _rename_across_layers() -> None:
    """Let a script rename a folder of the vault: over a layer the kernel will not, so it is copied and removed.

    **Source**: `Documentation/filesystems/overlayfs.rst`, "Renaming directories" (EXDEV).
    """
    for name in ("rename", "replace"):
        setattr(os, name, _renaming(getattr(os, name)))


def _renaming(real: Any) -> Any:
    def rename(src: Any, dst: Any, **folders: Any) -> None:
        try:
            real(src, dst, **folders)
        except OSError as error:
            if error.errno != errno.EXDEV or folders or not os.path.isdir(src) or os.path.islink(src):
                raise
            if os.path.exists(dst):
                os.rmdir(dst)  # rename(2) takes the place of an empty folder
            import shutil  # late: few scripts rename folders

            shutil.copytree(src, dst, symlinks=True)
            shutil.rmtree(src)

    return rename


def _finder_below(vault: str) -> Any:
    """A path hook for the vault's own folders: source files only."""

    def hook(folder: str) -> importlib.machinery.FileFinder:
        if not f"{folder}/".startswith(f"{vault}/"):
            raise ImportError
        return importlib.machinery.FileFinder(folder, (SourceLoader, [".py"]))

    return hook


_RELATIVE = re.compile(rb"^\s*from\s*\.", re.M)


def _package_of(source: bytes, wish: dict[str, Any]) -> str:
    """The package that a script imports relatively from: its folder below that of all scripts; else empty."""
    below = os.path.dirname(os.path.relpath(wish["script"], wish["system"] or "."))
    return below.replace("/", ".") if below and not below.startswith("..") and _RELATIVE.search(source) else ""


def _call_function(source: bytes, file: str, package: str, function: str, arguments: dict[str, Any]) -> Any:
    name = os.path.basename(file).removesuffix(".py")
    if package:
        name = f"{package}.{name}"
    target: Any = _run_source(source, file, name if name not in sys.modules else f"{name}_script", package)
    for part in function.split("."):
        target = getattr(target, part)
    args, kwargs = _spread(target, fitting.fit_arguments(target, arguments))
    value = target(*args, **kwargs)
    if hasattr(value, "__await__"):
        import asyncio  # late: it is slow to load, and few tools need it

        value = asyncio.run(_wait_for(value))
    if value is None and (printed := _printed(sys.stdout)):
        return packing.CommandText(printed)
    return value


async def _wait_for(value: Any) -> Any:
    return await value


def _run_source(source: bytes, file: str, name: str, package: str) -> ModuleType:
    """Run these very bytes as the module of that name, in that package."""
    loader = SourceLoader(name, file)
    module = ModuleType(name)
    module.__file__, module.__loader__ = file, loader
    module.__spec__ = None if name == "__main__" else importlib.machinery.ModuleSpec(name, loader, origin=file)
    module.__package__ = package
    sys.modules[name] = module
    exec(compile(source, file, "exec", dont_inherit=True), vars(module))
    return module


def _spread(function: Any, arguments: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Arguments by name, as the function itself takes them: positional-only ones in order, `*rest` opened."""
    import inspect

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [], arguments
    left, args = dict(arguments), []
    kinds = {parameter.name: parameter.kind for parameter in parameters}
    rest = next((name for name, kind in kinds.items() if kind is inspect.Parameter.VAR_POSITIONAL), "")
    for name, kind in kinds.items():
        ordered = kind is inspect.Parameter.POSITIONAL_ONLY or (
            kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and left.get(rest)
        )
        if ordered and name in left:
            args.append(left.pop(name))
        elif kind is inspect.Parameter.VAR_POSITIONAL:
            args += left.pop(name, ())
        elif kind is inspect.Parameter.VAR_KEYWORD and isinstance(left.get(name), dict):
            left |= left.pop(name)
    return args, left


def _run_command(source: bytes, file: str, package: str, argv: list[str]) -> packing.CommandText:
    """Run a script as a command. One that fails without a word on its output raises what it complained of."""
    sys.argv = [file, *argv]
    code: object = 0
    try:
        _run_source(source, file, "__main__", package)
    except SystemExit as stop:
        code = stop.code
    out, complaint = _printed(sys.stdout), _printed(sys.stderr)
    if not isinstance(code, int):
        complaint, code = (f"{complaint}\n{code}", 1) if code is not None else (complaint, 0)
    if code and _unanswered:
        asked = _unanswered[-1] or next(iter(out.strip().splitlines()[::-1]), "")
        complaint += f"\n{_NOBODY.format(asked)}"
    return _command_text(file, out, complaint, code)


_NOBODY = "nobody is there to answer {!r}; give it as a parameter"
_unanswered: list[str] = []
"""What the script asked for at the keyboard."""


def _ask(prompt: object = "", /) -> str:
    _unanswered.append(str(prompt).strip())
    raise EOFError(_NOBODY.format(_unanswered[-1]))


def _run_shell(shell: str, file: str, argv: list[str], most: int) -> packing.CommandText:
    """Run a shell script as a command, in a shell that was granted with the other programs it starts."""
    import subprocess  # late: most calls start no program

    done = subprocess.run([shell, file, *argv], stdin=subprocess.DEVNULL, capture_output=True)
    if len(done.stdout) > most:
        raise ValueError(f"printed more than {most:,} bytes")
    out, complaint = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return _command_text(file, out, complaint, done.returncode)


def _command_text(file: str, out: str, complaint: str, code: int) -> packing.CommandText:
    """What a command printed; raises what it complained of when it failed without a word on its output."""
    last = next((line.strip() for line in reversed(complaint.splitlines()) if line.strip()), "")
    if code and not out.strip():
        raise RuntimeError(last or f"{os.path.basename(file)} ended with code {code} and said nothing")
    return packing.CommandText(out, code, last)


def _printed(stream: Any) -> str:
    """What a script wrote to a stream; nothing when it put another in its place."""
    return stream.getvalue() if isinstance(stream, _Kept) else ""


class _Kept(io.TextIOWrapper):
    """A stream that keeps what is written, bytes too, up to a limit."""

    def __init__(self, most: int) -> None:
        super().__init__(_Bounded(most), "utf-8", "surrogateescape", newline="", write_through=True)

    def getvalue(self) -> str:
        self.flush()
        kept = self.buffer
        assert isinstance(kept, _Bounded)
        return kept.getvalue().decode("utf-8", "replace")


class _Bounded(io.BytesIO):
    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def write(self, data: Any, /) -> int:
        if self.tell() + len(data) > self._most:
            raise ValueError(f"printed more than {self._most:,} bytes")
        return super().write(data)


def _relative(value: Any, vault: str) -> Any:
    """A path into the vault, as everything outside a script knows it."""
    if isinstance(value, os.PathLike):
        return os.fspath(value).removeprefix(f"{vault}/")
    if type(value) is list:
        return [_relative(item, vault) for item in value]
    return value


def _find_place(error: BaseException, vault: str) -> str:
    """File and line of the vault where the error arose, or an empty text."""
    place, trace = "", error.__traceback__
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(f"{vault}/"):
            place = f"{file[len(vault) + 1 :]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
