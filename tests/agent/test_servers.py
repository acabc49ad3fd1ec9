"""Both protocols over real HTTP: every way in which a server fails ends in time and in one line; keys stay at home."""

from __future__ import annotations

import json
import re
from typing import Any

import ollama as package
import pytest

from nestkit.agent import ollama, openai
from nestkit.agent.keys import Key, find_key
from nestkit.agent.loop import count_down
from nestkit.agent.schema import draft_schemas, wire_name
from nestkit.errors import ModelError, ModelMissing, TooLong, Unreachable
from nestkit.model import Chat, Message, Reply
from nestkit.policy import Limits
from nestkit.testing import OllamaServer
from nestkit.tool import Parameter, Tool

HELLO = {"role": "assistant", "content": "Hello there, ünïcode 日本 🎉"}
ASKED = (Message("system", "rules"), Message("user", "hi"))
KINDS = ("ollama", "openai")


def chat_at(kind: str, url: str, *, seconds: float = 20, limits: Limits | None = None, **fields: Any) -> Chat:
    left = count_down(seconds)
    if kind == "ollama":
        return ollama.ollama_chat("scripted", ollama.Server(url, **fields), limits or Limits(), left)
    fields.pop("say", None)
    return openai.openai_chat("scripted", openai.Server(f"{url}/v1", **fields), limits or Limits(), left)


def ask(kind: str, server: OllamaServer, messages: tuple[Message, ...] = ASKED, **fields: Any) -> Reply:
    reply = chat_at(kind, server.url, **fields)(messages)
    server.check()
    return reply


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", [{}, {"split_utf8": True}, {"dribble": True}, {"delay_seconds": 0.2}])
def test_a_reply_comes_whole_however_it_is_cut_up(kind: str, form: dict[str, Any]) -> None:
    pieces: list[str] = []
    with OllamaServer([{**HELLO, "thinking": "let me see", **form}]) as server:
        reply = ask(kind, server, on_text=pieces.append)
    assert (reply.text, reply.thinking, reply.cut) == (HELLO["content"], "let me see", False)
    assert "".join(pieces) == HELLO["content"]
    assert len(pieces) > 1
    assert reply.tokens_in > 0
    assert reply.tokens_out > 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_reply_at_the_limit_is_known_to_be_cut(kind: str) -> None:
    with OllamaServer([{**HELLO, "done_reason": "length"}]) as server:
        assert ask(kind, server).cut


def error(status: int, text: str) -> dict[str, Any]:
    return {"role": "error", "status": status, "body": {"error": text}}


FAILURES = [
    (error(404, "model 'scripted' not found"), ModelMissing, "no model 'scripted'"),
    (error(500, "llama runner process has terminated"), ModelError, "llama runner process has terminated"),
    (error(503, "server busy, maximum pending requests exceeded"), ModelError, "is busy"),
    (error(401, "unauthorized"), ModelError, "wants a key"),
    ({"role": "error", "status": 502, "body": "<html>Bad gateway</html>"}, ModelError, "Bad gateway"),
    ({"role": "error-line", "after": ["Hel"], "error": "out of memory"}, ModelError, "out of memory"),
    ({"role": "stream", "chunks": ["Hel"], "then": "close"}, Unreachable, "broke off in the middle"),
    ({"role": "stream", "chunks": ["Hel"], "then": "end_without_done"}, Unreachable, "broke off in the middle"),
    ({"raw": "<html>hello</html>"}, ModelError, "protocol"),
    ({"raw": "\n"}, ModelError, ""),
    ({"raw": '["a", "list"]\n'}, ModelError, "protocol"),
    ({"raw": '{"message": {"content": 3}, "choices": 3}\n'}, ModelError, "protocol"),
    ({"raw": "data: [1, 2]\n\n"}, ModelError, "protocol"),
    ({"raw": 'data: {"choices": ["x"]}\n\n'}, ModelError, "protocol"),
    (
        {"role": "error", "status": 307, "body": "", "location": "http://127.0.0.1:9/elsewhere"},
        ModelError,
        "sends requests elsewhere",
    ),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("turn", "family", "said"), FAILURES, ids=[str(turn)[:60] for turn, _, _ in FAILURES])
