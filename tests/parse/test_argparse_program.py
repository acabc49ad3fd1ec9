"""argparse programs read from their source, compared with what argparse itself makes of the same source."""

from __future__ import annotations

import argparse
from textwrap import dedent
from typing import Any

import pytest

from nestkit.parse.script import parse_script
from nestkit.tool import Parameter, Script


def read(source: str) -> Script:
    return parse_script("demo.py", dedent(source).lstrip("\n").encode())


def signatures(source: str) -> list[str]:
    script = read(source)
    assert script.problems == ()
    return [tool.signature.removesuffix(" -> str") for tool in script.tools]


def argument(call: str, head: str = "") -> Parameter:
    [tool] = read(
        f"import argparse\n{head}\np = argparse.ArgumentParser()\np.add_argument({call})\np.parse_args()"
    ).tools
    return tool.parameters[0]


CALLS = [
    "'name'",
    "'--name'",
    "'-n', '--long-name'",
    "'-n'",
    "'--name', dest='other'",
    "'--name', required=True",
    "'--count', type=int, default=3",
    "'--ratio', type=float",
    "'--level', choices=['a', 'b']",
    "'--level', choices=('a', 'b'), default='a'",
    "'--level', type=int, choices=range(1, 4)",
    "'files', nargs='+'",
    "'files', nargs='*'",
    "'file', nargs='?', default='x'",
    "'pair', nargs=2, type=int",
    "'--pair', nargs=2, type=int",
    "'--many', nargs='*'",
    "'--maybe', nargs='?', const='c'",
    "'--tag', action='append'",
    "'--tags', action='extend', nargs='+'",
    "'-v', '--verbose', action='count', default=0",
    "'--on', action='store_true'",
    "'--no-cache', action='store_false', dest='cache'",
    "'--fast', action='store_const', const=1",
    "'--fmt', action=argparse.BooleanOptionalAction",
]


@pytest.mark.parametrize("call", CALLS)
def test_an_argument_is_what_argparse_makes_of_it(call: str) -> None:
    action: argparse.Action = eval(f"argparse.ArgumentParser(add_help=False).add_argument({call})")
    parameter = argument(call)
    assert parameter.name == action.dest
    assert parameter.required == (action.required and action.nargs != "*")
    assert parameter.choices == tuple(action.choices or ())
    assert [flag.split("/")[0] for flag in parameter.flags] == [f for f in action.option_strings if "--no-f" not in f]
    if action.default is not None:
        assert parameter.required or eval(parameter.default) == action.default


