"""A name in a program never means another thing than one would expect: it is unique, or it says what it could be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from nestkit.hall.trial import Trial
from nestkit.nest import open_nest
from nestkit.run import Outcome

NOW = datetime.fromisoformat("2026-03-18T09:00:00+01:00")
PROGRAM = "if __name__ == '__main__':\n    print('the script {}')\n"
PROGRAMS = "sum print list isinstance final_answer describe find_tools vault class match None import open"
SCRIPTS = {
    "fx.py": "\n".join(f"def {name}(): return 'fx'" for name in ("sorted", "same", "only", "import_")),
    "gx.py": "def same(): return 'gx'\n",
    "deep/only.py": "def f(): return 'only'\n",
    "len.py": "def f(): return 'len'\n",
    "twice.py": "def f(): return 1\n",
    "deep/twice.py": "def f(): return 2\n",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Outcome]]:
    """Runs a program over a vault full of scripts with unfortunate names."""
    root = tmp_path_factory.mktemp("names")
    made = {f"{name}.py": PROGRAM.format(name) for name in PROGRAMS.split()} | SCRIPTS
    for path, text in made.items():
        file = root / "vault/02_System" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (root / "vault/A.md").write_text("a word\n")
    (root / "vault/02_System/deep/SKILL.md").write_text(
        "---\nname: deep-things\ndescription: Deep.\n---\nFirst this.\n"
    )
    places = {f"NEST_{name}_DIR": str(root / name) for name in ("CACHE", "STATE", "CONFIG")}
    with open_nest(root / "vault", root / "vault", environ=places) as nest:
        nest.refresh()
        with Trial(nest, NOW) as trial:
            yield trial.run


@pytest.mark.parametrize(
    ("program", "value"),
    [
        ("sum([1, 2])", 3),
        ("list((1, 2))", [1, 2]),
        ("isinstance([], list)", True),
        ("sorted([2, 1])", [1, 2]),
        ("len([1])", 1),
        ("[print('x'), 1][1]", 1),
        ("describe('fx.only').partition('\\n')[0]", "fx.only()"),
        ("isinstance(find_tools('only'), list)", True),
        ("'First this.' in describe('deep-things') and 'only.f()' in describe('deep-things')", True),
        ("[note['path'] for note in vault.search('word')]", ["A.md"]),
    ],
)
def test_what_python_and_nest_give_stays_what_it_is(run: Callable[[str], Outcome], program: str, value: object) -> None:
    outcome = run(f"final_answer({program})")
    assert outcome.value == value, outcome.error


@pytest.mark.parametrize(
    ("call", "value"),
    [
        *((f"{name}_()", f"the script {name}\n") for name in PROGRAMS.split() if name != "match"),
        ("match()", "the script match\n"),
        ("len_.f()", "len"),
        ("fx.sorted()", "fx"),
        ("fx.import_()", "fx"),
        ("fx.same() + gx.same()", "fxgx"),
        ("only()", "fx"),
        ("only.f()", "only"),
    ],
)
def test_every_tool_has_a_name_that_a_program_can_write(run: Callable[[str], Outcome], call: str, value: str) -> None:
    outcome = run(f"final_answer({call})")
    assert str(outcome.value) == value, outcome.error


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("same()", "'same' is claimed by fx.same and gx.same: write one of these"),
        ("f()", "'f' is claimed by"),
        ("twice.f()", "twice"),
    ],
)
def test_a_name_that_two_tools_claim_is_an_error_that_says_so(
    run: Callable[[str], Outcome], call: str, said: str
) -> None:
    outcome = run(f"final_answer({call})")
    assert not outcome.final
    assert said in outcome.error.splitlines()[-1]
