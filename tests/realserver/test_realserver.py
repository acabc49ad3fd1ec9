"""nest against a real llama.cpp server: its tokenizer, template, sampler, stream and overflow; only the model is ours.

Run by `make test-realserver`, which builds the server once; left out of `make test`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checks import NestCommand
from realserver.conftest import Running, serve
from realserver.gguf import AGAIN

from nestkit.agent.keys import Key
from nestkit.agent.loop import count_down
from nestkit.agent.openai import Server, openai_chat
from nestkit.agent.prompt import PROGRAM_FORM
from nestkit.errors import ModelError, TooLong, Unreachable
from nestkit.model import Message, Reply
from nestkit.policy import Limits

pytestmark = pytest.mark.realserver

GREETING = "Guten Tag! Grüße aus 日本 🎉, and a line\n  that is indented."
FORMED = json.dumps({"thought": "as told", "code": "final_answer(3)"})
TALKS = {
    "greet": [GREETING, "And once more."],
    "endless": ["It goes on and on. " + AGAIN],
    "formed": [FORMED],
    "stubborn": ["No form will hold me, I am prose."],
    "a lot of": [
        "Words!\n```python\nfor number in range(3000):\n    print('word', number)\n```",
        "Enough.\n```python\nfinal_answer('told')\n```",
    ],
    "250 USD": [
        "I convert it.\n```python\nresult = fx.convert(value=250, source='USD')\nprint(result)\n```",
        "It has another name.\n```python\nresult = fx.convert(amount=250, source='USD')\nprint(result)\n```\n",
        "<think>That is it: 227.27.</think>Done.\n```python\nfinal_answer({'euros': result})\n```",
    ],
    "dollars in pounds": [
        '<tool_call>\n{"name": "fx__convert", "arguments": '
        '{"amount": 11, "source": "USD", "target": "GBP"}}\n</tool_call>',
        '<tool_call>\n{"name": "final_answer", "arguments": {"value": 8.5}}\n</tool_call>',
    ],
    "crowns": [
        'I call {"name": "fx__convert", "arguments": {"amount": 22, "source": "EUR", "target": "SEK"}}',
        'I call {"name": "final_answer", "arguments": {"value": 246.4}}',
    ],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serve(tmp_path_factory.mktemp("model"), TALKS) as running:
        yield running


def asked(text: str, *more: str) -> tuple[Message, ...]:
    talk = [Message("system", "You help."), Message("user", text)]
    for said in more:
        talk += [Message("assistant", said), Message("user", "go on")]
    return tuple(talk)


def ask(url: str, messages: tuple[Message, ...], limits: Limits | None = None, **fields: Any) -> Reply:
    chat = openai_chat("scripted", Server(url, **fields), limits or Limits(), count_down(60))
    return chat(messages)


def test_a_reply_comes_whole_out_of_a_real_stream(server: Running) -> None:
    pieces: list[str] = []
    reply = ask(server.url, asked("greet me"), on_text=pieces.append)
    assert reply.text == GREETING == "".join(pieces)
    assert len(pieces) > 10
    assert not reply.cut
    assert reply.tokens_out > 10
    assert reply.tokens_in > 10


def test_the_template_knows_which_turn_it_is(server: Running) -> None:
    assert ask(server.url, asked("greet me", "Hello.")).text == "And once more."


def test_a_server_counts_what_it_had_in_its_cache_as_well(server: Running) -> None:
    first = ask(server.url, asked("greet me " + "again " * 300))
    assert ask(server.url, asked("greet me " + "again " * 300)).tokens_in == first.tokens_in > 300


def test_a_reply_without_end_is_cut_at_the_limit_and_known_to_be(server: Running) -> None:
    reply = ask(server.url, asked("endless"), Limits(tokens=400))
    assert reply.cut
    assert reply.tokens_out == 100


def test_a_form_holds_a_model_that_would_rather_talk(server: Running) -> None:
    for word, whole in (("formed", True), ("stubborn", False)):
        messages = (*asked(word), Message("user", "as JSON", form=PROGRAM_FORM))
        reply = ask(server.url, messages, Limits(tokens=1024))
        assert reply.text.startswith("{")
        assert not whole or json.loads(reply.text) == json.loads(FORMED)


def test_a_conversation_that_is_too_long_is_one_line(tmp_path: Path) -> None:
    with serve(tmp_path, TALKS, window=512) as small, pytest.raises(ModelError) as caught:
        ask(small.url, asked("greet me " + "word " * 3000))
    assert "does not fit scripted's window" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, TooLong)
    assert caught.value.window == 512
    assert caught.value.tokens > 3000


def test_a_server_that_is_killed_in_the_middle_of_its_reply_is_one_line(tmp_path: Path) -> None:
    with serve(tmp_path, TALKS) as dying:
        with pytest.raises(Unreachable, match="broke off in the middle of its reply"):
            ask(dying.url, asked("endless"), Limits(tokens=16_000), on_text=lambda piece: dying.process.kill())
        dying.process.wait()
        with pytest.raises(Unreachable, match="no model server"):
            ask(dying.url, asked("greet me"))


def test_a_key_is_asked_for_and_taken(tmp_path: Path) -> None:
    with serve(tmp_path, TALKS, options={"api-key": "secret-of-the-test"}) as locked:
        with pytest.raises(ModelError, match="wants a key"):
            ask(locked.url, asked("greet me"))
        assert ask(locked.url, asked("greet me"), key=Key("secret-of-the-test")).text == GREETING


def walk(nest: NestCommand, server: Running, *words: str) -> dict[str, Any]:
    done = nest("ask", *words, "--model", "openai/scripted", "--json", env={"OPENAI_BASE_URL": server.url})
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return {**told, "code": done.returncode, "stderr": done.stderr}


def test_an_ask_goes_from_a_wrong_argument_to_its_answer_and_into_a_note(
    nest: NestCommand, ops: Path, server: Running
) -> None:
    told = walk(nest, server, "What are 250 USD in euros?")
    assert (told["code"], told["status"], told["answer"]) == (0, "ok", {"euros": 227.27}), told
    assert len(told["steps"]) == 3
    assert "amount" in told["steps"][0]["error"]
    assert [call["tool"] for step in told["steps"] for call in step["calls"]].count("fx.convert") >= 1
    note = (ops / told["run"]).read_text("utf-8")
    assert "227.27" in note
    assert "fx.convert(amount=250, source='USD')" in note
    assert "That is it" not in note.partition("## How")[0]


def test_an_ask_that_does_not_fit_the_server_s_window_ends_with_what_to_do(
    nest: NestCommand, ops: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    with serve(folder, TALKS, window=512) as small:
        told = walk(nest, small, "What are 250 USD in euros?")
    assert (told["code"], told["status"], told["answer"]) == (5, "no_answer", None)
    assert told["reason"] == "the conversation does not fit the window of 512 tokens"
    assert "start it with a longer one" in told["hint"]


def test_an_ask_whose_outcomes_grow_too_long_for_the_server_is_cut_to_its_window_and_goes_on(
    nest: NestCommand, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    with serve(folder, TALKS, window=2816) as small:
        told = walk(nest, small, "Tell a lot of words")
    assert (told["code"], told["answer"]) == (0, "told"), told
    assert len(told["steps"]) == 2


@pytest.mark.parametrize(
    ("words", "target", "answer"),
    [("What are 11 dollars in pounds?", "GBP", 8.5), ("What are 22 EUR in crowns?", "SEK", 246.4)],
    ids=["calls that the server understands", "calls that it passes on as text"],
)
def test_an_ask_by_json_calls_is_walked(
    words: str, target: str, answer: float, nest: NestCommand, server: Running
) -> None:
    told = walk(nest, server, words, "--style", "json")
    assert (told["code"], told["answer"]) == (0, answer), told
    (call,) = [call for step in told["steps"] for call in step["calls"] if call["tool"] == "fx.convert"]
    assert call["arguments"]["target"] == target
    assert len(told["steps"]) == 2
