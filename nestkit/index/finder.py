"""Tools and what is said of them in; those that fit an ask, best first, out. *Pure*, no model, the same every time.

Okapi BM25 over weighted fields. Every word of an ask counts once, by its best match: itself, or a word that people
exchange for it (`words.toml`).

**Source**: BM25F, Robertson & Zaragoza, "The Probabilistic Relevance Framework", 2009.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nestkit.tool import Tool
from nestkit.visible import normal_form

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SIGN = re.compile(r"[^\w\s]")
_DATE = re.compile(r"\b\d{4}-\d\d(-\d\d)?\b")
_K1, _B = 1.2, 0.75
_SUPPLIER = 0.5
"""What a tool counts for what it could give to the best one."""
_REPEATED = 0.75
"""What a tool counts for each one before it that shares the very same words with the ask."""

WEIGHTS: Mapping[str, float] = {
    "name": 3.0,
    "utterances": 4.0,
    "summary": 2.5,
    "text": 1.2,
    "parameters": 1.0,
    "returns": 0.8,
    "script": 1.5,
    "mentions": 1.2,
    "code": 0.6,
}
"""Where a word stands -> how much it says of what a tool is for."""


@dataclass(frozen=True, slots=True)
class Words:
    """What `words.toml` holds, every word in its stem."""

    stop: frozenset[str]
    """As they are written."""
    near: Mapping[str, Mapping[str, float]]
    """Stem -> the stems that stand for it, with what they count."""
    cues: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    """(words in a row, the stems they hint at)."""
    cue: float
    signs: Mapping[str, tuple[str, ...]]
    """A sign that is a word, `€` -> stems."""


class Finder:
    """The tools of a vault, ready to be asked for."""

    def __init__(self, tools: Sequence[Tool], said: Mapping[str, Iterable[str]] | None = None) -> None:
        """`said`: script path -> texts of notes that speak of it."""
        self._tools = [tool for tool in tools if not tool.hidden]
        of_script = {path: "\n".join(texts) for path, texts in (said or {}).items()}
        bags = [_bag(tool, of_script.get(tool.script, "")) for tool in self._tools]
        mean = sum(sum(bag.values()) for bag in bags) / max(1, len(bags))
        found: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for number, bag in enumerate(bags):
            length = _K1 * (1 - _B + _B * sum(bag.values()) / max(1.0, mean))
            for stem, weight in bag.items():
                found[stem].append((number, weight * (_K1 + 1) / (weight + length)))
        self._postings = {
            stem: [(number, weight * _rarity(len(places), len(bags))) for number, weight in places]
            for stem, places in found.items()
        }

    def find(self, text: str, limit: int = 8) -> list[Tool]:
        """The tools that fit a description, best first; those that fit alike by name.

        Of many that share nothing with the ask but the same words, each further one counts less: eight tools that all
        say `person` tell no more than two.
        """
        scores, shared = self._scores(meanings(text))
        ranked = sorted(scores, key=lambda number: (-scores[number], self._tools[number].name))
        if ranked:
            self._add_suppliers(ranked[0], scores, shared)
            ranked = sorted(scores, key=lambda number: (-scores[number], self._tools[number].name))
        return [self._tools[number] for number in _spread(ranked, scores, shared, limit)]

    def _scores(self, meant: Iterable[Mapping[str, float]]) -> tuple[dict[int, float], dict[int, dict[str, float]]]:
        """Number of a tool -> its score, and the stems it has it from.

        Each word of the ask counts by its best match, and each word of a tool once: `EUR` and `USD` both hint at a
        currency, which is one hint.
        """
        shared: dict[int, dict[str, float]] = defaultdict(dict)
        for word in meant:
            best: dict[int, tuple[float, str]] = {}
            for each, weight in word.items():
                for number, score in self._postings.get(each, ()):
                    best[number] = max(best.get(number, (0.0, "")), (weight * score, each))
            for number, (score, each) in best.items():
                shared[number][each] = max(shared[number].get(each, 0.0), score)
        return {number: sum(stems.values()) for number, stems in shared.items()}, shared

    def _add_suppliers(self, first: int, scores: dict[int, float], shared: dict[int, dict[str, float]]) -> None:
        """Let tools count that speak of what the best tool must be given: it may have to come from them."""
        needed = [f"{p.name} {p.text}" for p in self._tools[first].parameters if p.required]
        for meant in map(meanings, needed):
            found, _ = self._scores(meant)
            supplier = max(
                (n for n in found if n != first), key=lambda n: (found[n], self._tools[n].name), default=None
            )
            if supplier is not None:
                raised = scores.get(supplier, 0.0) + _SUPPLIER * found[supplier]
                scores[supplier] = min(raised, 0.99 * scores[first])  # it serves the best one, it is not it
                shared[supplier]["supplies"] = 0.0


def _spread(
    ranked: Sequence[int], scores: Mapping[int, float], shared: Mapping[int, Mapping[str, float]], limit: int
) -> list[int]:
    """The best of a ranking, each counting less the more of the same evidence were taken before it."""
    waiting: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for number in ranked:
        if len(alike := waiting[tuple(sorted(shared[number]))]) < limit:
            alike.append(number)
    offers = [
        (-scores[number] * _REPEATED**place, order, number)
        for order, alike in enumerate(waiting.values())
        for place, number in enumerate(alike)
    ]
    return [number for _, _, number in sorted(offers)[:limit]]


def meanings(text: str) -> list[dict[str, float]]:
    """For each word of an ask that says something: the stems that it may stand as in a tool, with what they count."""
    words = load_words()
    spoken = [word.lower() for word in _parts(text)]
    meant = {stem: {**words.near.get(stem, {}), stem: 1.0} for stem in _stems(text, words.stop)}
    for sign in set(_SIGN.findall(text)) & words.signs.keys():
        meant.setdefault(sign, dict.fromkeys(words.signs[sign], 1.0))
    if _DATE.search(text):
        meant.setdefault("a date", {stem("date"): words.cue, stem("day"): words.cue})
    for row, hints in words.cues:
        if any(tuple(spoken[at : at + len(row)]) == row for at in range(len(spoken))):
            meant.setdefault(" ".join(row), dict.fromkeys(hints, words.cue))
    return list(meant.values())


def _bag(tool: Tool, said: str) -> dict[str, float]:
    """The stems of what a tool says of itself, each with its weight."""
    parameters = (f"{p.name} {p.text} {' '.join(map(str, p.choices))}" for p in tool.parameters)
    texts = {
        "name": tool.short if tool.target or tool.manner == "function" else tool.name,
        "utterances": " ".join(tool.utterances),
        "summary": tool.summary,
        "text": tool.text.removeprefix(tool.summary),
        "parameters": " ".join(parameters),
        "returns": tool.returns_text,
        "script": tool.script.rpartition("/")[2].partition(".")[0],
        "mentions": said,
        "code": tool.words,
    }
    stop = load_words().stop
    bag: dict[str, float] = defaultdict(float)
    for field, text in texts.items():
        for stem in _stems(text, stop):
            bag[stem] += WEIGHTS[field]
    return bag


def _rarity(seen_in: int, size: int) -> float:
    return math.log(1 + (size - seen_in + 0.5) / (seen_in + 0.5))


def _stems(text: str, stop: frozenset[str]) -> Iterator[str]:
    return (stem(word) for part in _parts(text) if len(word := part.lower()) > 1 and word not in stop)


def _parts(text: str) -> list[str]:
    """Words; `snake_case` and `CamelCase` fall apart."""
    return _WORD.findall(_CAMEL.sub(" ", normal_form("NFKC", text)))


@cache
def stem(word: str) -> str:
    """A word less what grammar put on it: irregular forms by table, regular endings by rule."""
    word = _forms().get(word, word)
    if len(word) < 4 or not word.isascii():
        return word
    for ending in ("ings", "ing", "ed", "es", "s"):
        base = word.removesuffix(ending)
        if base == word or len(base) < 3 or (ending == "s" and base.endswith(("s", "u", "i"))):
            continue
        if ending in ("ing", "ings", "ed") and not set("aeiouy") & set(base):
            continue
        word = base
        if ending != "s" and len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
            word = word[:-1]  # running -> run
        break
    if len(word) < 4:
        return word
    return word[:-1] + "i" if word[-1] == "y" and word[-2] not in "aeiou" else word.removesuffix("e")


@cache
def _table() -> Mapping[str, Mapping[str, object]]:
    import tomllib  # late: few commands look for tools

    table: Mapping[str, Mapping[str, object]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
    return table


@cache
def _forms() -> dict[str, str]:
    return {form: str(base) for form, base in _table()["forms"].items()}


@cache
def load_words() -> Words:
    """The table of words, once."""
    table = _table()
    group, cue = (float(str(table["weights"][name])) for name in ("group", "cue"))
    near: dict[str, dict[str, float]] = defaultdict(dict)
    lists = table["groups"]["lists"]
    assert isinstance(lists, list)
    for words in lists:
        stems = list(dict.fromkeys(map(stem, words.split())))
        for each in stems:
            near[each] |= dict.fromkeys(stems, group)
    cues = tuple((tuple(ask.split()), tuple(map(stem, str(hints).split()))) for ask, hints in table["cues"].items())
    signs = {sign: tuple(map(stem, str(said).split())) for sign, said in table["signs"].items()}
    return Words(frozenset(str(table["stop"]["words"]).split()), dict(near), cues, cue, signs)