@pytest.mark.parametrize(
    ("call", "kind", "schema", "nargs"),
    [
        ("'x'", "str", {"type": "string"}, ""),
        ("'x', type=int", "int", {"type": "integer"}, ""),
        ("'x', type=Path", "Path", {"type": "string", "format": "path"}, ""),
        ("'x', type=date.fromisoformat", "date", {"type": "string", "format": "date"}, ""),
        ("'x', type=datetime.datetime.fromisoformat", "datetime", {"type": "string", "format": "date-time"}, ""),
        ("'x', type=argparse.FileType('w')", "Path", {"type": "string", "format": "path"}, ""),
        ("'x', type=positive", "int", {"type": "integer"}, ""),
        ("'x', type=odd", "str", {"type": "string"}, ""),
        ("'x', type=lambda s: s", "str", {"type": "string"}, ""),
        ("'x', type=json.loads", "JSON", {}, ""),
        ("'x', type=Color", "Color", {"type": "string", "enum": ["red", "blue"]}, ""),
        ("'x', type=Color, choices=list(Color)", "Color", {"type": "string", "enum": ["red", "blue"]}, ""),
        ("'x', choices=[c.value for c in Color]", "str", {"type": "string", "enum": ["red", "blue"]}, ""),
        ("'x', choices=LEVELS", "str", {"type": "string", "enum": ["low", "high"]}, ""),
        ("'x', choices=sorted(LEVELS)", "str", {"type": "string", "enum": ["high", "low"]}, ""),
        ("'x', choices=RATES.keys()", "str", {"type": "string", "enum": ["EUR", "USD"]}, ""),
        ("'x', choices=RATES", "str", {"type": "string", "enum": ["EUR", "USD"]}, ""),
        ("'x', choices=computed()", "str", {"type": "string"}, ""),
        ("'x', nargs='+'", "list[str]", {"type": "array", "items": {"type": "string"}, "minItems": 1}, "+"),
        ("'x', nargs=argparse.REMAINDER", "list[str]", {"type": "array", "items": {"type": "string"}}, "..."),
        ("'--x', nargs='?'", "str", {"type": "string"}, "?"),
        ("'--x', action='append', type=int", "list[int]", {"type": "array", "items": {"type": "integer"}}, "many"),
        ("'--x', action='store_true'", "bool", {"type": "boolean"}, "flag"),
        ("'--x', action='store_false'", "bool", {"type": "boolean"}, "off"),
        ("'--x', action='count'", "int", {"type": "integer", "minimum": 0}, "flag"),
    ],
)
def test_types_choices_and_counts(call: str, kind: str, schema: dict[str, Any], nargs: str) -> None:
    head = """
import datetime, enum, json
from datetime import date
from pathlib import Path
LEVELS = ("low", "high")
RATES = {"EUR": 1, "USD": 2}
def positive(text) -> int: ...
def odd(text): ...
class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"
"""
    parameter = argument(call, head)
    assert (parameter.type, dict(parameter.schema), parameter.nargs) == (kind, schema, nargs)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        ("'--x', help='the x (default: %(default)s)', default=3", "the x (default: 3)"),
        ("'--x', help='%(prog)s takes %(dest)s, 100%% of it'", "demo.py takes x, 100% of it"),
        ("'--x', help='one of %(choices)s', choices='ab'.split()", "one of"),
        ("'--x', choices=['a', 'b'], help='one of %(choices)s'", "one of a, b"),
        ("'--x', help='%(default)1000000000s'", "%(default)1000000000s"),
        ("'--x', help='two '\n  'parts'", "two parts"),
        ("'--x', help=TEXT", "kept elsewhere"),
        ("'--x', help=TEXT + ' and on'", "kept elsewhere and on"),
        ("'--x', help=f'{TEXT}!'", "kept elsewhere!"),
        ("'--x', help='bold \\x1b[1m'", "bold [1m"),
    ],
)
def test_help_texts_are_filled_in_and_never_formatted(call: str, text: str) -> None:
    assert argument(call, "TEXT = 'kept elsewhere'").text == text


def test_names_that_python_keeps_for_itself_get_an_underscore() -> None:
    assert argument("'--from'").name == "from_"
    assert argument("'input-file'").name == "input_file"


def test_suppressed_and_version_options_are_no_parameters() -> None:
    [tool] = read(
        """
        import argparse
        p = argparse.ArgumentParser()
        p.add_argument("--version", action="version", version="1")
        p.add_argument("--secret", help=argparse.SUPPRESS)
        p.add_argument("x", default=argparse.SUPPRESS)
        p.parse_args()
        """
    ).tools
    assert tool.signature == "demo(x: str) -> str"


