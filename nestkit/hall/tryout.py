"""A model's name in; three small tasks tried for real, and a plain verdict, out. Part of the hall. *Network, Process*.

The tasks are what every ask needs: a program in a fence, two tools composed, an error mended. Their answers cannot be
guessed, and the programs run in the same isolation as any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from nestkit.agent.loop import count_down, steps
from nestkit.agent.prompt import draft_prompt, load_prompt
from nestkit.config import Servers
from nestkit.hall.servers import Line, open_chat, window_of
from nestkit.parse.tool_text import draft_tool_line
from nestkit.policy import Limits
from nestkit.run import Ask, End, Step
from nestkit.sandbox.broker import Broker
from nestkit.sandbox.engine import Engine, open_engine
from nestkit.tool import Parameter, Tool

SECONDS = 60.0
"""For one task; the first may take as long again, since the model is loaded then."""
_STEPS = 4
_GOOD_WINDOW = 8192


@dataclass(frozen=True, slots=True)
class Task:
    """One thing a model is asked."""

    name: str
    ask: str
    answer: float
    """Right when a number of the answer comes this near."""
    near: float = 0.01


TASKS = (
    Task("a program in a fence", "What is 1234 times 5678? Let the program compute it.", 7006652),
    Task("two tools composed", "What is all our stock of lamps worth in USD, rounded to a whole number?", 3142, 0.6),
    Task("an error mended", "How many kilograms does one lamp weigh?", 2.75),
)
_STOCK, _PRICE, _RATE, _WEIGHT = 37, 78.15, 1.0866, 2.75


@dataclass(frozen=True, slots=True)
class Tried:
    """How one task went."""

    task: str
    done: bool
    why: str = ""
    """Why not, in a few words."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be thought of a model on this machine."""

    model: str
    tried: tuple[Tried, ...]
    window: int = 0
    """Tokens that the server gave it; 0 when that is not known."""
    longest: int = 0
    """Tokens that it could have; 0 when that is not known."""
    speed: float = 0.0
    """Tokens written in a second."""
    load_seconds: float = 0.0
    unusable: int = 0
    """Replies that held no program."""

    @property
    def good(self) -> bool:
        return all(tried.done for tried in self.tried)

    def draft(self) -> str:
        """One line for a person."""
        done = sum(tried.done for tried in self.tried)
        word = {len(self.tried): "good", 0: "not usable here"}.get(done, "of limited use")
        failed = "; ".join(f"{tried.task}: {tried.why}" for tried in self.tried if not tried.done)
        figures = [
            f"window {self.window} of {self.longest}" if self.window and self.longest else "",
            f"{self.speed:.0f} tokens a second" if self.speed else "",
            f"loaded in {self.load_seconds:.0f} s" if self.load_seconds >= 1 else "",
        ]
        shown = ", ".join(filter(None, figures))
        return f"{self.model}: {word}, {done} of {len(self.tried)} tasks{f' ({failed})' if failed else ''}; {shown}"

    def advice(self) -> str:
        """What to change; empty when all is well."""
        if not self.good and self.unusable:
            return "it does not keep to one program in a fence: try --style json, or a model made for code"
        if not self.good:
            return "choose a larger model, or leave it to the built-in planner: --model builtin"
        if 0 < self.window < _GOOD_WINDOW and self.longest > self.window:
            return f"its window is small: set [ask] tokens = {min(self.longest, 2 * _GOOD_WINDOW)} in config.toml"
        if 0 < self.speed < 5:
            return "it is slow here: raise [ask] seconds, or choose a smaller model"
        return ""


