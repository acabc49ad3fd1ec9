"""A model's reply in; its program, or what is wrong with it in words the model can act on, out. *Pure*.

Parsed leniently: fences, tags, JSON with a code field, calls in any manner, thinking that leaked into the text.
Executed strictly: what comes out is whole Python, or nothing, and nothing that a model made up as an outcome counts.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from nestkit.agent.blocks import PYTHON, Block, find_blocks, joined, parses, tidy, tree_of
from nestkit.agent.calls import (
    Call,
    calls_in,
    check_calls,
    draft_program,
    find_calls,
    find_json,
    find_program,
    find_react,
)
from nestkit.agent.schema import own_name
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


MOST_CHARS = 300_000
"""Of a reply that is looked at: many times what a program and its thought take."""
_TOO_LONG = f"the reply has more than {MOST_CHARS:,} characters; write one short program"


def parse_reply(reply: Reply) -> Action | Unusable:
    """The action in a reply; an Unusable says why there is none.

    A program that may have been cut off, by the server's limit, is never taken.
    """
    if reply.tool_calls:
        return _called([Call(*call) for call in reply.tool_calls], "")
    if len(reply.text) > MOST_CHARS:
        return Unusable(_TOO_LONG)
    whole = _tidied(reply.text)
    text, has_thought = split_thinking(whole)
    if not text.strip():
        return Unusable(_why_empty(reply, whole, has_thought))
    text = _before_made_up(text)
    found = find_blocks(text)
    if found and found[-1].is_open and reply.cut:
        return Unusable("the reply was cut off in the middle of the program; write a shorter one")
    blocks = _counting(found, text)
    programs = [program for block in blocks if (program := _program_in(block))]
    if programs:
        last_only = has_thought == "open"  # what comes before may be drafts
        return check_program(joined(programs[-1:] if last_only else programs), text[: blocks[0].begin].strip())
    value = find_json(text)[0]
    if calls := find_calls(text):
        return _called(calls, "")
    if program := find_program(value):
        return check_program(tidy(_inside(program)), "")
    if calls := find_react(text) or calls_in(value):
        return _called(calls, "")
    if program := _bare_program(text):
        return check_program(program, "")
    return Unusable(_why_none(text, blocks, reply.cut))


def parse_call(reply: Reply) -> Action | Unusable:
    """The one call in a reply of the JSON style, as a program of one line; the first, when there are several."""
    if len(reply.text) > MOST_CHARS:
        return Unusable(_TOO_LONG)
    calls = [Call(*call) for call in reply.tool_calls]
    text, has_thought = split_thinking(_tidied(reply.text))
    if not calls:
        value = find_json(text)[0]
        spelled = find_calls(text) or find_react(text) or calls_in(value)
        calls = [Call(own_name(call.name), call.arguments) for call in spelled]  # it was told the protocol's names
        if not calls and isinstance(value, dict) and "final_answer" in value:
            calls = [Call("final_answer", {"value": value["final_answer"]})]
    if calls:
        return _called(calls[:1], text.strip() if reply.tool_calls else "")
    if reply.cut:
        return Unusable("the reply was cut off before it called a tool; think less")
    if not text.strip():
        return Unusable("the reply is empty but for thinking" if has_thought else "the reply is empty")
    if any(_program_in(block) for block in find_blocks(text)):
        return Unusable("that is a program, and only calls are made here: call one tool")
    return Unusable("no tool is called in the reply; an answer is given by calling final_answer")


_NAMES = r"(?:think|thinking|thoughts?|reasoning|scratchpad|seed:think)"
_OPEN = rf"<{_NAMES}>|\[THINK\]|◁think▷|<\|begin_of_thought\|>|<\|START_THINKING\|>"
_CLOSE = rf"</{_NAMES}>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>|<\|END_THINKING\|>"
_TAGS = re.compile(rf"(?P<open>{_OPEN})|(?P<close>{_CLOSE})", re.I)
_ANALYSIS = re.compile(r"<\|channel\|>analysis(?! to=).*?(?:<\|end\|>|(?=<\|start\|>|<\|channel\|>)|$)", re.S)
_CHANNELS = re.compile(r"<\|(?:start|channel|message|constrain|end|call|return)\|>(?:assistant|final|commentary|json)?")
_MOST_ENDS = 8
_END = re.compile(r"(?:<\|[a-zA-Z_]{2,24}\|>|</s>|<end_of_turn>|<end_code>|<EOT>)$")


def _tidied(text: str) -> str:
    """The text without a byte-order mark, Windows' line ends, and the marks by which a turn ends."""
    text = text.replace("\r\n", "\n").removeprefix("\ufeff")
    for _ in range(_MOST_ENDS):
        end = _END.search(text.rstrip())
        if end is None or end[0] == "<|call|>":
            break
        text = text[: end.start()]
    return text


