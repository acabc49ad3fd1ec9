"""A query in; the program that answers it out, in the language that models write too. *Pure*."""

from __future__ import annotations

from nestkit.planner.draft import Draft
from nestkit.planner.narrowing import fetch, test
from nestkit.planner.query import (
    Busiest,
    Count,
    Distinct,
    Extreme,
    Fold,
    Group,
    Has,
    Lines,
    LinksOf,
    Listing,
    Lookup,
    Names,
    OfSelection,
    Order,
    PropertiesOf,
    Query,
    Selection,
    Table,
    TagsOf,
    TextOf,
    Verdict,
)


def draft_program(query: Query) -> tuple[str, tuple[str, ...]]:
    """(program, full names of the tools it calls)."""
    draft = Draft()
    match query:
        case Lookup():
            _lookup(query, draft)
        case Verdict(path, condition):
            _note(path, draft)
            expression = test(condition, draft, "[note]", "note", check=not isinstance(condition, Has))
            draft.say(f'final_answer("yes" if {expression} else "no")')
        case Lines(text, selection):
            _lines(text, selection, draft)
        case LinksOf(path):
            _links(path, draft)
        case TextOf(path):
            draft.say(f"final_answer(read_note({path!r}))")
        case PropertiesOf(path):
            draft.say(f"final_answer(properties({path!r}))" if path else "final_answer(properties())")
        case TagsOf():
            _tags(query, draft)
        case _:
            _select(query, draft)
    return draft.text(), draft.tools()


def _select(query: OfSelection, draft: Draft) -> None:
    name = fetch(query.selection, draft)
    one = "t" if query.selection.subject == "tasks" else "n"
    check = query.selection.kind is not None
    match query:
        case Listing():
            _listing(query, draft, name, one)
        case Count(_, None):
            draft.say(f"final_answer(len({name}))")
        case Count(_, Group() as group):
            groups = _groups(group, draft, name, one)
            draft.say(f"final_answer({{label: len(members) for label, members in {groups}.items()}})")
        case Fold():
            _fold(query, draft, name, one)
        case Extreme():
            _extreme(query, draft, name, one)
        case Busiest(_, group, most):
            groups = _groups(group, draft, name, one)
            draft.say(
                f"best = {'max' if most else 'min'}((len(members) for members in {groups}.values()), default=0)",
                f"final_answer([label for label, members in {groups}.items() if len(members) == best])",
            )
        case Table(_, names):
            said = draft.name_of(names, name, check=check)
            key = "names[n['path']]" if one == "n" else _title(one)
            draft.say(*([f"names = called({name})"] if one == "n" else []))
            draft.say(f"final_answer({{{key}: one(values({one}, {said})) for {one} in {name}}})")
        case Distinct(_, names, count):
            said = draft.name_of(names, name, check=check)
            draft.say(f"different = sorted({{label for {one} in {name} for label in labels({one}, {said})}})")
            draft.say("final_answer(len(different))" if count else "final_answer(different)")


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _title(one: str) -> str:
    """How a record is called in an answer."""
    return """f"{t['text']} ({t['title']})\"""" if one == "t" else 'n["title"]'


def _listing(query: Listing, draft: Draft, name: str, one: str) -> None:
    if query.group is not None:
        groups = _groups(query.group, draft, name, one)
        draft.say(f"final_answer({{label: [{_title(one)} for {one} in own] for label, own in {groups}.items()}})")
        return
    if query.order is not None:
        _sort(query.order, draft, name, one)
    cut = f"[:{query.limit}]" if query.limit is not None else ""
    draft.say(f"final_answer([{_title(one)} for {one} in {name}{cut}])")


def _sort(order: Order, draft: Draft, name: str, one: str) -> None:
    if order.names == ("title",):
        draft.say(f'{name} = sorted({name}, key=lambda n: n["title"].casefold())')
        return
    said = draft.name_of(order.names, name, check=True)
    draft.say(f"{name} = ranked({name}, lambda {one}: {_read(one, said, order.size)}, {order.descending})")


def _read(one: str, name: str, size: int) -> str:
    return {10: f"days({one}, {name})", 0: f"numbers({one}, {name})", 1: f"texts({one}, {name})"}[size]


