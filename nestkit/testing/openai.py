"""OpenAI's protocol as llama.cpp's server speaks it: request and turn in, what is wrong and what is sent out. *Pure*.

**Source**: OpenAI's API reference, "Create chat completion"; llama.cpp, `tools/server`, for the error of a prompt
that is too long.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nestkit.testing.answer import Answer, draft_json, paced, split_words
from nestkit.testing.prompt import count_tokens
from nestkit.testing.request import ROLES, check_names
from nestkit.testing.turn import Turn

_FIELDS: Mapping[str, tuple[type, ...]] = {
    "model": (str,),
    "messages": (list,),
    "tools": (list,),
    "tool_choice": (str, dict),
    "parallel_tool_calls": (bool,),
    "response_format": (dict,),
    "stream": (bool,),
    "stream_options": (dict,),
    "stop": (str, list),
    **dict.fromkeys(("temperature", "top_p", "presence_penalty", "frequency_penalty"), (int, float)),
    **dict.fromkeys(("max_tokens", "max_completion_tokens", "seed", "n"), (int,)),
    "reasoning_effort": (str,),
}
_MESSAGE: Mapping[str, tuple[type, ...]] = {
    "role": (str,),
    "content": (str, list),
    "name": (str,),
    "tool_calls": (list,),
    "tool_call_id": (str,),
}
_CREATED = 1_767_225_600
"""2026-01-01, always the same, so that two plays of one script are equal byte for byte."""


def check_completion(request: Mapping[str, Any]) -> list[str]:
    """One line for each thing in a request that such a server would ignore or turn down."""
    wrong = [*check_names("field", request, _FIELDS)]
    wrong += [] if request.get("model") else ["no model"]
    called: set[str] = set()
    messages = request.get("messages")
    for number, message in enumerate(messages if isinstance(messages, list) else (), 1):
        wrong += [f"message {number}: {each}" for each in _check_message(message, called)]
    return wrong


def _check_message(message: Any, called: set[str]) -> Iterator[str]:
    if not isinstance(message, dict):
        yield f"should be an object, not {message!r}"
        return
    yield from check_names("field", message, _MESSAGE)
    if message.get("role") not in ROLES:
        yield f"unknown role {message.get('role')!r}, known: {', '.join(ROLES)}"
    if message.get("role") == "tool" and message.get("tool_call_id") not in called:
        yield f"the result of a call that was never made: {message.get('tool_call_id')!r}"
    for call in message.get("tool_calls") or ():
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("arguments"), str) or not call.get("id"):
            yield f"a tool call needs an id, function.name, and function.arguments as text: {call!r}"
        else:
            called.add(call["id"])


def draft_overflow(tokens: int, window: int) -> Answer:
    """The error of a prompt that does not fit."""
    message = f"the request exceeds the available context size ({tokens} tokens of {window})"
    error = {"code": 400, "message": message, "type": "exceed_context_size_error"}
    return draft_json({"error": {**error, "n_prompt_tokens": tokens, "n_ctx": window}}, 400)


def draft_completion_error(status: int, text: str) -> Answer:
    """An error as such servers word it before the first byte."""
    return draft_json({"error": {"code": status, "message": text, "type": "invalid_request_error"}}, status)


def draft_completion(turn: Turn, request: Mapping[str, Any], tokens_in: int) -> Answer:
    """The turn as it goes over the wire."""
    model = str(request["model"])
    if turn.status != 200:
        body = turn.body if isinstance(turn.body, str) else json.dumps(turn.body, ensure_ascii=False)
        return paced(Answer(turn.status, (body.encode(),)), turn)
    if turn.raw is not None:
        return paced(Answer(200, (turn.raw.encode(),), streamed=True, kind="text/event-stream"), turn)
    if not request.get("stream"):
        return paced(draft_json(_object(turn, model, tokens_in)), turn)
    counts = bool((request.get("stream_options") or {}).get("include_usage"))
    events = [*_events(turn, model, tokens_in, counts=counts)]
    pieces = tuple(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode() for event in events)
    pieces = (b": keep-alive\n\n", *pieces, *((b"data: [DONE]\n\n",) if turn.then == "done" else ()))
    return paced(Answer(200, pieces, streamed=True, whole=turn.then != "close", kind="text/event-stream"), turn)


def _events(turn: Turn, model: str, tokens_in: int, *, counts: bool) -> Iterator[Mapping[str, Any]]:
    frame = _frame(model, "chat.completion.chunk")

    def delta(part: Mapping[str, Any], reason: str | None = None) -> Mapping[str, Any]:
        return {**frame, "choices": [{"index": 0, "delta": part, "finish_reason": reason}]}

    yield delta({"role": "assistant", "content": None})
    for piece in split_words(turn.thinking):
        yield delta({"reasoning_content": piece})
    for piece in turn.chunks or split_words(turn.content):
        yield delta({"content": piece})
    for index, call in enumerate(_calls(turn)):
        begun = {**call["function"], "arguments": ""}
        yield delta({"tool_calls": [{"index": index, "id": call["id"], "type": "function", "function": begun}]})
        for piece in split_words(call["function"]["arguments"]):  # a call comes in pieces
            yield delta({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    if turn.then == "error-line":
        yield {"error": {"code": 500, "message": turn.error, "type": "server_error"}}
    elif turn.then == "done":
        yield delta({}, _reason(turn))
        if counts:
            yield {**frame, "choices": [], "usage": _usage(turn, tokens_in)}


def _object(turn: Turn, model: str, tokens_in: int) -> Mapping[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": turn.content}
    message |= {"reasoning_content": turn.thinking} if turn.thinking else {}
    message |= {"tool_calls": _calls(turn)} if turn.tool_calls else {}
    choice = {"index": 0, "message": message, "finish_reason": _reason(turn)}
    return {**_frame(model, "chat.completion"), "choices": [choice], "usage": _usage(turn, tokens_in)}


def _frame(model: str, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-0", "object": kind, "created": _CREATED, "model": model}


def _calls(turn: Turn) -> Sequence[dict[str, Any]]:
    """The turn's calls in this protocol: arguments are text; text that is given is sent as it is."""
    made = []
    for number, call in enumerate(turn.tool_calls):
        function = call["function"]
        given = function.get("arguments", {})
        text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
        named = {"name": function["name"], "arguments": text}
        made.append({"id": f"call_s{number}", "type": "function", "function": named})
    return made


def _reason(turn: Turn) -> str:
    return "tool_calls" if turn.tool_calls and turn.done_reason == "stop" else turn.done_reason


def _usage(turn: Turn, tokens_in: int) -> Mapping[str, int]:
    calls = json.dumps(turn.tool_calls) if turn.tool_calls else ""
    written = sum(map(count_tokens, (turn.thinking, turn.content, calls)))
    return {"prompt_tokens": tokens_in, "completion_tokens": written, "total_tokens": tokens_in + written}