def test_every_failure_is_one_line(kind: str, turn: dict[str, Any], family: type[ModelError], said: str) -> None:
    with OllamaServer([turn]) as server, pytest.raises(family) as caught:
        ask(kind, server)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("server", "fields", "said"),
    [
        ({"chats": False}, {}, "cannot chat"),
        ({"thinks": False}, {"think": "on"}, "cannot think"),
        ({"calls_tools": False}, {"schemas": draft_schemas([], 100)}, "cannot call tools"),
    ],
)
def test_what_a_model_cannot_do_is_said_with_what_to_do(server: Any, fields: Any, said: str) -> None:
    with OllamaServer([HELLO], **server) as play, pytest.raises(ModelError) as caught:
        ask("ollama", play, **fields)
    assert said in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_only_a_failure_before_the_first_word_may_be_tried_again(kind: str) -> None:
    again = []
    for turn in (error(500, "x"), error(503, "x"), {"role": "error-line", "after": ["Hel"], "error": "x"}):
        with OllamaServer([turn]) as server, pytest.raises(ModelError) as caught:
            ask(kind, server)
        again.append(caught.value.again)
    assert again == [True, True, False]


@pytest.mark.parametrize("kind", KINDS)
def test_no_server_is_one_line_with_what_to_do(kind: str) -> None:
    with pytest.raises(Unreachable) as caught:
        chat_at(kind, "http://127.0.0.1:9")(ASKED)
    assert "127.0.0.1:9" in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_a_proxy_of_the_environment_is_not_used(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with OllamaServer([HELLO]) as server:
        assert ask(kind, server).text == HELLO["content"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_of_the_environment_goes_to_nobody_it_was_not_meant_for(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OLLAMA_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "secret-key")
    with OllamaServer([HELLO]) as server:
        ask(kind, server)
    assert "secret-key" not in str(server.headers)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_meant_for_a_server_is_sent_and_never_repeated(kind: str) -> None:
    with OllamaServer([HELLO, error(401, "Incorrect API key: secret-key")]) as server:
        ask(kind, server, key=Key("secret-key"))
        with pytest.raises(ModelError) as caught:
            ask(kind, server, key=Key("secret-key"))
    assert "Bearer secret-key" in str(server.headers)
    assert "secret-key" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("host", "setting", "environ", "secret"),
    [
        ("http://127.0.0.1:11434", "", {"OLLAMA_API_KEY": "k"}, ""),
        ("https://elsewhere.example", "", {"OLLAMA_API_KEY": "k"}, ""),
        ("https://ollama.com", "", {"OLLAMA_API_KEY": "k"}, "k"),
        ("https://api.ollama.com", "", {"OLLAMA_API_KEY": "k"}, "k"),
        ("https://notollama.com", "", {"OLLAMA_API_KEY": "k"}, ""),
        ("https://ollama.com.evil.example", "", {"OLLAMA_API_KEY": "k"}, ""),
        ("http://ollama.com", "", {"OLLAMA_API_KEY": "k"}, ""),
        ("https://elsewhere.example", "env:MINE", {"MINE": "m", "OLLAMA_API_KEY": "k"}, "m"),
        ("http://127.0.0.1:8080", "env:MINE", {"MINE": "m"}, "m"),
        ("http://elsewhere.example", "env:MINE", {"MINE": "m"}, ""),
        ("https://elsewhere.example", "literal", {}, "literal"),
        ("https://elsewhere.example", "env:MINE", {}, ""),
    ],
)
def test_who_gets_a_key(host: str, setting: str, environ: dict[str, str], secret: str) -> None:
    assert find_key(host, setting, environ, "OLLAMA_API_KEY", ("ollama.com",)).secret == secret


def test_the_window_is_asked_for_and_a_loaded_model_is_not_loaded_anew() -> None:
    with OllamaServer([HELLO] * 3) as server:
        ask("ollama", server, limits=Limits(tokens=4096))
        chat_at("ollama", server.url, limits=Limits(tokens=32_768))(ASKED)
        chat_at("ollama", server.url, limits=Limits(tokens=4096))(ASKED)
    assert windows(server) == [4096, 8192, 8192]


def windows(server: OllamaServer) -> list[int]:
    return [request["options"]["num_ctx"] for request in server.requests]


def talk_of(words: int) -> tuple[Message, ...]:
    return (*ASKED, Message("assistant", "ok"), Message("user", "word " * words))


def test_the_window_grows_with_the_conversation_and_never_shrinks_again() -> None:
    said: list[str] = []
    with OllamaServer([HELLO] * 4) as server:
        chat = chat_at("ollama", server.url, limits=Limits(tokens=40_000), say=said.append)
        replies = [chat(talk_of(words)) for words in (100, 5000, 12_000, 100)]
        server.check()
    assert windows(server) == [8192, 16_384, 32_768, 32_768]
    assert [reply.window for reply in replies] == windows(server)
    assert [reply.most_window for reply in replies] == [0] * 4
    assert all(len(prompt) == 4 for prompt in server.prompts), "nothing was dropped"
    assert [int(number) for line in said for number in re.findall(r"window of (\d+)", line)] == [16_384, 32_768]


def test_the_window_grows_up_to_the_model_s_own_and_what_is_longer_is_not_sent() -> None:
    with OllamaServer([HELLO] * 3, longest_window=10_000) as server:
        chat = chat_at("ollama", server.url, limits=Limits(tokens=40_000))
        assert chat(talk_of(100)).window == 8192
        reply = chat(talk_of(5000))
        assert (reply.window, reply.most_window) == (10_000, 10_000)
        with pytest.raises(TooLong) as caught:
            chat(talk_of(12_000))
    assert (caught.value.window, len(server.requests)) == (10_000, 2)


def test_a_longer_window_without_memory_for_it_leaves_the_one_there_was() -> None:
    said: list[str] = []
    with OllamaServer([HELLO] * 3, memory_window=8192) as server:
        chat = chat_at("ollama", server.url, limits=Limits(tokens=40_000), say=said.append)
        chat(talk_of(100))
        with pytest.raises(TooLong) as caught:
            chat(talk_of(5000))
        assert chat(talk_of(200)).window == 8192
    assert caught.value.window == 8192
    assert windows(server) == [8192, 16_384, 8192]
    assert "no memory" in said[-1]


def test_a_server_that_refuses_what_is_too_long_tells_how_much_it_was() -> None:
    with OllamaServer([HELLO] * 2, longest_window=1000) as server, pytest.raises(TooLong) as caught:
        ask("ollama", server, talk_of(2000))
    assert (caught.value.window, caught.value.tokens) == (1000, 1001)


def test_a_smaller_window_than_asked_for_is_said_once() -> None:
    said: list[str] = []
    with OllamaServer([HELLO] * 2, longest_window=2048) as server:
        chat = chat_at("ollama", server.url, say=said.append)
        assert [chat(ASKED).window, chat(ASKED).window] == [2048, 2048]
    (line,) = said
    assert "2048" in line


@pytest.mark.parametrize("words", [1500, 6000])
def test_a_conversation_that_the_server_cut_in_silence_is_an_error(words: int) -> None:
    long = (*ASKED, Message("assistant", "ok"), Message("user", "word " * words), Message("user", "last"))
    old = {"longest_window": 1000, "knows_truncate": False}
    with OllamaServer([HELLO], **old) as server, pytest.raises(ModelError) as caught:
        ask("ollama", server, long)
    assert "dropped the oldest messages" in str(caught.value)


def test_an_overflow_at_a_server_that_says_so_is_one_line() -> None:
    with OllamaServer([HELLO], window=50) as server, pytest.raises(ModelError) as caught:
        ask("openai", server, (*ASKED, Message("user", "word " * 100)))
    assert isinstance(caught.value, TooLong)
    assert caught.value.window == 50 < caught.value.tokens
    assert "does not fit" in str(caught.value)
    assert "tokens of 50" in str(caught.value)


@pytest.mark.parametrize(("read", "fine"), [(100, False), (1900, True), (0, True)])
def test_a_server_of_the_other_protocol_that_read_too_little_is_found_out(read: int, fine: bool) -> None:
    """LM Studio can be set to leave out the middle of what is too long."""
    usage = {"prompt_tokens": read, "completion_tokens": 1}
    choice = {"delta": {"content": "hi"}, "finish_reason": "stop"}
    events = f"data: {json.dumps({'choices': [choice], 'usage': usage})}\n\ndata: [DONE]\n\n"
    with OllamaServer([{"raw": events}]) as server:
        if fine:
            assert ask("openai", server, talk_of(2000)).text == "hi"
        else:
            with pytest.raises(ModelError, match="dropped the oldest messages"):
                ask("openai", server, talk_of(2000))


@pytest.mark.parametrize(
    ("body", "window", "tokens"),
    [
        ({"error": {"type": "exceed_context_size_error", "n_prompt_tokens": 1409, "n_ctx": 512}}, 512, 1409),
        (
            {
                "error": "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens "
                "(3000 in the messages, 2000 in the completion)."
            },
            4096,
            3000,
        ),
        (
            {
                "error": {
                    "message": "This model's maximum context length is 8192 tokens. However, your messages resulted "
                    "in 9001 tokens.",
                    "code": "context_length_exceeded",
                }
            },
            8192,
            9001,
        ),
        (
            {"error": "Trying to keep the first 5000 tokens when context the overflows, context length of only 4096"},
            4096,
            0,
        ),
        ({"error": "context length exceeded"}, 0, 0),
    ],
)
def test_what_a_server_tells_of_its_window_is_understood(body: dict[str, Any], window: int, tokens: int) -> None:
    with OllamaServer([{"role": "error", "status": 400, "body": body}]) as server, pytest.raises(TooLong) as caught:
        ask("openai", server)
    assert (caught.value.window, caught.value.tokens) == (window, tokens)


FX = Tool(
    "fx.convert",
    "02_System/fx.py",
    "function",
    parameters=(Parameter("amount", "float", {"type": "number"}), Parameter("to", "str", {}, False, "'EUR'")),
    summary="Convert an amount.",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_by_json_goes_out_and_comes_back_under_the_tool_s_own_name(kind: str) -> None:
    schemas = draft_schemas([FX], 1000)
    call = {"function": {"name": "fx__convert", "arguments": {"amount": 250, "to": "日本"}}}
    past = (Message("assistant", "", ("fx.convert", {"amount": 1})), Message("tool", "294.12", ("fx.convert", {})))
    with OllamaServer([{"role": "assistant", "content": "", "tool_calls": [call]}]) as server:
        reply = ask(kind, server, (*ASKED, *past), schemas=schemas)
        names = [tool["function"]["name"] for tool in server.requests[0]["tools"]]
    assert reply.tool_calls == (("fx.convert", {"amount": 250, "to": "日本"}),)
    assert names == ["final_answer", "fx__convert"]


def test_arguments_that_are_no_json_stay_text() -> None:
    call = {"function": {"name": "fx__convert", "arguments": "amount=1"}}
    with OllamaServer([{"role": "assistant", "content": "", "tool_calls": [call]}]) as server:
        assert ask("openai", server, schemas=draft_schemas([FX], 1000)).tool_calls == (("fx.convert", "amount=1"),)


def test_descriptions_of_tools_keep_to_their_budget() -> None:
    many = [Tool(f"s.t{n}", "s.py", "function", summary="words " * 40) for n in range(100)]
    schemas = draft_schemas(many, 1000)
    assert 5 < len(schemas.described) < 40
    assert schemas.tokens < 1200


@pytest.mark.parametrize(("name", "wire"), [("fx.convert", "fx__convert"), ("a.b.c", "a__b__c"), ("größe", "gre")])
def test_names_of_tools_fit_the_protocol(name: str, wire: str) -> None:
    assert wire_name(name) == wire


def test_what_goes_over_the_wire_is_what_ollama_s_own_package_would_send() -> None:
    schemas = draft_schemas([FX], 1000)
    past = (Message("assistant", "", ("fx.convert", {"amount": 1})), Message("tool", "294.12", ("fx.convert", {})))
    with OllamaServer([HELLO] * 2) as server:
        ask("ollama", server, (*ASKED, *past), schemas=schemas, think="high")
        ours = server.requests[0]
        client = package.Client(server.url, trust_env=False)
        named = {name: ours[name] for name in ("messages", "options", "keep_alive", "tools", "think")}
        list(client.chat(ours["model"], stream=True, **named))
        client._client.close()
        own = {"truncate": False, "shift": False}  # which the package cannot say
        assert {**server.requests[1], **own} == ours
        kinds = [{k: v for k, v in head.items() if k in ("content-type", "accept")} for head in server.headers]
    assert kinds[1]["content-type"] == "application/json"


def test_arguments_of_a_call_at_ollama_that_are_no_object_stay_text() -> None:
    call = {"function": {"name": "fx__convert", "arguments": "amount=1"}}
    with OllamaServer([{"role": "assistant", "content": "", "tool_calls": [call]}]) as server:
        assert ask("ollama", server, schemas=draft_schemas([FX], 1000)).tool_calls == (("fx.convert", "amount=1"),)


@pytest.mark.parametrize(("kind", "field"), [("ollama", "format"), ("openai", "response_format")])
def test_a_reply_is_held_to_a_form_when_the_last_message_asks_for_it(kind: str, field: str) -> None:
    form = {"type": "object", "properties": {"code": {"type": "string"}}}
    with OllamaServer([HELLO] * 2) as server:
        ask(kind, server)
        ask(kind, server, (*ASKED, Message("user", "again", form=form)))
    assert field not in server.requests[0]
    assert '"code"' in json.dumps(server.requests[1][field])


HALF = {
    "ollama": '{"message": {"content": "half \\ud800", "tool_calls": [{"function": {"name": "f",'
    ' "arguments": {"x": NaN}}}]}, "done": true}\n',
    "openai": 'data: {"choices": [{"delta": {"content": "half \\ud800", "tool_calls": [{"function": {"name": "f",'
    ' "arguments": "{\\"x\\": NaN}"}}]}, "finish_reason": "stop"}]}\n\n',
}


@pytest.mark.parametrize("kind", KINDS)
def test_half_a_character_and_numbers_that_are_none_can_be_answered_to(kind: str) -> None:
    with OllamaServer([{"raw": HALF[kind]}, HELLO]) as server:
        reply = ask(kind, server)
        assert reply.tool_calls == (("f", {"x": "NaN"}),)
        past = (Message("assistant", reply.text, ("f", {"x": "NaN"})), Message("tool", "no", ("f", {})))
        assert ask(kind, server, (*ASKED, *past)).text == HELLO["content"]
