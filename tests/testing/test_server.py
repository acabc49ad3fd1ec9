"""The scripted server, asked over real HTTP: by http.client byte for byte, by the `ollama` package as nest does."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import ollama
import pytest

from nestkit.testing import OllamaServer, count_prompt, count_tokens

HELLO = {"role": "assistant", "content": "Hello there, ünïcode 日本 🎉"}
USER = {"role": "user", "content": "hi"}


def send(server: OllamaServer, method: str, path: str, body: Any = None) -> tuple[int, str, bytes]:
    """Status, content type and body, over a connection of its own."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()
    finally:
        connection.close()


def chat(server: OllamaServer, **fields: Any) -> tuple[int, list[dict[str, Any]]]:
    """Status and the JSON objects of the answer."""
    request = {"model": "scripted", "messages": [USER], **fields}
    status, _, body = send(server, "POST", "/api/chat", request)
    return status, [json.loads(line) for line in body.splitlines()]


@contextmanager
def client(server: OllamaServer) -> Iterator[ollama.Client]:
    talker = ollama.Client(server.url, trust_env=False, timeout=10)
    try:
        yield talker
    finally:
        talker._client.close()  # ollama before 0.6 has no close of its own


def stream(server: OllamaServer) -> str:
    """All the content the ollama package reads from one streamed reply."""
    with client(server) as talker:
        parts = talker.chat("scripted", [USER], stream=True)
        return "".join(part.message.content or "" for part in parts)


def test_a_reply_streams_as_json_lines_and_ends_with_its_cost() -> None:
    with OllamaServer([HELLO]) as server:
        status, kind, body = send(server, "POST", "/api/chat", {"model": "m", "messages": [USER]})
    *parts, last = [json.loads(line) for line in body.splitlines()]
    assert (status, kind) == (200, "application/x-ndjson")
    assert len(parts) > 1
    assert "".join(part["message"]["content"] for part in parts) == HELLO["content"]
    assert not any(part["done"] for part in parts)
    assert last["done"] is True
    assert last["done_reason"] == "stop"
    assert last["prompt_eval_count"] == count_prompt([USER])
    assert last["eval_count"] == count_tokens(HELLO["content"])
    times = {"total_duration", "load_duration", "prompt_eval_duration", "eval_duration"}
    assert all(isinstance(last[name], int) and last[name] > 0 for name in times)
    assert last["total_duration"] == last["load_duration"] + last["prompt_eval_duration"] + last["eval_duration"]


def test_without_streaming_a_reply_is_one_object() -> None:
    with OllamaServer([HELLO]) as server:
        status, kind, body = send(server, "POST", "/api/chat", {"model": "m", "messages": [USER], "stream": False})
    assert (status, kind) == (200, "application/json; charset=utf-8")
    said = json.loads(body)
    assert said["message"] == HELLO
    assert said["done"] is True


def test_two_plays_of_a_script_are_equal_byte_for_byte() -> None:
    answers = []
    for _ in range(2):
        with OllamaServer([HELLO]) as server:
            answers.append(send(server, "POST", "/api/chat", {"model": "m", "messages": [USER]}))
    assert answers[0] == answers[1]


def test_an_empty_reply_leaves_out_the_counts_that_are_zero() -> None:
    with OllamaServer([{"role": "assistant", "content": ""}]) as server:
        _, [last] = chat(server)
    assert "eval_count" not in last
    assert "eval_duration" not in last


def test_thinking_comes_before_the_content_in_a_field_of_its_own() -> None:
    with OllamaServer([{**HELLO, "thinking": "let me see"}] * 2) as server:
        _, lines = chat(server, think=True)
        with client(server) as talker:
            whole = talker.chat("scripted", [USER], think=True)
    thought = [bool(line["message"].get("thinking")) for line in lines]
    assert thought == sorted(thought, reverse=True)
    assert any(thought)
    assert (whole.message.thinking, whole.message.content) == ("let me see", HELLO["content"])


@pytest.mark.parametrize(("thinks", "think"), [(True, {"think": False}), (False, {})])
def test_a_model_that_is_not_to_think_or_cannot_sends_no_thinking(thinks: bool, think: dict[str, Any]) -> None:
    with OllamaServer([{**HELLO, "thinking": "let me see"}], thinks=thinks) as server:
        _, lines = chat(server, **think)
    assert not any("thinking" in line["message"] for line in lines)


