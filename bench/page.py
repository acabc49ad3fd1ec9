"""The number of a made-up note in; its text out, and a count of what stands in it. *Pure*.

What is counted is what Obsidian counts: the links, tags and tasks inside code, math and HTML comments are decoys.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Protocol
from urllib.parse import quote

from words import WORDS, cjk_sentence, sentence

KINDS = {"created": "date", "updated": "datetime", "rating": "number", "done": "checkbox", "topics": "multitext"}
"""Property name -> kind, as in the app's `types.json`."""

BROKEN = ("- @name", "status:\n\tindented: by a tab", 'status: "not closed', "status: a\nstatus: b", "status: a: b")
"""Blocks of properties that no YAML 1.2 parser takes."""

_TAGS = tuple(f"{word}/{below}" if below else word for word in WORDS[:18] for below in ("", "open", "Later"))
_STATES = (" ", " ", " ", "x", "x", "/", "-")


class Plan(Protocol):
    """What a page must know of the other notes."""

    @property
    def notes(self) -> int: ...
    @property
    def seed(self) -> int: ...
    @property
    def attachments(self) -> int: ...
    def is_odd(self, kind: str, number: int) -> bool: ...
    def title(self, number: int) -> str: ...
    def path(self, number: int) -> str: ...
    def attachment(self, number: int) -> str: ...


@dataclass(slots=True)
class Page:
    """A note while it is written."""

    plan: Plan
    number: int
    random: Random
    found: Counter[str]
    """Of the whole vault."""
    tags: set[str] = field(default_factory=set)

    def text(self) -> str:
        """A sentence."""
        return (cjk_sentence if self.plan.is_odd("cjk", self.number) else sentence)(self.random)

    def tag(self) -> str:
        """A tag without `#`."""
        tag = self.random.choice(_TAGS)
        self.tags.add(tag.lower())
        return tag

    def task(self) -> str:
        """A task without the mark of its list item."""
        self.found["tasks"] += 1
        state = self.random.choice(_STATES)
        due = f" 📅 2026-0{self.random.randrange(1, 10)}-1{self.random.randrange(10)}" if state == " " else ""
        return f"[{state}] {self.text()}{due}"

    def heading(self, level: int, text: str) -> str:
        self.found["headings"] += 1
        return f"{'#' * level} {text}"

    def link(self, bar: str = "|") -> str:
        """The next link of the vault; of each thousand, a fixed number is of each form. In a table `bar` is `\\|`."""
        place = self.found["links"] * 389 % 1000  # 389 and 1000 share no divisor: any run of links has these shares
        self.found["links"] += 1
        form = next(form for below, form in _FORMS if place < below)
        return form(self, self.target(), bar)

    def target(self) -> int:
        """Number of a note to link to: few notes get many links."""
        return int(self.plan.notes * self.random.random() ** 2)


def draft_page(plan: Plan, number: int, found: Counter[str]) -> str:
    """The whole text of a note."""
    page = Page(plan, number, Random(f"{plan.seed} page {number}"), found)
    parts = [_properties(page), page.heading(1, plan.title(number)), page.heading(2, "Overview"), _opening(page)]
    pieces = 400 if plan.is_odd("long", number) else min(40, int(page.random.lognormvariate(1.72, 0.7)) + 1)
    for piece in page.random.choices(_PIECES, _WEIGHTS, k=pieces):
        parts.append(piece(page))
    found["tags"] += len(page.tags)
    return "\n\n".join(part for part in parts if part) + "\n"


def _properties(page: Page) -> str:
    """The block of properties; three notes in ten have none."""
    random = page.random
    if page.plan.is_odd("broken", page.number):
        page.found["broken"] += 1
        return f"---\n{BROKEN[page.found['broken'] % len(BROKEN)]}\n---"
    if random.random() < 0.3:
        return ""
    month, day = random.randrange(1, 10), random.randrange(10, 29)
    lines = [
        f"status: {random.choice(('active', 'waiting', 'finished'))}",
        f"created: 2024-0{month}-{day}",
        f"tags: [{page.tag()}, {page.tag()}]" if random.random() < 0.2 else "",
        f"rating: {random.randrange(1, 10) / 2}" if random.random() < 0.4 else "",
        f"done: {random.choice(('true', 'false'))}" if random.random() < 0.3 else "",
        f"updated: 2025-0{month}-{day}T10:30:00" if random.random() < 0.3 else "",
        f"topics:\n  - {random.choice(WORDS)}\n  - {random.choice(WORDS)}" if random.random() < 0.3 else "",
        f'aliases: ["{random.choice(WORDS)} of {page.number}"]' if random.random() < 0.2 else "",
        f"source:\n  url: https://example.org/{page.number}\n  pages: 12" if random.random() < 0.03 else "",
        "reviewed:" if random.random() < 0.05 else "",
        _up(page) if random.random() < 0.1 else "",
    ]
    return "\n".join(["---", *filter(None, lines), "---"])


def _up(page: Page) -> str:
    page.found["links"] += 1
    page.found["property links"] += 1
    return f'up: "[[{page.plan.title(page.target())}]]"'


def _opening(page: Page) -> str:
    """The first paragraph; three notes in four give it an id, so that others can link to it."""
    if not _has_block(page.number):
        return page.text()
    page.found["blocks"] += 1
    return f"{page.text()} {page.text()} ^opening"


def _has_block(number: int) -> bool:
    return number % 4 != 0


# Pieces of a note.


