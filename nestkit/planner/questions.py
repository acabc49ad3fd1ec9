"""The parts of a form that is a whole ask, in; the query it states, out. *Pure*.

One function for each `make` of `grammar.toml`; None means that the form does not hold after all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nestkit.planner import folding
from nestkit.planner.folding import Make, Parts, currencies, is_comparable, narrowed, selected
from nestkit.planner.language import english
from nestkit.planner.query import (
    AS_SAID,
    Busiest,
    Compares,
    Condition,
    Count,
    Daily,
    Distinct,
    Extreme,
    Fold,
    Group,
    Is,
    Lines,
    LinksOf,
    LinksTo,
    Listing,
    Lookup,
    Mentions,
    Names,
    Order,
    Orphaned,
    PropertiesOf,
    Query,
    Selection,
    Table,
    TagsOf,
    TextOf,
    Verdict,
)
from nestkit.planner.setting import Setting

# ── lists and counts ─────────────────────────────────────────────────────────────────────────────────────────────────


def _listing(parts: Parts, setting: Setting) -> Query | None:
    limit = int(float(parts["number"])) if "number" in parts else None
    order = make_order("order", parts, setting) if "name" in parts else parts.get("order")
    if (order is None and (limit is not None or "name" in parts)) or _is_calendar(parts["selection"]):
        return None
    return Listing(parts["selection"], order, limit)


def _grouped(parts: Parts, setting: Setting) -> Query | None:
    """A list by a day or number could mean its order: only words that sort notes into groups are taken."""
    group = _group_of(parts, setting)
    if group is None:
        return None
    numbers = [name for name in group.names if setting.facts.names[name].is_number or setting.facts.names[name].is_day]
    if group.by == "name" and numbers:
        return None
    return Listing(parts["selection"], group=group)


def _count(parts: Parts, setting: Setting) -> Query | None:
    group = _group_of(parts, setting)
    if (group is None and ("by" in parts or "group" in parts)) or _is_calendar(parts["selection"]):
        return None
    return Count(narrowed(parts["selection"], parts), group)


def _is_calendar(selection: Selection) -> bool:
    """Days of which nothing else is said are no notes."""
    return selection.conditions == (Daily(),)


def _busiest(parts: Parts, setting: Setting) -> Query | None:
    most, size = parts["extreme"]
    group = _group_of(parts, setting)
    return Busiest(parts["selection"], group, most) if group is not None and size == 0 else None


def _group_of(parts: Parts, setting: Setting) -> Group | None:
    if "group" in parts:
        group: Group = parts["group"]
        return group
    return make_group({"name": parts["by"]} if "by" in parts else {}, setting)


def make_group(parts: Parts, setting: Setting) -> Group | None:
    """What each group has in common."""
    by = parts.get("grouping") or parts.get("name")
    if isinstance(by, tuple):
        return Group("name", by)
    if by in ("tag", "folder"):
        return Group(by)
    if by == "note" and setting.subject == "tasks":
        return Group("note")
    if by in ("month", "year") and (days := _days(setting)):
        return Group(by, days)
    return None


def make_order(make: str, parts: Parts, setting: Setting) -> Order | None:
    """In which order a list is wanted; text and days go up unless the ask says otherwise."""
    if make == "order_titles":
        return Order(("title",), 1) if setting.subject == "notes" else None
    if make == "order_most":
        most, names, size, _ = parts["superlative"]
        return Order(names, size, most)
    if make == "order_days":
        first, last, days = parts.get("age", "up"), parts.get("last", "down"), _days(setting)
        return Order(days, 10, first == "down") if days and (first == "up") == (last == "down") else None
    return _order_by(parts.get("name") or parts["dayname"], parts.get("direction") == "down", setting)


def _order_by(names: Names, down: bool, setting: Setting) -> Order:
    facts = setting.facts.names
    if all(facts[name].is_day for name in names):
        return Order(names, 10, down)
    return Order(names, 0 if all(facts[name].is_number for name in names) else 1, down)


def _days(setting: Setting) -> Names:
    wanted = english().implied_date if setting.subject == "notes" else english().due_names
    return tuple(name for name in setting.facts.known(wanted) if setting.facts.names[name].is_day)


# ── the most and the least ───────────────────────────────────────────────────────────────────────────────────────────


def _extreme(parts: Parts, setting: Setting) -> Query | None:
    names, size = parts.get("folded") or parts["foldedverb"]
    most, sort = parts.get("extreme", ("lowest" not in parts, size))
    limit = parts.get("number") or parts.get("lowest")
    order = Order(names, size, most)
    return _ranked(narrowed(parts["selection"], parts), order, limit) if is_comparable(sort, names, size) else None


def _superlative(parts: Parts, setting: Setting) -> Query | None:
    most, names, size, conditions = parts["superlative"]
    if size and _is_calendar(parts["selection"]):
        return None
    if size == 0 and parts["selection"].kind is None:
        return None  # the longest note is not the note of the longest book
    selection = narrowed(parts["selection"], {"further": conditions})
    ranked = _ranked(selection, Order(names, size, most), parts.get("number"))
    return ranked and replace(ranked, per=currencies(names, setting) if size == 0 else ())


def _verb_most(parts: Parts, setting: Setting) -> Query | None:
    """ "Which contract ends next": the next lies ahead, the last and the first do not."""
    turn, names = parts["turn"], tuple(name for name in parts["dayverb"] if setting.facts.names[name].is_day)
    if not names or set(names) & {*english().due_names, *english().yearly_names}:
        return None  # what is due next depends on what is done already, and birthdays come round again
    sides = Compares(names, ">=" if turn == "next" else "<=", setting.today.isoformat(), AS_SAID)
    selection = narrowed(parts["selection"], {"further": (sides,)})
    return Extreme(selection, Order(names, 10, turn == "last"))


def _day_of_last(parts: Parts, setting: Setting) -> Query | None:
    most, names, size, conditions = parts["superlative"]
    if size == 0 or not all(setting.facts.names[name].is_day for name in names):
        return None
    selection = narrowed(parts["selection"], {"further": conditions})
    return Fold(selection, "max" if most else "min", names, 10)


def _ranked(selection: Selection, order: Order, number: str | None) -> Extreme | None:
    if number is not None and (not number.isdigit() or int(number) == 0):
        return None
    return Extreme(selection, order, int(number) if number is not None else None)


# ── values of properties ─────────────────────────────────────────────────────────────────────────────────────────────


def _table(parts: Parts, setting: Setting) -> Query | None:
    selection: Selection = parts.get("selection") or parts.get("plural") or parts["short"]
    return Table(selection, parts["name"])


def _distinct(parts: Parts, setting: Setting) -> Query | None:
    return Distinct(selected(parts, setting, parts["name"]), parts["name"])


def _distinct_count(parts: Parts, setting: Setting) -> Query | None:
    return Distinct(selected(parts, setting, parts["name"]), parts["name"], count=True)


def _owners(parts: Parts, setting: Setting) -> Query | None:
    """`clients with unpaid invoices`: the clients that these invoices name."""
    return Distinct(parts["selection"], parts["kindname"])


def _owners_count(parts: Parts, setting: Setting) -> Query | None:
    return Distinct(parts["selection"], parts["kindname"], count=True)


def _lookup(parts: Parts, setting: Setting) -> Query | None:
    names = parts.get("name") or parts.get("listverb") or parts.get("verbname") or setting.implied_numbers()
    if "verb" in parts:
        names = tuple(name for name in names if name in parts["verb"])
    return Lookup(parts["note"], names) if names else None


def _lookup_count(parts: Parts, setting: Setting) -> Query | None:
    names = parts.get("listname") or parts["listverb"]
    lists = tuple(name for name in names if setting.facts.names[name].is_list)
    return Lookup(parts["note"], lists, count=True) if lists else None


def _presence(parts: Parts, setting: Setting) -> Query | None:
    names = setting.facts.known(english().presence)
    return Lookup(parts["note"], names) if names else None


def _day_of(parts: Parts, setting: Setting) -> Query | None:
    days = setting.implied_days()
    return Lookup(parts["note"], days) if days else None


def _verdict(parts: Parts, setting: Setting) -> Query | None:
    if "after" in parts:
        made: tuple[Condition, ...] = parts["after"]
        return Verdict(parts["note"], made[0]) if len(made) == 1 else None
    options = tuple(option for option in parts["value"] if option[0] in parts["listverb"])
    return Verdict(parts["note"], Is(options)) if options else None


# ── links, lines, tags, text ─────────────────────────────────────────────────────────────────────────────────────────


def _backlinks(parts: Parts, setting: Setting) -> Query | None:
    if "mentioned" in parts:
        path = parts["mentioned"]
        return Listing(Selection("notes", None, (Mentions(path, setting.terms.titles[path]),)))
    return Listing(Selection("notes", None, (LinksTo(parts.get("note") or parts["here"]),)))


def _links_of(parts: Parts, setting: Setting) -> Query | None:
    return LinksOf(parts["note"])


def _lines(parts: Parts, setting: Setting) -> Query | None:
    selection = parts.get("selection")
    if selection is not None and selection.subject != "notes":
        return None
    return Lines(parts["text"], selection)


def _all_tags(parts: Parts, setting: Setting) -> Query | None:
    return TagsOf()


def _count_tags(parts: Parts, setting: Setting) -> Query | None:
    return TagsOf(count=True)


def _top_tag(parts: Parts, setting: Setting) -> Query | None:
    return TagsOf(most=True)


def _note_tags(parts: Parts, setting: Setting) -> Query | None:
    return TagsOf(parts["note"])


def _orphans(parts: Parts, setting: Setting) -> Query | None:
    return Listing(Selection("notes", None, (Orphaned(),)))


def _properties(parts: Parts, setting: Setting) -> Query | None:
    return PropertiesOf(parts.get("note", ""))


def _text_of(parts: Parts, setting: Setting) -> Query | None:
    return TextOf(parts["note"])


MAKERS: Mapping[str, Make] = {
    **folding.MAKERS,
    "listing": _listing,
    "grouped": _grouped,
    "count": _count,
    "busiest": _busiest,
    "day_of_last": _day_of_last,
    "owners": _owners,
    "owners_count": _owners_count,
    "extreme": _extreme,
    "superlative": _superlative,
    "verb_most": _verb_most,
    "table": _table,
    "distinct": _distinct,
    "distinct_count": _distinct_count,
    "lookup": _lookup,
    "lookup_count": _lookup_count,
    "presence": _presence,
    "day_of": _day_of,
    "verdict": _verdict,
    "backlinks": _backlinks,
    "links_of": _links_of,
    "lines": _lines,
    "all_tags": _all_tags,
    "count_tags": _count_tags,
    "top_tag": _top_tag,
    "note_tags": _note_tags,
    "orphans": _orphans,
    "properties": _properties,
    "text_of": _text_of,
}
