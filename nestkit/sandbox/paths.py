"""A tool and its checked arguments in; note names and links turned into what the tool opens, out. *Pure*.

People and models name notes, scripts open files. What a parameter is for is told by its type and its name; where that
says nothing, the value stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from nestkit.tool import Parameter, Tool

_LINK = re.compile(r"!?\[\[([^\[\]|#]+)(?:#[^\[\]|]*)?(?:\|[^\[\]]*)?\]\]")
_OPENED = re.compile(r"(.*_)?(path|file|filename|filepath)")
"""Names of parameters that take the path of a file, whatever their type."""
_MADE = re.compile(r"(.*_)?(out|output|dest|destination|target|to|save)(_.*)?")
"""Names of those that a file is written to: a note of that name is not meant."""
_NOTE = re.compile(r"(.*_)?notes?(_name|_title)?")


def as_opened(
    tool: Tool, arguments: Mapping[str, Any], find: Callable[[str], str | None], is_file: Callable[[str], bool]
) -> dict[str, Any]:
    """The arguments, note names made paths where a path is wanted, links made names where a name is.

    `find` gives a note's path by name or link, `is_file` tells whether a path is there as it is written.
    """
    known = {parameter.name: parameter for parameter in tool.parameters}

    def opened(parameter: Parameter, value: Any) -> Any:
        if isinstance(value, list):
            return [opened(parameter, item) for item in value]
        if not isinstance(value, str):
            return value
        link = _LINK.fullmatch(value.strip())
        if _takes_path(parameter):
            return value if not link and is_file(value) else find(value) or value
        return link[1].strip() if link and _NOTE.fullmatch(parameter.name.lower()) else value

    return {name: opened(known[name], value) if name in known else value for name, value in arguments.items()}


def _takes_path(parameter: Parameter) -> bool:
    name = parameter.name.lower()
    if _MADE.fullmatch(name):
        return False
    return _is_path(parameter.schema) or (_is_text(parameter.schema) and bool(_OPENED.fullmatch(name)))


def _is_path(schema: Mapping[str, Any]) -> bool:
    inner = [*schema.get("anyOf", ()), *([schema["items"]] if schema.get("items") else ())]
    return schema.get("format") == "path" or any(map(_is_path, inner))


def _is_text(schema: Mapping[str, Any]) -> bool:
    return not schema or (schema.get("type") == "string" and not schema.get("enum"))
