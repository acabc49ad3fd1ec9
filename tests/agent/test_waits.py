"""No wait is without an end: every way in which a server can be slow, endless or false ends in time and in one line."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from typing import Any

import pytest
from agent.test_servers import ASKED, HELLO, KINDS, ask, chat_at
from agent.wires import (
    CERTIFICATE,
    HEAD,
    Answer,
    behind_tls,
    dribble,
    hang_up,
    listener,
    pour,
    reply_once,
    say_nothing,
    sip,
)

from nestkit.agent import ollama
from nestkit.agent.keys import Key
from nestkit.errors import ModelError, OutOfTime, Unreachable
from nestkit.model import Message
from nestkit.testing import OllamaServer

WAITS = {
    "silence": say_nothing,
    "a head without end": dribble(b"HTTP/1.1 200 OK\r\nX-Long: "),
    "headers without end": dribble(b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n"),
    "notices without end": dribble(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "a body without end": dribble(HEAD + b"\r\n"),
    "blank lines without end": dribble(HEAD + b"\r\n", b"\n"),
    "signs of life without end": dribble(HEAD + b"\r\n", b": ping\n\n"),
    "an error without end": dribble(b"HTTP/1.1 500 No\r\n\r\n"),
    "a stream that stands still": reply_once(HEAD + b"\r\n{"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", WAITS.values(), ids=WAITS.keys())
def test_no_wait_outlasts_the_ask(kind: str, answer: Answer) -> None:
    with listener(answer) as url, pytest.raises(ModelError) as caught:
        chat_at(kind, url, seconds=1.0)(ASKED)
    assert isinstance(caught.value, OutOfTime) or "protocol" in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_takes_the_question_too_slowly_does_not_outlast_the_ask(kind: str) -> None:
    long = (*ASKED, Message("user", "word " * 1_000_000))
    with listener(sip) as url, pytest.raises(OutOfTime):
        chat_at(kind, url, seconds=1.0)(long)


@pytest.mark.parametrize("kind", KINDS)
def test_a_secure_line_that_is_never_agreed_on_does_not_outlast_the_ask(kind: str) -> None:
    for answer in (say_nothing, dribble(b"")):
        with listener(answer) as url, pytest.raises(ModelError):
            chat_at(kind, url.replace("http:", "https:"), seconds=1.0)(ASKED)


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_is_looked_up_for_ever_does_not_outlast_the_ask(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()

    def look_up(*_: Any, **__: Any) -> Any:
        done.wait(60)
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        with pytest.raises(OutOfTime):
            chat_at(kind, "http://nest.invalid:11434", seconds=0.5)(ASKED)
        assert ollama.list_models("http://nest.invalid:11434") == ()
    finally:
        done.set()


@pytest.mark.parametrize("answer", WAITS.values(), ids=WAITS.keys())
def test_looking_for_models_gives_up_on_a_server_that_does_not_answer_and_leaves_nothing_behind(
    answer: Answer,
) -> None:
    with listener(answer) as url:
        before = set(threading.enumerate())
        assert ollama.list_models(url) == ()
        mine = [each for each in threading.enumerate() if each not in before and each.name.startswith("nest-look")]
        for thread in mine:
            thread.join(5)
        assert not any(thread.is_alive() for thread in mine)


def test_a_slow_reply_ends_with_the_ask() -> None:
    with OllamaServer([{**HELLO, "pause_seconds": 0.5}]) as server, pytest.raises(OutOfTime):
        ask("ollama", server, seconds=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", [say_nothing, reply_once(HEAD + b"\r\n"), reply_once(b"HTTP/1.1 500 No\r\n\r\n")])
def test_a_long_silence_is_given_up_before_the_ask_is(
    kind: str, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nestkit.agent.transport.SILENCE_SECONDS", 0.3)
    with listener(answer) as url, pytest.raises(Unreachable, match="does not answer in time"):
        chat_at(kind, url)(ASKED)


FLOODS = {
    "a line": pour(HEAD + b"\r\n", b"x" * 10_000),
    "an event": pour(HEAD + b"\r\ndata: ", b"x" * 10_000),
    "lines": pour(HEAD + b"\r\n", b"\n" * 10_000),
    "an error": pour(b"HTTP/1.1 500 No\r\n\r\n", b"x" * 10_000),
    "a header": pour(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x" * 10_000),
    "headers": pour(b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n" * 1000),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answer", FLOODS.values(), ids=FLOODS.keys())
def test_a_flood_is_given_up(kind: str, answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nestkit.agent.transport.MAX_BYTES", 1 << 20)
    with listener(answer) as url, pytest.raises(ModelError) as caught:
        chat_at(kind, url)(ASKED)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert not isinstance(caught.value, OutOfTime)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("status", [b"200 OK", b"500 No"])
def test_what_was_packed_small_is_not_unpacked(kind: str, status: bytes) -> None:
    packed = gzip.compress(b"\n" * (64 << 20))
    head = b"HTTP/1.1 " + status + b"\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    begun = time.process_time()
    with listener(reply_once(head + packed)) as url, pytest.raises(ModelError, match="packed"):
        chat_at(kind, url)(ASKED)
    assert time.process_time() - begun < 60, "it was unpacked"


@pytest.mark.parametrize("kind", KINDS)
def test_a_reply_without_end_is_given_up(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nestkit.agent.transport.MAX_BYTES", 2000)
    with OllamaServer([{**HELLO, "content": "word " * 1000}]) as server, pytest.raises(Unreachable):
        ask(kind, server)


@pytest.mark.parametrize("kind", KINDS)
def test_a_redirection_in_a_circle_is_followed_nowhere(kind: str) -> None:
    with OllamaServer([{"role": "error", "status": 307, "body": "", "location": "/api/chat"}] * 3) as server:
        with pytest.raises(ModelError, match="sends requests elsewhere"):
            ask(kind, server)
        assert len(server.requests) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_hangs_up_at_once_may_be_tried_again(kind: str) -> None:
    with listener(hang_up) as url, pytest.raises(Unreachable) as caught:
        chat_at(kind, url)(ASKED)
    assert caught.value.again


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_that_nobody_vouches_for_is_not_trusted_and_no_word_is_sent(kind: str) -> None:
    with OllamaServer([HELLO]) as server, behind_tls(server.url) as (port, came):
        with pytest.raises(Unreachable, match="is not trusted") as caught:
            chat_at(kind, f"https://localhost:{port}", key=Key("secret-key"))(ASKED)
        assert ollama.list_models(f"https://localhost:{port}") == ()
    assert "SSL_CERT_FILE" in caught.value.hint
    assert came == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_that_the_person_vouches_for_is(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with OllamaServer([HELLO]) as server, behind_tls(server.url) as (port, _):
        reply = chat_at(kind, f"https://localhost:{port}", key=Key("secret-key"))(ASKED)
        assert ollama.list_models(f"https://localhost:{port}") == ("scripted:latest",)
        server.check()
        assert "Bearer secret-key" in str(server.headers)
    assert reply.text == HELLO["content"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_certificate_for_another_name_is_not_trusted(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with OllamaServer([HELLO]) as server, behind_tls(server.url) as (port, came):
        with pytest.raises(Unreachable, match="certificate"):
            chat_at(kind, f"https://127.0.0.1:{port}")(ASKED)
        assert came == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_without_tls_at_a_secure_address_is_one_line(kind: str) -> None:
    with OllamaServer([HELLO]) as server, pytest.raises(Unreachable, match="no secure line") as caught:
        chat_at(kind, server.url.replace("http:", "https:"))(ASKED)
    assert "http://" in caught.value.hint