def split_thinking(text: str) -> tuple[str, str]:
    """(the text less its thinking, `closed`, `open` or nothing), also where one of the tags is missing.

    A tag that stands in a program, in one of its strings, is part of the program.
    """
    first = _TAGS.search(text)
    at = min(
        (place for place in (first and first.start(), _place(text, "<|channel|>")) if place is not None), default=-1
    )
    if at < 0 or any(block.begin < at < block.end and parses(block.text) for block in find_blocks(text)):
        return text, ""
    less, is_open = _without_thinking(text)
    if "<|channel|>" in less:
        less = _ANALYSIS.sub("", less)
        less = less if find_calls(less) else _CHANNELS.sub("\n", less)
    return less, "open" if is_open else "closed"


def _without_thinking(text: str) -> tuple[str, bool]:
    """(what stands outside the tags, whether the last one was never closed: what follows it stays)."""
    kept: list[str] = []
    place, opened = 0, None
    for tag in _TAGS.finditer(text):
        if tag["open"]:
            opened = opened or tag
            continue
        if opened is None:  # its opening tag was part of the prompt
            kept.clear()
        else:
            kept.append(text[place : opened.start()])
        place, opened = tag.end(), None
    if opened is None:
        return "".join((*kept, text[place:])), False
    return "".join((*kept, text[place : opened.start()], _TAGS.sub("", text[opened.end() :]))), True


def _place(text: str, mark: str) -> int | None:
    found = text.find(mark)
    return None if found < 0 else found


_MADE_UP = re.compile(
    r"^[ \t]*(?:\**(?:Observations?|(?:Tool |Program )?(?:Outputs?|Results?|Responses?))\**[ \t]*:|\**Observations?\b"
    r"|Step \d+: ?<data\b|<data name=|Execution (?:results?|logs?)\b|<tool_(?:response|output|result)s?>"
    r"|(?:User|Human|System|Tool)[ \t]*:)"
    r"|<\|im_start\|>(?:user|tool|system)\b|<\|(?:user|observation|tool_response)\|>|<start_of_turn>user\b"
    r"|<\|start_header_id\|>(?:user|ipython|tool)\b|<\|start\|>(?:user|functions\b)|<｜(?:User|tool▁outputs?▁begin)｜>|\[INST\]",
    re.M | re.I,
)
"""How a model begins an outcome, or a turn, that is not its own to tell."""
_MOST_MADE_UP = 8
_SHOWN = {"", "text", "txt", "output", "console", "plaintext", "result"}
"""Tags of fences that show something."""


def _before_made_up(text: str) -> str:
    """The text up to the first outcome that the model made up after a program or a call: what follows builds on it."""
    if _MADE_UP.search(text) is None:
        return text
    blocks = find_blocks(text)
    for mark in islice(_MADE_UP.finditer(text), _MOST_MADE_UP):
        if any(block.begin < mark.start() < block.end and parses(tidy(block.text)) for block in blocks):
            continue
        before = text[: mark.start()]
        if any(_program_in(block) for block in blocks if block.end <= mark.start()) or find_calls(before):
            return before
    return text


def _counting(blocks: Sequence[Block], text: str) -> Sequence[Block]:
    """The blocks less those that come after an outcome which the model made up: they build on it."""
    begun = False
    for number, block in enumerate(blocks):
        is_program = bool(_program_in(block))
        shows = block.tag in _SHOWN and not is_program
        if begun and (shows or _MADE_UP.search(text, blocks[number - 1].end, block.begin)):
            return blocks[:number]
        begun = begun or is_program
    return blocks


def _program_in(block: Block) -> str:
    """The program of a block that may be one: Python, or JSON that holds it."""
    if block.tag not in PYTHON and block.tag not in ("json", "tool_call", "tool_calls"):
        return ""
    value = find_json(block.text)[0] if block.text.lstrip()[:1] in ("{", "[") else None
    if program := find_program(value):
        return tidy(_inside(program))
    if block.tag not in PYTHON:
        return ""
    program = tidy(block.text)
    if block.tag or _CODE_LINE.search(program):
        return program
    tree = tree_of(program)
    return program if tree is not None and _does_something(tree) else ""


