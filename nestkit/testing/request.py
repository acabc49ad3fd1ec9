"""Whether a chat request is one that Ollama knows: its body in, what is wrong with it out. *Pure*.

Ollama ignores names it does not know, so that a mistyped option has no effect and nobody hears of it. Here it is said.

**Source**: Ollama, `docs/api.md` and `api/types.go` (ChatRequest, Message, Options, Runner).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_FIELDS: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "messages": (list,),
    "tools": (list,),
    "format": (str, dict),
    "options": (dict,),
    "think": (bool, str),
    "keep_alive": (str, int, float),
    "stream": (bool,),
    "truncate": (bool,),
    "shift": (bool,),
    "logprobs": (bool,),
    "top_logprobs": (int,),
    "_debug_render_only": (bool,),
}
_MESSAGE: Mapping[str, tuple[type, ...]] = {
    "role": (str,),
    "content": (str,),
    "thinking": (str,),
    "images": (list,),
    "tool_calls": (list,),
    "tool_name": (str,),
}
ROLES = ("system", "user", "assistant", "tool")
_LEVELS = ("low", "medium", "high", "max")
_WHOLE = ("num_ctx", "num_predict", "num_keep", "num_batch", "num_gpu", "main_gpu", "num_thread")
_REAL = ("temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty")
_OPTIONS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys((*_WHOLE, "seed", "top_k", "repeat_last_n"), (int,)),
    **dict.fromkeys(_REAL, (int, float)),
    **dict.fromkeys(("use_mmap", "numa", "penalize_newline"), (bool,)),
    "stop": (list,),
}


def check_request(request: Mapping[str, Any]) -> list[str]:
    """One line for each thing that Ollama would ignore or turn down; empty for a request in order."""
    wrong = [*check_names("field", request, _FIELDS)]
    if not request.get("model"):
        wrong.append("no model")
    if isinstance(request.get("think"), str) and request["think"] not in _LEVELS:
        wrong.append(f"think is {request['think']!r}, known levels: {', '.join(_LEVELS)}")
    if isinstance(request.get("format"), str) and request["format"] not in ("", "json"):
        wrong.append(f"format is {request['format']!r}, known: 'json' or a schema")
    if isinstance(request.get("options"), dict):
        wrong += _check_options(request["options"])
    if isinstance(request.get("messages"), list):
        for number, message in enumerate(request["messages"], 1):
            wrong += [f"message {number}: {each}" for each in _check_message(message)]
    return wrong


def _check_options(options: Mapping[str, Any]) -> Iterator[str]:
    yield from check_names("option", options, _OPTIONS)
    stop = options.get("stop")
    if isinstance(stop, list) and not all(isinstance(each, str) for each in stop):
        yield "option 'stop' should be a list of texts"


def _check_message(message: Any) -> Iterator[str]:
    if not isinstance(message, dict):
        yield f"should be an object, not {message!r}"
        return
    yield from check_names("field", message, _MESSAGE)
    if message.get("role") not in ROLES:
        yield f"unknown role {message.get('role')!r}, known: {', '.join(ROLES)}"
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            yield f"a tool call needs function.name: {call!r}"
        elif not isinstance(function.get("arguments"), dict):
            yield f"arguments of the tool call {function['name']!r} should be an object, not text"


def check_names(what: str, given: Mapping[str, Any], known: Mapping[str, tuple[type, ...]]) -> Iterator[str]:
    """What is not known, or of a wrong kind, among named values."""
    for name, value in given.items():
        if name not in known:
            yield f"unknown {what} {name!r}"
        elif value is not None and not is_of(value, known[name]):
            yield f"{what} {name!r} should be {' or '.join(kind.__name__ for kind in known[name])}, not {value!r}"


def is_of(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether a JSON value is of one of the kinds; true and false are no numbers."""
    return isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
