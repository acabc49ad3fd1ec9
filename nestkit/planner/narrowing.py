"""A selection in; the lines of a program that fetch and filter it out. *Pure*."""

from __future__ import annotations

from nestkit.planner.draft import Draft
from nestkit.planner.language import english
from nestkit.planner.query import (
    AS_SAID,
    AnyOf,
    Between,
    Compares,
    Condition,
    Daily,
    Exactly,
    Exceeds,
    Has,
    InFolder,
    InNote,
    Is,
    Joined,
    Kind,
    LinkedFrom,
    LinksTo,
    Mentions,
    Names,
    Orphaned,
    Progress,
    Says,
    Selection,
    Tagged,
    Titled,
    Unsettled,
    WithTasks,
)


def fetch(selection: Selection, draft: Draft, name: str = "") -> str:
    """The variable's name, after saying the lines that fetch the records and keep those that meet every condition."""
    tasks = selection.subject == "tasks"
    name = draft.fresh(name or ("found" if tasks else "notes"))
    if tasks:
        draft.say(*_some_task(selection), f"{name} = {_tasks(selection)}")
    else:
        _notes(selection.kind, draft, name)
    rest = [condition for condition in selection.conditions if not (tasks and _is_fetched(condition))]
    one = "t" if tasks else "n"
    if selection.kind is None:
        _step_by_step(rest, draft, name, one)
    else:
        tests = [test(condition, draft, name, one) for condition in rest]
        draft.say(*(f"{name} = [{one} for {one} in {name} if {each}]" for each in tests))
    if tasks and _leaves_progress_open(selection):
        draft.say(
            f'if any(t["complete"] for t in {name}):',
            '    raise LookupError("some of these tasks are done already: ask for open tasks, or for done ones")',
        )
    return name


def _step_by_step(conditions: list[Condition], draft: Draft, name: str, one: str) -> None:
    """Of notes of any sort the plainest conditions come first: what these leave decides which property is meant."""
    order = sorted(conditions, key=lambda condition: not isinstance(condition, Is | Has | Tagged | InFolder))
    for number, condition in enumerate(order):
        expression = test(condition, draft, name, one, check=number > 0)
        draft.say(f"{name} = [{one} for {one} in {name} if {expression}]")


def _notes(kind: Kind | None, draft: Draft, name: str) -> None:
    if kind is None:
        draft.say(f"{name} = list_notes()")
    elif kind.name and kind.inline:
        draft.say(f"{name} = [n for n in list_notes() if {kind.value.casefold()!r} in texts(n, {kind.name!r})]")
    elif kind.name:
        draft.say(f"{name} = list_notes(where={{{kind.name!r}: {kind.value!r}}})")
    elif kind.tag and kind.folder:
        draft.say(
            f"{name} = list_notes(tag={kind.tag!r})",
            f'if [n["path"] for n in {name}] != [n["path"] for n in list_notes(folder={kind.folder!r})]:',
            f"    raise LookupError({_two_places(kind)!r})",
        )
    else:
        draft.say(f"{name} = list_notes({'tag' if kind.tag else 'folder'}={kind.tag or kind.folder!r})")


def _two_places(kind: Kind) -> str:
    return f"the notes tagged #{kind.tag} and those in {kind.folder}/ are not the same: say which are meant"


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tasks(selection: Selection) -> str:
    given = [f"note={c.path!r}" for c in selection.conditions if isinstance(c, InNote)][:1]
    given += [f"status={c.word!r}" for c in selection.conditions if isinstance(c, Progress) and _is_fetched(c)][:1]
    return f"tasks({', '.join(given)})"


def _some_task(selection: Selection) -> list[str]:
    """Lines that stop where no task stands in a note that tasks were said to be for."""
    loose = [c.path for c in selection.conditions if isinstance(c, InNote) and c.loosely]
    lines = []
    for path in loose:
        reason = f"no task stands in {path}: say what tasks for it are"
        lines += [f"if not tasks(note={path!r}):", f"    raise LookupError({reason!r})"]
    return lines


def _is_fetched(condition: Condition) -> bool:
    """Whether the tool that fetches tasks sees to it."""
    return isinstance(condition, InNote) or (isinstance(condition, Progress) and condition.word in ("open", "done"))


def _leaves_progress_open(selection: Selection) -> bool:
    """Due, and neither open nor done was said: a task that is done is not due any more, or is it?"""
    due = set(english().due_names)
    either = [part for c in selection.conditions if isinstance(c, AnyOf) for part in c.conditions]
    says = any(isinstance(condition, Progress) for condition in (*selection.conditions, *either))
    days = any(isinstance(c, Compares | Between | Has) and due & set(c.names) for c in selection.conditions)
    return days and not says


_PROGRESS = {
    "open": 'not t["complete"] and t["status"] != "-"',
    "done": 't["complete"]',
    "cancelled": 't["status"] == "-"',
    "started": 't["status"] == "/"',
}


