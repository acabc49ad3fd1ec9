"""A number and a seed in; so many made-up scripts out, in the manners people write them, the same every time. *Pure*.

The shares are those of folders of real scripts: six in ten are libraries of functions (half of those without a word of
documentation), two are argparse programs, one each is a click program, a plain one, or a shell script; one in eleven
has a `nest:` block. They are 30 to 150 lines long.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

_VERBS = "add build check clean collect compare convert count draft fetch find format group join list make merge move"
_VERBS += " normalise pick plan print rank read rename round scale score select sort split sum tidy trim update"
_NOUNS = (
    "album author bill book branch card client course day deadline dish event expense friend garden habit hour idea"
)
_NOUNS += " invoice item journal label lecture letter log meal meeting month movie note order page paper person photo"
_NOUNS += " place plant project quote rate receipt recipe report room route run season seed sensor shelf song task term"
_TYPES = ("str", "int", "float", "bool", "list[str]", "date", "Path", "str | None", "dict[str, float]")
_DEFAULTS = {"str": "''", "int": "10", "float": "0.5", "bool": "False", "str | None": "None"}
_DOCS = ("google", "numpy", "rest", "comment", "short", "none", "none", "none", "none", "none")


def draft_scripts(number: int, seed: int = 2026) -> Iterator[tuple[str, str]]:
    """(path below the scripts' folder, text) of each."""
    for place in range(number):
        yield draft_script(place, seed)


def draft_script(place: int, seed: int = 2026, version: int = 0) -> tuple[str, str]:
    """One of them; another `version` of it differs in a line that matters."""
    random = Random(f"{seed} {place}")
    verb, noun = random.choice(_VERBS.split()), random.choice(_NOUNS.split())
    name = f"{verb}_{noun}_{place:04}"
    make = random.choices((_library, _argparse, _click, _plain, _shell), (60, 20, 8, 7, 5))[0]
    folder = f"{random.choice(_NOUNS.split())}/" if random.random() < 0.4 else ""
    suffix, text = (".sh", make(random, name)) if make is _shell else (".py", make(random, name))
    mark = f"# version {version}\n" if version else ""
    return f"{folder}{name}{suffix}", text + mark


def _library(random: Random, name: str) -> str:
    functions = random.sample(
        [f"{v}_{n}" for v in _VERBS.split()[:12] for n in _NOUNS.split()[:12]], random.randint(2, 9)
    )
    head = "import csv\nimport json\nfrom datetime import date\nfrom pathlib import Path\n\n"
    block = (
        f'"""{_words(name)}.\n\n---\nnest:\n  permissions: ["write:Reports/"]\n---\n"""\n'
        if random.random() < 0.15
        else ""
    )
    helpers = [_helper(random, number) for number in range(random.randint(0, 3))]
    return block + head + "\n\n".join((*helpers, *(_function(random, f"{f}_{name[-4:]}") for f in functions)))


def _function(random: Random, name: str) -> str:
    given = [(random.choice(_NOUNS.split()), random.choice(_TYPES)) for _ in range(random.randint(1, 4))]
    given = list(dict(given).items())
    typed = random.random() < 0.4
    shown = [f"{n}: {t}" if typed else n for n, t in given[:1]]
    shown += [
        f"{n}: {t} = {_DEFAULTS.get(t, 'None')}" if typed else f"{n}={_DEFAULTS.get(t, 'None')}" for n, t in given[1:]
    ]
    manner = random.choice(_DOCS)
    above = f"# {_words(name).lower()} for the overview\n" if manner == "comment" else ""
    doc = _doc(manner, name, given)
    return f"{above}def {name}({', '.join(shown)}){' -> float' if typed else ''}:\n{doc}{_body(random, given[0][0])}"


def _doc(manner: str, name: str, given: list[tuple[str, str]]) -> str:
    title = f"{_words(name)} of the vault, oldest first."
    if manner == "google":
        parts = "".join(f"        {n} ({t}): Which {n}.\n" for n, t in given)
        return f'    """{title}\n\n    Args:\n{parts}\n    Returns:\n        float: The sum.\n    """\n'
    if manner == "numpy":
        parts = "".join(f"    {n} : {t}\n        Which {n}.\n" for n, t in given)
        return f'    """{title}\n\n    Parameters\n    ----------\n{parts}    """\n'
    if manner == "rest":
        parts = "".join(f"    :param {n}: Which {n}.\n    :type {n}: {t}\n" for n, t in given)
        return f'    """{title}\n\n{parts}    :returns: The sum.\n    """\n'
    return f'    """{title}"""\n' if manner == "short" else ""


def _body(random: Random, first: str) -> str:
    lines = ["total = 0.0", f"for row in _rows({first}):", "    if not row:", "        continue"]
    lines += [f"    total += float(row.get({random.choice(_NOUNS.split())!r}, 0))" for _ in range(random.randint(1, 8))]
    if random.random() < 0.1:
        lines.append("Path('Reports/out.md').write_text(json.dumps(total))")
    return "".join(f"    {line}\n" for line in (*lines, "return round(total, 2)"))


def _helper(random: Random, number: int) -> str:
    name = "_rows" if number == 0 else f"_helper_{number}"
    lines = [f"    {random.choice(_NOUNS.split())} = {random.randint(1, 99)}" for _ in range(random.randint(2, 12))]
    return f"def {name}(source):\n" + "\n".join(lines) + "\n    return list(csv.DictReader(open(str(source))))\n"


def _argparse(random: Random, name: str) -> str:
    subs = [f"{random.choice(_VERBS.split())}-{n}" for n in random.sample(_NOUNS.split(), random.choice((0, 0, 2, 4)))]
    lines = [f'"""{_words(name)} from the command line."""', "import argparse", "import sys", ""]
    for sub in subs:
        lines += [
            f"def do_{sub.replace('-', '_')}(args):",
            f'    """{_words(sub)} and print it."""',
            "    print(args)",
            "",
        ]
    lines += ["def main():", "    parser = argparse.ArgumentParser(description=__doc__)"]
    lines += [
        f"    parser.add_argument('--{n}', help='which {n}')"
        for n in random.sample(_NOUNS.split(), random.randint(1, 5))
    ]
    lines += ["    sub = parser.add_subparsers(dest='command', required=True)"] if subs else []
    for sub in subs:
        lines += [
            f"    p = sub.add_parser('{sub}', help='{_words(sub).lower()}')",
            f"    p.add_argument('what', choices={random.sample(_NOUNS.split(), 3)!r})",
            "    p.add_argument('-n', '--limit', type=int, default=10, help='at most (default: %(default)s)')",
            f"    p.set_defaults(func=do_{sub.replace('-', '_')})",
        ]
    lines += ["    args = parser.parse_args()", "    return getattr(args, 'func', print)(args)", ""]
    return "\n".join((*lines, "if __name__ == '__main__':", "    sys.exit(main())", ""))


def _click(random: Random, name: str) -> str:
    lines = [
        f'"""{_words(name)}, with click."""',
        "import click",
        "",
        "@click.group()",
        "def cli():",
        '    """Keep track."""',
    ]
    for verb in random.sample(_VERBS.split(), random.randint(1, 4)):
        lines += [
            "",
            "@cli.command()",
            "@click.argument('name')",
            "@click.option('--limit', default=5, help='At most.')",
        ]
        lines += [
            f"def {verb}(name, limit):",
            f'    """{verb.capitalize()} what is called NAME."""',
            "    click.echo(name)",
        ]
    return "\n".join((*lines, "", "if __name__ == '__main__':", "    cli()", ""))


def _plain(random: Random, name: str) -> str:
    return (
        f"# {_words(name).lower()} and print what comes out\n# usage: {name}.py FILE...\nimport sys\n\n"
        + _helper(random, 0)
        + "\nif __name__ == '__main__':\n    for file in sys.argv[1:]:\n        print(file, len(_rows(file)))\n"
    )


def _shell(random: Random, name: str) -> str:
    count = f'grep -c {random.choice(_NOUNS.split())} "$f" | sort -n'
    return f'#!/bin/sh\n# {_words(name).lower()}\nset -e\nfor f in "$@"; do\n  {count}\ndone\n'


def _words(name: str) -> str:
    return " ".join(word for word in name.replace("-", "_").split("_") if not word.isdigit()).capitalize()
