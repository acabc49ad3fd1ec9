"""Days as people write them, in; ISO days, months and years, out. The clock is handed in. *Pure*."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from nestkit.planner.language import english
from nestkit.planner.words import Token


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of days, both ends included, as ISO text of one size."""

    first: str
    last: str
    ahead: bool = False
    """A month without its year that has not begun: this year's for what is due, anyone's guess for all else."""
    near: bool = False
    """Said by today and not by its year: of a birthday, any year's may be meant."""

    @property
    def size(self) -> int:
        """4 for years, 7 for months, 10 for days: how much of a day's text must be compared."""
        return len(self.first)

    @property
    def days(self) -> tuple[str, str]:
        """The same as first and last day."""
        return _first_day(self.first), _last_day(self.last)


def find_spans(tokens: Sequence[Token], start: int, today: date) -> Iterator[tuple[int, Span]]:
    """(end, span) of each way to read days here, the longest first."""
    found = {end: span for end, span in _spans(tokens, start, today) if span is not None}
    for end, span in sorted(found.items(), key=lambda item: -item[0]):
        yield end, replace(span, near=not any(_YEAR.search(token.norm) for token in tokens[start:end]))


_YEAR = re.compile(r"\d{4}")


def single(day: date) -> Span:
    return Span(day.isoformat(), day.isoformat())


_RELATIVE = {"yesterday": -1, "today": 0, "tomorrow": 1}


def _spans(tokens: Sequence[Token], start: int, today: date) -> Iterator[tuple[int, Span | None]]:
    if start >= len(tokens):
        return
    first = tokens[start]
    if first.sort == "date":
        yield start + 1, _iso(first.norm)
    elif first.sort == "word" and (decade := re.fullmatch(r"((?:18|19|20)\d)0s", first.norm)):
        yield start + 1, Span(f"{decade[1]}0", f"{decade[1]}9")
    elif first.sort == "week":
        yield start + 1, _week(first.norm)
    elif first.sort == "number":
        yield from _numbered(tokens, start, today)
    elif first.norm in _RELATIVE and first.sort == "word":
        yield start + 1, single(today + timedelta(days=_RELATIVE[first.norm]))
    elif first.sort == "word":
        yield from _named(tokens, start, today)


def _iso(text: str) -> Span | None:
    try:
        date.fromisoformat(text if len(text) == 10 else f"{text}-01")
    except ValueError:
        return None
    return Span(text, text)


def _week(text: str) -> Span | None:
    year, number = int(text[:4]), int(text[6:])
    try:
        monday = date.fromisocalendar(year, number, 1)
    except ValueError:
        return None
    return Span(monday.isoformat(), (monday + timedelta(days=6)).isoformat())


def _numbered(tokens: Sequence[Token], start: int, today: date) -> Iterator[tuple[int, Span | None]]:
    """A year; `12 March 2026`, `the 12th of March`; `9 to 15 March 2026`."""
    if re.fullmatch(r"(1[5-9]|20)\d\d", tokens[start].norm):
        yield start + 1, Span(tokens[start].norm, tokens[start].norm)
    norms = [token.norm for token in tokens[start : start + 7]]
    text = " ".join(norms)
    months = "|".join((*english().months, *(month[:3] for month in english().months), "sept"))
    one = re.match(rf"(\d\d?)(?: (?:of|st|nd|rd|th))* ({months})( \d{{4}})?(?= |$)", text)
    if one:
        yield (
            start + len(one[0].split()),
            _day(one[3].strip(), one[2], one[1])
            if one[3]
            else _this_year(_day(str(today.year), one[2], one[1]), today),
        )
    two = re.match(rf"(\d\d?) (?:to|until|till|–) (\d\d?) ({months}) (\d{{4}})(?= |$)", text)
    if two:
        low, high = _day(two[4], two[3], two[1]), _day(two[4], two[3], two[2])
        yield start + len(two[0].split()), low and high and Span(low.first, high.last)


def _day(year: str, month: str, day: str) -> Span | None:
    return _iso(f"{year}-{_month_number(month):02}-{int(day):02}")


def _this_year(day: Span | None, today: date) -> Span | None:
    """A day without its year, as a month without its year is taken."""
    return day and replace(day, ahead=day.first > today.isoformat())


