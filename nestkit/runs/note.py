"""Run to note and back: what a person reads of a run, without nest if need be. *Pure*.

**Shape** of the note: flat properties with the prefix `nest-` (property kinds belong to the name, vault-wide), the
answer first, then *How* in folded callouts, then what was read and what changed. A run that waits for a person shows
what it waits for before all that, unfolded, under a box to tick.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from nestkit.change import digest
from nestkit.matter import Matter
from nestkit.run import Run, Step
from nestkit.runs.attachment import is_picture
from nestkit.runs.quiet import draft_fence, draft_line, draft_prose, parse_fence
from nestkit.runs.tick import draft_tick
from nestkit.visible import visible

MAX_LINKS = 100
"""Links kept in one property; the count says when there were more."""

_OUTPUT_CHARS = 4000
"""Printed text shown per step; the trace has all of it."""


@dataclass(frozen=True, slots=True)
class StepNote:
    """One step as the note shows it."""

    program: str
    output: str = ""
    error: str = ""
    calls: tuple[str, ...] = ()
    """One line each: tool, what it was allowed, how long."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RunNote:
    """Everything a run's note holds; the property names are these, dashed, with `nest-` before."""

    id: str
    status: str
    ask: str
    created: str
    contract: str
    model: str = ""
    tier: str = ""
    trigger: str = "cli"
    note: str = ""
    """Link to the asking note."""
    parent: str = ""
    """Link to the run that this one runs again."""
    tools: tuple[str, ...] = ()
    """Links, as all of the next two."""
    reads: tuple[str, ...] = ()
    read_count: int = 0
    writes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    """Links to the files that its programs left, beside the note."""
    tool_hashes: tuple[str, ...] = ()
    """`PATH=SHA-256`, first 16 digits."""
    program_hash: str = ""
    prompt_hash: str = ""
    kept_from: str = ""
    """Link to the run whose program was run again."""
    steps: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0
    answer: str = ""
    """JSON; empty when there is no answer."""
    reason: str = ""
    hint: str = ""
    reading: str = ""
    story: tuple[StepNote, ...] = ()
    diff: str = ""
    tick: str = ""
    """The line with a box that stands for a yes; empty where a note cannot show all that is asked."""
    matter: tuple[tuple[str, str], ...] = ()
    """(title, text) of what waits for a person."""


_BODY = ("answer", "reason", "hint", "reading", "story", "diff", "tick", "matter")
"""Parts that stand in the body; all others are properties."""


def note_of(run: Run, link: Callable[[str], str]) -> RunNote:
    """What the note of this run holds; `link` turns a path into the shortest link that is unique."""
    programs = "\n\n".join(step.program for step in run.steps if step.program)
    scripts = dict.fromkeys(run.tool_digests)
    return RunNote(
        id=run.id,
        status=run.status,
        ask=visible(run.ask.text),
        created=run.ask.now.isoformat(timespec="seconds"),
        contract=run.ask.contract,
        model=run.model,
        tier=run.tier,
        trigger=run.ask.trigger,
        note=link(run.ask.note) if run.ask.note else "",
        parent=link(run.parent) if run.parent else "",
        tools=tuple(map(link, scripts)),
        reads=tuple(map(link, run.reads[:MAX_LINKS])),
        read_count=len(run.reads),
        writes=tuple(link(done.path) for done in run.applied if done.applied)[:MAX_LINKS],
        files=tuple(f"[[{path}]]" for path in run.files),
        tool_hashes=tuple(f"{path}={seal[:16]}" for path, seal in run.tool_digests.items()),
        program_hash=digest(programs.encode())[:16] if programs else "",
        prompt_hash=run.prompt_digest[:16],
        kept_from=link(run.kept_from) if run.kept_from else "",
        steps=len(run.steps),
        tokens_in=sum(step.tokens_in for step in run.steps),
        tokens_out=sum(step.tokens_out for step in run.steps),
        seconds=round(run.seconds, 2),
        answer=_as_json(run.end.answer) if run.status == "ok" else "",
        reason=_one_line(run.end.reason),
        hint=_one_line(run.end.hint),
        reading=_one_line(run.reading),
        story=tuple(_step_note(step) for step in run.steps if not _is_held(step)),
        diff="" if run.matter else visible("".join(change.diff for change in run.changes)),
        tick=draft_tick(run.matter.digest) if run.matter and run.matter.is_short else "",
        matter=_matter_parts(run.matter) if run.matter else (),
    )


def _matter_parts(matter: Matter) -> tuple[tuple[str, str], ...]:
    if matter.is_short:
        return matter.parts
    return (("Beware", "This is too long for a note, and nobody can judge what is cut: read it in a terminal."),)


