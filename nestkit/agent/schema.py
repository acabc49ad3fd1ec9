"""Tools in; what a model's server is told of them for calling by JSON, and the way back from its names, out. *Pure*.

**Source**: the function form of OpenAI's API, which Ollama took over; names there are letters, digits, `_` and `-`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nestkit.agent.budget import count_tokens
from nestkit.agent.quote import plain, shorten
from nestkit.tool import Parameter, Tool

_TEXT_CHARS = 300
_NAME_CHARS = 64
_PARAMETERS = 40
"""More than a model can fill; the rest of a tool's parameters is left to `describe`."""
_FINAL = Tool(
    "final_answer",
    "",
    "builtin",
    parameters=(Parameter("value", text="The answer."),),
    summary="Finish with this answer.",
)


@dataclass(frozen=True, slots=True)
class Schemas:
    """The descriptions of tools, and their names as the protocol allows them."""

    described: tuple[Mapping[str, Any], ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    """Name in the protocol -> name of the tool."""

    @property
    def tokens(self) -> int:
        """An estimate of what they take in every request."""
        return count_tokens(json.dumps(self.described, ensure_ascii=False)) if self.described else 0

    def real_name(self, name: str) -> str:
        """The tool's own name; a name that a model found with `find_tools` stands for itself."""
        return self.names.get(name) or own_name(name)


def draft_schemas(tools: Sequence[Tool], most_tokens: int) -> Schemas:
    """Descriptions of the tools, the first that together take no more than so many tokens, and of final_answer."""
    described = [_draft(_FINAL)]
    names = {"final_answer": "final_answer"}
    for tool in tools:
        schema = _draft(tool)
        most_tokens -= count_tokens(json.dumps(schema, ensure_ascii=False))
        name = wire_name(tool.name)
        if most_tokens < 0 or name in names:
            continue
        described.append(schema)
        names[name] = tool.name
    return Schemas(tuple(described), names)


def wire_name(name: str) -> str:
    """The name with `__` for dots; what else the protocol does not allow is left out."""
    return re.sub(r"[^A-Za-z0-9_-]", "", name.replace(".", "__"))[:_NAME_CHARS]


def own_name(name: str) -> str:
    """The name of the tool that a name of the protocol stands for, as far as the name alone tells."""
    return name.removeprefix("functions.").replace("__", ".")


def _draft(tool: Tool) -> Mapping[str, Any]:
    taken = [parameter for parameter in tool.parameters if parameter.kind not in ("rest", "options")][:_PARAMETERS]
    parameters = {
        "type": "object",
        "properties": {parameter.name: _property(parameter) for parameter in taken},
        "required": [parameter.name for parameter in taken if parameter.required],
    }
    text = " ".join(plain(shorten(tool.summary or tool.text, _TEXT_CHARS)).split())
    function = {"name": wire_name(tool.name), "description": text, "parameters": parameters}
    return {"type": "function", "function": function}


def _property(parameter: Parameter) -> Mapping[str, Any]:
    text = plain(shorten(parameter.text, _TEXT_CHARS))
    if not parameter.required and parameter.default:
        text = f"{text} Default {plain(shorten(parameter.default, 60))}.".strip()
    return {**parameter.schema, **({"description": text} if text else {})}
