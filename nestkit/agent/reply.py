"""A model's reply in; its program, or what is wrong with it in words the model can act on, out. *Pure*.

Parsed leniently: fences of any tag, `<code>` tags with missing or half closers, JSON with a code field, tool calls as
JSON, thinking that leaked into the text. Executed strictly: what comes out is whole Python, or nothing.
"""

from __future__ import annotations

import ast
import json
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from nestkit.model import Reply


@dataclass(frozen=True, slots=True)
class Action:
    """What the model wants run."""

    program: str
    thought: str = ""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A reply without a program."""

    reason: str
    """What is wrong, to be told to the model."""
    program: str = ""
    """The text that is no Python, when there was one."""


def parse_reply(reply: Reply) -> Action | Unusable:
    """The action in a reply; an Unusable says why there is none.

    A program that may have been cut off, by the server's limit, is never taken.
    """
    if reply.tool_calls:
        return _checked("\n".join(_call(name, arguments) for name, arguments in reply.tool_calls), "")
    text = _without_thinking(reply.text.replace("\r\n", "\n"))
    if not text.strip():
        return Unusable("the reply is empty; write one program in a ```python fence")
    blocks, thought, is_open = _blocks(text)
    if is_open and reply.cut:
        return Unusable("the reply was cut off in the middle of the program; write a shorter one")
    if blocks:
        return _checked(_joined(blocks), thought)
    if program := _from_json(text):
        return _checked(program, "")
    if _is_program(text):
        return _checked(text, "")
    return Unusable("there is no program in the reply; write exactly one, in a ```python fence")


_THINKING = re.compile(r"<(think|thinking|thought|reasoning)>.*?</\1>", re.S | re.I)
_THOUGHT_END = re.compile(r"^.*</(?:think|thinking|thought|reasoning)>", re.S | re.I)
_THOUGHT_BEGIN = re.compile(r"<(?:think|thinking|thought|reasoning)>", re.I)


def _without_thinking(text: str) -> str:
    """The reply less its thinking, also where one of its tags is missing."""
    text = _THINKING.sub("", text)
    text = _THOUGHT_END.sub("", text)  # its opening tag was part of the prompt, as some templates have it
    return _THOUGHT_BEGIN.sub("", text)  # never closed: what follows may still hold the program


_FENCE = re.compile(r"^[ \t>]*(?P<mark>`{3,}|~{3,})[ \t]*(?P<tag>[\w+#.-]*)[^\n`]*$", re.M)
_TAG = re.compile(r"<(?P<tag>code|execute|python|tool_code|program)>", re.I)
_PYTHON = {"", "python", "py", "python3", "py3", "code", "tool_code", "ipython", "execute"}


def _blocks(text: str) -> tuple[list[str], str, bool]:
    """(programs in order, the words before the first, whether the last one was never closed)."""
    for find in (_fenced, _tagged):
        found = list(find(text))
        if found:
            programs = [program for _, program, _ in found]
            return programs, text[: found[0][0]].strip(), found[-1][2]
    return [], text.strip(), False


def _fenced(text: str) -> Iterator[tuple[int, str, bool]]:
    """(place, program, still open) of each fence that may hold Python, or JSON that holds it."""
    place = 0
    while opening := _FENCE.search(text, place):
        body, place, is_open = _body(text, opening)
        tag = opening["tag"].lower()
        if tag == "json" and (program := _from_json(body)):
            yield opening.start(), program, is_open
        elif tag in _PYTHON and (tag or not _looks_like_output(body)):
            yield opening.start(), _from_json(body) or body, is_open


def _body(text: str, opening: re.Match[str]) -> tuple[str, int, bool]:
    """The text up to the closing fence that makes it whole Python, else up to the first one."""
    begin = min(opening.end() + 1, len(text))
    closer = re.compile(rf"^[ \t>]*{re.escape(opening['mark'][0])}{{{len(opening['mark'])},}}[ \t]*(?=\n|$|<)", re.M)
    ends = list(closer.finditer(text, begin))
    for end in ends:
        if _parses(text[begin : end.start()]):
            return text[begin : end.start()], end.end(), False
    if ends:
        return text[begin : ends[0].start()], ends[0].end(), False
    inline = re.search(rf"{re.escape(opening['mark'])}\s*$", text[begin:])
    rest = text[begin : begin + inline.start()] if inline else text[begin:]
    return rest, len(text), inline is None


def _tagged(text: str) -> Iterator[tuple[int, str, bool]]:
    """The same of `<code>` and its like; a closer that a stop sequence cut in half is taken off."""
    place = 0
    while opening := _TAG.search(text, place):
        closer = re.compile(rf"</?{opening['tag']}>", re.I).search(text, opening.end())
        rest = text[opening.end() : closer.start() if closer else len(text)]
        half = re.search(r"<(?:/\w*)?\s*$", rest)
        yield opening.start(), rest[: half.start()] if half and not closer else rest, closer is None and half is None
        place = closer.end() if closer else len(text)


def _looks_like_output(body: str) -> bool:
    """A fence without a tag that is no Python may only show something."""
    return not _parses(body) and not re.search(r"\bfinal_answer\s*\(|^\s*(?:import|from|for|print)\b", body, re.M)


def _joined(blocks: Sequence[str]) -> str:
    """All blocks as one program, one that says the same again left out; after final_answer nothing counts."""
    kept: list[str] = []
    for block in (textwrap.dedent(block.expandtabs(4) if "\t" in block else block).strip("\n") for block in blocks):
        if block.strip() and block not in kept:
            kept.append(block)
    return "\n".join(kept)


_CODE_KEYS = ("code", "program", "python", "action_input")
_NAME_KEYS = ("tool", "name", "function", "tool_name", "action")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input", "kwargs")


def _from_json(text: str) -> str:
    """The program in a JSON object with a code field, or the call that it spells; empty when it is neither."""
    begin = text.find("{")
    if begin < 0:
        return ""
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text[begin:])
    except (json.JSONDecodeError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    for key in _CODE_KEYS:
        if isinstance(code := value.get(key), str):
            inner = _FENCE.search(code)
            return _body(code, inner)[0] if inner else code
    return _spelled_call(value)


def _spelled_call(value: Mapping[str, Any]) -> str:
    if isinstance(inner := value.get("function"), dict):
        value = inner
    name = next((value[key] for key in _NAME_KEYS if isinstance(value.get(key), str)), "")
    arguments: Any = next((value[key] for key in _ARGUMENT_KEYS if key in value), {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except json.JSONDecodeError:
            return ""
    return _call(name, arguments) if name and isinstance(arguments, dict) else ""


def _call(name: str, arguments: Mapping[str, Any]) -> str:
    """The program that makes this call and shows what came of it; a name that is no name becomes no Python."""
    if not all(part.isidentifier() and not iskeyword(part) for part in name.split(".")):
        return f"{name!r} is no tool"
    plain = {key: value for key, value in arguments.items() if key.isidentifier() and not iskeyword(key)}
    odd = {key: value for key, value in arguments.items() if key not in plain}
    shown = [f"{key}={value!r}" for key, value in plain.items()] + ([f"**{odd!r}"] if odd else [])
    call = f"{name}({', '.join(shown)})"
    return call if name == "final_answer" else f"print({call})"


def _is_program(text: str) -> bool:
    """Whether a reply without any mark is Python that does something: prose and bare words are not."""
    tree = _tree(text)
    return tree is not None and any(isinstance(node, ast.Call) for node in ast.walk(tree))


def _checked(program: str, thought: str) -> Action | Unusable:
    """The program if it is whole Python, with the mistake and its line if not."""
    program = program.strip("\n")
    if not program.strip():
        return Unusable("the fence is empty; write one program in it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(program)
    except SyntaxError as error:
        lines = program.splitlines()
        line = error.lineno or 1
        shown = lines[line - 1].strip() if line <= len(lines) else ""
        return Unusable(f"the program is not Python: {error.msg} on line {line}: {shown}", program)
    except (ValueError, RecursionError, MemoryError) as error:
        return Unusable(f"the program cannot be read: {error or type(error).__name__}", program)
    return Action(program + "\n", thought)


def _parses(text: str) -> bool:
    return bool(text.strip()) and _tree(textwrap.dedent(text)) is not None


def _tree(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
