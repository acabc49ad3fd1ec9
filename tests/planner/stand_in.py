"""A vault's files in; its vocabulary, and the built-in tools as plain functions, out: enough to run a planned program.

A simple reader for simple vaults. What Obsidian really does is tested where it is implemented.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from nestkit.note import PropertyWords, Vocabulary, title_of

Record = dict[str, Any]

_MARKS = {"due": "📅", "done": "✅", "scheduled": "⏳"}
_PRIORITY = {"⏫": "high", "🔼": "medium", "🔽": "low"}
_LINK = re.compile(r"\[\[([^\]|#]+)[^\]]*\]\]")


class _Loader(yaml.SafeLoader):
    """Dates stay text."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, pattern) for tag, pattern in pairs if not tag.endswith("timestamp")]
    for sign, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_vault(place: Path) -> dict[str, str]:
    """Path -> text of every note, from a folder or from one file in which `=== path` begins a note."""
    if place.is_dir():
        files = [file for file in sorted(place.rglob("*.md")) if "03_Runs" not in file.parts]
        return {file.relative_to(place).as_posix(): file.read_text("utf-8") for file in files}
    parts = re.split(r"^=== (.+)\n", place.read_text("utf-8"), flags=re.M)[1:]
    return dict(sorted(zip(parts[::2], (text.strip() + "\n" for text in parts[1::2]), strict=True)))