def _does_something(tree: ast.Module) -> bool:
    """Whether running it would do more than to look at bare words and numbers."""
    said = (node for node in tree.body if isinstance(node, ast.Expr))
    return any(not isinstance(node, ast.Expr) for node in tree.body) or any(
        isinstance(part, ast.Call) for node in said for part in ast.walk(node)
    )


_CODE_LINE = re.compile(r"\bfinal_answer\s*\(|^[ \t]*(?:import|from|for|print|while|def)\b", re.M)
"""A fence without a tag that is no Python may only show something; not so with such a line."""


def _inside(program: str) -> str:
    """A program out of the fence that stands in its JSON."""
    blocks = find_blocks(program) if not parses(program) else []
    return blocks[0].text if blocks else program


_LEAD = re.compile(r"^[ \t]*(?:Code|Program|Python|Action|Script)[ \t]*:[ \t]*$", re.M | re.I)


def _bare_program(text: str) -> str:
    """A program without any mark: the whole reply, or what follows a line such as `Code:`, or a last paragraph that
    answers. It must do something: prose and bare words are no program."""
    leads = islice(_LEAD.finditer(text), 5)
    tails = [text, *(text[lead.end() :] for lead in leads), text.rstrip().rpartition("\n\n")[2]]
    for tail in tails:
        tail = tidy(tail)
        tree = tree_of(tail)
        if tree and any(isinstance(node, ast.Call) for node in ast.walk(tree)):
            return tail
    last = text.rstrip().rpartition("\n")[2]
    return last if last.startswith("final_answer(") and parses(last) else ""


def _called(calls: Sequence[Call], thought: str) -> Action | Unusable:
    if wrong := check_calls(calls):
        return Unusable(wrong)
    return check_program(draft_program(calls), thought)


def check_program(program: str, thought: str) -> Action | Unusable:
    """The program if it is whole Python, with the mistake and its line if not."""
    program = program.strip("\n")
    if not program.strip():
        return Unusable("the fence is empty; write one program in it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(program)
    except SyntaxError as error:
        lines = program.splitlines()
        line = error.lineno or 1
        shown = lines[line - 1].strip() if line <= len(lines) else ""
        return Unusable(f"the program is not Python: {error.msg} on line {line}: {shown}", program)
    except (ValueError, RecursionError, MemoryError) as error:
        return Unusable(f"the program cannot be read: {error or type(error).__name__}", program)
    if any(_names_final_answer(node) for node in ast.walk(tree)):
        return Unusable("final_answer is a function, and a name of its own: call final_answer(value)", program)
    return Action(program + "\n", thought)


def _names_final_answer(node: ast.AST) -> bool:
    """Whether the name would stand for something else from here on."""
    if isinstance(node, ast.Name):
        return node.id == "final_answer" and not isinstance(node.ctx, ast.Load)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == "final_answer"


def _why_empty(reply: Reply, whole: str, has_thought: str) -> str:
    if reply.cut and (has_thought or reply.thinking or whole.strip()):
        return "the reply was cut off while you were thinking; think less and write the program at once"
    if has_thought or reply.thinking:
        return "the reply is empty but for thinking; write one program in a ```python fence"
    return "the reply is empty; write one program in a ```python fence"


_ANSWER = re.compile(r"^[^\w\n]{0,20}(?:the )?(?:final )?answer\b[^\w\n]{0,20}(?:is\b|:)", re.M | re.I)


def _why_none(text: str, blocks: Sequence[Block], cut: bool) -> str:
    """What the reply holds instead of a program."""
    if cut:
        return "the reply was cut off before any program; write the program at once"
    if blocks and not blocks[0].text.strip():
        return "the fence is empty; write one program in it"
    others = [block.tag for block in blocks if block.tag not in PYTHON]
    if others and others[0] not in ("json", "tool_call", "tool_calls"):
        return f"there is no program in the reply: its fence is tagged {others[0]!r}, and only ```python is run"
    if (others or text.lstrip()[:1] in ("{", "[")) and (wrong := find_json(text)[1]):
        return f"there is no program in the reply: its JSON is broken ({wrong}); write Python in a ```python fence"
    if _ANSWER.search(text):
        return "there is no program in the reply: an answer in words is not taken; call final_answer(value)"
    return "there is no program in the reply; write exactly one, in a ```python fence"
