"""What Obsidian really does: each case is written to an empty folder, asked through the hall, compared.

`obsidian.jsonl` are cases recorded from the app, documented or agreed upon; `vaults.jsonl` further ones of the rules
that concern more than one file.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nestkit.nest import Nest, open_nest
from nestkit.testing import make_vault

CASES = [
    json.loads(line)
    for name in ("obsidian.jsonl", "vaults.jsonl")
    for line in (Path(__file__).parent / "cases" / name).read_text("utf-8").splitlines()
]

_ANSWERS: dict[str, Callable[[Nest, dict[str, Any]], Any]] = {
    "links": lambda nest, q: nest.links(q["path"]),
    "embeds": lambda nest, q: nest.embeds(q["path"]),
    "resolve": lambda nest, q: nest.resolve(q["from"], q["link"]),
    "backlinks": lambda nest, q: nest.backlinks(q["path"]),
    "unresolved": lambda nest, q: nest.unresolved(),
    "tags": lambda nest, q: nest.tags(q["path"]),
    "notes_with_tag": lambda nest, q: nest.notes(q["tag"]),
    "notes": lambda nest, q: nest.notes(),
    "frontmatter": lambda nest, q: nest.properties(q["path"]),
    "property_kind": lambda nest, q: nest.property_kind(q["path"], q["name"]),
    "headings": lambda nest, q: nest.headings(q["path"]),
    "subpath": lambda nest, q: nest.section(q["path"], q["subpath"]),
    "blocks": lambda nest, q: nest.blocks(q["path"]),
    "aliases": lambda nest, q: nest.aliases(q["path"]),
    "tasks": lambda nest, q: nest.tasks(q["path"]),
    "inline_fields": lambda nest, q: nest.fields(q["path"]),
}


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_nest_reads_a_vault_as_obsidian_does(case: dict[str, Any], tmp_path: Path) -> None:
    vault = make_vault(tmp_path / "vault", case["vault"])
    with open_nest(vault, vault, environ=_folders(tmp_path)) as nest:
        nest.refresh()
        found = _ANSWERS[case["query"]["op"]](nest, case["query"])
    assert _agree(case["compare"], found, case["expected"]), f"found {found!r}, expected {case['expected']!r}"


def _folders(tmp_path: Path) -> dict[str, str]:
    return {f"NEST_{name}_DIR": str(tmp_path / name) for name in ("CACHE", "STATE", "CONFIG")}


def _agree(compare: str, found: Any, expected: Any) -> bool:
    if compare == "exact":
        return bool(found == expected and type(found) is type(expected))
    if compare == "exact_nfc":
        return unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", expected)
    if compare == "subset":
        return _inside(expected, found)
    if compare == "subset_list":
        return len(found) == len(expected) and all(map(_inside, expected, found))
    if compare == "subset_set":
        return len(found) == len(expected) and all(any(_inside(e, f) for f in found) for e in expected)
    fold = str.casefold if compare == "set_ci" else str
    return {fold(item) for item in found} == {fold(item) for item in expected}


def _inside(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(
            name in found and found[name] == value for name, value in expected.items()
        )
    return bool(found == expected)