class Vault:
    """The notes of one small vault and the tools over them."""

    def __init__(self, notes: Mapping[str, str]) -> None:
        self.texts = notes
        self.records = [self._record(path, text) for path, text in notes.items()]
        self.all_tasks = [task for path, text in notes.items() for task in _tasks(path, text)]

    def vocabulary(self) -> Vocabulary:
        properties: dict[str, list[Any]] = {}
        fields: dict[str, list[Any]] = {}
        task_fields: dict[str, dict[str, None]] = {}
        for record in self.records:
            for name, value in record["properties"].items():
                properties.setdefault(name, []).append(value)
            for name, values in record["fields"].items():
                fields.setdefault(name, []).extend(values)
        for task in self.all_tasks:
            for name, value in task["fields"].items():
                task_fields.setdefault(name, {})[_said(value)] = None
        return Vocabulary(
            titles={record["path"]: record["title"] for record in self.records},
            aliases={alias: record["path"] for record in self.records for alias in record["aliases"]},
            folders=tuple(sorted({f for record in self.records for f in _folders(record["folder"])})),
            tags=tuple(sorted({tag for record in self.records for tag in record["tags"]})),
            properties={name: _words(values) for name, values in properties.items()},
            task_fields={name: tuple(values) for name, values in task_fields.items()},
            fields={name: _words(values) for name, values in fields.items()},
        )

    def run(self, program: str, tools: Mapping[str, Any] | None = None) -> Any:
        """What the program gives to `final_answer`."""
        answers: list[Any] = []
        scope: dict[str, Any] = {"final_answer": answers.append, **self.functions(), **(tools or {})}
        exec(compile(program, "program", "exec"), scope)
        assert len(answers) == 1, program
        return answers[0]

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The built-in tools that planned programs use."""
        names = ("list_notes", "read_note", "lines", "links", "backlinks", "tags", "tasks", "properties")
        return {name: getattr(self, name) for name in names}

    def list_notes(self, tag: str = "", folder: str = "", where: Mapping[str, Any] | None = None) -> list[Record]:
        return [
            record
            for record in self.records
            if (not tag or any((own + "/").lower().startswith(tag.lower() + "/") for own in record["tags"]))
            and (not folder or (record["folder"] + "/").lower().startswith(folder.lower() + "/"))
            and all(_equals(_ignoring_case(record["properties"], name), want) for name, want in (where or {}).items())
        ]

    def read_note(self, note: str) -> str:
        return self.texts[self._path(note)]

    def lines(self, text: str) -> list[Record]:
        return [
            {"path": path, "title": title_of(path), "line": number, "text": line.strip()}
            for path, body in self.texts.items()
            for number, line in enumerate(body.splitlines(), 1)
            if text.casefold() in line.casefold()
        ]

    def links(self, note: str) -> list[Record]:
        found = _LINK.findall(self.texts[self._path(note)])
        return [{"target": target, "resolved": self._resolve(target)} for target in found]

    def backlinks(self, note: str) -> list[Record]:
        path = self._path(note)
        return [{"source": r["path"], "title": r["title"]} for r in self.records if path in r["links"]]

    def tags(self) -> dict[str, int]:
        return dict(sorted(Counter(tag for record in self.records for tag in record["tags"]).items()))

    def tasks(self, note: str = "", status: str = "any") -> list[Record]:
        path = self._path(note) if note else ""
        wanted: dict[str, Callable[[Record], bool]] = {
            "any": lambda task: True,
            "open": lambda task: not task["complete"] and task["status"] != "-",
            "done": lambda task: task["complete"],
        }
        return [task for task in self.all_tasks if path in ("", task["path"]) and wanted[status](task)]

    def properties(self, note: str = "") -> dict[str, Any]:
        if note:
            return _split(self.texts[self._path(note)])[0]
        return dict(Counter(name for record in self.records for name in record["properties"]))

    def _record(self, path: str, text: str) -> Record:
        properties, body = _split(text)
        listed = properties.get("tags") or []
        tags = [listed] if isinstance(listed, str) else list(listed)
        tags += re.findall(r"(?<!\S)#([A-Za-z][\w/-]*)", re.sub(r"`[^`\n]*`", "", body))
        links = [self._resolve(target) for target in _LINK.findall(text)]
        return {
            "path": path,
            "title": title_of(path),
            "folder": path.rpartition("/")[0],
            "tags": list(dict.fromkeys(tags)),
            "aliases": properties.get("aliases") or [],
            "properties": properties,
            "fields": _fields(body),
            "links": list(dict.fromkeys(link for link in links if link)),
        }

    def _path(self, note: str) -> str:
        path = note if note in self.texts else self._resolve(note)
        assert path is not None, note
        return path

    def _resolve(self, target: str) -> str | None:
        return next((path for path in self.texts if title_of(path).lower() == title_of(target).lower()), None)


def _split(text: str) -> tuple[dict[str, Any], str]:
    head, fence, body = text.removeprefix("---\n").partition("\n---\n")
    if not (text.startswith("---\n") and fence):
        return {}, text
    try:
        return yaml.load(head, _Loader) or {}, body
    except yaml.YAMLError:
        return {}, body


def _fields(body: str) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for line in body.splitlines():
        if not re.match(r"\s*- \[.\]", line):
            for key, value in re.findall(r"^([A-Za-z][\w ]*):: *(.+)$", line) + re.findall(
                r"\[([\w ]+):: *([^\]]+)\]", line
            ):
                found.setdefault(key.strip().lower().replace(" ", "-"), []).append(_parsed(value))
    return found


def _tasks(path: str, text: str) -> list[Record]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        hit = re.match(r"\s*- \[(.)\] (.*)", line)
        if hit:
            fields = dict(re.findall(r"\[([\w ]+):: *((?:\[\[.*?\]\]|[^\]])+)\]", hit[2]))
            for name, mark in _MARKS.items():
                if day := re.search(rf"{mark} (\d{{4}}-\d\d-\d\d)", hit[2]):
                    fields[name] = day[1]
            fields.update(("priority", word) for mark, word in _PRIORITY.items() if mark in hit[2])
            found.append(
                {
                    "path": path,
                    "title": title_of(path),
                    "line": number,
                    "status": hit[1],
                    "done": hit[1] != " ",
                    "complete": hit[1] in "xX",
                    "text": hit[2],
                    "tags": re.findall(r"(?<!\S)#([A-Za-z][\w/-]*)", hit[2]),
                    "fields": fields,
                    "parent_line": None,
                }
            )
    return found


def _parsed(text: str) -> Any:
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    return float(text) if re.fullmatch(r"-?\d+\.\d+", text) else int(text) if re.fullmatch(r"-?\d+", text) else text


def _folders(folder: str) -> list[str]:
    parts = folder.split("/") if folder else []
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _words(values: list[Any]) -> PropertyWords:
    items = [item for value in values for item in (value if isinstance(value, list) else [value])]
    said = Counter(text for item in items if (text := _said(item)))
    kinds = Counter(_kind(value) for value in values)
    return PropertyWords(tuple(k for k, _ in kinds.most_common()), tuple(v for v, _ in said.most_common()), len(values))


def _kind(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "checkbox"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "list"
    return "date" if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) else "text"


def _said(value: Any) -> str:
    if value is None or isinstance(value, bool | dict | list):
        return ""
    link = _LINK.fullmatch(str(value).strip())
    return title_of(link[1]) if link else str(value)


def _ignoring_case(properties: Mapping[str, Any], name: str) -> Any:
    return next((value for key, value in properties.items() if key.lower() == name.lower()), None)


def _equals(value: Any, want: Any) -> bool:
    if isinstance(value, list):
        return any(_equals(item, want) for item in value)
    return _said(value).casefold() == _said(want).casefold() != ""
