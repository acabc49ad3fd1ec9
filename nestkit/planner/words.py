"""An ask as typed in, its tokens out. *Pure*."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nestkit.visible import normal_form

Sort = Literal["word", "number", "date", "week", "quoted", "tag", "link", "mail", "sign"]


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number, date, quotation or sign of an ask."""

    norm: str
    """How it is compared: NFC, case folded; what stands inside quotes or brackets, without them."""
    sort: Sort
    start: int = 0
    """Where it stands in the ask."""
    end: int = 0


_TOKEN = re.compile(
    r"""
      (?P<quoted> "[^"]+" | “[^”]+” | „[^“”]+[“”] | «[^»]+» | (?<!\w)'[^']+'(?!\w) | (?<!\w)‘[^’]+’(?!\w) )
    | (?P<link>   \[\[[^\[\]]+\]\] | [^\s"“”]+/[^\s"“”]+\.md\b )
    | (?P<mail>   [\w.+-]+@[\w-]+(?:\.[\w-]+)+ )
    | (?P<tag>    \#[^\W\d_][\w/-]* | \#\w*[^\W\d][\w/-]* )
    | (?P<week>   \d{4}-[Ww]\d{2}(?!\w) )
    | (?P<date>   \d{4}-\d{2}(?:-\d{2})?(?![\w-]) )
    | (?P<number> (?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?k?(?![\w]) )
    | (?P<word>   '[a-z]{1,2}(?!\w) | ’[a-z]{1,2}(?!\w) | [^\W_]+ )
    | (?P<sign>   >= | <= | != | [^\s] )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CONTRACTED = re.compile(r"(?i)\b(\w+)n['’]t\b")
_SHORT = {"ca": "can", "wo": "will", "sha": "shall"}
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_CLOSING = frozenset("?!.")


def tokenise(text: str) -> tuple[Token, ...]:
    """The tokens of an ask, in order; signs that only end a sentence are left out at the end.

    Hyphens and underscores only separate words, so that `on-hold` and `on hold` are the same two; `don't` is two words.
    """
    text = normal_form("NFC", text)
    found: list[Token] = []
    for hit in _TOKEN.finditer(text):
        found += _tokens(hit)
    while found and found[-1].norm in _CLOSING:
        found.pop()
    return tuple(found)


def phrase(text: str) -> tuple[str, ...]:
    """A name or value of the vault as the norms an ask would hold for it."""
    return tuple(token.norm for token in tokenise(text))


def typed(text: str, tokens: Sequence[Token]) -> str:
    """The part of the ask that these tokens stand for, as typed."""
    return normal_form("NFC", text)[tokens[0].start : tokens[-1].end] if tokens else ""


def _tokens(hit: re.Match[str]) -> list[Token]:
    sort: Sort = hit.lastgroup  # type: ignore[assignment]  # the groups are named for the sorts
    norm, start, end = hit[0].casefold(), hit.start(), hit.end()
    if sort == "sign" and norm in "-_":
        return []
    if sort == "quoted":
        return [Token(hit[0][1:-1].strip(), sort, start, end)]
    if sort == "link":
        norm = hit[0].strip("[]").partition("|")[0].partition("#")[0].strip()
    elif sort == "tag":
        norm = norm[1:].rstrip("/")
    elif sort == "number":
        norm = _number(norm)
    elif sort == "word" and (ordinal := _ORDINAL.fullmatch(norm)):
        norm, sort = ordinal[1], "number"
    elif sort == "word":
        norm = norm.replace("’", "'")
    return [Token(norm, sort, start, end)]


def _number(norm: str) -> str:
    plain = norm.replace(",", "")
    if not plain.endswith("k"):
        return plain
    return f"{float(plain[:-1]) * 1000:g}"


def expand(text: str) -> str:
    """The ask with `isn't` as `is not` and `e-mail` as `email`."""

    def spelled(hit: re.Match[str]) -> str:
        return f"{_SHORT.get(hit[1].lower(), hit[1])} not"

    text = _CONTRACTED.sub(spelled, normal_form("NFC", text))
    return re.sub(r"(?i)\be-mail", "email", text)
