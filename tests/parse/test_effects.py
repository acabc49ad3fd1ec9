"""Effects found by reading the code, for each tool what it can reach and no more."""

from __future__ import annotations

from textwrap import dedent

import pytest

from nestkit.parse.script import parse_script
from nestkit.tool import Script

HEAD = """\
import asyncio, gzip, io, os, shutil, socket, subprocess, smtplib, sys, urllib.request, zipfile
import requests, webbrowser, sqlite3
import subprocess as sp
from os import environ as E, getenv, remove as rm, system
from pathlib import Path
from shutil import move
OUT = Path("Outbox") / "a"
fetch = requests.get
KEY = "API_KEY"
"""


def found(source: str) -> dict[str, list[str]]:
    script = parse_script("demo.py", source.encode())
    assert not script.problems
    return {tool.name.removeprefix("demo."): [str(effect) for effect in tool.found] for tool in script.tools}


@pytest.mark.parametrize(
    ("code", "effects"),
    [
        ('open("x.txt")', []),
        ('open("x.txt", "rb")', []),
        ('open("x.txt", "w")', ["write:x.txt"]),
        ('open(p, mode="a")', ["write"]),
        ("open(p, mode)", ["write"]),
        ('io.open(p, "x")', ["write"]),
        ('gzip.open("x.gz", "wb")', ["write:x.gz"]),
        ('Path("a", "b.md").open("r+")', ["write:a/b.md"]),
        ('z.open("member.txt")', []),
        ('zipfile.ZipFile("x.zip", "w")', ["write:x.zip"]),
        ('Path("n.md").write_text("x")', ["write:n.md"]),
        ('(OUT / "b.md").write_bytes(b"")', ["write:Outbox/a/b.md"]),
        ("(OUT / name).write_bytes(b'')", ["write"]),
        ("OUT.mkdir(parents=True)", ["write:Outbox/a"]),
        ("p.touch()", ["write"]),
        ('"a".replace("b", "c")', []),
        ("day.replace(day=1)", []),
        ("p.replace(q)", ["write"]),
        ("frame.rename({'a': 'b'})", []),
        ("p.rename(q)", ["write"]),
        ("frame.to_csv('x.csv')", ["write"]),
        ("frame.to_csv()", []),
        ("os.makedirs('a/b')", ["write:a/b"]),
        ("os.rename(a, 'b')", ["write:b"]),
        ("shutil.move(a, b)", ["write"]),
        ("move(a, b)", ["write"]),
        ("shutil.copytree(a, 'Backup')", ["write:Backup"]),
        ("sqlite3.connect('x.db')", ["write:x.db"]),
        ("p.unlink(missing_ok=True)", ["delete"]),
        ("os.remove('x')", ["delete:x"]),
        ("rm('x')", ["delete:x"]),
        ("shutil.rmtree(p)", ["delete"]),
        ("os.system('ls -l')", ["run:ls"]),
        ("system(f'git {x}')", ["run:git"]),
        ("system(f'gi{x}')", ["run"]),
        ("subprocess.run(['git', 'status'])", ["run:git"]),
        ("sp.check_output('/usr/bin/git log', shell=True)", ["run:git"]),
        ("sp.run([sys.executable, '-c', x])", ["run:python"]),
        ("sp.run(command)", ["run"]),
        ("x = sp.PIPE", []),
        ("webbrowser.open(url)", ["run"]),
        ("requests.get('https://api.example.org/x')", ["network:api.example.org"]),
        ("requests.get(f'https://api.example.org/{x}')", ["network:api.example.org"]),
        ("requests.get(f'https://api.{x}.org/')", ["network"]),
        ("requests.get('https://' + host)", ["network"]),
        ("requests.post(url='http://me@h.org:80/')", ["network:h.org:80"]),
        ("fetch(url)", ["network"]),
        ("socket.create_connection(('h.org', 80))", ["network:h.org"]),
        ("smtplib.SMTP('localhost', 25)", ["network:localhost"]),
        ("urllib.request.urlopen(url)", ["network"]),
        ("raise requests.HTTPError()", []),
        ("os.environ['A']", ["env:A"]),
        ("os.environ.get('A', '')", ["env:A"]),
        ("getenv(KEY)", ["env:API_KEY"]),
        ("E[KEY]", ["env:API_KEY"]),
        ("os.environ[name]", ["env"]),
        ("os.environ['A'] = 'b'", []),
        ("os.environ.get('VAULT_PATH') or os.environ['VAULT_PATH']", []),
        ("sp.run(x, env=os.environ)", ["env", "run"]),
        ("dict(os.environ)", ["env"]),
        ("os.environ.copy()", ["env"]),
        ("lambda: rm('x')", ["delete:x"]),
    ],
)
def test_what_code_shows(code: str, effects: list[str]) -> None:
    assert found(f"{HEAD}def f(p, q, a, b, x, name, mode):\n    {code}\n") == {"f": effects}