def _extreme(query: Extreme, draft: Draft, name: str, one: str) -> None:
    order = query.order
    said = draft.name_of(order.names, name, check=True)
    read = _read(one, said, order.size)
    best = "max" if order.descending else "min"
    _check_currency(query.per, draft, f"[{one} for {one} in {name} if {read}]", "")
    if query.limit is None:
        draft.say(
            f"best = {best}((v for {one} in {name} for v in {read}), default=None)",
            f"final_answer([{_title(one)} for {one} in {name} if best in {read}])",
        )
        return
    draft.say(
        f"{name} = ranked([{one} for {one} in {name} if {read}], lambda {one}: {read}, {order.descending})",
        f"places = [{best}({read}) for {one} in {name}]",
        f"if len(places) > {query.limit} and places[{query.limit - 1}] == places[{query.limit}]:",
        f'    raise LookupError("place {query.limit} is shared: ask for another number")',
        f"final_answer([{_title(one)} for {one} in {name}[:{query.limit}]])",
    )


# ── groups and numbers ───────────────────────────────────────────────────────────────────────────────────────────────


def _groups(group: Group, draft: Draft, name: str, one: str) -> str:
    """Says the line that sorts the records into groups."""
    if group.by == "name":
        read = f"labels({one}, {draft.name_of(group.names, name, check=True)})"
    elif group.by in ("month", "year"):
        said = draft.name_of(group.names, name, check=True)
        read = f"days({one}, {said}, {7 if group.by == 'month' else 4})"
    else:
        read = {"tag": f'{one}["tags"]', "folder": f'[{one}["folder"]]', "note": f'[{one}["title"]]'}[group.by]
    groups = draft.fresh("groups")
    draft.say(f"{groups} = grouped({name}, lambda {one}: {read})")
    return groups


def _fold(query: Fold, draft: Draft, name: str, one: str) -> None:
    said = draft.name_of(query.names, name, check=True)
    read = _read(one, said, query.size)
    if query.group is None:
        _check_currency(query.per, draft, f"[{one} for {one} in {name} if {read}]", "")
        draft.say(*(f"all_paid({name}, {paid!r})" for paid in query.paid))
        draft.say(f"each = [v for {one} in {name} for v in {read}]")
        draft.say(f'final_answer({_folded(query, "each")} if each else "none")')
        return
    groups = _groups(query.group, draft, f"[{one} for {one} in {name} if {read}]", one)
    draft.say("answer = {}", f"for label, members in {groups}.items():")
    _check_currency(query.per, draft, "members", "    ")
    draft.say(f"    each = [v for {one} in members for v in {read}]", f"    answer[label] = {_folded(query, 'each')}")
    draft.say("final_answer(answer)")


def _check_currency(names: Names, draft: Draft, records: str, indent: str) -> None:
    draft.say(*(f"{indent}one_currency({records}, {name!r})" for name in names))


def _folded(query: Fold, values: str) -> str:
    if query.size:
        return f"{query.how}({values})"
    return {"sum": f"round(sum({values}), 2)", "mean": f"round(sum({values}) / len({values}), 2)"}.get(
        query.how, f"{query.how}({values})"
    )


# ── one note, lines, links, tags ─────────────────────────────────────────────────────────────────────────────────────


def _note(path: str, draft: Draft) -> None:
    draft.say(f'[note] = [n for n in list_notes() if n["path"] == {path!r}]')


def _lookup(query: Lookup, draft: Draft) -> None:
    _note(query.path, draft)
    said = draft.name_of(query.names, "[note]", check=True)
    draft.say(f"final_answer({'len' if query.count else 'one'}(values(note, {said})))")


def _lines(text: str, selection: Selection | None, draft: Draft) -> None:
    keep = ""
    if selection is not None:
        name = fetch(selection, draft)
        draft.say(f'paths = {{n["path"] for n in {name}}}')
        keep = ' if l["path"] in paths'
    draft.say(f"""final_answer([f"{{l['text']}} ({{l['title']}})" for l in lines({text!r}){keep}])""")


def _links(path: str, draft: Draft) -> None:
    draft.say(
        f'targets = [l["resolved"] or l["target"] for l in links({path!r})]',
        'final_answer(list(dict.fromkeys(each.split("/")[-1].removesuffix(".md") for each in targets if each)))',
    )


def _tags(query: TagsOf, draft: Draft) -> None:
    if query.path:
        _note(query.path, draft)
        draft.say('final_answer(note["tags"])')
    elif query.count:
        draft.say("final_answer(len(tags()))")
    elif query.most:
        draft.say("counts = tags()", "best = max(counts.values(), default=0)")
        draft.say("final_answer([tag for tag, count in counts.items() if count == best])")
    else:
        draft.say("final_answer(tags())")
