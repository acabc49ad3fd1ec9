"""The parts of a form that narrows a selection, in; the condition it states, out. *Pure*.

One function for each `make` of `grammar.toml`; None means that the form does not hold after all, as when a value
belongs to another property than the one named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

from nestkit.planner.dates import single
from nestkit.planner.language import english, singular
from nestkit.planner.query import (
    AS_SAID,
    AnyOf,
    Between,
    Compares,
    Condition,
    Exactly,
    Exceeds,
    Has,
    InFolder,
    InNote,
    Is,
    Joined,
    LinkedFrom,
    LinksTo,
    Mentions,
    Names,
    Orphaned,
    Progress,
    Says,
    Sign,
    Tagged,
    Titled,
    Unsettled,
    WithTasks,
)
from nestkit.planner.setting import Setting
from nestkit.planner.timing import FLIPPED, When, compare_days, contrary

Parts = Mapping[str, Any]
Made = tuple[Condition, ...] | None
Make = Callable[[Parts, Setting], Made]


def _negated(parts: Parts) -> bool | None:
    """Whether the form says "not"; None when it says so twice."""
    signs = [bool(parts.get("not")), "other" in parts, "unlike" in parts]
    return None if sum(signs) > 1 else any(signs)


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _is(parts: Parts, setting: Setting) -> Made:
    options = parts.get("value") or parts.get("among") or parts.get("unit") or parts["other"]
    names = parts.get("name") or parts.get("verb") or parts.get("unlike")
    if names:
        options = tuple(option for option in options if option[0] in names)
    else:
        options = tuple(option for option in options if option[0] not in english().kind_names[:-1])
    negated = _negated(parts)
    measured = "unit" in parts and any(name in english().currency_names for name, _ in options)
    return None if not options or negated is None else (Is(options, negated, measured),)


def _is_other(parts: Parts, setting: Setting) -> Made:
    """A class other than A is a class."""
    made = _is(parts, setting)
    return made and (*made, Has(tuple(dict.fromkeys(name for c in made if isinstance(c, Is) for name, _ in c.options))))


def _neither(parts: Parts, setting: Setting) -> Made:
    return (Is(parts["first"], negated=True), Is(parts["second"], negated=True))


def _both(parts: Parts, setting: Setting) -> Made:
    """Two values of one list."""
    lists = {name for name, _ in parts["first"] if setting.facts.names[name].is_list}
    made = tuple(Is(tuple(o for o in parts[part] if o[0] in lists)) for part in ("first", "second"))
    return made if all(condition.options for condition in made) else None


def _flag(parts: Parts, setting: Setting) -> Made:
    """A checkbox is true or false; "not" says false, not "anything but true"."""
    options = parts.get("flag")
    if options is None:
        names = parts.get("flagname") or parts["flagverb"]
        truth = parts.get("bool") or parts.get("other") or "true"
        options = tuple((name, truth) for name in names)
    negated = _negated(parts)
    if negated is None:
        return None
    if negated:
        options = tuple((name, "false" if truth == "true" else "true") for name, truth in options)
    return (Is(options),)


def _number(parts: Parts, setting: Setting) -> Made:
    sign: Sign = parts.get("compare") or parts.get("more") or "="
    return _compared(parts.get("numbername") or parts["numberverb"], sign, parts)


def _implied_number(parts: Parts, setting: Setting) -> Made:
    return _compared(setting.implied_numbers(), parts["plaincompare"], parts)


def _compared(names: Names, sign: Sign, parts: Parts) -> Made:
    if not names:
        return None
    condition = Compares(names, sign, parts["number"])
    return (contrary(condition) if parts.get("not") else condition,)


def _comparative(parts: Parts, setting: Setting) -> Made:
    sign, names = parts["comparative"]
    return _compared(names, sign, parts)


def _exceeds(parts: Parts, setting: Setting) -> Made:
    sign, names = parts.get("comparative") or (parts["step"], parts["numbername"])
    return (Exceeds(names, FLIPPED[sign] if parts.get("not") else sign, parts["note"]),)


def _exactly(parts: Parts, setting: Setting) -> Made:
    return (Exactly(parts["note"], negated=True),) if setting.subject == "notes" else None


def _between_numbers(parts: Parts, setting: Setting) -> Made:
    names = parts.get("numbername") or parts.get("numberverb") or setting.implied_numbers()
    if not names:
        return None
    return (Between(names, parts["low"], parts["high"]),) if float(parts["low"]) <= float(parts["high"]) else None


def _has(parts: Parts, setting: Setting) -> Made:
    if "deed" in parts:
        return (_happened(parts["deed"], setting),)
    return (_truth(parts["name"], setting) or Has(parts["name"], zero=_zero(parts["name"], setting)),)


def _truth(names: Names, setting: Setting, *, negated: bool = False) -> Is | None:
    """To have a checkbox is to have it ticked."""
    if not all(setting.facts.names[name].is_flag for name in names):
        return None
    return Is(tuple((name, "true") for name in names), negated)


def _happened(names: Names, setting: Setting) -> Condition:
    """A deed is done on its day: what expires tomorrow is not expired."""
    if all(setting.facts.names[name].is_day for name in names):
        return Compares(names, "<=", setting.today.isoformat(), AS_SAID)
    return Has(names)


def _not_happened(parts: Parts, setting: Setting) -> Made:
    names, done = parts["deed"], _happened(parts["deed"], setting)
    missing = Has(names, negated=True)
    return (AnyOf((missing, replace(done, sign=">"))),) if isinstance(done, Compares) else (missing,)


def _lacks(parts: Parts, setting: Setting) -> Made:
    names = parts["name"]
    return (_truth(names, setting, negated=True) or Has(names, negated=True, zero=_zero(names, setting)),)


def _zero(names: Names, setting: Setting) -> Literal["", "none", "unclear"]:
    """A number whose name is a plural is a count, and 0 of something is none of it."""
    if not any(setting.facts.names[name].is_number for name in names):
        return ""
    return "none" if all(singular(name) != name for name in names) else "unclear"


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _day(parts: Parts, setting: Setting) -> Made:
    when = _said(parts)
    names = parts.get("dayname") or parts.get("dayverb") or setting.implied_days(when.how)
    if when.low.size != 4:
        names = tuple(name for name in names if setting.facts.names[name].is_day)
    if (when.low.near or when.high.near) and set(names) & set(english().yearly_names):
        return None
    if (when.low.ahead or when.high.ahead) and not set(names) <= set(english().due_names):
        return None
    if not names:
        return None
    condition = compare_days(names, when)
    return (contrary(condition) if parts.get("not") else condition,)


def _said(parts: Parts) -> When:
    if "when" in parts:
        when: When = parts["when"]
        return when
    return When("within", parts["span"], parts["span"])


# ── tags, folders, links, text ───────────────────────────────────────────────────────────────────────────────────────


def _tagged(parts: Parts, setting: Setting) -> Made:
    negated = _negated(parts)
    tag = parts.get("hashtag") or parts.get("tag") or parts.get("tagword") or parts.get("other")
    return None if negated is None or tag is None else (Tagged(tag, negated),)


def _both_tags(parts: Parts, setting: Setting) -> Made:
    return (Tagged(parts["first"]), Tagged(parts["second"]))


def _any_tag(parts: Parts, setting: Setting) -> Made:
    return (Tagged("", bool(parts.get("not"))),)


def _no_tag(parts: Parts, setting: Setting) -> Made:
    return (Tagged("", negated=True),)


def _folder(parts: Parts, setting: Setting) -> Made:
    negated = _negated(parts)
    folder = parts.get("folder") or parts["other"]
    return None if negated is None or setting.subject == "tasks" else (InFolder(folder, negated),)


def _links_to(parts: Parts, setting: Setting) -> Made:
    return (LinksTo(parts.get("note") or parts["here"], bool(parts.get("not"))),)


def _linked_from(parts: Parts, setting: Setting) -> Made:
    return (LinkedFrom(parts["note"], bool(parts.get("not"))),)


def _mentions(parts: Parts, setting: Setting) -> Made:
    if "source" in parts:
        return (LinkedFrom(parts["source"], bool(parts.get("not"))),)
    path = parts["note"]
    return (Mentions(path, setting.terms.titles[path], bool(parts.get("not"))),)


def _says(parts: Parts, setting: Setting) -> Made:
    return (Says(parts["quoted"], bool(parts.get("not"))),)


def _titled(parts: Parts, setting: Setting) -> Made:
    return (Titled(parts["quoted"], bool(parts.get("not"))),)


def _orphaned(parts: Parts, setting: Setting) -> Made:
    return (Orphaned(),)


def _ahead(parts: Parts, setting: Setting) -> Made:
    names = tuple(name for name in setting.implied_days() if setting.facts.names[name].is_day)
    return (Compares(names, ">=", setting.today.isoformat(), 10),) if names else None


def _behind(parts: Parts, setting: Setting) -> Made:
    names = tuple(name for name in setting.implied_days() if setting.facts.names[name].is_day)
    return (Compares(names, "<", setting.today.isoformat(), 10),) if names else None


def _with_tasks(parts: Parts, setting: Setting) -> Made:
    tasks = parts.get("tasks") or parts["other"]
    owners = tuple(name for name in ("owner", "assignee", "responsible") if name in setting.terms.tasks.names)
    return (WithTasks(tasks, "other" in parts, owners),) if setting.subject == "notes" else None


def _joined(parts: Parts, setting: Setting) -> Made:
    name, notes = parts["joinable"]
    return (Joined((name,), notes),)


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _progress(parts: Parts, setting: Setting) -> Made:
    """Not done is open; of the other words nobody knows what their contrary takes in."""
    word: Literal["open", "done", "cancelled", "started"] = parts.get("progress", "open")
    if "second" in parts:
        return (Progress("open"),) if (word, parts["second"]) == ("open", "done") and parts["not"] else None
    if not parts.get("not"):
        return (Progress(word),)
    return {"done": (Progress("open"),)}.get(word)


def _overdue(parts: Parts, setting: Setting) -> Made:
    names = tuple(name for name in setting.facts.known(english().due_names) if setting.facts.names[name].is_day)
    if parts.get("not") or not names:
        return None
    today = single(setting.today)
    if setting.subject == "tasks":
        return (Progress("open"), compare_days(names[:1], When("before", today, today)))
    unsettled = _unsettled(setting)
    return unsettled and (*unsettled, compare_days(names, When("before", today, today)))


def _unsettled(setting: Setting) -> Made:
    """By whatever the vault's notes say it: where no property can, nobody knows what is still to be done."""
    facts = setting.facts
    closing = facts.known(english().closing_names)
    marks = tuple(name for name in closing if facts.names[name].is_flag or facts.names[name].is_day)
    states = facts.known(english().state_names)
    said = sorted({value.casefold() for name in states for value in facts.names[name].values})
    closed, unclosed = (tuple(v for v in said if v in words) for words in (english().closed, english().unclosed))
    return (Unsettled(marks, states, closed, unclosed),) if marks or states else None


