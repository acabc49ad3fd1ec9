"""What a script does by way of another script counts as its own, at the line of the call."""

from __future__ import annotations

import pytest

from nestkit.index.registry import with_helpers
from nestkit.parse.script import parse_script

FILES = {
    "S/_pen.py": """
def jot(text):
    _put(text)

def _put(text):
    open('Notes/x.md', 'w').write(text)

def look():
    return 1
""",
    "S/lib/__init__.py": "",
    "S/lib/post.py": """
import smtplib

class Post:
    def send(self):
        smtplib.SMTP('localhost')
""",
    "S/middle.py": """
from _pen import jot

def keep(text):
    jot(text)

def round():
    from other import back
    back()
""",
    "S/other.py": """
from middle import round, keep

def back():
    round()
    keep('x')
""",
}


def found(source: str, name: str = "S/tool.py") -> dict[str, list[tuple[str, int]]]:
    """Tool -> (effect, line), of a script among the helpers above."""
    scripts = [parse_script(path, text.encode()) for path, text in {**FILES, name: source}.items()]
    (script,) = (script for script in with_helpers(scripts) if script.path == name)
    return {tool.target: [(str(effect), effect.line) for effect in tool.found] for tool in script.tools}


@pytest.mark.parametrize(
    ("source", "effects"),
    [
        ("from _pen import jot\n\ndef go():\n    jot('x')\n", [("write:Notes/x.md", 4)]),
        ("import _pen\n\ndef go():\n    return _pen.jot('x')\n", [("write:Notes/x.md", 4)]),
        (
            "import _pen as p\n\ndef go():\n    return inner()\n\ndef inner():\n    p.jot('x')\n",
            [("write:Notes/x.md", 7)],
        ),
        ("from middle import keep\n\ndef go():\n    keep('x')\n", [("write:Notes/x.md", 4)]),
        ("from other import back\n\ndef go():\n    back()\n", [("write:Notes/x.md", 4)]),
        ("from lib.post import Post\n\ndef go():\n    Post().send()\n", [("network:localhost", 4)]),
        ("import lib.post\n\ndef go():\n    lib.post.Post().send()\n", [("network:localhost", 4)]),
        ("from .lib import post\n\ndef go():\n    post.Post().send()\n", [("network:localhost", 4)]),
        ("from _pen import look\n\ndef go():\n    return look()\n", []),
        ("from _pen import jot\n\ndef go():\n    return 1\n", []),
        ("import json\n\ndef go():\n    return json.dumps(1)\n", []),
        ("from nowhere import jot\n\ndef go():\n    jot()\n", []),
        ("def go(_pen):\n    _pen.jot()\n", []),
    ],
)
def test_effects_are_followed_into_what_is_called_and_no_further(source: str, effects: list[tuple[str, int]]) -> None:
    assert found(source)["go"] == effects


def test_a_long_chain_of_scripts_is_followed_to_its_end() -> None:
    files = {f"S/m{n}.py": f"from m{n + 1} import go{n + 1}\n\ndef go{n}():\n    go{n + 1}()\n" for n in range(1500)}
    files["S/m1500.py"] = "import os\n\ndef go1500():\n    os.remove('x.md')\n"
    scripts = [parse_script(path, text.encode()) for path, text in files.items()]
    (tool,) = with_helpers(scripts)[0].tools
    assert [(str(effect), effect.line) for effect in tool.found] == [("delete:x.md", 4)]
