"""The parts of a form that asks for one number made of many, in; the query it states, out. *Pure*.

One function for each `make` of `grammar.toml`; None means that the form does not hold after all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from nestkit.planner.language import english
from nestkit.planner.naming import GOOD
from nestkit.planner.query import Between, Compares, Condition, Fold, Group, Has, Is, Names, Query, Selection
from nestkit.planner.setting import Setting

Parts = Mapping[str, Any]
Make = Callable[[Parts, Setting], Query | None]

How = Literal["sum", "mean", "min", "max"]


def _fold(parts: Parts, setting: Setting) -> Query | None:
    names, size = parts["folded"]
    how = parts.get("how", "sum")
    if size:
        return None
    return _folded(setting, selected(parts, setting, names), how, names, parts.get("group"))


def _fold_implied(parts: Parts, setting: Setting) -> Query | None:
    names = setting.implied_numbers()
    if not names or parts.get("how", "sum") != "sum":
        return None
    if "loose" in parts and setting.subject == "tasks":
        return None
    return _folded(setting, selected(parts, setting, names), "sum", names, parts.get("group"))


def _fold_paid(parts: Parts, setting: Setting) -> Query | None:
    """What was paid: not what is still to be, where a checkbox tells them apart."""
    names = setting.implied_numbers()
    if not names or setting.subject == "tasks":
        return None
    paid = tuple(Is(((name, "true"),)) for name in _paid(setting))
    return _folded(setting, selected({"loose": (*parts["loose"], *paid)}, setting, names), "sum", names, None)


def _paid(setting: Setting) -> Names:
    return tuple(name for name in setting.facts.known(("paid",)) if setting.facts.names[name].is_flag)


def _fold_spent(parts: Parts, setting: Setting) -> Query | None:
    """What was spent: whether what is still to be paid belongs to it, nobody knows."""
    names = setting.implied_numbers()
    if not names or setting.subject == "tasks":
        return None
    fold = _folded(setting, selected(parts, setting, names), "sum", names, None)
    return fold and replace(fold, paid=_paid(setting))


def _fold_mean(parts: Parts, setting: Setting) -> Query | None:
    """ "The average invoice": not the sum, since "total invoices" may count them."""
    names = setting.implied_numbers()
    if not names or parts["how"] != "mean":
        return None
    return _folded(setting, parts["selection"], "mean", names, parts.get("group"))


def _extreme_value(parts: Parts, setting: Setting) -> Query | None:
    (most, sort), (names, size) = parts["extreme"], parts["folded"]
    if not is_comparable(sort, names, size):
        return None
    how: How = "max" if most else "min"
    return Fold(selected(parts, setting, names), how, names, size, parts.get("group"))


def is_comparable(sort: int, names: Names, size: int) -> bool:
    """Whether the superlative speaks of such a property."""
    return sort == size or (sort == GOOD and size == 0 and set(names) <= set(english().rated_names))


def _folded(setting: Setting, selection: Selection, how: How, names: Names, group: Group | None) -> Fold | None:
    if any(isinstance(condition, Is) and condition.measured for condition in selection.conditions):
        return None  # "in EUR" could ask for those in EUR, or for all of them converted
    return Fold(selection, how, names, group=group, per=currencies(names, setting))


def currencies(names: Names, setting: Setting) -> Names:
    """The properties that say in which currency such a number is; none where it is no money."""
    money = set(names) & set(english().money_names)
    return setting.facts.known(english().currency_names) if money else ()


def selected(parts: Parts, setting: Setting, names: Names) -> Selection:
    """What is asked of; without a word for it, all that have such a value."""
    selection = parts.get("selection") or parts.get("short")
    if selection is None:
        loose = (_on_days(condition, setting) for condition in parts.get("loose", ()))
        return Selection(setting.subject, None, (*loose, Has(names)))
    return narrowed(selection, parts)


def _on_days(condition: Condition, setting: Setting) -> Condition:
    """An average "in 2026" is of what is dated so: the year that a book is from says something else."""
    if isinstance(condition, Compares | Between) and condition.size:
        days = tuple(name for name in condition.names if setting.facts.names[name].is_day)
        return replace(condition, names=days or condition.names)
    return condition


def narrowed(selection: Selection, parts: Parts) -> Selection:
    """The selection with the conditions that follow at the very end of the ask."""
    more = (*selection.conditions, *parts.get("further", ()))
    return replace(selection, conditions=tuple(sorted(dict.fromkeys(more), key=repr)))


MAKERS: Mapping[str, Make] = {
    "fold": _fold,
    "fold_implied": _fold_implied,
    "fold_paid": _fold_paid,
    "fold_spent": _fold_spent,
    "fold_mean": _fold_mean,
    "extreme_value": _extreme_value,
}
