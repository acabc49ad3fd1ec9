"""llama.cpp's own server, built from the sources in its Python package, and where it lies then. *Network, Process*.

    python tests/realserver/build.py     # once a machine: minutes of one core, 80 MB fetched, 500 MB while it builds

The source distribution is fetched from the package index through pip and held to a digest; nothing else is fetched but
cmake and ninja where they are missing. Prints the server's file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from platformdirs import user_cache_path

VERSION = "0.3.36"
_DIGEST = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
_FLAGS = {
    "CMAKE_BUILD_TYPE": "Release",
    "CMAKE_C_FLAGS_RELEASE": "-O2",
    "CMAKE_CXX_FLAGS_RELEASE": "-O1",  # the model is tiny, so the build may be quick and the server need not be
    "BUILD_SHARED_LIBS": "OFF",
    "GGML_NATIVE": "OFF",
    "GGML_OPENMP": "OFF",
    "GGML_LLAMAFILE": "OFF",
    "LLAMA_BUILD_TESTS": "OFF",
    "LLAMA_BUILD_EXAMPLES": "OFF",
    "LLAMA_BUILD_APP": "OFF",
    "LLAMA_BUILD_UI": "OFF",
    "LLAMA_USE_PREBUILT_UI": "OFF",  # its pages would be fetched from elsewhere
    "LLAMA_OPENSSL": "OFF",
}


def server_file() -> Path:
    """Where the server is once it is built: in the user's cache, or where NEST_TEST_LLAMA_SERVER says."""
    named = os.environ.get("NEST_TEST_LLAMA_SERVER")
    return Path(named) if named else user_cache_path("nest-tests") / f"llama-server-{VERSION}"


def build() -> Path:
    """The server's file, built if it is not there. Raises SystemExit with one line when it cannot be."""
    file = server_file()
    if file.exists():
        return file
    if not (shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")):
        raise SystemExit("no C++ compiler here; install one (g++ or clang) to build llama.cpp's server")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        sources = _fetch(Path(folder)) / "vendor/llama.cpp"
        environment = _with_cmake(Path(folder))
        made = Path(folder) / "build"
        flags = [f"-D{name}={value}" for name, value in _FLAGS.items()]
        _run(["cmake", "-G", "Ninja", "-S", str(sources), "-B", str(made), *flags], environment)
        jobs = str(max(1, (os.cpu_count() or 2) - 1))
        _run(["cmake", "--build", str(made), "--target", "llama-server", "--parallel", jobs], environment)
        ready = file.with_suffix(f".{os.getpid()}")
        shutil.copy2(made / "bin/llama-server", ready)
        ready.replace(file)  # whole or not at all
    return file


def _fetch(folder: Path) -> Path:
    """The folder of the sources."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"llama-cpp-python=={VERSION} --hash=sha256:{_DIGEST}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    _run(
        [*pip, "--no-binary", "llama-cpp-python", "--require-hashes", "-r", str(wanted), "-d", str(folder)],
        dict(os.environ),
    )
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def _with_cmake(folder: Path) -> dict[str, str]:
    """The environment in which cmake and ninja are found."""
    if shutil.which("cmake") and shutil.which("ninja"):
        return dict(os.environ)
    tools = folder / "tools"
    _run([sys.executable, "-m", "venv", str(tools)], dict(os.environ))
    _run([str(tools / "bin/pip"), "install", "--quiet", "cmake>=3.25,<5", "ninja"], dict(os.environ))
    return {**os.environ, "PATH": f"{tools / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}


def _run(command: list[str], environment: dict[str, str]) -> None:
    """What it says is shown, on stderr, as it goes."""
    done = subprocess.run(command, env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise SystemExit(
            f"`{' '.join(command[:4])}...` failed with exit code {done.returncode}; its own lines are above"
        )


if __name__ == "__main__":
    print(build())