# ── conditions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test(condition: Condition, draft: Draft, records: str, one: str, *, check: bool = True) -> str:
    """An expression over the record `one`; lines it needs before are said. `check` stops at unknown properties."""
    no = "not " if getattr(condition, "negated", False) else ""
    match condition:
        case Is():
            return _is(condition, draft, records, one, check)
        case Compares(names, sign, value, size):
            said = draft.name_of(names, records, check=check)
            return f"any(v {'==' if sign == '=' else sign} {_written(value, size)} for v in {_read(one, said, size)})"
        case Between(names, low, high, size):
            said = draft.name_of(names, records, check=check)
            return f"any({_written(low, size)} <= v <= {_written(high, size)} for v in {_read(one, said, size)})"
        case Exceeds(names, sign, path):
            said = draft.name_of(names, records, check=check)
            other = draft.fresh("other")
            draft.say(f'{other} = next(numbers(n, {said}) for n in list_notes() if n["path"] == {path!r})[0]')
            return f"any(v {sign} {other} for v in numbers({one}, {said}))"
        case Has(names, _, zero):
            read = {"": "values", "none": "any", "unclear": "given"}[zero]
            said = draft.name_of(names, records, check=check)
            return f"{no}any(numbers({one}, {said}))" if read == "any" else f"{no}{read}({one}, {said})"
        case Unsettled(marks, states, closed, unclosed):
            closing = dict.fromkeys(closed, True) | dict.fromkeys(unclosed, False)
            return f"unsettled({one}, {marks!r}, {states!r}, {closing!r})"
        case Tagged(tag):
            return f"{no}tagged({one}, {tag.lower()!r})" if tag else f'{no}{one}["tags"]'
        case AnyOf(conditions):
            check = check and len(set(map(_names_in, conditions))) == 1
            return " or ".join(f"({test(each, draft, records, one, check=check)})" for each in conditions)
        case Joined(names, notes):
            return _joined(names, notes, draft, records, one)
        case WithTasks(tasks, _, owners):
            draft.say(f"hold_tasks({records}, tasks(), {owners!r})")
            paths = f'{{t["path"] for t in {fetch(tasks, draft)}}}'
            return _among(draft, one, no, "paths", paths)
        case Progress(word):
            return _PROGRESS[word]
        case _:
            return _placed(condition, draft, one)


def _names_in(condition: Condition) -> Names:
    """The properties a condition is about; of another sort of condition none."""
    if isinstance(condition, Is):
        return tuple(dict.fromkeys(name for name, _ in condition.options))
    return condition.names if isinstance(condition, Compares | Between | Has) else ()


def _placed(
    condition: Exactly | InFolder | InNote | LinksTo | LinkedFrom | Mentions | Says | Titled | Daily | Orphaned,
    draft: Draft,
    one: str,
) -> str:
    no = "not " if getattr(condition, "negated", False) else ""
    match condition:
        case Exactly(path):
            return f'{one}["path"] {"!=" if no else "=="} {path!r}'
        case InFolder(folder):
            return f'{no}({one}["folder"] + "/").startswith({folder + "/"!r})'
        case InNote(path):
            return f'{one}["path"] == {path!r}'
        case Titled(text):
            return f'{no}{text.casefold()!r} in {one}["title"].casefold()'
        case Says(text) if one == "t":
            return f'{no}{text.casefold()!r} in {one}["text"].casefold()'
        case Says(text):
            return _among(draft, one, no, "saying", f'{{l["path"] for l in lines({text!r})}}')
        case LinksTo(path):
            return _among(draft, one, no, "linking", f'{{b["source"] for b in backlinks({path!r})}}')
        case LinkedFrom(path):
            return _among(draft, one, no, "linked", f'{{l["resolved"] for l in links({path!r})}}')
        case Mentions(path, title):
            both = f'{{b["source"] for b in backlinks({path!r})}} | {{l["path"] for l in lines({title!r})}}'
            return _among(draft, one, no, "mentioning", f"({both}) - {{{path!r}}}")
        case Daily():
            return f"is_day({one})"
        case Orphaned():
            linked = '{p for n in list_notes() for p in n["links"] if p != n["path"]}'
            return _among(draft, one, "not ", "linked", linked)


def _among(draft: Draft, one: str, no: str, word: str, paths: str) -> str:
    name = draft.fresh(word)
    draft.say(f"{name} = {paths}")
    return f'{one}["path"] {no}in {name}'


def _is(condition: Is, draft: Draft, records: str, one: str, check: bool) -> str:
    names = tuple(dict.fromkeys(name for name, _ in condition.options))
    said = draft.name_of(names, records, check=check)
    held = {name: value.casefold() for name, value in condition.options}
    value = repr(held[names[0]]) if len(set(held.values())) == 1 else f"{held!r}[{said}]"
    return f"{value} {'not in' if condition.negated else 'in'} texts({one}, {said})"


def _joined(names: Names, notes: Selection, draft: Draft, records: str, one: str) -> str:
    inner = fetch(notes, draft, notes.kind.word + "_notes" if notes.kind else "those")
    if not names:
        paths = draft.fresh("paths")
        draft.say(f'{paths} = {{n["path"] for n in {inner}}}')
        return f'{one}["path"] in {paths}'
    said = draft.name_of(names, records, check=True)
    titles = draft.fresh("titles")
    draft.say(f'{titles} = {{n["title"].casefold() for n in {inner}}}')
    return f"any(v in {titles} for v in texts({one}, {said}))"


def _read(one: str, name: str, size: int) -> str:
    if size == AS_SAID:
        return f"days({one}, {name})"
    return f"days({one}, {name}, {size})" if size else f"numbers({one}, {name})"


def _written(value: str, size: int) -> str:
    """A number or a day as Python."""
    if size:
        return repr(value)
    number = float(value)
    return str(int(number)) if number.is_integer() else repr(number)
