"""A query in; the same in plain words out: the first line of every answer. *Pure*."""

from __future__ import annotations

from nestkit.planner.query import (
    AnyOf,
    Between,
    Busiest,
    Compares,
    Condition,
    Count,
    Daily,
    Distinct,
    Exactly,
    Exceeds,
    Extreme,
    Fold,
    Group,
    Has,
    InFolder,
    InNote,
    Is,
    Joined,
    Kind,
    Lines,
    LinkedFrom,
    LinksOf,
    LinksTo,
    Listing,
    Lookup,
    Mentions,
    Names,
    OfSelection,
    Order,
    Orphaned,
    Progress,
    PropertiesOf,
    Query,
    Says,
    Selection,
    Table,
    Tagged,
    TagsOf,
    TextOf,
    Titled,
    Unsettled,
    Verdict,
    WithTasks,
)

_FOLDS = {"sum": "sum of", "mean": "average of", "min": "lowest", "max": "highest"}
_ENDS = {"min": "earliest", "max": "latest"}
_ORDERS = {10: ("earliest first", "latest first"), 0: ("lowest first", "highest first"), 1: ("A to Z", "Z to A")}


def draft_reading(query: Query) -> str:
    """One line, such as `notes where type = invoice and paid = false; sum of amount`."""
    match query:
        case Lookup(path, names, count):
            return f"{'number of values in ' if count else ''}{_names(names)} of {path}"
        case Verdict(path, condition):
            return f"whether of {path} it is true that {_condition(condition)}"
        case Lines(text, selection):
            return f'lines that contain "{text}" in {_selection(selection) if selection else "all notes"}'
        case LinksOf(path):
            return f"links in {path}"
        case TextOf(path):
            return f"text of {path}"
        case PropertiesOf(path):
            return f"properties of {path}" if path else "properties with the number of notes that have each"
        case TagsOf():
            return _tags(query)
        case _:
            return "; ".join([_selection(query.selection), *_asked(query)])


def _asked(query: OfSelection) -> list[str]:
    """What is asked of the selection."""
    match query:
        case Listing(_, order, limit, group):
            said = [_order(order)] if order else []
            said += [f"first {limit}"] if limit is not None else []
            return said + ([_group(group)] if group else [])
        case Count(_, group):
            return [f"count {_group(group)}" if group else "count"]
        case Fold(_, how, names, size, group):
            said_how = _ENDS[how] if size else _FOLDS[how]
            return [f"{said_how} {_names(names)}" + (f" {_group(group)}" if group else "")]
        case Extreme(_, order, limit, per):
            ends = ("earliest", "latest") if order.size else ("lowest", "highest")
            number = "" if limit is None else f"{limit} "
            within = f" if in one {_names(per)}" if per else ""
            return [f"those with the {number}{ends[order.descending]} {_names(order.names)}{within}"]
        case Busiest(_, group, most):
            return [_group(group), "the most" if most else "the fewest"]
        case Table(_, names):
            return [f"{_names(names)} of each"]
        case Distinct(_, names, count):
            return [f"{'number of ' if count else ''}different values of {_names(names)}"]


def _tags(query: TagsOf) -> str:
    if query.path:
        return f"tags of {query.path}"
    if query.count:
        return "number of different tags"
    return "the tag of most notes" if query.most else "tags with the number of notes that carry each"


def _selection(selection: Selection) -> str:
    said = [_kind(selection.kind)] if selection.kind is not None else []
    said += [_condition(condition) for condition in selection.conditions]
    return selection.subject + (f" where {' and '.join(said)}" if said else "")


def _kind(kind: Kind) -> str:
    if kind.name:
        return f"{kind.name} = {kind.value}"
    places = [f"tagged #{kind.tag}"] * bool(kind.tag) + [f"in {kind.folder}/"] * bool(kind.folder)
    return ", which is the same as ".join(places)


def _names(names: Names) -> str:
    return names[0] if len(names) == 1 else f"({' or '.join(names)}, whichever they have)"


def _condition(condition: Condition) -> str:
    no = "not " if getattr(condition, "negated", False) else ""
    match condition:
        case Is(options, negated):
            said = [f"{name} {'is not' if negated else '='} {value}" for name, value in options]
            return said[0] if len(said) == 1 else f"({' or '.join(said)}, whichever they have)"
        case Compares(names, sign, value):
            return f"{_names(names)} {sign} {value}"
        case Between(names, low, high):
            return f"{_names(names)} from {low} to {high}"
        case Exceeds(names, sign, path):
            return f"{_names(names)} {sign} that of {path}"
        case Has(names, negated, zero):
            none = "0, empty or missing" if zero == "none" else "empty or missing"
            return f"{_names(names)} is {none if negated else 'more than 0' if zero == 'none' else 'given'}"
        case Unsettled(marks, states, closed):
            ends = [f"{name} = {value}" for name in states for value in closed]
            return f"not done by {' or '.join((*marks, *ends))}"
        case Tagged(tag):
            return f"{no}tagged #{tag}" if tag else f"{no}tagged"
        case Joined(names, notes):
            inner = _selection(notes)
            return f"{_names(names)} is one of the {inner}" if names else f"in {inner}"
        case WithTasks(tasks):
            return f"{'without' if no else 'with'} {_selection(tasks)}"
        case AnyOf(conditions):
            return f"({' or '.join(map(_condition, conditions))})"
        case Progress(word):
            return "in progress" if word == "started" else word
        case _:
            return no + _place(condition)


def _place(
    condition: Exactly | InFolder | InNote | LinksTo | LinkedFrom | Mentions | Says | Titled | Daily | Orphaned,
) -> str:
    """Conditions on where a note or task stands and what it says."""
    match condition:
        case Exactly(path):
            return path
        case InFolder(folder):
            return f"in {folder}/"
        case InNote(path):
            return f"in {path}"
        case LinksTo(path):
            return f"linking to {path}"
        case LinkedFrom(path):
            return f"linked from {path}"
        case Mentions(path, title):
            return f'linking to {path} or saying "{title}"'
        case Says(text):
            return f'saying "{text}"'
        case Titled(text):
            return f'with "{text}" in the title'
        case Daily():
            return "named for a day"
        case Orphaned():
            return "linked from no other note"


def _group(group: Group) -> str:
    if group.by == "name":
        return f"by {_names(group.names)}"
    return f"by {group.by}" + (f" of {_names(group.names)}" if group.names else "")


def _order(order: Order) -> str:
    return f"sorted by {_names(order.names)}, {_ORDERS[order.size][order.descending]}"
