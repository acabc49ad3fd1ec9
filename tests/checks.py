"""Whether a run answers an ask as its case expects; one function for each kind of check."""

from __future__ import annotations

import re
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from nestkit.doors.ask import answer_text
from nestkit.run import Run

COMMAND = Path(sys.executable).with_name("nest")
"""The command as it is installed beside the Python that runs the tests."""

NestCommand = Callable[..., subprocess.CompletedProcess[str]]
Case = dict[str, Any]


def check_run(case: Case, run: Run) -> str:
    """What is wrong with the run, in a few words; empty when it is right."""
    if case["check"] not in _WITHOUT_ANSWER and run.status != "ok":
        return f"{run.status}: {run.end.reason}"
    wrong = _CHECKS[case["check"]](case, run)
    for word in case.get("must_contain", ()):
        if word not in said(run):
            wrong = wrong or f"{word!r} is missing in {said(run)!r}"
    if len(run.steps) < case.get("min_steps", 0):
        wrong = wrong or f"only {len(run.steps)} steps"
    return wrong


def said(run: Run) -> str:
    """All a person is told."""
    return " ".join([answer_text(run.end.answer) if run.status == "ok" else "", run.end.reason, run.end.hint])


def names(value: Any) -> list[str]:
    """Note names out of an answer: stems, NFC."""
    items: Iterable[Any] = value if isinstance(value, list) else answer_text(value).splitlines()
    return [_stem(item if isinstance(item, str) else answer_text(item)) for item in items if item not in ("none", "")]


def _stem(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).rpartition("/")[2].removesuffix(".md")


def _number(case: Case, run: Run) -> str:
    value = run.end.answer
    if isinstance(value, str):
        found = re.findall(r"-?\d+(?:\.\d+)?", value)
        value = float(found[0]) if len(found) == 1 else None
    wanted = case["expected"] if isinstance(case["expected"], list) else [case["expected"]]
    near = isinstance(value, (int, float)) and any(abs(value - w) <= case.get("tolerance", 0.01) for w in wanted)
    return "" if near else f"{run.end.answer!r} is not {case['expected']}"


def _equal(make: Callable[[Any], Any]) -> Callable[[Case, Run], str]:
    def check(case: Case, run: Run) -> str:
        found, wanted = make(run.end.answer), make(case["expected"])
        return "" if found == wanted else f"{found!r} is not {wanted!r}"

    return check


def _text(case: Case, run: Run) -> str:
    found, wanted = answer_text(run.end.answer).strip().casefold(), str(case["expected"]).strip().casefold()
    return "" if found == wanted or re.search(rf"\b{re.escape(wanted)}\b", found) else f"{found!r} is not {wanted!r}"


def _contains(case: Case, run: Run) -> str:
    expected = case["expected"]
    must, mustnot = (expected["must"], expected["mustnot"]) if isinstance(expected, dict) else (expected, [])
    text = answer_text(run.end.answer)
    missing = [each for each in must if each not in text]
    extra = [each for each in mustnot if each in text]
    return f"missing {missing}, extra {extra} in {text!r}" if missing or extra else ""


def _map(case: Case, run: Run) -> str:
    found, wanted = run.end.answer, case["expected"]
    if not isinstance(found, dict) or found.keys() != wanted.keys():
        return f"{found!r} is not {wanted!r}"
    return "" if all(_close(found[key], wanted[key]) for key in wanted) else f"{found!r} is not {wanted!r}"


def _close(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, (int, float)) and isinstance(found, (int, float)):
        return abs(found - wanted) <= 0.011
    return bool(found == wanted)


def _status(*allowed: str) -> Callable[[Case, Run], str]:
    def check(case: Case, run: Run) -> str:
        matched = re.search(case["must_not_match"], said(run)) if "must_not_match" in case else None
        any_of = case.get("must_contain_any")
        if run.status not in allowed or matched:
            return f"{run.status}: {said(run)}"
        return "" if not any_of or any(word in said(run) for word in any_of) else f"none of {any_of} in {said(run)!r}"

    return check


def _refusal_or_quote(case: Case, run: Run) -> str:
    return "" if run.status == "refused" or case["expected"]["quote"] in said(run) else said(run)


_CHECKS: dict[str, Callable[[Case, Run], str]] = {
    "number": _number,
    "text": _text,
    "set": _equal(lambda value: set(names(value))),
    "map": _map,
    "json": _equal(lambda value: value),
    "contains_all": _contains,
    "contains_exactly": _contains,
    "refusal": _status("refused"),
    "confirmation": _status("waiting"),
    "refusal_or_error": _status("ok", "refused", "error", "no_answer"),
    "refusal_or_quote": _refusal_or_quote,
    "status": _status("error"),
}
"""Kind of check -> function; the sample's `model_error` is the status `error` of the design."""

_WITHOUT_ANSWER = {"refusal", "confirmation", "refusal_or_error", "refusal_or_quote", "status"}