def _as_json(value: Any) -> str:
    """JSON in which every character can be seen: the rest is escaped, so that it reads back as it was."""
    text = _dumped(value)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _dumped(value: Any) -> str:
    """The value as JSON, what JSON has no form for as text: a program counts by days and by pairs as well."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except TypeError:
        return json.dumps(_with_text_keys(value), ensure_ascii=False, default=str)


def _with_text_keys(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else str(key): _with_text_keys(held) for key, held in value.items()}
    return [_with_text_keys(item) for item in value] if isinstance(value, (list, tuple)) else value


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _step_note(step: Any) -> StepNote:
    output = visible(step.outcome.output)
    if len(output) > _OUTPUT_CHARS:
        output = output[:_OUTPUT_CHARS] + f"\n… {len(output) - _OUTPUT_CHARS} characters more in the trace"
    calls = tuple(_call_line(call) for call in step.outcome.calls[:MAX_LINKS])
    return StepNote(
        visible(step.program).strip("\n"),
        output.removesuffix("\n"),
        visible(step.outcome.error),
        calls,
        round(step.outcome.seconds, 3),
    )


def _is_held(step: Step) -> bool:
    """Whether this program never ran, since it waits for a person: it is shown with what it waits for."""
    outcome = step.outcome
    return not outcome.calls and any(refusal.needs_person and not refusal.tool for refusal in outcome.refusals)


def _call_line(call: Any) -> str:
    """One call in one line, for the note: what was called, with what, and how it went."""
    shown = ", ".join(f"{name}={_dumped(value)}" for name, value in call.arguments.items())
    text = visible(f"{call.tool}({shown})").replace("\n", " ")
    text = text if len(text) <= 200 else text[:199] + "…"
    powers = f" with {', '.join(call.effects)}" if call.effects else ""
    failed = "" if call.allowed and not call.error else f" - {'failed' if call.allowed else 'refused'}: {call.error}"
    return f"{text}{powers}{visible(failed)}".replace("\n", " ")


def draft_note(note: RunNote) -> str:
    """The text of a run's note."""
    parts = [
        _properties(note),
        draft_answer(note),
        _pictures(note),
        _waiting(note),
        _how(note),
        _touched(note),
        _diff(note),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def draft_answer(note: RunNote) -> str:
    """The answer, or why there is none, as markdown in which nothing is alive."""
    if not note.answer:
        lines = [
            f"> [!warning] {_TITLES.get(note.status, note.status)}",
            f"> {draft_line(note.reason) or 'No answer.'}",
        ]
        return "\n".join(lines + ([f"> {draft_line(note.hint)}"] if note.hint else []))
    value = json.loads(note.answer)
    if value in (None, [], {}):
        return "none"
    if isinstance(value, list):
        return "\n".join(f"- {draft_line(_said(item))}" for item in value)
    if isinstance(value, dict):
        return "\n".join(f"- {draft_line(str(key))}: {draft_line(_said(item))}" for key, item in value.items())
    return draft_prose(_said(value))


_TITLES = {
    "refused": "Refused",
    "waiting": "Waiting for a person",
    "no_answer": "No answer within the limits",
    "error": "Error",
    "cancelled": "Cancelled",
}


def _said(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _properties(note: RunNote) -> str:
    lines = ["---"]
    for item in fields(note):
        value = getattr(note, item.name)
        if item.name in _BODY or value in ("", (), None):
            continue
        key = f"nest-{item.name.replace('_', '-')}"
        if isinstance(value, tuple):
            lines += [f"{key}:", *(f"  - {_quoted(entry)}" for entry in value)]
        else:
            plain = isinstance(value, (int, float)) or item.name in ("status", "created", "contract", "trigger")
            lines.append(f"{key}: {value if plain else _quoted(value)}")
    return "\n".join([*lines, "---"])


def _quoted(text: str) -> str:
    """A YAML double-quoted scalar: JSON strings are a subset of it (YAML 1.2, section 1.3)."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\x7f").replace("<%", "<\\u0025")


def _pictures(note: RunNote) -> str:
    """The pictures among its files, shown; the names are nest's own."""
    return "\n".join(f"!{link}" for link in note.files if is_picture(link.removesuffix("]]")))


def _waiting(note: RunNote) -> str:
    """What a person is asked to judge, in sight and in full."""
    if not note.matter:
        return ""
    lines = ["## To approve", "", *([note.tick, ""] if note.tick else [])]
    for title, text in note.matter:
        lines += [f"{title}:", *draft_fence(text, _LANGUAGES.get(title, "text")), ""]
    return "\n".join(lines).rstrip("\n")


_LANGUAGES = {"Program": "python", "Changes": "diff"}


def _how(note: RunNote) -> str:
    """How it was done; every part folded, so that the answer stays in sight."""
    if not (note.story or note.reading or note.answer):
        return ""
    lines = ["## How", ""]
    if note.reading:
        lines += [f"Read as: {draft_line(note.reading)}", ""]
    for number, step in enumerate(note.story, start=1):
        lines += [*_step(number, step), ""]
    if note.answer:
        lines += _callout("abstract", "Answer as data", draft_fence(note.answer, "json"))
    return "\n".join(lines).rstrip("\n")


def _step(number: int, step: StepNote) -> list[str]:
    body: list[str] = []
    for title, language, text in _parts(step):
        body += [f"{title}:", *draft_fence(text, language)]
    return _callout("example", f"Step {number} · {step.seconds} s", body)


def _parts(step: StepNote) -> list[tuple[str, str, str]]:
    parts = [("Program", "python", step.program), ("Calls", "text", "\n".join(step.calls))]
    parts += [("Printed", "text", step.output), ("Error", "text", step.error)]
    return [part for part in parts if part[2]]


def _callout(kind: str, title: str, body: Iterable[str]) -> list[str]:
    return [f"> [!{kind}]- {title}", *(f"> {line}" if line else ">" for line in body)]


def _touched(note: RunNote) -> str:
    """What was used, read and written, as live links: these names come from the broker, not from any text."""
    rows = [("Asked in", (note.note,) if note.note else ()), ("Tools", note.tools), ("Read", note.reads)]
    rows += [("Written", note.writes), ("Files", note.files)]
    rows.append(("Program kept from", (note.kept_from,) if note.kept_from else ()))
    more = {"Read": note.read_count - len(note.reads)}
    lines = [
        f"- {name}: {', '.join(links)}" + (f" and {more[name]} more" if more.get(name, 0) > 0 else "")
        for name, links in rows
        if links
    ]
    return "\n".join(["## Touched", "", *lines]) if lines else ""


def _diff(note: RunNote) -> str:
    return "\n".join(["## Changes", "", *draft_fence(note.diff, "diff")]) if note.diff else ""


_CALLOUT = re.compile(r"^> \[!(example|abstract|warning)\]-? ?(.*)$")
_STEP_TITLE = re.compile(r"Step \d+ · ([\d.]+) s")
_FENCE = re.compile(r"^(`{3,})(\w*)$")


def parse_note(text: str, properties: Mapping[str, Any]) -> RunNote | None:
    """The run a note tells of, from its text and its properties; None when it is no run note.

    `draft_note` of it gives the same text again.
    """
    if not isinstance(properties.get("nest-id"), str) or "nest-status" not in properties:
        return None
    known: dict[str, Any] = {}
    for item in fields(RunNote):
        value = properties.get(f"nest-{item.name.replace('_', '-')}")
        if item.name not in _BODY and value is not None:
            known[item.name] = tuple(map(str, value)) if isinstance(value, list) else value
    for name in ("id", "status", "ask", "created", "contract", "model"):
        known[name] = str(known.get(name, ""))
    return RunNote(**known, **_parse_body(text))


def _parse_body(text: str) -> dict[str, Any]:
    lines = text.split("\n")
    body: dict[str, Any] = {"story": ()}
    for number, line in enumerate(lines):
        if callout := _CALLOUT.match(line):
            block = _quoted_lines(lines, number + 1)
            if callout[1] == "warning":
                body["reason"] = _unescaped(block[0]) if block else ""
                body["hint"] = _unescaped(block[1]) if len(block) > 1 else ""
            elif callout[1] == "abstract":
                body["answer"] = "".join(text for _, text in _fences(block))
            elif timing := _STEP_TITLE.match(callout[2]):
                body["story"] += (_parse_step(block, float(timing[1])),)
        elif line.startswith("Read as: "):
            body["reading"] = _unescaped(line.removeprefix("Read as: "))
        elif line == "## Changes":
            body["diff"] = "".join(text for _, text in _fences(lines[number + 1 :]))
        elif line == "## To approve":
            end = next((n for n in range(number + 1, len(lines)) if lines[n].startswith("## ")), len(lines))
            section = lines[number + 1 : end]
            body["tick"] = next((each for each in section if each.startswith("- [")), "")
            body["matter"] = tuple((title.removesuffix(":"), text) for title, text in _fences(section))
    return body


def _quoted_lines(lines: list[str], begin: int) -> list[str]:
    block = []
    for line in lines[begin:]:
        if not line.startswith(">"):
            break
        block.append(line.removeprefix(">").removeprefix(" "))
    return block


def _parse_step(block: list[str], seconds: float) -> StepNote:
    found = dict(_fences(block))
    calls = tuple(found["Calls:"].split("\n")) if "Calls:" in found else ()
    return StepNote(found.get("Program:", ""), found.get("Printed:", ""), found.get("Error:", ""), calls, seconds)


def _fences(lines: list[str]) -> Iterable[tuple[str, str]]:
    """(the line before, the text) of each fenced block."""
    number = 0
    while number < len(lines):
        if fence := _FENCE.match(lines[number]):
            end = next((n for n in range(number + 1, len(lines)) if lines[n] == fence[1]), len(lines))
            yield (lines[number - 1] if number else ""), parse_fence(lines[number + 1 : end])
            number = end
        number += 1


def _unescaped(text: str) -> str:
    return re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", text)