def _paragraph(page: Page) -> str:
    sentences = [page.text() for _ in range(page.random.randrange(1, 6))]
    if page.random.random() < 0.45:
        sentences.insert(1, f"See {page.link()} for more.")
    if page.random.random() < 0.05:
        sentences.insert(0, f"About #{page.tag()} and **this**, [outside](https://example.org/{page.number}#part).")
    return " ".join(sentences)


def _list(page: Page) -> str:
    items = [f"- {page.text()}" for _ in range(page.random.randrange(2, 5))]
    return "\n".join([*items, f"  - below it: {page.link()}", f"- a `[[decoy {page.number}]]` in code, 5 $ and 6 $"])


def _tasks(page: Page) -> str:
    return "\n".join([f"- {page.task()}", f"  - {page.task()}", f"- {page.task()} #{page.tag()}"])


def _section(page: Page) -> str:
    level = page.random.choice((2, 2, 3))
    return page.heading(level, page.text().rstrip(".。")) + "\n" + page.text()


def _table(page: Page) -> str:
    rows = [f"| {page.random.choice(WORDS)} | {page.link(bar=chr(92) + '|')} | {n} |" for n in range(2)]
    return "\n".join(["| what | where | count |", "|---|:---:|---:|", *rows])


def _callout(page: Page) -> str:
    return f"> [!tip]- {page.random.choice(WORDS)}\n> {page.text()}\n> Look at {page.link()}.\n>\n> - {page.task()}"


def _code(page: Page) -> str:
    return f"```python\n# no heading, #notag\nx = [[{page.number}]]  # - [ ] no task\n```"


def _math(page: Page) -> str:
    return f"$$\nx_{page.number} = [[1, 2]]\n$$\n\nand $a + b$ of it[^1].\n\n[^1]: {page.text()}"


def _comment(page: Page) -> str:
    return f"<!-- [[decoy]] #decoy -->\n\nA remark %%kept for later: {page.link()}%% and ==a mark==."


def _quote(page: Page) -> str:
    return f"> {page.text()}\n> {page.text()}"


def _field(page: Page) -> str:
    page.found["fields"] += 2
    return f"effort:: {page.random.randrange(1, 9)}\n\n{page.text()} [mood:: {page.random.choice(WORDS)}]"


def _figure(page: Page) -> str:
    return f"{page.text()}\n\n{_embed(page, page.target(), '|', counted=False)}"


Piece = Callable[[Page], str]

_WEIGHED: dict[Piece, int] = {
    _paragraph: 50, _list: 8, _tasks: 5, _section: 12, _table: 4, _callout: 4,
    _code: 4, _math: 2, _comment: 2, _quote: 4, _field: 3, _figure: 2,
}  # fmt: skip
_PIECES, _WEIGHTS = tuple(_WEIGHED), tuple(_WEIGHED.values())


# Forms of a link.


def _plain(page: Page, target: int, bar: str) -> str:
    return f"[[{page.plan.title(target)}]]"


def _with_path(page: Page, target: int, bar: str) -> str:
    page.found["links with a path"] += 1
    alias = bar + page.random.choice(WORDS) if page.random.random() < 0.5 else ""
    return f"[[{page.plan.path(target).removesuffix('.md')}{alias}]]"


def _other_case(page: Page, target: int, bar: str) -> str:
    page.found["links in other case"] += 1
    title = page.plan.title(target)
    return f"[[{page.random.choice((title.upper(), title.lower(), title + '.md', title + '.MD'))}]]"


def _unresolved(page: Page, target: int, bar: str) -> str:
    page.found["unresolved"] += 1
    return f"[[Not written yet {page.found['unresolved'] % 50}]]"


def _markdown(page: Page, target: int, bar: str) -> str:
    page.found["markdown links"] += 1
    path = page.plan.path(target)
    return f"[{page.random.choice(WORDS)}]({f'<{path}>' if page.random.random() < 0.5 else quote(path)})"


def _embed(page: Page, target: int, bar: str, counted: bool = True) -> str:
    page.found["embeds"] += 1
    page.found["links"] += not counted
    if page.random.random() < 0.4:
        return f"![[{page.plan.title(target)}#Overview]]"
    name = page.plan.attachment(page.random.randrange(page.plan.attachments)).rpartition("/")[2]
    return f"![[{name}#page=2]]" if name.endswith("pdf") else f"![[{name}{bar}300x200]]"


def _alias(page: Page, target: int, bar: str) -> str:
    return f"[[{page.plan.title(target)}{bar}{page.random.choice(WORDS)}]]"


def _heading(page: Page, target: int, bar: str) -> str:
    return f"[[{page.plan.title(target)}#Overview]]"


def _block(page: Page, target: int, bar: str) -> str:
    target = target if _has_block(target) else max(0, target - 1)
    return f"[[{page.plan.title(target)}#^opening]]"


def _own(page: Page, target: int, bar: str) -> str:
    return "[[#Overview]]"


Form = Callable[[Page, int, str], str]

_FORMS: tuple[tuple[int, Form], ...] = (
    (254, _with_path),  # 6,654 of the hub's 26,218
    (259, _other_case),  # 136
    (262, _unresolved),  # 75
    (292, _markdown),
    (412, _embed),  # 3,486, with those of `_figure`
    (512, _alias),
    (592, _heading),
    (632, _block),
    (652, _own),
    (1000, _plain),
)
"""The first row whose number is above the link's place within its thousand."""