def try_model(name: str, servers: Servers, limits: Limits, say: Callable[[str], None] = lambda line: None) -> Verdict:
    """The verdict on one model. Raises SandboxError where nothing can be isolated."""
    limits = replace(limits, steps=min(_STEPS, limits.steps), seconds=SECONDS)
    taken: list[Step] = []
    tried: list[Tried] = []
    with open_engine() as engine:
        for number, task in enumerate(TASKS):
            say(f"trying {name}: {task.name}")
            seconds = SECONDS * (1 if number else 2)
            done, end = _try(engine, name, servers, limits, task, seconds)
            taken += done
            tried.append(Tried(task.name, _is_right(end, task), _why(end, task)))
            if end.status == "error":
                break  # the next one would not fare better
    accounts = [step.account for step in taken if step.account]
    seconds = sum(account.model_seconds - account.load_seconds for account in accounts)
    return Verdict(
        model=name,
        tried=tuple(tried),
        window=max((account.window for account in accounts), default=0),
        longest=window_of(name, servers),
        speed=sum(account.written for account in accounts) / seconds if seconds > 0 else 0.0,
        load_seconds=max((account.load_seconds for account in accounts), default=0.0),
        unusable=sum(not step.program for step in taken),
    )


def _try(
    engine: Engine, name: str, servers: Servers, limits: Limits, task: Task, seconds: float
) -> tuple[list[Step], End]:
    now = datetime.now().astimezone()
    left = count_down(seconds)
    chat, _ = open_chat(name, servers, limits, Line(left), [])
    messages = draft_prompt(
        Ask(task.ask, now), [draft_tool_line(tool) for tool in _TOOLS], {}, load_prompt("system").text
    )
    broker = Broker(_TOOLS, host=_host, script=_no_script, allow=lambda tool, arguments: None, limits=limits)
    taken: list[Step] = []
    with engine.program(broker, now=now, seed=0) as execute:
        walked = steps(messages, chat=chat, execute=execute, limits=limits, left=left)
        while True:
            try:
                taken.append(next(walked))
            except StopIteration as stop:
                end: End = stop.value
                return taken, end


def _is_right(end: End, task: Task) -> bool:
    if end.status != "ok":
        return False
    return any(abs(number - task.answer) < task.near for number in _numbers(end.answer))


def _why(end: End, task: Task) -> str:
    if end.status != "ok":
        return end.reason
    return "" if _is_right(end, task) else f"it answered {str(end.answer)[:60]!r}"


def _numbers(value: Any) -> Iterator[float]:
    """The numbers of an answer, in whatever words they stand."""
    import re

    if isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)
    elif isinstance(value, str):
        yield from (float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", value.replace(",", "")))
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _numbers(item)


def _tool(name: str, summary: str, *parameters: tuple[str, str], returns: str) -> Tool:
    taken = tuple(Parameter(each, kind, {"type": {"str": "string"}.get(kind, "number")}) for each, kind in parameters)
    return Tool(f"shop.{name}", "shop.py", "builtin", name, taken, returns, summary)


_TOOLS = (
    _tool("stock", "How many of an item there are.", ("item", "str"), returns="int"),
    _tool("price", "The price of one item, in EUR.", ("item", "str"), returns="float"),
    _tool(
        "convert",
        "Convert an amount of money.",
        ("amount", "float"),
        ("source", "str"),
        ("target", "str"),
        returns="float",
    ),
    _tool("weigh", "The weight of one item in kilograms.", ("number", "str"), returns="float"),
)


def _host(tool: Tool, arguments: Mapping[str, Any]) -> tuple[Any, Sequence[str]]:
    """The shop's own answers."""
    if tool.target == "stock":
        return _STOCK, ()
    if tool.target == "price":
        return _PRICE, ()
    if tool.target == "convert":
        return arguments["amount"] * (_RATE if arguments["target"] == "USD" else 1), ()
    if arguments["number"] != "A-17":
        raise ValueError(f"an item is weighed by its number, not {arguments['number']!r}; the lamp's number is A-17")
    return _WEIGHT, ()


def _no_script(tool: Tool, arguments: Mapping[str, Any]) -> Any:
    raise LookupError("the shop has no scripts")
