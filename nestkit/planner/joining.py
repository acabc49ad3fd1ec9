"""Several conditions and the words between them, in; those that must all hold, out. *Pure*."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from nestkit.planner.query import AnyOf, Between, Compares, Condition, Is, Tagged
from nestkit.planner.setting import Setting

Conditions = tuple[Condition, ...]
Chain = tuple[tuple[str, Conditions], ...]
"""Each with what joins it to the one before: nothing, `and`, `or` or a comma."""


def join_conditions(chain: Chain, setting: Setting) -> Conditions | None:
    """The conditions that must all hold; None when "and" and "or" could be taken in two ways."""
    links = _without_commas(chain)
    kept: list[Conditions] = []
    for link, made in links:
        if kept and link:
            made = _measured_alike(kept[-1], _carried_on(kept[-1], made), setting)
        if kept and link == "and" and (_is_mixed(kept[-1], made, setting) or _are_two_days(kept[-1], made)):
            return None
        if link == "or":
            if not kept or not _may_be_either(kept[-1], made, links):
                return None
            kept[-1] = _either(kept[-1], made)
        elif kept and link in ("and", "") and _same_single(kept[-1], made, setting):
            if link == "" or _is_negated(kept[-1]) != _is_negated(made):
                return None
            kept[-1:] = [kept[-1], made] if _is_negated(made) else [_either(kept[-1], made)]
        else:
            kept.append(made)
    return tuple(dict.fromkeys(condition for made in kept for condition in made))


def is_either_or_both(before: Chain, setting: Setting) -> bool:
    """`science and language courses`: each sort of them, or those that are both; of values of one list likewise."""
    for (_, first), (link, second) in pairwise(before):
        tags = all(isinstance(made[0], Tagged) for made in (first, second))
        lists = any(setting.facts.names[name].is_list for name in _names(first) & _names(second))
        if link == "and" and (tags or lists):
            return True
    return False


def is_dated_deed(after: Chain, setting: Setting) -> bool:
    """`graded in February`, where a checkbox says that it is graded and nothing says when."""
    implied = set(setting.implied_days("since"))
    for (_, first), (link, second) in pairwise(after):
        if link == "" and any(setting.facts.names[name].is_flag for name in _names(first)):
            day = second[0]
            if isinstance(day, Compares | Between) and day.size and set(day.names) <= implied:
                return True
    return False


def _without_commas(chain: Chain) -> list[tuple[str, Conditions]]:
    """A comma means what stands before the last of the row: `a, b or c` is `a or b or c`."""
    links = list(chain)
    meant = "and"
    for place in range(len(links) - 1, -1, -1):
        link, made = links[place]
        if link == ",":
            links[place] = (meant, made)
        else:
            meant = "or" if link == "or" else "and"
    return links


def _carried_on(first: Conditions, second: Conditions) -> Conditions:
    """`attended by Ann and Bea`: of all that Bea is a value of, what Ann was said to be."""
    names = _names(first)
    if len(second) == 1 and isinstance(second[0], Is) and len(second[0].options) > 1:
        options = tuple(option for option in second[0].options if option[0] in names)
        return (replace(second[0], options=options),) if options else second
    return second


def _measured_alike(first: Conditions, second: Conditions, setting: Setting) -> Conditions:
    """`bought in 2023 or 2025`, `an area over 10 and under 20`: what names nothing of its own goes by the last."""
    before, after = first[-1], second[0]
    if isinstance(before, AnyOf):
        before = before.conditions[-1]
    if not (isinstance(before, Compares | Between) and isinstance(after, Compares | Between)):
        return second
    implied = setting.implied_days() if after.size else setting.implied_numbers()
    if len(second) > 1 or bool(before.size) != bool(after.size) or not set(after.names) <= set(implied):
        return second
    return (replace(after, names=before.names),)


def _are_two_days(first: Conditions, second: Conditions) -> bool:
    """`in 2023 and 2025`: nothing is on two days, so each may be meant; or they are two ends."""
    pair = (first[-1], second[0])
    return all(isinstance(c, Between) or (isinstance(c, Compares) and c.sign == "=") for c in pair) and all(
        isinstance(c, Between | Compares) and c.size for c in pair
    )


def _is_mixed(first: Conditions, second: Conditions, setting: Setting) -> bool:
    """A property that holds one value here and several there: "and" may ask for either of two or for both."""
    both = _names(first) & _names(second)
    kinds = [setting.facts.names[name].kinds - {"empty"} for name in both]
    return any("list" in kind and len(kind) > 1 for kind in kinds)


def _may_be_either(first: Conditions, second: Conditions, links: list[tuple[str, Conditions]]) -> bool:
    """Whether "or" can only join these two: nothing is negated, and no "and" stands near conditions of another sort."""
    if _is_negated(first) or _is_negated(second) or len(first) + len(second) > 2:
        return False
    return _alike(first, second) or all(link != "and" for link, _ in links)


def _either(first: Conditions, second: Conditions) -> Conditions:
    parts = [p for c in (*first, *second) for p in (c.conditions if isinstance(c, AnyOf) else (c,))]
    return (AnyOf(tuple(dict.fromkeys(parts))),)


def _names(made: Conditions) -> set[str]:
    found: set[str] = set()
    for condition in made:
        if isinstance(condition, AnyOf):
            found |= _names(condition.conditions)
        elif isinstance(condition, Is):
            found |= {name for name, _ in condition.options}
    return found


def _alike(first: Conditions, second: Conditions) -> bool:
    return bool(_names(first) & _names(second)) or type(first[0]) is type(second[0]) is Tagged


def _same_single(first: Conditions, second: Conditions, setting: Setting) -> bool:
    """Two values of one property that holds one value: no note can have both."""
    both = _names(first) & _names(second)
    return bool(both) and not any(setting.facts.names[name].is_list for name in both)


def _is_negated(made: Conditions) -> bool:
    return any(getattr(condition, "negated", False) for condition in made)
