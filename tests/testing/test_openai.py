"""The scripted server's other face, and what it does on request besides: over real HTTP, byte for byte."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest

from nestkit.testing import OllamaServer, count_prompt, count_tokens

HELLO = {"role": "assistant", "content": "Hello there, ünïcode 日本 🎉"}
USER = {"role": "user", "content": "hi"}


def send(server: OllamaServer, path: str, body: Any) -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("POST", path, json.dumps(body))
        answer = connection.getresponse()
        try:
            return answer.status, answer.headers["Content-Type"], answer.read()
        except http.client.IncompleteRead as broken:
            return answer.status, answer.headers["Content-Type"], broken.partial
    finally:
        connection.close()


def complete(server: OllamaServer, **fields: Any) -> tuple[int, list[Any]]:
    """Status, and the events of a stream or the one object."""
    request = {"model": "m", "messages": [USER], **fields}
    status, kind, body = send(server, "/v1/chat/completions", request)
    if kind != "text/event-stream":
        return status, [json.loads(body)]
    lines = [line.removeprefix("data: ") for line in body.decode().split("\n\n") if line.startswith("data: ")]
    return status, [line if line == "[DONE]" else json.loads(line) for line in lines]


def test_a_reply_streams_as_events_and_ends_with_done() -> None:
    with OllamaServer([{**HELLO, "thinking": "let me see"}]) as server:
        status, events = complete(server, stream=True, stream_options={"include_usage": True})
        server.check()
    *parts, usage, done = events
    deltas = [part["choices"][0]["delta"] for part in parts]
    assert (status, done) == (200, "[DONE]")
    assert "".join(delta.get("content") or "" for delta in deltas) == HELLO["content"]
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "let me see"
    assert [part["choices"][0]["finish_reason"] for part in parts][-1] == "stop"
    assert usage["usage"]["prompt_tokens"] == count_prompt([USER])
    assert usage["usage"]["completion_tokens"] == count_tokens(HELLO["content"]) + count_tokens("let me see")


def test_without_streaming_a_reply_is_one_object() -> None:
    with OllamaServer([{**HELLO, "done_reason": "length"}]) as server:
        status, [said] = complete(server)
    assert (status, said["choices"][0]["message"]["content"]) == (200, HELLO["content"])
    assert said["choices"][0]["finish_reason"] == "length"


def test_a_call_comes_in_pieces_with_its_arguments_as_text() -> None:
    arguments = {"amount": 1, "to": "two words"}
    turn = {**HELLO, "content": "", "tool_calls": [{"function": {"name": "convert", "arguments": arguments}}]}
    with OllamaServer([turn]) as server:
        _, events = complete(server, stream=True)
    pieces = [c for e in events[:-1] for choice in e["choices"] for c in choice["delta"].get("tool_calls", ())]
    assert pieces[0]["function"]["name"] == "convert"
    assert len(pieces) > 2
    assert json.loads("".join(piece["function"]["arguments"] for piece in pieces)) == arguments
    assert events[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_a_prompt_that_is_too_long_is_an_honest_error() -> None:
    with OllamaServer([HELLO], window=10) as server:
        status, [said] = complete(server, messages=[USER, {"role": "user", "content": "word " * 50}])
        assert complete(server)[0] == 200, "the refused request must not use up a turn"
    error = said["error"]
    assert (status, error["type"], error["n_ctx"]) == (400, "exceed_context_size_error", 10)
    assert error["n_prompt_tokens"] > 10


@pytest.mark.parametrize("then", ["close", "end_without_done"])
def test_a_stream_that_does_not_end_as_it_should_has_no_done(then: str) -> None:
    with OllamaServer([{"role": "stream", "chunks": ["Hel"], "then": then}]) as server:
        _, events = complete(server, stream=True)
    assert "[DONE]" not in events
    assert not any(choice["finish_reason"] for event in events for choice in event["choices"])


def test_an_error_in_the_middle_is_an_event() -> None:
    with OllamaServer([{"role": "error-line", "after": ["Hel"], "error": "out of memory"}]) as server:
        _, events = complete(server, stream=True)
    assert events[-1]["error"]["message"] == "out of memory"


RESULT = {"role": "tool", "content": "1", "tool_call_id": "call_1"}
ASKED = {
    "role": "assistant",
    "content": "",
    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"num_ctx": 5}, "unknown field 'num_ctx'"),
        ({"options": {}}, "unknown field 'options'"),
        ({"temperature": "hot"}, "'temperature' should be"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "unknown role 'robot'"),
        ({"messages": [USER, RESULT]}, "the result of a call that was never made"),
        ({"messages": [{**ASKED, "tool_calls": [{"function": {"name": "f", "arguments": {}}}]}]}, "needs an id"),
    ],
)
def test_a_request_that_such_a_server_does_not_know_is_a_violation(fields: dict[str, Any], said: str) -> None:
    with OllamaServer([HELLO]) as server:
        complete(server, **fields)
        with pytest.raises(AssertionError, match="requests that"):
            server.check()
        assert said in server.violations[0]


def test_a_conversation_with_calls_is_in_order() -> None:
    with OllamaServer([HELLO]) as server:
        complete(server, messages=[USER, ASKED, RESULT], tools=[], seed=0)
        server.check()


def test_models_are_listed_and_a_missing_one_is_not_found() -> None:
    with OllamaServer([HELLO], models=["one"]) as server:
        status, [said] = complete(server)
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
        connection.request("GET", "/v1/models")
        listed = json.loads(connection.getresponse().read())
        connection.close()
    assert (status, "'m' not found" in said["error"]["message"]) == (404, True)
    assert [model["id"] for model in listed["data"]] == ["one"]


def pull(server: OllamaServer, model: str = "new") -> list[dict[str, Any]]:
    _, _, body = send(server, "/api/pull", {"model": model})
    return [json.loads(line) for line in body.splitlines()]


def test_getting_a_model_shows_its_progress_and_then_has_it() -> None:
    with OllamaServer([HELLO], models=[]) as server:
        lines = pull(server)
        assert complete(server, model="new")[0] == 200
    assert [line["status"] for line in lines[-3:]] == ["verifying sha256 digest", "writing manifest", "success"]
    assert [line["completed"] for line in lines if "completed" in line] == [0, 250, 500, 750, 1000]


def test_getting_a_model_goes_on_where_it_broke_off() -> None:
    with OllamaServer([HELLO], models=[], pulls=[600]) as server:
        first = pull(server)
        assert complete(server, model="new")[0] == 404
        second = pull(server)
    assert first[-1]["completed"] == 600
    assert second[1]["completed"] == 600
    assert second[-1]["status"] == "success"


@pytest.mark.parametrize(
    ("server", "fields", "said"),
    [
        ({"chats": False}, {}, "does not support chat"),
        ({"calls_tools": False}, {"tools": [{"type": "function"}]}, "does not support tools"),
    ],
)
def test_what_a_model_cannot_do_is_an_error_before_the_first_byte(server: Any, fields: Any, said: str) -> None:
    with OllamaServer([HELLO], **server) as play:
        status, _, body = send(play, "/api/chat", {"model": "m", "messages": [USER], **fields})
    assert (status, said in json.loads(body)["error"]) == (400, True)


@pytest.mark.parametrize(
    ("turn", "said"),
    [
        ({**HELLO, "pause_seconds": "long"}, "pause_seconds"),
        ({"role": "error", "status": 307, "body": ""}, "status"),
        ({"role": "error", "status": 200, "body": "", "location": "x"}, "status"),
    ],
)
def test_a_turn_that_is_none_is_said(turn: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        OllamaServer([turn])