SHAPES = {
    "at the top of the file": """
        import argparse
        p = argparse.ArgumentParser()
        p.add_argument("x")
        args = p.parse_args()
        """,
    "in main": """
        from argparse import ArgumentParser as AP
        def main():
            p = AP()
            p.add_argument("x")
            p.parse_args()
        if __name__ == "__main__":
            main()
        """,
    "in a function that builds it": """
        import argparse
        def build():
            p = argparse.ArgumentParser()
            p.add_argument("x")
            return p
        def main(argv=None):
            args = build().parse_args(argv)
        if __name__ == "__main__":
            raise SystemExit(main())
        """,
    "in a function that hands on the arguments": """
        import argparse
        def arguments():
            p = argparse.ArgumentParser()
            p.add_argument("x")
            return p.parse_args()
        if __name__ == "__main__":
            run(arguments())
        """,
    "filled by another function": """
        import argparse
        def fill(parser, name="y"):
            parser.add_argument(name)
        p = argparse.ArgumentParser()
        fill(p, "x")
        p.parse_args()
        """,
    "in a class": """
        import argparse
        class App:
            def __init__(self):
                self.parser = argparse.ArgumentParser()
                self.fill()
            def fill(self):
                self.parser.add_argument("x")
        if __name__ == "__main__":
            App().parser.parse_args()
        """,
    "a class of its own": """
        import argparse
        class Parser(argparse.ArgumentParser):
            pass
        p = Parser()
        p.add_argument("x")
        p.parse_args()
        """,
    "in a loop": """
        import argparse
        p = argparse.ArgumentParser()
        for name, kind in [("x", str)]:
            p.add_argument(name, type=kind)
        p.parse_args()
        """,
    "with options kept elsewhere": """
        import argparse
        COMMON = {"help": "the x"}
        p = argparse.ArgumentParser()
        p.add_argument("x", **COMMON)
        p.parse_args()
        """,
    "in a group": """
        import argparse
        p = argparse.ArgumentParser()
        g = p.add_argument_group("g")
        g.add_argument("x")
        p.parse_args()
        """,
    "from a parent": """
        import argparse
        base = argparse.ArgumentParser(add_help=False)
        base.add_argument("x")
        p = argparse.ArgumentParser(parents=[base])
        p.parse_args()
        """,
    "under two names": """
        import argparse
        p = q = argparse.ArgumentParser()
        p.add_argument("x")
        q.parse_args()
        """,
    "ended by an exception": """
        import argparse
        COMMON = argparse.ArgumentParser(add_help=False)
        def main():
            p = argparse.ArgumentParser(parents=[COMMON])
            p.add_argument("x")
            return p.parse_args()
        if __name__ == "__main__":
            raise SystemExit(main())
        """,
    "beside a parent of its own": """
        import argparse
        COMMON = argparse.ArgumentParser(add_help=False)
        class App:
            def __init__(self):
                self.p = argparse.ArgumentParser(parents=[COMMON])
                self.p.add_argument("x")
            def run(self):
                self.p.parse_args()
        if __name__ == "__main__":
            App().run()
        """,
    "a class of the script": """
        from argparse import ArgumentParser
        class Parser(ArgumentParser):
            def __init__(self):
                super().__init__(description="Mine.")
                self.add_argument("x")
        if __name__ == "__main__":
            Parser().parse_args()
        """,
    "by a method with a short name": """
        import argparse
        p = argparse.ArgumentParser()
        add = p.add_argument
        add("x")
        p.parse_args()
        """,
    "by names spread out": """
        import argparse
        NAMES = ("x",)
        OPTIONS = dict(type=str)
        p = argparse.ArgumentParser()
        p.add_argument(*NAMES, **OPTIONS)
        match p.parse_args().x:
            case _: pass
        """,
    "parsed on the way": """
        import argparse
        if (p := argparse.ArgumentParser()):
            p.add_argument("x")
        with open("y"):
            try:
                print(vars(p.parse_args()))
            finally:
                pass
        """,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_parser_is_found_wherever_it_is_built(shape: str) -> None:
    assert signatures(SHAPES[shape]) == ["demo(x: str)"]


SUBS = """
    \"\"\"A small database.\"\"\"
    import argparse
    def add(args):
        \"\"\"Add a record.

        At the end.
        \"\"\"
    def common(parser):
        parser.add_argument("-v", "--verbose", action="store_true")
    def build():
        p = argparse.ArgumentParser(description=__doc__)
        p.add_argument("--db", required=True)
        p.add_argument("--vault", default=".")
        sub = p.add_subparsers(dest="command")
        a = sub.add_parser("add-item", aliases=["a"])
        a.add_argument("name")
        a.add_argument("--vault", default="mine")
        a.set_defaults(func=add)
        l = sub.add_parser("list", help="list them all", description="Lists.", epilog="See also: add.")
        r = sub.add_parser("remote").add_subparsers()
        for name, text in {"push": "push it", "pull": "pull it"}.items():
            r.add_parser(name, help=text).add_argument("target", nargs="?", default="origin")
        for parser in (a, l):
            common(parser)
        return p
    if __name__ == "__main__":
        args = build().parse_args()
        args.func(args)
    """


def test_each_sub_command_is_a_tool_with_its_parents_options() -> None:
    assert signatures(SUBS) == [
        "demo.add_item(name: str, db: str, vault: str = 'mine', verbose: bool = False)",
        "demo.list(db: str, verbose: bool = False, vault: str = '.')",
        "demo.remote_push(target: str = 'origin', db: str, vault: str = '.')",
        "demo.remote_pull(target: str = 'origin', db: str, vault: str = '.')",
    ]


def test_a_sub_command_knows_its_words_and_how_deep_its_options_stand() -> None:
    tools = {tool.short: tool for tool in read(SUBS).tools}
    assert [tool.target for tool in tools.values()] == ["add-item", "list", "remote push", "remote pull"]
    assert {p.name: p.level for p in tools["add_item"].parameters} == {"name": 1, "db": 0, "vault": 1, "verbose": 1}
    assert {p.name: p.level for p in tools["remote_pull"].parameters} == {"target": 2, "db": 0, "vault": 0}


def test_a_sub_command_is_described_by_its_help_or_its_handler() -> None:
    script = read(SUBS)
    add, show, push, _ = script.tools
    assert (add.summary, add.text) == ("Add a record.", "Add a record.\n\nAt the end.")
    assert (show.summary, show.text) == ("list them all", "list them all\n\nLists.\n\nSee also: add.")
    assert push.summary == "push it"
    assert script.summary == "A small database."
    assert dict(script.others)["add"] == "part of the script's command line"


def test_a_mutually_exclusive_group_is_told_in_the_text() -> None:
    [tool] = read(
        """
        import argparse
        p = argparse.ArgumentParser()
        g = p.add_mutually_exclusive_group(required=True)
        g.add_argument("--json", action="store_true", help="as JSON")
        g.add_argument("--csv", action="store_true")
        p.parse_args()
        """
    ).tools
    assert [p.text for p in tool.parameters] == [
        "as JSON Exactly one of --json, --csv.",
        "Exactly one of --json, --csv.",
    ]
    assert not any(p.required for p in tool.parameters)


def test_defaults_set_afterwards_count() -> None:
    source = """
        import argparse
        p = argparse.ArgumentParser()
        p.add_argument("--x", type=int)
        p.set_defaults(x=5)
        p.parse_args()
        """
    assert signatures(source) == ["demo(x: int = 5)"]


def test_two_flags_for_one_variable_are_two_parameters() -> None:
    source = """
        import argparse
        p = argparse.ArgumentParser()
        p.add_argument("--fast", dest="speed", action="store_const", const=2)
        p.add_argument("--slow", dest="speed", action="store_const", const=1)
        p.parse_args()
        """
    assert signatures(source) == ["demo(speed: bool = False, slow: bool = False)"]


def test_a_parser_that_nothing_starts_is_a_problem() -> None:
    script = read("import argparse\ndef main():\n    argparse.ArgumentParser().parse_args()\ndef f(): pass")
    assert [tool.name for tool in script.tools] == ["demo.f"]
    assert (script.problems[0].line, "nothing starts" in script.problems[0].what) == (3, True)


def test_functions_that_call_each_other_without_end_are_left() -> None:
    calls = "\n".join(f"def f{n}(p):\n    f{n + 1}(p)\n    f{n + 1}(p)\n    f{n}(p)" for n in range(40))
    source = f"import argparse\n{calls}\np = argparse.ArgumentParser()\nf0(p)\np.add_argument('x')\np.parse_args()"
    assert [tool.name for tool in read(source).tools] == ["demo"]


@pytest.mark.parametrize(
    "loop",
    [
        'for flag, given in [("--x", dict(type=int)), ("--y", {"action": "store_true"})]:',
        'for flag, given in {"--x": {"type": int}, "--y": {"action": "store_true"}}.items():',
        "for flag, given in OPTIONS:",
    ],
)
def test_options_out_of_a_table_are_read(loop: str) -> None:
    source = f"""
        import argparse
        OPTIONS = (("--x", dict(type=int)), ("--y", dict(action="store_true")))
        p = argparse.ArgumentParser()
        {loop}
            p.add_argument(flag, **given)
        p.parse_args()
        """
    assert signatures(source) == ["demo(x: int = None, y: bool = False)"]


def test_sub_commands_out_of_a_table_have_their_own_handlers() -> None:
    script = read(
        """
        import argparse
        def add(args): "Add one."
        def drop(args): "Drop one."
        def main():
            p = argparse.ArgumentParser()
            sub = p.add_subparsers()
            for name, handler in {"add": add, "drop": drop}.items():
                q = sub.add_parser(name, help=handler.__doc__)
                q.set_defaults(func=handler)
            p.parse_args()
        if __name__ == "__main__":
            raise SystemExit(main())
        """
    )
    assert [(tool.name, tool.summary) for tool in script.tools] == [
        ("demo.add", "Add one."),
        ("demo.drop", "Drop one."),
    ]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("p.add_argument(NAME)", "names of an option"),
        ("p.add_argument(*NAMES)", "names of an option"),
        ("for n in open('x'): p.add_argument('--' + n)", "options of a loop"),
        ("p.add_subparsers().add_parser(NAME)", "sub-commands"),
        ("p.add_subparsers()", "sub-commands"),
    ],
)
def test_what_only_running_could_tell_is_said_with_its_line(line: str, what: str) -> None:
    script = read(f"import argparse\np = argparse.ArgumentParser()\n{line}\np.parse_args()")
    assert {problem.line for problem in script.problems} == {3}
    assert all(problem.what.startswith(what) for problem in script.problems)