def test_an_effect_has_the_line_that_shows_it() -> None:
    script = parse_script("demo.py", b"def f(p):\n    if p:\n        p.unlink()\n    p.unlink()\n")
    assert [effect.line for effect in script.tools[0].found] == [3]


def test_a_writer_does_not_taint_the_readers_beside_it() -> None:
    source = """
        def write(p): p.write_text("x")
        def clear(p): p.unlink()
        def reader(p): return p.read_text()
        def both(p):
            write(p)
            return helper(p)
        def helper(p):
            for step in STEPS:
                step(p)
        STEPS = [clear]
        def by_class(p): return Keeper(p)
        class Keeper:
            def keep(self, p): write(p)
        def shadow(write): return write
        """
    assert found(dedent(source)) == {
        "write": ["write"],
        "clear": ["delete"],
        "reader": [],
        "both": ["write", "delete"],
        "helper": ["delete"],
        "by_class": ["write"],
        "shadow": [],
    }


def test_what_runs_at_import_counts_for_every_function_and_the_main_block_for_the_program_alone() -> None:
    source = """
        import os
        def log(): open("log.txt", "w")
        log()
        os.environ["A"]
        class Config:
            b = os.environ["B"]
        def reader(x: int) -> int:
            "Doc."
            return x
        if __name__ == "__main__":
            os.remove("x")
        """
    assert found(dedent(source)) == {
        "demo": ["write:log.txt", "env:A", "env:B", "delete:x"],
        "reader": ["write:log.txt", "env:A", "env:B"],
    }


def test_each_sub_command_shows_its_own_handlers_effects() -> None:
    source = """
        import argparse
        def add(args): open("db", "w")
        def show(args): print(open("db").read())
        def main():
            p = argparse.ArgumentParser()
            s = p.add_subparsers()
            s.add_parser("add").set_defaults(func=add)
            s.add_parser("show").set_defaults(func=show)
            a = p.parse_args()
            a.func(a)
        if __name__ == "__main__":
            main()
        """
    assert found(dedent(source)) == {"add": ["write:db"], "show": []}


def test_each_click_command_shows_its_own_effects_and_its_groups() -> None:
    source = """
        import click, os
        @click.group()
        def cli(): os.environ["TOKEN"]
        @cli.command()
        def add(): open("db", "w")
        @cli.command()
        def show(): print(open("db").read())
        if __name__ == "__main__":
            cli()
        """
    assert found(dedent(source)) == {"add": ["env:TOKEN", "write:db"], "show": ["env:TOKEN"]}


def test_what_is_declared_is_no_surprise() -> None:
    def undeclared(permissions: str) -> list[str]:
        block = f'"""Doc.\n---\nnest:\n  permissions: {permissions}\n---\n"""\n'
        script: Script = parse_script("demo.py", f"{block}import os\ndef f(p): p.unlink(); os.system('ls')".encode())
        return [str(effect) for effect in script.tools[0].undeclared]

    assert undeclared("[]") == ["delete", "run:ls"]
    assert undeclared("['run:ls']") == ["delete"]
    assert undeclared("['run:ls', 'delete:Trash/']") == []


@pytest.mark.parametrize(
    ("decorator", "effects"),
    [
        ("@click.option('--key', envvar='API_KEY')", ["env:API_KEY"]),
        ("@click.argument('key', envvar=['A', 'B'])", ["env:A", "env:B"]),
        ("@click.option('--key', envvar=NAMES)", ["env"]),
        ("@click.option('--key')", []),
    ],
)
def test_a_variable_that_an_option_falls_back_on_is_an_effect(decorator: str, effects: list[str]) -> None:
    source = f"import click\n@click.command()\n{decorator}\ndef main(key):\n    'Do.'\nmain()\n"
    [tool] = parse_script("02_System/a.py", source.encode()).tools
    assert [str(effect) for effect in tool.found] == effects
