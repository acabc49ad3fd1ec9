"""Parameters of functions: their kinds, types, schemas and texts, as far as the source says."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from nestkit.parse.script import parse_script
from nestkit.tool import Tool

HEAD = """
from __future__ import annotations
import datetime as dt, enum, typing as t
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Annotated, Dict, List, Literal, NamedTuple, NewType, Optional, TypedDict, Union
Currency = Literal["EUR", "USD"]
Names = list[str]
Id = NewType("Id", int)
class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"
class Auto(enum.Enum):
    ONE = enum.auto()
    TWO = enum.auto()
@dataclass
class Invoice:
    number: str
    amount: float
    paid: bool = False
class Paid(Invoice):
    day: date
class Score(NamedTuple):
    value: float
    level: Level
class Row(TypedDict):
    id: Id
Tree = dict[str, "Tree"]
LIMIT = 20
"""


def tool(source: str) -> Tool:
    return parse_script("demo.py", (HEAD + dedent(source)).encode()).tools[-1]


def schema(hint: str) -> dict[str, Any]:
    return dict(tool(f"def f(x: {hint}): pass").parameters[0].schema)


STRING, INTEGER, NUMBER, NULL = ({"type": kind} for kind in ("string", "integer", "number", "null"))
INVOICE = {
    "type": "object",
    "properties": {"number": STRING, "amount": NUMBER, "paid": {"type": "boolean"}},
    "required": ["number", "amount"],
}


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("'list['", {}),
        ("str", STRING),
        ("int", INTEGER),
        ("float", NUMBER),
        ("bool", {"type": "boolean"}),
        ("None", NULL),
        ("Any", {}),
        ("object", {}),
        ("Unheard", {}),
        ("date", {"type": "string", "format": "date"}),
        ("dt.date", {"type": "string", "format": "date"}),
        ("dt.datetime", {"type": "string", "format": "date-time"}),
        ("Path", {"type": "string", "format": "path"}),
        ("Decimal", {"type": "number", "format": "decimal"}),
        ("list", {"type": "array"}),
        ("list[str]", {"type": "array", "items": STRING}),
        ("List[int]", {"type": "array", "items": INTEGER}),
        ("t.Sequence[float]", {"type": "array", "items": NUMBER}),
        ("set[str]", {"type": "array", "uniqueItems": True, "items": STRING}),
        ("tuple[int, ...]", {"type": "array", "items": INTEGER}),
        ("tuple[int, str]", {"type": "array", "prefixItems": [INTEGER, STRING], "minItems": 2, "maxItems": 2}),
        ("dict", {"type": "object"}),
        ("Dict[str, int]", {"type": "object", "additionalProperties": INTEGER}),
        ("Optional[str]", {"anyOf": [STRING, NULL]}),
        ("str | None", {"anyOf": [STRING, NULL]}),
        ("Union[str, int, str]", {"anyOf": [STRING, INTEGER]}),
        ("str | Unheard", {}),
        ("Literal['a', 'b']", {"type": "string", "enum": ["a", "b"]}),
        ("Literal[1, 'a', None]", {"enum": [1, "a", None]}),
        ("Literal['a'] | None", {"enum": ["a", None]}),
        ("Optional[Literal['a', 'b']]", {"enum": ["a", "b", None]}),
        ("Currency", {"type": "string", "enum": ["EUR", "USD"]}),
        ("list[Currency]", {"type": "array", "items": {"type": "string", "enum": ["EUR", "USD"]}}),
        ("Names", {"type": "array", "items": STRING}),
        ("Id", INTEGER),
        ("Level", {"type": "string", "enum": ["low", "high"]}),
        ("Auto", {"type": "string", "enum": ["ONE", "TWO"]}),
        ("Invoice", INVOICE),
        (
            "Paid",
            {
                "type": "object",
                "properties": {**INVOICE["properties"], "day": {"type": "string", "format": "date"}},
                "required": ["number", "amount", "day"],
            },
        ),
        ("Row", {"type": "object", "properties": {"id": INTEGER}, "required": ["id"]}),
        ("Annotated[int, 'of days']", INTEGER),
        ("'list[int]'", {"type": "array", "items": INTEGER}),
        ("Tree", {"type": "object"}),
    ],
)
def test_a_hint_becomes_a_schema(hint: str, expected: dict[str, Any]) -> None:
    assert schema(hint) == expected


@pytest.mark.parametrize(
    ("default", "kind", "expected", "shown"),
    [
        ("True", "bool", {"type": "boolean"}, "True"),
        ("3", "int", NUMBER, "3"),
        ("-1", "int", NUMBER, "-1"),
        ("1.5", "float", NUMBER, "1.5"),
        ("'a'", "str", STRING, "'a'"),
        ('"a"', "str", STRING, "'a'"),
        ("[]", "list", {"type": "array"}, "[]"),
        ("()", "tuple", {"type": "array"}, "()"),
        ("{}", "dict", {"type": "object"}, "{}"),
        ("None", "", {}, "None"),
        ("LIMIT", "", {}, "20"),
        ("print('x')", "", {}, "print('x')"),
        ("[" + "1, " * 100 + "]", "list", {"type": "array"}, "..."),
    ],
)
def test_a_default_shows_the_type_where_nothing_else_does(
    default: str, kind: str, expected: dict[str, Any], shown: str
) -> None:
    [parameter] = tool(f"def f(x={default}): pass").parameters
    assert (parameter.type, dict(parameter.schema), parameter.default) == (kind, expected, shown)
    assert not parameter.required


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("str", STRING),
        ("string", STRING),
        ("integer, optional", INTEGER),
        ("int or None", {"anyOf": [INTEGER, NULL]}),
        ("list of str", {"type": "array", "items": STRING}),
        ("list of str, optional", {"type": "array", "items": STRING}),
        ("list of dicts", {"type": "array", "items": {"type": "object"}}),
        ("dict of str to int", {"type": "object"}),
        ("{'a', 'b'}", {"type": "string", "enum": ["a", "b"]}),
        ("{'a', 'b'}, default 'a'", {"type": "string", "enum": ["a", "b"]}),
        ("List[int]", {"type": "array", "items": INTEGER}),
        ("bool, default: True", {"type": "boolean"}),
        (":class:`pathlib.Path`", {"type": "string", "format": "path"}),
        ("Currency", {"type": "string", "enum": ["EUR", "USD"]}),
        ("a thing of beauty", {}),
    ],
)
def test_a_docstrings_type_becomes_a_schema(words: str, expected: dict[str, Any]) -> None:
    [parameter] = tool(
        f'def f(x):\n    """Do.\n\n    Parameters\n    ----------\n    x : {words}\n        It.\n    """'
    ).parameters
    assert dict(parameter.schema) == expected
    assert parameter.type == words.split(", ")[0] or "{" in words


def test_a_hint_counts_more_than_the_docstring_and_that_more_than_the_default() -> None:
    found = tool(
        '''
        def f(a: int = "x", b="x", c=1):
            """Do.

            Args:
                a (str): One.
                b (float): Two.
                c: Three.
            """
        '''
    )
    assert [(p.type, p.text) for p in found.parameters] == [("int", "One."), ("float", "Two."), ("int", "Three.")]


def test_none_as_a_default_may_be_given_too() -> None:
    [parameter] = tool("def f(x: int = None): pass").parameters
    assert dict(parameter.schema) == {"anyOf": [INTEGER, NULL]}


def test_every_kind_of_parameter_is_known() -> None:
    found = tool("def f(a, /, b, *rest: int, c, d=1, **more: str): pass").parameters
    assert [(p.name, p.kind, p.required) for p in found] == [
        ("a", "positional", True),
        ("b", "either", True),
        ("rest", "rest", False),
        ("c", "keyword", True),
        ("d", "keyword", False),
        ("more", "options", False),
    ]
    assert dict(found[2].schema) == {"type": "array", "items": INTEGER}
    assert dict(found[5].schema) == {"type": "object", "additionalProperties": STRING}


def test_a_parameter_that_begins_with_an_underscore_and_fills_itself_is_not_part_of_the_tool() -> None:
    found = tool("def f(a, _b, _c=1, *_rest, _d=None, **_more): pass").parameters
    assert [parameter.name for parameter in found] == ["a", "_b"]


def test_async_functions_are_known() -> None:
    assert tool("async def f(): pass").is_async


@pytest.mark.parametrize(
    ("hint", "returns", "text"),
    [
        ("Names", "list[str]", ""),
        ("Invoice", "Invoice", "Invoice has number (str), amount (float), paid (bool)."),
        ("list[Row]", "list[Row]", "Row has id (Id)."),
        ("'Score | None'", "Score | None", "Score has value (float), level (Level).\nLevel is one of 'low', 'high'."),
        ("Level", "Level", "Level is one of 'low', 'high'."),
        ("Pair", "Pair", "Pair has x, y."),
        ("Typed", "Typed", "Typed has a (int)."),
        ("Unheard", "Unheard", ""),
    ],
)
def test_records_that_come_back_are_described_field_by_field(hint: str, returns: str, text: str) -> None:
    found = tool(
        f"""
        import collections
        Pair = collections.namedtuple("Pair", "x, y")
        Typed = NamedTuple("Typed", [("a", int)])
        def f() -> {hint}: pass
        """
    )
    assert (found.returns, found.returns_text) == (returns, text)


def test_what_the_docstring_says_of_the_result_comes_first() -> None:
    found = tool('def f() -> Score:\n    """Do.\n\n    Returns:\n        Score: how bad it is.\n    """')
    assert found.returns_text.startswith("how bad it is.\nScore has value (float), level (Level).\n")
    assert found.text == "Do."


def test_a_default_out_of_the_files_own_enum_is_shown_by_its_value() -> None:
    script = parse_script("demo.py", b"import enum\nclass K(enum.Enum):\n    A = 'a'\ndef f(x: K = K.A): pass")
    assert script.tools[0].signature == "demo.f(x: 'a' = 'a')"


def test_a_lambda_and_a_partial_are_no_tools_and_say_why() -> None:
    script = parse_script(
        "demo.py", b"from functools import partial\nf = lambda x: x\ng = partial(print, 1)\n_h = lambda: 1"
    )
    assert [name for name, _ in script.others] == ["f", "g"]
    assert ["lambda" in script.others[0][1], "partial" in script.others[1][1]] == [True, True]


def test_a_record_that_only_the_docstring_names_is_described_too() -> None:
    found = tool('def f():\n    """Do.\n\n    Returns\n    -------\n    Invoice\n        What is owed.\n    """')
    assert found.returns_text == "What is owed.\nInvoice has number (str), amount (float), paid (bool)."
