"""An ask and a tool in; the values the ask mentions for it, with every other word explained, out. *Pure*."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from nestkit.planner.dates import find_spans
from nestkit.planner.language import english, root, singular
from nestkit.planner.setting import Setting
from nestkit.planner.words import phrase
from nestkit.tool import Tool

Sort = Literal["number", "day", "week", "title", "mail", "quoted", "choice", "odd"]


@dataclass(frozen=True, slots=True)
class Mention:
    """One value in the ask."""

    sort: Sort
    value: Any
    """Text; for a choice the tool's own value; for an odd one what was typed."""
    lead: str = ""
    """The preposition before it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The ask as this tool hears it, every word explained."""

    mentions: tuple[Mention, ...] = ()
    own_words: frozenset[str] = frozenset()
    """Words of the tool's name and first line that the ask uses, by their root."""


@dataclass(frozen=True, slots=True)
class OwnWords:
    """The words of one tool, by their root."""

    own: frozenset[str]
    """Of its name, first line and utterances."""
    spelled: frozenset[str]
    """The same words as they are written: for those that turn a meaning round."""
    further: frozenset[str]
    """Of its parameters and the rest of its text."""
    choices: Mapping[tuple[str, ...], Any]
    longest: int


def read_words(tool: Tool) -> OwnWords:
    """What the tool's author says, as words that can explain an ask."""
    own = _roots(tool.name.replace(".", " "), tool.summary, tool.target, *tool.utterances)
    texts = [f"{parameter.name} {parameter.text}" for parameter in tool.parameters]
    relatives = english().tools.relatives
    further = _roots(tool.text, tool.returns_text, *texts)
    further |= {root(word) for base in own & relatives.keys() for word in relatives[base]}
    choices = {phrase(str(choice)): choice for parameter in tool.parameters for choice in parameter.choices}
    longest = max(map(len, choices), default=0)
    spelled = frozenset(phrase(" ".join([tool.name.replace(".", " "), tool.summary, *tool.utterances])))
    return OwnWords(frozenset(own), spelled, frozenset(further), choices, longest)


def _roots(*texts: str) -> set[str]:
    words = {token for text in texts for token in phrase(text.replace("e-mail", "email"))}
    return {root(singular(word)) for word in words}


def hear(tool: Tool, setting: Setting) -> Iterator[Heard]:
    """Every way to take the whole ask as values and words of this tool; with at most one odd value."""
    yield from _Hearing(read_words(tool), setting).walk(0, Heard(), "")


@dataclass(frozen=True, slots=True)
class _Hearing:
    words: OwnWords
    setting: Setting

    def walk(self, place: int, heard: Heard, lead: str) -> Iterator[Heard]:
        """`lead` is a preposition that still waits for its value."""
        if place == len(self.setting.tokens):
            if not lead or self._explains(lead):
                yield heard
            return
        if self.setting.word(place) == "(":
            yield from self._aside(place, heard)
            return
        for end, mention in self._mentions(place, heard):
            yield from self.walk(end, replace(heard, mentions=(*heard.mentions, replace(mention, lead=lead))), "")
        if lead and not self._explains(lead) and self.setting.word(place) not in english().articles:
            return
        yield from self._word(place, heard, lead)

    def _word(self, place: int, heard: Heard, lead: str) -> Iterator[Heard]:
        word = self.setting.word(place)
        tools = english().tools
        if word in english().articles:
            yield from self.walk(place + 1, heard, lead)
        elif word in tools.directions or any(word in words for words, _ in tools.leads.values()):
            said = {root(word)} & self.words.own if word in tools.directions else set()
            yield from self.walk(place + 1, replace(heard, own_words=heard.own_words | said), word)
        elif word == "and" and _is_between(heard):
            yield from self.walk(place + 1, heard, "and")
        elif word and self._explains(word):
            said = {root(singular(word))} & self.words.own
            kept = frozenset() if word in tools.neutral else heard.own_words | said
            yield from self.walk(place + 1, replace(heard, own_words=kept or heard.own_words), "")

    def _explains(self, word: str) -> bool:
        """Whether the tool, or plain English, accounts for a word."""
        tools = english().tools
        base = root(singular(word))
        if word in tools.operators or word in tools.directions:
            return word in self.words.spelled
        return word in tools.neutral or base in self.words.own or (base in self.words.further and len(base) > 2)

    def _aside(self, place: int, heard: Heard) -> Iterator[Heard]:
        """Brackets may only repeat values that were given: `120 dollars in euros (USD, EUR)`."""
        said = {mention.value for mention in heard.mentions}
        place += 1
        while self.setting.word(place) != ")":
            found = next(self._choices(place), None)
            if self.setting.word(place) == ",":
                place += 1
            elif found is not None and found[1].value in said:
                place = found[0]
            else:
                return
        yield from self.walk(place + 1, heard, "")

    def _mentions(self, place: int, heard: Heard) -> Iterator[tuple[int, Mention]]:
        token = self.setting.token(place)
        if token is None:
            return
        choices = list(self._choices(place))
        yield from choices
        if token.sort == "number":
            yield place + 1, Mention("number", token.norm)
        elif token.sort in ("mail", "quoted", "week"):
            yield place + 1, Mention(token.sort, token.norm.upper() if token.sort == "week" else token.norm)
        elif token.norm in english().numbers and token.sort == "word":
            yield place + 1, Mention("number", str(english().numbers[token.norm]))
        for end, span in find_spans(self.setting.tokens, place, self.setting.today):
            if span.size == 10 and span.first == span.last:
                yield end, Mention("day", span.first)
        yield from self._titles(place)
        if not choices and self._is_odd(place) and not any(each.sort == "odd" for each in heard.mentions):
            yield place + 1, Mention("odd", self.setting.typed(place, place + 1))

    def _choices(self, place: int) -> Iterator[tuple[int, Mention]]:
        """Values that some parameter offers, in the tool's words or in common ones."""
        for end in range(min(len(self.setting.tokens), place + self.words.longest), place, -1):
            key = tuple(token.norm for token in self.setting.tokens[place:end])
            if key in self.words.choices:
                yield end, Mention("choice", self.words.choices[key])
        word = self.setting.word(place)
        spoken = english().tools.spoken.get(word) or english().tools.spoken.get(singular(word), ())
        meant = [value for value in spoken if value in self.words.choices.values()]
        if len(meant) == 1:
            yield place + 1, Mention("choice", meant[0])

    def _titles(self, place: int) -> Iterator[tuple[int, Mention]]:
        token = self.setting.tokens[place]
        if token.sort in ("date", "week"):
            return  # a daily note is called what its day is called
        titles = self.setting.terms.titles
        if token.sort == "link":
            found = (
                [token.norm]
                if token.norm in titles
                else list(self.setting.terms.title.exact.get(phrase(token.norm), ()))
            )
            if len(found) == 1:
                yield place + 1, Mention("title", titles[found[0]])
        for end, paths in self.setting.terms.title.find(self.setting.tokens, place):
            names = {titles[path] for path in paths}
            if len(names) == 1:
                yield end, Mention("title", names.pop())

    def _is_odd(self, place: int) -> bool:
        """A word where a value should be, behind a number or a preposition, for which nobody has a use."""
        word = self.setting.word(place)
        if len(word) < 2 or self._explains(word) or word in english().function_words or place == 0:
            return False
        before = self.setting.tokens[place - 1]
        leads = [words for words, _ in english().tools.leads.values()]
        return before.sort == "number" or any(before.norm in words for words in leads)


def _is_between(heard: Heard) -> bool:
    return bool(heard.mentions) and heard.mentions[-1].lead == "between"
