"""What an ask means, as data: the reading and the program are both drafted from this and nothing else. *Pure*."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Names = tuple[str, ...]
"""One property or inline field by its canonical name; several when the notes at hand must decide which is meant."""


AS_SAID = -1
"""Days are compared as far as the notes say them: a year alone lies before the days in it."""

Sign = Literal["=", "<", "<=", ">", ">="]


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Is:
    """A property has this value, letter case ignored; `true` and `false` stand for a checkbox."""

    options: tuple[tuple[str, str], ...]
    """(name, value): each name with its value, of which the notes at hand have one."""
    negated: bool = False
    measured: bool = False
    """Said as "in EUR": of a list it is a condition, of a sum it could be a conversion."""


@dataclass(frozen=True, slots=True)
class Compares:
    """A number, or a day when `size` is set, compares with this one."""

    names: Names
    sign: Sign
    value: str
    size: int = 0
    """How much of the ISO text is compared: 4 for years, 7 for months, 10 for days; or AS_SAID."""


@dataclass(frozen=True, slots=True)
class Between:
    """Both ends belong to it."""

    names: Names
    low: str
    high: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Exceeds:
    """A number compares with that of another note."""

    names: Names
    sign: Sign
    path: str


@dataclass(frozen=True, slots=True)
class Exactly:
    """It is this note."""

    path: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Has:
    """There is a value under the name."""

    names: Names
    negated: bool = False
    zero: Literal["", "none", "unclear"] = ""
    """What 0 means of a number: of a count, such as `windows`, none; of others, such as `budget`, nobody knows."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """With this tag or one nested below it; with any tag when it is empty."""

    tag: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InFolder:
    folder: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class LinksTo:
    path: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class LinkedFrom:
    path: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Mentions:
    """Links to a note or says its name."""

    path: str
    title: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Says:
    """A line of the note, or the text of the task, contains this, letter case ignored."""

    text: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Titled:
    """The title contains this, letter case ignored."""

    text: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Daily:
    """The note is named for a day, and for nothing else."""


@dataclass(frozen=True, slots=True)
class Orphaned:
    """No other note links to it."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a task is."""

    word: Literal["open", "done", "cancelled", "started"]


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Nothing that says so says that it is done: no checkbox, no day on which it was, no status."""

    marks: Names
    """Checkboxes, and days on which it was done."""
    states: Names
    closed: Names = ()
    """Values of the states that say it is done, ..."""
    unclosed: Names = ()
    """... and those that say it is not; of any other nobody knows."""


@dataclass(frozen=True, slots=True)
class InNote:
    """A task stands in this note."""

    path: str
    loosely: bool = False
    """Said as "for": where no task stands in the note at all, something else was meant."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A link property leads to one of these notes; a task, with no names, stands in one of them."""

    names: Names
    notes: Selection


@dataclass(frozen=True, slots=True)
class WithTasks:
    """One of these tasks stands in the note."""

    tasks: Selection
    negated: bool = False
    owners: Names = ()
    """Fields that say whose a task is: whom tasks belong to, in their note they do not stand."""


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple[Condition, ...]


Condition = (
    Is
    | Compares
    | Between
    | Exceeds
    | Exactly
    | Has
    | Tagged
    | InFolder
    | LinksTo
    | LinkedFrom
    | Mentions
    | Says
    | Titled
    | Daily
    | Orphaned
    | Progress
    | Unsettled
    | InNote
    | Joined
    | WithTasks
    | AnyOf
)


# ── what is selected ─────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Kind:
    """A word for a sort of notes, and where the vault says that a note is of that sort."""

    word: str
    name: str = ""
    """Property such as `type`, with `value`; else tag or folder, and with both the two must agree."""
    value: str = ""
    inline: bool = False
    """The property is written inside the notes, or its name in more than one way."""
    tag: str = ""
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Some notes or tasks."""

    subject: Literal["notes", "tasks"]
    kind: Kind | None = None
    """None for notes or tasks of any sort."""
    conditions: tuple[Condition, ...] = ()


# ── what is asked of it ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Group:
    by: Literal["name", "tag", "folder", "note", "month", "year"]
    names: Names = ()
    """The property; for months and years the day they are taken from."""


@dataclass(frozen=True, slots=True)
class Order:
    names: Names
    size: int
    """10 for days, 0 for numbers, 1 for text."""
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    selection: Selection
    order: Order | None = None
    limit: int | None = None
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class Count:
    selection: Selection
    group: Group | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """One number, or day, made of many."""

    selection: Selection
    how: Literal["sum", "mean", "min", "max"]
    names: Names
    size: int = 0
    """10 when the values are days."""
    group: Group | None = None
    per: Names = ()
    """Property that says in which currency each number is: a sum of several is none."""
    paid: Names = ()
    """Checkboxes that must be alike, since the ask leaves open which are meant."""


@dataclass(frozen=True, slots=True)
class Extreme:
    """Those with the most or least of something; without `limit` all that share the first place."""

    selection: Selection
    order: Order
    limit: int | None = None
    per: Names = ()
    """Property that says in which currency each number is: where none was named, several cannot be compared."""


@dataclass(frozen=True, slots=True)
class Busiest:
    """The groups with the most or fewest notes or tasks."""

    selection: Selection
    group: Group
    most: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Title -> value of a property."""

    selection: Selection
    names: Names


@dataclass(frozen=True, slots=True)
class Distinct:
    """The different values of a property."""

    selection: Selection
    names: Names
    count: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """One property of one note."""

    path: str
    names: Names
    count: bool = False
    """How many values, instead of which."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Yes or no: whether one note meets the condition."""

    path: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that contain a text."""

    text: str
    selection: Selection | None = None


@dataclass(frozen=True, slots=True)
class LinksOf:
    path: str


@dataclass(frozen=True, slots=True)
class TextOf:
    path: str


@dataclass(frozen=True, slots=True)
class PropertiesOf:
    """Properties of one note; of the whole vault, with the number of notes that have each, when the path is empty."""

    path: str


@dataclass(frozen=True, slots=True)
class TagsOf:
    """Tags of one note; of the whole vault when the path is empty."""

    path: str = ""
    count: bool = False
    most: bool = False
    """Only those that most notes carry."""


OfSelection = Listing | Count | Fold | Extreme | Busiest | Table | Distinct
Query = OfSelection | Lookup | Verdict | Lines | LinksOf | TextOf | TagsOf | PropertiesOf