@pytest.mark.parametrize("think", [True, "high"])
def test_a_model_that_cannot_think_says_so_when_asked_to(think: bool | str) -> None:
    with OllamaServer([HELLO], thinks=False) as server:
        assert chat(server, model="plain", think=think) == (400, [{"error": '"plain" does not support thinking'}])
        assert chat(server)[0] == 200, "the refused request must not use up a turn"


def test_tool_calls_come_with_empty_content() -> None:
    call = {"function": {"name": "convert", "arguments": {"amount": 250, "source": "GBP"}}}
    with OllamaServer([{"role": "assistant", "content": "", "tool_calls": [call]}] * 2) as server:
        _, lines = chat(server)
        with client(server) as talker:
            whole = talker.chat("scripted", [USER])
    assert [line["message"].get("tool_calls") for line in lines] == [[call], None]
    assert whole.message.tool_calls is not None
    assert whole.message.tool_calls[0].function.arguments == {"amount": 250, "source": "GBP"}


def test_a_reply_cut_at_its_limit_says_length() -> None:
    with OllamaServer([{**HELLO, "done_reason": "length"}]) as server:
        assert chat(server)[1][-1]["done_reason"] == "length"


@pytest.mark.parametrize("streamed", [True, False])
def test_an_error_comes_before_the_first_byte(streamed: bool) -> None:
    body = {"error": "llama runner process has terminated"}
    with OllamaServer([{"role": "error", "status": 503, "body": body}, HELLO]) as server:
        assert chat(server, stream=streamed) == (503, [body])
        assert chat(server, stream=streamed)[0] == 200


def test_an_error_may_be_a_page_of_somebody_else() -> None:
    with OllamaServer([{"role": "error", "status": 502, "body": "<html>bad gateway</html>"}]) as server:
        assert send(server, "POST", "/api/chat", {"model": "m", "messages": [USER]})[::2] == (
            502,
            b"<html>bad gateway</html>",
        )


def test_an_error_line_ends_a_stream_after_its_chunks() -> None:
    turn = {"role": "error-line", "after": ["one ", "two"], "error": "out of memory"}
    with OllamaServer([turn] * 3) as server:
        _, lines = chat(server)
        with pytest.raises(ollama.ResponseError, match="out of memory") as raised:
            stream(server)
        alone = chat(server, stream=False)
    assert [line["message"]["content"] for line in lines[:-1]] == ["one ", "two"]
    assert lines[-1] == {"error": "out of memory"}
    assert raised.value.status_code == -1
    assert alone == (500, [{"error": "out of memory"}])


@pytest.mark.parametrize("streamed", [True, False])
def test_a_connection_may_close_in_the_middle(streamed: bool) -> None:
    with OllamaServer([{"role": "stream", "chunks": ["half a prog"], "then": "close"}] * 2) as server:
        with pytest.raises(http.client.IncompleteRead) as raised:
            chat(server, stream=streamed)
        with client(server) as talker, pytest.raises(httpx.RemoteProtocolError):
            list(talker.chat("scripted", [USER], stream=True))
    assert b"half a prog" in raised.value.partial


@pytest.mark.parametrize("streamed", [True, False])
def test_a_stream_may_end_without_saying_that_it_is_done(streamed: bool) -> None:
    turn = {"role": "stream", "chunks": ["it looks ", "finished"], "then": "end_without_done"}
    with OllamaServer([turn] * 2) as server:
        status, lines = chat(server, stream=streamed)
        assert stream(server) == "it looks finished"
    assert status == 200
    assert not any(line["done"] for line in lines)
    assert "".join(line["message"]["content"] for line in lines) == "it looks finished"


def test_lines_cut_inside_a_character_are_read_whole_by_a_good_client() -> None:
    with OllamaServer([{**HELLO, "split_utf8": True}]) as server:
        assert stream(server) == HELLO["content"]


