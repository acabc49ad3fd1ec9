"""What is told of a tool, whole and in one line."""

from __future__ import annotations

from textwrap import dedent

from nestkit.parse.script import parse_script
from nestkit.parse.tool_text import draft_tool, draft_tool_line

SOURCE = '''
"""Rates.

---
nest:
  permissions: ["network:rates.example.org"]
  confirm: always
  utterances: ["{amount} in {target}"]
  examples: [{call: "convert(1)", result: 1.1}]
---
"""
# /// script
# dependencies = ["rich"]
# ///
from typing import Literal


def convert(amount: float, target: Literal["EUR", "USD"] = "EUR", *extra: str) -> float:
    """Convert money.

    Rates change
    each month.

    Args:
        amount: How much.

    Returns:
        Rounded to cents.
    """
    open(f"{amount}.log", "w")
'''
WHOLE = """\
fx.convert(amount: float, target: 'EUR'|'USD' = 'EUR', *extra: str) -> float

Convert money.

Rates change
each month.

Parameters:
  amount (float): How much.
  target ('EUR' or 'USD', default 'EUR')
  extra (str)

Returns:
  Rounded to cents.

Effects:
  network:rates.example.org
  write (seen in line 29, not declared)
  a person is asked before every call

Asked as:
  {amount} in {target}

Examples:
  convert(1) -> 1.1

Needs:
  rich

In 02_System/fx.py, line 17."""


def test_a_tool_is_told_whole() -> None:
    script = parse_script("02_System/fx.py", SOURCE.lstrip("\n").encode())
    assert script.problems == ()
    assert draft_tool(script.tools[0], script) == WHOLE


def test_a_tool_is_told_in_one_line() -> None:
    script = parse_script("02_System/fx.py", SOURCE.encode())
    line = "fx.convert(amount: float, target: 'EUR'|'USD' = 'EUR', *extra: str) -> float # Convert money."
    assert draft_tool_line(script.tools[0]) == line


def test_flags_of_a_command_line_are_told() -> None:
    source = dedent(
        """
        import argparse
        p = argparse.ArgumentParser(description="Count.")
        p.add_argument("-n", "--lines", action="store_true", help="lines only")
        p.parse_args()
        """
    )
    script = parse_script("wc.py", source.encode())
    assert "  lines (bool, default False, -n, --lines): lines only" in draft_tool(script.tools[0], script)
