"""A model's name in; a way to talk with it, at the person's own servers, out. Part of the hall. *Network*."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from nestkit.config import Servers
from nestkit.errors import ConfigError
from nestkit.model import Chat, Left
from nestkit.policy import Limits, Refusal
from nestkit.tool import Tool

KINDS = ("ollama", "openai")
"""First part of a model's name: who is asked. Another server is one file in `agent/` and one branch below."""

SCHEMA_TOKENS = 1500
"""What the descriptions of tools for calling by JSON may take of every request."""


@dataclass(frozen=True, slots=True)
class Line:
    """What a conversation with a server needs besides its words."""

    left: Left
    """Seconds that are left of the ask."""
    say: Callable[[str], None] = lambda line: None
    """One line a person should know."""
    on_text: Callable[[str], None] = lambda piece: None
    """Gets a reply piece by piece as it is written."""
    record: Callable[[Chat], Chat] = lambda chat: chat
    """Puts the run's record between: what was said before is not asked again."""


def check_name(name: str, servers: Servers, environ: Mapping[str, str] = os.environ) -> Refusal | None:
    """Why there can be no model of this name; None when there may be one."""
    kind, _, model = name.partition("/")
    if kind not in KINDS or not model:
        return Refusal(f"there is no model called {name!r}", "use builtin, auto, ollama/NAME or openai/NAME")
    if kind == "openai" and not openai_url(servers, environ):
        hint = "set `openai` in [model] of config.toml, or OPENAI_BASE_URL; nest calls no server unasked"
        return Refusal("no address is set for openai/ models", hint)
    return None


def open_chat(
    name: str, servers: Servers, limits: Limits, line: Line, tools: list[Tool], environ: Mapping[str, str] = os.environ
) -> tuple[Chat, int]:
    """A way to talk with this model, and the tokens that each request takes besides its messages.

    `tools` are for calling by JSON. Nothing is sent yet.
    """
    from nestkit.agent.keys import find_key
    from nestkit.agent.schema import Schemas, draft_schemas

    kind, _, model = name.partition("/")
    schemas = draft_schemas(tools, SCHEMA_TOKENS) if tools else Schemas()
    if kind == "ollama":
        from nestkit.agent import ollama

        host = ollama_host(servers, environ)
        key = find_key(host, servers.host_key, environ, ollama.KEY_VARIABLE, ollama.KEY_HOMES)
        at = ollama.Server(host, key, servers.think, schemas, line.say, line.on_text)
        chat = ollama.ollama_chat(model, at, limits, line.left)
    else:
        from nestkit.agent import openai

        url = openai_url(servers, environ)
        homes = openai.KEY_HOMES if servers.openai else (*openai.KEY_HOMES, _host_of(url))
        key = find_key(url, servers.openai_key, environ, openai.KEY_VARIABLE, homes)
        chat = openai.openai_chat(model, openai.Server(url, key, schemas, line.on_text), limits, line.left)
    if key.why_not:
        line.say(key.why_not)
    return chat, schemas.tokens


def ollama_host(servers: Servers, environ: Mapping[str, str] = os.environ) -> str:
    """The address of Ollama: as set, else as OLLAMA_HOST says, else the usual one."""
    from nestkit.agent.ollama import default_host

    try:
        return _checked(servers.host) or default_host(environ)
    except ValueError:
        where = "`host` in [model] of config.toml" if servers.host else "OLLAMA_HOST"
        raise ConfigError(f"{where} is no address", "write it like http://127.0.0.1:11434") from None


def openai_url(servers: Servers, environ: Mapping[str, str] = os.environ) -> str:
    """The address of the OpenAI-compatible server; empty when the person named none."""
    try:
        return _checked((servers.openai or environ.get("OPENAI_BASE_URL", "")).strip().rstrip("/"))
    except ValueError:
        where = "`openai` in [model] of config.toml" if servers.openai else "OPENAI_BASE_URL"
        raise ConfigError(f"{where} is no address", "write it like http://127.0.0.1:8080/v1") from None


def _checked(url: str) -> str:
    """The address, one that can be taken apart; raises ValueError."""
    _host_of(url)
    return url


def list_ollama(servers: Servers, environ: Mapping[str, str] = os.environ) -> tuple[str, tuple[str, ...]]:
    """(address, names of its models, the newest first) of the Ollama server; no names when none answers."""
    from nestkit.agent.ollama import list_models

    host = ollama_host(servers, environ)
    return host, list_models(host)


def window_of(name: str, servers: Servers, environ: Mapping[str, str] = os.environ) -> int:
    """Tokens of the longest window that a model can have; 0 when its server does not tell."""
    from nestkit.agent.ollama import longest_window

    kind, _, model = name.partition("/")
    return longest_window(ollama_host(servers, environ), model) if kind == "ollama" else 0


def _host_of(url: str) -> str:
    from urllib.parse import urlsplit

    return urlsplit(url).hostname or ""
