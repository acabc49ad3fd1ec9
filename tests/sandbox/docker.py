"""A stand-in for Docker's client and daemon: it reads the command line, and truly runs the child, here. *Process*.

No container is made: of what `docker run` is asked for, only the files it may see are held to, by Landlock, and only
where HOLDS says so. It keeps each run as a file of its name in STATE, so that `kill` and `ps` mean something.
"""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

STATE = Path(os.environ.get("HOME", "/"))
FLAGS = ("--rm", "--interactive", "--read-only")


def main(words: list[str]) -> int:
    kind = words[0]
    if (STATE / "dead").exists():
        print("Cannot connect to the Docker daemon. Is the docker daemon running?", file=sys.stderr)
        return 1
    with (STATE / "log").open("a") as log:
        print(json.dumps(words), file=log)
    if kind == "version":
        print("29.0")
    elif kind == "image":
        if words[-1] not in (STATE / "images").read_text().split():
            print(f"Error response from daemon: No such image: {words[-1]}", file=sys.stderr)
            return 1
    elif kind == "ps":
        for file in STATE.glob("nest-*"):
            print(file.name, json.loads(file.read_text())["label"].partition("=")[2])
    elif kind == "kill":
        return kill(words[1])
    elif kind == "run":
        return run(words[1:])
    return 0


def kill(name: str) -> int:
    try:
        number = json.loads((STATE / name).read_text())["pid"]
        (STATE / name).unlink()
        os.kill(number, signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        print(f"Error response from daemon: No such container: {name}", file=sys.stderr)
        return 1
    return 0


def run(words: list[str]) -> int:
    given, mounts = {}, []
    while words[0].startswith("--"):
        option = words.pop(0)
        if option in FLAGS:
            continue
        value = words.pop(0)
        mounts += [next(csv.reader([value]))] if option == "--mount" else []
        given[option] = value
    image, *arguments = words
    assert image in (STATE / "images").read_text().split()
    assert given["--pull"] == "never"
    python = sys.executable
    command = [python, *arguments]
    if (STATE / "holds").exists():
        command = [python, "-I", "-S", __file__, "hold", json.dumps([places(mounts), command])]
    process = subprocess.Popen(command, env={"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin"}, start_new_session=True)
    name = given["--name"]
    (STATE / name).write_text(json.dumps({"pid": process.pid, "label": given["--label"]}))
    code = process.wait()
    (STATE / name).unlink(missing_ok=True)
    return 128 - code if code < 0 else code


def places(mounts: list[list[str]]) -> dict[str, list[str]]:
    """Folders to read and to write; a container would show them at their targets, which are the same."""
    found: dict[str, list[str]] = {"read": [], "write": []}
    for mount in mounts:
        parts = dict(part.partition("=")[::2] for part in mount)
        if parts["type"] == "bind" and parts["src"] != os.devnull:
            assert parts["src"] == parts["dst"]
            found["read" if "readonly" in parts else "write"].append(parts["src"])
    return found


def hold(wish: str) -> None:
    """Be shut in by Landlock, and become the child."""
    import importlib
    import sysconfig

    held, command = json.loads(wish)
    package = type(sys)("_nest")
    package.__path__ = [next(folder for folder in held["read"] if folder.endswith("/child"))]
    sys.modules["_nest"] = package
    landlock = importlib.import_module("_nest.landlock")
    version = landlock.find_version()
    rules = landlock.open_rules(version)
    standard = [sysconfig.get_path("stdlib"), "/lib", "/lib64", "/usr/lib", "/usr/local/lib", "/etc/ld.so.cache"]
    powers = [(os.path.realpath(file), landlock.READ) for file in (*standard, *held["read"])]
    powers += [(file, landlock.WRITE) for file in (*held["write"], "/dev/null", "/dev/urandom")]
    run = [os.path.realpath(command[0]), command[0], *map(str, Path("/").glob("lib*/**/ld-*.so*"))]
    powers += [(os.path.realpath(file), landlock.READ | landlock.EXECUTE) for file in run]
    landlock.allow(rules, version, powers)
    importlib.import_module("_nest.syscalls").syscall("prctl", 38, 1, 0, 0, 0)
    landlock.restrict(rules)
    os.execv(command[0], command)


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        hold(sys.argv[2])
    sys.exit(main(sys.argv[1:]))
