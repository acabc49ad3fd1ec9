"""What agents are compared on: asks, a model's turns, programs with what they should answer. *Pure*."""

from __future__ import annotations

from typing import Any, NamedTuple

SCRIPT = '''"""Invoices and money."""


def find_invoices(paid: bool = False) -> list[dict]:
    """Find invoices.

    Args:
        paid: Whether they are paid.
    """
    rows = [("INV-1", 250.0, "GBP", True), ("INV-2", 100.0, "USD", False), ("INV-3", 400.0, "GBP", False)]
    return [{"number": n, "amount": a, "currency": c, "paid": p} for n, a, c, p in rows if p == paid]


def convert(amount: float, source: str, target: str = "EUR") -> float:
    """Convert an amount of money.

    Args:
        amount: How much.
        source: Currency it is in.
        target: Currency wanted.
    """
    rates = {"EUR": 1.0, "GBP": 0.85, "USD": 1.1}
    return round(amount / rates[source] * rates[target], 2)
'''


class Conversation(NamedTuple):
    """What a model says, turn by turn, and the right answer."""

    name: str
    ask: str
    programs: tuple[str, ...]
    answer: Any


CONVERSATIONS = (
    Conversation(
        "two tools in a loop",
        "How much is outstanding in EUR?",
        (
            "total = 0\nfor i in find_invoices(paid=False):\n    total += convert(i['amount'], i['currency'])\n"
            "final_answer(round(total, 2))",
        ),
        561.5,
    ),
    Conversation(
        "a wrong argument, mended",
        "Convert 250 GBP to EUR",
        (
            "final_answer(convert(250, from_currency='GBP'))",
            "final_answer(convert(250, source='GBP', target='EUR'))",
        ),
        294.12,
    ),
    Conversation(
        "four looks, then the answer",
        "Which open invoice is the largest?",
        (
            "rows = find_invoices()\nprint(len(rows))",
            "print(rows[0])",
            "print(rows[-1])",
            "print([r['number'] for r in rows])",
            "final_answer(max(rows, key=lambda r: convert(r['amount'], r['currency']))['number'])",
        ),
        "INV-3",
    ),
)

ENDLESS = {
    "`while True: pass`": "while True:\n    pass",
    "a sum over 10**8": "print(sum(i * i for i in range(10**8)))",
}
"""Programs that should be stopped at the limit."""
LOOKS = tuple(f"print({number})" for number in range(12))
CLOSING = "Based on everything I have seen, the answer is 42."
"""What the model says when it is asked for closing words."""

PROGRAMS: dict[str, tuple[str, Any]] = {
    "match": ("match 3:\n    case 3:\n        x = 'three'\nfinal_answer(x)", "three"),
    "walrus": ("if (n := 5) > 3:\n    final_answer(n)", 5),
    "unpacking into a dict": ("final_answer({**{'a': 1}, 'b': 2})", {"a": 1, "b": 2}),
    "generator function": ("def g():\n    yield 1\n    yield 2\nfinal_answer(list(g()))", [1, 2]),
    "nonlocal": (
        "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n    g()\n    return n\n"
        "final_answer(f())",
        1,
    ),
    "else of a loop": (
        "found = 'no'\nfor i in range(3):\n    pass\nelse:\n    found = 'else'\nfinal_answer(found)",
        "else",
    ),
    "dataclass": ("from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nfinal_answer(A(3).x)", 3),
    "super": (
        "class A:\n    def f(self): return 1\nclass B(A):\n    def f(self): return super().f() + 1\n"
        "final_answer(B().f())",
        2,
    ),
    "json": ("import json\nfinal_answer(json.loads('[1, 2]'))", [1, 2]),
    "csv": ("import csv, io\nfinal_answer(list(csv.reader(io.StringIO('a,b'))))", [["a", "b"]]),
    "collections": ("from collections import Counter\nfinal_answer(Counter('aab')['a'])", 2),
    "print with sep": ("print(1, 2, sep='-')\nfinal_answer('ok')", "ok"),
    "frozenset": ("final_answer(len(frozenset([1, 1, 2])))", 2),
    "keyword lambda": ("f = lambda **k: sorted(k)\nfinal_answer(f(b=1, a=2))", ["a", "b"]),
    "set comprehension": ("final_answer(sorted({x % 3 for x in range(9)}))", [0, 1, 2]),
    "try and finally": (
        "x = []\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    x.append('e')\nfinally:\n    x.append('f')\n"
        "final_answer(x)",
        ["e", "f"],
    ),
}
"""Name -> a program of plain Python, and what it should answer. Most are of kinds that interpreters of their own leave
out: what is counted is which of these run, not how often models write them."""


def turn(program: str) -> dict[str, Any]:
    """A model's reply with this program, in the tags that smolagents asks for and nest takes too."""
    return {"role": "assistant", "content": f"Thought: I go on.\n<code>\n{program}\n</code>"}