def _in_note(parts: Parts, setting: Setting) -> Made:
    path = parts.get("note") or parts.get("loosely") or parts.get("here") or setting.note
    return None if path is None else (InNote(path, "loosely" in parts),)


def _of_notes(parts: Parts, setting: Setting) -> Made:
    return (Joined((), parts["notes"]),)


MAKERS: Mapping[str, Make] = {
    "is": _is,
    "is_other": _is_other,
    "neither": _neither,
    "both": _both,
    "flag": _flag,
    "number": _number,
    "implied_number": _implied_number,
    "comparative": _comparative,
    "exceeds": _exceeds,
    "exactly": _exactly,
    "between_numbers": _between_numbers,
    "day": _day,
    "has": _has,
    "not_happened": _not_happened,
    "lacks": _lacks,
    "tagged": _tagged,
    "both_tags": _both_tags,
    "any_tag": _any_tag,
    "no_tag": _no_tag,
    "folder": _folder,
    "links_to": _links_to,
    "linked_from": _linked_from,
    "mentions": _mentions,
    "says": _says,
    "titled": _titled,
    "orphaned": _orphaned,
    "ahead": _ahead,
    "behind": _behind,
    "with_tasks": _with_tasks,
    "joined": _joined,
    "progress": _progress,
    "overdue": _overdue,
    "in_note": _in_note,
    "of_notes": _of_notes,
}