def test_a_chunk_on_the_wire_ends_inside_a_character() -> None:
    with OllamaServer([{"role": "assistant", "content": "ü", "split_utf8": True}]) as server:
        body = json.dumps({"model": "m", "messages": [USER]}).encode()
        address = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        with socket.create_connection(address, timeout=10) as wire:
            wire.sendall(b"POST /api/chat HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
            wire.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            received = b"".join(iter(lambda: wire.recv(65536), b""))
    chunks = received.partition(b"\r\n\r\n")[2].split(b"\r\n")[1::2]
    assert chunks[0].endswith("ü".encode()[:1])
    assert chunks[1].startswith("ü".encode()[1:])
    with pytest.raises(UnicodeDecodeError):
        chunks[0].decode()


@pytest.mark.parametrize("raw", ["\n", "<html><body>Sign in to the network</body></html>"])
def test_a_server_may_send_something_that_is_no_json(raw: str) -> None:
    with OllamaServer([{"raw": raw}] * 2) as server:
        assert send(server, "POST", "/api/chat", {"model": "m", "messages": [USER]})[::2] == (200, raw.encode())
        with pytest.raises(json.JSONDecodeError):
            stream(server)


def test_a_slow_first_token_shows_as_the_time_of_loading() -> None:
    with OllamaServer([{**HELLO, "delay_seconds": 0.05}]) as server:
        assert chat(server)[1][-1]["load_duration"] >= 50_000_000


def test_a_client_that_does_not_wait_gets_its_own_timeout_and_the_server_still_closes() -> None:
    with OllamaServer([{**HELLO, "delay_seconds": 3600}]) as server:
        talker = httpx.Client(trust_env=False, timeout=0.1)
        with talker, pytest.raises(httpx.ReadTimeout):
            talker.post(f"{server.url}/api/chat", json={"model": "m", "messages": [USER]})
    assert not _threads_of_servers()


def test_after_the_last_turn_the_script_says_so_and_that_is_no_violation() -> None:
    with OllamaServer([HELLO]) as server:
        assert chat(server)[0] == 200
        assert chat(server) == (500, [{"error": "the script has no more turns"}])
        server.check()
    assert len(server.requests) == 2


def test_a_turn_with_when_waits_for_its_text_in_the_last_message() -> None:
    turns = [{**HELLO, "content": "seen", "when": "Error:"}, {**HELLO, "content": "first"}]
    with OllamaServer(turns) as server:
        assert _said(chat(server)) == "first"
        earlier = [{"role": "user", "content": "Error: long ago"}, USER]
        assert chat(server, messages=earlier)[0] == 500
        assert _said(chat(server, messages=[{"role": "user", "content": "Error: no such name"}])) == "seen"


def _said(answer: tuple[int, Sequence[Mapping[str, Any]]]) -> str:
    return "".join(line["message"]["content"] for line in answer[1])


def test_any_model_will_do_unless_the_models_are_named() -> None:
    with OllamaServer([HELLO]) as server:
        assert chat(server, model="whatever:7b")[0] == 200
        assert [row["name"] for row in _models(server, "tags")] == ["scripted:latest"]
    with OllamaServer([HELLO], models=("small", "big:70b")) as server:
        assert chat(server, model="x") == (404, [{"error": "model 'x' not found"}])
        assert chat(server, model="big")[0] == 404
        assert chat(server, model="small:latest")[0] == 200
        assert [row["name"] for row in _models(server, "tags")] == ["small:latest", "big:70b"]
        with client(server) as talker, pytest.raises(ollama.ResponseError) as raised:
            talker.show("x")
    assert raised.value.status_code == 404


def _models(server: OllamaServer, call: str) -> Any:
    return json.loads(send(server, "GET", f"/api/{call}")[2])["models"]


def test_a_model_is_loaded_with_the_window_in_force() -> None:
    with OllamaServer([HELLO] * 4, window=4096, longest_window=32_768) as server:
        assert _models(server, "ps") == []
        windows = []
        for options in ({}, {"num_ctx": 8192}, {"num_ctx": 1_000_000}):
            chat(server, options=options)
            windows.append(_models(server, "ps")[0]["context_length"])
    assert windows == [4096, 8192, 32_768]


def test_a_request_without_messages_loads_or_unloads_the_model() -> None:
    with OllamaServer([HELLO]) as server:
        assert chat(server, messages=[])[1][0]["done_reason"] == "load"
        assert [row["name"] for row in _models(server, "ps")] == ["scripted:latest"]
        assert chat(server, messages=[], keep_alive=0)[1][0]["done_reason"] == "unload"
        assert _models(server, "ps") == []
        assert _said(chat(server)) == HELLO["content"]


@pytest.mark.parametrize("thinks", [True, False])
def test_a_model_shows_what_it_can_do_and_how_much_it_takes(thinks: bool) -> None:
    with OllamaServer([], thinks=thinks, longest_window=32_768) as server, client(server) as talker:
        shown = talker.show("scripted")
        assert [each.model for each in talker.list().models] == ["scripted:latest"]
    assert shown.modelinfo is not None
    assert shown.modelinfo[f"{shown.modelinfo['general.architecture']}.context_length"] == 32_768
    assert ("thinking" in (shown.capabilities or ())) is thinks


def test_the_server_has_a_version() -> None:
    with OllamaServer([]) as server:
        assert json.loads(send(server, "GET", "/api/version")[2])["version"].count(".") == 2


def test_a_long_prompt_loses_its_front_and_the_count_reveals_it() -> None:
    messages = [{"role": "system", "content": "rules"}, *({"role": "user", "content": "x" * 400} for _ in range(5))]
    with OllamaServer([HELLO] * 3, window=250) as server:
        cut = chat(server, messages=messages)[1][-1]
        whole = chat(server, messages=messages, options={"num_ctx": 2048})[1][-1]
        refused = chat(server, messages=messages, truncate=False)
        assert chat(server, truncate=False)[0] == 200
    assert server.prompts[0] == [messages[0], *messages[-2:]]
    assert cut["prompt_eval_count"] == count_prompt(server.prompts[0]) <= 250
    assert server.prompts[1] == messages
    assert whole["prompt_eval_count"] == count_prompt(messages)
    assert refused == (400, [{"error": "the input length exceeds the context length"}])
    assert [request["messages"] for request in server.requests[:3]] == [messages] * 3


def test_violations_name_the_request_and_check_raises_them() -> None:
    with OllamaServer([HELLO] * 2) as server:
        chat(server)
        server.check()
        chat(server, options={"num_context": 4096})
        with pytest.raises(AssertionError, match="request 2: unknown option 'num_context'"):
            server.check()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_request_that_is_no_object_is_refused_and_remembered(body: bytes) -> None:
    with OllamaServer([HELLO]) as server:
        answer = httpx.post(f"{server.url}/api/chat", content=body, trust_env=False)
        assert answer.status_code == 400
        assert len(server.violations) == 1
        assert server.requests == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"model": ""}, "model is required"),
        ({"model": None}, "model is required"),
        ({"messages": "hi"}, "messages should be a list of objects"),
        ({"messages": ["hi"]}, "messages should be a list of objects"),
    ],
)
def test_a_request_that_cannot_be_played_is_refused(fields: dict[str, Any], error: str) -> None:
    with OllamaServer([HELLO]) as server:
        assert chat(server, **fields) == (400, [{"error": error}])
        assert server.violations


