"""The shape of the house: who imports whom, and that the README's picture of it is true."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "nestkit"
ROOMS = ("parse", "vault", "index", "sandbox", "agent", "planner", "runs", "palette", "watching")
OUTSIDE = {
    "click": "doors",
    "markdown_it": "parse",
    "frontmatter": "parse",
    "yaml": "parse",
    "docstring_parser": "parse",
    "ollama": "agent",
    "httpx": "agent",
    "httpcore": "agent",
    "platformdirs": "vault",
    "watchdog": "watching",
    "pydantic_monty": "sandbox",
}
"""Outside package -> the one room that may import it."""


def modules() -> dict[str, ast.Module]:
    """Dotted name -> tree, of every module of the package; the sandbox's child is none of them."""
    files = [file for file in PACKAGE.rglob("*.py") if "child" not in file.parts]
    return {_name(file): ast.parse(file.read_text("utf-8")) for file in files}


def _name(file: Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.Module, *, top_level: bool = False) -> set[str]:
    """Modules a module imports, wherever in it; with `top_level` only those that loading it loads."""
    found: set[str] = set()
    for node in tree.body if top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def floor_of(module: str) -> str:
    """words, a room's name, hall, doors, or testing."""
    parts = module.split(".")
    if len(parts) == 1 or parts[1] in ("errors", "visible"):
        return "words"
    if parts[1] in ROOMS or parts[1] in ("doors", "testing", "scripts"):
        return parts[1]
    return "hall" if parts[1] in ("nest", "hall") else "words"


MODULES = modules()
ARROWS = [
    (module, target)
    for module, tree in sorted(MODULES.items())
    for target in sorted(imports(tree))
    if target in MODULES and target != module and target != "nestkit"
]


def allowed(source: str, target: str) -> bool:
    """Words <- rooms <- hall <- doors; no room knows another."""
    if target == "words" or source == target:
        return True
    return {
        "hall": target in (*ROOMS, "scripts"),
        "doors": target == "hall",
        "testing": False,
        "words": False,
    }.get(source, False)


@pytest.mark.parametrize(("module", "target"), ARROWS, ids=[f"{a} -> {b}" for a, b in ARROWS])
def test_an_import_goes_down_the_floors_and_never_across(module: str, target: str) -> None:
    assert allowed(floor_of(module), floor_of(target)), f"{module} may not import {target}"


def test_no_module_imports_the_package_s_own_face() -> None:
    offenders = [name for name, tree in MODULES.items() if "nestkit" in imports(tree) and name != "nestkit.doors.cli"]
    assert offenders == [], "import from the file that owns the name"


def test_no_import_leads_back_to_where_it_began() -> None:
    graph = {name: imports(tree, top_level=True) & MODULES.keys() for name, tree in MODULES.items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path, name])
        if name not in done:
            for target in graph[name] - {name}:
                visit(target, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("package", OUTSIDE)
def test_an_outside_package_has_one_room(package: str) -> None:
    users = {
        floor_of(name)
        for name, tree in MODULES.items()
        if any(target.split(".")[0] == package for target in imports(tree))
    }
    assert users <= {OUTSIDE[package]}


def test_the_child_knows_nothing_of_nestkit() -> None:
    for file in (PACKAGE / "sandbox/child").glob("*.py"):
        found = {target.split(".")[0] for target in imports(ast.parse(file.read_text("utf-8")))}
        siblings = {each.stem for each in file.parent.glob("*.py")}
        assert found <= set(sys.stdlib_module_names) | siblings, file.name


def test_asking_for_the_version_loads_no_database_no_markdown_and_no_model_client() -> None:
    program = (
        "import sys\nfrom nestkit.doors.cli import main\ntry:\n    main(['--version'])\nexcept SystemExit: pass\n"
        "print('\\n'.join(sorted(sys.modules)))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"sqlite3", "markdown_it", "yaml", "frontmatter", "ollama", "httpx", "pydantic", "platformdirs", "hashlib"}
    assert not heavy & set(loaded)
    assert sorted(name for name in loaded if name.startswith("nestkit")) == [
        "nestkit",
        "nestkit.doors",
        "nestkit.doors.cli",
        "nestkit.doors.machine",
        "nestkit.errors",
    ]


def test_the_readme_draws_the_rooms_as_they_are() -> None:
    readme = (PACKAGE.parent / "README.md").read_text("utf-8")
    picture = readme.partition("<!-- rooms -->")[2].partition("<!-- /rooms -->")[0]
    drawn = {line.strip().split()[0].rstrip("/") for line in picture.splitlines() if line.startswith("  ")}
    parts = {file.stem for file in PACKAGE.glob("*.py") if file.stem != "__init__"}
    parts |= {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()}
    parts |= {file.stem for file in (PACKAGE / "hall").glob("*.py")}
    assert drawn == parts - {"hall", "__init__"}
