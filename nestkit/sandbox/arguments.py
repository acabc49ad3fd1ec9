"""A call as a program wrote it and the tool it names in; checked arguments by name out. *Pure*."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nestkit.sandbox.values import Misfit, fit, shown
from nestkit.tool import Parameter, Tool

_LISTS = frozenset(("*", "+", "..."))


class BadArguments(TypeError):
    """A call that its tool cannot take: which argument, what it takes instead, and the whole signature."""


def bind(tool: Tool, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by the tool's own names, each of the kind it wants; what was not given is left out.

    `*rest` comes out as a list under its name, `**options` as a mapping under its name. Text is turned into numbers,
    truth values and lists where the tool wants those, as a command line needs it; nothing is guessed beyond that.

    Raises BadArguments.
    """
    given = _by_position(tool, args)
    unknown: dict[str, Any] = {}
    for name, value in kwargs.items():
        parameter = _named(tool, name)
        if parameter is None:
            unknown[name] = value
        elif parameter.name in given:
            raise BadArguments(f"{tool.short}() is given two values for {parameter.name!r}: {tool.signature}")
        else:
            given[parameter.name] = value
    _collect_options(tool, unknown, given)
    missing = [parameter.name for parameter in tool.parameters if parameter.required and parameter.name not in given]
    if missing:
        raise BadArguments(f"{tool.short}() is missing {_listed(missing)}: {tool.signature}")
    _check_gaps(tool, given)
    return {p.name: _fitted(tool, p, given[p.name]) for p in tool.parameters if p.name in given}


def _by_position(tool: Tool, args: Sequence[Any]) -> dict[str, Any]:
    """Values given without a name. What takes a list takes all that are left, as on a command line."""
    places = [parameter for parameter in tool.parameters if parameter.kind in ("positional", "either", "rest")]
    given: dict[str, Any] = {}
    left = list(args)
    for parameter in places:
        if not left:
            break
        takes_all = parameter.kind == "rest" or (parameter.nargs in _LISTS and not parameter.flags)
        if takes_all and not (parameter.nargs in _LISTS and isinstance(left[0], list | tuple)):
            given[parameter.name], left = left, []
        else:
            given[parameter.name] = left.pop(0)
    if left:
        taken = len(args) - len(left)
        more = [parameter.name for parameter in tool.parameters if parameter.kind == "keyword"]
        hint = f"; give {_listed(more, 'or')} by name" if more else ""
        raise BadArguments(
            f"{tool.short}() takes {taken} values without a name, not {len(args)}{hint}: {tool.signature}"
        )
    return given


def _named(tool: Tool, name: str) -> Parameter | None:
    """The parameter of this name; `from` finds `from_`, and `no-color` finds `no_color`."""
    plain = name.replace("-", "_")
    found = (parameter for parameter in tool.parameters if parameter.name in (name, plain, f"{plain}_"))
    return next((parameter for parameter in found if parameter.kind != "options"), None)


def _collect_options(tool: Tool, unknown: Mapping[str, Any], given: dict[str, Any]) -> None:
    options = next((parameter.name for parameter in tool.parameters if parameter.kind == "options"), None)
    # a private parameter is hidden from the tool's signature, so `**options` must not lead to it
    wrong = [name for name in unknown if options is None or name.startswith("_")]
    if wrong:
        raise BadArguments(_unknown_names(tool, wrong))
    if options is not None and unknown:
        given[options] = dict(unknown)


def _unknown_names(tool: Tool, wrong: Sequence[str]) -> str:
    """`convert() has no parameter 'from_currency'; it takes amount, source, target: fx.convert(...)`."""
    from difflib import get_close_matches  # late: only mistakes need it

    names = [parameter.name for parameter in tool.parameters]
    nearest = [match for name in wrong for match in get_close_matches(name[:100], names, 1)]
    guess = f"; did you mean {_listed(list(dict.fromkeys(nearest)), 'and')}?" if nearest else ""
    takes = f"it takes {', '.join(names)}" if names else "it takes no arguments"
    plural = "s" if len(wrong) > 1 else ""
    return f"{tool.short}() has no parameter{plural} {_listed(wrong, 'and')}{guess or ';'} {takes}: {tool.signature}"


def _check_gaps(tool: Tool, given: Mapping[str, Any]) -> None:
    """Python fills `*rest` and positional-only parameters from the left, so none before them may be left out."""
    if tool.manner != "function":
        return
    skipped = ""
    has_rest = any(parameter.kind == "rest" and given.get(parameter.name) for parameter in tool.parameters)
    for parameter in tool.parameters:
        if parameter.kind == "positional" or (has_rest and parameter.kind in ("either", "rest")):
            if parameter.name not in given:
                skipped = skipped or parameter.name
            elif skipped:
                what = f"{tool.short}() can only be given {parameter.name!r} together with {skipped!r}"
                raise BadArguments(f"{what}: {tool.signature}")


def _fitted(tool: Tool, parameter: Parameter, value: Any) -> Any:
    if parameter.kind == "rest" and not isinstance(value, list | tuple):
        value = [value]
    if value is None and not parameter.required and parameter.flags:  # an option left out by hand
        return None
    try:
        return fit(value, parameter.schema)
    except Misfit as misfit:
        what = f"{tool.short}(): {parameter.name} should be {misfit}, not {shown(value)}"
        raise BadArguments(f"{what}: {tool.signature}") from None


def _listed(names: Sequence[str], word: str = "and") -> str:
    quoted = [shown(name) for name in names]
    return f" {word} ".join(filter(None, (", ".join(quoted[:-1]), quoted[-1])))
