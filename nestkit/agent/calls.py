"""Tool calls in the manners in which models spell them, in; names with arguments, or a program, out. *Pure*.

Models trained to call tools by JSON do so also when asked for Python. **Source:** the chat templates of Hermes and
Qwen (`<tool_call>`), Mistral (`[TOOL_CALLS]`), Llama 3 (`<function=...>`, `<|python_tag|>`), Qwen Coder
(`<parameter=...>`), gpt-oss (`to=functions...`, `to=python`), DeepSeek (`tool▁call▁begin`, DSML), Kimi, GLM
(`<arg_key>`), MiniMax (`<invoke>`), Gemma (`call:`), and the ReAct pattern (`Action:`, `Action Input:`).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping, Sequence
from keyword import iskeyword
from typing import Any, NamedTuple


class Call(NamedTuple):
    """One call that a model wants made."""

    name: str
    arguments: Mapping[str, Any] | str
    """By name; text when it could not be read."""


_MOST_WRAPPERS = 5
_CODE_KEYS = ("code", "program", "python", "source", "script")
_NAME_KEYS = ("name", "tool", "tool_name", "function", "action")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "kwargs", "action_input", "tool_input")
_INTERPRETERS = {"python", "python_interpreter", "code_interpreter", "execute", "execute_python", "run_python"}
"""Tools that models believe to have: the program stands in their one argument."""

_MARKED = re.compile(
    r"<(?P<tag>tool_calls?|function_calls?|tools?)>(?P<body>.*?)(?:</(?P=tag)>|(?=<(?P=tag)>)|$)"
    r"|\[TOOL_CALLS\](?P<list>.*?)(?=\[TOOL_CALLS\]|$)"
    r"|<function=(?P<name>[\w.-]+)>(?P<inner>.*?)(?:</function>|$)"
    r"|to=functions\.(?P<to>[\w.-]+)[^{]{0,200}?(?P<message>\{.*?)(?=<\||$)"
    r"|to=(?P<engine>(?:functions\.)?python)\b[^{]{0,80}?<\|message\|>(?P<code>.*?)(?=<\||$)"
    r"|<(?:\|tool_call_begin\||｜tool▁call▁begin｜)>(?P<begun>.*?)(?=<(?:\|tool_call|｜tool▁call)[_▁](?:begin|end)|$)"
    r'|<(?:｜DSML｜|[\w-]{1,20}:)?invoke name="(?P<invoked>[^"<>]{1,80})">'
    r"(?P<given>.*?)(?=</?(?:｜DSML｜|[\w-]{1,20}:)?invoke\b|$)"
    r"|<(?:start_function_call|\|tool_call)>\s*call:(?P<called>[\w.-]+)\{(?P<pairs>[^{}]{0,4000})\}",
    re.S,
)
_BEGUN = re.compile(r"\s*(?:function<｜tool▁sep｜>)?\s*(?:functions\.)?(?P<name>[\w.-]+)(?::\d+)?")
_GLM = re.compile(r"<arg_key>(?P<key>[^<>]*)</arg_key>\s*<arg_value>(?P<value>.*?)</arg_value>", re.S)
_INVOKED = re.compile(r'parameter name="(?P<key>[\w-]+)"[^<>]*>\n?(?P<value>.*?)\n?(?=</|$)', re.S)
_PAIR = re.compile(r"(?P<key>\w+):(?:<escape>(?P<one>.*?)<escape>|<\|\"\|>(?P<two>.*?)<\|\"\|>|(?P<bare>[^,]*))", re.S)
_ARGS = re.compile(r"\s*(?P<name>[\w.-]+)\s*(?:\[CALL_ID\]\w*)?\s*(?:\[ARGS\])?\s*(?=\{)")
_PARAMETER = re.compile(r"<parameter=(?P<key>[\w-]+)>\n?(?P<value>.*?)\n?(?:</parameter>|(?=<parameter=)|$)", re.S)
_REACT = re.compile(
    r"^[ \t]*Action[ \t]*:[ \t]*`?(?P<name>[\w.]+)`?[ \t]*\n[ \t]*(?:Action )?Input[ \t]*:(?P<input>.*)\Z", re.M | re.S
)


def find_calls(text: str) -> list[Call]:
    """The calls in a text that marks them as such, in order."""
    found: list[Call] = []
    for mark in _MARKED.finditer(text):
        read = next((read for part, read in _READ.items() if mark[part] is not None), None)
        found += [read(mark)] if read else _in_body(mark["list"] if mark["list"] is not None else mark["body"])
    return found


def _in_body(text: str) -> list[Call]:
    """The calls between the tags of Hermes, behind the mark of Mistral, and the like."""
    if named := _ARGS.match(text):
        return [Call(named["name"], _arguments(find_json(text[named.end() :])[0]))]
    if (keys := _pairs(_GLM, text)) and (name := text.partition("<")[0].strip()):
        return [Call(name, keys)]
    return find_calls(text) or calls_in(find_json(text)[0])


def _begun(mark: re.Match[str]) -> Call:
    """A name, and JSON somewhere behind it."""
    named = _BEGUN.match(mark["begun"])
    name = named["name"] if named else mark["begun"].strip()
    return Call(name, _arguments(find_json(mark["begun"])[0]))


def _code(mark: re.Match[str]) -> Call:
    """A program as it is, or in the JSON of a call."""
    value = find_json(mark["code"])[0] if mark["code"].lstrip().startswith("{") else None
    return Call("python", value if isinstance(value, dict) else mark["code"])


def _pairs(pattern: re.Pattern[str], text: str) -> dict[str, Any]:
    """Arguments that stand between marks, values as JSON where they are any."""
    found: dict[str, Any] = {}
    for pair in pattern.finditer(text):
        key, *values = pair.groups()
        bare = next((value for value in values if value is not None), "")
        quoted = pattern is _PAIR and pair["bare"] is None
        found[key] = bare if quoted else _value(bare.strip() if pattern is _PAIR else bare)
    return found


_READ: Mapping[str, Callable[[re.Match[str]], Call]] = {
    "name": lambda mark: Call(mark["name"], _named_values(mark["inner"])),
    "to": lambda mark: Call(mark["to"], _arguments(find_json(mark["message"])[0])),
    "engine": _code,
    "begun": _begun,
    "invoked": lambda mark: Call(mark["invoked"], _pairs(_INVOKED, mark["given"])),
    "called": lambda mark: Call(mark["called"], _pairs(_PAIR, mark["pairs"])),
}
"""Part of a mark -> the call that it spells."""


def find_react(text: str) -> list[Call]:
    """The call of `Action: name` and `Action Input: {...}`, whatever the model invents after it left out."""
    found = _REACT.search(text)
    if found is None:
        return []
    given = re.split(r"^[ \t]*(?:Observation|Thought)[ \t]*:", found["input"], maxsplit=1, flags=re.M)[0].strip()
    value = find_json(given)[0]
    return [Call(found["name"], value if isinstance(value, dict) else given.strip("`\"'\n "))]


def find_json(text: str) -> tuple[Any, str]:
    """(the first JSON value of a text that is an object or a list, what is wrong with it); None when there is none.

    Read as models write it: newlines inside texts, Python's quotes and constants, a comma before the end.
    """
    begin = next((place for place, letter in enumerate(text) if letter in "{["), -1)
    if begin < 0:
        return None, ""
    wrong = ""
    for form in (text[begin:], _without_commas(text[begin:])):
        try:
            return json.JSONDecoder(strict=False).raw_decode(form)[0], ""
        except RecursionError:
            return None, "it is nested too deeply"
        except json.JSONDecodeError as error:
            wrong = wrong or f"{error.msg} at character {begin + error.pos + 1}"
    try:
        value = ast.literal_eval(text[begin : text.rindex("}" if text[begin] == "{" else "]") + 1])
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None, wrong
    return (value, "") if isinstance(value, (dict, list)) else (None, wrong)


def find_program(value: Any) -> str:
    """The program in a JSON value: its code field, or the calls that it spells; empty when it holds neither."""
    if isinstance(value, dict):
        if code := _code_of(value):
            return code
        if "final_answer" in value and not any(key in value for key in _NAME_KEYS):
            return draft_program([Call("final_answer", {"value": value["final_answer"]})])
    return draft_program(calls_in(value))


def calls_in(value: Any, depth: int = 0) -> list[Call]:
    """The calls that a JSON value spells, in any of the usual shapes."""
    if isinstance(value, list):
        return [call for item in value[:50] if isinstance(item, dict) for call in calls_in(item, depth)]
    if not isinstance(value, dict) or depth > _MOST_WRAPPERS:
        return []
    for wrapper in ("tool_calls", "tool_call", "function_call", "function"):
        if isinstance(value.get(wrapper), (dict, list)):
            return calls_in(value[wrapper], depth + 1)
    name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), "")
    key = next((key for key in _ARGUMENT_KEYS if key in value), "")
    if not name or not (key or set(value) <= {"name", "tool", "type", "id", "thought"}):
        return []
    return [Call(name, _arguments(value.get(key, {})))]


def draft_program(calls: Sequence[Call]) -> str:
    """The program that makes these calls and shows what came of each; empty when a call cannot be Python."""
    lines = [_line(call) for call in calls]
    return "\n".join(lines) if all(lines) else ""


def check_calls(calls: Sequence[Call]) -> str:
    """What is wrong with calls that cannot be made, in words for the model; empty when nothing is."""
    for call in calls:
        if not is_name(call.name):
            return f"{call.name[:80]!r} is no name of a tool"
        if isinstance(call.arguments, str) and not _code_of_call(call):
            return f"the arguments of {call.name} are no JSON object: {call.arguments[:80]}"
    return ""


def is_name(name: str) -> bool:
    """Whether a program could write this name, dots included."""
    return all(part.isidentifier() and not iskeyword(part) for part in name.split("."))


def _line(call: Call) -> str:
    if code := _code_of_call(call):
        return code
    if not is_name(call.name) or isinstance(call.arguments, str):
        return ""
    plain = {key: value for key, value in call.arguments.items() if key.isidentifier() and not iskeyword(key)}
    odd = {key: value for key, value in call.arguments.items() if key not in plain}
    shown = [f"{key}={value!r}" for key, value in plain.items()] + ([f"**{odd!r}"] if odd else [])
    made = f"{call.name}({', '.join(shown)})"
    return made if call.name == "final_answer" else f"print({made})"


def _code_of_call(call: Call) -> str:
    """The program that a call of an interpreter carries."""
    if call.name.rpartition(".")[2].lower() not in _INTERPRETERS:
        return ""
    if isinstance(call.arguments, str):
        return call.arguments
    texts = [value for value in call.arguments.values() if isinstance(value, str)]
    return _code_of(call.arguments) or (texts[0] if len(texts) == 1 else "")


def _code_of(value: Mapping[str, Any]) -> str:
    """The text, or the lines, of a code field; a program may also be the input of an interpreter's action."""
    for key in _CODE_KEYS:
        if isinstance(code := value.get(key), str):
            return code
        if isinstance(code, list) and code and all(isinstance(line, str) for line in code):
            return "\n".join(code)
    code = value.get("action_input")
    action = str(value.get("action", "python")).lower()
    return code if isinstance(code, str) and action in _INTERPRETERS else ""


def _arguments(value: Any) -> Mapping[str, Any] | str:
    if isinstance(value, str):
        inner = find_json(value)[0] if value.strip() else {}
        return inner if isinstance(inner, dict) else value
    if value is None:
        return {}
    return {str(key): each for key, each in value.items()} if isinstance(value, dict) else json.dumps(value)


def _named_values(text: str) -> Mapping[str, Any] | str:
    """Arguments as one JSON object, or as `<parameter=key>value</parameter>`, values as JSON where they are any."""
    if pairs := list(_PARAMETER.finditer(text)):
        return {pair["key"]: _value(pair["value"]) for pair in pairs}
    return _arguments(find_json(text)[0]) if text.strip() else {}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _without_commas(text: str) -> str:
    return re.sub(r",(\s*[}\]])", r"\1", text)