def _month_number(word: str) -> int:
    """1 to 12 of a month's name or its first three letters; 0 for other words."""
    for number, month in enumerate(english().months, start=1):
        if word == month or (len(word) in (3, 4) and month.startswith(word[:3]) and word in (month[:3], "sept")):
            return number
    return 0


def _named(tokens: Sequence[Token], start: int, today: date) -> Iterator[tuple[int, Span | None]]:
    norms = [token.norm for token in tokens[start : start + 5]] + [""] * 5
    number = _month_number(norms[0])
    if number:
        yield from _month(norms, start, number, today)
    if norms[0] in ("this", "current", "last", "previous", "next"):
        yield start + 2, _unit(norms[0], norms[1], today)
    if norms[0] in ("last", "past", "next", "coming", "previous"):
        count = _count(norms[1])
        if count and norms[2]:
            yield start + 3, _many(norms[0], count, norms[2].rstrip("s"), today)
    if norms[0] in _QUARTERS and norms[1] == "quarter":
        rest = 3 if norms[2] == "of" else 2
        if re.fullmatch(r"\d{4}", norms[rest]):
            yield start + rest + 1, _quarter(norms[rest], _QUARTERS.index(norms[0]) + 1)
    if re.fullmatch(r"q[1-4]", norms[0]) and re.fullmatch(r"\d{4}", norms[1]):
        yield start + 2, _quarter(norms[1], int(norms[0][1]))


_QUARTERS = ("first", "second", "third", "fourth")


def _quarter(year: str, number: int) -> Span:
    return Span(f"{year}-{3 * number - 2:02}", f"{year}-{3 * number:02}")


def _month(norms: list[str], start: int, number: int, today: date) -> Iterator[tuple[int, Span | None]]:
    """`March 2026`, `March 12, 2026`; a month alone is this year's."""
    after = [norm for norm in norms[1:5] if norm not in (",", "th", "st", "nd", "rd", "of")]
    taken = norms[1:5]
    if re.fullmatch(r"\d{4}", after[0]):
        yield start + 2 + taken.index(after[0]), _iso(f"{after[0]}-{number:02}")
    elif re.fullmatch(r"\d\d?", after[0]) and re.fullmatch(r"\d{4}", after[1]):
        yield start + 2 + taken.index(after[1]), _iso(f"{after[1]}-{number:02}-{int(after[0]):02}")
    elif re.fullmatch(r"\d\d?", after[0]):
        day = _iso(f"{today.year}-{number:02}-{int(after[0]):02}")
        yield start + 2 + taken.index(after[0]), _this_year(day, today)
    elif not re.fullmatch(r"\d+", after[0]):
        month = f"{today.year}-{number:02}"
        yield start + 1, Span(month, month, ahead=number > today.month)


def _count(word: str) -> int:
    if word.isdigit():
        return int(word)
    return english().numbers.get(word, 0)


_STEP = {"this": 0, "current": 0, "last": -1, "previous": -1, "next": 1}


def _unit(word: str, unit: str, today: date) -> Span | None:
    """The calendar week (from Monday), month or year before, around or after today."""
    step = _STEP[word]
    if unit == "week":
        monday = today + timedelta(days=7 * step - today.weekday())
        return Span(monday.isoformat(), (monday + timedelta(days=6)).isoformat())
    if unit == "month":
        return _iso(_months_from(today, step))
    if unit == "year":
        return Span(str(today.year + step), str(today.year + step))
    return None


def _many(word: str, count: int, unit: str, today: date) -> Span | None:
    """`last 7 days`, `next two weeks`: days counted from today, which belongs to them."""
    if unit not in ("day", "week") or count > 5_000:
        return None
    days = timedelta(days=count * (7 if unit == "week" else 1))
    if word in ("next", "coming"):
        return Span(today.isoformat(), (today + days).isoformat())
    return Span((today - days).isoformat(), today.isoformat())


def _months_from(today: date, step: int) -> str:
    year, month = divmod(today.year * 12 + today.month - 1 + step, 12)
    return f"{year:04}-{month + 1:02}"


def _first_day(text: str) -> str:
    return text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text


def _last_day(text: str) -> str:
    if len(text) == 4:
        return f"{text}-12-31"
    if len(text) == 7:
        return f"{text}-{calendar.monthrange(int(text[:4]), int(text[5:]))[1]:02}"
    return text