def test_a_call_nobody_knows_is_a_violation() -> None:
    with OllamaServer([]) as server:
        assert send(server, "POST", "/api/chats", {})[0] == 404
        assert server.violations == ["no such call: POST /api/chats"]


def test_a_connection_serves_several_requests() -> None:
    with OllamaServer([HELLO] * 3) as server, httpx.Client(trust_env=False) as talker:
        for _ in range(3):
            answer = talker.post(f"{server.url}/api/chat", json={"model": "m", "messages": [USER]})
            assert answer.status_code == 200
    assert len(server.requests) == 3


def test_requests_at_the_same_time_each_get_a_turn_of_their_own() -> None:
    turns = [{**HELLO, "content": str(number)} for number in range(8)]
    answers: list[str] = []
    with OllamaServer(turns) as server:
        threads = [threading.Thread(target=lambda: answers.append(_said(chat(server)))) for _ in turns]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(answers) == sorted(turn["content"] for turn in turns)


def test_leaving_the_block_ends_every_thread_even_with_a_client_still_connected() -> None:
    with httpx.Client(trust_env=False) as talker:
        with OllamaServer([HELLO]) as server:
            talker.post(f"{server.url}/api/chat", json={"model": "m", "messages": [USER]})
            assert _threads_of_servers()
        assert not _threads_of_servers()
        with pytest.raises(httpx.ConnectError):
            talker.get(f"{server.url}/api/version")


def _threads_of_servers() -> list[str]:
    return [each.name for each in threading.enumerate() if "process_request" in each.name or "serve" in each.name]
