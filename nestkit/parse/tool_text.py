"""A tool in; what a person or a model is told of it, whole or in one line, out. *Pure*."""

from __future__ import annotations

from collections.abc import Sequence

from nestkit.tool import Effect, Parameter, Script, Tool


def draft_tool(tool: Tool, script: Script, effects: Sequence[str] | None = None) -> str:
    """The full description: signature, text, parameters, result, effects (or what is told of them), examples, place."""
    parts = [
        tool.signature,
        tool.text or tool.summary,
        _listed("Parameters", [_parameter(parameter) for parameter in tool.parameters]),
        _listed("Returns", tool.returns_text.splitlines()),
        _listed("Effects", _effects(tool) if effects is None else effects),
        _listed("Asked as", tool.utterances),
        _listed("Examples", [f"{example.call} -> {example.result}".removesuffix(" -> ") for example in tool.examples]),
        _listed("Needs", script.dependencies if script.path == tool.script else ()),
        f"In {tool.script}, line {tool.line}.",
    ]
    return "\n\n".join(part for part in parts if part)


def draft_tool_line(tool: Tool) -> str:
    """Signature and summary in one line, `fx.convert(amount: float) -> float # Convert an amount.`"""
    return " ".join(f"{tool.signature} # {tool.summary}".removesuffix(" # ").splitlines())


def _parameter(parameter: Parameter) -> str:
    """`name (type, default 3, --flag): what it is`."""
    kind = " or ".join(map(repr, parameter.choices)) or parameter.type
    needed = (
        "" if parameter.required or parameter.kind in ("rest", "options") else f"default {parameter.default or None}"
    )
    facts = ", ".join(fact for fact in (kind, needed, *parameter.flags) if fact)
    return f"{parameter.name}{f' ({facts})' if facts else ''}{f': {parameter.text}' if parameter.text else ''}"


def _effects(tool: Tool) -> list[str]:
    """What it asks for, what it seems to do besides, and when a person is asked."""
    asked = [str(effect) for effect in tool.declared or ()]
    seen = [_seen(effect) for effect in tool.undeclared]
    confirm = {"always": ["a person is asked before every call"], "write": [], "never": []}[tool.confirm]
    return [*asked, *seen, *confirm]


def _seen(effect: Effect) -> str:
    return f"{effect} (seen in line {effect.line}, not declared)"


def _listed(title: str, lines: Sequence[str]) -> str:
    return "\n".join((f"{title}:", *(f"  {line}" for line in lines))) if lines else ""
