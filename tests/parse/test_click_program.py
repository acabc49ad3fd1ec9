"""click and typer programs read from their source; click's compared with what click itself makes of the same source."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import click
import pytest

from nestkit.parse.script import parse_script
from nestkit.tool import Parameter, Script


def read(source: str) -> Script:
    return parse_script("demo.py", dedent(source).lstrip("\n").encode())


def signatures(source: str) -> list[str]:
    script = read(source)
    assert script.problems == ()
    return [tool.signature.removesuffix(" -> str") for tool in script.tools]


def parameter(decorator: str) -> Parameter:
    [tool] = read(f"import click\n@click.command()\n@click.{decorator}\ndef f(**k): pass\nf()").tools
    return tool.parameters[0]


DECORATORS = [
    "argument('name')",
    "argument('FILE-NAME')",
    "argument('files', nargs=-1)",
    "argument('files', nargs=-1, required=True)",
    "argument('pair', nargs=2, type=int)",
    "argument('x', default=3)",
    "argument('x', required=False)",
    "option('--name')",
    "option('-n', '--long-name')",
    "option('-n')",
    "option('--name', 'other')",
    "option('--name', required=True)",
    "option('--count', default=3)",
    "option('--ratio', default=1.5)",
    "option('--on', default=False)",
    "option('--on', is_flag=True)",
    "option('--on/--off', default=True)",
    "option('--shout/--no-shout', ' /-S')",
    "option('-v', '--verbose', count=True)",
    "option('--tag', multiple=True)",
    "option('--pair', nargs=2, type=float)",
    "option('--item', type=(str, int), multiple=True)",
    "option('--level', type=click.Choice(['a', 'b']))",
    "option('--day', type=click.DateTime())",
    "option('--n', type=click.IntRange(1, 5))",
    "option('--path', type=click.Path())",
]


@pytest.mark.parametrize("decorator", DECORATORS)
def test_a_parameter_is_what_click_makes_of_it(decorator: str) -> None:
    scope: dict[str, Any] = {"click": click}
    exec(f"@click.command()\n@click.{decorator}\ndef f(**k): pass", scope)
    [real] = scope["f"].params
    info = real.to_info_dict()
    found = parameter(decorator)
    assert found.name == real.name
    assert found.required == real.required
    assert bool(found.flags) == isinstance(real, click.Option)
    assert found.choices == tuple(info["type"].get("choices", ()))
    assert (found.nargs == "many") == bool(getattr(real, "multiple", False))
    on = [part for flag in found.flags if (part := flag.split("/")[0])]
    off = [part for flag in found.flags if (part := flag.partition("/")[2])]
    assert (on, off) == ((list(real.opts), list(real.secondary_opts)) if found.flags else ([], []))
    if info.get("is_flag"):
        assert found.nargs == "flag"
    elif isinstance(real.default, int | float) and not isinstance(real.default, bool):
        assert found.type == type(real.default).__name__


@pytest.mark.parametrize(
    ("decorator", "kind", "schema"),
    [
        ("option('--x')", "str", {"type": "string"}),
        ("option('--x', type=int)", "int", {"type": "integer"}),
        ("option('--x', type=click.FLOAT)", "float", {"type": "number"}),
        ("option('--x', default=3)", "int", {"type": "integer"}),
        ("option('--x', type=click.IntRange(min=1))", "int", {"type": "integer", "minimum": 1}),
        ("option('--x', type=click.IntRange(1, 5, clamp=True))", "int", {"type": "integer"}),
        ("option('--x', type=click.FloatRange(0, 1.5))", "float", {"type": "number", "minimum": 0, "maximum": 1.5}),
        ("option('--x', type=click.Choice(('a', 'b')))", "str", {"type": "string", "enum": ["a", "b"]}),
        ("option('--x', type=click.DateTime())", "datetime", {"type": "string", "format": "date-time"}),
        ("option('--x', type=click.DateTime(['%Y']))", "str", {"type": "string"}),
        ("option('--x', type=click.File('w'))", "Path", {"type": "string", "format": "path"}),
        ("option('--x', is_flag=True)", "bool", {"type": "boolean"}),
        ("option('--x', count=True)", "int", {"type": "integer", "minimum": 0}),
        ("option('--x', multiple=True, type=int)", "list[int]", {"type": "array", "items": {"type": "integer"}}),
        (
            "argument('x', nargs=2)",
            "list[str]",
            {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
        ),
    ],
)
def test_types(decorator: str, kind: str, schema: dict[str, Any]) -> None:
    found = parameter(decorator)
    assert (found.type, dict(found.schema)) == (kind, schema)


@pytest.mark.parametrize(
    "decorator",
    [
        "option('--name', prompt=True)",
        "option('--name', prompt='Who?', default='x')",
        "password_option()",
        "confirmation_option(prompt='Sure?')",
    ],
)
def test_what_would_be_prompted_for_must_be_given(decorator: str) -> None:
    found = parameter(decorator)
    assert found.required
    assert "nobody to answer its prompt" in found.text


@pytest.mark.parametrize("decorator", ["version_option('1')", "help_option()", "option('--x', hidden=True)"])
def test_options_for_the_command_line_alone_are_no_parameters(decorator: str) -> None:
    [tool] = read(f"import click\n@click.command()\n@click.{decorator}\ndef f(**k): pass\nf()").tools
    assert tool.parameters == ()


def test_options_that_set_one_variable_are_told_apart_by_their_flags() -> None:
    source = """
        import click
        @click.command()
        @click.option("--upper", "case", flag_value="upper", default=True)
        @click.option("--lower", "case", flag_value="lower")
        def f(case): pass
        f()
        """
    assert signatures(source) == ["demo(upper: bool = True, lower: bool = False)"]


GROUP = """
    import click
    common = click.option("--dry-run", is_flag=True)
    def more(function):
        function = click.option("--alpha")(function)
        return click.option("--beta")(function)
    @click.group()
    @click.option("--config", required=True)
    @click.pass_context
    def cli(ctx, config):
        '''All of it.'''
    @cli.command()
    @click.argument("source")
    @common
    @more
    def copy_files_cmd(source, **rest):
        '''Copy files.

        \\b
        as they
          are
        \\f
        Not for users.
        '''
    @cli.command("stat-us", help="Show the status.", short_help="status")
    def status(): pass
    @cli.group("db")
    def database(): pass
    @database.command
    def init(): pass
    @click.command()
    def late(): pass
    @click.command()
    def lonely(): pass
    database.add_command(late, name="l8")
    def main():
        cli(obj={})
    if __name__ == "__main__":
        main()
    """


def test_each_command_of_a_group_is_a_tool_with_its_groups_options() -> None:
    assert signatures(GROUP) == [
        "demo.copy_files(source: str, config: str, dry_run: bool = False, alpha: str = None, beta: str = None)",
        "demo.stat_us(config: str)",
        "demo.db_init(config: str)",
        "demo.db_l8(config: str)",
    ]


def test_commands_have_clicks_own_names() -> None:
    script = read(GROUP)
    assert [tool.target for tool in script.tools] == ["copy-files", "stat-us", "db init", "db l8"]
    assert {p.name: p.level for p in script.tools[0].parameters}["config"] == 0
    assert {p.name: p.level for p in script.tools[0].parameters}["alpha"] == 1


def test_a_command_is_described_as_click_would_show_it() -> None:
    script = read(GROUP)
    assert script.tools[0].text == "Copy files.\n\nas they\n  are"
    assert script.tools[1].text == "status\n\nShow the status."
    assert script.summary == "All of it."
    assert dict(script.others)["lonely"] == "a command that nothing starts"
    assert dict(script.others)["status"] == "part of the script's command line"


def test_a_group_that_does_something_alone_is_a_tool_too() -> None:
    source = """
        from click import group, option
        @group(invoke_without_command=True)
        @option("--x")
        def cli(x): pass
        @cli.command()
        def sub(): pass
        cli()
        """
    assert signatures(source) == ["demo(x: str = None)", "demo.sub(x: str = None)"]


def test_of_two_commands_the_one_that_is_started_is_the_program() -> None:
    source = """
        import click
        @click.command()
        def one(): pass
        @click.command()
        @click.argument("x")
        def two(x): pass
        if __name__ == "__main__":
            two()
        """
    assert signatures(source) == ["demo(x: str)"]


def test_a_group_in_itself_ends_somewhere() -> None:
    assert read("import click\n@click.group()\ndef a(): pass\na.add_command(a)\na()").tools == ()


def test_a_command_that_nothing_starts_is_a_problem() -> None:
    script = read("import click\n@click.command()\ndef f(): pass")
    assert script.tools == ()
    assert "nothing starts" in script.problems[0].what


TYPER = """
    from enum import Enum
    from typing import Annotated, Optional
    import typer
    app = typer.Typer()
    users = typer.Typer()
    app.add_typer(users, name="users")
    class Kind(str, Enum):
        a = "a"
        b = "b"
    @app.callback()
    def top(verbose: bool = False): pass
    @app.command()
    def hello_you(name: str, times: int = 1, loud: bool = typer.Option(False, "--loud", "-l"), kind: Kind = Kind.a):
        '''Say hello.

        Args:
            name: Who.
        '''
    @users.command("add")
    def add_user(
        names: list[str],
        tag: Annotated[Optional[list[str]], typer.Option(help="tags")] = None,
        age: int = typer.Option(..., help="years"),
        note: Annotated[str, typer.Argument()] = "x",
    ): pass
    if __name__ == "__main__":
        app()
    """


def test_typer_commands_are_read_from_their_parameters() -> None:
    assert signatures(TYPER) == [
        "demo.hello_you(name: str, times: int = 1, loud: bool = False, kind: 'a'|'b' = 'a', verbose: bool = False)",
        "demo.users_add(names: list[str], note: str = 'x', age: int, tag: Optional[list[str]] = None, "
        "verbose: bool = False)",
    ]
    hello, add = read(TYPER).tools
    assert (hello.manner, hello.target, hello.summary, hello.parameters[0].text) == (
        "click",
        "hello-you",
        "Say hello.",
        "Who.",
    )
    assert {p.name: (p.flags, p.nargs, p.level) for p in (*hello.parameters, *add.parameters[:4])} == {
        "name": ((), "", 1),
        "times": (("--times",), "", 1),
        "loud": (("--loud", "-l"), "flag", 1),
        "kind": (("--kind",), "", 1),
        "verbose": (("--verbose/--no-verbose",), "flag", 0),
        "names": ((), "+", 2),
        "note": ((), "?", 2),
        "age": (("--age",), "", 2),
        "tag": (("--tag",), "many", 2),
    }


@pytest.mark.parametrize("start", ["typer.run(main)", "app = typer.Typer()\napp.command()(main)\napp()"])
def test_a_typer_script_of_one_command_has_no_sub_command(start: str) -> None:
    source = f"import typer\ndef main(x: float, y: str = 'a'):\n    'Do it.'\n{start}"
    if "app.command" in start:
        source = "import typer\napp = typer.Typer()\n@app.command()\ndef main(x: float, y: str = 'a'): pass\napp()"
    assert signatures(source) == ["demo(x: float, y: str = 'a')"]


def test_a_typer_number_has_its_limits_and_a_prompt_says_that_nobody_answers() -> None:
    script = read(
        """
        import typer
        def main(
            n: int = typer.Option(3, min=1, max=5),
            m: float = typer.Option(1.0, max=2, clamp=True),
            who: str = typer.Option(..., prompt=True, help="Who."),
        ): pass
        typer.run(main)
        """
    )
    by_name = {parameter.name: parameter for parameter in script.tools[0].parameters}
    assert by_name["n"].schema == {"type": "integer", "minimum": 1, "maximum": 5}
    assert by_name["m"].schema == {"type": "number"}
    assert by_name["who"].required
    assert by_name["who"].text == "Who. It must be given: there is nobody to answer its prompt."
